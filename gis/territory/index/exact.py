"""On which side of an edge does a point lie: exactly, for any coordinates in degrees.

A quick product decides nearly always, with the error bound of Shewchuk ("Adaptive Precision Floating-Point Arithmetic
and Fast Robust Geometric Predicates", 1997); what it cannot decide is summed without any rounding.
"""

from __future__ import annotations

import numpy as np

from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.shapes import Floats

# (3 + 16 u) u for the unit roundoff u = 2 ** -53
BOUND = 3.3306690738754716e-16
# Smaller products could have lost digits below the smallest double.
SMALLEST = 1e-280
# Every product of two scaled coordinates, and its rounding error, is a double: none overflows, none underflows.
SCALE = 2.0**500
SPLIT = 2.0**27 + 1


@compiled
def side(vertices: Floats, edge: int, x: float, y: float) -> int:
    """Return 1 for a point left of the edge from vertex `edge` to the next, -1 right of it, 0 on its line."""
    ax, ay = vertices[edge, 0], vertices[edge, 1]
    bx, by = vertices[edge + 1, 0], vertices[edge + 1, 1]
    left = (ax - x) * (by - y)
    right = (ay - y) * (bx - x)
    size = abs(left) + abs(right)
    if size > SMALLEST and abs(left - right) > BOUND * size:
        return 1 if left > right else -1
    return _exact_side(ax * SCALE, ay * SCALE, bx * SCALE, by * SCALE, x * SCALE, y * SCALE)


@compiled
def shifted_side(vertices: Floats, edge: int, x: float, y: float) -> int:
    """Return the side of the point moved by nothing east and by much more than that, still nothing, north: never 0."""
    on = side(vertices, edge, x, y)
    if on != 0:
        return on
    east = vertices[edge + 1, 0] - vertices[edge, 0]
    if east != 0:
        return 1 if east > 0 else -1
    return 1 if vertices[edge + 1, 1] < vertices[edge, 1] else -1


@makes_arrays
def _exact_side(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    total = np.zeros(12)
    _add_product(total, 0, ax, by)
    _add_product(total, 2, -ax, y)
    _add_product(total, 4, -x, by)
    _add_product(total, 6, -ay, bx)
    _add_product(total, 8, ay, x)
    _add_product(total, 10, y, bx)
    for place in range(11, -1, -1):
        if total[place] != 0:
            return 1 if total[place] > 0 else -1
    return 0


@compiled
def _add_product(total: Floats, used: int, a: float, b: float) -> None:
    high = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    low = a_low * b_low - (((high - a_high * b_high) - a_low * b_high) - a_high * b_low)
    _add(total, used, low)
    _add(total, used + 1, high)


@compiled
def _upper_half(a: float) -> float:
    big = SPLIT * a
    return big - (big - a)


@compiled
def _add(total: Floats, used: int, term: float) -> None:
    """Add to a sum kept as parts that do not overlap, the smallest first."""
    carried = term
    for place in range(used):
        part = total[place]
        summed = carried + part
        virtual = summed - carried
        total[place] = (carried - (summed - virtual)) + (part - virtual)
        carried = summed
    total[used] = carried

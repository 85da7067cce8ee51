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
# Before every place along a line.
NOWHERE = -1.0

# x, y of one end, x, y of the other.
Ends = tuple[float, float, float, float]


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
    high, low = _product(a, b)
    _add(total, used, low)
    _add(total, used + 1, high)


@compiled
def _product(a: float, b: float) -> tuple[float, float]:
    """Return a product and what it lost by rounding."""
    high = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return high, a_low * b_low - (((high - a_high * b_high) - a_low * b_high) - a_high * b_low)


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


@compiled
def _difference(a: float, b: float) -> tuple[float, float]:
    """Return a difference and what it lost by rounding."""
    high = a - b
    taken = high - a
    return high, (a - (high - taken)) - (b + taken)


@compiled
def _cross_product(ax: float, ay: float, bx: float, by: float) -> tuple[float, float]:
    """Return ax * by - ay * bx in twice the digits of a double."""
    left, left_lost = _product(ax, by)
    right, right_lost = _product(ay, bx)
    high, low = _difference(left, right)
    low += left_lost - right_lost
    return high + low, low - ((high + low) - high)


@compiled
def _part(of: tuple[float, float], whole: tuple[float, float]) -> tuple[float, float]:
    """Divide, in twice the digits of a double."""
    high = of[0] / whole[0]
    product, lost = _product(high, whole[0])
    rest = ((of[0] - product) - lost) + (of[1] - high * whole[1])
    return high, rest / whole[0]


@compiled
def _moved(start: float, by: float, part: tuple[float, float]) -> float:
    """Return a part of the way from start by so much, rounded once."""
    way, lost = _product(part[0], by)
    high, low = _difference(start, -way)
    return high + (low + (lost + part[1] * by))


@compiled
def crossing(line: Ends, edge: Ends) -> tuple[float, float, float, float]:
    """Return how far along a line and an edge they cross, from 0 to 1, and where, rounded once from twice the digits.

    Of two that do cross. Where doubles cannot say it the first number is NOWHERE: where ends are so far apart that
    their difference is rounded, and where the place as rounded lies outside of either.
    """
    dx, dx_lost = _difference(line[2], line[0])
    dy, dy_lost = _difference(line[3], line[1])
    ex, ex_lost = _difference(edge[2], edge[0])
    ey, ey_lost = _difference(edge[3], edge[1])
    fx, fx_lost = _difference(edge[0], line[0])
    fy, fy_lost = _difference(edge[1], line[1])
    is_rounded = (dx_lost != 0) | (dy_lost != 0) | (ex_lost != 0) | (ey_lost != 0) | (fx_lost != 0) | (fy_lost != 0)
    whole = _cross_product(dx, dy, ex, ey)
    if is_rounded or abs(whole[0]) < SMALLEST:
        return NOWHERE, 0.0, 0.0, 0.0
    along = _part(_cross_product(fx, fy, ex, ey), whole)
    x, y = _moved(line[0], dx, along), _moved(line[1], dy, along)
    if not (_is_between(x, y, line) and _is_between(x, y, edge)):
        return NOWHERE, 0.0, 0.0, 0.0
    return along[0], _part(_cross_product(fx, fy, dx, dy), whole)[0], x, y


@compiled
def _is_between(x: float, y: float, ends: Ends) -> bool:
    is_x = min(ends[0], ends[2]) <= x <= max(ends[0], ends[2])
    return is_x and min(ends[1], ends[3]) <= y <= max(ends[1], ends[3])

"""Units become arcs: what neighbours share is found edge by edge and kept once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely

from gis.errors import Invalid
from gis.territory.index.compiled import compiled
from gis.territory.index.shapes import NONE, Arcs, Bits, Bools, Floats, Geometries, Ints, Rings, Rows, Trail

# Vertices as whole numbers mix to the place of an edge in a table; both directions come to the same place.
MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT = np.uint64(29)
# What is nearer to the equator or to Greenwich than this (a proton), and not on it, is no coordinate.
TINY = 2.0**-100


class Found(NamedTuple):
    """Where the half-edges of rings are among the edges of arcs: edge (half-edge), and whether in its direction."""

    edge: Rows
    along: Bools


class Table(NamedTuple):
    """A hash table by two vertices: slot -> half-edge, NONE where empty; half-edge -> edge."""

    slots: Rows
    edge: Rows


def rings(geometries: Geometries) -> Rings:
    """Take the rings of polygons apart; raise Invalid for coordinates that are none."""
    wrong = ~np.isin(shapely.get_type_id(geometries), (3, 6))
    if wrong.any():
        raise Invalid("index.not_polygons", row=int(np.argmax(wrong)))
    parts, owner = shapely.get_parts(geometries, return_index=True)
    lines, part = shapely.get_rings(parts, return_index=True)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    of_ring, unit = line.astype(np.int32), owner[part].astype(np.int32)
    _check(xy, unit[of_ring])
    repeated = np.zeros(len(xy), dtype=bool)
    repeated[1:] = (xy[1:] == xy[:-1]).all(axis=1) & (of_ring[1:] == of_ring[:-1])
    # -0.0 is 0.0, also where numbers are compared by their bits
    xy, of_ring = xy[~repeated] + 0.0, of_ring[~repeated]
    start = np.searchsorted(of_ring, np.arange(len(lines) + 1))
    first = np.diff(part, prepend=-1) != 0
    inside = np.where(_turns_left(xy, start) == first, 1, -1).astype(np.int8)
    return Rings(xy, start, of_ring, unit, inside, first)


def _check(xy: Floats, unit: Rows) -> None:
    size = np.abs(xy)
    wrong = ~((size[:, 0] <= 180) & (size[:, 1] <= 90)) | ((size > 0) & (size < TINY)).any(axis=1)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise Invalid("index.bad_vertex", row=int(unit[at]), lon=float(xy[at, 0]), lat=float(xy[at, 1]))


def _turns_left(xy: Floats, ring: Ints) -> Bools:
    """Say of each ring whether it runs counter-clockwise, exactly: slivers are summed again in fractions."""
    if len(ring) < 2:
        return np.zeros(0, dtype=bool)
    count = np.diff(ring)
    origin = np.repeat(xy[ring[:-1]], count, axis=0)
    at = xy - origin
    term = np.zeros(len(xy))
    term[:-1] = at[:-1, 0] * at[1:, 1] - at[1:, 0] * at[:-1, 1]
    term[ring[1:] - 1] = 0
    area, size = np.add.reduceat(term, ring[:-1]), np.add.reduceat(np.abs(term), ring[:-1])
    left = area > 0
    for doubtful in np.flatnonzero(np.abs(area) <= (count + 8) * 2.0**-50 * size):
        left[doubtful] = _exact_area(xy[ring[doubtful] : ring[doubtful + 1]]) > 0
    return left


def _exact_area(ring: Floats) -> Fraction:
    corners = [(Fraction(x), Fraction(y)) for x, y in ring.tolist()]
    return sum((ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(corners)), Fraction(0))


def draw(drawn: Rings) -> tuple[Arcs, Found, Table]:
    """Draw the arcs of rings; say where each half-edge went, and give the table to find edges by."""
    bits = drawn.xy.view(np.uint64)
    twin = np.full(len(drawn.xy), NONE, dtype=np.int32)
    slots = np.full(1 << max(4, len(drawn.xy).bit_length()), NONE, dtype=np.int32)
    _pair(drawn, bits, slots, twin)
    vertices_n, arcs_n = _count(drawn, twin)
    arcs = Arcs(np.empty((vertices_n, 2)), np.zeros(arcs_n + 1, np.int32), np.empty((arcs_n, 2), np.int32))
    edge, along = np.full(len(drawn.xy), NONE, dtype=np.int32), np.zeros(len(drawn.xy), dtype=np.bool_)
    _fill(drawn, twin, arcs, edge, along)
    return arcs, Found(edge, along), Table(slots, edge)


@compiled
def place(bits: Bits, half: int, slots_n: int) -> int:
    """Return the slot from which on a half-edge is looked for."""
    total = _mixed(bits[half, 0], bits[half, 1]) + _mixed(bits[half + 1, 0], bits[half + 1, 1])
    return np.int64((total ^ (total >> SHIFT)) & np.uint64(slots_n - 1))  # type: ignore[return-value] # a number


@compiled
def _mixed(x: np.uint64, y: np.uint64) -> np.uint64:
    value = (x * MIX[0]) ^ ((y + MIX[2]) * MIX[1])
    value = (value ^ (value >> SHIFT)) * MIX[1]
    return value ^ (value >> SHIFT)


@compiled
def same(bits: Bits, a: int, other: Bits, b: int) -> int:
    """Return 1 for half-edges of the same vertices in the same direction, -1 against each other, else 0."""
    if bits[a, 0] == other[b, 0] and bits[a, 1] == other[b, 1]:
        return 1 if bits[a + 1, 0] == other[b + 1, 0] and bits[a + 1, 1] == other[b + 1, 1] else 0
    if bits[a, 0] == other[b + 1, 0] and bits[a, 1] == other[b + 1, 1]:
        return -1 if bits[a + 1, 0] == other[b, 0] and bits[a + 1, 1] == other[b, 1] else 0
    return 0


@compiled
def _pair(drawn: Rings, bits: Bits, slots: Rows, twin: Rows) -> None:
    """Pair each half-edge with one of the unit across, if there is one."""
    for ring in range(len(drawn.unit)):
        for half in range(drawn.start[ring], drawn.start[ring + 1] - 1):
            _pair_one(drawn, bits, slots, twin, half)


@compiled
def _pair_one(drawn: Rings, bits: Bits, slots: Rows, twin: Rows, half: int) -> None:
    inside = drawn.inside[drawn.of_ring[half]]
    slot = place(bits, half, len(slots))
    while slots[slot] != NONE:
        other = slots[slot]
        # on the other side: the direction is turned, or the inside is, not both
        across = -inside * drawn.inside[drawn.of_ring[other]]
        if twin[other] == NONE and same(bits, half, bits, other) == across:
            twin[half], twin[other] = other, half
            return
        slot = (slot + 1) & (len(slots) - 1)
    slots[slot] = half


@compiled
def _is_drawn(twin: Rows, half: int) -> bool:
    return twin[half] == NONE or half < twin[half]


@compiled
def _across(drawn: Rings, twin: Rows, half: int) -> int:
    return NONE if twin[half] == NONE else drawn.unit[drawn.of_ring[twin[half]]]


@compiled
def _begins(drawn: Rings, twin: Rows, half: int) -> bool:
    """Say of a half-edge that is drawn whether an arc begins with it."""
    before = half - 1
    if half == drawn.start[drawn.of_ring[half]] or not _is_drawn(twin, before):
        return True
    return _across(drawn, twin, before) != _across(drawn, twin, half)


@compiled
def _count(drawn: Rings, twin: Rows) -> tuple[int, int]:
    edges, arcs = 0, 0
    for ring in range(len(drawn.unit)):
        for half in range(drawn.start[ring], drawn.start[ring + 1] - 1):
            if _is_drawn(twin, half):
                edges += 1
                arcs += _begins(drawn, twin, half)
    return edges + arcs, arcs


@compiled
def _fill(drawn: Rings, twin: Rows, arcs: Arcs, edge: Rows, along: Bools) -> None:
    arc, vertex = -1, 0
    for ring in range(len(drawn.unit)):
        for half in range(drawn.start[ring], drawn.start[ring + 1] - 1):
            if not _is_drawn(twin, half):
                edge[half] = edge[twin[half]]
                along[half] = drawn.inside[drawn.of_ring[half]] != drawn.inside[drawn.of_ring[twin[half]]]
                continue
            if _begins(drawn, twin, half):
                arc += 1
                arcs.start[arc] = vertex
                _put_sides(drawn, arcs.sides, arc, half, _across(drawn, twin, half))
                arcs.vertices[vertex, 0], arcs.vertices[vertex, 1] = drawn.xy[half, 0], drawn.xy[half, 1]
                vertex += 1
            edge[half], along[half] = vertex - 1, True
            arcs.vertices[vertex, 0], arcs.vertices[vertex, 1] = drawn.xy[half + 1, 0], drawn.xy[half + 1, 1]
            vertex += 1
    arcs.start[arc + 1] = vertex


@compiled
def _put_sides(drawn: Rings, sides: Rows, arc: int, half: int, across: int) -> None:
    ring = drawn.of_ring[half]
    left = drawn.inside[ring] > 0
    sides[arc, 0] = drawn.unit[ring] if left else across
    sides[arc, 1] = across if left else drawn.unit[ring]


def trail(drawn: Rings, units_n: int, found: Found) -> Trail:
    """Write rings as runs of the edges where their half-edges were found."""
    first, length = np.empty(len(drawn.xy), np.int32), np.empty(len(drawn.xy), np.int32)
    ring = np.zeros(len(drawn.unit) + 1, dtype=np.int32)
    runs = _runs(drawn, found, first, length, ring)
    part = np.append(np.flatnonzero(drawn.first), len(drawn.unit)).astype(np.int32)
    unit = np.searchsorted(drawn.unit[drawn.first], np.arange(units_n + 1)).astype(np.int32)
    return Trail(first[:runs].copy(), length[:runs].copy(), ring, part, unit)


@compiled
def _runs(drawn: Rings, found: Found, first: Rows, length: Rows, ring: Rows) -> int:
    run = -1
    for at in range(len(drawn.unit)):
        ring[at] = run + 1
        for half in range(drawn.start[at], drawn.start[at + 1] - 1):
            step = 1 if found.along[half] else -1
            goes_on = half > drawn.start[at] and found.edge[half] == found.edge[half - 1] + step
            if not (goes_on and found.along[half] == found.along[half - 1]):
                run += 1
                first[run], length[run] = found.edge[half], 0
            length[run] += step
    ring[len(drawn.unit)] = run + 1
    return run + 1

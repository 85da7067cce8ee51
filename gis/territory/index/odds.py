"""How probable is each unit for a fix with a normal error: the mass of the error over the units, edge by edge.

`probability` tells the mass over a polygon as a sum over its edges of (angle seen) / 2 pi less what T takes. The angles
of a closed ring add up to one whole turn about a point inside and to none about a point outside; what is left is what
each edge takes: the integral of exp(-r2 / 2) / 2 pi over the angle it is seen under, r in standard deviations. That is
nothing beyond the reach of the error, so only the edges near the fix are looked at, and what the unit on one side of an
edge loses the unit on its other side gains. A fix on a line, or within a millimetre, needs another way: the
angles of what is so near are lost to rounding, and here they count most. It is told by a probability that is no number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.compiled import compiled
from gis.territory.index.cover import run_at
from gis.territory.index.ground import HEAD_WORDS, RUN_WORDS, TILE_WORD
from gis.territory.index.near import Pairs, sort
from gis.territory.index.shapes import NONE, Floats, Grid, Near, Rows
from gis.territory.index.window import Fix, Reach, fix_of, pixels_in, reach_of, tiles_in

# Nodes and weights of Gauss on an interval from 0 to 1.
NODES, WEIGHTS = ((x + 1) / 2 if half == 0 else x / 2 for half, x in enumerate(np.polynomial.legendre.leggauss(8)))
# Beyond this the mass is nothing.
FARTHEST = 8.5
TOO_NEAR_M = 1e-3
# An interval is this part of its distance from the fix at most, and one deviation: then eight nodes give all digits.
PART, LONGEST = 0.5, 1.0


class Box(NamedTuple):
    """A pixel in degrees; its west and south belong to it, its east and north do not."""

    west: float
    south: float
    east: float
    north: float


@compiled
def odds(near: Near, fixes: Floats, only: Rows, pairs: Pairs) -> tuple[int, int]:
    """Write for each fix the units its true point may be in, with their probability as the distance of the pair.

    fixes: reach is the standard deviation here. only: the unit that covers the fix, or NONE. Return how many fixes were
    answered and how many pairs written; it stops when a fix might find no room.
    """
    count = 0
    for at in range(len(fixes)):
        if len(pairs.row) - count < len(pairs.place):
            return at, count
        first, fix = count, fix_of(fixes, at)
        count = _add(pairs, first, count, only[at], 1.0)
        reach = reach_of(near.grid.frame, fix, FARTHEST * fix.reach_m)
        window = tiles_in(near.grid.frame, reach)
        for row in range(window.south, window.north + 1):
            for column in range(window.west, window.east + 1):
                tile = row * near.grid.frame.columns + column
                if near.busy[tile]:
                    count = _in_tile(near.grid, fix, reach, tile, pairs, first, count)
        sort(pairs, first, count)
        pairs.fix[first:count] = at
    return len(fixes), count


@compiled
def _in_tile(grid: Grid, fix: Fix, reach: Reach, tile: int, pairs: Pairs, first: int, count: int) -> int:
    """Take account of the edges in all border pixels of a tile that the error reaches."""
    frame, k = grid.frame, grid.tiles[tile] % TILE_WORD
    row, column, labels = tile // frame.columns, tile % frame.columns, grid.tiles[tile] // TILE_WORD
    pixels = pixels_in(reach, column, row, k)
    for y in range(pixels.south, pixels.north + 1):
        for x in range(pixels.west, pixels.east + 1):
            label = grid.labels[labels + y * k + x]
            if label < 0:
                box = Box(
                    frame.west + (column + x / k) * frame.lon_step,
                    frame.south + (row + y / k) * frame.lat_step,
                    frame.west + (column + (x + 1) / k) * frame.lon_step,
                    frame.south + (row + (y + 1) / k) * frame.lat_step,
                )
                count = _in_pixel(grid, fix, ~label, box, pairs, first, count)
    return count


@compiled
def _in_pixel(grid: Grid, fix: Fix, word: int, box: Box, pairs: Pairs, first: int, count: int) -> int:
    """Take account of the edges in a pixel, of each only what lies in it: so every piece counts once."""
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        edge_first, edges_n, arc = run_at(grid, run)
        left, right = grid.sides[arc, 0], grid.sides[arc, 1]
        if left == right:
            continue
        taken = 0.0
        for edge in range(edge_first, edge_first + edges_n):
            taken += _taken(grid.vertices, edge, fix, box)
        if taken != 0.0:
            count = _add(pairs, first, count, left, -taken)
            count = _add(pairs, first, count, right, taken)
    return count


@compiled
def _taken(vertices: Floats, edge: int, fix: Fix, box: Box) -> float:
    """Return what the piece of an edge in a pixel takes from the unit left of it; negative if it gives."""
    begin, end = _inside(vertices, edge, box)
    if begin >= end:
        return 0.0
    ax, ay = (vertices[edge, 0] - fix.lon) * fix.east_m, (vertices[edge, 1] - fix.lat) * fix.north_m
    bx, by = (vertices[edge + 1, 0] - fix.lon) * fix.east_m, (vertices[edge + 1, 1] - fix.lat) * fix.north_m
    dx, dy, cross = bx - ax, by - ay, ax * by - ay * bx
    length = np.hypot(dx, dy)
    if length == 0.0:
        return 0.0
    off_m, along_m = abs(cross) / length, (ax * dx + ay * dy) / length
    begin_m, end_m = along_m + begin * length, along_m + end * length
    if off_m < TOO_NEAR_M and begin_m < TOO_NEAR_M and end_m > -TOO_NEAR_M:
        return np.nan
    taken = integral(off_m / fix.reach_m, begin_m / fix.reach_m, end_m / fix.reach_m)
    return taken if cross > 0.0 else -taken


@compiled
def _inside(vertices: Floats, edge: int, box: Box) -> tuple[float, float]:
    """Return between which parts of an edge it is inside a box; the second is not greater if it never is."""
    x0, x1 = _between(vertices[edge, 0], vertices[edge + 1, 0], box.west, box.east)
    y0, y1 = _between(vertices[edge, 1], vertices[edge + 1, 1], box.south, box.north)
    return max(x0, y0, 0.0), min(x1, y1, 1.0)


@compiled
def _between(start: float, end: float, low: float, high: float) -> tuple[float, float]:
    """Return between which parts of the way from start to end a number is at least low and less than high."""
    if start == end:
        return (0.0, 1.0) if low <= start < high else (1.0, 0.0)
    first, last = (low - start) / (end - start), (high - start) / (end - start)
    return min(first, last), max(first, last)


@compiled
def integral(off: float, begin: float, end: float) -> float:
    """Integrate exp(-r2 / 2) / 2 pi over the angle a piece of a line is seen under; lengths in standard deviations.

    off: the line's distance; begin, end: where the piece is on it, counted from the foot. It is T(off, end / off) less
    T(off, begin / off), T being Owen's.
    """
    if off >= FARTHEST or off == 0.0:
        return 0.0
    most = np.sqrt(FARTHEST * FARTHEST - off * off)
    at, last, total = max(begin, -most), min(end, most), 0.0
    while at < last:
        # Towards the foot the distance shrinks: what is left of it after a step counts.
        step = max(-at * PART / (1 + PART), off * PART) if at < 0 else PART * np.hypot(off, at)
        step = min(step, LONGEST, last - at)
        for nth in range(len(NODES)):
            along = at + step * NODES[nth]
            square = off * off + along * along
            total += step * WEIGHTS[nth] * np.exp(-square / 2) / square
        at += step
    return total * off / (2 * np.pi)


@compiled
def _add(pairs: Pairs, first: int, count: int, unit: int, mass: float) -> int:
    """Add to the mass of a unit, NONE aside, among the pairs from `first` on; return the new count."""
    if unit == NONE:
        return count
    at = pairs.place[unit]
    if first <= at < count and pairs.row[at] == unit:
        pairs.distance_m[at] += mass
        return count
    pairs.place[unit], pairs.row[count], pairs.distance_m[count] = count, unit, mass
    return count + 1

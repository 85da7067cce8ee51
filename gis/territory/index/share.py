"""Which units share a line, and how long it is: from the arcs, and where neighbours drew it each in their own way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory import coords
from gis.territory.index.compiled import compiled
from gis.territory.index.cover import run_at
from gis.territory.index.cut import edge_lengths_m
from gis.territory.index.exact import side
from gis.territory.index.ground import HEAD_WORDS, RUN_WORDS
from gis.territory.index.shapes import NONE, Floats, Grid, Ints, Rows

# Between latitudes of a table so fine, a parabola is right to the last bits of a double.
STEP_DEG = 0.001
# Where Gauss looks along an edge, and how much each look counts.
NODES, WEIGHTS = (0.5 - 0.15**0.5, 0.5, 0.5 + 0.15**0.5), (5 / 18, 8 / 18, 5 / 18)


class Scale(NamedTuple):
    """Metres of a degree by latitude: south is the first; east, north are a table in steps of STEP_DEG."""

    south: float
    east_m: Floats
    north_m: Floats


def contiguity(grid: Grid) -> tuple[Rows, Rows, Floats]:
    """Return (row, row, metres) of every two units that share a line, the lower row first, in order."""
    arcs_m = np.zeros(len(grid.sides))
    _arcs_m(grid, _scale(grid.vertices), arcs_m)
    shared = (grid.sides[:, 0] != grid.sides[:, 1]) & (grid.sides >= 0).all(axis=1)
    a, b, more_m = _drawn_apart(grid)
    left, right = np.concatenate([grid.sides[shared], np.column_stack([a, b])]).T.astype(np.int64)
    return _summed(left, right, np.concatenate([arcs_m[shared], more_m]))


def _summed(left: Ints, right: Ints, metres: Floats) -> tuple[Rows, Rows, Floats]:
    low, high = np.minimum(left, right), np.maximum(left, right)
    pair, place = np.unique(low << 32 | high, return_inverse=True)
    total = np.bincount(place, weights=metres, minlength=len(pair)).astype(np.float64)
    return (pair >> 32).astype(np.int32), (pair & 0xFFFFFFFF).astype(np.int32), total


def _scale(vertices: Floats) -> Scale:
    south, north = (vertices[:, 1].min(), vertices[:, 1].max()) if len(vertices) else (0.0, 0.0)
    lat = south + STEP_DEG * np.arange(-1, int((north - south) / STEP_DEG) + 3)
    return Scale(float(lat[0]), *coords.metres_per_degree(lat))


@compiled
def _arcs_m(grid: Grid, scale: Scale, arcs_m: Floats) -> None:
    """Write the length on the ellipsoid of every arc that parts two units."""
    for arc in range(len(grid.sides)):
        left, right = grid.sides[arc, 0], grid.sides[arc, 1]
        if left != right and min(left, right) != NONE:
            total = 0.0
            for edge in range(grid.start[arc], grid.start[arc + 1] - 1):
                total += _edge_m(grid.vertices, edge, scale)
            arcs_m[arc] = total


@compiled
def _edge_m(vertices: Floats, edge: int, scale: Scale) -> float:
    dx, dy = vertices[edge + 1, 0] - vertices[edge, 0], vertices[edge + 1, 1] - vertices[edge, 1]
    metres = 0.0
    for nth in range(3):
        place = (vertices[edge, 1] + dy * NODES[nth] - scale.south) / STEP_DEG
        at = int(place + 0.5)
        x = dx * _between(scale.east_m, at, place - at)
        y = dy * _between(scale.north_m, at, place - at)
        metres += WEIGHTS[nth] * np.sqrt(x * x + y * y)
    return metres


@compiled
def _between(table: Floats, at: int, part: float) -> float:
    """Read a table by the parabola through three of its values."""
    before, here, after = table[at - 1], table[at], table[at + 1]
    return here + part * ((after - before) + part * (after + before - 2 * here)) / 2


def _drawn_apart(grid: Grid) -> tuple[Rows, Rows, Floats]:
    """Find the lines that are shared but not edge by edge: (row, row, metres) of each piece."""
    room = 1 << 12
    while True:
        pieces = np.empty((room, 2), dtype=np.int64)
        count = _find_pieces(grid, pieces)
        if count <= room:
            break
        room = count
    edge, other = np.unique(pieces[:count], axis=0).T
    metres = _overlaps_m(grid.vertices, edge, other)
    ours, theirs = (grid.sides[np.searchsorted(grid.start, each, side="right") - 1] for each in (edge, other))
    rows = [(ours[:, a], theirs[:, b]) for a in (0, 1) for b in (0, 1)]
    a, b = (np.concatenate(column) for column in zip(*rows, strict=True))
    kept = (a != b) & (a >= 0) & (b >= 0)
    return a[kept], b[kept], np.tile(metres, 4)[kept]


@compiled
def _find_pieces(grid: Grid, pieces: Ints) -> int:
    """Write pairs of edges that lie on one another in part, some twice; return how many there are."""
    count = 0
    for label in grid.labels:
        if label < 0:
            first, end = ~label + HEAD_WORDS, ~label + HEAD_WORDS + RUN_WORDS * grid.words[~label + 1]
            for run in range(first, end, RUN_WORDS):
                count = _pieces_of(grid, run, end, pieces, count)
    return count


@compiled
def _pieces_of(grid: Grid, run: int, end: int, pieces: Ints, count: int) -> int:
    edge_first, edges_n, arc = run_at(grid, run)
    if grid.sides[arc, 0] == grid.sides[arc, 1]:
        return count
    for other in range(run + RUN_WORDS, end, RUN_WORDS):
        other_first, others_n, other_arc = run_at(grid, other)
        if other_arc == arc or grid.sides[other_arc, 0] == grid.sides[other_arc, 1]:
            continue
        for edge in range(edge_first, edge_first + edges_n):
            for across in range(other_first, other_first + others_n):
                if _lie_together(grid.vertices, edge, across):
                    if count < len(pieces):
                        pieces[count, 0], pieces[count, 1] = min(edge, across), max(edge, across)
                    count += 1
    return count


@compiled
def _lie_together(vertices: Floats, edge: int, other: int) -> bool:
    """Say whether two edges have more than a point in common."""
    ax, ay, bx, by = vertices[edge, 0], vertices[edge, 1], vertices[edge + 1, 0], vertices[edge + 1, 1]
    cx, cy, dx, dy = vertices[other, 0], vertices[other, 1], vertices[other + 1, 0], vertices[other + 1, 1]
    wide = min(max(ax, bx), max(cx, dx)) - max(min(ax, bx), min(cx, dx))
    high = min(max(ay, by), max(cy, dy)) - max(min(ay, by), min(cy, dy))
    if wide < 0 or high < 0 or (wide == 0 and high == 0):
        return False
    return side(vertices, edge, cx, cy) == 0 and side(vertices, edge, dx, dy) == 0


def _overlaps_m(vertices: Floats, edge: Ints, other: Ints) -> Floats:
    """Measure what two edges on one line have in common: it lies between the middle two of their four ends."""
    ends = np.stack([vertices[edge], vertices[edge + 1], vertices[other], vertices[other + 1]], axis=1)
    order = np.argsort(_along(ends), axis=1)[:, 1:3]
    middle = np.take_along_axis(ends, order[:, :, None], axis=1)
    return edge_lengths_m(middle[:, 0], middle[:, 1])


def _along(ends: Floats) -> Floats:
    """Order ends by the longer way of their line, west to east or south to north."""
    size = ends.max(axis=1) - ends.min(axis=1)
    return np.where((size[:, 0] >= size[:, 1])[:, None], ends[:, :, 0], ends[:, :, 1])

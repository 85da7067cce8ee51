"""Footprints cut by the lines of a level, without drawing a unit: what part of each polygon lies in whom.

By Green's theorem what a unit has of a footprint is a sum along two borders: the pieces of the footprint's outline that
lie in the unit, and the pieces of the unit's lines that lie in the footprint. Only lines near the footprint are looked
at. Where the two cross is computed with twice the digits and rounded once, as GEOS does: the shares are those of its
cut but for the last bits. What touches without crossing, and ground that several units cover, is left to GEOS.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.cover import run_at
from gis.territory.index.cut import SMALL_DEG
from gis.territory.index.exact import NOWHERE, crossing, side
from gis.territory.index.frame import MOST_PIXELS
from gis.territory.index.ground import HEAD_WORDS, RUN_WORDS
from gis.territory.index.meet import Outlines, enters, held_by, labels_of, tiles_of
from gis.territory.index.shapes import NONE, SEVERAL, Bools, Floats, Grid, Ints, Rows

# Over so much a plain loop is quicker than a tree; what is larger is GEOS's.
MOST_EDGES, MOST_CROSSINGS, MOST_UNITS = 512, 512, 64
MOST_PAIRS = 1 << 16
# Ways of an outline over an edge.
NO_WAY, TO_LEFT, TO_RIGHT, TOUCHING = 0, 1, 2, 3


class Found(NamedTuple):
    """Room for shares: footprint, row, share; is_cut (footprint): whether its shares were told."""

    footprint: Ints
    row: Rows
    share: Floats
    is_cut: Bools


class Edges(NamedTuple):
    """The edges that come into the box of a footprint, each once, and their arcs. n, here and below: how many."""

    edge: Ints
    arc: Ints
    n: Ints


class Crossings(NamedTuple):
    """Where an outline and edges cross.

    line: the vertex of the outline its line begins with; nth: which of the edges; along (line, edge): how far on each,
    from 0 to 1; xy: in the footprint's frame; to_left: whether the outline goes over to the left of the edge.
    """

    line: Ints
    nth: Ints
    along: Floats
    xy: Floats
    to_left: Bools
    n: Ints


class Areas(NamedTuple):
    """Rows of units, and twice the area each has of a footprint, in square degrees."""

    row: Rows
    twice: Floats
    n: Ints


class Work(NamedTuple):
    """Room for what is known of one footprint. frame: origin of its coordinates, place its areas are counted from."""

    labels: Rows
    edges: Edges
    crossings: Crossings
    areas: Areas
    frame: Floats


@makes_arrays
def shares(grid: Grid, outlines: Outlines, begin: int, found: Found) -> tuple[int, int]:
    """Write the shares of polygons from `begin` on; return how many polygons were done, and shares written.

    Outlines have the polygon on their left. It stops when one might find no room.
    """
    work = Work(
        np.empty(MOST_PIXELS * MOST_PIXELS, np.int32),
        Edges(np.empty(MOST_EDGES, np.int64), np.empty(MOST_EDGES, np.int64), np.zeros(1, np.int64)),
        Crossings(
            np.empty(MOST_CROSSINGS, np.int64), np.empty(MOST_CROSSINGS, np.int64), np.empty((MOST_CROSSINGS, 2)),
            np.empty((MOST_CROSSINGS, 2)), np.empty(MOST_CROSSINGS, np.bool_), np.zeros(1, np.int64),
        ),
        Areas(np.empty(MOST_UNITS, np.int32), np.empty(MOST_UNITS), np.zeros(1, np.int64)),
        np.empty(4),
    )  # fmt: skip
    count = 0
    for at in range(begin, len(outlines.boxes)):
        if len(found.row) - count < MOST_UNITS:
            return at, count
        found.is_cut[at] = _cut(grid, outlines, at, work)
        if found.is_cut[at]:
            size = _size(outlines, at)
            for nth in range(work.areas.n[0]):
                found.footprint[count], found.row[count] = at, work.areas.row[nth]
                found.share[count] = min(work.areas.twice[nth] / size, 1.0)
                count += 1
    return len(outlines.boxes), count


@compiled
def _cut(grid: Grid, outlines: Outlines, at: int, work: Work) -> bool:
    """Sum up what each unit has of a polygon; say whether that could be done by plain crossings."""
    box = outlines.boxes[at]
    lines_n = outlines.start[at + 1] - outlines.start[at]
    if not _find_edges(grid, box, work) or work.edges.n[0] * lines_n > MOST_PAIRS:
        return False
    # A small one is cut in coordinates counted from its corner, as in `cut`; areas are summed near it anyway.
    is_small = max(box[2] - box[0], box[3] - box[1]) < SMALL_DEG
    for axis in range(2):
        work.frame[axis] = box[axis] if is_small else 0.0
        work.frame[2 + axis] = 0.0 if is_small else box[axis]
    work.areas.n[0] = 0
    return (
        _find_crossings(grid, outlines, at, work)
        and _follow_outline(grid, outlines, at, work)
        and _follow_edges(grid, outlines, at, work)
    )


@compiled
def _find_edges(grid: Grid, box: Floats, work: Work) -> bool:
    """Note the edges that come into a box; say whether there was room."""
    work.edges.n[0] = 0
    west, east, south, north = tiles_of(grid, box)
    for row in range(south, north + 1):
        for column in range(west, east + 1):
            for label in work.labels[: labels_of(grid, box, row * grid.frame.columns + column, work.labels)]:
                if label < 0 and not _find_edges_of(grid, ~label, box, work.edges):
                    return False
    return True


@compiled
def _find_edges_of(grid: Grid, word: int, box: Floats, edges: Edges) -> bool:
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        first, edges_n, arc = run_at(grid, run)
        if grid.sides[arc, 0] == grid.sides[arc, 1]:
            continue
        for edge in range(first, first + edges_n):
            if enters(grid.vertices, edge, box) and not _is_noted(edges, edge):
                count = edges.n[0]
                if count == MOST_EDGES:
                    return False
                edges.edge[count], edges.arc[count] = edge, arc
                edges.n[0] += 1
    return True


@compiled
def _is_noted(edges: Edges, edge: int) -> bool:
    # backwards: the pixel before named it, if any did
    nth = edges.n[0] - 1
    while nth >= 0 and edges.edge[nth] != edge:
        nth -= 1
    return nth >= 0


@compiled
def _find_crossings(grid: Grid, outlines: Outlines, at: int, work: Work) -> bool:
    """Note all crossings; say whether there was room, and outline and edges did nothing but cross."""
    work.crossings.n[0] = 0
    for line in range(outlines.start[at], outlines.start[at + 1]):
        if not outlines.goes_on[line]:
            continue
        for nth in range(work.edges.n[0]):
            way = _way(outlines.xy, line, grid.vertices, work.edges.edge[nth])
            if way == NO_WAY:
                continue
            if way == TOUCHING or not _note(grid.vertices, outlines.xy, line, nth, work):
                return False
            work.crossings.to_left[work.crossings.n[0] - 1] = way == TO_LEFT
    return True


@compiled
def _way(xy: Floats, line: int, vertices: Floats, edge: int) -> int:
    ax, ay, bx, by = xy[line, 0], xy[line, 1], xy[line + 1, 0], xy[line + 1, 1]
    cx, cy, dx, dy = vertices[edge, 0], vertices[edge, 1], vertices[edge + 1, 0], vertices[edge + 1, 1]
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx) or max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return NO_WAY
    begin, end = side(vertices, edge, ax, ay), side(vertices, edge, bx, by)
    if begin * end > 0:
        return NO_WAY
    apart = side(xy, line, cx, cy) * side(xy, line, dx, dy)
    if apart > 0:
        return NO_WAY
    if apart == 0 or begin == 0 or end == 0:
        return TOUCHING
    return TO_LEFT if end > 0 else TO_RIGHT


@compiled
def _note(vertices: Floats, xy: Floats, line: int, nth: int, work: Work) -> bool:
    """Note a crossing; say whether there was room, and doubles can tell it from the others."""
    crossings, edge, x, y = work.crossings, work.edges.edge[nth], work.frame[0], work.frame[1]
    count = crossings.n[0]
    if count == MOST_CROSSINGS:
        return False
    along, across, cross_x, cross_y = crossing(
        (xy[line, 0] - x, xy[line, 1] - y, xy[line + 1, 0] - x, xy[line + 1, 1] - y),
        (vertices[edge, 0] - x, vertices[edge, 1] - y, vertices[edge + 1, 0] - x, vertices[edge + 1, 1] - y),
    )
    for other in range(count):
        if crossings.line[other] == line and crossings.along[other, 0] == along:
            return False
        if crossings.nth[other] == nth and crossings.along[other, 1] == across:
            return False
    crossings.line[count], crossings.nth[count] = line, nth
    crossings.along[count, 0], crossings.along[count, 1] = along, across
    crossings.xy[count, 0], crossings.xy[count, 1] = cross_x, cross_y
    crossings.n[0] += 1
    return along != NOWHERE


@compiled
def _next(crossings: Crossings, of: Ints, at: int, axis: int, after: float) -> int:
    """Return the first crossing of a line (axis 0) or an edge (1) that comes after a place along it, NONE without."""
    found = NONE
    for nth in range(crossings.n[0]):
        along = crossings.along[nth, axis]
        if of[nth] == at and along > after and (found == NONE or along < crossings.along[found, axis]):
            found = nth
    return found


@compiled
def _follow_outline(grid: Grid, outlines: Outlines, at: int, work: Work) -> bool:
    """Give the pieces of an outline to the units they lie in; say whether it led from one unit to another all the way.

    It may not where several units cover the ground.
    """
    row, begun, is_begin = NONE, NONE, True
    for vertex in range(outlines.start[at], outlines.start[at + 1]):
        if is_begin:
            row = begun = held_by(grid, outlines.xy[vertex, 0], outlines.xy[vertex, 1])
        is_begin = not outlines.goes_on[vertex]
        if row == SEVERAL or (is_begin and row != begun):
            return False
        if not is_begin:
            row = _follow_line(grid, outlines.xy, vertex, row, work)
    return True


@compiled
def _follow_line(grid: Grid, xy: Floats, line: int, row: int, work: Work) -> int:
    """Give the pieces of a line that begins in a unit to whom they lie in; return where it ends, SEVERAL in doubt."""
    crossings, x, y = work.crossings, work.frame[0], work.frame[1]
    here_x, here_y = xy[line, 0] - x, xy[line, 1] - y
    nth = _next(crossings, crossings.line, line, 0, NOWHERE)
    while nth != NONE:
        there_x, there_y = crossings.xy[nth, 0], crossings.xy[nth, 1]
        arc, to_left = work.edges.arc[crossings.nth[nth]], crossings.to_left[nth]
        left, right = grid.sides[arc, 0], grid.sides[arc, 1]
        if (right if to_left else left) != row or not _add(work, row, 1.0, (here_x, here_y, there_x, there_y)):
            return SEVERAL
        row = left if to_left else right
        here_x, here_y = there_x, there_y
        nth = _next(crossings, crossings.line, line, 0, crossings.along[nth, 0])
    return row if _add(work, row, 1.0, (here_x, here_y, xy[line + 1, 0] - x, xy[line + 1, 1] - y)) else SEVERAL


@compiled
def _follow_edges(grid: Grid, outlines: Outlines, at: int, work: Work) -> bool:
    """Give the pieces of edges inside a polygon to the units beside them; say whether there was room."""
    crossings, vertices, x, y = work.crossings, grid.vertices, work.frame[0], work.frame[1]
    for nth in range(work.edges.n[0]):
        edge, arc = work.edges.edge[nth], work.edges.arc[nth]
        is_inside = _is_inside(outlines, at, vertices[edge, 0], vertices[edge, 1])
        here_x, here_y = vertices[edge, 0] - x, vertices[edge, 1] - y
        cross = _next(crossings, crossings.nth, nth, 1, NOWHERE)
        while cross != NONE:
            there_x, there_y = crossings.xy[cross, 0], crossings.xy[cross, 1]
            if is_inside and not _add_beside(work, grid.sides, arc, (here_x, here_y, there_x, there_y)):
                return False
            is_inside = not is_inside
            here_x, here_y = there_x, there_y
            cross = _next(crossings, crossings.nth, nth, 1, crossings.along[cross, 1])
        end = (here_x, here_y, vertices[edge + 1, 0] - x, vertices[edge + 1, 1] - y)
        if is_inside and not _add_beside(work, grid.sides, arc, end):
            return False
    return True


@compiled
def _is_inside(outlines: Outlines, at: int, x: float, y: float) -> bool:
    """Say of a point that is not on an outline whether it is inside."""
    is_inside = False
    for line in range(outlines.start[at], outlines.start[at + 1]):
        if outlines.goes_on[line] and (outlines.xy[line, 1] <= y) != (outlines.xy[line + 1, 1] <= y):
            up = outlines.xy[line + 1, 1] > outlines.xy[line, 1]
            if (side(outlines.xy, line, x, y) > 0) == up:
                is_inside = not is_inside
    return is_inside


@compiled
def _add_beside(work: Work, sides: Rows, arc: int, piece: tuple[float, float, float, float]) -> bool:
    return _add(work, sides[arc, 0], 1.0, piece) and _add(work, sides[arc, 1], -1.0, piece)


@compiled
def _add(work: Work, row: int, sign: float, piece: tuple[float, float, float, float]) -> bool:
    """Add a piece of border to the area of a unit; say whether there is room for the unit."""
    if row == NONE:
        return True
    areas, nth = work.areas, 0
    while nth < areas.n[0] and areas.row[nth] != row:
        nth += 1
    if nth == MOST_UNITS:
        return False
    if nth == areas.n[0]:
        areas.row[nth], areas.twice[nth] = row, 0.0
        areas.n[0] += 1
    areas.twice[nth] += sign * _twice(piece, work.frame[2], work.frame[3])
    return True


@compiled
def _twice(piece: tuple[float, float, float, float], x: float, y: float) -> float:
    """Return twice the area between a piece of border and a place."""
    return (piece[0] - x) * (piece[3] - y) - (piece[2] - x) * (piece[1] - y)


@compiled
def _size(outlines: Outlines, at: int) -> float:
    """Return twice the area of a polygon."""
    xy, x, y = outlines.xy, outlines.boxes[at, 0], outlines.boxes[at, 1]
    size = 0.0
    for line in range(outlines.start[at], outlines.start[at + 1]):
        if outlines.goes_on[line]:
            size += _twice((xy[line, 0], xy[line, 1], xy[line + 1, 0], xy[line + 1, 1]), x, y)
    return size

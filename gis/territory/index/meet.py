"""Boxes on a grid: is a box all one unit's, which units may it meet, which edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.cover import label_at, one_of, run_at, set_size
from gis.territory.index.exact import side
from gis.territory.index.frame import MOST_PIXELS, column_of, pixel_of, row_of
from gis.territory.index.ground import HEAD_WORDS, RUN_WORDS, TILE_WORD
from gis.territory.index.near import Pairs, note, sort
from gis.territory.index.shapes import NONE, SEVERAL, Bools, Bytes, Floats, Grid, Ints, Rows


@makes_arrays
def whole(grid: Grid, boxes: Floats, rows: Rows) -> None:
    """Write for each box the row that holds it alone, NONE where nobody is, SEVERAL where an edge comes in."""
    labels = np.empty(MOST_PIXELS * MOST_PIXELS, np.int32)
    for at in range(len(boxes)):
        is_entered = _is_entered(grid, boxes[at], labels)
        rows[at] = SEVERAL if is_entered else held_by(grid, boxes[at, 0], boxes[at, 1])


@compiled
def held_by(grid: Grid, x: float, y: float) -> int:
    """Return who holds what no edge comes to, by any of its points."""
    label = label_at(grid, x, y)
    if 0 <= label < grid.sets.first:
        return grid.unit_of[label - 1] if label > 0 else NONE
    return SEVERAL if label >= 0 else one_of(grid, ~label, x, y)


class Outlines(NamedTuple):
    """Lines of footprints: xy (vertex, 2); start (footprint + 1) positions in xy; whether a line goes on from a vertex.

    boxes (footprint, 4): west, south, east, north.
    """

    xy: Floats
    start: Ints
    goes_on: Bools
    boxes: Floats


@makes_arrays
def looked_into(grid: Grid, outlines: Outlines, rows: Rows) -> None:
    """Write for each footprint the row that holds it alone, NONE where nobody is, SEVERAL where an edge comes to it."""
    labels = np.empty(MOST_PIXELS * MOST_PIXELS, np.int32)
    for at in range(len(rows)):
        first = outlines.start[at]
        is_met = _is_met(grid, outlines, at, labels)
        rows[at] = SEVERAL if is_met else held_by(grid, outlines.xy[first, 0], outlines.xy[first, 1])


@compiled
def _is_met(grid: Grid, outlines: Outlines, at: int, labels: Rows) -> bool:
    west, east, south, north = tiles_of(grid, outlines.boxes[at])
    for row in range(south, north + 1):
        for column in range(west, east + 1):
            labels_n = labels_of(grid, outlines.boxes[at], row * grid.frame.columns + column, labels)
            for nth in range(labels_n):
                if labels[nth] < 0 and _meets_one_of(grid, ~labels[nth], outlines, at):
                    return True
    return False


@compiled
def _meets_one_of(grid: Grid, word: int, outlines: Outlines, at: int) -> bool:
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        first, count, arc = run_at(grid, run)
        if grid.sides[arc, 0] == grid.sides[arc, 1]:
            continue
        for edge in range(first, first + count):
            if enters(grid.vertices, edge, outlines.boxes[at]) and _meets(grid.vertices, edge, outlines, at):
                return True
    return False


@compiled
def _meets(vertices: Floats, edge: int, outlines: Outlines, at: int) -> bool:
    """Say whether an edge may have a point in common with a footprint: with its lines, or inside them.

    In doubt it has: where a point of one lies on the line of the other.
    """
    x, y, inside = vertices[edge, 0], vertices[edge, 1], False
    for line in range(outlines.start[at], outlines.start[at + 1] - 1):
        if not outlines.goes_on[line]:
            continue
        here = side(outlines.xy, line, x, y)
        there = side(outlines.xy, line, vertices[edge + 1, 0], vertices[edge + 1, 1])
        begin = side(vertices, edge, outlines.xy[line, 0], outlines.xy[line, 1])
        end = side(vertices, edge, outlines.xy[line + 1, 0], outlines.xy[line + 1, 1])
        if here * there <= 0 and begin * end <= 0:
            return True
        up = outlines.xy[line + 1, 1] > outlines.xy[line, 1]
        if (outlines.xy[line, 1] <= y) != (outlines.xy[line + 1, 1] <= y) and (here > 0) == up:
            inside = not inside
    return inside


@compiled
def tiles_of(grid: Grid, box: Floats) -> tuple[int, int, int, int]:
    """Return first and last column, first and last row of the tiles of a box; last before first where it is off."""
    frame = grid.frame
    east, north = frame.west + frame.columns / frame.per_lon, frame.south + frame.rows / frame.per_lat
    if not (box[0] <= east and box[2] >= frame.west and box[1] <= north and box[3] >= frame.south):
        return 0, -1, 0, -1
    return (
        min(column_of(frame, max(box[0], frame.west)), frame.columns - 1),
        min(column_of(frame, max(box[2], frame.west)), frame.columns - 1),
        min(row_of(frame, max(box[1], frame.south)), frame.rows - 1),
        min(row_of(frame, max(box[3], frame.south)), frame.rows - 1),
    )


@compiled
def labels_of(grid: Grid, box: Floats, tile: int, labels: Rows) -> int:
    """Put the labels of the pixels of a tile that a box comes into into labels; return how many."""
    if grid.tiles[tile] < 0:
        labels[0] = ~grid.tiles[tile]
        return 1
    frame, k, first = grid.frame, grid.tiles[tile] % TILE_WORD, grid.tiles[tile] // TILE_WORD
    row, column = tile // frame.columns, tile % frame.columns
    west = pixel_of((box[0] - frame.west) * frame.per_lon, column, k)
    east = pixel_of((box[2] - frame.west) * frame.per_lon, column, k)
    count = 0
    for y in range(
        pixel_of((box[1] - frame.south) * frame.per_lat, row, k),
        pixel_of((box[3] - frame.south) * frame.per_lat, row, k) + 1,
    ):
        for label in grid.labels[first + y * k + west : first + y * k + east + 1]:
            labels[count] = label
            count += 1
    return count


@compiled
def _is_entered(grid: Grid, box: Floats, labels: Rows) -> bool:
    west, east, south, north = tiles_of(grid, box)
    for row in range(south, north + 1):
        for column in range(west, east + 1):
            for nth in range(labels_of(grid, box, row * grid.frame.columns + column, labels)):
                if labels[nth] < 0 and _has_edge_in(grid, ~labels[nth], box):
                    return True
    return False


@compiled
def _has_edge_in(grid: Grid, word: int, box: Floats) -> bool:
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        first, count, arc = run_at(grid, run)
        if grid.sides[arc, 0] == grid.sides[arc, 1]:
            continue
        for edge in range(first, first + count):
            if enters(grid.vertices, edge, box):
                return True
    return False


@compiled
def enters(vertices: Floats, edge: int, box: Floats) -> bool:
    """Say whether an edge and a box have a point in common: their boxes have, and not all corners lie on one side."""
    ax, ay, bx, by = vertices[edge, 0], vertices[edge, 1], vertices[edge + 1, 0], vertices[edge + 1, 1]
    if max(ax, bx) < box[0] or min(ax, bx) > box[2] or max(ay, by) < box[1] or min(ay, by) > box[3]:
        return False
    first = side(vertices, edge, box[0], box[1])
    if first == 0:
        return True
    return not (
        side(vertices, edge, box[2], box[1]) == first
        and side(vertices, edge, box[2], box[3]) == first
        and side(vertices, edge, box[0], box[3]) == first
    )


@makes_arrays
def meeting(grid: Grid, boxes: Floats, pairs: Pairs) -> tuple[int, int]:
    """Write for each box the rows that may meet it, in order; return how many boxes were done and pairs written.

    It stops when a box might find no room.
    """
    labels = np.empty(MOST_PIXELS * MOST_PIXELS, np.int32)
    count = 0
    for at in range(len(boxes)):
        if len(pairs.row) - count < len(pairs.place):
            return at, count
        first = count
        west, east, south, north = tiles_of(grid, boxes[at])
        for row in range(south, north + 1):
            for column in range(west, east + 1):
                tile = row * grid.frame.columns + column
                for label in labels[: labels_of(grid, boxes[at], tile, labels)]:
                    count = _note_pixel(grid, label, pairs, first, count)
        sort(pairs, first, count)
        pairs.fix[first:count] = at
    return len(boxes), count


@compiled
def _note_pixel(grid: Grid, label: int, pairs: Pairs, first: int, count: int) -> int:
    if label >= 0:
        return _note_set(grid, label, pairs, first, count)
    count = _note_set(grid, grid.words[~label], pairs, first, count)
    start = ~label + HEAD_WORDS
    for run in range(start, start + RUN_WORDS * grid.words[~label + 1], RUN_WORDS):
        arc = run_at(grid, run)[2]
        count = note(pairs, first, count, grid.sides[arc, 0], 0.0)
        count = note(pairs, first, count, grid.sides[arc, 1], 0.0)
    return count


@compiled
def _note_set(grid: Grid, number: int, pairs: Pairs, first: int, count: int) -> int:
    if number < grid.sets.first:
        return note(pairs, first, count, grid.unit_of[number - 1], 0.0) if number > 0 else count
    start = grid.sets.start[number - grid.sets.first]
    for nth in range(start, start + set_size(grid, number)):
        count = note(pairs, first, count, grid.unit_of[grid.sets.rows[nth]], 0.0)
    return count


@makes_arrays
def edges(grid: Grid, busy: Bytes, box: Floats, found: Ints, rows: Rows) -> int:
    """Write the edges of boundaries in the pixels of a box, some twice, and a row of each; return how many there are.

    Those for which there is no room are only counted.
    """
    labels = np.empty(MOST_PIXELS * MOST_PIXELS, np.int32)
    west, east, south, north = tiles_of(grid, box)
    count = 0
    for row in range(south, north + 1):
        for column in range(west, east + 1):
            tile = row * grid.frame.columns + column
            if busy[tile]:
                for label in labels[: labels_of(grid, box, tile, labels)]:
                    if label < 0:
                        count = _edges_of(grid, ~label, found, rows, count)
    return count


@compiled
def _edges_of(grid: Grid, word: int, found: Ints, rows: Rows, count: int) -> int:
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        first, edges_n, arc = run_at(grid, run)
        left, right = grid.sides[arc, 0], grid.sides[arc, 1]
        if left == right:
            continue
        for edge in range(first, first + edges_n):
            if count < len(found):
                found[count], rows[count] = edge, left if left != NONE else right
            count += 1
    return count

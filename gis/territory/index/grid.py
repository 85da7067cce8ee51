"""Arcs become a grid: which edges come into each pixel.

A pixel may name an edge that only passes near it: that costs a test, never an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gis.territory.index import labels, sets
from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.frame import (
    MOST_PIXELS,
    column_of,
    frame_of,
    pixel_of,
    row_of,
    span,
)
from gis.territory.index.ground import HEAD_WORDS, LONGEST_RUN, RUN_WORDS, TILE_WORD, Ground, Lists, Pixels
from gis.territory.index.shapes import NONE, Arcs, Grid, Ints, Rows

EDGES_PER_TILE = 6.0
# Pixels on a side for the edges of a tile: more pixels make fewer of them border ones.
PIXELS_PER_ROOT_EDGE = 1.4
# No edge comes just after this one.
BEFORE_ALL = -2


class Tally(NamedTuple):
    """Pixel by pixel of a tile: runs so far, the last edge of the last run, and how long that is."""

    runs: Rows
    last: Rows
    length: Rows


def lay(arcs: Arcs, units_n: int) -> Grid:
    """Lay the grid of a level over its arcs."""
    edges_n = len(arcs.vertices) - len(arcs.sides)
    frame = frame_of(arcs.vertices, edges_n / EDGES_PER_TILE)
    tiles_n = frame.rows * frame.columns
    ground = Ground(frame, arcs.vertices, arcs.sides, _arc_of(arcs), np.ones(tiles_n, np.int32))
    edges = _listed(_visit_tiles, ground)
    per_tile = np.diff(edges.start)
    ground.k[:] = _pixels_on_a_side(per_tile)
    pixels = _pixels(ground, edges)
    crossings = _listed(labels.visit_crossings, ground)
    kept = sets.empty(units_n)
    most = MOST_PIXELS * int(per_tile.max(initial=0)) + int(np.diff(crossings.start).max(initial=0))
    while not labels.write(ground, edges, crossings, pixels, kept, most):
        kept = sets.larger(kept)
    same = np.arange(units_n, dtype=np.int32)
    drawn = arcs.vertices, arcs.start, arcs.sides
    return Grid(frame, *pixels, *drawn, sets.finished(kept), same)


def _arc_of(arcs: Arcs) -> Rows:
    arc_of = np.repeat(np.arange(len(arcs.sides), dtype=np.int32), np.diff(arcs.start))
    arc_of[arcs.start[1:] - 1] = NONE
    return arc_of


def _pixels_on_a_side(edges: Ints) -> Rows:
    return np.clip(np.ceil(PIXELS_PER_ROOT_EDGE * np.sqrt(edges)), 1, MOST_PIXELS).astype(np.int32)


def _listed(visit: Callable[[Ground, Ints, Rows, Rows], None], ground: Ground) -> Lists:
    """List for each tile what a visit puts there: it goes twice, to count and to write."""
    nothing, count = np.empty(0, np.int32), np.zeros(len(ground.k) + 1, dtype=np.int64)
    visit(ground, count[1:], nothing, nothing)
    start = np.cumsum(count)
    edge, pixel = np.empty(start[-1], np.int32), np.empty(start[-1], np.int32)
    visit(ground, start[:-1].copy(), edge, pixel)
    return Lists(start, edge, pixel)


@compiled
def _visit_tiles(ground: Ground, cursor: Ints, edges: Rows, _pixel: Rows) -> None:
    frame = ground.frame
    for edge in range(len(ground.arc_of)):
        if ground.arc_of[edge] == NONE:
            continue
        south = min(ground.vertices[edge, 1], ground.vertices[edge + 1, 1])
        north = max(ground.vertices[edge, 1], ground.vertices[edge + 1, 1])
        for row in range(row_of(frame, south), row_of(frame, north) + 1):
            low = frame.south + row * frame.lat_step
            west, east = span(ground.vertices, edge, low, low + frame.lat_step)
            for column in range(column_of(frame, west), column_of(frame, east) + 1):
                tile = row * frame.columns + column
                if len(edges):
                    edges[cursor[tile]] = edge
                cursor[tile] += 1


def _pixels(ground: Ground, edges: Lists) -> Pixels:
    """Write the tiles and the runs of every border pixel; no label is written yet but where the runs are."""
    nothing = np.empty(0, np.int32)
    labels_n, words_n = _write(ground, edges, Pixels(np.empty(0, np.int64), nothing, nothing))
    pixels = Pixels(np.empty(len(ground.k), np.int64), np.empty(labels_n, np.int32), np.empty(words_n, np.int32))
    _write(ground, edges, pixels)
    return pixels


@makes_arrays
def _write(ground: Ground, edges: Lists, pixels: Pixels) -> tuple[int, int]:
    """Write tile by tile into pixels that have room, else only count; return the numbers of labels and words."""
    side = MOST_PIXELS * MOST_PIXELS
    runs, last, length = np.empty(side, np.int32), np.empty(side, np.int32), np.empty(side, np.int32)
    cursor = np.empty(side, np.int64)
    labels_n, words_n = 0, 0
    for tile in range(len(ground.k)):
        first, end = edges.start[tile], edges.start[tile + 1]
        if first == end:
            continue
        area = ground.k[tile] * ground.k[tile]
        runs[:area] = 0
        last[:area] = BEFORE_ALL
        for edge in edges.edge[first:end]:
            _count_runs(ground, tile, edge, Tally(runs, last, length))
        if len(pixels.tiles):
            pixels.tiles[tile] = labels_n * TILE_WORD + ground.k[tile]
            _begin_words(pixels, runs[:area], cursor, labels_n, words_n)
            last[:area] = BEFORE_ALL
            for edge in edges.edge[first:end]:
                _write_runs(ground, tile, edge, pixels.words, last, cursor)
        labels_n += area
        words_n += _words_n(runs[:area])
    return labels_n, words_n


@compiled
def _words_n(runs: Rows) -> int:
    total = 0
    for count in runs:
        total += HEAD_WORDS + RUN_WORDS * count if count else 0
    return total


@compiled
def _begin_words(pixels: Pixels, runs: Rows, cursor: Ints, label: int, word: int) -> None:
    for pixel in range(len(runs)):
        if runs[pixel] == 0:
            pixels.labels[label + pixel] = 0
            continue
        pixels.labels[label + pixel] = ~word
        pixels.words[word + 1] = runs[pixel]
        cursor[pixel] = word + HEAD_WORDS
        word += HEAD_WORDS + RUN_WORDS * runs[pixel]


@compiled
def _count_runs(ground: Ground, tile: int, edge: int, tally: Tally) -> None:
    runs, last, length = tally
    k = ground.k[tile]
    low, high = _pixel_rows(ground, tile, edge)
    for row in range(low, high + 1):
        west, east = _pixel_columns(ground, tile, edge, row)
        for pixel in range(row * k + west, row * k + east + 1):
            if last[pixel] != edge - 1 or length[pixel] == LONGEST_RUN - 1:
                runs[pixel] += 1
                length[pixel] = 0
            length[pixel] += 1
            last[pixel] = edge


@compiled
def _write_runs(ground: Ground, tile: int, edge: int, words: Rows, last: Rows, cursor: Ints) -> None:
    k = ground.k[tile]
    low, high = _pixel_rows(ground, tile, edge)
    for row in range(low, high + 1):
        west, east = _pixel_columns(ground, tile, edge, row)
        for pixel in range(row * k + west, row * k + east + 1):
            if last[pixel] != edge - 1 or words[cursor[pixel] - 1] % LONGEST_RUN == LONGEST_RUN - 1:
                words[cursor[pixel]] = edge
                words[cursor[pixel] + 1] = ground.arc_of[edge] * LONGEST_RUN
                cursor[pixel] += RUN_WORDS
            words[cursor[pixel] - 1] += 1
            last[pixel] = edge


@compiled
def _pixel_rows(ground: Ground, tile: int, edge: int) -> tuple[int, int]:
    frame, k = ground.frame, ground.k[tile]
    a, b = ground.vertices[edge, 1], ground.vertices[edge + 1, 1]
    row = tile // frame.columns
    low = pixel_of((min(a, b) - frame.south) * frame.per_lat, row, k)
    return low, pixel_of((max(a, b) - frame.south) * frame.per_lat, row, k)


@compiled
def _pixel_columns(ground: Ground, tile: int, edge: int, pixel_row: int) -> tuple[int, int]:
    """Return the first and last pixel of an edge in a row of pixels of a tile; last before first: none."""
    frame, k = ground.frame, ground.k[tile]
    row, column = tile // frame.columns, tile % frame.columns
    south = frame.south + (row + pixel_row / k) * frame.lat_step
    west, east = span(ground.vertices, edge, south, south + frame.lat_step / k)
    first, last = (west - frame.west) * frame.per_lon, (east - frame.west) * frame.per_lon
    if last < column or first >= column + 1:
        return 0, -1
    return pixel_of(first, column, k), pixel_of(last, column, k)

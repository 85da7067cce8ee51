"""What covers the reference point of each pixel.

Sets are carried from one reference point to the next by the edges crossed between them: from the west, where nobody
is, along the lowest points of each row of tiles, then up every column of pixels. Nothing is assumed of the units: where
more than one covers a point, the set is changed unit by unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index import sets
from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.exact import shifted_side
from gis.territory.index.frame import MOST_PIXELS, column_of, pixel_of, reference_lat, reference_lon, row_of, span
from gis.territory.index.ground import TILE_WORD, Ground, Lists, Pixels
from gis.territory.index.sets import FULL, Kept
from gis.territory.index.shapes import NONE, Ints, Rows


class Steps(NamedTuple):
    """The edges crossed on the way to each reference point of a tile.

    key: exclusive or of the sides as set numbers; more: how many units more cover the point than the one before;
    head: the last crossing before the point, NONE without. arc, next (crossing): what was crossed, and the crossing
    noted before it. n: an array of one, how many.
    """

    key: Rows
    more: Rows
    head: Rows
    arc: Rows
    next: Rows
    n: Ints


@compiled
def visit_crossings(ground: Ground, cursor: Ints, edges: Rows, pixels: Rows) -> None:
    """List for each tile the edges crossed on the way along its row, and the reference point they come before."""
    frame = ground.frame
    for edge in range(len(ground.arc_of)):
        if ground.arc_of[edge] == NONE:
            continue
        south = min(ground.vertices[edge, 1], ground.vertices[edge + 1, 1])
        north = max(ground.vertices[edge, 1], ground.vertices[edge + 1, 1])
        for row in range(row_of(frame, south), row_of(frame, north) + 1):
            lat = reference_lat(frame, row, 1, 0)
            if south > lat or north <= lat:
                continue
            column, pixel = _first_east(ground, edge, row, lat)
            tile = row * frame.columns + column
            if column < frame.columns:
                if len(edges):
                    edges[cursor[tile]], pixels[cursor[tile]] = edge, pixel
                cursor[tile] += 1


@compiled
def _first_east(ground: Ground, edge: int, row: int, lat: float) -> tuple[int, int]:
    """Return column and pixel of the first reference point of a row that lies east of an edge across it."""
    frame = ground.frame
    west, _ = span(ground.vertices, edge, lat, lat)
    column = column_of(frame, west)
    k = ground.k[row * frame.columns + column]
    pixel = pixel_of((west - frame.west) * frame.per_lon, column, k)
    while not _is_east(ground, edge, reference_lon(frame, column, k, pixel), lat):
        pixel += 1
        if pixel == k:
            column, pixel = column + 1, 0
            if column == frame.columns:
                break
            k = ground.k[row * frame.columns + column]
    return column, pixel


@compiled
def _is_east(ground: Ground, edge: int, lon: float, lat: float) -> bool:
    up = ground.vertices[edge + 1, 1] > ground.vertices[edge, 1]
    return (shifted_side(ground.vertices, edge, lon, lat) < 0) == up


@makes_arrays
def write(ground: Ground, edges: Lists, crossings: Lists, pixels: Pixels, kept: Kept, most: int) -> bool:
    """Write the sets of all reference points; say whether there was room for them. most: steps within one tile."""
    frame = ground.frame
    area = MOST_PIXELS * MOST_PIXELS
    steps = Steps(
        np.empty(area, np.int32), np.empty(area, np.int32), np.empty(area, np.int32),
        np.empty(most, np.int32), np.empty(most, np.int32), np.zeros(1, np.int64),
    )  # fmt: skip
    points = np.empty(area, np.int32)
    for row in range(frame.rows):
        before = 0
        for tile in range(row * frame.columns, (row + 1) * frame.columns):
            _collect(ground, edges, crossings, tile, steps)
            before = _carry(ground, tile, before, steps, kept, points)
            if before == FULL:
                return False
            _put(ground, edges, tile, pixels, points)
    return True


@compiled
def _collect(ground: Ground, edges: Lists, crossings: Lists, tile: int, steps: Steps) -> None:
    k = ground.k[tile]
    steps.key[: k * k] = 0
    steps.more[: k * k] = 0
    steps.head[: k * k] = NONE
    steps.n[0] = 0
    for at in range(crossings.start[tile], crossings.start[tile + 1]):
        edge = crossings.edge[at]
        up = ground.vertices[edge + 1, 1] > ground.vertices[edge, 1]
        _add(ground, edge, crossings.pixel[at], -1 if up else 1, steps)
    for edge in edges.edge[edges.start[tile] : edges.start[tile + 1]]:
        _collect_upward(ground, tile, edge, steps)


@compiled
def _add(ground: Ground, edge: int, pixel: int, to_left: int, steps: Steps) -> None:
    """Note that on the way to a reference point an edge is crossed, to its left (1) or to its right (-1)."""
    arc = ground.arc_of[edge]
    left, right = ground.sides[arc, 0], ground.sides[arc, 1]
    steps.key[pixel] ^= (left + 1) ^ (right + 1)
    steps.more[pixel] += to_left * ((left >= 0) - (right >= 0))
    nth = steps.n[0]
    steps.arc[nth], steps.next[nth], steps.head[pixel] = arc, steps.head[pixel], nth
    steps.n[0] = nth + 1


@compiled
def _collect_upward(ground: Ground, tile: int, edge: int, steps: Steps) -> None:
    frame, k = ground.frame, ground.k[tile]
    column = tile % frame.columns
    ax, bx = ground.vertices[edge, 0], ground.vertices[edge + 1, 0]
    first = pixel_of((min(ax, bx) - frame.west) * frame.per_lon, column, k)
    last = pixel_of((max(ax, bx) - frame.west) * frame.per_lon, column, k)
    for pixel in range(first, last + 1):
        lon = reference_lon(frame, column, k, pixel)
        if (ax <= lon) != (bx <= lon):
            row = _first_above(ground, tile, edge, lon)
            if 0 < row < k:
                _add(ground, edge, row * k + pixel, 1 if bx > ax else -1, steps)


@compiled
def _first_above(ground: Ground, tile: int, edge: int, lon: float) -> int:
    """Return the first row of reference points of a tile that lies above an edge across their longitude."""
    frame, k = ground.frame, ground.k[tile]
    ax, ay, bx, by = (
        ground.vertices[edge, 0], ground.vertices[edge, 1], ground.vertices[edge + 1, 0], ground.vertices[edge + 1, 1]
    )  # fmt: skip
    east = 1 if bx > ax else -1
    lat = ay + (lon - ax) * ((by - ay) / (bx - ax))
    row = tile // frame.columns
    above = pixel_of((lat - frame.south) * frame.per_lat, row, k)
    while above > 0 and shifted_side(ground.vertices, edge, lon, reference_lat(frame, row, k, above - 1)) == east:
        above -= 1
    while above < k and shifted_side(ground.vertices, edge, lon, reference_lat(frame, row, k, above)) != east:
        above += 1
    return above


@compiled
def _carry(ground: Ground, tile: int, before: int, steps: Steps, kept: Kept, points: Rows) -> int:
    """Write the sets at the reference points of a tile; return the set at the last of its lowest row."""
    k = ground.k[tile]
    for pixel in range(k * k):
        start = points[pixel - k] if pixel >= k else before
        points[pixel] = start if steps.head[pixel] == NONE else _step(ground.sides, steps, pixel, start, kept)
        if points[pixel] == FULL:
            return FULL
        if pixel < k:
            before = points[pixel]
    return before


@compiled
def _step(sides: Rows, steps: Steps, pixel: int, start: int, kept: Kept) -> int:
    """Return the set one step on."""
    if start <= kept.units_n:
        number, size = start ^ steps.key[pixel], (start > 0) + steps.more[pixel]
        if size == (number > 0) and number <= kept.units_n:
            return number
    size = sets.content(kept, start)
    nth = steps.head[pixel]
    while nth != NONE:
        size = sets.toggle(kept.work, size, sides[steps.arc[nth], 0])
        size = sets.toggle(kept.work, size, sides[steps.arc[nth], 1])
        nth = steps.next[nth]
    return sets.number_of(kept, size)


@compiled
def _put(ground: Ground, edges: Lists, tile: int, pixels: Pixels, points: Rows) -> None:
    if edges.start[tile] == edges.start[tile + 1]:
        pixels.tiles[tile] = ~np.int64(points[0])
        return
    k = ground.k[tile]
    first = pixels.tiles[tile] // TILE_WORD
    for pixel in range(k * k):
        label = pixels.labels[first + pixel]
        if label < 0:
            pixels.words[~label] = points[pixel]
        else:
            pixels.labels[first + pixel] = points[pixel]

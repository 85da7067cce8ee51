"""What a block of fixes will need of memory, listed and touched before it is used: it comes for all in the time of one.

Most of the time of a fix alone is waiting for its tiles, then for their pixels, then for the edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.cover import run_at
from gis.territory.index.ground import HEAD_WORDS, TILE_WORD
from gis.territory.index.shapes import Bools, Floats, Grid, Ints, Near, Rows
from gis.territory.index.window import fix_of, pixels_in, reach_of, tiles_in

# Fixes are taken by so many at once, each with so many tiles and, in the mean, pixels.
TOGETHER, FEW_TILES, FEW_PIXELS = 256, 4, 16


class Waiting(NamedTuple):
    """What is to be looked at for which fix of a block, in the order of the fixes: tiles, or pixels by their words."""

    fix: Rows
    place: Ints


class Ahead(NamedTuple):
    """Room for a block.

    many: of which fixes not all pixels are listed, for they are too many; touched: where what was read is put.
    """

    tiles: Waiting
    pixels: Waiting
    many: Bools
    touched: Floats


@makes_arrays
def room() -> Ahead:
    """Make room for a block."""
    tiles = Waiting(np.empty(FEW_TILES * TOGETHER, np.int32), np.empty(FEW_TILES * TOGETHER, np.int64))
    pixels = Waiting(np.empty(FEW_PIXELS * TOGETHER, np.int32), np.empty(FEW_PIXELS * TOGETHER, np.int64))
    return Ahead(tiles, pixels, np.empty(TOGETHER, np.bool_), np.empty(FEW_PIXELS * TOGETHER))


@compiled
def look_ahead(near: Near, fixes: Floats, ahead: Ahead) -> int:
    """List the border pixels within reach of a block of fixes, and touch their edges; return how many there are."""
    tiles_n = _list_tiles(near, fixes, ahead)
    pixels_n = _list_pixels(near.grid, fixes, ahead, tiles_n)
    _touch(near.grid, ahead.pixels.place[:pixels_n], ahead.touched)
    return pixels_n


@compiled
def _list_tiles(near: Near, fixes: Floats, ahead: Ahead) -> int:
    """List the tiles with boundaries about each fix."""
    tiles, count, columns = ahead.tiles, 0, near.grid.frame.columns
    for at in range(len(fixes)):
        fix = fix_of(fixes, at)
        window = tiles_in(near.grid.frame, reach_of(near.grid.frame, fix, fix.reach_m))
        ahead.many[at] = (window.east - window.west + 1) * (window.north - window.south + 1) > FEW_TILES
        if ahead.many[at]:
            continue
        for row in range(window.south, window.north + 1):
            for tile in range(row * columns + window.west, row * columns + window.east + 1):
                if near.busy[tile]:
                    tiles.fix[count], tiles.place[count] = at, tile
                    count += 1
    return count


@compiled
def _list_pixels(grid: Grid, fixes: Floats, ahead: Ahead, tiles_n: int) -> int:
    """List the border pixels of the tiles that come within reach."""
    pixels, count = ahead.pixels, 0
    for nth in range(tiles_n):
        at, tile = ahead.tiles.fix[nth], ahead.tiles.place[nth]
        fix = fix_of(fixes, at)
        first, k = grid.tiles[tile] // TILE_WORD, grid.tiles[tile] % TILE_WORD
        if count + k * k > len(pixels.fix):
            ahead.many[at] = True
            continue
        reach = reach_of(grid.frame, fix, fix.reach_m)
        box = pixels_in(reach, tile % grid.frame.columns, tile // grid.frame.columns, k)
        for y in range(box.south, box.north + 1):
            for label in grid.labels[first + y * k + box.west : first + y * k + box.east + 1]:
                if label < 0:
                    pixels.fix[count], pixels.place[count] = at, ~label
                    count += 1
    return count


@compiled
def _touch(grid: Grid, places: Ints, touched: Floats) -> None:
    """Touch the first edge of each pixel, and write it down: a compiler leaves out what nobody sees."""
    for nth in range(len(places)):
        first, _, arc = run_at(grid, places[nth] + HEAD_WORDS)
        touched[nth] = grid.vertices[first, 0] + grid.sides[arc, 0]

"""What comes within a distance of a fix: the tiles of a grid, and the pixels of a tile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.compiled import compiled
from gis.territory.index.frame import PAD_DEG, pixel_of
from gis.territory.index.ground import TILE_WORD
from gis.territory.index.shapes import Floats, Frame, Grid, Rows


class Fix(NamedTuple):
    """A point, the metres of a degree there, and how far is asked for."""

    lon: float
    lat: float
    east_m: float
    north_m: float
    reach_m: float


@compiled
def fix_of(fixes: Floats, at: int) -> Fix:
    """Return a row of what is asked for."""
    return Fix(fixes[at, 0], fixes[at, 1], fixes[at, 2], fixes[at, 3], fixes[at, 4])


class Reach(NamedTuple):
    """How far a distance reaches from a fix, counted in tiles of a frame."""

    west: float
    east: float
    south: float
    north: float


class Window(NamedTuple):
    """A box of tiles, or of the pixels of one: first and last column, first and last row."""

    west: int
    east: int
    south: int
    north: int


@compiled
def reach_of(frame: Frame, fix: Fix, reach_m: float) -> Reach:
    """Return how far a distance reaches; it may be infinite."""
    dx, dy = reach_m / fix.east_m + PAD_DEG, reach_m / fix.north_m + PAD_DEG
    return Reach(
        (fix.lon - dx - frame.west) * frame.per_lon,
        (fix.lon + dx - frame.west) * frame.per_lon,
        (fix.lat - dy - frame.south) * frame.per_lat,
        (fix.lat + dy - frame.south) * frame.per_lat,
    )


@compiled
def tiles_in(frame: Frame, reach: Reach) -> Window:
    """Return the tiles that come within reach; without one, the tile of the fix or next to it."""
    return Window(
        _tile(reach.west, frame.columns),
        _tile(reach.east, frame.columns),
        _tile(reach.south, frame.rows),
        _tile(reach.north, frame.rows),
    )


@compiled
def _tile(place: float, tiles_n: int) -> int:
    return int(max(min(place, tiles_n - 1.0), 0.0))


@compiled
def pixels_in(reach: Reach, column: int, row: int, k: int) -> Window:
    """Return the pixels, k on a side, of a tile that come within reach."""
    return Window(
        pixel_of(reach.west, column, k),
        pixel_of(reach.east, column, k),
        pixel_of(reach.south, row, k),
        pixel_of(reach.north, row, k),
    )


@compiled
def borders(grid: Grid, reach: Reach, tile: int, words: Rows) -> int:
    """Put the positions of the border pixels of a tile within reach into words; return how many."""
    first, k = grid.tiles[tile] // TILE_WORD, grid.tiles[tile] % TILE_WORD
    box = pixels_in(reach, tile % grid.frame.columns, tile // grid.frame.columns, k)
    count = 0
    for y in range(box.south, box.north + 1):
        for label in grid.labels[first + y * k + box.west : first + y * k + box.east + 1]:
            if label < 0:
                words[count] = ~label
                count += 1
    return count


@compiled
def tile_m(grid: Grid, fix: Fix, tile: int) -> float:
    """Return a distance that no point of a tile is nearer than."""
    frame = grid.frame
    west = frame.west + tile % frame.columns * frame.lon_step
    south = frame.south + tile // frame.columns * frame.lat_step
    x = max(west - fix.lon, fix.lon - west - frame.lon_step, PAD_DEG) - PAD_DEG
    y = max(south - fix.lat, fix.lat - south - frame.lat_step, PAD_DEG) - PAD_DEG
    return np.hypot(x * fix.east_m, y * fix.north_m)

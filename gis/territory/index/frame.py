"""Where a pixel lies: a frame of tiles, each of k by k pixels.

A point is given to a pixel by two products that never fall when the coordinate grows, so a point between two others
lies in a pixel between theirs, whatever was rounded.
"""

from __future__ import annotations

import numpy as np

from gis.territory.index.compiled import compiled
from gis.territory.index.shapes import Floats, Frame

# An edge is taken a little wider than it is (a tenth of a micrometre): rounding never loses it from a pixel.
PAD_DEG = 1e-12
# No pixel is narrower than some thousand paddings.
NARROWEST_TILE_DEG = 1e-6
MOST_PIXELS = 64
# The reference point of a pixel lies this part of a tile inside its corner: at the same height in every tile of a row.
INSET = 0.3 / MOST_PIXELS


def frame_of(vertices: Floats, tiles_n: float) -> Frame:
    """Lay about as many tiles as asked, about square on the ground, over vertices."""
    if not len(vertices):
        return Frame(0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0, 0)
    (west, south), (east, north) = vertices.min(axis=0), vertices.max(axis=0)
    margin = 2 * NARROWEST_TILE_DEG
    width, height = east - west + 2 * margin, north - south + 2 * margin
    shrink = max(float(np.cos(np.radians((south + north) / 2))), 0.01)
    side = np.sqrt(width * shrink * height / max(tiles_n, 1.0))
    columns = int(np.clip(width * shrink / side, 1, width / NARROWEST_TILE_DEG))
    rows = int(np.clip(height / side, 1, height / NARROWEST_TILE_DEG))
    return Frame(
        float(west - margin), float(south - margin), float(columns / width), float(rows / height),
        float(width / columns), float(height / rows), columns, rows,
    )  # fmt: skip


@compiled
def column_of(frame: Frame, lon: float) -> int:
    """Return the column of tiles of a longitude inside the frame."""
    return int((lon - frame.west) * frame.per_lon)


@compiled
def row_of(frame: Frame, lat: float) -> int:
    """Return the row of tiles of a latitude inside the frame."""
    return int((lat - frame.south) * frame.per_lat)


@compiled
def pixel_of(place: float, tile: int, k: int) -> int:
    """Return the pixel, of k, in which a place counted in tiles lies; places before or behind count to the ends."""
    part = place - tile
    if part < 0:
        return 0
    return min(int(part * k), k - 1) if part < 1 else k - 1


@compiled
def reference_lon(frame: Frame, column: int, k: int, pixel: int) -> float:
    """Return the longitude of the reference points of a column of pixels."""
    return frame.west + (column + (INSET + pixel / k)) * frame.lon_step


@compiled
def reference_lat(frame: Frame, row: int, k: int, pixel: int) -> float:
    """Return the latitude of the reference points of a row of pixels; the lowest is the same for every k."""
    return frame.south + (row + (INSET + pixel / k)) * frame.lat_step


@compiled
def span(vertices: Floats, edge: int, south: float, north: float) -> tuple[float, float]:
    """Return the longitudes between which an edge crosses a band of latitudes it reaches, both rounded outwards."""
    ax, ay, bx, by = vertices[edge, 0], vertices[edge, 1], vertices[edge + 1, 0], vertices[edge + 1, 1]
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    west, east = min(ax, bx), max(ax, bx)
    south, north = south - PAD_DEG, north + PAD_DEG
    if south <= ay and by <= north:
        return west, east
    slope = (bx - ax) / (by - ay)
    low, high = ax + (max(ay, south) - ay) * slope, ax + (min(by, north) - ay) * slope
    return max(min(low, high) - PAD_DEG, west), min(max(low, high) + PAD_DEG, east)

"""Units drawn again from the edges they share: the same vertices in the same order as they were loaded with."""

from __future__ import annotations

import numpy as np
import shapely

from gis.territory.index.compiled import compiled
from gis.territory.index.shapes import Floats, Rows, Trail


def polygon(trail: Trail, vertices: Floats, row: int) -> shapely.MultiPolygon:
    """Draw a unit as a multipolygon."""
    parts = range(trail.unit[row], trail.unit[row + 1])
    return shapely.MultiPolygon([_part(trail, vertices, part) for part in parts])


def _part(trail: Trail, vertices: Floats, part: int) -> shapely.Polygon:
    shell, *holes = (_ring(trail, vertices, ring) for ring in range(trail.part[part], trail.part[part + 1]))
    return shapely.Polygon(shell, holes)


def _ring(trail: Trail, vertices: Floats, ring: int) -> Floats:
    first, count = (each[trail.ring[ring] : trail.ring[ring + 1]] for each in (trail.first, trail.length))
    xy = np.empty((int(np.abs(count).sum()) + 1, 2))
    _trace(vertices, first, count, xy)
    return xy


@compiled
def _trace(vertices: Floats, first: Rows, count: Rows, xy: Floats) -> None:
    at = 0
    for run in range(len(first)):
        step = 1 if count[run] > 0 else -1
        begin = first[run] if step > 0 else first[run] + 1
        for nth in range(abs(count[run])):
            xy[at] = vertices[begin + step * nth]
            at += 1
    xy[at] = xy[0]

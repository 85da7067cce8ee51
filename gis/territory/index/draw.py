"""Units drawn again from the edges they share: the same vertices in the same order as they were loaded with."""

from __future__ import annotations

import numpy as np
import shapely

from gis.territory.index.compiled import compiled
from gis.territory.index.shapes import Floats, Geometries, Ints, Rows, Trail


def polygons(trail: Trail, vertices: Floats, rows: Ints) -> Geometries:
    """Draw units as multipolygons."""
    part, unit = _spread(trail.unit, rows)
    ring, of_part = _spread(trail.part, part)
    run, of_ring = _spread(trail.ring, ring)
    size = np.abs(trail.length[run]).astype(np.int64)
    xy = np.empty((int(size.sum()) + len(ring), 2))
    _trace(vertices, trail.first[run], trail.length[run], of_ring, xy)
    line = np.repeat(np.arange(len(ring)), np.bincount(of_ring, weights=size, minlength=len(ring)).astype(np.int64) + 1)
    drawn = np.empty(len(rows), dtype=object)
    drawn[:] = shapely.MultiPolygon()
    if len(ring):
        rings = np.asarray(shapely.linearrings(xy, indices=line))
        parts = np.asarray(shapely.polygons(rings, indices=of_part))
        shapely.multipolygons(parts, indices=unit, out=drawn)
    return drawn


def _spread(start: Rows, rows: Ints) -> tuple[Ints, Ints]:
    """Give the members of each row one after the other, and which row each is of, counted from 0."""
    first, count = start[rows].astype(np.int64), (start[rows + 1] - start[rows]).astype(np.int64)
    of_row = np.repeat(np.arange(len(rows)), count)
    return np.arange(len(of_row)) - np.repeat(np.cumsum(count) - count, count) + first[of_row], of_row


@compiled
def _trace(vertices: Floats, first: Rows, length: Rows, ring: Ints, xy: Floats) -> None:
    at, begun = 0, 0
    for run in range(len(first)):
        step = 1 if length[run] > 0 else -1
        begin = first[run] if step > 0 else first[run] + 1
        for nth in range(abs(length[run])):
            xy[at, 0], xy[at, 1] = vertices[begin + step * nth, 0], vertices[begin + step * nth, 1]
            at += 1
        if run + 1 == len(first) or ring[run + 1] != ring[run]:
            xy[at, 0], xy[at, 1] = xy[begun, 0], xy[begun, 1]
            at += 1
            begun = at

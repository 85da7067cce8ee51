"""What one edition says of many points, as whole arrays.

Most points lie inside at most one unit of each level, and their units stand under one another: then the rules of
`chain` and `footing` come down to what is written here in arrays. The others are `odd`.
"""

from __future__ import annotations

import numpy as np
import shapely

from gis.territory.columns import lines, odd
from gis.territory.columns.nesting import Ground
from gis.territory.columns.values import BITS, NONE, Asked, Bools, Bytes, LevelColumns, Levels, Points
from gis.territory.location import EXCLAVE, IN_GAP, IN_OVERLAP, NEAR_BOUNDARY, OUTSIDE


def of_edition(asked: Asked) -> Levels:
    """Answer for all points, level by level."""
    # numba comes with the first answer, not with every command
    from gis.territory.index import many  # noqa: PLC0415

    ground, points = asked.ground, asked.points
    covered = many.only(ground.levels, points.lon, points.lat)
    stood = odd.stood(asked, covered)
    held = np.zeros(len(points), dtype=bool) if asked.outer is None else asked.outer != NONE
    answered = []
    for nth, (under, by) in enumerate(zip(stood, lines.near(asked, stood), strict=True)):
        bare = under.first == NONE
        flags = by.is_near * np.uint8(BITS[NEAR_BOUNDARY]) | _bare(ground, nth, points, held, bare)
        flags[_on_fault(ground, "exclave", nth, points)] |= np.uint8(BITS[EXCLAVE])
        flags[under.twice] |= np.uint8(BITS[IN_OVERLAP])
        told = (ground.codes[nth], under.primary, under.units_n, flags)
        answered.append(LevelColumns(*told, by.sure, by.likely))
        held = held | ~bare
    return tuple(answered)


def _bare(ground: Ground, nth: int, points: Points, held: Bools, bare: Bools) -> Bytes:
    """Flag points that no unit of a level covers: in a gap where one above does or a gap is known, else outside."""
    flags = np.zeros(len(bare), dtype=np.uint8)
    flags[bare] = BITS[OUTSIDE]
    flags[bare & held] = BITS[IN_GAP]
    alone = np.flatnonzero(bare & ~held)
    if len(alone):
        there = points.taken(alone)
        flags[alone[_on_fault(ground, "gap", nth, there)]] = BITS[IN_GAP]
    return flags


def _on_fault(ground: Ground, kind: str, nth: int, points: Points) -> Bools:
    """Say which points lie on a fault of a kind that was accepted when the edition was loaded."""
    hit = np.zeros(len(points), dtype=bool)
    for shape in ground.index.faults.get((kind, ground.codes[nth]), ()):
        west, south, east, north = shape.bounds
        lon, lat = points.lon, points.lat
        near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        hit[near] |= shapely.intersects_xy(shape, lon[near], lat[near])
    return hit

"""What one edition says of many points: plain ones as whole arrays, every other as `footing` says.

Plain is a point inside at most one unit of each level, its units standing under one another. For such a point the rules
of `chain` and `footing` come down to what is written here in arrays.
"""

from __future__ import annotations

import numpy as np
import shapely

from gis.territory.columns import lines, odd
from gis.territory.columns.nesting import ANYWHERE, Ground
from gis.territory.columns.values import (
    BITS,
    NONE,
    SEVERAL,
    Asked,
    Bools,
    Bytes,
    LevelColumns,
    Levels,
    Points,
    Rows,
)
from gis.territory.location import EXCLAVE, IN_GAP, NEAR_BOUNDARY, OUTSIDE


def of_edition(asked: Asked) -> Levels:
    """Answer for all points, level by level."""
    # numba comes with the first answer, not with every command
    from gis.territory.index import many  # noqa: PLC0415

    ground, points = asked.ground, asked.points
    covered = many.only(ground.levels, points.lon, points.lat)
    is_odd = _contradicting(ground, covered, asked.outer)
    for rows in covered:
        is_odd |= rows == SEVERAL
    near = lines.near(asked, covered, ~is_odd)
    held = np.zeros(len(points), dtype=bool) if asked.outer is None else asked.outer != NONE
    answered = []
    for nth, (rows, by) in enumerate(zip(covered, near, strict=True)):
        flags = by.is_near * np.uint8(BITS[NEAR_BOUNDARY]) | _bare(ground, nth, points, held, rows == NONE)
        flags[_on_fault(ground, "exclave", nth, points)] |= np.uint8(BITS[EXCLAVE])
        inside = (rows != NONE).astype(np.int32)
        code = ground.codes[nth]
        answered.append(LevelColumns(code, np.maximum(rows, NONE), inside, flags, by.sure, by.likely))
        held = held | (rows != NONE)
    return odd.put(tuple(answered), asked, np.flatnonzero(is_odd))


def _contradicting(ground: Ground, covered: list[Rows], outer: Rows | None) -> Bools:
    """Say where a unit does not stand under the one found above it, in its own net or in the one around it."""
    odd = np.zeros(len(covered[0]), dtype=bool)
    for under, here, above in zip(ground.under[1:], covered[1:], covered, strict=False):
        parent = under[here]
        odd |= (parent != above) & (parent != ANYWHERE) & (above != NONE)
    if outer is None:
        return odd
    first = np.ones(len(odd), dtype=bool)
    for beneath, here in zip(ground.beneath, covered, strict=True):
        parent = beneath[here]
        odd |= first & (parent != ANYWHERE) & (parent != outer)
        first &= here == NONE
    return odd


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

"""What one edition says of many points: plain ones as whole arrays, every other as `footing` says.

Plain is a point inside at most one unit of each level, its units standing under one another, whose error reaches no
line. For such a point the rules of `chain` and `footing` come down to what is written here in arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from gis.territory import footing, probability
from gis.territory.columns.nesting import ANYWHERE, Ground
from gis.territory.columns.values import (
    BITS,
    NONE,
    SEVERAL,
    Bytes,
    Candidates,
    LevelColumns,
    Points,
    Positions,
    Rows,
)
from gis.territory.footing import Above
from gis.territory.location import (
    EXCLAVE,
    IN_GAP,
    NEAR_BOUNDARY,
    OUTSIDE,
    LevelAnswer,
    NetAnswer,
    Place,
    Rules,
)

Bools = npt.NDArray[np.bool_]
Levels = tuple[LevelColumns, ...]

# Points handed to `footing` at once: enough to fill its arrays, few enough to be forgotten soon.
AT_ONCE = 4096


@dataclass(frozen=True)
class Asked:
    """What one edition is asked. outer: the primary rows, or NONE, in the level that its net is drawn inside."""

    ground: Ground
    points: Points
    outer: Rows | None
    rules: Rules

    def taken(self, rows: Positions) -> Asked:
        """Return the question for some of the points."""
        return replace(self, points=self.points.taken(rows), outer=None if self.outer is None else self.outer[rows])


def of_edition(asked: Asked) -> Levels:
    """Answer for all points, level by level."""
    ground, points = asked.ground, asked.points
    covered = [level.only(points.lon, points.lat) for level in ground.levels]
    odd = _contradicting(ground, covered, asked.outer)
    held = np.zeros(len(points), dtype=bool) if asked.outer is None else asked.outer != NONE
    answered = []
    for nth, rows in enumerate(covered):
        near, blurred = _by_lines(asked, nth)
        odd |= (rows == SEVERAL) | blurred
        flags = near * np.uint8(BITS[NEAR_BOUNDARY]) | _bare(ground, nth, points, held, rows == NONE)
        answered.append(_plain(ground, nth, points, rows, flags))
        held = held | (rows != NONE)
    return _with_odd(tuple(answered), asked, np.flatnonzero(odd))


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


def _by_lines(asked: Asked, nth: int) -> tuple[Bools, Bools]:
    """Say which points of unknown accuracy are near a line of a level, and which errors reach over one."""
    level, points, near_m = asked.ground.levels[nth], asked.points, asked.rules.near_m
    if points.sigma_m is None:
        return level.is_near(points.lon, points.lat, near_m), np.zeros(len(points), dtype=bool)
    known = ~np.isnan(points.sigma_m)
    total_m = np.hypot(points.sigma_m, asked.ground.edition.line_sigma_m)
    reach_m = np.where(known, probability.REACH_SIGMA * total_m, near_m)
    reached = level.is_near(points.lon, points.lat, reach_m)
    # Near is three sigma, and so among those that are reached.
    return reached & ~known, reached & known


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


def _plain(ground: Ground, nth: int, points: Points, rows: Rows, flags: Bytes) -> LevelColumns:
    flags[_on_fault(ground, "exclave", nth, points)] |= np.uint8(BITS[EXCLAVE])
    inside = rows >= 0
    sure = None if points.sigma_m is None else np.where(inside & ~np.isnan(points.sigma_m), 1.0, np.nan)
    return LevelColumns(ground.codes[nth], np.maximum(rows, NONE), inside.astype(np.int32), flags, sure)


def _with_odd(plain: Levels, asked: Asked, odd: Positions) -> Levels:
    """Put in what `footing` says of the odd points."""
    likely: list[list[Candidates]] = [[] for _ in plain]
    for some in np.split(odd, range(AT_ONCE, len(odd), AT_ONCE)):
        told = _by_footing(asked.taken(some))
        for nth, level in enumerate(plain):
            answers = [answer.levels[nth] for answer in told]
            _put(level, some, answers, asked.ground.rows[nth])
            likely[nth].append(_candidates(some, answers, asked.ground.rows[nth]))
    return tuple(replace(level, candidates=_joined(each)) for level, each in zip(plain, likely, strict=True))


def _by_footing(asked: Asked) -> list[NetAnswer]:
    points = asked.points
    sigmas = [np.nan] * len(points) if points.sigma_m is None else points.sigma_m.tolist()
    shapes: list[shapely.Point] = shapely.points(points.lon, points.lat).tolist()  # type: ignore[union-attr]
    said = [
        Place("point", shape, sigma_m=None if np.isnan(sigma) else sigma)
        for shape, sigma in zip(shapes, sigmas, strict=True)
    ]
    return footing.answers(asked.ground.index, said, _above(asked.ground, asked.outer, len(said)), asked.rules)


def _above(ground: Ground, outer: Rows | None, places_n: int) -> list[Above | None]:
    if outer is None or ground.outer is None:
        return [None] * places_n
    level = ground.outer.levels[ground.outer_at]
    codes = ground.outer.index.codes[ground.outer.codes[ground.outer_at]]
    return [Above(None if row == NONE else level.refs[row], codes) for row in outer.tolist()]


def _put(level: LevelColumns, at: Positions, answers: list[LevelAnswer], rows: Mapping[str, int]) -> None:
    level.primary[at] = [NONE if each.primary is None else rows[each.primary.code] for each in answers]
    level.units_n[at] = [len(each.units) for each in answers]
    level.flags[at] = [sum(BITS[flag] for flag in each.flags) for each in answers]
    if level.probability is not None:
        level.probability[at] = [_of_primary(each) for each in answers]


def _candidates(at: Positions, answers: list[LevelAnswer], rows: Mapping[str, int]) -> Candidates:
    told = [(point, each) for point, answer in zip(at.tolist(), answers, strict=True) for each in answer.probable]
    return Candidates(
        np.array([point for point, _ in told], dtype=np.intp),
        np.array([rows[each.unit.code] for _, each in told], dtype=np.int32),
        np.array([each.probability for _, each in told], dtype=np.float64),
    )


def _joined(parts: list[Candidates]) -> Candidates:
    return Candidates(
        np.concatenate([each.point for each in parts]),
        np.concatenate([each.row for each in parts]),
        np.concatenate([each.probability for each in parts]),
    )


def _of_primary(answer: LevelAnswer) -> float:
    """Return the probability of the primary, NaN where nothing is known of it."""
    if answer.primary is None or not answer.probable:
        return np.nan
    return next((each.probability or 0.0 for each in answer.probable if each.unit == answer.primary), 0.0)

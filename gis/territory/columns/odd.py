"""Odd points: those whose units have to be weighed one by one are answered by `footing`, and put among the plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import shapely

from gis.territory import footing
from gis.territory.columns.nesting import Ground
from gis.territory.columns.values import BITS, NONE, Asked, Candidates, LevelColumns, Levels, Positions, Rows
from gis.territory.footing import Above
from gis.territory.location import LevelAnswer, NetAnswer, Place

# Points handed to `footing` at once: enough to fill its arrays, few enough to be forgotten soon.
AT_ONCE = 4096


def put(plain: Levels, asked: Asked, odd: Positions) -> Levels:
    """Put in what `footing` says of the odd points."""
    if not len(odd):
        return plain
    likely = [[level.candidates] if level.candidates else [] for level in plain]
    for some in np.split(odd, range(AT_ONCE, len(odd), AT_ONCE)):
        told = _by_footing(asked.taken(some))
        for nth, level in enumerate(plain):
            answers = [answer.levels[nth] for answer in told]
            _put(level, some, answers, asked.ground.rows[nth])
            likely[nth].append(_candidates(some, answers, asked.ground.rows[nth]))
    return tuple(replace(level, candidates=joined(each)) for level, each in zip(plain, likely, strict=True))


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


def joined(parts: list[Candidates]) -> Candidates:
    """Put candidates together as they come."""
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

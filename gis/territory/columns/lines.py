"""Points by lines: which are near one, and how probable each unit is where an error reaches over one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gis.territory import footing, probability
from gis.territory.columns.odd import Stood
from gis.territory.columns.values import NONE, Asked, Bools, Candidates, Floats, Positions
from gis.territory.index import LevelIndex


@dataclass(frozen=True)
class ByLines:
    """Of n points: near a line or not; of known accuracy, the probability of the primary, and all candidates."""

    is_near: Bools
    sure: Floats | None = None
    likely: Candidates | None = None


def near(asked: Asked, stood: list[Stood]) -> list[ByLines]:
    """Look at the lines of every level."""
    reached = _reached(asked)
    if asked.points.sigma_m is None:
        return [ByLines(each) for each in reached]
    total_m = np.hypot(asked.points.sigma_m, asked.ground.edition.line_sigma_m)
    # Without any error a fix is near only what it lies on.
    exact = np.isnan(total_m) | (total_m == 0)
    return [
        _weighed(asked, nth, under, total_m, (each & exact, np.flatnonzero(each & ~exact)))
        for nth, (under, each) in enumerate(zip(stood, reached, strict=True))
    ]


def _reached(asked: Asked) -> list[Bools]:
    """Say of each level which points have a line within reach: as near as counts as near, or as far as errors go."""
    from gis.territory.index import many  # noqa: PLC0415 - as in `plain`

    points, found = asked.points, []
    answered: list[tuple[LevelIndex, Bools]] = []
    for level, told in reversed(list(zip(asked.ground.levels, asked.ground.edition.levels, strict=True))):
        # What has no line of the finer level within reach has none of this one.
        finer = next((hit for other, hit in answered if many.nests(other, level)), None)
        hit = np.zeros(len(points), dtype=bool)
        if asked.detail or points.sigma_m is not None or (told.divides and finer is None):
            some = np.arange(len(points)) if finer is None else np.flatnonzero(finer)
            hit[some] = level.is_near(points.lon[some], points.lat[some], _reach_m(asked, some))
            answered.insert(0, (level, hit))
        found.append(hit)
    return found[::-1]


def _reach_m(asked: Asked, some: Positions) -> Floats | float:
    if asked.points.sigma_m is None:
        return asked.rules.near_m
    total_m = np.hypot(asked.points.sigma_m[some], asked.ground.edition.line_sigma_m)
    return np.where(np.isnan(total_m), asked.rules.near_m, probability.REACH_SIGMA * total_m)


def _weighed(
    asked: Asked, nth: int, under: Stood, total_m: Floats, found: tuple[Bools, Positions]
) -> ByLines:
    """Weigh the units of fixes. found: near without an error; the fixes whose error reaches a line."""
    from gis.territory.index import many  # noqa: PLC0415 - as in `plain`

    (is_near, reached), level = found, asked.ground.levels[nth]
    lon, lat, sigma_m = asked.points.lon[reached], asked.points.lat[reached], total_m[reached]
    is_near[reached] = level.is_near(lon, lat, footing.NEAR_SIGMAS * sigma_m)
    fix, row, odds = many.odds(level, lon, lat, sigma_m)
    likely = odds >= footing.LEAST_PROBABILITY
    # Where no line is reached, the first unit has it all.
    certain = ~np.isnan(total_m) & (under.first != NONE)
    certain[reached] = False
    sure = np.flatnonzero(certain)
    told = Candidates(
        np.concatenate([reached[fix[likely]], sure]),
        np.concatenate([row[likely], under.first[sure]]),
        np.concatenate([odds[likely], np.ones(len(sure))]),
    )
    return ByLines(is_near, _of_primary(under, total_m, told), _in_order(told) if asked.detail else None)


def _of_primary(under: Stood, total_m: Floats, told: Candidates) -> Floats:
    sure = np.where(np.isnan(total_m) | (under.primary == NONE), np.nan, 0.0)
    own = told.row == under.primary[told.point]
    sure[told.point[own]] = told.probability[own]
    return sure


def _in_order(told: Candidates) -> Candidates:
    order = np.lexsort((told.row, -told.probability, told.point))
    return Candidates(told.point[order], told.row[order], told.probability[order])

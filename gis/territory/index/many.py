"""Questions of whole files: all levels of an edition in one walk, and the odds of every fix that is near a line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gis.territory import probability
from gis.territory.index import odds as mass
from gis.territory.index import points
from gis.territory.index.level import LevelIndex
from gis.territory.index.memory import GridLevel
from gis.territory.index.near import Pairs
from gis.territory.index.shapes import SEVERAL, Floats, Ints, Near, Rows

Likely = tuple[Ints, Rows, Floats]


def only(levels: Sequence[LevelIndex], lon: Floats, lat: Floats) -> list[Rows]:
    """Answer `only` of each level, those of one grid from one walk. levels: of one edition, coarsest first."""
    walks: list[tuple[LevelIndex, Rows]] = []
    found = []
    for level in reversed(levels):
        walk = next((rows for finer, rows in walks if nests(finer, level)), None)
        if walk is None or not isinstance(level, GridLevel):
            walk = level.only(lon, lat)
            walks.append((level, walk))
            found.append(walk)
        else:
            found.append(level.translated(lon, lat, walk))
    return found[::-1]


def nests(finer: LevelIndex, coarser: LevelIndex) -> bool:
    """Say whether a level's units are known to be made of those of a finer one, so that its lines are among theirs."""
    return isinstance(finer, GridLevel) and isinstance(coarser, GridLevel) and coarser.stands_with(finer)


def odds(level: LevelIndex, lon: Floats, lat: Floats, sigma_m: Floats) -> Likely:
    """Return (point, row, probability) of the units the true points of fixes may be in, by point then code.

    sigma_m: standard deviation of each fix, greater than nothing. Every unit the error reaches is told, however little
    of the error lies in it.
    """
    covered = level.only(lon, lat)
    told: list[Likely] = []
    odd = np.arange(len(lon))
    if isinstance(level, GridLevel):
        plain = np.flatnonzero(covered != SEVERAL)
        point, row, share = _compiled(level, points.fixes(lon[plain], lat[plain], sigma_m[plain]), covered[plain])
        lost = np.unique(point[np.isnan(share)])
        kept = ~np.isin(point, lost)
        told.append((plain[point[kept]], row[kept], share[kept]))
        odd = np.concatenate([np.flatnonzero(covered == SEVERAL), plain[lost]])
    told.append(_one_by_one(level, lon, lat, sigma_m, odd))
    point, row, share = (np.concatenate(column) for column in zip(*told, strict=True))
    order = np.lexsort((row, point))
    return point[order], row[order], np.clip(share[order], 0.0, 1.0)


def _one_by_one(level: LevelIndex, lon: Floats, lat: Floats, sigma_m: Floats, asked: Ints) -> Likely:
    """Answer for fixes on a line or on ground drawn twice, where the mass over each polygon is taken whole."""
    at, row, _ = level.within(lon[asked], lat[asked], probability.REACH_SIGMA * sigma_m[asked])
    told = [
        probability.within(level.geometry([unit])[0], lon[nth], lat[nth], sigma_m[nth])
        for nth, unit in zip(asked[at].tolist(), row.tolist(), strict=True)
    ]
    return asked[at], row, np.array(told, dtype=np.float64)


def _compiled(level: GridLevel, fixes: Floats, covered: Rows) -> Likely:
    def ask(kept: Near, some: Floats, pairs: Pairs) -> tuple[int, int]:
        return mass.odds(kept, some, covered[len(covered) - len(some) :], pairs)

    return level.pairs(ask, fixes)

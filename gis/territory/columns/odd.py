"""Odd points: on lines, on ground drawn twice, in units that contradict each other. `chain` chooses for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gis.territory import chain
from gis.territory.columns.nesting import ANYWHERE, Ground
from gis.territory.columns.values import NONE, SEVERAL, Asked, Bools, Points, Rows
from gis.territory.footing import Above
from gis.territory.index import LevelIndex
from gis.territory.location import Standing, UnitRef


@dataclass(frozen=True)
class Stood:
    """What n points have under them in one level.

    first: the unit of lowest code that covers each, NONE without; primary: the one that its chain takes; units_n: how
    many cover it; twice: it lies inside one and another covers it as well. several: the rows of points that have more.
    """

    first: Rows
    primary: Rows
    units_n: Rows
    twice: Bools
    several: dict[int, list[int]]

    def rows(self, point: int) -> list[int]:
        """List the units that cover a point."""
        first = int(self.first[point])
        return self.several.get(point) or [first] * (first != NONE)


def stood(asked: Asked, covered: list[Rows]) -> list[Stood]:
    """Say what points have under them. covered: `only` of every level.

    Where the units of lowest code stand under one another they are the chain, by its rule: none is longer, and none
    that is as long goes before it.
    """
    ground = asked.ground
    found = [_under(asked.points, level, rows) for level, rows in zip(ground.levels, covered, strict=True)]
    for point in np.flatnonzero(_contradicts(ground, [under.first for under in found], asked.outer)).tolist():
        standings = [
            [Standing(level.refs[row]) for row in under.rows(point)]
            for level, under in zip(ground.levels, found, strict=True)
        ]
        chosen = chain.primary(standings, _stands_under(asked, point))
        for under, rows, unit in zip(found, ground.rows, chosen, strict=True):
            under.primary[point] = NONE if unit is None else rows[unit.code]
    return found


def _contradicts(ground: Ground, chain: list[Rows], outer: Rows | None) -> Bools:
    """Say where a unit does not stand under what is above it, here or around."""
    odd = np.zeros(len(chain[0]), dtype=bool)
    for under, here, above in zip(ground.under[1:], chain[1:], chain, strict=False):
        parent = under[here]
        odd |= (parent != above) & (parent != ANYWHERE) & (above != NONE)
    if outer is None:
        return odd
    first = np.ones(len(odd), dtype=bool)
    for beneath, here in zip(ground.beneath, chain, strict=True):
        parent = beneath[here]
        odd |= first & (parent != ANYWHERE) & (parent != outer)
        first &= here == NONE
    return odd


def _under(points: Points, level: LevelIndex, only: Rows) -> Stood:
    units_n, twice = (only != NONE).astype(np.int32), np.zeros(len(only), dtype=bool)
    first, several = only.copy(), defaultdict(list)
    asked = np.flatnonzero(only == SEVERAL)
    if len(asked):
        at, row = level.covering(points.lon[asked], points.lat[asked])
        point = asked[at]
        units_n[asked] = np.bincount(at, minlength=len(asked))
        twice[point[level.interior(row, points.lon[point], points.lat[point])]] = True
        # Backwards, so that the lowest stays.
        first[point[::-1]] = row[::-1]
        for each, unit in zip(point.tolist(), row.tolist(), strict=True):
            several[each].append(unit)
    return Stood(first, first.copy(), units_n, twice & (units_n > 1), several)


def _stands_under(asked: Asked, point: int) -> Callable[[UnitRef], bool]:
    outer = asked.ground.outer
    if asked.outer is None or outer is None:
        return _anywhere
    row, level = int(asked.outer[point]), outer.codes[asked.ground.outer_at]
    return Above(None if row == NONE else outer.index.levels[level].refs[row], outer.index.codes[level]).allows


def _anywhere(_unit: UnitRef) -> bool:
    return True

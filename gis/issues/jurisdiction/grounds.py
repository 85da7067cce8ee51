"""The sides of an issue: which jurisdictions a location touches, which are only near, and what stands above them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import shapely

from gis.issues.jurisdiction.practice import Practice
from gis.issues.jurisdiction.values import Ground, Json
from gis.territory import coords
from gis.territory.location import IN_GAP, IN_OVERLAP, OUTSIDE, LevelAnswer, Location, NetAnswer, Standing, UnitRef

AREA = 2
TEXT = "text"


@dataclass(frozen=True)
class Side:
    """A jurisdiction of the place. within: keys of the touched units below it, finest first."""

    ground: Ground
    level: str = ""
    share: float | None = None
    probability: float | None = None
    within: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its unit's key."""
        return self.ground.key

    @property
    def ladder(self) -> tuple[str, ...]:
        """Where its departments are looked for: finest ground first, up to the top."""
        return (*self.within, self.ground.key, *self.ground.above)

    def as_dict(self) -> Json:
        """Name it, with its part of the place."""
        return self.ground.as_dict() | {"share": self.share, "probability": self.probability}


@dataclass(frozen=True)
class Terrain:
    """A location as jurisdictions see it.

    sides: touched, the primary first. slight: touched by less than the noise of the survey. near: not touched, but the
    true point may be there. boundary_m: from the place to the next line of the deciding level. nearest: the closest
    side when none is touched.
    """

    known: bool = False
    sides: tuple[Side, ...] = ()
    slight: tuple[Side, ...] = ()
    near: tuple[Side, ...] = ()
    boundary_m: float | None = None
    uncovered: float = 0.0
    overlap: bool = False
    gap: bool = False
    outside: bool = False
    nearest: Side | None = None
    nearest_m: float | None = None
    units: Mapping[str, UnitRef] = field(default_factory=dict)

    @property
    def contenders(self) -> tuple[Side, ...]:
        """The sides whose ground it is or may be."""
        return self.sides + self.near

    def name(self, key: str) -> Json:
        """Name a unit by its key; one the location does not know is named by its code."""
        unit = self.units.get(key)
        name, name_en = (unit.name, unit.name_en) if unit else (key.rsplit(":", 1)[-1],) * 2
        return {"key": key, "name": name, "name_en": name_en}


def read(location: Location, practice: Practice) -> Terrain:
    """See a location as the jurisdictions of the practice see it."""
    net = location.net(practice.net)
    if net is None:
        return Terrain()
    tree = _Tree(net, practice)
    touched = list(tree.lowest())
    likely = _likely(touched, practice) if location.place.kind == TEXT else touched
    slight = [side for side in likely if _is_slight(side, location, practice)] if len(likely) > 1 else []
    if len(slight) == len(likely):
        slight = []
    deciding = [level for level in net.levels if level.level in practice.levels]
    finest = deciding[-1] if deciding else LevelAnswer("", None)
    flags = {flag for level in deciding for flag in level.flags}
    nearest = finest.nearest
    return Terrain(
        known=bool(deciding),
        sides=tuple(side for side in likely if side not in slight),
        slight=tuple(slight),
        near=(
            *(side for side in touched if side not in likely),
            *tree.may_hold(practice.informed_probability, touched),
        ),
        boundary_m=_least(level.boundary_m for level in deciding),
        uncovered=finest.uncovered or 0.0,
        overlap=IN_OVERLAP in flags,
        gap=IN_GAP in flags,
        outside=OUTSIDE in flags,
        nearest=Side(tree.ground(nearest), nearest.level) if nearest else None,
        nearest_m=finest.nearest_m,
        units=tree.units,
    )


def lowest_common(sides: Iterable[Side]) -> str | None:
    """Return the key of the lowest unit above all sides, None when they have none in common."""
    ladders = [(side.ground.key, *side.ground.above) for side in sides]
    shared = set.intersection(*map(set, ladders)) if ladders else set()
    return next((key for key in ladders[0] if key in shared), None) if shared else None


class _Tree:
    """The units a net's answer names, with what stands above each."""

    def __init__(self, net: NetAnswer, practice: Practice) -> None:
        self._net = net
        self._deciding = [level for level in reversed(net.levels) if level.level in practice.levels]
        self._over = {finer.level: coarser.level for coarser, finer in pairwise(net.levels)}
        self.units = {unit.key: unit for level in net.levels for unit in _named(level)}
        self._above: dict[str, tuple[str, ...]] = {}

    def ground(self, unit: UnitRef) -> Ground:
        return Ground(unit.key, unit.name, unit.name_en, self.above(unit))

    def above(self, unit: UnitRef) -> tuple[str, ...]:
        """Return the keys of the units above, nearest first, as far as they are known."""
        found = self._above.get(unit.key)
        if found is None:
            over = self._over.get(unit.level)
            key = f"{unit.net}:{over}:{unit.parent_code}"
            parent = self.units.get(key)
            higher = self.above(parent) if parent else ()
            found = self._above[unit.key] = (key, *higher) if over and unit.parent_code else ()
        return found

    def lowest(self) -> Iterator[Side]:
        """Yield the lowest touched units of the deciding levels: a unit whose child is touched answers through it."""
        answered: set[str] = set()
        for level in self._deciding:
            odds = {standing.unit.key: standing.probability for standing in level.probable}
            for standing in _primary_first(level):
                if standing.unit.key not in answered:
                    yield self._side(standing, odds.get(standing.unit.key, standing.probability))
                answered.update(self.above(standing.unit))

    def may_hold(self, least: float, touched: Iterable[Side]) -> Iterator[Side]:
        """Yield the lowest units that are not touched and may hold the true point."""
        answered = {key for side in touched for key in side.ladder}
        for level in self._deciding:
            maybe = (*level.probable, *map(Standing, level.close))
            for standing in sorted(maybe, key=lambda each: (-(each.probability or 0), each.unit.key)):
                possible = standing.probability is None or standing.probability >= least
                if possible and standing.unit.key not in answered:
                    yield self._side(standing, standing.probability)
                answered.update(self.above(standing.unit))

    def _side(self, standing: Standing, probability: float | None) -> Side:
        unit = standing.unit
        return Side(self.ground(unit), unit.level, standing.share, probability, tuple(self._within(unit)))

    def _within(self, unit: UnitRef) -> Iterator[str]:
        for level in reversed(self._net.levels):
            if level.level == unit.level:
                return
            for standing in _primary_first(level):
                if unit.key in self.above(standing.unit):
                    yield standing.unit.key


def _named(level: LevelAnswer) -> Iterator[UnitRef]:
    yield from (standing.unit for standing in level.units)
    yield from (standing.unit for standing in level.probable)
    yield from level.close
    yield from (unit for unit in (level.primary, level.nearest) if unit)


def _primary_first(level: LevelAnswer) -> list[Standing]:
    if len(level.units) < 2:
        return list(level.units)
    first = level.primary and level.primary.key
    return sorted(level.units, key=lambda standing: (standing.unit.key != first, standing.unit.key))


def _likely(touched: list[Side], practice: Practice) -> list[Side]:
    """Of the sides words may mean, keep the one they almost surely mean, or else those worth naming."""
    sure = [side for side in touched if (side.probability or 0) >= practice.min_probability]
    return sure[:1] or [side for side in touched if (side.probability or 0) >= practice.informed_probability] or touched


def _is_slight(side: Side, location: Location, practice: Practice) -> bool:
    if side.share is None or side.share >= practice.sliver_share:
        return False
    geometry = location.place.geometry
    if geometry is None or shapely.get_dimensions(geometry) < AREA:
        return True
    return side.share * coords.area_m2(geometry) < practice.sliver_m2


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)

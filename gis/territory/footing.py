"""What an edition's ground answers for many places at once: units, shares, probabilities, distances, flags. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis.territory import chain, coords, probability
from gis.territory.index import EditionIndex, Floats, Geometries, Ints, LevelIndex, Rows
from gis.territory.location import (
    EXCLAVE,
    IN_GAP,
    IN_OVERLAP,
    NEAR_BOUNDARY,
    OUTSIDE,
    STRADDLES,
    LevelAnswer,
    NetAnswer,
    Place,
    Rules,
    Standing,
    UnitRef,
)

NEAR_SIGMAS = 3.0
# Less than this is not worth naming as a candidate.
LEAST_PROBABILITY = 1e-6
LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class Above:
    """What the parent net said of a place, for a net drawn inside it. codes: all units of the parent level in force."""

    unit: UnitRef | None
    codes: frozenset[str]

    def allows(self, unit: UnitRef) -> bool:
        """Say whether a unit may be primary here: its parent is, or is no unit in force."""
        return unit.parent_code is None or unit.parent_code not in self.codes or self._is_parent(unit)

    def _is_parent(self, unit: UnitRef) -> bool:
        return self.unit is not None and unit.parent_code == self.unit.code


def answers(
    ground: EditionIndex, said: Sequence[Place], above: Sequence[Above | None], rules: Rules
) -> list[NetAnswer]:
    """Answer for every place (each with a geometry); above: what the parent net says of it, None without one."""
    levels = [_level_answers(ground, level.code, said, rules) for level in ground.edition.levels]
    return [
        _net_answer(ground, [level[at] for level in levels], place, above[at]) for at, place in enumerate(said)
    ]


def _level_answers(ground: EditionIndex, code: str, said: Sequence[Place], rules: Rules) -> list[LevelAnswer]:
    level = ground.levels[code]
    found = [LevelAnswer(code, None)] * len(said)
    points = np.array([at for at, place in enumerate(said) if place.kind == "point"], dtype=np.int64)
    for at, answer in zip(points, _of_points(ground, level, code, [said[at] for at in points], rules), strict=True):
        found[at] = answer
    for at, place in enumerate(said):
        if place.kind != "point":
            found[at] = replace(_of_extent(level, code, place, rules), divides=ground.divides[code])
    return found


def _of_points(
    ground: EditionIndex, level: LevelIndex, code: str, said: Sequence[Place], rules: Rules
) -> list[LevelAnswer]:
    points = np.array([place.geometry for place in said], dtype=object)
    if not len(points):
        return []
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    covering = _grouped(*level.covering(lon, lat))
    distance, nearest = level.nearest(lon, lat)
    exclave = ground.in_exclave(code, lon, lat)
    unsure = [place.sigma_m is None and metres <= rules.near_m for place, metres in zip(said, distance, strict=True)]
    close = _close(level, points, np.flatnonzero(unsure), rules)
    sigmas = [_sigma_m(place, ground) for place in said]
    reached = [s if s and m < probability.REACH_SIGMA * s else 0.0 for s, m in zip(sigmas, distance, strict=True)]
    likely = _likely(level, lon, lat, reached)
    found = []
    for at, sigma_m in enumerate(sigmas):
        rows, boundary_m = covering.get(at, []), float(distance[at])
        flags = _point_flags(level, rows, points[at : at + 1], _is_near(boundary_m, sigma_m, rules))
        found.append(
            LevelAnswer(
                code,
                # Of one unit the chain rule mostly makes the primary; said here, the answer need not be copied.
                level.refs[rows[0]] if len(rows) == 1 else None,
                tuple(Standing(level.refs[row]) for row in rows),
                () if sigma_m is None else likely.get(at) or _certain(level, rows),
                tuple(level.refs[row] for row in close.get(at, ()) if row not in rows),
                boundary_m if np.isfinite(boundary_m) else None,
                nearest=None if rows or nearest[at] < 0 else level.refs[nearest[at]],
                nearest_m=None if rows or nearest[at] < 0 else boundary_m,
                flags=(*flags, EXCLAVE) if exclave[at] else flags,
                divides=ground.divides[code],
            )
        )
    return found


def _sigma_m(place: Place, ground: EditionIndex) -> float | None:
    return None if place.sigma_m is None else probability.total_sigma_m(place.sigma_m, ground.edition.line_sigma_m)


def _is_near(boundary_m: float, sigma_m: float | None, rules: Rules) -> bool:
    return boundary_m <= (rules.near_m if sigma_m is None else NEAR_SIGMAS * sigma_m)


def _point_flags(level: LevelIndex, rows: list[int], point: Geometries, is_near: bool) -> tuple[str, ...]:
    near = (NEAR_BOUNDARY,) if is_near else ()
    if len(rows) > 1 and _inside_any(level, rows, point):
        # Neighbours share edges only: inside one and covered by another is ground drawn twice.
        return (*near, IN_OVERLAP)
    return near


def _inside_any(level: LevelIndex, rows: list[int], point: Geometries) -> bool:
    lon, lat = (np.repeat(each, len(rows)) for each in (shapely.get_x(point), shapely.get_y(point)))
    return bool(level.interior(np.array(rows), lon, lat).any())


def _likely(level: LevelIndex, lon: Floats, lat: Floats, sigmas: Sequence[float]) -> dict[int, tuple[Standing, ...]]:
    """Weigh the units of fixes whose error reaches a line, by the fix's position. sigmas: 0 where it does not."""
    reached = np.flatnonzero(sigmas)
    if not len(reached):
        return {}
    # numba comes with the first answer, not with every command
    from gis.territory.index import many  # noqa: PLC0415

    fix, rows, odds = many.odds(level, lon[reached], lat[reached], np.asarray(sigmas)[reached])
    told: dict[int, list[Standing]] = defaultdict(list)
    for at, row, chance in zip(reached[fix].tolist(), rows.tolist(), odds.tolist(), strict=True):
        told[at].append(Standing(level.refs[row], probability=chance))
    return {at: _most_probable(standings) for at, standings in told.items()}


def _certain(level: LevelIndex, rows: list[int]) -> tuple[Standing, ...]:
    return tuple(Standing(level.refs[row], probability=1.0) for row in rows[:1])


def _close(level: LevelIndex, points: Geometries, asked: Ints, rules: Rules) -> dict[int, list[int]]:
    """Find the units near the points asked about, by the position of the point."""
    if not len(asked):
        return {}
    point, row, _ = level.within(shapely.get_x(points[asked]), shapely.get_y(points[asked]), rules.near_m)
    return _grouped(asked[point], row)


def _most_probable(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    kept = [standing for standing in standings if (standing.probability or 0) >= LEAST_PROBABILITY]
    return tuple(sorted(kept, key=lambda standing: (-(standing.probability or 0), standing.unit.code)))


def _of_extent(level: LevelIndex, code: str, place: Place, rules: Rules) -> LevelAnswer:
    """Answer for a line or polygon. An extent made of words is where the place may be: its shares are probabilities."""
    shares = level.shares(np.array([place.geometry], dtype=object))
    held = sorted(zip(shares.share, shares.row, strict=True), key=lambda pair: (-pair[0], level.refs[pair[1]].code))
    if place.kind == "text":
        standings = tuple(Standing(level.refs[row], probability=float(share)) for share, row in held)
        return LevelAnswer(code, None, standings, _most_probable(standings), flags=_doubt(standings))
    standings = tuple(Standing(level.refs[row], share=float(share)) for share, row in held)
    uncovered, overlap = _left_over(level, place, shares.row, standings)
    boundary_m, nearest = level.nearest_to(place.ground)
    near = (NEAR_BOUNDARY,) if boundary_m <= rules.near_m else ()
    across = (STRADDLES,) if _parts(place, standings, rules) > 1 else near
    return LevelAnswer(
        code,
        None,
        standings,
        boundary_m=boundary_m if np.isfinite(boundary_m) else None,
        uncovered=uncovered,
        overlap=overlap,
        nearest=None if standings or nearest < 0 else level.refs[nearest],
        nearest_m=None if standings or nearest < 0 else boundary_m,
        flags=(*across, IN_OVERLAP) if overlap > LEAST_SHARE else across,
    )


def _doubt(standings: tuple[Standing, ...]) -> tuple[str, ...]:
    return (NEAR_BOUNDARY,) if len(standings) > 1 else ()


def _left_over(level: LevelIndex, place: Place, rows: Rows, standings: tuple[Standing, ...]) -> tuple[float, float]:
    if len(standings) == 1 and standings[0].share == 1.0:
        return 0.0, 0.0
    return level.uncovered(place.ground, rows) if standings else (1.0, 0.0)


def _parts(place: Place, standings: tuple[Standing, ...], rules: Rules) -> int:
    """Count the units that hold more of a place than a survey's noise."""
    size_m2 = coords.area_m2(place.ground) if place.kind != "line" else 0.0
    return sum((s.share or 0) >= rules.sliver_share or (s.share or 0) * size_m2 >= rules.sliver_m2 for s in standings)


def _net_answer(
    ground: EditionIndex, levels: list[LevelAnswer], place: Place, above: Above | None
) -> NetAnswer:
    if above is None and len(levels) == 1 and levels[0].primary:
        return NetAnswer(ground.edition.net, ground.edition.id, ground.edition.name, (levels[0],))
    stands_under: Callable[[UnitRef], bool] = above.allows if above else _anywhere
    chosen = chain.primary([level.units for level in levels], stands_under)
    held = above is not None and above.unit is not None
    answered = []
    for level, unit in zip(levels, chosen, strict=True):
        answered.append(_with_primary(level, unit, _bareness(ground, level, place, held)))
        held = held or bool(level.units)
    return NetAnswer(ground.edition.net, ground.edition.id, ground.edition.name, tuple(answered))


def _anywhere(_unit: UnitRef) -> bool:
    return True


def _bareness(ground: EditionIndex, level: LevelAnswer, place: Place, held: bool) -> tuple[str, ...]:
    """Say of ground no unit of the level covers whether it is a gap among units or lies outside."""
    if level.units and (level.uncovered or 0) <= LEAST_SHARE:
        return ()
    return (IN_GAP,) if held or ground.in_gap(level.level, place.ground) else (OUTSIDE,)


def _with_primary(level: LevelAnswer, unit: UnitRef | None, bareness: tuple[str, ...]) -> LevelAnswer:
    if level.primary is unit and not bareness:
        return level
    if unit is None or level.units[0].unit is unit:
        return replace(level, primary=unit, flags=(*level.flags, *bareness))
    first = next(standing for standing in level.units if standing.unit == unit)
    rest = tuple(standing for standing in level.units if standing.unit != unit)
    return replace(level, primary=unit, units=(first, *rest), flags=(*level.flags, *bareness))


def _grouped(first: Ints, row: Rows) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for at, value in zip(first.tolist(), row.tolist(), strict=True):
        groups[at].append(value)
    return groups

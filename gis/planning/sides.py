"""The two sides of one border beside each other: what their strip and their interiors bear, and how each answers.

Rates are those of the evaluation, of the issues it evaluates; nothing is worked out here a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues import evaluation
from gis.issues.evaluation import Formulas, Standing
from gis.planning import borders, flows
from gis.planning.borders import BETWEEN, Met, Question, Strip
from gis.planning.flows import Flow
from gis.territory import coords, index
from gis.territory.location import UnitRef

Json = dict[str, Any]

# A true place lies beyond the line with more than one chance in twenty when its fix is nearer than so many sigma.
DOUBT_SIGMA = 1.645
QUAD_SEGS = 16
KM2 = 1e6
CAUSES = 6
NO_LINE = -1


@dataclass(frozen=True)
class Ground:
    """Issues on a piece of ground. area_m2: on the average day of the period."""

    issues_n: int = 0
    area_m2: float = 0.0

    def __add__(self, other: Ground) -> Ground:
        return Ground(self.issues_n + other.issues_n, self.area_m2 + other.area_m2)

    @property
    def per_km2(self) -> float | None:
        """Issues for each square kilometre; None without ground. What rounding leaves of a polygon is none."""
        return self.issues_n / self.area_m2 * KM2 if self.area_m2 > 1.0 else None


@dataclass(frozen=True)
class Side:
    """One side. strip: its part of the strip; interior: farther than the width from all its lines; whole: all of it.

    all_of_it, near_line: as the evaluation has them, of all issues of the unit and of those in the strip.
    """

    unit: UnitRef
    strip: Ground
    interior: Ground
    whole: Ground
    all_of_it: Standing
    near_line: Standing


@dataclass(frozen=True)
class Spot:
    """An issue in a strip. side: a, b or both; unsure: its own accuracy reaches over the line."""

    issue_id: int
    distance_m: float
    side: str
    unsure: bool


@dataclass(frozen=True)
class Cause:
    """A category among the issues of a strip. usual: its part of all issues of the two units."""

    code: str
    name_zh: str
    name_en: str
    issues_n: int
    part: float
    usual: float


@dataclass(frozen=True)
class Beside:
    """A strip with both sides, what they handed to one another, what it is about, and its issues, nearest first."""

    strip: Strip
    a: Side
    b: Side
    flow: Flow
    causes: tuple[Cause, ...]
    spots: tuple[Spot, ...]

    @property
    def times(self) -> float | None:
        """How many times as dense the strip is as the interior of both sides; None where one has no density."""
        inside = (self.a.interior + self.b.interior).per_km2
        strip = (self.a.strip + self.b.strip).per_km2
        return strip / inside if strip is not None and inside else None

    @property
    def unsure_n(self) -> int:
        """Count the issues that may lie on the other side."""
        return sum(spot.unsure for spot in self.spots)


def beside(session: Session, question: Question, key: str, formulas: Formulas) -> Beside:
    """Look at one strip and its two sides; raise NotFound if the two had no line in common in the period."""
    found = find(session, question, key, formulas)
    if found is None:
        raise NotFound("borders.no_line", key=key)
    return found


def find(session: Session, question: Question, key: str, formulas: Formulas) -> Beside | None:
    """Look at one strip and its two sides, if the two had a line in common in the period."""
    codes = key.split(BETWEEN, 1)
    if len(codes) < len("ab"):
        return None
    units = tuple(f"{question.level}:{code}" for code in codes)
    parts = [_Part(met, codes) for met in borders.walk(session, question, only=units)]
    parts = [part for part in parts if part.line != NO_LINE]
    found = borders.strips(session, question, units)[key] if parts else None
    if found is None:
        return None
    grounds = [_grounds(session, question, parts, nth) for nth in (0, 1)]
    standings = [_standings(session, question, units, formulas, ids) for ids in (None, found.issues)]
    a, b = (
        Side(ref, *grounds[nth], *(each[units[nth]] for each in standings))
        for nth, ref in enumerate((found.a, found.b))
    )
    return Beside(
        found, a, b, flows.matrix(session, question).between(*units), _causes(session, found, parts),
        tuple(sorted(_spots(session, parts), key=lambda spot: (spot.distance_m, spot.issue_id))),
    )  # fmt: skip


class _Part:
    """One edition's view of a border: the rows of its units, its line, and the pairs of issues in its strip."""

    def __init__(self, met: Met, codes: Sequence[str]) -> None:
        self.met = met
        self.codes = codes
        of_code = {ref.code: row for row, ref in enumerate(met.lines.units)}
        self.rows = [of_code.get(code, -1) for code in codes]
        lines = np.flatnonzero((met.lines.a == self.rows[0]) & (met.lines.b == self.rows[1]))
        self.line = int(lines[0]) if len(lines) else NO_LINE
        self.pairs = np.flatnonzero(met.near.line == self.line)

    def standing_on(self, nth: int) -> set[int]:
        """Number the issues that stand on a side."""
        ids = self.met.issues.id.tolist()
        return {ids[at] for at, codes in enumerate(self.met.issues.units) if self.codes[nth] in codes}

    def near_any_line(self, nth: int) -> set[int]:
        """Number the issues of a side that lie in a strip of it."""
        met, row = self.met, self.rows[nth]
        on = (met.lines.a[met.near.line] == row) & met.on_a | (met.lines.b[met.near.line] == row) & met.on_b
        return set(met.issues.id[met.near.place[on]].tolist())

    def in_strip(self, nth: int) -> set[int]:
        """Number the issues of a side that lie in the strip."""
        on = (self.met.on_a, self.met.on_b)[nth][self.pairs]
        return set(self.met.issues.id[self.met.near.place[self.pairs[on]]].tolist())


def _grounds(session: Session, question: Question, parts: Sequence[_Part], nth: int) -> tuple[Ground, Ground, Ground]:
    """Measure a side: its part of the strip, its interior, all of it."""
    strip = interior = whole = Ground()
    for part in parts:
        stretch, drawn, row = part.met.stretch, part.met.lines, part.rows[nth]
        level = index.ready(session, stretch.edition).levels[question.level_code]
        unit = level.geometry([row])[0]
        area_m2 = coords.area_m2(unit)
        near_m2 = reach_m2(unit, drawn.geometry[[part.line]].tolist(), question.width_m)
        edge_m2 = reach_m2(unit, drawn.geometry[drawn.of_units([row])].tolist(), question.width_m)
        all_n, edge_n = len(part.standing_on(nth)), len(part.near_any_line(nth))
        strip += Ground(len(part.in_strip(nth)), near_m2 * stretch.weight)
        interior += Ground(all_n - edge_n, (area_m2 - edge_m2) * stretch.weight)
        whole += Ground(all_n, area_m2 * stretch.weight)
    return strip, interior, whole


def reach_m2(unit: BaseGeometry, lines: Sequence[BaseGeometry], reach_m: float) -> float:
    """Measure the part of a unit within a distance of lines. Planar at the unit's middle, then on the ellipsoid."""
    scale = np.array(coords.metres_per_degree(shapely.centroid(unit).y), dtype=np.float64)
    flat = shapely.transform(shapely.multilinestrings(shapely.get_parts(lines)), lambda xy: xy * scale)
    reach = shapely.buffer(flat, reach_m, quad_segs=QUAD_SEGS)
    met = shapely.intersection(shapely.transform(unit, lambda xy: xy * scale), reach)
    parts = shapely.get_parts(met)
    ground = shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])
    return coords.area_m2(shapely.transform(ground, lambda xy: xy / scale))


def _standings(
    session: Session, question: Question, units: tuple[str, ...], formulas: Formulas, ids: tuple[int, ...] | None
) -> dict[str, Standing]:
    asked = evaluation.Question(
        question.period, question.level, only=units, touching=units, issues=ids,
        categories=question.categories or None,
    )  # fmt: skip
    last = question.period.until.astimezone(question.zone).date()
    found = {row.subject: row for row in evaluation.of(session, asked, formulas, on=last).rows}
    if set(units) <= set(found):
        return found
    # of a large level only those are listed that have something to count
    nothing = evaluation.of(session, replace(asked, issues=()), formulas, on=last).together
    return {key: found.get(key, nothing) for key in units}


def _spots(session: Session, parts: Sequence[_Part]) -> list[Spot]:
    found = []
    for part in parts:
        met, pairs = part.met, part.pairs
        ids = met.issues.id[met.near.place[pairs]]
        sigma_m = _sigmas(session, ids.tolist())
        for nth, issue_id in zip(pairs.tolist(), ids.tolist(), strict=True):
            side = "both" if met.on_a[nth] and met.on_b[nth] else "a" if met.on_a[nth] else "b"
            metres = float(met.near.distance_m[nth])
            found.append(Spot(issue_id, metres, side, metres < DOUBT_SIGMA * sigma_m.get(issue_id, 0.0)))
    return found


def _sigmas(session: Session, ids: list[int]) -> dict[int, float]:
    """Read the standard deviation of the fixes that have one, as last found."""
    rows = session.execute(_SIGMA, {"ids": ids})
    return {row.issue_id: row.sigma_m for row in rows if row.sigma_m is not None}


def _causes(session: Session, strip: Strip, parts: Sequence[_Part]) -> tuple[Cause, ...]:
    """Name what most of the issues are about, and how usual that is on the ground of the two."""
    every = [issue_id for part in parts for issue_id in part.met.issues.id.tolist()]
    rows = session.execute(_CAUSES, {"ids": list(strip.issues), "every": every, "most": CAUSES})
    return tuple(
        Cause(row.code, row.name_zh, row.name_en, row.n, row.n / strip.issues_n, row.all_n / len(every))
        for row in rows
    )


_SIGMA = text("""
SELECT DISTINCT ON (issue_id) issue_id, CAST(location -> 'place' ->> 'sigma_m' AS float8) AS sigma_m
FROM finding WHERE issue_id = ANY(:ids) ORDER BY issue_id, version DESC
""")
_CAUSES = text("""
WITH said AS (
    SELECT issue.category AS code, min(coalesce(category.name_zh, issue.category)) AS name_zh,
           min(coalesce(nullif(category.name_en, ''), category.name_zh, issue.category)) AS name_en,
           count(*) FILTER (WHERE issue.id = ANY(CAST(:ids AS bigint[]))) AS n, count(*) AS all_n
    FROM issue LEFT JOIN category ON (category.scheme, category.version, category.code)
                                   = (issue.scheme, issue.scheme_version, issue.category)
    WHERE issue.id = ANY(CAST(:every AS bigint[])) GROUP BY issue.category
)
SELECT * FROM said WHERE n > 0 ORDER BY n DESC, code LIMIT :most
""")

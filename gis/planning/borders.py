"""Border strips: issues within some metres of the line that two units share, for each kilometre of it.

A strip belongs to two units. An issue lies in it that stands on one of the two and comes within `width_m` of their
line; the line itself is included. So it may lie in several strips where lines meet, counts in each of them once, and
its parts in all of them make one. docs/decisions/0017-borders.md says what holds at corners, edges and new editions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Invalid
from gis.issues.evaluation import Period
from gis.issues.moves import MERGED, REJECTED, VOIDED
from gis.planning import lines
from gis.planning.lines import Lines, Near
from gis.territory import units
from gis.territory.index import Bools, Geometries, Ints
from gis.territory.location import UnitRef
from gis.territory.units import EditionRef

WIDTH_M, WIDTH_MOST_M = 50.0, 500.0
# With fewer than this a strip is listed behind those that have as many: one issue on a short line is no trouble yet.
FEW = 5
KM = 1000.0
BETWEEN = "|"


@dataclass(frozen=True)
class Question:
    """What is asked. level: "net:level"; categories: empty for all; zone: by whose days editions change."""

    period: Period
    level: str
    width_m: float
    zone: ZoneInfo
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a width that is none; raise Invalid."""
        if not 0 < self.width_m <= WIDTH_MOST_M:
            raise Invalid("borders.bad_width", width=self.width_m, most=int(WIDTH_MOST_M))

    @property
    def net(self) -> str:
        """The net of the level."""
        return self.level.partition(":")[0]

    @property
    def level_code(self) -> str:
        """The level in its net."""
        return self.level.partition(":")[2]


@dataclass(frozen=True)
class Stretch:
    """A part of the period by one edition. weight: its part of the period."""

    edition: EditionRef
    period: Period
    weight: float


@dataclass(frozen=True)
class Issues:
    """Issues of a stretch, by position: number in the record, place, and the units of the level each stands on."""

    id: Ints
    place: Geometries
    units: tuple[tuple[str, ...], ...]

    def stand_on(self, at: Ints, codes: Sequence[str]) -> Bools:
        """Say pair by pair whether an issue stands on a unit."""
        return np.array([code in self.units[nth] for nth, code in zip(at.tolist(), codes, strict=True)], dtype=bool)


@dataclass(frozen=True)
class Strip:
    """The strip along one line, and what lies in it; the sides in the order of their codes.

    length_m: of the line, on the average day of the period; a_n, b_n: issues on each side, both_n of them on the line
    or across it; issues: their numbers; part: their parts in this strip, all strips together making each issue one.
    """

    a: UnitRef
    b: UnitRef
    length_m: float
    geometry: BaseGeometry
    issues: tuple[int, ...] = ()
    a_n: int = 0
    b_n: int = 0
    both_n: int = 0
    part: float = 0.0
    width_m: float = WIDTH_M

    @property
    def key(self) -> str:
        """Name the strip: the codes of its sides."""
        return f"{self.a.code}{BETWEEN}{self.b.code}"

    @property
    def issues_n(self) -> int:
        """Count the issues, each once."""
        return len(self.issues)

    @property
    def is_short(self) -> bool:
        """Whether the line is shorter than the strip is wide: what lies in it lies mostly beyond the line's ends."""
        return self.length_m < self.width_m

    @property
    def is_few(self) -> bool:
        """Whether there are too few issues to be ranked."""
        return self.issues_n < FEW

    @property
    def per_km(self) -> float | None:
        """Issues for each kilometre; None for a line too short to say."""
        return None if self.is_short else self.issues_n / self.length_m * KM


@dataclass(frozen=True)
class Strips:
    """All strips of a level, most trouble first. all_n: located issues of the period; near_n: those in any strip."""

    rows: tuple[Strip, ...]
    all_n: int
    near_n: int

    def __getitem__(self, key: str) -> Strip | None:
        return next((row for row in self.rows if row.key == key), None)


@dataclass(frozen=True)
class Met:
    """What one edition gives: its lines, the issues of its days, and which of them lie in which strip."""

    stretch: Stretch
    lines: Lines
    issues: Issues
    near: Near
    on_a: Bools
    on_b: Bools


def strips(session: Session, question: Question, only: Sequence[str] = ()) -> Strips:
    """Rank the strips of a level: those with few issues behind the others, then by issues for each kilometre.

    only: units (keys) whose issues alone are looked at; then the strips between those are whole, no others.
    """
    gathered: dict[str, Strip] = {}
    all_n = near_n = 0
    for met in walk(session, question, only):
        all_n += len(met.issues.id)
        near_n += len(np.unique(met.near.place))
        for strip in _of(met, question):
            gathered[strip.key] = _joined(gathered.get(strip.key), strip)
    return Strips(tuple(sorted(gathered.values(), key=_worst_first)), all_n, near_n)


def walk(session: Session, question: Question, only: Sequence[str] = ()) -> Iterator[Met]:
    """Take the period edition by edition. only: units (keys) whose issues alone are wanted."""
    for stretch in stretches(session, question):
        drawn = lines.of(session, stretch.edition, question.level_code)
        found = _issues(session, question, stretch, only)
        near = drawn.near(found.place, question.width_m)
        on_a, on_b = (
            found.stand_on(near.place, [drawn.units[row].code for row in side[near.line].tolist()])
            for side in (drawn.a, drawn.b)
        )
        kept = np.flatnonzero(on_a | on_b)
        yield Met(stretch, drawn, found, near.only(kept), on_a[kept], on_b[kept])


def stretches(session: Session, question: Question) -> list[Stretch]:
    """Part the period by the editions of the net; the issues of a day go by the edition of that day."""
    whole, found = question.period, []
    for edition in units.active(session):
        if edition.net != question.net or question.level_code not in {level.code for level in edition.levels}:
            continue
        since = max(whole.since, _midnight(edition.valid_from, question.zone))
        until = min(whole.until, _midnight(edition.valid_to, question.zone)) if edition.valid_to else whole.until
        if since < until:
            found.append(Stretch(edition, Period(since, until), (until - since) / (whole.until - whole.since)))
    return sorted(found, key=lambda stretch: stretch.period.since)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _of(met: Met, question: Question) -> Iterator[Strip]:
    """Make the strips of one edition."""
    drawn, near = met.lines, met.near
    weight = 1.0 / np.bincount(near.place, minlength=len(met.issues.id))[near.place]
    order = np.argsort(near.line, kind="stable")
    start = np.searchsorted(near.line[order], np.arange(len(drawn) + 1))
    for line in range(len(drawn)):
        pairs = order[start[line] : start[line + 1]]
        yield Strip(
            drawn.units[int(drawn.a[line])],
            drawn.units[int(drawn.b[line])],
            float(drawn.length_m[line]) * met.stretch.weight,
            drawn.geometry[line],
            tuple(met.issues.id[near.place[pairs]].tolist()),
            int(met.on_a[pairs].sum()),
            int(met.on_b[pairs].sum()),
            int((met.on_a[pairs] & met.on_b[pairs]).sum()),
            float(weight[pairs].sum()),
            question.width_m,
        )


def _joined(before: Strip | None, now: Strip) -> Strip:
    """Join what two editions say of the same two units; the later one names and draws them."""
    if before is None:
        return now
    return replace(
        now,
        length_m=before.length_m + now.length_m,
        issues=before.issues + now.issues,
        a_n=before.a_n + now.a_n,
        b_n=before.b_n + now.b_n,
        both_n=before.both_n + now.both_n,
        part=before.part + now.part,
    )


def _worst_first(strip: Strip) -> tuple[bool, bool, float, int, str]:
    return strip.is_short, strip.is_few, -(strip.per_km or 0.0), -strip.issues_n, strip.key


def _issues(session: Session, question: Question, stretch: Stretch, only: Sequence[str]) -> Issues:
    """Read the issues of a stretch that were located and neither refused nor merged into another."""
    conditions = _CONDITIONS + [_BY_CATEGORY] * bool(question.categories) + [_BY_UNIT] * bool(only)
    asked = {
        "since": stretch.period.since, "until": stretch.period.until, "level": f"{question.level}:",
        "not_counted": [REJECTED, VOIDED, MERGED], "categories": list(question.categories), "only": list(only),
    }  # fmt: skip
    # The driver's own cursor: points go straight to arrays.
    with db.driver_cursor(session) as cursor:
        cursor.execute(_ISSUES.format(conditions=" AND ".join(conditions)), asked)
        rows = cursor.fetchall()
    ids, lon, lat, shape, keys = zip(*rows, strict=True) if rows else ((),) * 5
    place = np.asarray(shapely.points(np.array(lon, dtype=float), np.array(lat, dtype=float)), dtype=object)
    shaped = [nth for nth, each in enumerate(shape) if each]
    place[shaped] = shapely.from_wkb([shape[nth] for nth in shaped])
    cut = len(question.level) + 1
    return Issues(np.array(ids, dtype=np.int64), place, tuple(tuple(key[cut:] for key in each) for each in keys))


def majors(session: Session, code: str) -> tuple[str, ...]:
    """List the categories a code stands for: itself, and those under it where it is a major class."""
    found = session.scalars(text("SELECT DISTINCT code FROM category WHERE :code IN (code, parent)"), {"code": code})
    return tuple(sorted(found)) or (code,)


_CONDITIONS = [
    "issue.reported_at >= %(since)s", "issue.reported_at < %(until)s", "issue.located",
    "issue.point_geom IS NOT NULL", "issue.state <> ALL(%(not_counted)s)",
]  # fmt: skip
_BY_CATEGORY = "issue.category = ANY(%(categories)s)"
_BY_UNIT = "issue.ground && CAST(%(only)s AS text[])"
_ISSUES = """
SELECT issue.id, ST_X(issue.point_geom), ST_Y(issue.point_geom),
       CASE WHEN ST_Dimension(issue.geom) > 0 THEN CAST(issue.geom AS text) END,
       ARRAY(SELECT key FROM unnest(issue.ground) AS key WHERE starts_with(key, %(level)s))
FROM issue WHERE {conditions} ORDER BY issue.id
"""

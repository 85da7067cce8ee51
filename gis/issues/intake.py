"""Reports become issues: put on the ground, decided, dispatched, written into the journal. The same report is one issue.

One report and a file of them take the same way: `accept` is `accept_many` of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from psycopg2.extras import Json as AsJson
from psycopg2.extras import execute_values
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound, ShaotuError
from gis.issues import agreements, categories, default_points, dispatch, journal, jurisdiction, sources
from gis.issues.reports import CategoryKey, Report, parse_report
from gis.settings import Settings
from gis.territory import locate
from gis.territory.location import UNLOCATED, Location, Place

__all__ = ["Accepted", "CategoryKey", "Clerk", "Report", "accept", "accept_many", "parse_report", "place"]

Json = dict[str, Any]
Key = tuple[str, str]

FILED, TO_LOCATE = "filed", "to_locate"
DEFAULTS = Settings()


@dataclass(frozen=True)
class Clerk:
    """Who takes reports in, when, and by which settings."""

    by: str
    now: datetime
    settings: Settings = DEFAULTS

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.time_zone)

    def day(self, at: datetime) -> date:
        """Return the city's date of a moment: editions and agreements are asked for it."""
        return at.astimezone(self.zone).date()


@dataclass(frozen=True)
class Accepted:
    """An issue and whether it was known before. differs: fields in which a known one was sent otherwise this time."""

    id: int
    code: str
    known: bool
    located: bool
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Filing:
    """A report on its way to become an issue."""

    report: Report
    location: Location
    decision: jurisdiction.Decision
    case: jurisdiction.Case

    @property
    def ground(self) -> list[str]:
        return list(dict.fromkeys(unit.key for unit in self.location.touched()))

    @property
    def state(self) -> str:
        return FILED if self.location.located else TO_LOCATE


def accept(
    session: Session, report: Report, *, by: str, now: datetime, settings: Settings = DEFAULTS
) -> Accepted:
    """File a report; raise Invalid if its source, category or place is none. A known one is returned unchanged."""
    [outcome] = accept_many(session, [report], Clerk(by, now, settings))
    if isinstance(outcome, ShaotuError):
        raise outcome
    return outcome


def accept_many(session: Session, reports: Sequence[Report], clerk: Clerk) -> list[Accepted | ShaotuError]:
    """File reports in one go; the answer has for each, in their order, its issue or why it was refused."""
    known = _known(session, reports)
    fresh = {_key(report): report for report in reversed(reports) if _key(report) not in known}
    said = _readable(session, list(fresh.values()))
    refused = {key: answer for key, answer in said.items() if isinstance(answer, ShaotuError)}
    filings = _decided(session, {key: (fresh[key], place) for key, place in said.items() if isinstance(place, _Said)}, clerk)
    filed = _file(session, filings, clerk)
    # Somebody else filed the same one meanwhile: the database kept theirs, and so do we.
    overtaken = _known(session, [filing.report for filing in filings if _key(filing.report) not in filed])
    return _answers(reports, known | overtaken, filed, refused)


def place(session: Session, code: str, said: Mapping[str, Any], clerk: Clerk) -> Location:
    """Put an issue where a person says it is, and decide and dispatch anew; what was found before stays on record.

    Raise NotFound for an unknown issue, Invalid where the place is none.
    """
    issue = session.execute(
        text("SELECT id, source, reported_at, ground FROM issue WHERE code = :code FOR UPDATE"), {"code": code}
    ).one_or_none()
    if issue is None:
        raise NotFound("issue.not_found", code=code)
    spot = locate.parse({"datum": "WGS84", **said})
    location = locate.at(session, spot, clerk.day(issue.reported_at))
    if not location.located:
        raise Invalid("issue.still_nowhere", code=code, reason=location.reason)
    _move(session, issue.id, location, clerk)
    return location


@dataclass(frozen=True)
class _Said:
    """Where a report says it is, and the category's major class."""

    place: Place
    parent: str | None


def _key(report: Report) -> Key:
    return report.source, report.external_id


def _known(session: Session, reports: Iterable[Report]) -> dict[Key, Any]:
    """Find the issues these reports already are."""
    keys = list({_key(report) for report in reports})
    if not keys:
        return {}
    rows = session.execute(
        text("""
        SELECT id, code, source, external_id, scheme, scheme_version, category, text, reported_at, place, located
        FROM issue JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS asked (source, external_id)
             USING (source, external_id)
        """),
        {"sources": [source for source, _ in keys], "ids": [external_id for _, external_id in keys]},
    )
    return {(row.source, row.external_id): row for row in rows}


def _readable(session: Session, reports: Sequence[Report]) -> dict[Key, _Said | ShaotuError]:
    """Look up source and category and read the place, or say why not."""
    senders = {code: _sender(session, code) for code in {report.source for report in reports}}
    classes = {key: _parent(session, key) for key in {report.category for report in reports}}
    return {_key(report): _read(report, senders[report.source], classes[report.category]) for report in reports}


def _sender(session: Session, code: str) -> sources.Sender | Invalid:
    try:
        return sources.get(session, code)
    except Invalid as error:
        return error


def _parent(session: Session, key: CategoryKey) -> str | Invalid | None:
    try:
        return categories.get(session, key.scheme, key.version, key.code).parent
    except Invalid as error:
        return error


def _read(report: Report, sender: sources.Sender | Invalid, parent: str | Invalid | None) -> _Said | ShaotuError:
    if isinstance(sender, Invalid):
        return sender
    if isinstance(parent, Invalid):
        return parent
    try:
        spot = locate.parse(report.place, sender.habits)
    except Invalid as error:
        return error
    if sender.is_default(spot):
        spot = replace(spot, kind="nowhere", geometry=None, reason=default_points.REASON)
    return _Said(spot, parent)


def _decided(session: Session, said: Mapping[Key, tuple[Report, _Said]], clerk: Clerk) -> list[_Filing]:
    """Locate the reports and decide whose each is."""
    reports = [report for report, _ in said.values()]
    days = [clerk.day(report.reported_at) for report in reports]
    locations = locate.at_many(session, [where.place for _, where in said.values()], days)
    cases = [
        jurisdiction.Case(report.category.scheme, report.category.code, where.parent) for report, where in said.values()
    ]
    decisions = dispatch.decide_many(session, list(zip(cases, locations, strict=True)), clerk.settings)
    return [_Filing(*each) for each in zip(reports, locations, decisions, cases, strict=True)]


def _file(session: Session, filings: Sequence[_Filing], clerk: Clerk) -> dict[Key, Accepted]:
    """Write the issues with what was found and decided; return those that were new."""
    new = _insert(session, filings, clerk)
    written = [(new[key].id, filing) for filing in filings if (key := _key(filing.report)) in new]
    _keep_findings(session, [(issue_id, 1, filing.location) for issue_id, filing in written], clerk)
    calls = [dispatch.Call(issue_id, 1, filing.case, filing.decision) for issue_id, filing in written]
    dispatch.assign_many(session, calls, by=clerk.by, now=clerk.now)
    lines = [_line(issue_id, filing) for issue_id, filing in written]
    journal.append_all(session, lines, by=clerk.by, now=clerk.now)
    return new


def _insert(session: Session, filings: Sequence[_Filing], clerk: Clerk) -> dict[Key, Accepted]:
    if not filings:
        return {}
    start = f"{_city_code(session, clerk)}{clerk.day(clerk.now):%Y%m%d}"
    with session.connection().connection.cursor() as cursor:
        rows = execute_values(
            cursor,
            """
            INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at,
                               received_at, place, located, flags, ground, departments, created_by, reporter, geom,
                               point_geom)
            VALUES %s ON CONFLICT (source, external_id) DO NOTHING RETURNING id, code, source, external_id, located
            """,
            [_row(filing, start, clerk) for filing in filings],
            template="(%s || lpad(nextval('issue_serial')::text, 6, '0'), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
            " %s::text[], %s::text[], '{}', %s, %s, ST_GeomFromWKB(%s, 4326), ST_GeomFromWKB(%s, 4326))",
            page_size=500,
            fetch=True,
        )
    return {
        (source, external_id): Accepted(issue_id, code, known=False, located=located)
        for issue_id, code, source, external_id, located in rows
    }


def _row(filing: _Filing, start: str, clerk: Clerk) -> tuple[object, ...]:
    report, location = filing.report, filing.location
    category = report.category
    return (
        start,
        report.source,
        report.external_id,
        category.scheme,
        category.version,
        category.code,
        report.text,
        filing.state,
        report.reported_at,
        clerk.now,
        AsJson(report.place),
        location.located,
        list(location.flags),
        filing.ground,
        clerk.by,
        report.reporter and AsJson(report.reporter),
        *_shapes(location),
    )


def _shapes(location: Location) -> tuple[bytes | None, bytes | None]:
    """Return the place as WKB, and a point of it for the map; None for both when it is not known."""
    geometry = location.place.geometry
    if geometry is None or not location.located:
        return None, None
    point = geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry)
    return shapely.to_wkb(geometry), shapely.to_wkb(point)


def _keep_findings(session: Session, found: Sequence[tuple[int, int, Location]], clerk: Clerk) -> None:
    rows = [
        (issue_id, version, AsJson(location.as_dict()), clerk.now, clerk.by) for issue_id, version, location in found
    ]
    with session.connection().connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO finding (issue_id, version, location, found_at, found_by) VALUES %s",
            rows,
            page_size=500,
        )


def _line(issue_id: int, filing: _Filing) -> journal.Line:
    if filing.location.located:
        return journal.Line("filed", issue_id, {"basis": filing.decision.basis}, tuple(filing.ground))
    return journal.Line("to_locate", issue_id, {"reason": filing.location.reason}, tuple(filing.ground))


def _move(session: Session, issue_id: int, location: Location, clerk: Clerk) -> None:
    """Write a new finding and decision for an issue, and what it is now."""
    issue = session.execute(_STANDING, {"issue_id": issue_id}).one()
    ground = list(dict.fromkeys(unit.key for unit in location.touched()))
    geom, point_geom = _shapes(location)
    _keep_findings(session, [(issue_id, issue.version + 1, location)], clerk)
    session.execute(
        _MOVED,
        {
            "issue_id": issue_id,
            "place": AsJson(location.place.raw | {"placed_by": clerk.by}),
            "flags": list(location.flags),
            "ground": ground,
            "geom": geom,
            "point_geom": point_geom,
        },
    )
    case = jurisdiction.Case(issue.scheme, issue.category, issue.parent)
    [decision] = dispatch.decide_many(session, [(case, location)], clerk.settings)
    dispatch.assign_many(
        session, [dispatch.Call(issue_id, issue.decisions + 1, case, decision)], by=clerk.by, now=clerk.now
    )
    # Whoever could see it where it was is told too, and sees it go.
    seen_by = tuple(dict.fromkeys([*ground, *issue.ground]))
    line = journal.Line("placed", issue_id, {"basis": decision.basis}, seen_by)
    journal.append(session, line, by=clerk.by, now=clerk.now)


_STANDING = text("""
SELECT issue.scheme, issue.category, category.parent, issue.ground,
       (SELECT max(version) FROM finding WHERE issue_id = issue.id) AS version,
       (SELECT coalesce(max(version), 0) FROM decision WHERE issue_id = issue.id) AS decisions
FROM issue LEFT JOIN category ON (category.scheme, category.version, category.code)
                               = (issue.scheme, issue.scheme_version, issue.category)
WHERE issue.id = :issue_id
""")
_MOVED = text("""
UPDATE issue SET place = :place, located = true, flags = :flags, ground = :ground,
                 geom = ST_GeomFromWKB(:geom, 4326), point_geom = ST_GeomFromWKB(:point_geom, 4326),
                 state = CASE state WHEN 'to_locate' THEN 'filed' ELSE state END
WHERE id = :issue_id
""")


def _city_code(session: Session, clerk: Clerk) -> str:
    """Return what issue codes begin with: the setting, or the first six digits of the city's own code on the ground."""
    if clerk.settings.city_code:
        return clerk.settings.city_code
    code = session.scalar(
        text("""
        SELECT unit.code FROM unit JOIN edition ON edition.id = unit.edition_id JOIN net ON net.code = unit.net
        JOIN level ON (level.net, level.code) = (unit.net, unit.level)
        WHERE edition.state = 'active' AND unit.code ~ '^[0-9]+$' ORDER BY net.rank, level.rank, unit.code LIMIT 1
        """)
    )
    return (code or "")[:6].ljust(6, "0")


def _answers(
    reports: Sequence[Report], known: Mapping[Key, Any], filed: Mapping[Key, Accepted], refused: Mapping[Key, ShaotuError]
) -> list[Accepted | ShaotuError]:
    """Answer every report; of equal ones in a batch the first is filed and the others are known."""
    answers: list[Accepted | ShaotuError] = []
    first: dict[Key, Report] = {}
    for report in reports:
        key = _key(report)
        if key in refused:
            answers.append(refused[key])
        elif key in known:
            row = known[key]
            answers.append(Accepted(row.id, row.code, known=True, located=row.located, differs=_differs(report, row)))
        elif key not in filed:
            # The database has it, and the asker may not see it.
            answers.append(Conflict("issue.known_elsewhere", source=report.source, external_id=report.external_id))
        elif key in first:
            answers.append(replace(filed[key], known=True, differs=_changes(report, first[key])))
        else:
            first[key] = report
            answers.append(filed[key])
    return answers


def _differs(report: Report, row: Any) -> tuple[str, ...]:  # noqa: ANN401 -- a row of issue
    kept = Report(
        report.source,
        report.external_id,
        CategoryKey(row.scheme, row.scheme_version, row.category),
        row.text,
        row.reported_at,
        # Where a person has placed it since, the sender's place is no longer compared.
        report.place if "placed_by" in row.place else row.place,
    )
    return _changes(report, kept)


def _changes(report: Report, kept: Report) -> tuple[str, ...]:
    names = ("category", "text", "reported_at", "place")
    return tuple(name for name in names if getattr(report, name) != getattr(kept, name))

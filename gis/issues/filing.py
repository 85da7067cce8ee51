"""Writing issues down: the row as it stands now, what was found beside it, and the journal's line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from psycopg2.extras import Json as AsJson
from psycopg2.extras import execute_values
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import (
    clocks,
    dispatch,
    findings,
    journal,
    jurisdiction,
    relapses,
    telling,
    workflow,
)
from gis.issues.clerk import Clerk
from gis.issues.messages import outbox
from gis.issues.moves import COLLECTED, DISPATCHED, FILED, TO_LOCATE
from gis.issues.reports import Report
from gis.settings import Settings
from gis.territory.location import Location

Json = dict[str, Any]
Key = tuple[str, str]

PAGE_ROWS = 500


@dataclass(frozen=True)
class Filing:
    """A report with what was found and decided, ready to be written."""

    report: Report
    location: Location
    case: jurisdiction.Case
    decision: jurisdiction.Decision
    clocks: tuple[clocks.Clock, ...] = ()
    # Its source's reports are looked at on the spot first.
    verify: bool = False

    @property
    def key(self) -> Key:
        """What makes two reports the same one."""
        return self.report.source, self.report.external_id


@dataclass(frozen=True)
class Filed:
    """An issue that was written."""

    id: int
    code: str
    located: bool


def file(session: Session, filings: Sequence[Filing], clerk: Clerk) -> dict[Key, Filed]:
    """Write issues with what was found and decided; return those that were new, the others are there already."""
    if not filings:
        return {}
    new = _insert(session, filings, clerk)
    written = [(new[filing.key].id, filing) for filing in filings if filing.key in new]
    _keep(session, [(issue_id, 1, filing.location) for issue_id, filing in written], clerk)
    calls = [dispatch.Call(issue_id, 1, filing.case, filing.decision) for issue_id, filing in written]
    dispatch.assign_many(session, calls, by=clerk.by, now=clerk.now)
    clocks.start(session, [(issue_id, filing.clocks) for issue_id, filing in written], clerk)
    lines = [_line(issue_id, filing, clerk.settings) for issue_id, filing in written]
    journal.append_all(session, lines, by=clerk.by, now=clerk.now)
    relapses.mark(session, [issue_id for issue_id, _ in written], clerk)
    _tell(session, [(new[filing.key], filing) for _, filing in written], clerk)
    return new


def _tell(session: Session, written: Sequence[tuple[Filed, Filing]], clerk: Clerk) -> None:
    """Call the departments of what is dispatched with its filing."""
    sent = [each for each in written if not clerk.quiet and _state(each[1], clerk.settings) == DISPATCHED]
    tidings = [telling.called(filed.id, filed.code, filing.decision.departments) for filed, filing in sent]
    outbox.put(session, tidings, clerk.settings, clerk.now)


def move(session: Session, issue_id: int, location: Location, clerk: Clerk, side: str | None = None) -> None:
    """Write a new finding and decision for an issue and what it is now; what was found before stays on record.

    side: the unit a person found it to be in, where only that was asked.
    """
    was = session.execute(_STANDING, {"issue_id": issue_id}).one()
    case = jurisdiction.Case(was.scheme, was.category, was.parent)
    decision = dispatch.decide(session, case, location, clerk.settings)
    state = workflow.placed_state(was.state, decision=decision, settings=clerk.settings)
    _keep(session, [(issue_id, was.finding + 1, location)], clerk)
    session.execute(_MOVED, _present(location) | {"issue_id": issue_id, "by": clerk.by, "state": state})
    dispatch.assign(session, dispatch.Call(issue_id, was.decision + 1, case, decision), by=clerk.by, now=clerk.now)
    clocks.placed(session, issue_id, clerk)
    # Whoever could see it where it was is told too, and sees it go.
    seen_by = tuple(dict.fromkeys([*_ground(location), *was.ground]))
    left = sorted(set(was.departments) - set(decision.departments))
    if state == DISPATCHED and not clerk.quiet:
        fresh = set(decision.departments) - set(was.departments)
        tiding = telling.called(issue_id, was.code, fresh, f"placed{was.decision + 1}")
        outbox.put(session, [tiding] if fresh else [], clerk.settings, clerk.now)
    params = {"basis": decision.basis, "left": left}
    sided = {"unit": side, "finding": was.finding + 1} if side else {}
    line = journal.Line("sided" if side else "placed", issue_id, params | sided, seen_by)
    journal.append(session, line, by=clerk.by, now=clerk.now)


def _insert(session: Session, filings: Sequence[Filing], clerk: Clerk) -> dict[Key, Filed]:
    start = f"{city_code(session, clerk)}{clerk.day(clerk.now):%Y%m%d}"
    with db.driver_cursor(session) as cursor:
        rows = execute_values(
            cursor,
            _INSERT,
            [_row(filing, start, clerk) for filing in filings],
            template=_TEMPLATE,
            page_size=PAGE_ROWS,
            fetch=True,
        )
    return {(source, external_id): Filed(*issue) for source, external_id, *issue in rows}


def _row(filing: Filing, start: str, clerk: Clerk) -> Json:
    report, decision = filing.report, filing.decision
    due_at, warn_at = clocks.first_due(filing.clocks)
    return _present(filing.location) | {
        "state": _state(filing, clerk.settings),
        "start": start,
        "source": report.source,
        "external_id": report.external_id,
        "scheme": report.category.scheme,
        "version": report.category.version,
        "category": report.category.code,
        "condition": report.condition,
        "work_order": report.work_order and AsJson(report.work_order.as_dict()),
        "due_at": due_at,
        "warn_at": warn_at,
        "text": report.text,
        "reported_at": report.reported_at,
        "received_at": clerk.now,
        "place": AsJson(report.place),
        "departments": list(decision.departments),
        "lead": decision.lead_department,
        "by": clerk.by,
        "reporter": report.reporter and AsJson(report.reporter),
    }


def _present(location: Location) -> Json:
    """Return what an issue's row says of its place; without geometry when it is not known."""
    geometry = location.place.geometry if location.located else None
    spot = geometry and (geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry))
    return {
        "place": AsJson(location.place.raw),
        "located": location.located,
        "flags": list(location.flags),
        "ground": list(_ground(location)),
        "geom": geometry and shapely.to_wkb(geometry),
        "point_geom": spot and shapely.to_wkb(spot),
    }


def _ground(location: Location) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unit.key for unit in location.touched()))


def _keep(session: Session, found: Sequence[tuple[int, int, Location]], clerk: Clerk) -> None:
    """Append findings: (issue, version, location)."""
    if not found:
        return
    issue_ids, versions, locations = zip(*found, strict=True)
    records = [orjson.dumps(findings.as_record(location)).decode() for location in locations]
    with db.driver_cursor(session) as cursor:
        cursor.execute(_KEEP, (clerk.now, clerk.by, list(issue_ids), list(versions), records))


def _state(filing: Filing, settings: Settings) -> str:
    located = filing.location.located
    return workflow.first_state(located=located, decision=filing.decision, verify=filing.verify, settings=settings)


def _line(issue_id: int, filing: Filing, settings: Settings) -> journal.Line:
    kind, ground = BEGINNINGS[_state(filing, settings)], _ground(filing.location)
    if filing.location.located:
        return journal.Line(kind, issue_id, {"basis": filing.decision.basis}, ground)
    return journal.Line(kind, issue_id, {"reason": filing.location.reason}, ground)


# How the journal tells of the state an issue begins in.
BEGINNINGS = {DISPATCHED: "filed", FILED: "to_dispatch", TO_LOCATE: "to_locate", COLLECTED: "collected"}


def city_code(session: Session, clerk: Clerk) -> str:
    """Return what issue codes begin with: the setting, or the first six digits of the city's own code on the ground."""
    if clerk.settings.city_code:
        return clerk.settings.city_code
    code: str | None = session.scalar(_COARSEST)
    return (code or "")[:6].ljust(6, "0")


# In columns: the server reads three long values in half the time it needs for a row each.
_KEEP = """
INSERT INTO finding (issue_id, version, location, found_at, found_by)
SELECT kept.issue_id, kept.version, CAST(kept.location AS jsonb), %s, %s
FROM unnest(CAST(%s AS bigint[]), CAST(%s AS integer[]), CAST(%s AS text[])) AS kept (issue_id, version, location)
"""
_INSERT = """
INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at, received_at,
                   place, located, flags, ground, departments, lead, created_by, reporter, geom, point_geom,
                   condition, work_order, due_at, warn_at)
VALUES %s ON CONFLICT (source, external_id) DO NOTHING RETURNING source, external_id, id, code, located
"""
_TEMPLATE = """(
    %(start)s || lpad(CAST(nextval('issue_serial') AS text), 6, '0'), %(source)s, %(external_id)s, %(scheme)s,
    %(version)s, %(category)s, %(text)s, %(state)s, %(reported_at)s, %(received_at)s, %(place)s, %(located)s,
    CAST(%(flags)s AS text[]), CAST(%(ground)s AS text[]), CAST(%(departments)s AS text[]), %(lead)s, %(by)s,
    CAST(%(reporter)s AS jsonb), ST_GeomFromWKB(%(geom)s, 4326), ST_GeomFromWKB(%(point_geom)s, 4326),
    CAST(%(condition)s AS integer), CAST(%(work_order)s AS jsonb), CAST(%(due_at)s AS timestamptz),
    CAST(%(warn_at)s AS timestamptz)
)"""
_STANDING = text("""
SELECT issue.code, issue.scheme, issue.category, issue.state, category.parent, issue.ground, issue.departments,
       (SELECT max(version) FROM finding WHERE issue_id = issue.id) AS finding,
       (SELECT coalesce(max(version), 0) FROM decision WHERE issue_id = issue.id) AS decision
FROM issue LEFT JOIN category ON (category.scheme, category.version, category.code)
                               = (issue.scheme, issue.scheme_version, issue.category)
WHERE issue.id = :issue_id
""")
_MOVED = text("""
UPDATE issue SET place = CAST(:place AS jsonb) || jsonb_build_object('placed_by', CAST(:by AS text)),
                 located = :located, flags = :flags, ground = :ground, geom = ST_GeomFromWKB(:geom, 4326),
                 point_geom = ST_GeomFromWKB(:point_geom, 4326),
                 state = :state
WHERE id = :issue_id
""")
# Level by level: a city's own units are a few, and its cells are not read to find them.
_COARSEST = text("""
SELECT found.code
FROM (SELECT edition.id AS edition_id, level.code AS level, net.rank AS net_rank, level.rank AS level_rank
      FROM edition JOIN net ON net.code = edition.net JOIN level ON level.net = edition.net
      WHERE edition.state = 'active' ORDER BY net.rank, level.rank) AS each
CROSS JOIN LATERAL (SELECT code FROM unit WHERE edition_id = each.edition_id AND level = each.level
                    AND code ~ '^[0-9]+$' ORDER BY code LIMIT 1) AS found
ORDER BY net_rank, level_rank, found.code LIMIT 1
""")

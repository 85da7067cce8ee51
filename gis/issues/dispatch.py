"""Calling the departments: decide for one or many, and write who was called, beside what was decided before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import orjson
from psycopg2.extras import execute_values
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid
from gis.issues import agreements, duty_lists, findings, journal, jurisdiction
from gis.issues.jurisdiction import WHISTLE, practice
from gis.people import departments
from gis.settings import Settings
from gis.territory import units
from gis.territory.location import Location

# A registered component this near to a report of its category is the thing reported.
COMPONENT_REACH_M = 15.0
PAGE_ROWS = 1000


@dataclass(frozen=True)
class Call:
    """A decision on its way into the record. version: 1 at filing, one more at each decision after."""

    issue_id: int
    version: int
    case: jurisdiction.Case
    decision: jurisdiction.Decision


@dataclass(frozen=True)
class Ruling:
    """A superior's word in a dispute: the unit ("net:level:code") that leads, whose word, and when."""

    unit: str
    by: str
    now: datetime


@dataclass(frozen=True)
class Redirection:
    """A person's word on who leads, beside what was decided. dropped: who refused; evidence: for the reason.

    why: of those who join.
    """

    lead: str
    assists: tuple[str, ...] = ()
    basis: str = "dispatcher"
    dropped: frozenset[str] = frozenset()
    evidence: Mapping[str, str] = field(default_factory=dict)
    why: str = "party.sent"


def book(session: Session, settings: Settings) -> jurisdiction.Book:
    """Read what the city goes by. The general desk is opened if it is not there: nothing may float."""
    departments.open_desk(session, settings.general_desk)
    return read_book(session, settings)


def read_book(session: Session, settings: Settings) -> jurisdiction.Book:
    """Read what the city goes by, and write nothing."""
    return jurisdiction.Book(departments.register(session), duty_lists.in_force(session), practice.load(settings))


def decide(session: Session, case: jurisdiction.Case, location: Location, settings: Settings) -> jurisdiction.Decision:
    """Decide one case by what is on record now."""
    return decide_many(session, [(case, location)], settings)[0]


def decide_many(
    session: Session, questions: Sequence[tuple[jurisdiction.Case, Location]], settings: Settings
) -> list[jurisdiction.Decision]:
    """Decide many cases, in their order, with a few questions to the database."""
    if not questions:
        return []
    going_by = book(session, settings)
    pacts = agreements.at_many(session, [where.place.geometry for _, where in questions], [w.on for _, w in questions])
    cases = _with_holders(session, questions)
    return [
        jurisdiction.decide(case, where, agreed, going_by)
        for case, (_, where), agreed in zip(cases, questions, pacts, strict=True)
    ]


def assign(session: Session, call: Call, *, by: str, now: datetime) -> None:
    """Write one decision and call its parties."""
    assign_many(session, [call], by=by, now=now)


def assign_many(session: Session, calls: Sequence[Call], *, by: str, now: datetime) -> None:
    """Write decisions and their parties, and set who leads and is called; what was decided before stays on record."""
    if not calls:
        return
    cursor = session.connection().connection.cursor()
    decided = zip(*map(_decision_row, calls), strict=True)
    cursor.execute(_DECISIONS, (now, by, *map(list, decided)))
    for sql, rows in (
        (_PARTIES, [row for call in calls for row in _party_rows(call, now)]),
        (_CALLED, [_called_row(call) for call in calls]),
    ):
        execute_values(cursor, sql, rows, page_size=PAGE_ROWS)


def designate(session: Session, issue_code: str, ruling: Ruling, settings: Settings) -> jurisdiction.Decision:
    """Decide an issue anew by a superior's ruling. Raise NotFound, or Conflict if it is not located."""
    asked = findings.get(session, issue_code)
    if not asked.location.located:
        raise Conflict("dispatch.not_located", issue=issue_code)
    case = replace(asked.case, designated=units.get(session, *unit_key(ruling.unit), asked.location.on).key)
    decision = decide(session, case, asked.location, settings)
    assign(session, Call(asked.issue_id, asked.version + 1, case, decision), by=ruling.by, now=ruling.now)
    ground = tuple(dict.fromkeys(unit.key for unit in asked.location.touched()))
    line = journal.Line("designated", asked.issue_id, {"unit": ruling.unit}, ground)
    journal.append(session, line, by=ruling.by, now=ruling.now)
    return decision


def redirect(session: Session, issue_id: int, to: Redirection, *, by: str, now: datetime) -> jurisdiction.Decision:
    """Write a person's word on who leads and who joins as a new decision; raise Invalid for an unknown department."""
    row = session.execute(_LAST_DECISION, {"issue_id": issue_id}).one_or_none()
    was = jurisdiction.Decision.from_dict(row.answer) if row else jurisdiction.Decision("unlocated")
    case = jurisdiction.Case.from_dict(row.answer["case"]) if row else jurisdiction.Case("", "")
    register = departments.register(session).by_code
    for code in (to.lead, *to.assists):
        if code not in register:
            raise Invalid("dispatch.no_department", department=code)
        if closed_on := register[code].closed_on:
            raise Invalid("dispatch.department_closed", department=code, on=closed_on)
    sides = _sides(session, was, [register[code] for code in (to.lead, *to.assists)], now.date())
    evidence = {"department": register[to.lead].as_dict()} | dict(to.evidence)
    reason = jurisdiction.Reason(f"decision.sent.{to.basis}", evidence)
    decision = replace(
        was,
        basis=was.basis if to.why == WHISTLE and to.lead == was.lead_department else to.basis,
        lead_department=to.lead,
        lead_jurisdiction=sides[to.lead],
        parties=_redirected(was, to, register, sides),
        provisional=False,
        reasons=(*was.reasons, reason),
    )
    assign(session, Call(issue_id, (row.version if row else 0) + 1, case, decision), by=by, now=now)
    return decision


def _redirected(
    was: jurisdiction.Decision,
    to: Redirection,
    register: Mapping[str, departments.Department],
    sides: Mapping[str, str | None],
) -> tuple[jurisdiction.PartyCall, ...]:
    """Put the new lead first; the others stay, but for the one that refused, unless its side has nobody else."""
    # What waited at the general desk waits there no more.
    acting = [party for party in was.parties if party.kind != departments.DESK or party.department == to.lead]
    before = {party.department: party for party in acting}
    ground = before[to.lead].jurisdictions if to.lead in before else _only(sides[to.lead])
    kept = [
        replace(party, role="assist", why=to.why if code in to.assists else party.why)
        for code, party in before.items()
        if code != to.lead
    ]
    served = {key for party in kept if party.department not in to.dropped for key in party.jurisdictions} | {*ground}
    kept = [party for party in kept if party.department not in to.dropped or not set(party.jurisdictions) <= served]
    joined = [code for code in to.assists if code != to.lead and code not in {party.department for party in kept}]
    return (
        jurisdiction.PartyCall(to.lead, register[to.lead].kind, "lead", ground, "party.sent"),
        *kept,
        *(
            jurisdiction.PartyCall(code, register[code].kind, "assist", _only(sides[code]), to.why)
            for code in joined
        ),
    )


def _only(side: str | None) -> tuple[str, ...]:
    return (side,) if side else ()


def _sides(
    session: Session, was: jurisdiction.Decision, asked: Iterable[departments.Department], on: date
) -> dict[str, str | None]:
    """Name the side of an issue that lies in each department's ground; the lead's where it serves the whole city."""
    keys = [key for party in was.parties for key in party.jurisdictions]
    grounds = agreements.grounds(session, {(key, on) for key in keys})
    mine = {each.code: [key for key in keys if each.ground in (key, *grounds[key, on].above)] for each in asked}
    return {code: found[0] if found else was.lead_jurisdiction for code, found in mine.items()}


def unit_key(key: str) -> tuple[str, str, str]:
    """Split "net:level:code"; raise Invalid."""
    parts = key.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise Invalid("agreements.not_a_key", key=key)
    return parts[0], parts[1], parts[2]


def _decision_row(call: Call) -> tuple[object, ...]:
    answer = call.decision.as_dict() | {"case": call.case.as_dict()}
    written = orjson.dumps(answer, default=str).decode()
    return call.issue_id, call.version, call.decision.basis, call.decision.lead_department, written


def _party_rows(call: Call, now: datetime) -> Iterable[tuple[object, ...]]:
    for party in call.decision.parties:
        ground, mandatory = " ".join(party.jurisdictions), party.department in call.decision.mandatory
        yield call.issue_id, call.version, party.department, party.role, ground, now, mandatory


def _called_row(call: Call) -> tuple[object, ...]:
    return call.issue_id, call.decision.lead_department, list(call.decision.departments)


def _with_holders(session: Session, questions: Sequence[tuple[jurisdiction.Case, Location]]) -> list[jurisdiction.Case]:
    """Name the organisations of the component a report is about, where one of its category is registered there."""
    cases = [case for case, _ in questions]
    kinds = set(session.scalars(text("SELECT DISTINCT category FROM component")))
    asked = [
        (row, case.category, where.place.geometry.centroid)
        for row, (case, where) in enumerate(questions)
        if case.category in kinds and case.holder is None and where.located and where.place.geometry is not None
    ]
    told = {
        "rows": [row for row, _, _ in asked],
        "categories": [category for _, category, _ in asked],
        "lon": [point.x for _, _, point in asked],
        "lat": [point.y for _, _, point in asked],
        "reach": COMPONENT_REACH_M,
    }
    for found in session.execute(_COMPONENTS, told) if asked else ():
        holder = jurisdiction.Holder(found.authority, found.owner, found.maintainer)
        cases[found.row] = replace(cases[found.row], holder=holder)
    return cases


# In columns: the server reads a few long values sooner than a row for each.
_DECISIONS = """
INSERT INTO decision (issue_id, version, basis, lead, answer, decided_at, decided_by)
SELECT made.issue_id, made.version, made.basis, made.lead, CAST(made.answer AS jsonb), %s, %s
FROM unnest(CAST(%s AS bigint[]), CAST(%s AS integer[]), CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[]))
     AS made (issue_id, version, basis, lead, answer)
"""
_PARTIES = "INSERT INTO party (issue_id, version, department, role, jurisdiction, called_at, mandatory) VALUES %s"
# An issue that was written with its departments is not written again. Who was sent on an errand goes on seeing it.
_CALLED = """
UPDATE issue SET lead = called.lead, departments = called.departments::text[] || ARRAY(
    SELECT DISTINCT department FROM errand
    WHERE errand.issue_id = called.id AND department <> ALL(called.departments::text[]))
FROM (VALUES %s) AS called (id, lead, departments)
WHERE issue.id = called.id
  AND (issue.lead, issue.departments) IS DISTINCT FROM (called.lead, called.departments::text[])
"""
_LAST_DECISION = text("SELECT version, answer FROM decision WHERE issue_id = :issue_id ORDER BY version DESC LIMIT 1")
# The box is drawn in degrees around the point, generously; the distance is geodesic.
_COMPONENTS = text("""
SELECT q.row, near.authority, near.owner, near.maintainer
FROM unnest(CAST(:rows AS int[]), CAST(:categories AS text[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]))
     AS q(row, category, lon, lat)
CROSS JOIN LATERAL (
    SELECT c.authority, c.owner, c.maintainer, ST_Distance(c.geom::geography, p.geom::geography) AS distance_m
    FROM (SELECT ST_SetSRID(ST_MakePoint(q.lon, q.lat), 4326) AS geom) AS p
    JOIN component c ON c.category = q.category
     AND c.geom && ST_Expand(p.geom, :reach / 111000 / greatest(cos(radians(q.lat)), 0.01), :reach / 110000)
    ORDER BY distance_m, c.id LIMIT 1
) AS near
WHERE near.distance_m <= :reach
""")

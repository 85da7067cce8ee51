"""Whistles over all issues: lists by state, and what calls somebody now. Row-level security decides what is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.issues.matter import Actor
from gis.issues.moves import ENDS, SEATS
from gis.issues.paging import Place
from gis.issues.whistles.record import STATES
from gis.people.accounts import CALLER, DEPARTMENT, DISPATCHER, SHIFT_LEADER

Json = dict[str, Any]
PAGE_ROWS = 50
REPORT_IN, ANSWER, PRESS, VERIFY = "report_in", "answer", "press", "verify"


@dataclass(frozen=True)
class Call:
    """Something that waits for somebody. kind: what to do; key: the same for as long as it is the same call."""

    kind: str
    key: str
    issue: str
    type: str
    place: str
    due_at: datetime | None

    def as_dict(self) -> Json:
        """Render it as JSON."""
        return vars(self) | {"due_at": self.due_at and self.due_at.isoformat()}


@dataclass(frozen=True)
class Wanted:
    """Which whistles are listed: of a state, of a department, behind a place; None: any, and from the newest on."""

    state: str | None = None
    department: str | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Page:
    """A page of whistles, and the place behind which the next begins; None: there is none."""

    rows: list[Json]
    later: Place | None


def find(session: Session, wanted: Wanted, rows: int = PAGE_ROWS) -> Page:
    """List whistles, the newest first; raise Invalid for a state that is none.

    A department's lists go by its own index: its scope alone could use none.
    """
    if wanted.state is not None and wanted.state not in STATES:
        raise Invalid("whistles.bad_state", state=wanted.state, states=", ".join(STATES))
    place = wanted.place
    chosen: Mapping[str, object] = {
        "whistle.state = :state": wanted.state,
        "whistle.departments && ARRAY[CAST(:department AS text)]": wanted.department,
        "(whistle.blown_at, whistle.id) < (:at, :number)": place,
    }
    conditions = [condition for condition, value in chosen.items() if value is not None]
    asked: Json = {"state": wanted.state, "department": wanted.department, "most": rows + 1}
    asked |= {"at": place and place.at, "number": place and place.number}
    sql = _FIND.format(condition=" AND ".join(["true", *conditions]))
    found = session.execute(text(sql), asked).mappings().all()
    later = None if len(found) <= rows else Place(found[rows - 1]["blown_at"], found[rows - 1]["id"])
    return Page([_row(row) for row in found[:rows]], later)


def waiting(session: Session, actor: Actor) -> list[Call]:
    """List what calls somebody: to report in, to answer, to press, to verify, to make safe, to confirm a line."""
    asked: list[str] = []
    if actor.role in {DEPARTMENT, CALLER} and actor.department:
        asked += [_ERRANDS] + ([_TO_REPORT] if actor.role == DEPARTMENT else [])
    if {CALLER, DISPATCHER, SHIFT_LEADER} & SEATS.get(actor.role, frozenset({actor.role})):
        asked.append(_TO_ANSWER)
    if actor.role == CALLER:
        asked.append(_TO_VERIFY)
    told = {"department": actor.department, "units": list(actor.units), "everywhere": actor.ground == "*"}
    told["ends"] = sorted(ENDS)
    found = [Call(**row) for sql in asked for row in session.execute(text(sql), told).mappings()]
    return sorted(found, key=lambda call: (call.due_at is None, call.due_at, call.key))


def stages(session: Session, department: str) -> Mapping[str, str]:
    """Tell of the issues that call a department beside its parties' work: the issue -> what it has to do first."""
    found = waiting(session, Actor("", DEPARTMENT, department, ""))
    return {call.issue: "report_in" if call.kind == REPORT_IN else "make_safe" for call in reversed(found)}


def _row(row: RowMapping) -> Json:
    told = {name: value for name, value in row.items() if name != "id"}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


# What of the steps since the call tells who came, answered, refused.
_STEPS = """
    SELECT coalesce(json_object_agg(department, step), '{{}}') FROM (
        SELECT DISTINCT ON (department) department, step FROM party_step
        WHERE party_step.issue_id = whistle.issue_id AND party_step.version >= whistle.called_version
          AND party_step.version <= coalesce(whistle.ended_version, party_step.version) AND step <> 'called'
          AND party_step.department = ANY(whistle.departments)
        ORDER BY department, party_step.id DESC
    ) AS last
"""
_FIND = f"""
SELECT whistle.id, whistle.code, whistle.number, whistle.type, whistle.by_unit, whistle.held_by, whistle.state,
       whistle.departments, whistle.place, whistle.expected, whistle.blown_at, whistle.report_by,
       whistle.answer_due_at, whistle.called_at, whistle.ended_at, issue.code AS issue, issue.category,
       issue.state AS issue_state,
       ({_STEPS}) AS steps,
       (SELECT round(avg(score), 1) FROM whistle_review WHERE whistle_id = whistle.id)::float8 AS score
FROM whistle LEFT JOIN issue ON issue.id = whistle.issue_id
WHERE {{condition}} ORDER BY whistle.blown_at DESC, whistle.id DESC LIMIT :most
"""
_COLUMNS = """
    '{kind}' AS kind, whistle.code || '/{kind}/' || {since} AS key, issue.code AS issue, whistle.type, whistle.place,
    {due} AS due_at
"""
_CAME = """
    EXISTS (SELECT FROM party_step WHERE party_step.issue_id = whistle.issue_id
            AND party_step.version >= whistle.called_version AND party_step.department = {department}
            AND step IN ('arrived', 'fed_back', 'refused'))
"""
_TO_REPORT = f"""
SELECT {_COLUMNS.format(kind=REPORT_IN, since="whistle.called_version", due="whistle.report_by")}
FROM whistle JOIN issue ON issue.id = whistle.issue_id
WHERE whistle.state = 'called' AND whistle.departments && ARRAY[CAST(:department AS text)]
  AND issue.state IN ('dispatched', 'handling') AND NOT {_CAME.format(department=":department")}
"""
# Waiting for the answer of a level, or risen to it because somebody did not come.
_TO_ANSWER = f"""
SELECT {_COLUMNS.format(kind=ANSWER, since="whistle.held_by", due="whistle.answer_due_at")}
FROM whistle JOIN issue ON issue.id = whistle.issue_id
WHERE whistle.state = 'blown' AND (:everywhere OR whistle.held_by = ANY(:units))
UNION ALL
SELECT {_COLUMNS.format(kind=PRESS, since="whistle.held_by", due="whistle.answer_due_at")}
FROM whistle JOIN issue ON issue.id = whistle.issue_id
WHERE whistle.state = 'called' AND whistle.answer_due_at IS NOT NULL AND (:everywhere OR whistle.held_by = ANY(:units))
"""
# Everybody who was called and is still on the issue has fed back since.
_TO_VERIFY = f"""
SELECT {_COLUMNS.format(kind=VERIFY, since="issue.version", due="CAST(NULL AS timestamptz)")}
FROM whistle JOIN issue ON issue.id = whistle.issue_id
WHERE whistle.state = 'called' AND whistle.by_unit = ANY(:units) AND issue.state IN ('fed_back', 'inspected')
"""
_ERRANDS = """
SELECT errand.kind, issue.code || '/' || errand.number AS key, issue.code AS issue, errand.kind AS type,
       '' AS place, errand.due_at
FROM errand JOIN issue ON issue.id = errand.issue_id
WHERE errand.done_at IS NULL AND errand.department = :department AND issue.state <> ALL(CAST(:ends AS text[]))
"""

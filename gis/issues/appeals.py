"""Appeals against lateness: the department says why, a shift leader decides, the fact stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg2.extras import Json as AsJson
from sqlalchemy import Row, text

from gis.errors import Conflict, Forbidden, Invalid
from gis.issues import guards, journal
from gis.issues.journal import Line
from gis.issues.matter import Actor, Matter
from gis.issues.messages import outbox
from gis.issues.messages.outbox import Tiding
from gis.issues.moves import ASSIST, LEAD, TEXT_MOST
from gis.people.accounts import SHIFT_LEADER

ASKED, GRANTED, DECLINED = "appeal_asked", "appeal_granted", "appeal_declined"


def of(about: Matter, actor: Actor) -> tuple[list[str | None], bool]:
    """Say whose lateness somebody may appeal against ("": the issue's), and whether they decide on appeals."""
    relations = about.relations(actor)
    mine = [actor.department, *([""] if LEAD in relations else [])] if relations & {LEAD, ASSIST} else []
    return mine, SHIFT_LEADER in relations


def ask(about: Matter, reason: object, *, by: Actor, now: datetime) -> int:
    """Appeal against the lateness of one's own department, a lead's against the issue's too; return how many facts.

    Raise Forbidden for who is not called, Conflict where nothing is late or all was appealed against, Invalid.
    """
    said = _read(reason)
    mine, _ = of(about, by)
    if not mine:
        raise Forbidden("appeals.not_yours")
    told = {"issue_id": about.id, "mine": mine, "by": by.username, "now": now, "department": by.department}
    found = about.session.scalars(_ASK, told | {"fields": AsJson({"reason": said})}).all()
    if not found:
        raise Conflict("appeals.nothing_late")
    _write(about, Line(ASKED, about.id, {"department": by.department}, tuple(about.row.ground)), by, now)
    _tell(about, "appealed", (), f"{found[0]}", now)
    return len(found)


def decide(about: Matter, *, granted: bool, reason: object, by: Actor, now: datetime) -> int:
    """Answer every appeal on an issue that waits; return how many. Granted ones exempt, and erase nothing.

    Raise Forbidden for anybody but a shift leader who had no hand in the issue, Conflict where none waits, Invalid.
    """
    said = _read(reason)
    if not of(about, by)[1]:
        raise Forbidden("appeals.not_yours")
    waiting: Sequence[Row[Any]] = about.session.execute(_WAITING, {"issue_id": about.id}).all()
    if not waiting:
        raise Conflict("appeals.none_waits")
    if guards.has_handled(about, by) or any(row.asked_by == by.username for row in waiting):
        raise Forbidden("workflow.handler_may_not", by=by.username)
    ids = [row.id for row in waiting]
    told = {"issue_id": about.id, "ids": ids, "granted": granted, "fields": AsJson({"reason": said})}
    about.session.execute(_ANSWER, told | {"by": by.username, "now": now})
    departments = tuple(sorted({row.by_department for row in waiting}))
    params = {"department": ", ".join(departments)}
    kind = GRANTED if granted else DECLINED
    _write(about, Line(kind, about.id, params, tuple(about.row.ground)), by, now)
    _tell(about, "appeal_answered", departments, str(ids[0]), now)
    return len(ids)


def _read(reason: object) -> str:
    if not isinstance(reason, str) or not reason.strip() or len(reason) > TEXT_MOST or "\x00" in reason:
        raise Invalid("appeals.reason", most=TEXT_MOST)
    return reason.strip()


def _write(about: Matter, line: Line, by: Actor, now: datetime) -> None:
    journal.append(about.session, line, by=by.username, now=now)


def _tell(about: Matter, event: str, departments: tuple[str, ...], stem: str, now: datetime) -> None:
    tiding = Tiding(event, f"{about.row.code}:{stem}", departments, about.id, {"code": about.row.code})
    outbox.put(about.session, [tiding], about.settings, now)


_ASK = text("""
INSERT INTO appeal (issue_id, department, clock, due_at, by_department, fields, asked_by, asked_at)
SELECT issue_id, department, clock, due_at, :department, :fields, :by, :now FROM lateness
WHERE issue_id = :issue_id AND department = ANY(:mine)
ON CONFLICT (issue_id, department, clock, due_at) DO NOTHING
RETURNING id
""")
_WAITING = text("""
SELECT id, by_department, asked_by FROM appeal
WHERE issue_id = :issue_id AND NOT EXISTS (SELECT FROM appeal_answer WHERE appeal_id = appeal.id) ORDER BY id
""")
_ANSWER = text("""
INSERT INTO appeal_answer (appeal_id, issue_id, granted, fields, by, at)
SELECT id, :issue_id, :granted, :fields, :by, :now FROM unnest(CAST(:ids AS bigint[])) AS id
""")

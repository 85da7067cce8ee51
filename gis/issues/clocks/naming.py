"""What starts a clock after filing: a condition is named, or the issue finds its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound
from gis.issues import journal
from gis.issues.clerk import Clerk
from gis.issues.clocks import book, record, values
from gis.issues.clocks.record import Kept
from gis.issues.clocks.values import HANDLE, Clock, Reason
from gis.issues.standards import Key, Standing


def choices(session: Session, issue_code: str, clerk: Clerk) -> Standing | None:
    """Return the conditions an issue can be filed under today, None if no standard names its class; raise NotFound."""
    key = _key(_issue(session, issue_code, _BY_CODE))
    return book.read(session, [key], clerk).find(key)


def name(session: Session, issue_code: str, condition: int, clerk: Clerk) -> Kept:
    """File an issue under a condition of the standard in force, and set its clock.

    The first condition lets the clock start now; another one after it counts from when the clock started. Raise
    NotFound, Invalid for a condition there is not, Conflict where no standard holds or the clock has stopped.
    """
    issue = _issue(session, issue_code, _LOCKED)
    going_by = book.read(session, [_key(issue)], clerk, timed=True)
    if going_by.find(_key(issue)) is None:
        raise Conflict("clock.no_standard", category=issue.category, scheme=f"{issue.scheme} {issue.scheme_version}")
    going_by.check(_key(issue), condition)
    last = _handling(session, issue.id, clerk)
    if last.clock.stopped_at is not None:
        raise Conflict("clock.not_running", clock=HANDLE)
    started_at = last.clock.started_at or (clerk.now if issue.located else None)
    clock = going_by.handling(_key(issue), condition, started_at)
    # What was granted to the issue stays with it.
    clock = going_by.setting.set(replace(clock, pauses=last.clock.pauses, extensions=last.clock.extensions))
    session.execute(_NAMED, {"id": issue.id, "condition": condition})
    line = journal.Line("condition_named", issue.id, {"condition": condition}, tuple(issue.ground))
    journal.append(session, line, by=clerk.by, now=clerk.now)
    event = values.SET_ANEW if last.clock.started_at else values.STARTED if started_at else values.UNSET
    return record.append(session, last, event, clock, clerk)


def placed(session: Session, issue_id: int, clerk: Clerk) -> None:
    """Start the clock of an issue that waited for its place."""
    last = _handling(session, issue_id, clerk)
    if last.clock.reason.code != "clock.waits_for_place":
        return
    issue = session.execute(_BY_ID, {"id": issue_id}).one()
    clock = book.read(session, [_key(issue)], clerk, timed=True).handling(_key(issue), issue.condition, clerk.now)
    record.append(session, last, values.STARTED if clock.started_at else values.UNSET, clock, clerk)


def _issue(session: Session, issue_code: str, sql: TextClause) -> Row[Any]:
    found = session.execute(sql, {"code": issue_code}).one_or_none()
    if found is None:
        raise NotFound("issue.not_found", code=issue_code)
    return found


def _handling(session: Session, issue_id: int, clerk: Clerk) -> Kept:
    """Return how the clock for handling stands; for an issue older than clocks one that was never set."""
    kept = [each for each in record.of_issue(session, issue_id) if (each.department, each.clock.name) == ("", HANDLE)]
    never = Kept(issue_id, "", 0, values.UNSET, Clock(HANDLE, Reason("clock.never")), clerk.now, clerk.by)
    return kept[0] if kept else never


def _key(issue: Row[Any]) -> Key:
    return issue.scheme, issue.scheme_version, issue.category


_COLUMNS = "id, scheme, scheme_version, category, condition, located, ground"
_BY_CODE = text(f"SELECT {_COLUMNS} FROM issue WHERE code = :code")
# Two who name a condition at once do it one after the other.
_LOCKED = text(f"SELECT {_COLUMNS} FROM issue WHERE code = :code FOR UPDATE")
_BY_ID = text(f"SELECT {_COLUMNS} FROM issue WHERE id = :id")
_NAMED = text("UPDATE issue SET condition = :condition WHERE id = :id")

"""Clocks on record: each change is appended, and an issue's row says when the first of its running clocks runs out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg2.extras import Json as AsJson
from psycopg2.extras import execute_values
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict
from gis.issues import lateness, standards
from gis.issues.clerk import Clerk
from gis.issues.clocks import values
from gis.issues.clocks.book import read_setting
from gis.issues.clocks.values import ENDS, Clock, Json, Reason
from gis.issues.lateness import Fact
from gis.issues.worktime import Pause

PAGE_ROWS = 1000


@dataclass(frozen=True)
class Kept:
    """A clock as it was put on record: of which issue and party ('': of the issue itself), by which event, by whom."""

    issue_id: int
    department: str
    version: int
    event: str
    clock: Clock
    at: datetime
    by: str

    def as_dict(self, now: datetime) -> Json:
        """Render for programs; times as ISO text."""
        clock = self.clock
        return {
            "name": clock.name,
            "department": self.department or None,
            "version": self.version,
            "event": self.event,
            "state": clock.state(now),
            "started_at": _iso(clock.started_at),
            "limit": clock.limit and {"value": float(clock.limit.value), "unit": clock.limit.unit},
            "extensions": clock.extensions,
            "pauses": [{"start": _iso(pause.start), "end": _iso(pause.end)} for pause in clock.pauses],
            "due_at": _iso(clock.due_at),
            "warn_at": _iso(clock.warn_at),
            "stopped_at": _iso(clock.stopped_at),
            "reason": clock.reason.as_dict(),
            "calendar": clock.calendar,
            "lacking": clock.lacking and clock.lacking.as_dict(),
            "at": _iso(self.at),
            "by": self.by,
        }


@dataclass(frozen=True)
class Due:
    """An issue whose time runs out, with the department that leads."""

    id: int
    code: str
    due_at: datetime
    lead: str | None


def first_due(clocks: Iterable[Clock]) -> tuple[datetime | None, datetime | None]:
    """Return when the first of the clocks that end an issue runs out, and when to warn of it."""
    ends = [(clock.due_at, clock.name, clock) for clock in clocks if clock.name in ENDS and clock.runs and clock.due_at]
    if not ends:
        return None, None
    _, _, first = min(ends)
    return first.due_at, first.warn_at


def start(session: Session, begun: Iterable[tuple[int, Sequence[Clock]]], clerk: Clerk) -> None:
    """Append the clocks of new issues, whose rows say already when they are due."""
    _append(
        session,
        [
            Kept(issue_id, "", 1, values.STARTED if clock.started_at else values.UNSET, clock, clerk.now, clerk.by)
            for issue_id, clocks in begun
            for clock in clocks
        ],
    )


def of_issue(session: Session, issue_id: int) -> list[Kept]:
    """List how the clocks of an issue stand, those of the issue itself first."""
    last = {(kept.department, kept.clock.name): kept for kept in history(session, issue_id)}
    return sorted(last.values(), key=lambda kept: (kept.department, values.NAMES.index(kept.clock.name)))


def history(session: Session, issue_id: int) -> list[Kept]:
    """List everything that happened to the clocks of an issue, each clock's in its order."""
    sql = text(f"SELECT {_COLUMNS} FROM clock WHERE issue_id = :issue_id ORDER BY department, name, version")
    return [_kept(row) for row in session.execute(sql, {"issue_id": issue_id})]


def suspend(session: Session, kept: Kept, until: datetime | None, clerk: Clerk) -> Kept:
    """Let time not count from now until a moment, or until it is resumed (挂账); raise Conflict if it does not run."""
    _check_runs(kept, clerk.now)
    pauses = (*kept.clock.pauses, Pause(clerk.now, until))
    return change(session, kept, values.SUSPENDED, replace(kept.clock, pauses=pauses), clerk)


def resume(session: Session, kept: Kept, clerk: Clerk) -> Kept:
    """End a suspension now, before its time; raise Conflict if there is none."""
    if kept.clock.state(clerk.now) != "suspended":
        raise Conflict("clock.not_suspended", clock=kept.clock.name)
    pauses = (*kept.clock.pauses[:-1], replace(kept.clock.pauses[-1], end=clerk.now))
    return change(session, kept, values.RESUMED, replace(kept.clock, pauses=pauses), clerk)


def extend(session: Session, kept: Kept, clerk: Clerk) -> Kept:
    """Add one more of its limit (延期); raise Conflict if the clock has none or does not run."""
    _check_runs(kept, clerk.now)
    if kept.clock.limit is None:
        raise Conflict("clock.not_running", clock=kept.clock.name)
    return change(session, kept, values.EXTENDED, replace(kept.clock, extensions=kept.clock.extensions + 1), clerk)


def stop(session: Session, kept: Kept, clerk: Clerk) -> Kept:
    """Stop a clock: what it is for is done. Its due time stays on record, and so whether it was kept."""
    if kept.clock.stopped_at is not None:
        raise Conflict("clock.not_running", clock=kept.clock.name)
    return append(session, kept, values.STOPPED, replace(kept.clock, stopped_at=clerk.now), clerk)


def change(session: Session, kept: Kept, event: str, clock: Clock, clerk: Clerk) -> Kept:
    """Set a clock by the calendar as it stands now, and append it."""
    return append(session, kept, event, read_setting(session, clerk.settings).set(clock), clerk)


def append(session: Session, kept: Kept, event: str, clock: Clock, clerk: Clerk) -> Kept:
    """Append how a clock stands after an event, and show it in the issue's row."""
    late = kept.clock.runs and event != values.SET_ANEW and kept.clock.state(clerk.now) == "overdue"
    if late and kept.clock.due_at is not None:
        fact = Fact(kept.issue_id, kept.department, kept.clock.name, kept.clock.due_at)
        lateness.note(session, [fact], clerk)
    after = _after(kept, event, clock, clerk)
    _append(session, [after])
    show(session, [kept.issue_id])
    return after


def set_anew(session: Session, clerk: Clerk) -> int:
    """Set every clock that has not stopped by the calendar as it stands now; return how many moved."""
    setting = read_setting(session, clerk.settings)
    moved = []
    for row in session.execute(_GOING):
        kept = _kept(row)
        clock = setting.set(kept.clock)
        if (clock.due_at, clock.lacking) != (kept.clock.due_at, kept.clock.lacking):
            moved.append(_after(kept, values.SET_ANEW, clock, clerk))
    _append(session, moved)
    show(session, [kept.issue_id for kept in moved])
    return len(moved)


def show(session: Session, issue_ids: Sequence[int]) -> None:
    """Write into the rows of issues when the first of their running clocks runs out."""
    if issue_ids:
        session.execute(_SHOW, {"ids": list(set(issue_ids)), "ends": list(ENDS)})


def scan(session: Session, *, now: datetime, soon: bool = False) -> list[Due]:
    """List open issues that are overdue, the longest first; with soon also those that are due soon."""
    sql = _DUE_OR_SOON if soon else _DUE
    return [Due(*row) for row in session.execute(sql, {"now": now})]


def _after(kept: Kept, event: str, clock: Clock, clerk: Clerk) -> Kept:
    return replace(kept, version=kept.version + 1, event=event, clock=clock, at=clerk.now, by=clerk.by)


def _check_runs(kept: Kept, now: datetime) -> None:
    if not kept.clock.runs or kept.clock.state(now) == "suspended":
        raise Conflict("clock.not_running", clock=kept.clock.name)


def _append(session: Session, kept: Sequence[Kept]) -> None:
    if kept:
        with db.driver_cursor(session) as cursor:
            execute_values(cursor, f"INSERT INTO clock ({_COLUMNS}) VALUES %s", map(_row, kept), page_size=PAGE_ROWS)


def _row(kept: Kept) -> tuple[object, ...]:
    clock = kept.clock
    limit = standards.limit_columns(clock.limit)
    pauses = [[_iso(pause.start), _iso(pause.end)] for pause in clock.pauses]
    lacking = clock.lacking and clock.lacking.as_dict()
    reason = clock.reason.as_dict() | {"calendar": clock.calendar, "lacking": lacking}
    return (
        kept.issue_id,
        clock.name,
        kept.department,
        kept.version,
        kept.event,
        clock.started_at,
        limit["limit_value"],
        limit["limit_unit"],
        clock.extensions,
        AsJson(pauses),
        clock.due_at,
        clock.warn_at,
        clock.stopped_at,
        AsJson(reason),
        kept.at,
        kept.by,
    )


def _kept(row: Row[Any]) -> Kept:
    lacking: Json | None = row.reason["lacking"]
    clock = Clock(
        name=row.name,
        reason=Reason(row.reason["code"], row.reason["params"]),
        lacking=lacking and Reason(lacking["code"], lacking["params"]),  # type: ignore[arg-type]
        calendar=row.reason["calendar"],
        started_at=row.started_at,
        limit=standards.as_limit(row.limit_value, row.limit_unit),
        due_at=row.due_at,
        warn_at=row.warn_at,
        extensions=row.extensions,
        pauses=tuple(_pause(*each) for each in row.pauses),
        stopped_at=row.stopped_at,
    )
    return Kept(row.issue_id, row.department, row.version, row.event, clock, row.at, row.by)


def _pause(begun: str, ended: str | None) -> Pause:
    return Pause(datetime.fromisoformat(begun), datetime.fromisoformat(ended) if ended else None)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


_COLUMNS = (
    "issue_id, name, department, version, event, started_at, limit_value, limit_unit, extensions, pauses, due_at,"
    " warn_at, stopped_at, reason, at, by"
)
# The last version of each clock, if it has started and not stopped.
_GOING = text(f"""
SELECT * FROM (
    SELECT DISTINCT ON (issue_id, name, department) {_COLUMNS} FROM clock
    ORDER BY issue_id, name, department, version DESC
) AS last WHERE started_at IS NOT NULL AND limit_value IS NOT NULL AND stopped_at IS NULL
""")
_SHOW = text("""
UPDATE issue SET due_at = first.due_at, warn_at = first.warn_at
FROM unnest(CAST(:ids AS bigint[])) AS asked (id) LEFT JOIN LATERAL (
    SELECT last.due_at, last.warn_at FROM (
        SELECT DISTINCT ON (name) name, due_at, warn_at, stopped_at FROM clock
        WHERE issue_id = asked.id AND department = '' AND name = ANY(:ends) ORDER BY name, version DESC
    ) AS last WHERE last.due_at IS NOT NULL AND last.stopped_at IS NULL ORDER BY last.due_at, last.name LIMIT 1
) AS first ON true
WHERE issue.id = asked.id
""")
_DUE = text("SELECT id, code, due_at, lead FROM issue WHERE due_at < :now ORDER BY due_at, id")
_DUE_OR_SOON = text("SELECT id, code, due_at, lead FROM issue WHERE warn_at <= :now ORDER BY due_at, id")

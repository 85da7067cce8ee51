"""Lateness: that a clock ran out is a fact that stays. An appeal that was granted stands beside it and exempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.issues import journal
from gis.issues.clerk import Clerk
from gis.issues.journal import Line
from gis.issues.messages import outbox
from gis.issues.messages.outbox import Tiding
from gis.issues.moves import ENDS

Json = dict[str, Any]
OVERDUE = "overdue"
SYSTEM = "system"


@dataclass(frozen=True)
class Fact:
    """A clock that ran out. department: "" for a clock of the issue itself."""

    issue_id: int
    department: str
    clock: str
    due_at: datetime


@dataclass(frozen=True)
class Count:
    """How often a department was late as lead or by its own clock, and how often that was exempted."""

    department: str
    late_n: int
    exempted_n: int

    @property
    def counted_n(self) -> int:
        """What counts against it."""
        return self.late_n - self.exempted_n


def note(session: Session, facts: Sequence[Fact], clerk: Clerk) -> int:
    """Write facts down, tell of those that are new, and return how many were."""
    if not facts:
        return 0
    names = ("issue_id", "department", "clock", "due_at")
    columns = {name: [getattr(fact, name) for fact in facts] for name in names}
    rows = session.execute(_NOTE, columns | {"now": clerk.now}).all()
    journal.append_all(session, [_line(row) for row in rows], by=SYSTEM, now=clerk.now)
    if not clerk.quiet:
        outbox.put(session, [_tiding(row, clerk) for row in rows], clerk.settings, clerk.now)
    return len(rows)


def find(session: Session, now: datetime, most: int) -> list[Fact]:
    """Find clocks that ran out by now and stand nowhere as late, the first due first."""
    return [Fact(**row) for row in session.execute(_FIND, {"now": now, "most": most, "ends": list(ENDS)}).mappings()]


def soon(session: Session, now: datetime) -> dict[str, list[str]]:
    """List by leading department the issues that are due soon and not yet late, the first due first."""
    found: dict[str, list[str]] = {}
    for department, code in session.execute(_SOON, {"now": now}):
        found.setdefault(department, []).append(code)
    return found


def of_issue(session: Session, issue_id: int) -> list[Json]:
    """List what was late about an issue, with the appeal and its answer beside each fact."""
    rows = session.execute(_OF_ISSUE, {"issue_id": issue_id}).mappings()
    return [dict(row) | {name: row[name].isoformat() for name in ("due_at", "found_at")} for row in rows]


def counts(session: Session, start: datetime, end: datetime) -> list[Count]:
    """Count by department what ran out in a period; what an appeal exempted is in both numbers."""
    return [Count(*row) for row in session.execute(_COUNTS, {"start": start, "end": end})]


def _line(row: Row[Any]) -> Line:
    params = {"clock": f"clock.name.{row.clock}", "due_at": row.due_at.isoformat()}
    return Line(OVERDUE, row.issue_id, params | ({"department": row.department} if row.department else {}), row.ground)


def _tiding(row: Row[Any], clerk: Clerk) -> Tiding:
    concerned = (row.department or row.lead,) if row.department or row.lead else ()
    due_at = row.due_at.astimezone(clerk.zone)
    stem = f"{row.code}:{row.department}:{row.clock}:{row.due_at.isoformat()}"
    return Tiding(OVERDUE, stem, concerned, row.issue_id, {"code": row.code, "due_at": f"{due_at:%Y-%m-%d %H:%M}"})


_NOTE = text("""
WITH fresh AS (
    INSERT INTO lateness (issue_id, department, clock, due_at, found_at)
    SELECT issue_id, department, clock, due_at, :now
    FROM unnest(CAST(:issue_id AS bigint[]), CAST(:department AS text[]), CAST(:clock AS text[]),
                CAST(:due_at AS timestamptz[])) AS said (issue_id, department, clock, due_at)
    ON CONFLICT DO NOTHING
    RETURNING issue_id, department, clock, due_at
)
SELECT fresh.*, issue.code, issue.ground, issue.lead FROM fresh JOIN issue ON issue.id = fresh.issue_id
ORDER BY fresh.due_at, fresh.issue_id
""")
# The issue's row says when the first of the clocks that end it runs out; departments' own clocks are asked beside it,
# and those of a work order that end nothing: for signing, and for the call to who reported.
_FIND = text("""
(SELECT issue.id AS issue_id, '' AS department, first.name AS clock, issue.due_at
FROM issue CROSS JOIN LATERAL (
    SELECT name FROM clock WHERE clock.issue_id = issue.id AND clock.department = '' AND clock.due_at = issue.due_at
    ORDER BY version DESC, name LIMIT 1
) AS first
WHERE issue.due_at < :now AND NOT EXISTS (
    SELECT FROM lateness
    WHERE lateness.issue_id = issue.id AND lateness.department = '' AND lateness.due_at = issue.due_at
)
ORDER BY issue.due_at, issue.id LIMIT :most)
UNION ALL
(SELECT clock.issue_id, clock.department, clock.name, clock.due_at
FROM clock JOIN issue ON issue.id = clock.issue_id
WHERE clock.department <> '' AND clock.stopped_at IS NULL AND clock.due_at < :now AND issue.closed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM clock AS later WHERE later.issue_id = clock.issue_id AND later.name = clock.name
         AND later.department = clock.department AND later.version > clock.version)
  AND NOT EXISTS (
      SELECT FROM lateness WHERE (lateness.issue_id, lateness.department, lateness.clock, lateness.due_at)
                               = (clock.issue_id, clock.department, clock.name, clock.due_at))
ORDER BY clock.due_at, clock.issue_id LIMIT :most)
UNION ALL
(SELECT clock.issue_id, '', clock.name, clock.due_at
FROM clock JOIN issue ON issue.id = clock.issue_id
WHERE clock.department = '' AND clock.name IN ('sign', 'contact') AND clock.stopped_at IS NULL AND clock.due_at < :now
  AND issue.state <> ALL(CAST(:ends AS text[]))
  AND NOT EXISTS (
      SELECT FROM clock AS later WHERE later.issue_id = clock.issue_id AND later.name = clock.name
         AND later.department = '' AND later.version > clock.version)
  AND NOT EXISTS (
      SELECT FROM lateness WHERE (lateness.issue_id, lateness.department, lateness.clock, lateness.due_at)
                               = (clock.issue_id, '', clock.name, clock.due_at))
ORDER BY clock.due_at, clock.issue_id LIMIT :most)
""")
_SOON = text("""
SELECT lead, code FROM issue WHERE warn_at <= :now AND due_at > :now AND lead IS NOT NULL ORDER BY lead, due_at, id
""")
_BESIDE = """
FROM lateness
LEFT JOIN appeal ON (appeal.issue_id, appeal.department, appeal.clock, appeal.due_at)
                  = (lateness.issue_id, lateness.department, lateness.clock, lateness.due_at)
LEFT JOIN appeal_answer ON appeal_answer.appeal_id = appeal.id
"""
_OF_ISSUE = text(f"""
SELECT lateness.department, lateness.clock, lateness.due_at, lateness.found_at, appeal.by_department,
       appeal.fields ->> 'reason' AS reason, appeal.id IS NOT NULL AS appealed, appeal_answer.granted,
       appeal_answer.fields ->> 'reason' AS answer
{_BESIDE} WHERE lateness.issue_id = :issue_id ORDER BY lateness.due_at, lateness.department, lateness.clock
""")
_COUNTS = text(f"""
SELECT coalesce(nullif(lateness.department, ''), issue.lead) AS whose, count(*),
       count(*) FILTER (WHERE appeal_answer.granted)
{_BESIDE} JOIN issue ON issue.id = lateness.issue_id
WHERE lateness.due_at >= :start AND lateness.due_at < :end AND (lateness.department <> '' OR issue.lead IS NOT NULL)
GROUP BY whose ORDER BY whose
""")

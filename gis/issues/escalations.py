"""What goes up by itself: whistles nobody answered, orders nobody carried out, consultations that did not decide.

Each is told or handed on once for each time it runs out; asking twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import journal, workflow
from gis.issues.matter import Actor, Said
from gis.issues.moves import SYSTEM
from gis.issues.whistle_acts import guards
from gis.issues.whistle_acts.acts import UNANSWERED
from gis.issues.whistles import levels
from gis.issues.workflow import Loop

BY_ITSELF = Actor(SYSTEM, SYSTEM)
# The reason the system gives, said in the reader's language.
NOBODY = "whistles.auto.unanswered"


@dataclass(frozen=True)
class Risen:
    """Something that ran out of time. kind: whistle, make_safe, line or consultation; number: which of its issue."""

    issue: str
    kind: str
    number: int


def due(session: Session, now: datetime, loop: Loop) -> list[Risen]:
    """Hand on and tell what ran out of time by now; return it. Safe to do twice."""
    return [*_whistles(session, now, loop), *_errands(session, now), *_consultations(session, now, loop)]


def _whistles(session: Session, now: datetime, loop: Loop) -> list[Risen]:
    """Send unanswered whistles up; where nobody stands above, say so once."""
    risen = []
    for row in session.execute(_UNANSWERED, {"now": now, "told": UNANSWERED}).all():
        # Another worker may have been here while we waited for the issue.
        about = loop.look(session, row.code, now, hold=True)
        whistle = next(each for each in about.whistles if each.number == row.number)
        if not whistle.is_open or (whistle.called_version and not whistle.absent) or whistle.held_by != row.held_by:
            continue
        said = {"whistle": row.number, "reason": NOBODY}
        up = levels.above(session, whistle.held_by, about.today)
        if up is None and UNANSWERED in about.row.marks:
            continue
        move, fields = ("escalate_whistle", said) if up else ("give_notice", {"whistle": row.number})
        workflow.advance(session, row.code, move, Said(BY_ITSELF, now, fields), loop)
        risen.append(Risen(row.code, "whistle", row.number))
    return risen


def _errands(session: Session, now: datetime) -> list[Risen]:
    """Tell of orders that were not carried out in time."""
    rows = session.execute(_LATE_ERRANDS, {"now": now}).all()
    lines = [
        journal.Line(f"late_{row.kind}", row.issue_id, {"department": row.department}, tuple(row.ground))
        for row in rows
    ]
    journal.append_all(session, lines, by=SYSTEM, now=now)
    return [Risen(row.code, row.kind, row.number) for row in rows]


def _consultations(session: Session, now: datetime, loop: Loop) -> list[Risen]:
    """Make what a consultation did not decide in time a superior's matter."""
    risen = []
    for row in session.execute(_LATE_CONSULTATIONS, {"now": now}).all():
        about = loop.look(session, row.code, now, hold=True)
        held = guards.waiting(about)
        if held and held.number == row.number and held.late_at is None:
            workflow.advance(session, row.code, "undecided", Said(BY_ITSELF, now), loop)
            risen.append(Risen(row.code, "consultation", row.number))
    return risen


# The centre's time to answer, else the time to report in by. Those above whom nobody stands are told of once.
_UNANSWERED = text("""
SELECT issue.code, whistle.number, whistle.held_by
FROM whistle JOIN issue ON issue.id = whistle.issue_id
WHERE whistle.state IN ('blown', 'called')
  AND issue.state IN ('filed', 'dispatched', 'handling', 'fed_back', 'inspected', 'returned', 'suspended')
  AND (whistle.answer_due_at < :now
       OR (whistle.state = 'called' AND whistle.answer_due_at IS NULL AND whistle.report_by < :now
           AND NOT issue.marks @> ARRAY[CAST(:told AS text)]))
ORDER BY issue.id, whistle.number
""")
_LATE_ERRANDS = text("""
UPDATE errand SET late_at = :now FROM issue
WHERE issue.id = errand.issue_id AND errand.done_at IS NULL AND errand.late_at IS NULL AND errand.due_at < :now
RETURNING issue.code, errand.number, errand.kind, errand.issue_id, errand.department, issue.ground
""")
_LATE_CONSULTATIONS = text("""
SELECT issue.code, consultation.number FROM consultation JOIN issue ON issue.id = consultation.issue_id
WHERE held_at IS NULL AND late_at IS NULL AND consultation.due_at < :now
  AND issue.state IN ('filed', 'dispatched', 'handling', 'returned')
ORDER BY issue.id
""")

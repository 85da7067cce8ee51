"""What goes up by itself: whistles nobody answered, orders nobody carried out, consultations that did not decide.

Each is told or handed on once for each time it runs out; asking twice changes nothing. Each stands alone: what is due
is listed first, and the caller does one after the other in transactions of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import asides, journal, workflow
from gis.issues.matter import Actor, Matter, Said
from gis.issues.moves import ENDS, SYSTEM
from gis.issues.whistle_acts import guards
from gis.issues.whistle_acts.acts import UNANSWERED
from gis.issues.whistles import levels
from gis.issues.whistles.record import Whistle
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


def due(session: Session, now: datetime) -> list[Risen]:
    """List what ran out of time by now and was not handed on or told yet."""
    asked = {"now": now, "told": UNANSWERED, "ends": sorted(ENDS)}
    found = [
        row for listed in (_UNANSWERED, _LATE_ERRANDS, _LATE_CONSULTATIONS) for row in session.execute(listed, asked)
    ]
    return [Risen(row.code, row.kind, row.number) for row in found]


def hand_on(session: Session, late: Risen, now: datetime, loop: Loop) -> bool:
    """Hand one of them on, or tell of it; say whether there still was cause to: another may have been here since."""
    about = loop.look(session, late.issue, now, hold=True)
    match late.kind:
        case "whistle":
            return _whistle(about, late.number, now, loop)
        case "consultation":
            return _consultation(about, late.number, now, loop)
        case _:
            return _errand(about, late, now)


def _whistle(about: Matter, number: int, now: datetime, loop: Loop) -> bool:
    """Send an unanswered whistle up; where nobody stands above, say so once."""
    whistle = next(each for each in about.whistles if each.number == number)
    if not _is_unanswered(whistle, now):
        return False
    up = levels.above(about.session, whistle.held_by, about.today)
    if up is None and UNANSWERED in about.row.marks:
        return False
    said = {"whistle": number, "reason": NOBODY}
    move, fields = ("escalate_whistle", said) if up else ("give_notice", {"whistle": number})
    workflow.advance(about.session, about.row.code, move, Said(BY_ITSELF, now, fields), loop)
    return True


def _is_unanswered(whistle: Whistle, now: datetime) -> bool:
    """Tell whether its time is over: the centre's to answer, or else the departments' to report in."""
    if not whistle.is_open or (whistle.called_version and not whistle.absent):
        return False
    until = whistle.answer_due_at or whistle.report_by
    return until is not None and until < now


def _consultation(about: Matter, number: int, now: datetime, loop: Loop) -> bool:
    """Make what a consultation did not decide in time a superior's matter."""
    held = guards.waiting(about)
    if held is None or held.number != number or held.late_at is not None:
        return False
    workflow.advance(about.session, about.row.code, "undecided", Said(BY_ITSELF, now), loop)
    return True


def _errand(about: Matter, late: Risen, now: datetime) -> bool:
    """Tell of an order that was not carried out in time."""
    asked = {"id": about.row.id, "kind": late.kind, "number": late.number, "now": now}
    department = about.session.scalar(_NOTE_LATE, asked)
    if department is None:
        return False
    params = {"department": department} | asides.bound(about.session, about.id)
    line = journal.Line(f"late_{late.kind}", about.row.id, params, tuple(about.row.ground))
    journal.append_all(about.session, [line], by=SYSTEM, now=now)
    return True


# The centre's time to answer, else the time to report in by. Those above whom nobody stands are told of once.
_UNANSWERED = text("""
SELECT issue.code, 'whistle' AS kind, whistle.number
FROM whistle JOIN issue ON issue.id = whistle.issue_id
WHERE whistle.state IN ('blown', 'called')
  AND issue.state IN ('filed', 'dispatched', 'handling', 'fed_back', 'inspected', 'returned', 'suspended')
  AND (whistle.answer_due_at < :now
       OR (whistle.state = 'called' AND whistle.answer_due_at IS NULL AND whistle.report_by < :now
           AND NOT issue.marks @> ARRAY[CAST(:told AS text)]))
ORDER BY issue.id, whistle.number
""")
_LATE_ERRANDS = text("""
SELECT issue.code, errand.kind, errand.number FROM errand JOIN issue ON issue.id = errand.issue_id
WHERE errand.done_at IS NULL AND errand.late_at IS NULL AND errand.due_at < :now
  AND issue.state <> ALL(CAST(:ends AS text[]))
ORDER BY issue.id, errand.number
""")
_NOTE_LATE = text("""
UPDATE errand SET late_at = :now
WHERE issue_id = :id AND kind = :kind AND number = :number AND done_at IS NULL AND late_at IS NULL
RETURNING department
""")
_LATE_CONSULTATIONS = text("""
SELECT issue.code, 'consultation' AS kind, consultation.number
FROM consultation JOIN issue ON issue.id = consultation.issue_id
WHERE held_at IS NULL AND late_at IS NULL AND consultation.due_at < :now
  AND issue.state IN ('filed', 'dispatched', 'handling', 'returned')
ORDER BY issue.id
""")

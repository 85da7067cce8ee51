"""Papers that an issue's own record asks for: minutes of a consultation that was held, a letter behind an urging.

Each is written once: who asks for it again gets the one there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound
from gis.issues import deadlines
from gis.issues.moves import ENDS
from gis.issues.papers import book, drafting
from gis.issues.papers.book import Author, Numbered
from gis.issues.papers.drafting import Demand
from gis.issues.papers.values import MINUTES, SUPERVISION, Minutes
from gis.issues.worktime import WORK_DAY, Limit
from gis.settings import Settings

PLACE_MOST = 200


@dataclass(frozen=True)
class Meeting:
    """What the record of a consultation does not say: where it was held, and which of the departments called came."""

    number: int
    place: str
    present: tuple[str, ...]


@dataclass(frozen=True)
class Open:
    """The papers of an issue, and what its record still asks for.

    minutes: the consultations without; letter: an urging without; called: the departments that may have met.
    """

    issued: tuple[Numbered, ...]
    called: tuple[str, ...]
    minutes: tuple[int, ...]
    letter: bool


def minutes(session: Session, code: str, meeting: Meeting, author: Author) -> Numbered:
    """Write the minutes of a consultation, or return those there are.

    Raise NotFound for an issue the author does not see, Conflict where it was not held, Invalid for who came or where.
    """
    issue_id = _hold(session, code)
    if (there := _minutes_of(book.of_issue(session, issue_id), meeting.number)) is not None:
        return there
    row = session.execute(_HELD, {"issue_id": issue_id, "number": meeting.number}).one_or_none()
    if row is None:
        raise Conflict("paper.not_held", code=code)
    return book.enter(session, _said(session, row, meeting, author), author, issue_id)


def letter(session: Session, code: str, author: Author, signed_by: str, settings: Settings) -> Numbered:
    """Write the letter behind the last urging of an issue, or return the one there is; raise as `minutes` does.

    It demands what the urging said, by the day the issue is due, or where that has passed in `letter_days`.
    """
    issue_id = _hold(session, code)
    urging = session.execute(_URGING, {"issue_id": issue_id}).one_or_none()
    if urging is None:
        raise Conflict("paper.not_urged", code=code)
    if (there := _letter_behind(book.of_issue(session, issue_id), urging)) is not None:
        return there
    limit = Limit(Fraction(settings.letter_days), WORK_DAY)
    usual = deadlines.after(session, author.now, limit, settings) or author.now + timedelta(days=settings.letter_days)
    until: datetime = urging.due_at if urging.due_at and urging.due_at > author.now else usual
    words = "\n".join(urging.fields[name] for name in ("reason", "document") if urging.fields.get(name))
    demand = Demand(words, until.astimezone(author.zone).date(), signed_by)
    return book.enter(session, drafting.supervision(session, code, demand, author.now)[1], author, issue_id)


def open_of(session: Session, issue_id: int) -> Open:
    """List the papers of an issue, and what its record still asks for."""
    issued = tuple(book.of_issue(session, issue_id))
    held = session.scalars(_NUMBERS, {"issue_id": issue_id})
    urging = session.execute(_URGING, {"issue_id": issue_id}).one_or_none()
    wanted = urging is not None and urging.goes_on and _letter_behind(issued, urging) is None
    called = tuple(each.code for each in session.execute(_CALLED, {"issue_id": issue_id}))
    return Open(issued, called, tuple(each for each in held if _minutes_of(issued, each) is None), wanted)


def unwritten(session: Session, most: int) -> list[Row[Any]]:
    """List consultations that were held and have no minutes, the last first: code, number, held_at."""
    return list(session.execute(_UNWRITTEN, {"most": most, "kind": MINUTES}))


def _said(session: Session, row: Row[Any], meeting: Meeting, author: Author) -> Minutes:
    if not 0 < len(meeting.place.strip()) <= PLACE_MOST:
        raise Invalid("paper.no_place", most=PLACE_MOST)
    called = session.execute(_CALLED, {"issue_id": row.issue_id}).all()
    codes = {each.code for each in called}
    if not meeting.present or set(meeting.present) - codes:
        raise Invalid("paper.nobody_came", departments=", ".join(sorted(codes)))
    came = [each for each in called if each.code in meeting.present]
    stayed = [each for each in called if each.code not in meeting.present]
    opinions = session.execute(_OPINIONS, {"issue_id": row.issue_id, "until": row.held_at}).all()
    return Minutes(
        title=f"{row.category_zh} {row.code}", title_en=f"{row.category_en} {row.code}",
        held_at=row.held_at.isoformat(), place=meeting.place.strip(), chair=row.chair,
        present=_zh(came), present_en=_en(came), absent=_zh(stayed), absent_en=_en(stayed), issues=(row.code,),
        matter=row.reason, opinions=tuple((each.name_zh, each.said) for each in opinions),
        opinions_en=tuple((each.name_en, each.said) for each in opinions),
        decisions=tuple(line.strip() for line in row.minutes.splitlines() if line.strip()),
        document=" · ".join(each for each in (row.document, row.agreement) if each),
        lead_zh=row.lead_zh or "", lead_en=row.lead_en or "", taken_by=author.by, consultation=meeting.number,
    )  # fmt: skip


def _zh(departments: Sequence[Row[Any]]) -> tuple[str, ...]:
    return tuple(each.name_zh for each in departments)


def _en(departments: Sequence[Row[Any]]) -> tuple[str, ...]:
    return tuple(each.name_en for each in departments)


def _hold(session: Session, code: str) -> int:
    """Hold an issue, so that two who ask at once get one paper."""
    issue_id = session.scalar(text("SELECT id FROM issue WHERE code = :code FOR UPDATE"), {"code": code})
    if issue_id is None:
        raise NotFound("issue.not_found", code=code)
    return int(issue_id)


def _minutes_of(papers: Sequence[Numbered], number: int) -> Numbered | None:
    return next((each for each in papers if isinstance(each.said, Minutes) and each.said.consultation == number), None)


def _letter_behind(papers: Sequence[Numbered], urging: Row[Any]) -> Numbered | None:
    return next((each for each in papers if each.kind == SUPERVISION and each.at >= urging.at), None)


_NAME_EN = "coalesce(nullif(department.name_en, ''), department.name_zh)"
_NUMBERS = text("""
SELECT number FROM consultation WHERE issue_id = :issue_id AND held_at IS NOT NULL ORDER BY number
""")
_HELD = text(f"""
SELECT consultation.*, issue.code, coalesce(account.name, consultation.by) AS chair,
       coalesce(category.name_zh, issue.category) AS category_zh,
       coalesce(nullif(category.name_en, ''), category.name_zh, issue.category) AS category_en,
       department.name_zh AS lead_zh, {_NAME_EN} AS lead_en
FROM consultation JOIN issue ON issue.id = consultation.issue_id
LEFT JOIN account ON account.username = consultation.by
LEFT JOIN department ON department.code = consultation.lead
LEFT JOIN category ON (category.scheme, category.version, category.code)
                    = (issue.scheme, issue.scheme_version, issue.category)
WHERE consultation.issue_id = :issue_id AND number = :number AND held_at IS NOT NULL
""")
# Also those it was taken from again: they were asked to the table.
_CALLED = text(f"""
SELECT department.code, department.name_zh, {_NAME_EN} AS name_en
FROM department WHERE code IN (SELECT department FROM party WHERE issue_id = :issue_id) ORDER BY code
""")
# What each had said against being called: the last words of each before the meeting.
_OPINIONS = text(f"""
SELECT * FROM (
    SELECT DISTINCT ON (move.department) department.name_zh, {_NAME_EN} AS name_en, move.fields ->> 'reason' AS said,
           move.version
    FROM move JOIN department ON department.code = move.department
    WHERE issue_id = :issue_id AND name IN ('return', 'refuse', 'not_admitted') AND at <= :until
      AND coalesce(move.fields ->> 'reason', '') <> ''
    ORDER BY move.department, version DESC
) AS last ORDER BY version
""")
_URGING = text("""
SELECT move.at, move.fields, issue.due_at,
       issue.lead IS NOT NULL AND issue.state NOT IN (SELECT unnest(CAST(:ends AS text[]))) AS goes_on
FROM move JOIN issue ON issue.id = move.issue_id
WHERE issue_id = :issue_id AND name IN ('urge', 'supervise') ORDER BY move.version DESC LIMIT 1
""").bindparams(ends=sorted(ENDS))
_UNWRITTEN = text("""
SELECT issue.code, consultation.number, consultation.held_at
FROM consultation JOIN issue ON issue.id = consultation.issue_id
WHERE held_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM paper WHERE paper.issue_id = consultation.issue_id AND kind = :kind
    AND said -> 'consultation' = to_jsonb(consultation.number))
ORDER BY held_at DESC LIMIT :most
""")

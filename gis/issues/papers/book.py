"""The book of papers: each gets the next number of its kind and year, without gaps or doubles, and stays as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.db import Scope
from gis.errors import NotFound
from gis.issues import journal
from gis.issues.papers import values
from gis.issues.papers.tables import Paper
from gis.issues.papers.values import Said

PAGE_ROWS = 50


@dataclass(frozen=True)
class Numbered:
    """A paper with its number."""

    id: int
    kind: str
    year: int
    number: int
    issue_id: int | None
    said: Said
    by: str
    at: datetime


@dataclass(frozen=True)
class Author:
    """Who writes a paper, when, and by which clocks the year is told."""

    by: str
    now: datetime
    zone: ZoneInfo


def enter(session: Session, said: Said, author: Author, issue_id: int | None = None) -> Numbered:
    """Give a paper the next number of its kind and year, and keep it."""
    year = author.now.astimezone(author.zone).year
    number = _next(session, said.kind, year)
    scope: Scope = session.info["scope"]
    kept = Paper(
        kind=said.kind, year=year, number=number, issue_id=issue_id, said=values.as_json(said), by=author.by,
        at=author.now, ground=[] if scope.all else scope.ground.split(),
    )  # fmt: skip
    session.add(kept)
    session.flush()
    params = {"paper": f"paper.{said.kind}", "year": year, "number": number}
    ground = _ground(session, issue_id) if issue_id else tuple(kept.ground)
    journal.append(session, journal.Line("paper", issue_id, params, ground), by=author.by, now=author.now)
    return _numbered(kept)


def get(session: Session, paper_id: int) -> Numbered:
    """Return a paper; raise NotFound, also for one the asker may not see."""
    kept = session.get(Paper, paper_id)
    if kept is None:
        raise NotFound("paper.unknown", id=paper_id)
    return _numbered(kept)


def find(session: Session, kind: str | None = None, before: int | None = None) -> list[Numbered]:
    """List papers, the latest first: a page that begins behind a number."""
    kept = select(Paper).order_by(Paper.id.desc()).limit(PAGE_ROWS)
    if kind:
        kept = kept.where(Paper.kind == kind)
    if before is not None:
        kept = kept.where(Paper.id < before)
    return [_numbered(each) for each in session.scalars(kept)]


def of_issue(session: Session, issue_id: int) -> list[Numbered]:
    """List the papers about an issue, the latest first."""
    kept = select(Paper).where(Paper.issue_id == issue_id).order_by(Paper.id.desc())
    return [_numbered(each) for each in session.scalars(kept)]


def _next(session: Session, kind: str, year: int) -> int:
    """Return the next number; who asks next waits until this one is kept or given up: none is lost or given twice."""
    lock = text("SELECT pg_advisory_xact_lock(:room, hashtext(:what))")
    session.execute(lock, {"room": LOCK, "what": f"{kind}{year}"})
    # A statement of its own: it looks at the table as it is after the wait.
    last: int = session.scalars(text("SELECT last_paper(:kind, :year)"), {"kind": kind, "year": year}).one()
    return last + 1


def _ground(session: Session, issue_id: int) -> tuple[str, ...]:
    ground = session.scalar(text("SELECT ground FROM issue WHERE id = :id"), {"id": issue_id})
    return tuple(ground or ())


def _numbered(kept: Paper) -> Numbered:
    said = values.parse(kept.kind, kept.said)
    return Numbered(kept.id, kept.kind, kept.year, kept.number, kept.issue_id, said, kept.by, kept.at)


LOCK = 0x5AA8

"""Issues to be evaluated in the small town: limited, handled, closed, answered; and a count with its list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from psycopg2.extras import Json
from sqlalchemy.orm import Session

from gis.issues import clocks, evaluation
from gis.issues.clerk import Clerk
from gis.issues.clocks import Clock, Reason
from gis.issues.evaluation import ALL, Formulas, Period, Question, facts
from gis.issues.worktime import URGENT_HOUR, Limit
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, CLERK, INSPECTOR, NOW, Way

FORMULAS = evaluation.read()
JUNE = Period(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
DAY = timedelta(days=1)
DISTRICTS = Question(JUNE, "admin:district")
DEPARTMENTS = Question(JUNE)
YES = {"contacted": "yes", "solved": "yes", "satisfied": "yes"}
PHONE = {"name": "李雷", "phone": "10012345678"}


def timed(way: Way, hours: int = 10) -> Way:
    """Give an issue some hours round the clock from now."""
    limit = Limit(Fraction(hours), URGENT_HOUR)
    due_at = NOW + timedelta(hours=hours)
    clock = Clock("handle", Reason("clock.by_condition"), started_at=NOW, limit=limit, due_at=due_at)
    clocks.start(way.session, [(way.issue_id, [clock])], Clerk("gis", NOW))
    return way


def plain(session: Session, nth: int = 1, **changes: Any) -> Way:
    """Give an issue of the west with a limit, reported now."""
    return timed(looped.plain(session, nth, **{"reported_at": NOW, "reporter": Json(PHONE), **changes}))


def across(session: Session, nth: int = 1) -> Way:
    """Give one across the line."""
    return timed(looped.across(session, nth, reported_at=NOW, reporter=Json(PHONE)))


def handled(way: Way) -> Way:
    """Let its lead do it."""
    return way.after(("sign", CG), ("feed_back", CG, {"done": "好"}))


def closed(way: Way) -> Way:
    """Let it be inspected and closed."""
    return handled(way).after(("pass", INSPECTOR), ("close", CHIEF))


def answered(way: Way, **said: str) -> Way:
    """Let who reported it answer."""
    closed(way).make("evaluate", CLERK, YES | said)
    return way


def count(
    session: Session, name: str, subject: str = ALL, question: Question = DISTRICTS, formulas: Formulas = FORMULAS
) -> int:
    """Count, and see to it that the list behind the number is as long and names no issue twice."""
    counted = facts.count(session, question, formulas).get(subject, {}).get(name, 0)
    listed = evaluation.listed(session, question, formulas, subject, name)
    assert (len(listed), len(set(listed))) == (counted, counted)
    return counted

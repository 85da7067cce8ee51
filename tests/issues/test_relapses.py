"""Relapses: near, soon and of the same category; one that is not is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import relapses
from gis.issues.clerk import Clerk
from gis.settings import Settings
from tests.issues import filed

CLOSED_AT = datetime(2026, 6, 1, tzinfo=UTC)
CLERK = Clerk("wu", CLOSED_AT + timedelta(days=10), Settings(relapse_m=50.0, relapse_days=30))
# One hundredth of a degree of longitude here is about 962 m.
WEST_M = 1 / 962


@pytest.fixture
def past(session: Session) -> int:
    filed.people(session)
    issue_id = filed.issue(session, 1, 1.0, 0.5, state="closed")
    session.execute(text("UPDATE issue SET closed_at = :at"), {"at": CLOSED_AT})
    return issue_id


def again(session: Session, east_m: float = 20, days: float = 5, **changes: Any) -> int | None:
    """File the same thing again so far to the east and so long after; return what it is a relapse of."""
    at = CLOSED_AT + timedelta(days=days)
    fresh = filed.issue(session, 2, 1.0 + east_m * WEST_M, 0.5, reported_at=at, **changes)
    relapses.mark(session, [fresh], replace(CLERK, now=at))
    return session.scalar(text("SELECT relapse_of FROM issue WHERE id = :id"), {"id": fresh})


def test_the_same_thing_near_by_and_soon_after_is_a_relapse(session: Session, past: int) -> None:
    assert again(session) == past


def test_both_histories_say_so(session: Session, past: int) -> None:
    again(session)
    told = {row.kind: row.params["code"] for row in session.execute(text("SELECT kind, params FROM entry"))}
    assert told == {"relapse": "990101000001", "relapsed": "990101000002"}


@pytest.mark.parametrize("east_m", [0, 49])
def test_within_the_metres_it_is(session: Session, past: int, east_m: float) -> None:
    assert again(session, east_m) == past


@pytest.mark.parametrize(
    "otherwise", [{"east_m": 52}, {"days": 31}, {"days": -1}, {"category": "0502"}, {"scheme": "other"}]
)
def test_farther_later_earlier_or_of_another_kind_it_is_not(
    session: Session, past: int, otherwise: dict[str, Any]
) -> None:
    scheme = otherwise.pop("scheme", None)
    if scheme:
        session.execute(text("UPDATE issue SET scheme = :scheme"), {"scheme": scheme})
    assert again(session, **otherwise) is None


@pytest.mark.parametrize("state", ["handling", "voided", "merged"])
def test_what_was_not_closed_cannot_relapse(session: Session, past: int, state: str) -> None:
    session.execute(text("UPDATE issue SET state = :state"), {"state": state})
    assert again(session) is None


def test_of_several_the_nearest_counts(session: Session, past: int) -> None:
    nearer = filed.issue(session, 3, 1.0 + 15 * WEST_M, 0.5, state="closed")
    session.execute(text("UPDATE issue SET closed_at = :at"), {"at": CLOSED_AT})
    assert again(session) == nearer

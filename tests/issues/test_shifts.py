"""Shifts: what is left behind is counted, the next one signs, the log is only appended to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues.ledgers import shifts
from gis.issues.ledgers.shifts import Watch
from gis.issues.matter import Actor
from gis.people import accounts
from gis.people.accounts import Newcomer
from tests.issues import filed

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
ANN, BOB, CAT = (Actor(name, "shift_leader") for name in ("ann", "bob", "cat"))
WATCH = Watch("bob", "东湖路井盖盯紧", ["990101000001"])


@pytest.fixture
def shift(session: Session) -> Session:
    """Give three shift leaders and a clerk, and four issues: one is late, one was closed."""
    filed.people(session)
    for actor in (ANN, BOB, CAT, Actor("clerk", "clerk")):
        accounts.add(session, Newcomer(actor.username, "a long password", actor.username, actor.role), now=NOW)
    for nth, state in enumerate(("filed", "inspected", "handling", "closed"), 1):
        filed.issue(session, nth, state=state)
    late = {"due": NOW - timedelta(hours=1)}
    session.execute(text("UPDATE issue SET due_at = :due WHERE code IN ('990101000001', '990101000004')"), late)
    return eyes(session, ANN)


def eyes(session: Session, actor: Actor) -> Session:
    db.see_as(session, Scope(all=True, username=actor.username))
    return session


def test_what_is_open_and_late_is_counted(shift: Session) -> None:
    told = shifts.count(shift, NOW)
    assert (told.open, told.overdue, told.inspected) == (3, 1, 1)
    assert shifts.first_overdue(shift, NOW) == ["990101000001"]


def test_a_hand_over_keeps_the_figures_of_its_moment(shift: Session) -> None:
    shifts.hand_over(shift, WATCH, ANN, NOW)
    shift.execute(text("UPDATE issue SET state = 'closed'"))
    [kept] = shifts.log(shift)
    assert (kept.giver, kept.taker, kept.figures["open"], kept.issues) == ("ann", "bob", 3, ("990101000001",))
    assert kept.signed_at is None


def test_the_taker_signs(shift: Session) -> None:
    number = shifts.hand_over(shift, WATCH, ANN, NOW)
    shifts.sign(eyes(shift, BOB), number, "已阅", BOB, NOW + timedelta(minutes=5))
    [kept] = shifts.log(shift)
    assert (kept.signed_at, kept.signed_note) == (NOW + timedelta(minutes=5), "已阅")


def test_nobody_else_signs(shift: Session) -> None:
    number = shifts.hand_over(shift, WATCH, ANN, NOW)
    with pytest.raises(Forbidden, match=r"shift\.not_the_taker"):
        shifts.sign(eyes(shift, CAT), number, "", CAT, NOW)


def test_the_database_lets_nobody_else_sign(shift: Session) -> None:
    number = shifts.hand_over(shift, WATCH, ANN, NOW)
    with pytest.raises(ProgrammingError, match="row-level security"):
        eyes(shift, CAT).execute(
            text("INSERT INTO shift_signature VALUES (:id, 'cat', '', now())"), {"id": number}
        )


def test_it_is_signed_once(shift: Session) -> None:
    number = shifts.hand_over(shift, WATCH, ANN, NOW)
    shifts.sign(eyes(shift, BOB), number, "", BOB, NOW)
    with pytest.raises(Conflict, match=r"shift\.signed_already"):
        shifts.sign(shift, number, "", BOB, NOW)


def test_a_hand_over_that_is_none_is_not_signed(shift: Session) -> None:
    with pytest.raises(NotFound):
        shifts.sign(shift, 99, "", ANN, NOW)


@pytest.mark.parametrize("taker", ["ann", "clerk", "nobody", ""])
def test_only_another_shift_leader_takes_over(shift: Session, taker: str) -> None:
    with pytest.raises(Invalid, match=r"shift\.no_taker"):
        shifts.hand_over(shift, Watch(taker, ""), ANN, NOW)


def test_who_left_does_not_take_over(shift: Session) -> None:
    accounts.close(shift, "bob", now=NOW)
    with pytest.raises(Invalid, match=r"shift\.no_taker"):
        shifts.hand_over(shift, WATCH, ANN, NOW)


def test_who_left_is_still_named_in_the_log(shift: Session) -> None:
    shifts.hand_over(shift, WATCH, ANN, NOW)
    accounts.close(shift, "ann", now=NOW)
    assert shifts.log(shift)[0].giver == "ann"


def test_a_clerk_hands_nothing_over(shift: Session) -> None:
    clerk = Actor("clerk", "clerk")
    with pytest.raises(Forbidden, match=r"shift\.not_yours"):
        shifts.hand_over(eyes(shift, clerk), WATCH, clerk, NOW)


def test_an_issue_nobody_sees_is_not_watched(shift: Session) -> None:
    with pytest.raises(Invalid, match=r"issue\.not_found"):
        shifts.hand_over(shift, Watch("bob", "", ["no-such-code"]), ANN, NOW)


@pytest.mark.parametrize("table", ["shift_handover", "shift_signature"])
@pytest.mark.parametrize("doing", ["DELETE FROM {}", "UPDATE {} SET at = now()"])
def test_the_log_is_not_changed(shift: Session, table: str, doing: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        shift.execute(text(doing.format(table)))


def test_a_districts_log_is_not_its_neighbours(shift: Session) -> None:
    db.see_as(shift, Scope(units=(("admin", "district", "990101"),), username="ann"))
    shifts.hand_over(shift, WATCH, ANN, NOW)
    db.see_as(shift, Scope(units=(("admin", "district", "990102"),), username="cat"))
    assert shifts.log(shift) == []
    db.see_as(shift, Scope(units=(("admin", "district", "990102"),), username="bob"))
    assert len(shifts.log(shift)) == 1

"""One move on many issues: said before, made one by one, whole or not at all, and taken back where that can be."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Invalid, NotFound
from gis.issues.ledgers import sweeps
from gis.issues.ledgers.sweeps import Outcome, Wish
from gis.issues.matter import Actor, Said
from tests.issues import looped
from tests.issues.looped import CHIEF, LOOP, NOW, Way

STRIKE = {"verified": "on_spot"}


@pytest.fixture
def ways(session: Session) -> list[Way]:
    """Give three closed issues."""
    looped.people(session)
    db.see_as(session, Scope(all=True, username=CHIEF.username))
    return [looped.plain(session, nth).in_state("closed") for nth in (1, 2, 3)]


def wish(ways: Iterable[Way], move: str = "strike", **fields: object) -> Wish:
    return Wish(move, {way.code: way.version for way in ways}, fields or STRIKE)


def said(by: Actor = CHIEF) -> Said:
    return Said(by, NOW)


def all_of(session: Session, sweep_id: int) -> list[Outcome]:
    return [sweeps.carry_out(session, sweep_id, nth, said(), LOOP) for nth in sweeps.waiting(session, sweep_id)]


def swept(session: Session, ways: Iterable[Way]) -> int:
    sweep_id = sweeps.begin(session, wish(ways), said(), LOOP)
    all_of(session, sweep_id)
    return sweep_id


def test_a_preview_says_what_would_come_and_changes_nothing(session: Session, ways: list[Way]) -> None:
    ways[1].in_state("handling")
    found = sweeps.preview(session, wish(ways), said(), LOOP)
    assert [(each.moved, each.code) for each in found] == [
        (True, "sweep.steps"), (False, "workflow.impossible"), (True, "sweep.steps"),
    ]  # fmt: skip
    assert [way.marks for way in ways] == [[], [], []]
    assert session.scalar(text("SELECT count(*) FROM move")) == 0


def test_what_was_carried_out_is_as_the_preview_said(session: Session, ways: list[Way]) -> None:
    ways[2].in_state("filed")
    before = sweeps.preview(session, wish(ways), said(), LOOP)
    after = all_of(session, sweeps.begin(session, wish(ways), said(), LOOP))
    assert [(each.issue, each.moved, each.code) for each in before] == [
        (each.issue, each.moved, each.code) for each in after
    ]
    assert [way.marks for way in ways] == [["struck"], ["struck"], []]


def test_a_refused_issue_leaves_the_others_alone(session: Session, ways: list[Way]) -> None:
    ways[0].in_state("voided")
    swept(session, ways)
    assert [way.marks for way in ways] == [[], ["struck"], ["struck"]]


def test_an_issue_that_moved_since_it_was_chosen_is_told_of(session: Session, ways: list[Way]) -> None:
    chosen = wish(ways)
    ways[0].make("evaluate", looped.CLERK, {"solved": "yes", "satisfied": "yes"})
    outcomes = all_of(session, sweeps.begin(session, chosen, said(), LOOP))
    assert outcomes[0].code == "workflow.moved_on"
    assert ways[0].marks == []


def test_what_is_done_is_not_done_twice(session: Session, ways: list[Way]) -> None:
    sweep_id = swept(session, ways)
    assert sweeps.waiting(session, sweep_id) == []
    with pytest.raises(Conflict, match=r"sweep\.done_already"):
        sweeps.carry_out(session, sweep_id, 0, said(), LOOP)


def test_a_sweep_that_was_broken_off_goes_on_where_it_stopped(session: Session, ways: list[Way]) -> None:
    sweep_id = sweeps.begin(session, wish(ways), said(), LOOP)
    sweeps.carry_out(session, sweep_id, 0, said(), LOOP)
    assert sweeps.waiting(session, sweep_id) == [1, 2]
    all_of(session, sweep_id)
    assert [way.version for way in ways] == [1, 1, 1]


def test_a_move_and_its_outcome_are_there_both_or_neither(session: Session, ways: list[Way]) -> None:
    sweep_id = sweeps.begin(session, wish(ways), said(), LOOP)
    with session.begin_nested() as killed:
        sweeps.carry_out(session, sweep_id, 0, said(), LOOP)
        killed.rollback()
    assert (ways[0].marks, sweeps.outcomes(session, sweep_id)) == ([], [])


def test_a_strike_off_of_many_is_taken_back(session: Session, ways: list[Way]) -> None:
    sweep_id = swept(session, ways)
    back = sweeps.begin(session, sweeps.undoing(session, sweep_id, {"reason": "弄错了"}), said(), LOOP)
    assert [each.moved for each in all_of(session, back)] == [True, True, True]
    assert [way.marks for way in ways] == [[], [], []]


def test_it_is_taken_back_once(session: Session, ways: list[Way]) -> None:
    sweep_id = swept(session, ways)
    undoing = sweeps.undoing(session, sweep_id, {"reason": "弄错了"})
    sweeps.begin(session, undoing, said(), LOOP)
    with pytest.raises(Conflict, match=r"sweep\.undone_already"):
        sweeps.begin(session, undoing, said(), LOOP)


def test_only_what_was_moved_is_taken_back(session: Session, ways: list[Way]) -> None:
    ways[1].in_state("voided")
    undoing = sweeps.undoing(session, swept(session, ways), {"reason": "弄错了"})
    assert list(undoing.issues) == [ways[0].code, ways[2].code]


def test_a_move_without_an_opposite_is_not_taken_back(session: Session, ways: list[Way]) -> None:
    sweep_id = sweeps.begin(session, wish(ways, "evaluate", solved="yes", satisfied="yes"), said(), LOOP)
    with pytest.raises(Conflict, match=r"sweep\.no_way_back"):
        sweeps.undoing(session, sweep_id, {})


def test_a_sweep_is_its_makers_alone(session: Session, ways: list[Way]) -> None:
    sweep_id = swept(session, ways)
    db.see_as(session, Scope(all=True, username="another"))
    with pytest.raises(NotFound):
        sweeps.get(session, sweep_id)


def test_an_issue_outside_the_scope_is_not_there(session: Session, ways: list[Way]) -> None:
    session.flush()
    db.see_as(session, Scope(units=(("admin", "district", "990102"),), username=CHIEF.username))
    found = sweeps.preview(session, Wish("strike", {"990101000001": 0}, STRIKE), said(), LOOP)
    assert [(each.moved, each.code) for each in found] == [(False, "issue.not_found")]


@pytest.mark.parametrize("count", [0, sweeps.ISSUES_MOST + 1])
def test_too_few_or_too_many_are_refused(session: Session, count: int) -> None:
    with pytest.raises(Invalid, match=r"sweep\.how_many"):
        sweeps.preview(session, Wish("strike", {str(nth): 0 for nth in range(count)}, STRIKE), said(), LOOP)


def test_moves_that_need_a_photo_of_each_are_no_choice(session: Session) -> None:
    names = {move.name for move in sweeps.choices(session, LOOP, looped.LEADER)}
    assert "self_handle" not in names
    assert "verify" in names


class TestStriking:
    def test_who_closed_it_may_not_strike_it_off(self, session: Session, ways: list[Way]) -> None:
        way = ways[0].in_state("inspected").after(("close", CHIEF))
        [outcome] = sweeps.preview(session, wish([way]), said(), LOOP)
        assert outcome.code == "workflow.closer_may_not"

    def test_another_shift_leader_may(self, ways: list[Way]) -> None:
        way = ways[0].in_state("inspected").after(("close", CHIEF), ("strike", Actor("second", "shift_leader"), STRIKE))
        assert (way.state, way.marks) == ("closed", ["struck"])

    def test_it_needs_to_say_how_it_was_verified(self, ways: list[Way]) -> None:
        with pytest.raises(Invalid, match=r"workflow\.field_missing"):
            ways[0].make("strike", CHIEF)

    def test_a_handler_may_not(self, session: Session, ways: list[Way]) -> None:
        way = ways[0].in_state("dispatched").after(("sign", looped.CG)).in_state("closed")
        handler = Actor("somebody", "shift_leader", "cg")
        [outcome] = sweeps.preview(session, wish([way]), said(handler), LOOP)
        assert outcome.code == "workflow.handler_may_not"

    def test_reopening_takes_it_off(self, ways: list[Way]) -> None:
        way = ways[0].in_state("inspected").after(("close", Actor("second", "shift_leader")), ("strike", CHIEF, STRIKE))
        way.make("reopen", looped.CLERK, {"reason": "又出现了"})
        assert way.marks == ["reopened"]

    def test_what_is_struck_off_stays_so(self, ways: list[Way]) -> None:
        ways[0].make("strike", CHIEF, STRIKE)
        with pytest.raises(Conflict, match=r"workflow\.struck_already"):
            ways[0].make("strike", CHIEF, STRIKE)

    def test_what_is_not_struck_off_is_not_put_back(self, ways: list[Way]) -> None:
        with pytest.raises(Conflict, match=r"workflow\.not_struck"):
            ways[0].make("unstrike", CHIEF, {"reason": "没有销过"})

"""Moves and clocks: each department by its own, rework and suspension not counted, an extension granted to the lead."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from sqlalchemy.orm import Session

from gis.issues import clocks, lights, parties
from gis.issues.clerk import Clerk
from gis.issues.clocks import Clock, Kept, Reason
from gis.issues.worktime import URGENT_HOUR, Limit
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, DISPATCHER, INSPECTOR, LAW, NOW, SW, Way

DONE, REASON = {"done": "已清理"}, {"reason": "理由"}
LIMIT_H = 10
HOUR = timedelta(hours=1)


def timed(way: Way) -> Way:
    """Give an issue ten hours round the clock from now."""
    limit = Limit(Fraction(LIMIT_H), URGENT_HOUR)
    clock = Clock("handle", Reason("clock.by_condition"), started_at=NOW, limit=limit, due_at=NOW + LIMIT_H * HOUR)
    clocks.start(way.session, [(way.issue_id, [clock])], Clerk("gis", NOW))
    return way


@pytest.fixture
def plain(session: Session) -> Way:
    looped.people(session)
    return timed(looped.plain(session))


@pytest.fixture
def across(session: Session) -> Way:
    looped.people(session)
    return timed(looped.across(session))


def clock(way: Way, department: str = "") -> Kept:
    return next(kept for kept in clocks.of_issue(way.session, way.issue_id) if kept.department == department)


def later(way: Way, hours: float) -> Way:
    way.now = NOW + hours * HOUR
    return way


def light(way: Way, department: str, at: datetime) -> str | None:
    standings = parties.of_issue(way.session, way.issue_id)
    return lights.of_party(way.party(department), standings, way.state, at)


def test_everybody_called_at_filing_is_due_by_the_issues_clock(across: Way) -> None:
    assert {across.party(code).due_at for code in ("cg", "sw", "zf")} == {NOW + 10 * HOUR}


def test_the_clock_stops_when_everybody_has_fed_back(plain: Way) -> None:
    plain.after(("sign", CG), ("feed_back", CG, DONE))
    assert clock(plain).clock.stopped_at == plain.now


def test_what_others_take_to_inspect_is_not_the_departments_time(plain: Way) -> None:
    plain.after(("sign", CG), ("feed_back", CG, DONE))
    before = plain.now
    later(plain, 30).make("rework", INSPECTOR, REASON)
    assert plain.party("cg").due_at == NOW + 10 * HOUR + (plain.now - before)


def test_a_department_called_later_has_its_whole_limit(plain: Way) -> None:
    later(plain, 8).after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "sw"}))
    assert plain.party("sw").due_at == plain.now + 10 * HOUR
    assert plain.party("zf").due_at == NOW + 10 * HOUR


def test_a_suspension_moves_what_is_due_by_its_length(plain: Way) -> None:
    plain.after(("sign", CG), ("ask_suspension", CG, {"until": "2026-06-11", **REASON}), ("endorse", DISPATCHER))
    plain.make("grant", CHIEF)
    until = datetime.fromisoformat("2026-06-11T00:00:00+08:00")
    assert plain.party("cg").due_at == NOW + 10 * HOUR + (until - plain.now)


def test_one_that_is_resumed_early_counts_from_then(plain: Way) -> None:
    plain.after(("sign", CG), ("ask_suspension", CG, {"until": "2026-06-11", **REASON}), ("endorse", DISPATCHER))
    plain.make("grant", CHIEF)
    granted_at = plain.now
    later(plain, 5).make("resume", DISPATCHER)
    assert plain.party("cg").due_at == NOW + 10 * HOUR + (plain.now - granted_at)


def test_an_extension_is_one_more_of_the_limit(plain: Way) -> None:
    plain.after(("sign", CG), ("ask_extension", CG, REASON), ("endorse", DISPATCHER), ("grant", CHIEF))
    assert plain.party("cg").due_at == NOW + 20 * HOUR


def test_a_declined_one_changes_nothing(plain: Way) -> None:
    plain.after(("sign", CG), ("ask_extension", CG, REASON), ("decline", DISPATCHER, REASON))
    assert plain.party("cg").due_at == NOW + 10 * HOUR


def test_every_clock_stops_at_the_end(plain: Way) -> None:
    plain.after(("ask_forced_close", DISPATCHER, REASON), ("grant", CHIEF))
    assert clock(plain).clock.stopped_at == plain.now


def test_a_late_lead_does_not_redden_a_punctual_assistant(plain: Way) -> None:
    plain.after(("sign", looped.ZF), ("feed_back", looped.ZF, DONE))
    at = NOW + 11 * HOUR
    assert (light(plain, "cg", at), light(plain, "zf", at)) == ("red", "green")


def test_across_the_line_both_are_red_until_both_reported_in(across: Way) -> None:
    across.after(("sign", CG), ("feed_back", CG, DONE))
    assert (light(across, "cg", across.now), light(across, "cg", NOW + 11 * HOUR)) == ("yellow", "red")
    assert not across.party("cg").is_late(NOW + 11 * HOUR)
    later(across, 12).after(("sign", SW), ("feed_back", SW, DONE))
    assert (light(across, "cg", across.now), light(across, "sw", across.now)) == ("green", "red")

"""Numbers of a period: what counts when and for whom; each equals the length of its list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import clocks, evaluation
from gis.issues.clerk import Clerk
from gis.issues.clocks import Clock, Reason
from gis.issues.evaluation import ALL, Period, facts
from tests.issues import looped
from tests.issues.evaluated import (
    DAY,
    DEPARTMENTS,
    DISTRICTS,
    FORMULAS,
    JUNE,
    PHONE,
    YES,
    across,
    answered,
    closed,
    count,
    handled,
    plain,
    timed,
)  # fmt: skip
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, EAST, INSPECTOR, LAW, LEADER, NOW, SW, WEST, Way


@pytest.fixture
def session(session: Session) -> Session:
    looped.people(session)
    return session


class TestBases:
    def test_reports_count_in_the_period_they_were_made_in(self, session: Session) -> None:
        plain(session)
        plain(session, 2, reported_at=JUNE.since - DAY)
        assert count(session, "reported") == 1

    def test_the_end_of_a_period_is_not_in_it(self, session: Session) -> None:
        plain(session, reported_at=JUNE.until)
        plain(session, 2, reported_at=JUNE.since)
        assert count(session, "reported") == 1

    def test_limits_count_in_the_period_they_end_in(self, session: Session) -> None:
        timed(looped.plain(session, reported_at=NOW - 9 * DAY))
        timed(looped.plain(session, 2, reported_at=NOW), hours=24 * 40)
        assert (count(session, "due"), count(session, "reported")) == (1, 1)

    def test_answers_count_in_the_period_they_are_given_in(self, session: Session) -> None:
        way = closed(plain(session))
        way.now = JUNE.until
        way.make("evaluate", CLERK, YES)
        july = replace(DISTRICTS, period=Period(JUNE.until, JUNE.until + 31 * DAY))
        assert (count(session, "answers"), count(session, "answers", question=july)) == (0, 1)

    def test_what_happens_after_the_period_does_not_change_it(self, session: Session) -> None:
        way = plain(session)
        way.now = JUNE.until
        closed(way)
        assert (count(session, "due"), count(session, "handled"), count(session, "closed")) == (1, 0, 0)

    def test_what_was_not_accepted_is_reported_and_not_filed(self, session: Session) -> None:
        plain(session, state="filed").make("void", CLERK, {"reason": "误报"})
        assert [count(session, name) for name in ("reported", "valid", "filed", "due")] == [1, 0, 0, 0]

    def test_a_duplicate_is_valid_and_not_filed(self, session: Session) -> None:
        plain(session)
        plain(session, 2).make("merge", CLERK, {"target": "990101000001"})
        assert [count(session, name) for name in ("reported", "valid", "filed", "due")] == [2, 2, 1, 1]

    def test_what_waits_to_be_verified_is_not_filed_yet(self, session: Session) -> None:
        plain(session, state="collected")
        assert (count(session, "valid"), count(session, "filed")) == (1, 0)

    def test_what_has_no_limit_is_counted_as_that(self, session: Session) -> None:
        looped.plain(session, reported_at=NOW)
        assert (count(session, "no_limit"), count(session, "due")) == (1, 0)

    def test_an_issue_across_a_line_counts_on_both_sides_and_once_in_all(self, session: Session) -> None:
        across(session)
        assert [count(session, "filed", subject) for subject in (WEST, EAST, ALL)] == [1, 1, 1]


class TestHandling:
    def test_in_time_is_until_the_limit(self, session: Session) -> None:
        way = plain(session)
        way.now = NOW + timedelta(hours=10, minutes=-2)
        closed(way)
        assert [count(session, name) for name in ("handled_on_time", "closed_on_time", "late")] == [1, 1, 0]

    def test_late_is_after_it(self, session: Session) -> None:
        way = plain(session)
        way.now = NOW + timedelta(hours=10)
        closed(way)
        assert [count(session, name) for name in ("handled", "handled_on_time", "closed_late", "late")] == [1, 0, 1, 1]

    def test_what_was_taken_up_again_is_not_closed(self, session: Session) -> None:
        closed(plain(session)).make("reopen", CLERK, {"reason": "又坏了"})
        assert (count(session, "closed"), count(session, "handled")) == (0, 0)

    def test_rework_is_counted_once_for_an_issue(self, session: Session) -> None:
        back = ("rework", INSPECTOR, {"reason": "不干净"})
        handled(plain(session)).after(back, ("feed_back", CG, {"done": "好"}), back)
        assert count(session, "reworked") == 1

    def test_a_forced_closing_is_counted_as_that(self, session: Session) -> None:
        plain(session).after(("ask_forced_close", DISPATCHER, {"reason": "历史遗留"}), ("grant", CHIEF))
        assert (count(session, "closed"), count(session, "forced")) == (1, 1)

    def test_what_was_returned_was_not_dispatched_rightly(self, session: Session) -> None:
        plain(session).make("return", CG, LAW)
        plain(session, 2)
        assert (count(session, "sent"), count(session, "sent_right")) == (2, 1)

    def test_a_relapse_is_one(self, session: Session) -> None:
        way = plain(session)
        session.execute(text("UPDATE issue SET relapse_of = id WHERE id = :id"), {"id": way.issue_id})
        assert count(session, "relapses") == 1


class TestWorkOrders:
    def ordered(self, session: Session, name: str = "contact") -> Way:
        way = looped.plain(session, reported_at=JUNE.since - DAY, reporter=Json(PHONE))
        clock = Clock(name, Reason("clock.by_order"), started_at=NOW, due_at=NOW + timedelta(hours=4))
        clocks.start(session, [(way.issue_id, [clock])], Clerk("gis", NOW))
        return way

    def test_each_clock_of_an_order_counts_in_the_period_it_ends_in(self, session: Session) -> None:
        self.ordered(session, "reply")
        counted = [count(session, name) for name in ("reply_due", "replied_on_time", "sign_due", "due", "reported")]
        assert counted == [1, 0, 0, 0, 0]

    def test_who_was_called_in_time_was_contacted_in_time(self, session: Session) -> None:
        self.ordered(session).after(("sign", CG), ("contact", CG))
        assert (count(session, "contact_due"), count(session, "contacted_on_time")) == (1, 1)

    def test_who_was_called_late_was_not(self, session: Session) -> None:
        way = self.ordered(session)
        way.now = NOW + timedelta(hours=5)
        way.after(("sign", CG), ("contact", CG))
        assert (count(session, "contact_due"), count(session, "contacted_on_time")) == (1, 0)


class TestWhatTheGridDoesItself:
    PHOTOS = {"photo_before": "a", "photo_after": "b"}  # noqa: RUF012

    def fixed(self, session: Session, sample_share: float = 1.0) -> Way:
        way = plain(session, category="E0110").with_settings(sample_share=sample_share)
        session.execute(text("UPDATE issue SET scheme = 'cg'"))
        way.make("self_handle", LEADER, self.PHOTOS)
        return way

    def test_it_is_counted_apart(self, session: Session) -> None:
        self.fixed(session)
        counted = [count(session, name) for name in ("self_handled", "filed", "due", "closed", "sent")]
        assert counted == [1, 1, 0, 0, 0]

    def test_the_sample_is_counted_when_it_was_inspected(self, session: Session) -> None:
        way = self.fixed(session)
        before = count(session, "sample_inspected")
        way.make("pass", INSPECTOR)
        assert (before, count(session, "sample_inspected"), count(session, "sample_passed")) == (0, 1, 1)

    def test_what_did_not_pass_is_a_departments_again(self, session: Session) -> None:
        self.fixed(session).make("rework", INSPECTOR, {"reason": "没清完"})
        counted = [count(session, name) for name in ("sample_inspected", "sample_passed", "self_handled", "due")]
        assert counted == [1, 0, 1, 1]


class TestDepartments:
    def of(self, session: Session, department: str, *names: str) -> list[int]:
        return [count(session, name, department, DEPARTMENTS) for name in names]

    def test_a_punctual_party_is_not_late_by_a_late_lead(self, session: Session) -> None:
        way = across(session).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
        way.now = NOW + timedelta(hours=11)
        way.make("feed_back", CG, {"done": "好"})
        assert self.of(session, "sw", "due", "handled_on_time", "late") == [1, 1, 0]
        assert self.of(session, "cg", "due", "handled_on_time", "late") == [1, 0, 1]

    def test_who_need_not_come_is_not_evaluated(self, session: Session) -> None:
        plain(session)
        assert self.of(session, "zf", "due", "filed") == [0, 0]

    def test_work_that_did_not_pass_is_not_handled_until_it_is_done_again(self, session: Session) -> None:
        way = handled(plain(session)).after(("rework", INSPECTOR, {"reason": "不干净"}))
        before = self.of(session, "cg", "handled", "reworked")
        way.make("feed_back", CG, {"done": "好"})
        assert (before, self.of(session, "cg", "handled", "reworked")) == ([0, 1], [1, 1])

    def test_who_refused_by_law_owes_nothing(self, session: Session) -> None:
        plain(session).make("return", CG, LAW)
        assert self.of(session, "cg", "due", "sent_right") == [0, 0]

    def test_the_reporters_answer_is_that_of_every_party_that_had_to_come(self, session: Session) -> None:
        way = across(session).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
        way.after(("feed_back", CG, {"done": "好"}), ("pass", INSPECTOR), ("close", CHIEF), ("evaluate", CLERK, YES))
        assert [self.of(session, code, "answers", "solved") for code in ("cg", "sw")] == [[1, 1], [1, 1]]


class TestAppeals:
    """What was late and exempted: the fact stays, and does not count."""

    def late(self, session: Session, department: str = "", *, granted: bool = True) -> Way:
        way = plain(session)
        way.now = NOW + timedelta(hours=11)
        closed(way)
        row = {"issue_id": way.issue_id, "department": department, "due_at": NOW + timedelta(hours=10), "at": way.now}
        session.execute(_LATE, row)
        session.execute(_APPEALED, row | {"granted": granted})
        return way

    def test_it_counts_as_handled_in_time_and_as_exempted(self, session: Session) -> None:
        self.late(session)
        names = ("handled", "handled_on_time", "closed_late", "late", "exempted")
        assert [count(session, name) for name in names] == [1, 1, 0, 0, 1]
        assert [count(session, name, "cg", DEPARTMENTS) for name in names] == [1, 1, 0, 0, 1]

    def test_an_appeal_that_was_declined_changes_nothing(self, session: Session) -> None:
        self.late(session, granted=False)
        assert [count(session, name) for name in ("handled_on_time", "late", "exempted")] == [0, 1, 0]


class TestReviews:
    """One review for each whistle: its mean is a part of the department's score."""

    def blown(self, session: Session, *scores: int) -> None:
        way = closed(plain(session))
        for number, score in enumerate(scores, start=1):
            row = {"issue_id": way.issue_id, "number": number, "score": score, "at": NOW, "unit": WEST}
            session.execute(_REVIEWED, row)

    def score(self, session: Session) -> Fraction | None:
        found = evaluation.of(session, DEPARTMENTS, FORMULAS, on=date(2026, 6, 30))
        return next(row.result.score for row in found.rows if row.subject == "cg")

    def test_without_one_the_formula_stands_alone(self, session: Session) -> None:
        self.blown(session)
        assert self.score(session) == 100

    def test_it_makes_up_its_weight(self, session: Session) -> None:
        self.blown(session, 40, 60)
        assert self.score(session) == Fraction(7 * 100 + 3 * 50, 10)

    def test_its_number_is_a_list_of_issues(self, session: Session) -> None:
        self.blown(session, 40, 60)
        assert count(session, "reviewed", "cg", DEPARTMENTS) == 1


_LATE = text("""
INSERT INTO lateness (issue_id, department, clock, due_at, found_at)
VALUES (:issue_id, :department, 'handle', :due_at, :at) ON CONFLICT DO NOTHING
""")
_APPEALED = text("""
WITH asked AS (
    INSERT INTO appeal (issue_id, department, clock, due_at, by_department, fields, asked_by, asked_at)
    VALUES (:issue_id, :department, 'handle', :due_at, 'cg', '{}', 'at cg', :at) RETURNING id
)
INSERT INTO appeal_answer (appeal_id, issue_id, granted, fields, by, at)
SELECT id, :issue_id, :granted, '{}', 'chief', :at FROM asked
""")
_REVIEWED = text("""
WITH blown AS (
    INSERT INTO whistle (code, issue_id, number, type, by_unit, by, blown_at, done_by_self, why_not, expected,
                         departments, place, held_by, state)
    VALUES ('W' || :number, :issue_id, :number, 'regular', :unit, 'street', :at, '', '', '', '{cg}', '', :unit, 'blown')
    RETURNING id
)
INSERT INTO whistle_review (whistle_id, department, by_unit, score, words, by, at)
SELECT id, 'cg', :unit, :score, '', 'street', :at FROM blown
""")


class TestAnswers:
    def test_each_question_has_the_base_of_its_answers(self, session: Session) -> None:
        closed(plain(session)).make("evaluate", CLERK, {"solved": "no"})
        names = ("answers", "asked_response", "asked_solved", "solved", "unsolved", "rated")
        assert [count(session, name) for name in names] == [1, 0, 1, 0, 1, 0]

    def test_of_two_answers_in_a_period_the_last_counts(self, session: Session) -> None:
        way = answered(plain(session), solved="no", satisfied="no").after(("reopen", CLERK, {"reason": "没解决"}))
        answered(way, satisfied="partly")
        names = ("answers", "solved", "unsolved", "partly", "dissatisfied")
        assert [count(session, name) for name in names] == [1, 1, 0, 1, 0]

    def test_who_could_not_be_reached_is_counted_and_gave_no_answer(self, session: Session) -> None:
        closed(plain(session)).after(*[("miss_call", CLERK, {"outcome": "busy"})] * 3)
        assert [count(session, name) for name in ("call_backs", "unreachable", "answers")] == [1, 1, 0]

    def test_what_a_city_leaves_out_is_counted_beside(self, session: Session) -> None:
        forced = plain(session).after(("ask_forced_close", DISPATCHER, {"reason": "历史遗留"}), ("grant", CHIEF))
        forced.make("evaluate", CLERK, YES)
        answered(plain(session, 2))
        assert [count(session, name) for name in ("answers", "excluded", "solved")] == [1, 1, 1]

    def test_what_is_left_out_is_the_citys_to_say(self, session: Session) -> None:
        forced = plain(session).after(("ask_forced_close", DISPATCHER, {"reason": "历史遗留"}), ("grant", CHIEF))
        forced.make("evaluate", CLERK, YES)
        everything = facts.count(session, DISTRICTS, replace(FORMULAS, excluded=()))
        assert (everything[ALL]["answers"], everything[ALL]["excluded"]) == (1, 0)

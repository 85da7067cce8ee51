"""Numbers of a period: what counts when and for whom; each equals the length of its list; and who may see which."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from psycopg2.extras import Json
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Forbidden
from gis.issues import clocks, evaluation
from gis.issues.clerk import Clerk
from gis.issues.clocks import Clock, Reason
from gis.issues.evaluation import ALL, COUNTS, Period, Question, facts, scoping
from gis.issues.worktime import URGENT_HOUR, Limit
from tests import town
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, EAST, INSPECTOR, LAW, LEADER, NOW, SW, WEST, Way

FORMULAS = evaluation.read()
JUNE = Period(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
DAY = timedelta(days=1)
DISTRICTS = Question(JUNE, "admin:district")
DEPARTMENTS = Question(JUNE)
YES = {"contacted": "yes", "solved": "yes", "satisfied": "yes"}
PHONE = {"name": "李雷", "phone": "10012345678"}


@pytest.fixture
def session(session: Session) -> Session:
    looped.people(session)
    return session


def timed(way: Way, hours: int = 10) -> Way:
    """Give an issue some hours round the clock from now."""
    limit = Limit(Fraction(hours), URGENT_HOUR)
    due_at = NOW + timedelta(hours=hours)
    clock = Clock("handle", Reason("clock.by_condition"), started_at=NOW, limit=limit, due_at=due_at)
    clocks.start(way.session, [(way.issue_id, [clock])], Clerk("gis", NOW))
    return way


def plain(session: Session, nth: int = 1, **changes: Any) -> Way:
    return timed(looped.plain(session, nth, **{"reported_at": NOW, "reporter": Json(PHONE), **changes}))


def across(session: Session, nth: int = 1) -> Way:
    return timed(looped.across(session, nth, reported_at=NOW, reporter=Json(PHONE)))


def handled(way: Way) -> Way:
    return way.after(("sign", CG), ("feed_back", CG, {"done": "好"}))


def closed(way: Way) -> Way:
    return handled(way).after(("pass", INSPECTOR), ("close", CHIEF))


def answered(way: Way, **said: str) -> Way:
    closed(way).make("evaluate", CLERK, YES | said)
    return way


def count(session: Session, name: str, subject: str = ALL, question: Question = DISTRICTS) -> int:
    """Count, and see to it that the list behind the number is as long and names no issue twice."""
    counted = facts.count(session, question, FORMULAS).get(subject, {}).get(name, 0)
    listed = evaluation.listed(session, question, FORMULAS, subject, name)
    assert (len(listed), len(set(listed))) == (counted, counted)
    return counted


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


@pytest.fixture
def busy(session: Session) -> Session:
    """Let one of everything happen."""
    town.build(session)
    answered(plain(session))
    answered(plain(session, 2), satisfied="no")
    closed(plain(session, 3)).after(*[("miss_call", CLERK, {"outcome": "busy"})] * 3)
    handled(plain(session, 4)).make("rework", INSPECTOR, {"reason": "不干净"})
    plain(session, 5).make("return", CG, LAW)
    plain(session, 6, state="filed").make("void", CLERK, {"reason": "误报"})
    across(session, 7).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
    looped.plain(session, 8, reported_at=NOW)
    forced = plain(session, 9).after(("ask_forced_close", DISPATCHER, {"reason": "历史遗留"}), ("grant", CHIEF))
    forced.make("evaluate", CLERK, YES)
    return session


class TestStandings:
    @pytest.mark.parametrize("question", [DISTRICTS, DEPARTMENTS], ids=["units", "departments"])
    @pytest.mark.parametrize("name", COUNTS)
    def test_every_number_is_as_long_as_its_list(self, busy: Session, question: Question, name: str) -> None:
        for subject in facts.count(busy, question, FORMULAS):
            count(busy, name, subject, question)

    def test_what_is_counted_of_a_base_is_never_more_than_it(self, busy: Session) -> None:
        for question in (DISTRICTS, DEPARTMENTS):
            for counts in facts.count(busy, question, FORMULAS).values():
                rates = FORMULAS.rates_of(question.kind)
                assert all(counts[name] <= counts[rate.of] for rate in rates for name in rate.counted)

    def test_all_units_of_a_level_are_listed_also_those_with_nothing(self, busy: Session) -> None:
        found = evaluation.of(busy, Question(JUNE, "admin:subdistrict"), FORMULAS, on=date(2026, 6, 30))
        assert (len(found.rows), {row.rank for row in found.rows}) == (4, {None})

    def test_who_has_a_score_stands_before_who_has_none(self, busy: Session) -> None:
        found = evaluation.of(busy, DEPARTMENTS, FORMULAS, on=date(2026, 6, 30))
        ranks = [row.rank for row in found.rows]
        assert ranks == sorted(ranks, key=lambda rank: rank or 99)

    def test_the_numbers_together_count_each_issue_once(self, busy: Session) -> None:
        found = evaluation.of(busy, DISTRICTS, FORMULAS, on=date(2026, 6, 30))
        assert (found.together.counts["filed"], sum(row.counts["filed"] for row in found.rows)) == (8, 9)


SUMMER = date(2026, 6, 30)


class TestScope:
    @pytest.fixture
    def town_(self, session: Session) -> Session:
        town.build(session)
        return session

    def narrowed(self, session: Session, level: str, *units: tuple[str, str, str]) -> Question:
        return scoping.narrow(session, Question(JUNE, level), Scope(units=units, role="leader"), SUMMER)

    def test_who_sees_everything_asks_for_everything(self, town_: Session) -> None:
        assert scoping.narrow(town_, DISTRICTS, db.EVERYTHING, SUMMER) == DISTRICTS

    def test_a_leader_sees_the_own_unit_alone(self, town_: Session) -> None:
        grid = ("governance", "grid", "990101001001001")
        assert self.narrowed(town_, "governance:grid", grid).only == ("governance:grid:990101001001001",)

    def test_who_answers_for_a_subdistrict_sees_what_lies_in_it_in_every_net(self, town_: Session) -> None:
        office = ("admin", "subdistrict", "990101001")
        found = self.narrowed(town_, "unit_grid:cell", office).only
        assert found is not None
        assert sorted(key[-12:-3] for key in found) == ["101001001", "101001001", "101001002", "101001002"]

    def test_a_level_above_the_own_is_refused(self, town_: Session) -> None:
        with pytest.raises(Forbidden, match=r"evaluation\.beyond"):
            self.narrowed(town_, "admin:district", ("admin", "subdistrict", "990101001"))

    def test_departments_over_a_part_of_the_ground_are_said_to_be_a_part(self, town_: Session) -> None:
        question = self.narrowed(town_, "", ("admin", "district", "990101"))
        assert (scoping.is_partial(question), question.within) == (True, (WEST,))

    def test_a_department_sees_itself(self, town_: Session) -> None:
        scope = Scope(department="cg", role="department")
        assert scoping.narrow(town_, DEPARTMENTS, scope, SUMMER).only == ("cg",)
        with pytest.raises(Forbidden, match=r"evaluation\.own_department_only"):
            scoping.narrow(town_, DISTRICTS, scope, SUMMER)

    def test_levels_are_offered_by_what_may_be_seen(self, town_: Session) -> None:
        offered = scoping.levels(town_, Scope(units=(("admin", "subdistrict", "990101001"),)), SUMMER)
        assert offered == ["admin:subdistrict", "admin:community", "unit_grid:cell", "governance:grid"]


class TestWhatTheDatabaseShows:
    """The same question asked with other eyes: numbers of one's own units and department are whole."""

    @pytest.mark.parametrize(
        ("scope", "question", "subject"),
        [
            (Scope(units=(("admin", "district", "990101"),)), DISTRICTS, WEST),
            (Scope(department="sw"), DEPARTMENTS, "sw"),
        ],
        ids=["a district", "a department"],
    )
    def test_it_is_the_same_number(self, clean_db: Engine, scope: Scope, question: Question, subject: str) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            across(session).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
            plain(session, 2)
            whole = facts.count(session, question, FORMULAS)[subject]
            session.commit()
        with db.session(clean_db, scope) as session:
            assert facts.count(session, question, FORMULAS)[subject] == whole
            assert whole["filed"] > 0

    def test_without_a_scope_there_is_nothing(self, clean_db: Engine) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            closed(plain(session))
            session.commit()
        with db.session(clean_db, db.NOTHING) as session:
            assert facts.count(session, DISTRICTS, FORMULAS) == {ALL: dict.fromkeys(COUNTS, 0)}

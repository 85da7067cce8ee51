"""Call-backs: who waits, calls that fail, answers by telephone and by link, and what a link gives away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from psycopg2.extras import Json
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, Forbidden, Invalid, TooMany
from gis.issues import call_backs, clocks, workflow
from gis.issues.call_backs import Answer, Bearer
from gis.issues.clerk import Clerk
from gis.issues.clocks import Clock, Reason
from gis.issues.matter import Actor
from tests.issues import filed, looped
from tests.issues.looped import CG, CHIEF, CLERK, INSPECTOR, LOOP, NOW, OPERATOR, Way

PHONE = {"name": "李雷", "phone": "10012345678"}
YES = {"contacted": "yes", "solved": "yes", "satisfied": "yes"}
MISSED = {"outcome": "no_answer"}


@pytest.fixture
def way(session: Session) -> Way:
    looped.people(session)
    return looped.plain(session, reporter=Json(PHONE))


def closed(way: Way) -> Way:
    return way.after(("sign", CG), ("feed_back", CG, {"done": "好"}), ("pass", INSPECTOR), ("close", CHIEF))


def clerk(way: Way) -> Clerk:
    return Clerk("clerk", way.now, way.loop.settings)


def linked(way: Way) -> str:
    return call_backs.make(way.session, closed(way).code, clerk(way))


def bearer(way: Way, token: str, address: str = "10.0.0.1") -> Bearer:
    return Bearer(token, address, way.now)


def codes(way: Way) -> list[str]:
    return [each.code for each in call_backs.waiting(way.session, now=way.now)]


class TestWaiting:
    def test_what_was_closed_waits(self, way: Way) -> None:
        assert (codes(way), codes(closed(way)), call_backs.waiting_n(way.session)) == ([], [way.code], 1)

    def test_what_nobody_can_be_asked_about_does_not_wait(self, session: Session) -> None:
        looped.people(session)
        way = closed(looped.plain(session, reporter=Json({"name": "李雷"})))
        assert codes(way) == []

    def test_who_was_not_called_yet_comes_before_who_was(self, way: Way) -> None:
        other = closed(looped.plain(way.session, 2, reporter=Json(PHONE)))
        closed(way).make("miss_call", CLERK, MISSED)
        assert codes(way) == [other.code, way.code]

    def test_calls_of_the_closing_before_do_not_count(self, way: Way) -> None:
        closed(way).after(("miss_call", CLERK, MISSED), ("reopen", CLERK, {"reason": "又坏了"}))
        closed(way)
        [waits] = call_backs.waiting(way.session, now=way.now)
        assert waits.missed_n == 0

    def test_who_looked_at_a_telephone_number_stands_in_the_history(self, way: Way) -> None:
        assert call_backs.reveal(way.session, closed(way).code, clerk(way)) == PHONE
        last = way.session.execute(text("SELECT kind, actor FROM entry ORDER BY id DESC LIMIT 1")).one()
        assert tuple(last) == ("revealed", "clerk")


class TestCalls:
    def test_a_call_without_an_answer_leaves_it_waiting(self, way: Way) -> None:
        closed(way).make("miss_call", CLERK, MISSED)
        assert way.state == "closed"

    def test_after_the_last_call_who_reported_counts_as_unreachable(self, way: Way) -> None:
        closed(way).after(*[("miss_call", CLERK, MISSED)] * 3)
        assert (way.state, way.marks) == ("evaluated", ["unreachable"])

    def test_how_many_calls_is_a_setting(self, way: Way) -> None:
        closed(way).with_settings(call_back_tries=1).make("miss_call", CLERK, MISSED)
        assert way.state == "evaluated"

    def test_an_answer_that_rates_nothing_is_one(self, way: Way) -> None:
        closed(way).make("evaluate", CLERK, {"solved": "no"})
        assert way.state == "evaluated"

    def test_who_handled_it_does_not_write_down_the_answer(self, way: Way) -> None:
        with pytest.raises(Forbidden, match=r"workflow\.handler_may_not"):
            closed(way).make("evaluate", Actor("mole", "clerk", "cg"), YES)

    def test_nobody_is_called_where_nobody_can_be(self, session: Session) -> None:
        looped.people(session)
        way = closed(looped.plain(session))
        [code] = workflow.uncalled(session)
        workflow.leave_uncalled(session, code, way.now, LOOP)
        assert (workflow.uncalled(session), way.state) == ([], "evaluated")

    def test_where_somebody_can_be_called_it_is_not_left_out(self, way: Way) -> None:
        assert workflow.uncalled(closed(way).session) == []
        with pytest.raises(Conflict, match=r"workflow\.somebody_to_call"):
            way.make("leave_uncalled", Actor("system", "system"))

    def test_speaking_with_who_reported_stops_the_clock_for_it(self, way: Way) -> None:
        due_at = NOW + timedelta(hours=1)
        clock = Clock("contact", Reason("clock.by_order"), started_at=NOW, due_at=due_at)
        clocks.start(way.session, [(way.issue_id, [clock])], Clerk("gis", NOW))
        way.after(("sign", CG), ("contact", CG))
        [kept] = clocks.of_issue(way.session, way.issue_id)
        assert kept.clock.stopped_at == way.now


class TestDirectAnswers:
    REPLY: Final = {"reply": "办事大厅周六上午开放。"}

    def asked(self, way: Way, kind: str) -> Way:
        way.session.execute(text("UPDATE issue SET work_order = :order"), {"order": Json({"type": kind})})
        return way

    @pytest.mark.parametrize("state", ["collected", "to_locate", "filed", "dispatched"])
    @pytest.mark.parametrize("kind", ["咨询", "consult"])
    def test_a_question_is_answered_at_once(self, way: Way, state: str, kind: str) -> None:
        self.asked(way, kind).in_state(state).make("answer", CLERK, self.REPLY)
        assert (way.state, way.marks) == ("closed", ["answered"])

    def test_what_has_to_be_handled_is_not(self, way: Way) -> None:
        with pytest.raises(Conflict, match=r"workflow\.not_a_question"):
            self.asked(way, "投诉").make("answer", CLERK, self.REPLY)

    def test_what_is_no_work_order_is_not(self, way: Way) -> None:
        with pytest.raises(Conflict, match=r"workflow\.not_a_question"):
            way.make("answer", CLERK, self.REPLY)

    def test_what_a_department_signed_for_is_not(self, way: Way) -> None:
        way.after(("sign", CG))
        with pytest.raises(Conflict, match=r"workflow\.impossible"):
            self.asked(way, "consult").make("answer", CLERK, self.REPLY)

    def test_who_answered_does_not_ask_whether_it_was_good(self, way: Way) -> None:
        self.asked(way, "consult").make("answer", CLERK, self.REPLY)
        with pytest.raises(Forbidden, match=r"workflow\.handler_may_not"):
            way.make("evaluate", CLERK, YES)
        way.make("evaluate", OPERATOR, YES)
        assert way.state == "evaluated"

    def test_taken_up_again_it_goes_to_the_departments_called(self, way: Way) -> None:
        self.asked(way, "consult").make("answer", CLERK, self.REPLY)
        way.make("reopen", CLERK, {"reason": "没答到点子上"})
        assert (way.state, way.marks, way.party("cg").stage) == ("dispatched", ["reopened"], "called")

    def test_without_departments_it_goes_to_the_dispatcher(self, session: Session) -> None:
        looped.people(session)
        way = Way(session, "990101000001", filed.issue(session, 1))
        self.asked(way, "consult").after(("answer", CLERK, self.REPLY))
        way.make("reopen", CLERK, {"reason": "没答到点子上"})
        assert way.state == "filed"


class TestLinks:
    def test_a_link_shows_the_class_and_the_days_and_nothing_of_anybody(self, way: Way) -> None:
        link = call_backs.find(way.session, bearer(way, linked(way)))
        assert link is not None
        assert set(vars(link)) == {
            "issue_code", "category_zh", "category_en", "reported_at", "closed_at", "expires_at",
        }  # fmt: skip

    def test_an_answer_by_link_evaluates_the_issue(self, way: Way) -> None:
        assert call_backs.answer(way.session, bearer(way, linked(way)), Answer(YES), LOOP)
        assert way.state == "evaluated"

    def test_it_answers_once(self, way: Way) -> None:
        token = linked(way)
        call_backs.answer(way.session, bearer(way, token), Answer(YES), LOOP)
        assert not call_backs.answer(way.session, bearer(way, token), Answer(YES), LOOP)

    def test_it_runs_out(self, way: Way) -> None:
        token = linked(way)
        late = replace(bearer(way, token), now=way.now + timedelta(days=7))
        assert call_backs.find(way.session, late) is None

    def test_only_its_digest_is_kept(self, way: Way) -> None:
        token = linked(way)
        kept = way.session.scalars(text("SELECT CAST(answer_link AS text) FROM answer_link")).one()
        assert token not in kept

    def test_with_it_the_issue_is_taken_up_again(self, way: Way) -> None:
        said = Answer({"solved": "no", "satisfied": "no"}, "第二天又坏了")
        call_backs.answer(way.session, bearer(way, linked(way)), said, LOOP)
        assert (way.state, way.party("cg").stage) == ("dispatched", "called")

    def test_what_does_not_wait_gets_no_link(self, way: Way) -> None:
        with pytest.raises(Conflict, match=r"call_backs\.not_waiting"):
            call_backs.make(way.session, way.code, clerk(way))

    def test_when_it_was_answered_by_telephone_the_link_is_over(self, way: Way) -> None:
        token = linked(way)
        way.make("evaluate", CLERK, YES)
        assert call_backs.find(way.session, bearer(way, token)) is None

    def test_who_guesses_is_slowed_down_by_address(self, way: Way) -> None:
        token = linked(way)
        for nth in range(21):
            assert call_backs.find(way.session, bearer(way, f"wrong {nth}")) is None
        with pytest.raises(TooMany):
            call_backs.find(way.session, bearer(way, token))
        assert call_backs.find(way.session, bearer(way, token, "10.0.0.2"))


class TestWhatABearerSees:
    """As nobody in particular: the database itself shows the one issue, and only until the link is spent."""

    @pytest.fixture
    def token(self, clean_db: Engine) -> str:
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            looped.plain(session, 2, reporter=Json(PHONE))
            token = linked(looped.plain(session, reporter=Json(PHONE)))
            session.commit()
        return token

    def test_it_is_the_one_issue(self, clean_db: Engine, token: str) -> None:
        with db.session(clean_db, db.NOTHING) as session:
            before = session.scalars(text("SELECT code FROM issue")).all()
            link = call_backs.find(session, Bearer(token, "10.0.0.1", NOW))
            assert link is not None
            assert (before, session.scalars(text("SELECT code FROM issue")).all()) == ([], [link.issue_code])

    def test_it_answers_with_that_sight_alone(self, clean_db: Engine, token: str) -> None:
        with db.session(clean_db, db.NOTHING) as session:
            now = NOW + timedelta(hours=1)
            said = Answer({"solved": "no", "note": "还是老样子"}, "没有解决")
            assert call_backs.answer(session, Bearer(token, "10.0.0.1", now), said, LOOP)
            session.commit()
            assert session.scalars(text("SELECT code FROM issue")).all() == []
        with db.session(clean_db, db.EVERYTHING) as session:
            made = session.scalars(text("SELECT name FROM move WHERE actor = 'reporter' ORDER BY version")).all()
            assert made == ["evaluate", "reopen"]


class TestTheScript:
    def test_it_asks_for_everything_an_answer_holds(self) -> None:
        assert [line.asks for line in call_backs.lines() if line.asks] == ["contacted", "solved", "satisfied", "note"]

    def test_a_line_that_asks_for_what_no_answer_holds_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "script.csv"
        file.write_text("step,asks,zh,en\n1,weather,天气？,The weather?\n", "utf-8")
        with pytest.raises(Invalid, match=r"call_backs\.bad_script"):
            call_backs.lines(file)

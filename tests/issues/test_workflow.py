"""The closed loop on real tables: the table holds, nobody closes what they handled, nothing is half done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues import workflow
from gis.issues.matter import Actor, Said
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, INSPECTOR, LAW, LEADER, LOOP, NOW, OPERATOR, SW, ZF, Way

DONE = {"done": "已清理"}
REASON = {"reason": "理由"}
HERE = {"position": {"lon": 120.51, "lat": 30.255, "accuracy_m": 8}}


@pytest.fixture
def plain(session: Session) -> Way:
    looped.people(session)
    return looped.plain(session)


@pytest.fixture
def across(session: Session) -> Way:
    looped.people(session)
    return looped.across(session)


def handled(way: Way) -> Way:
    return way.after(("sign", CG), ("feed_back", CG, DONE))


def closed(way: Way) -> Way:
    return handled(way).after(("pass", INSPECTOR), ("close", CHIEF))


class TestTheRoad:
    def test_signing_begins_the_handling(self, plain: Way) -> None:
        moved = plain.make("sign", CG)
        assert (moved.from_state, moved.to_state, plain.state) == ("dispatched", "handling", "handling")

    def test_feeding_back_leaves_it_to_be_inspected(self, plain: Way) -> None:
        assert handled(plain).state == "fed_back"

    def test_an_inspected_issue_is_closed_by_the_shift_leader(self, plain: Way) -> None:
        assert closed(plain).state == "closed"

    def test_a_closed_issue_is_evaluated_after_the_call_back(self, plain: Way) -> None:
        closed(plain).make("evaluate", CLERK, {"solved": "yes", "satisfied": "partly"})
        assert plain.state == "evaluated"

    def test_work_that_does_not_pass_goes_back_to_the_department(self, plain: Way) -> None:
        handled(plain).make("rework", INSPECTOR, REASON)
        assert (plain.state, plain.party("cg").stage, plain.marks) == ("handling", "handling", ["reworked"])

    def test_rework_keeps_what_was_done_before_on_record(self, plain: Way) -> None:
        handled(plain).after(("rework", INSPECTOR, REASON), ("feed_back", CG, {"done": "重做"}))
        told = plain.session.scalars(text("SELECT name FROM move ORDER BY version")).all()
        assert told == ["sign", "feed_back", "rework", "feed_back"]

    def test_every_move_is_counted_and_told_in_the_journal(self, plain: Way) -> None:
        closed(plain)
        entries = plain.session.scalars(text("SELECT params ->> 'move' FROM entry ORDER BY id")).all()
        assert (plain.version, entries) == (4, ["move.sign", "move.feed_back", "move.pass", "move.close"])

    def test_an_arrival_is_kept_with_its_position(self, plain: Way) -> None:
        plain.after(("sign", CG), ("arrive", CG, HERE))
        kept = plain.session.execute(text("SELECT fields FROM party_step WHERE step = 'arrived'")).scalar_one()
        assert kept == HERE

    def test_what_came_to_the_general_desk_waits_for_the_dispatcher(self, plain: Way) -> None:
        plain.in_state("filed").make("dispatch", DISPATCHER, {"lead": "sw"})
        assert (plain.state, plain.party("sw").role) == ("dispatched", "lead")

    def test_a_report_that_was_verified_is_dispatched(self, plain: Way) -> None:
        assert plain.in_state("collected").make("verify", LEADER).to_state == "dispatched"

    def test_without_automatic_dispatch_a_verified_report_is_filed(self, plain: Way) -> None:
        plain.in_state("collected").with_settings(auto_dispatch=False)
        assert plain.make("verify", LEADER).to_state == "filed"

    def test_it_is_reopened_within_the_days(self, plain: Way) -> None:
        closed(plain).make("reopen", CLERK, REASON)
        assert (plain.state, plain.party("cg").stage, plain.marks) == ("dispatched", "called", ["reopened"])

    def test_the_account_that_reported_it_may_reopen_it(self, session: Session) -> None:
        looped.people(session)
        way = closed(looped.plain(session, created_by="wang"))
        assert way.make("reopen", Actor("wang", "leader"), REASON).to_state == "dispatched"

    def test_after_the_days_it_is_not_reopened(self, plain: Way) -> None:
        closed(plain).now += timedelta(days=8)
        with pytest.raises(Conflict, match="too_late_to_reopen"):
            plain.make("reopen", CLERK, REASON)

    def test_a_merged_issue_names_the_one_it_joined(self, plain: Way) -> None:
        other = looped.plain(plain.session, 2)
        other.make("merge", CLERK, {"target": plain.code})
        joined = plain.session.scalar(text("SELECT merged_into FROM issue WHERE id = :id"), {"id": other.issue_id})
        assert (other.state, joined) == ("merged", plain.issue_id)

    @pytest.mark.parametrize("target", ["itself", "none"])
    def test_it_is_merged_into_another_issue_only(self, plain: Way, target: str) -> None:
        with pytest.raises((Conflict, Invalid)):
            plain.make("merge", CLERK, {"target": plain.code if target == "itself" else "none"})

    def test_nothing_is_merged_into_what_was_merged(self, plain: Way) -> None:
        other = looped.plain(plain.session, 2).after(("merge", CLERK, {"target": plain.code}))
        with pytest.raises(Conflict, match="not_a_target"):
            plain.make("merge", CLERK, {"target": other.code})


class TestRefusals:
    def test_an_impossible_move_is_refused_by_the_state(self, plain: Way) -> None:
        with pytest.raises(Conflict, match=r"workflow\.impossible"):
            plain.make("close", CHIEF)

    def test_a_move_of_somebody_else_is_refused(self, plain: Way) -> None:
        with pytest.raises(Forbidden, match=r"workflow\.not_yours"):
            plain.make("sign", CLERK)

    def test_a_department_that_was_not_called_moves_nothing(self, plain: Way) -> None:
        with pytest.raises(Forbidden, match=r"workflow\.not_yours"):
            plain.make("sign", SW)

    def test_a_department_signs_before_it_feeds_back(self, plain: Way) -> None:
        with pytest.raises(Conflict, match=r"workflow\.not_at_this_stage"):
            plain.make("feed_back", CG, DONE)

    def test_a_missing_field_is_named(self, plain: Way) -> None:
        plain.make("sign", CG)
        with pytest.raises(Invalid, match=r"need\.done"):
            plain.make("feed_back", CG)

    @pytest.mark.parametrize("position", [{"lon": 1}, {"lon": 200, "lat": 1}, "here", {"lon": float("nan"), "lat": 1}])
    def test_a_position_that_is_none_is_refused(self, plain: Way, position: Any) -> None:
        plain.make("sign", CG)
        with pytest.raises(Invalid, match=r"workflow\.bad_field"):
            plain.make("arrive", CG, {"position": position})

    def test_an_unknown_move_or_field_is_refused_by_name(self, plain: Way) -> None:
        with pytest.raises(Invalid, match=r"workflow\.unknown_move"):
            plain.make("vanish", OPERATOR)
        with pytest.raises(Invalid, match=r"workflow\.unknown_field"):
            plain.make("sign", CG, {"colour": "red"})

    def test_an_unknown_issue_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound):
            workflow.advance(session, "none", "sign", Said(CG, NOW), LOOP)

    def test_what_was_refused_leaves_no_trace(self, plain: Way) -> None:
        with pytest.raises(Conflict):
            plain.make("close", CHIEF)
        written = text("SELECT (SELECT count(*) FROM move) + (SELECT count(*) FROM entry)")
        assert plain.session.scalar(written) == 0


class TestWhoHandledDoesNotClose:
    @pytest.mark.parametrize("move", ["pass", "close"])
    @pytest.mark.parametrize("department", ["cg", "zf"])
    def test_nobody_of_a_department_that_was_called(self, plain: Way, move: str, department: str) -> None:
        handled(plain)
        if move == "close":
            plain.make("pass", INSPECTOR)
        role = "inspector" if move == "pass" else "shift_leader"
        with pytest.raises(Forbidden, match="handler_may_not"):
            plain.make(move, Actor("also there", role, department))

    def test_nor_of_one_that_handed_it_on(self, plain: Way) -> None:
        plain.after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "sw"}), ("sign", SW))
        plain.make("feed_back", SW, DONE)
        with pytest.raises(Forbidden, match="handler_may_not"):
            plain.make("pass", Actor("also there", "inspector", "cg"))

    def test_nor_the_same_person_in_another_seat(self, plain: Way) -> None:
        handled(plain)
        with pytest.raises(Forbidden, match="handler_may_not"):
            plain.make("pass", Actor(CG.username, "inspector"))

    def test_not_even_by_force(self, plain: Way) -> None:
        handled(plain).make("ask_forced_close", DISPATCHER, REASON)
        with pytest.raises(Forbidden, match="handler_may_not"):
            plain.make("grant", Actor("also there", "shift_leader", "cg"))


class TestAcrossTheLine:
    def test_both_sides_have_to_feed_back(self, across: Way) -> None:
        across.after(("sign", CG), ("sign", SW), ("feed_back", CG, DONE))
        assert across.state == "handling"
        across.make("feed_back", SW, DONE)
        assert across.state == "fed_back"

    def test_an_assistant_may_sign_before_the_lead(self, across: Way) -> None:
        across.after(("sign", SW), ("feed_back", SW, DONE))
        assert (across.state, across.party("sw").stage) == ("dispatched", "fed_back")

    def test_who_need_not_come_keeps_nobody_waiting(self, across: Way) -> None:
        across.after(("sign", CG), ("sign", SW), ("feed_back", SW, DONE), ("feed_back", CG, DONE))
        assert (across.state, across.party("zf").stage) == ("fed_back", "called")

    def test_a_side_that_refuses_sends_it_back_to_the_dispatcher(self, across: Way) -> None:
        across.after(("sign", CG), ("refuse", SW, LAW))
        assert (across.state, across.party("sw").stage) == ("returned", "refused")

    def test_a_side_that_nobody_else_speaks_for_stays_a_party(self, across: Way) -> None:
        across.after(("sign", CG), ("refuse", SW, LAW), ("dispatch", DISPATCHER))
        assert (across.state, across.party("sw").stage, across.party("sw").mandatory) == ("handling", "called", True)

    def test_it_refuses_once_only(self, across: Way) -> None:
        across.after(("sign", CG), ("refuse", SW, LAW), ("dispatch", DISPATCHER))
        with pytest.raises(Conflict, match="refused_once"):
            across.make("refuse", SW, LAW)

    def test_rework_goes_to_both_sides(self, across: Way) -> None:
        across.after(("sign", CG), ("sign", SW), ("feed_back", CG, DONE), ("feed_back", SW, DONE))
        across.make("rework", INSPECTOR, REASON)
        assert [across.party(code).stage for code in ("cg", "sw", "zf")] == ["handling", "handling", "called"]


class TestCommunities:
    """`cg` is a community's committee here."""

    def asked(self, session: Session, scheme: str = "gb", **changes: Any) -> Way:
        looped.people(session)
        session.execute(text("UPDATE department SET kind = 'SQ' WHERE code = 'cg'"))
        way = looped.plain(session, **changes)
        row = {"scheme": scheme, "id": way.issue_id}
        session.execute(text("UPDATE issue SET scheme = :scheme WHERE id = :id"), row)
        return way

    def test_what_is_not_on_its_list_it_gives_back_without_a_law(self, session: Session) -> None:
        assert self.asked(session).make("not_admitted", CG, REASON).to_state == "returned"

    def test_what_is_on_its_list_is_its_own(self, session: Session) -> None:
        with pytest.raises(Conflict, match="admitted"):
            self.asked(session, "cg", category="E0110").make("not_admitted", CG, REASON)

    def test_sent_to_it_again_it_is_a_superiors(self, session: Session) -> None:
        way = self.asked(session).after(("not_admitted", CG, REASON), ("dispatch", DISPATCHER))
        assert (way.make("not_admitted", CG, REASON).to_state, way.marks) == ("returned", ["deadlock"])

    def test_called_to_assist_it_steps_aside(self, session: Session) -> None:
        way = self.asked(session)
        session.execute(text("UPDATE department SET kind = 'SQ' WHERE code = 'zf'"))
        way.make("not_admitted", ZF, REASON)
        assert (way.state, way.party("zf").stage) == ("dispatched", "refused")

    def test_nobody_else_has_such_a_list(self, plain: Way) -> None:
        with pytest.raises(Forbidden, match="not_a_community"):
            plain.make("not_admitted", CG, REASON)


class TestReturns:
    def test_a_return_waits_for_the_dispatcher(self, plain: Way) -> None:
        assert plain.make("return", CG, LAW).to_state == "returned"

    def test_it_needs_a_legal_ground(self, plain: Way) -> None:
        with pytest.raises(Invalid, match="ground_of_law"):
            plain.make("return", CG, REASON)

    def test_the_next_department_leads_and_the_one_before_is_no_party_any_more(self, plain: Way) -> None:
        plain.after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "sw"}))
        row = plain.session.execute(text("SELECT lead, departments FROM issue")).one()
        assert (row.lead, row.departments) == ("sw", ["sw", "zf"])

    def test_the_same_department_sent_again_is_called_anew(self, plain: Way) -> None:
        plain.after(("return", CG, LAW), ("dispatch", DISPATCHER))
        assert (plain.state, plain.party("cg").stage, plain.party("cg").refused_n) == ("dispatched", "called", 1)

    def test_a_second_word_of_the_same_department_is_a_deadlock(self, plain: Way) -> None:
        plain.after(("return", CG, LAW), ("dispatch", DISPATCHER), ("return", CG, LAW))
        assert (plain.state, plain.marks) == ("returned", ["deadlock"])

    def test_three_returns_without_a_lead_are_a_deadlock(self, plain: Way) -> None:
        for lead, actor in (("sw", CG), ("zf", SW)):
            plain.after(("return", actor, LAW), ("dispatch", DISPATCHER, {"lead": lead}))
        assert plain.marks == []
        plain.make("return", ZF, LAW)
        assert plain.marks == ["deadlock"]

    def test_a_deadlock_is_not_sent_round_again(self, plain: Way) -> None:
        plain.after(("return", CG, LAW), ("dispatch", DISPATCHER), ("return", CG, LAW))
        with pytest.raises(Conflict, match="deadlocked"):
            plain.make("dispatch", DISPATCHER, {"lead": "sw"})

    def test_a_superior_ends_it_with_a_document(self, plain: Way) -> None:
        plain.after(("return", CG, LAW), ("dispatch", DISPATCHER), ("return", CG, LAW))
        plain.make("designate", CHIEF, {"lead": "cg", "document": "指〔2026〕1号", **REASON})
        assert (plain.state, plain.party("cg").stage, plain.marks) == ("dispatched", "called", [])

    def test_a_department_that_is_none_is_refused(self, plain: Way) -> None:
        with pytest.raises(Invalid, match="no_department"):
            plain.in_state("filed").make("dispatch", DISPATCHER, {"lead": "nobody"})


class TestRequests:
    UNTIL: Final = {"until": "2026-09-01", **REASON}

    def asked(self, way: Way, move: str, fields: dict[str, Any]) -> Way:
        return way.after(("sign", CG), (move, CG, fields))

    def test_a_suspension_is_looked_at_by_two(self, plain: Way) -> None:
        self.asked(plain, "ask_suspension", self.UNTIL)
        with pytest.raises(Conflict, match="not_endorsed"):
            plain.make("grant", CHIEF)
        plain.after(("endorse", DISPATCHER), ("grant", CHIEF))
        assert plain.state == "suspended"

    def test_one_person_in_two_seats_is_one_person(self, plain: Way) -> None:
        self.asked(plain, "ask_suspension", self.UNTIL).make("endorse", OPERATOR)
        with pytest.raises(Forbidden, match="four_eyes"):
            plain.make("grant", OPERATOR)

    @pytest.mark.parametrize("until", ["2026-06-01", "2027-07-01", "soon"])
    def test_it_ends_within_a_year(self, plain: Way, until: str) -> None:
        plain.make("sign", CG)
        with pytest.raises(Invalid):
            plain.make("ask_suspension", CG, {"until": until, **REASON})

    def test_it_resumes_by_itself_on_the_day(self, plain: Way) -> None:
        self.asked(plain, "ask_suspension", self.UNTIL).after(("endorse", DISPATCHER), ("grant", CHIEF))
        assert workflow.suspended_until(plain.session, NOW + timedelta(days=30), LOOP) == []
        [code] = workflow.suspended_until(plain.session, NOW + timedelta(days=92), LOOP)
        assert workflow.resume(plain.session, code, NOW + timedelta(days=92), LOOP).to_state == "handling"
        assert workflow.suspended_until(plain.session, NOW + timedelta(days=92), LOOP) == []

    def test_an_issue_is_suspended_once(self, plain: Way) -> None:
        self.asked(plain, "ask_suspension", self.UNTIL)
        plain.after(("endorse", DISPATCHER), ("grant", CHIEF), ("resume", DISPATCHER))
        with pytest.raises(Conflict, match="suspended_once"):
            plain.make("ask_suspension", CG, self.UNTIL)

    def test_two_extensions_at_most_and_declined_ones_do_not_count(self, plain: Way) -> None:
        plain.make("sign", CG)
        plain.after(("ask_extension", CG, REASON), ("decline", DISPATCHER, REASON))
        for _ in range(2):
            plain.after(("ask_extension", CG, REASON), ("endorse", DISPATCHER), ("grant", CHIEF))
        with pytest.raises(Conflict, match="extended_enough"):
            plain.make("ask_extension", CG, REASON)

    def test_a_forced_closing_needs_two_people(self, plain: Way) -> None:
        plain.make("ask_forced_close", OPERATOR, REASON)
        with pytest.raises(Forbidden, match="four_eyes"):
            plain.make("grant", OPERATOR)
        plain.make("grant", CHIEF)
        assert (plain.state, plain.marks) == ("closed", ["forced"])

    def test_one_request_at_a_time(self, plain: Way) -> None:
        plain.after(("sign", CG), ("ask_extension", CG, REASON))
        with pytest.raises(Conflict, match="already_asked"):
            plain.make("ask_suspension", CG, self.UNTIL)


class TestSelfHandling:
    PHOTOS: Final = {"photo_before": looped.PHOTO, "photo_after": looped.PHOTO}

    def minor(self, session: Session, **changes: Any) -> Way:
        looped.people(session)
        return looped.plain(session, category="E0110", **changes)

    def listed(self, session: Session) -> Way:
        way = self.minor(session)
        session.execute(text("UPDATE issue SET scheme = 'cg' WHERE id = :id"), {"id": way.issue_id})
        return way

    def test_a_minor_thing_is_fixed_and_closed_with_two_photos(self, session: Session) -> None:
        way = self.listed(session)
        assert way.make("self_handle", LEADER, self.PHOTOS).to_state == "self_handled"

    def test_what_is_not_on_the_list_is_not(self, plain: Way) -> None:
        with pytest.raises(Conflict, match="not_minor"):
            plain.make("self_handle", LEADER, self.PHOTOS)

    def test_without_the_photo_after_it_is_not(self, session: Session) -> None:
        with pytest.raises(Invalid, match="photo_after"):
            self.listed(session).make("self_handle", LEADER, {"photo_before": looped.PHOTO})

    def test_what_a_department_signed_for_is_not(self, session: Session) -> None:
        way = self.listed(session).after(("sign", ZF))
        with pytest.raises(Conflict, match="signed_for"):
            way.make("self_handle", LEADER, self.PHOTOS)

    def test_one_of_the_sample_is_inspected_by_another(self, session: Session) -> None:
        way = self.listed(session).with_settings(sample_share=1.0).after(("self_handle", LEADER, self.PHOTOS))
        assert way.marks == ["sampled"]
        with pytest.raises(Forbidden):
            way.make("pass", Actor(LEADER.username, "inspector"))
        way.make("pass", INSPECTOR)
        assert (way.state, way.marks) == ("self_handled", [])

    def test_one_that_fails_goes_to_the_dispatcher(self, session: Session) -> None:
        way = self.listed(session).with_settings(sample_share=1.0).after(("self_handle", LEADER, self.PHOTOS))
        assert way.make("rework", INSPECTOR, REASON).to_state == "returned"

    def test_the_others_are_not_inspected(self, session: Session) -> None:
        way = self.listed(session).with_settings(sample_share=0.0).after(("self_handle", LEADER, self.PHOTOS))
        with pytest.raises(Conflict, match="not_sampled"):
            way.make("pass", INSPECTOR)


class TestTime:
    def test_who_saw_an_older_picture_is_told_what_happened(self, plain: Way) -> None:
        plain.make("sign", CG, version=0)
        with pytest.raises(Conflict) as refused:
            plain.make("return", CG, LAW, version=0)
        told = refused.value.params
        assert (told["move"], told["by"], told["count"]) == ("move.sign", CG.username, 1)

    def test_two_departments_at_work_at_once_are_not_in_each_others_way(self, across: Way) -> None:
        across.make("sign", CG)
        across.make("sign", SW, version=1)
        across.make("feed_back", CG, DONE, version=1)
        assert across.version == 3

    def test_a_version_that_never_was_is_refused(self, plain: Way) -> None:
        with pytest.raises(Invalid, match="no_such_version"):
            plain.make("sign", CG, version=7)

    def test_a_move_that_comes_late_from_a_phone_keeps_when_it_was_said(self, plain: Way) -> None:
        early = plain.now + timedelta(minutes=5)
        plain.now += timedelta(hours=2)
        plain.make("sign", CG, said_at=early)
        assert plain.party("cg").signed_at == early

    def test_nothing_was_signed_before_the_call(self, plain: Way) -> None:
        plain.now += timedelta(hours=2)
        plain.make("sign", CG, said_at=NOW - timedelta(minutes=1))
        assert plain.party("cg").signed_at == plain.now

    def test_nothing_was_done_before_it_was_signed_for(self, plain: Way) -> None:
        plain.now += timedelta(hours=2)
        plain.make("sign", CG)
        plain.make("feed_back", CG, DONE, said_at=NOW + timedelta(hours=1))
        assert plain.party("cg").fed_back_at == plain.now

    def test_no_line_is_out_for_ever(self, plain: Way) -> None:
        said_at = plain.now + timedelta(minutes=5)
        plain.now += timedelta(hours=73)
        plain.make("sign", CG, said_at=said_at)
        assert plain.party("cg").signed_at == plain.now

    def test_a_clock_that_runs_ahead_is_refused(self, plain: Way) -> None:
        with pytest.raises(Invalid, match="said_in_the_future"):
            plain.make("sign", CG, said_at=NOW + timedelta(hours=2))

    def test_a_clock_set_back_does_not_change_the_order(self, plain: Way) -> None:
        plain.make("sign", CG)
        plain.now -= timedelta(days=1)
        plain.make("feed_back", CG, DONE)
        assert [plain.state, plain.version] == ["fed_back", 2]

"""Whistles: blown with reasons, answered by the right level, reported in on the spot, ended by who blew them alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import language
from gis.errors import Conflict, Forbidden, Invalid
from gis.issues import intake
from gis.issues.intake import Accepted, CategoryKey, Clerk, Report
from gis.issues.matter import Actor
from gis.issues.whistles import record
from gis.issues.whistles.record import Whistle
from gis.people import rosters
from tests import town
from tests.issues import called
from tests.issues.called import (
    CALLER,
    CITY,
    CITY_CENTRE,
    DONE,
    EAST_CALLER,
    EAST_CENTRE,
    REPORT,
    SOUTH,
    VILLAGE,
    WEST_CENTRE,
    WHY,
    whistle,
)  # fmt: skip
from tests.issues.looped import CG, CHIEF, DISPATCHER, INSPECTOR, LAW, NOW, OPERATOR, WEST, ZF, Way

ITEM = {"item": "W99"}


@pytest.fixture
def way(session: Session) -> Way:
    called.town_of_callers(session)
    return called.plain(session)


@pytest.fixture
def across(session: Session) -> Way:
    called.town_of_callers(session)
    return called.across(session)


def whistles(way: Way) -> tuple[Whistle, ...]:
    return record.of_issue(way.session, way.issue_id)


def last(way: Way) -> Whistle:
    return whistles(way)[-1]


def blown(way: Way, *parties: str, **changes: Any) -> Way:
    return way.after(("blow", CALLER, whistle(*parties or ("cg", "zf"), **changes)))


def accepted(way: Way, *parties: str) -> Way:
    return blown(way, *parties).after(("accept_whistle", WEST_CENTRE, ITEM))


def answered(way: Way) -> Way:
    return accepted(way).after(
        ("report_in", CG, REPORT), ("report_in", ZF, REPORT), ("feed_back", CG, DONE), ("feed_back", ZF, DONE)
    )


class TestBlowing:
    def test_it_says_what_was_done_and_why_that_was_not_enough(self, way: Way) -> None:
        one = last(blown(way))
        assert (one.done_by_self, one.why_not, one.expected) == ("街道已劝离三次", "无执法权", "当场拆除")

    @pytest.mark.parametrize("left_out", ["done_by_self", "why_not", "parties", "type", "place", "expected"])
    def test_without_any_of_it_it_is_refused(self, way: Way, left_out: str) -> None:
        said = {name: value for name, value in whistle("cg").items() if name != left_out}
        with pytest.raises(Invalid, match="field_missing"):
            way.make("blow", CALLER, said)

    def test_a_unit_blows_for_its_own_ground_only(self, way: Way) -> None:
        with pytest.raises(Forbidden, match="not_your_ground"):
            way.make("blow", EAST_CALLER, whistle("cg"))

    @pytest.mark.parametrize("who", [DISPATCHER, OPERATOR, CG, INSPECTOR])
    def test_nobody_but_a_caller_blows(self, way: Way, who: Actor) -> None:
        with pytest.raises(Forbidden):
            way.make("blow", who, whistle("cg"))

    def test_nobody_is_called_before_the_centre_has_answered(self, way: Way) -> None:
        blown(way, "sw")
        assert way.session.scalar(text("SELECT departments FROM issue")) == ["cg", "zf"]

    def test_a_department_nobody_knows_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="no_department"):
            way.make("blow", CALLER, whistle("cg", "nobody"))

    def test_a_type_that_is_not_the_citys_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="unknown_type"):
            way.make("blow", CALLER, whistle("cg", type="loud"))

    def test_a_time_to_report_that_has_passed_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="time_past"):
            way.make("blow", CALLER, whistle("cg", report_by=NOW.isoformat()))

    def test_the_next_one_waits_for_the_end_of_the_one_before(self, way: Way) -> None:
        with pytest.raises(Conflict, match="one_at_a_time"):
            blown(blown(way))

    def test_an_issue_has_a_first_and_a_second_in_sequence(self, way: Way) -> None:
        blown(way).after(("return_whistle", WEST_CENTRE, WHY))
        assert [each.number for each in whistles(blown(way, "cg"))] == [1, 2]

    def test_its_code_names_the_unit_the_day_and_the_nth_of_the_day(self, way: Way) -> None:
        assert last(blown(way)).code == "S990101001-20260601-0001"


class TestWhoAnswers:
    def test_the_district_answers_for_departments_of_its_own(self, way: Way) -> None:
        assert last(blown(way, "cg", "zf")).held_by == WEST

    def test_the_city_answers_where_another_districts_department_is_called(self, way: Way) -> None:
        assert last(blown(way, "cg", "sw")).held_by == CITY

    def test_a_communitys_whistle_goes_through_its_subdistrict(self, way: Way) -> None:
        way.make("blow", VILLAGE, whistle("cg", "sw"))
        assert last(way).held_by == SOUTH

    def test_a_level_answers_its_own_whistles_only(self, way: Way) -> None:
        with pytest.raises(Forbidden, match="not_your_level"):
            blown(way).make("accept_whistle", EAST_CENTRE, ITEM)

    def test_who_is_bound_to_no_unit_answers_for_every_level(self, way: Way) -> None:
        blown(way).make("accept_whistle", CITY_CENTRE, ITEM)
        assert last(way).state == "called"

    def test_a_subdistrict_calls_for_its_community_who_sits_on_its_platform(self, way: Way) -> None:
        row = {
            "net": "admin", "level": "subdistrict", "unit_code": "990101001", "department": "cg", "person": "老赵",
            "standing": "resident", "valid_from": "2026-01-01",
        }  # fmt: skip
        rosters.load(way.session, [(2, row)], by="test", now=NOW)
        way.after(("blow", VILLAGE, whistle("cg")), ("accept_whistle", CALLER, ITEM))
        assert last(way).state == "called"

    def test_or_who_belongs_to_the_district_and_is_managed_by_its_office(self, way: Way) -> None:
        way.session.execute(text("UPDATE department SET belongs_to = 'mz-west', managed_by = 'jd' WHERE code = 'cg'"))
        way.after(("blow", VILLAGE, whistle("cg")), ("accept_whistle", CALLER, ITEM))
        assert last(way).state == "called"

    def test_it_cannot_call_whom_it_has_no_hold_of(self, way: Way) -> None:
        way.make("blow", VILLAGE, whistle("zf"))
        with pytest.raises(Conflict, match="beyond_reach") as refused:
            way.make("accept_whistle", CALLER, ITEM)
        assert "subdistrict 990101001 这一层叫不动 执法局" in language.explain(refused.value, "zh")
        assert refused.value.params == {"department": "zf", "unit": SOUTH}

    def test_a_city_calls_its_districts_also_where_its_code_begins_none_of_theirs(self, way: Way) -> None:
        way.session.execute(text("UPDATE unit SET code = '990100' WHERE code = '9901'"))
        way.session.execute(text("UPDATE unit SET parent_code = '990100' WHERE parent_code = '9901'"))
        way.after(("blow", CALLER, whistle("cg", "sw")), ("accept_whistle", CITY_CENTRE, ITEM))
        assert (last(way).held_by, last(way).state) == ("admin:city:990100", "called")

    def test_what_it_cannot_do_goes_up_by_a_recorded_decision(self, way: Way) -> None:
        way.after(("blow", VILLAGE, whistle("zf")), ("escalate_whistle", CALLER, WHY))
        [step] = record.escalations(way.session, way.issue_id)
        assert (step["from_unit"], step["to_unit"], step["reason"], step["by"]) == (SOUTH, WEST, "理由", "caller")
        assert step["due_at"] is not None

    def test_above_the_city_is_nobody(self, way: Way) -> None:
        blown(way, "sw")
        with pytest.raises(Conflict, match="no_superior"):
            way.make("escalate_whistle", CITY_CENTRE, WHY)


class TestTheAnswer:
    def test_an_accepted_whistle_makes_its_departments_parties_that_must_come(self, way: Way) -> None:
        accepted(way, "cg", "zf", "mz-west")
        assert (way.party("zf").mandatory, way.party("mz-west").mandatory, way.party("cg").role) == (True, True, "lead")

    def test_an_item_that_is_not_on_the_list_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="unknown_item"):
            blown(way).make("accept_whistle", WEST_CENTRE, {"item": "W55"})

    def test_an_item_for_other_categories_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="item_not_for"):
            blown(way).make("accept_whistle", WEST_CENTRE, {"item": "W01"})

    def test_a_returned_whistle_keeps_its_reason_and_calls_nobody(self, way: Way) -> None:
        one = last(blown(way, "zf", "mz-west").after(("return_whistle", WEST_CENTRE, {"reason": "街道自办"})))
        assert (one.state, one.answer, way.marks) == ("returned", "街道自办", [])
        assert "mz-west" not in way.session.scalar(text("SELECT departments FROM issue"))

    def test_a_split_whistle_is_two_each_with_its_own_expectation(self, way: Way) -> None:
        blown(way, "cg", "zf").make("split_whistle", WEST_CENTRE, {"parties": ["zf"], "expected": "出具认定"})
        told = [(each.number, each.departments, each.expected, each.split_from) for each in whistles(way)]
        assert told == [(1, ("cg",), "当场拆除", None), (2, ("zf",), "出具认定", 1)]

    @pytest.mark.parametrize("parties", [["cg", "zf"], ["sw"]])
    def test_a_split_leaves_something_on_both_sides(self, way: Way, parties: list[str]) -> None:
        with pytest.raises(Invalid, match="bad_split"):
            blown(way).make("split_whistle", WEST_CENTRE, {"parties": parties, "expected": "x"})

    def test_an_emergency_goes_straight_through(self, way: Way) -> None:
        one = last(blown(way, "zf", "mz-west", type="emergency"))
        assert (one.state, way.party("mz-west").stage) == ("called", "called")

    def test_an_answered_whistle_is_not_answered_again(self, way: Way) -> None:
        with pytest.raises(Conflict, match="not_waiting"):
            accepted(way).make("return_whistle", WEST_CENTRE, WHY)

    def test_an_issue_nobody_leads_is_led_by_the_first_called(self, session: Session) -> None:
        called.town_of_callers(session)
        way = called.plain(session).in_state("filed")
        session.execute(text("UPDATE issue SET lead = NULL"))
        blown(way, "zf", "cg").make("accept_whistle", WEST_CENTRE, ITEM)
        assert (way.state, way.party("zf").role) == ("dispatched", "lead")


class TestReportingIn:
    def test_reporting_in_says_where_and_who(self, way: Way) -> None:
        accepted(way).make("report_in", CG, REPORT)
        standing = last(way).standings[0]
        assert (way.state, standing.stage, standing.arrived_at) == ("handling", "handling", way.now)

    @pytest.mark.parametrize("left_out", ["position", "person"])
    def test_without_either_nobody_has_reported_in(self, way: Way, left_out: str) -> None:
        said = {name: value for name, value in REPORT.items() if name != left_out}
        with pytest.raises(Invalid, match="field_missing"):
            accepted(way).make("report_in", CG, said)

    def test_who_was_not_called_by_a_whistle_does_not_report_in(self, way: Way) -> None:
        with pytest.raises(Conflict, match="not_called"):
            way.make("report_in", CG, REPORT)

    def test_nobody_reports_in_twice(self, way: Way) -> None:
        with pytest.raises(Conflict, match="reported_in"):
            accepted(way).after(("report_in", CG, REPORT), ("report_in", CG, REPORT))

    def test_a_report_that_comes_late_over_a_dead_line_counts_when_it_was_said(self, way: Way) -> None:
        accepted(way)
        version, said_at = way.version, way.now + timedelta(minutes=5)
        way.make("report_in", ZF, REPORT)
        way.now += timedelta(days=3)
        way.make("report_in", CG, REPORT, said_at=said_at, version=version)
        standing = last(way).standings[0]
        assert (standing.arrived_at, standing.is_late(said_at)) == (said_at, False)

    def test_a_report_from_before_the_call_is_of_now(self, way: Way) -> None:
        accepted(way).make("report_in", CG, REPORT, said_at=NOW + timedelta(seconds=90))
        assert last(way).standings[0].arrived_at == way.now

    def test_a_report_that_is_yet_to_come_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="said_in_the_future"):
            accepted(way).make("report_in", CG, REPORT, said_at=datetime(2030, 1, 1, tzinfo=UTC))

    def test_who_refuses_says_by_which_law_and_the_issue_waits_for_a_decision(self, way: Way) -> None:
        accepted(way).make("refuse", ZF, LAW)
        assert (way.state, last(way).standings[1].stage) == ("returned", "refused")

    def test_pressing_gives_those_who_did_not_come_a_new_time(self, way: Way) -> None:
        accepted(way).make("report_in", CG, REPORT)
        report_by = (way.now + timedelta(hours=2)).isoformat()
        way.make("press_whistle", WEST_CENTRE, {"document": "督办1号", "report_by": report_by})
        assert ([each.department for each in last(way).absent], last(way).report_by.isoformat()) == (["zf"], report_by)  # type: ignore[union-attr]

    def test_where_everybody_came_nobody_is_pressed(self, way: Way) -> None:
        way = answered(way)
        said = {"document": "1", "report_by": (way.now + timedelta(hours=2)).isoformat()}
        with pytest.raises(Conflict, match="nobody_absent"):
            way.make("press_whistle", WEST_CENTRE, said)


class TestTheEnd:
    def test_no_issue_is_closed_before_the_caller_agrees(self, way: Way) -> None:
        answered(way).make("pass", INSPECTOR)
        with pytest.raises(Conflict, match="not_agreed"):
            way.make("close", CHIEF)
        assert way.after(("agree_whistle", CALLER), ("close", CHIEF)).state == "closed"

    def test_nor_forced_to_close(self, way: Way) -> None:
        way = accepted(way).after(("ask_forced_close", DISPATCHER, WHY))
        with pytest.raises(Conflict, match="not_agreed"):
            way.make("grant", CHIEF)

    def test_nobody_agrees_before_everybody_has_answered(self, way: Way) -> None:
        way = accepted(way).after(("report_in", CG, REPORT), ("feed_back", CG, DONE))
        with pytest.raises(Conflict, match="not_answered"):
            way.make("agree_whistle", CALLER)

    @pytest.mark.parametrize("who", [EAST_CALLER, VILLAGE])
    def test_only_who_blew_it_agrees(self, way: Way, who: Actor) -> None:
        with pytest.raises(Forbidden, match="not_yours"):
            answered(way).make("agree_whistle", who)

    def test_not_yet_sends_everybody_back_to_work(self, way: Way) -> None:
        answered(way).make("not_yet", CALLER, WHY)
        stages = {each.department: each.stage for each in last(way).standings}
        assert (way.state, stages, "reworked" in way.marks) == ("handling", {"cg": "handling", "zf": "handling"}, True)

    def test_also_after_the_inspection(self, way: Way) -> None:
        answered(way).after(("pass", INSPECTOR), ("not_yet", CALLER, WHY))
        assert way.state == "handling"

    def test_a_second_whistle_calls_anew_who_had_finished(self, way: Way) -> None:
        answered(way).after(("agree_whistle", CALLER), ("rework", INSPECTOR, WHY))
        blown(way, "cg", "mz-west").after(("accept_whistle", WEST_CENTRE, ITEM))
        first, second = whistles(way)
        assert ([each.stage for each in first.standings], [each.stage for each in second.standings]) == (
            ["fed_back", "fed_back"], ["called", "called"],
        )  # fmt: skip

    def test_a_withdrawn_whistle_lets_go_who_has_done_nothing(self, way: Way) -> None:
        accepted(way, "cg", "mz-west").make("withdraw_whistle", CALLER, WHY)
        assert (last(way).state, "mz-west" in way.session.scalar(text("SELECT departments FROM issue"))) == (
            "withdrawn", False,
        )  # fmt: skip

    def test_every_party_is_scored_once_by_who_blew_it(self, way: Way) -> None:
        way = answered(way).after(("agree_whistle", CALLER))
        way.make("review_whistle", CALLER, {"scores": {"cg": 95, "zf": 60}, "note": "来得晚"})
        assert last(way).scores == {"cg": 95, "zf": 60}
        with pytest.raises(Conflict, match="reviewed_once"):
            way.make("review_whistle", CALLER, {"scores": {"cg": 1, "zf": 1}})

    @pytest.mark.parametrize(
        ("scores", "code"),
        [({"cg": 95}, "score_everybody"), ({"cg": 101, "zf": 1}, "bad_field"), ({"cg": "a", "zf": 1}, "bad_field")],
    )
    def test_a_review_leaves_nobody_out_and_stays_in_its_bounds(self, way: Way, scores: Any, code: str) -> None:
        way = answered(way).after(("agree_whistle", CALLER))
        with pytest.raises(Invalid, match=code):
            way.make("review_whistle", CALLER, {"scores": scores})

    def test_nothing_is_reviewed_before_it_is_over(self, way: Way) -> None:
        with pytest.raises(Conflict, match="not_over"):
            answered(way).make("review_whistle", CALLER, {"scores": {"cg": 1, "zf": 1}})


class TestAnIssueThatGoesElsewhere:
    @pytest.mark.parametrize(
        ("move", "fields"), [("merge", {"target": "990101000009"}), ("reject", LAW), ("void", WHY)]
    )
    def test_with_an_open_whistle_it_does_not_end_by_another_way(
        self, way: Way, move: str, fields: dict[str, str]
    ) -> None:
        called.plain(way.session, nth=9)
        blown(way).in_state("filed")
        with pytest.raises(Conflict, match="not_agreed"):
            way.make(move, CHIEF if move != "merge" else DISPATCHER, fields)

    def test_put_on_another_place_it_keeps_those_who_were_called(self, session: Session) -> None:
        called.town_of_callers(session)
        lon, lat = town.lonlat(0.4, 0.5)
        place, clerk = {"lon": lon, "lat": lat, "accuracy_m": 5}, Clerk("wu", NOW)
        report = Report("12345", "1", CategoryKey("gb", "1", "0501"), "破损", NOW, place)
        [filed] = intake.accept_many(session, [report], clerk)
        assert isinstance(filed, Accepted)
        way = accepted(Way(session, filed.code, filed.id), "cg", "mz-west")
        intake.place(session, way.code, place | {"lon": town.lonlat(0.6, 0.5)[0]}, clerk)
        assert way.party("mz-west").mandatory


class TestAcrossALine:
    def test_both_sides_may_have_a_whistle_at_once(self, across: Way) -> None:
        across.after(("blow", CALLER, whistle("cg")), ("blow", EAST_CALLER, whistle("sw")))
        assert [each.by_unit.rsplit(":")[-1] for each in whistles(across)] == ["990101001", "990102001"]

    def test_a_number_says_which_one_is_meant(self, across: Way) -> None:
        across.after(("blow", CALLER, whistle("cg")), ("blow", EAST_CALLER, whistle("sw")))
        across.make("accept_whistle", CITY_CENTRE, ITEM | {"whistle": 2})
        assert [each.state for each in whistles(across)] == ["blown", "called"]

    def test_a_number_that_is_none_is_refused(self, across: Way) -> None:
        across.make("blow", CALLER, whistle("cg"))
        with pytest.raises(Invalid, match=r"whistles\.unknown"):
            across.make("accept_whistle", CITY_CENTRE, ITEM | {"whistle": 7})

    def test_a_departments_second_refusal_is_a_deadlock_no_whistle_gets_round(self, across: Way) -> None:
        across.after(("sign", CG), ("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "cg"}), ("return", CG, LAW))
        across.make("blow", CALLER, whistle("cg", "sw"))
        with pytest.raises(Conflict, match="deadlocked"):
            across.make("accept_whistle", CITY_CENTRE, ITEM)
        across.make("designate", CHIEF, {"lead": "sw", "document": "市指1号", "reason": "x"})
        assert across.party("sw").role == "lead"


def test_a_department_that_is_gone_is_still_named_by_the_whistle(way: Way) -> None:
    blown(way, "cg", "mz-east")
    # The product deletes no department; an owner of the database may.
    gone = "DELETE FROM department WHERE code = 'mz-east'"
    for statement in ("SET LOCAL ROLE NONE", gone, "SET LOCAL ROLE shaotu_app"):
        way.session.execute(text(statement))
    assert last(way).departments == ("cg", "mz-east")
    with pytest.raises(Invalid, match="no_department"):
        way.make("accept_whistle", CITY_CENTRE, ITEM)

"""Beside a decision and without prejudice to it: danger made safe, lines confirmed, consultations, joint records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid
from gis.issues import agreements, errands, intake, sides, whistle_worklist
from gis.issues.intake import CategoryKey, Clerk, Report
from gis.issues.matter import Actor
from gis.issues.whistles import levels
from tests import town
from tests.issues import called
from tests.issues.called import (
    CALLER,
    CITY,
    CITY_CENTRE,
    COMMUNITY,
    DONE,
    HERE,
    JD,
    MZ_EAST,
    MZ_WEST,
    SOUTH,
    WEST_CENTRE,
    WHY,
)  # fmt: skip
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, EAST, INSPECTOR, LAW, NOW, SW, WEST, ZF, Way

SAFE = HERE | DONE
MINUTES = {"minutes": "由东侧牵头，西侧配合", "document": "会商纪要1号"}


@pytest.fixture
def way(session: Session) -> Way:
    called.town_of_callers(session)
    return called.plain(session)


@pytest.fixture
def across(session: Session) -> Way:
    called.town_of_callers(session)
    return called.across(session)


def errand(way: Way) -> errands.Errand:
    return errands.of_issue(way.session, way.issue_id)[-1]


def decisions(way: Way) -> int:
    asked = text("SELECT count(*) FROM decision WHERE issue_id = :id")
    return int(way.session.scalar(asked, {"id": way.issue_id}) or 0)


class TestLevels:
    def test_a_ladder_climbs_from_a_community_to_the_city(self, way: Way) -> None:
        assert levels.ladder(way.session, COMMUNITY, NOW.date()) == (COMMUNITY, SOUTH, WEST, CITY)

    @pytest.mark.parametrize(
        ("steps", "called", "holder"),
        [
            ((SOUTH, WEST, CITY), [(WEST, CITY)], WEST),
            ((SOUTH, WEST, CITY), [], WEST),
            ((SOUTH, WEST, CITY), [(WEST, CITY), (EAST, CITY)], CITY),
            ((COMMUNITY, SOUTH, WEST, CITY), [(EAST, CITY)], SOUTH),
            ((WEST, CITY), [(WEST, CITY)], CITY),
            ((CITY,), [(WEST, CITY)], None),
        ],
    )
    def test_the_lowest_that_stands_over_everybody_answers(
        self, steps: tuple[str, ...], called: list[tuple[str, ...]], holder: str | None
    ) -> None:
        assert levels.holder(steps, called, ("district", "subdistrict")) == holder


class TestMakingSafe:
    def test_the_nearest_office_is_sent_at_once_on_a_clock_of_its_own(self, way: Way) -> None:
        way.make("make_safe", CLERK, {"reason": "墙要倒"})
        sent = errand(way)
        assert (sent.department, sent.distance_m, sent.due_at, way.marks) == (
            "jd", 0.0, way.now + timedelta(minutes=30), ["danger"],
        )  # fmt: skip

    @pytest.mark.parametrize(("x", "office"), [(2.4, "jd-east"), (1.9, "jd"), (4.5, "jd-east")])
    def test_the_nearest_is_the_one_whose_ground_is_nearest_also_from_outside(
        self, session: Session, x: float, office: str
    ) -> None:
        called.town_of_callers(session)
        way = called.plain(session, x=x)
        way.make("make_safe", CLERK, WHY)
        assert errand(way).department == office

    def test_nothing_of_whose_it_is_is_settled_by_it(self, across: Way) -> None:
        across.make("make_safe", CLERK, WHY | {"department": "jd-east"})
        parties = across.session.scalars(text("SELECT DISTINCT department FROM party ORDER BY 1")).all()
        assert (decisions(across), across.state, parties) == (1, "dispatched", ["cg", "sw", "zf"])

    def test_who_was_sent_sees_the_issue_also_when_it_is_decided_anew(self, way: Way) -> None:
        way.after(("make_safe", CLERK, WHY), ("designate", CHIEF, {"lead": "sw", "document": "1", "reason": "x"}))
        assert "jd" in way.session.scalar(text("SELECT departments FROM issue"))

    def test_who_was_sent_tells_when_it_is_safe(self, way: Way) -> None:
        way.after(("make_safe", CLERK, WHY), ("made_safe", JD, SAFE))
        assert (errand(way).done, errand(way).done_at, way.marks) == ("已处置", way.now, [])

    def test_nobody_else_does(self, way: Way) -> None:
        way.make("make_safe", CLERK, WHY)
        with pytest.raises(Forbidden):
            way.make("made_safe", SW, SAFE)

    def test_late_over_a_dead_line_it_counts_when_it_was_said(self, way: Way) -> None:
        way.make("make_safe", CLERK, WHY)
        said_at, version = way.now + timedelta(minutes=10), way.version
        way.now += timedelta(hours=5)
        way.make("made_safe", JD, SAFE, said_at=said_at, version=version)
        assert (errand(way).done_at, errand(way).is_late(way.now)) == (said_at, False)

    def test_nobody_is_sent_twice_at_a_time(self, way: Way) -> None:
        with pytest.raises(Conflict, match="sent_already"):
            way.after(("make_safe", CLERK, WHY), ("make_safe", CALLER, WHY))

    def test_who_made_it_safe_does_not_inspect_it(self, way: Way) -> None:
        way.after(("make_safe", CLERK, WHY), ("made_safe", JD, SAFE), ("sign", CG), ("feed_back", CG, DONE))
        with pytest.raises(Forbidden, match="handler_may_not"):
            way.make("pass", Actor("mole", "inspector", "jd"))

    def test_before_it_is_safe_it_is_not_closed(self, way: Way) -> None:
        way.after(("make_safe", CLERK, WHY), ("sign", CG), ("feed_back", CG, DONE), ("pass", INSPECTOR))
        with pytest.raises(Conflict, match="unsafe"):
            way.make("close", CHIEF)
        way.after(("made_safe", JD, SAFE), ("close", CHIEF))
        assert (way.state, way.marks) == ("closed", [])

    def test_closed_by_force_it_calls_nobody_until_it_is_opened_anew(self, way: Way) -> None:
        way.after(("make_safe", CLERK, WHY), ("ask_forced_close", DISPATCHER, WHY), ("grant", CHIEF))
        assert (way.marks, whistle_worklist.waiting(way.session, JD)) == (["forced"], [])
        way.make("reopen", CLERK, WHY)
        assert "danger" in way.marks
        assert [call.kind for call in whistle_worklist.waiting(way.session, JD)] == ["make_safe"]

    def test_a_department_nobody_knows_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="no_department"):
            way.make("make_safe", CLERK, WHY | {"department": "nobody"})


class TestADangerousReport:
    @pytest.fixture
    def city(self, session: Session) -> Session:
        called.town_of_callers(session)
        session.execute(text("INSERT INTO category VALUES ('gb', '1', 'E0502', NULL, '燃气泄漏', 'Gas', NULL, 1)"))
        session.execute(text("INSERT INTO department VALUES ('rq', 'RQ', '燃气', 'Gas')"))
        return session

    def report(self, **changes: object) -> Report:
        lon, lat = town.lonlat(0.5, 0.5)
        said = Report("12345", "1", CategoryKey("gb", "1", "E0502"), "漏气", NOW, {"lon": lon, "lat": lat})
        return replace(said, **changes)  # type: ignore[arg-type]

    def sent(self, session: Session) -> list[str]:
        return list(session.scalars(text("SELECT department FROM errand ORDER BY id")))

    def accept(self, session: Session, report: Report) -> intake.Accepted:
        return intake.accept(session, report, by="wu", now=NOW)

    def test_it_sends_who_can_deal_with_it_with_its_filing(self, city: Session) -> None:
        self.accept(city, self.report())
        assert self.sent(city) == ["rq"]

    def test_once_although_it_is_sent_twice(self, city: Session) -> None:
        self.accept(city, self.report())
        self.accept(city, self.report())
        assert self.sent(city) == ["rq"]

    def test_what_is_history_sends_nobody(self, city: Session) -> None:
        self.accept(city, self.report(reported_at=NOW - timedelta(days=3)))
        assert self.sent(city) == []

    def test_without_a_place_it_waits_for_one(self, city: Session) -> None:
        issue = self.accept(city, self.report(place={"text": "somewhere"}))
        assert self.sent(city) == []
        lon, lat = town.lonlat(0.5, 0.5)
        intake.place(city, issue.code, {"lon": lon, "lat": lat, "accuracy_m": 5}, Clerk("wu", NOW))
        assert self.sent(city) == ["rq"]


class TestLines:
    def test_a_line_of_districts_is_asked_of_civil_affairs_on_both_sides(self, across: Way) -> None:
        across.make("ask_line", CITY_CENTRE, WHY)
        told = [(each.department, each.units) for each in errands.of_issue(across.session, across.issue_id)]
        assert told == [("mz-west", (WEST, EAST)), ("mz-east", (WEST, EAST))]

    def test_a_line_of_communities_is_confirmed_by_their_subdistrict(self, session: Session) -> None:
        called.town_of_callers(session)
        beside = "admin:community:990101001001"
        way = called.plain(session, ground=[CITY, WEST, SOUTH, COMMUNITY, beside])
        way.after(("ask_line", WEST_CENTRE, WHY), ("confirm_line", CALLER, {"result": beside, "document": "街确1号"}))
        [line] = sides.lines(session, way.issue_id)
        assert (line["department"], line["units"], line["result"]) == ("jd", [COMMUNITY, beside], beside)

    def test_a_confirmed_line_keeps_its_piece_near_the_place(self, across: Way) -> None:
        found = {"result": "on_line", "document": "民1号"}
        across.after(("ask_line", CITY_CENTRE, WHY), ("confirm_line", MZ_WEST, found))
        [line] = sides.lines(across.session, across.issue_id)
        [[start, end]] = line["geometry"]["coordinates"]
        assert (start[0], end[0], line["result"]) == (120.52, 120.52, "on_line")
        assert abs(end[1] - start[1]) * 111_000 == pytest.approx(400, rel=0.01)

    def test_it_leaves_the_decision_as_it_was(self, across: Way) -> None:
        across.after(("ask_line", CITY_CENTRE, WHY), ("confirm_line", MZ_EAST, {"result": EAST, "document": "民2号"}))
        assert (decisions(across), across.state) == (1, "dispatched")

    def test_a_result_that_is_neither_side_is_refused(self, across: Way) -> None:
        across.make("ask_line", CITY_CENTRE, WHY)
        with pytest.raises(Invalid, match="bad_result"):
            across.make("confirm_line", MZ_WEST, {"result": SOUTH, "document": "x"})

    @pytest.mark.parametrize("who", [CG, JD, CALLER])
    def test_nobody_else_confirms_a_districts_line(self, across: Way, who: Actor) -> None:
        across.make("ask_line", CITY_CENTRE, WHY)
        with pytest.raises(Forbidden):
            across.make("confirm_line", who, {"result": "on_line", "document": "x"})

    def test_inside_one_community_there_is_no_line_to_ask_for(self, way: Way) -> None:
        with pytest.raises(Conflict, match="one_side"):
            way.make("ask_line", CITY_CENTRE, WHY)


class TestConsultations:
    def test_it_has_a_day_by_which_it_decides(self, across: Way) -> None:
        across.make("convene", CITY_CENTRE, WHY)
        [held] = sides.consultations(across.session, across.issue_id)
        assert held.due_at == across.now + timedelta(days=1)

    def test_what_its_minutes_say_of_the_lead_holds_at_once(self, across: Way) -> None:
        across.after(("return", CG, LAW), ("convene", CITY_CENTRE, WHY))
        across.make("conclude", CITY_CENTRE, MINUTES | {"lead": "sw"})
        assert (across.state, across.party("sw").role, across.party("zf").mandatory) == ("dispatched", "lead", True)

    def test_it_settles_a_deadlock(self, across: Way) -> None:
        across.after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "cg"}), ("return", CG, LAW))
        across.after(("convene", CITY_CENTRE, WHY), ("conclude", CITY_CENTRE, MINUTES | {"lead": "sw"}))
        assert across.marks == []

    def test_its_minutes_can_become_a_standing_agreement_the_next_issue_follows(self, across: Way) -> None:
        said = MINUTES | {"standing": "yes", "valid_to": "2027-06-01"}
        across.after(("convene", CITY_CENTRE, WHY), ("conclude", CITY_CENTRE, said))
        [held] = sides.consultations(across.session, across.issue_id)
        [pact] = agreements.at(across.session, town.at(2.0, 0.5), NOW.date())
        assert (pact.code, pact.lead.key, [each.key for each in pact.parties]) == (held.agreement, WEST, [WEST, EAST])

    def test_one_at_a_time(self, across: Way) -> None:
        with pytest.raises(Conflict, match="convened"):
            across.after(("convene", CITY_CENTRE, WHY), ("convene", CITY_CENTRE, WHY))

    def test_what_was_not_called_is_not_concluded(self, across: Way) -> None:
        with pytest.raises(Conflict, match="nothing_convened"):
            across.make("conclude", CITY_CENTRE, MINUTES)

    def test_a_day_that_has_passed_is_refused(self, across: Way) -> None:
        with pytest.raises(Invalid, match="time_past"):
            across.make("convene", CITY_CENTRE, WHY | {"due": NOW.isoformat()})


class TestJointRecords:
    def test_it_is_whole_when_each_side_has_signed(self, across: Way) -> None:
        across.after(("sign", CG), ("sign", SW), ("record_jointly", CG, {"found": "楼跨界，属违建"}))
        assert sides.joint_records(across.session, across.issue_id)[0].open_sides == (EAST,)
        across.make("countersign", SW)
        assert sides.joint_records(across.session, across.issue_id)[0].signed == {WEST: "cg", EAST: "sw"}

    def test_a_side_signs_once(self, across: Way) -> None:
        across.after(("sign", CG), ("record_jointly", CG, {"found": "x"}))
        with pytest.raises(Conflict, match="nothing_to_sign"):
            across.make("countersign", CG)

    def test_who_speaks_for_no_side_does_not_sign(self, across: Way) -> None:
        across.after(("sign", CG), ("sign", ZF), ("record_jointly", CG, {"found": "x"}))
        with pytest.raises(Forbidden, match="not_a_side"):
            across.make("countersign", ZF)

    def test_on_one_side_alone_nothing_is_joint(self, way: Way) -> None:
        with pytest.raises(Conflict, match=r"sides\.one_side"):
            way.after(("sign", CG), ("record_jointly", CG, {"found": "x"}))


def test_the_building_on_the_line_from_report_to_demolition_one_side_refusing_first(across: Way) -> None:
    """Play section 6 of the loop: safety first, a refusal, a line, a consultation, both sides, an agreed whistle."""
    across.after(
        ("make_safe", CLERK, {"reason": "加层随时倒塌"}), ("made_safe", JD, SAFE),
        ("sign", SW), ("return", CG, LAW),
        ("ask_line", CITY_CENTRE, WHY), ("confirm_line", MZ_WEST, {"result": "on_line", "document": "民1号"}),
        ("confirm_line", MZ_EAST, {"result": "on_line", "document": "民2号"}),
        ("convene", CITY_CENTRE, WHY), ("conclude", CITY_CENTRE, MINUTES | {"lead": "sw", "standing": "yes"}),
        ("blow", CALLER, called.whistle("cg", "sw")), ("accept_whistle", CITY_CENTRE, {"item": "W09"}),
        ("report_in", CG, called.REPORT), ("report_in", SW, called.REPORT),
        ("record_jointly", SW, {"found": "楼跨界，属违建"}), ("countersign", CG), ("feed_back", SW, DONE),
    )  # fmt: skip
    assert across.state == "handling"
    across.after(("feed_back", CG, DONE), ("agree_whistle", CALLER), ("pass", INSPECTOR), ("close", CHIEF))
    across.make("review_whistle", CALLER, {"scores": {"cg": 60, "sw": 95}})
    assert (across.state, across.marks) == ("closed", [])

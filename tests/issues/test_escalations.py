"""What goes up by itself, once for each time it runs out."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import escalations, sides
from gis.issues.whistles import record
from tests.issues import called
from tests.issues.called import CALLER, CITY, CITY_CENTRE, REPORT, VILLAGE, WEST_CENTRE, WHY, whistle
from tests.issues.looped import CG, CHIEF, LAW, WEST, ZF, Way

LATER = timedelta(days=2)


@pytest.fixture
def way(session: Session) -> Way:
    called.town_of_callers(session)
    return called.plain(session)


def rise(way: Way, after: timedelta = LATER) -> list[str]:
    way.now += after
    return [each.kind for each in handed_on(way.session, way)]


def handed_on(session: Session, way: Way) -> list[escalations.Risen]:
    late = escalations.due(session, way.now)
    return [each for each in late if escalations.hand_on(session, each, way.now, way.loop)]


def held(way: Way) -> str:
    return record.of_issue(way.session, way.issue_id)[-1].held_by


def test_a_whistle_nobody_answered_goes_up_and_has_a_new_time(way: Way) -> None:
    way.make("blow", CALLER, whistle("cg"))
    assert rise(way) == ["whistle"]
    [one] = record.of_issue(way.session, way.issue_id)
    assert (one.held_by, one.answer_due_at) == (CITY, way.now + timedelta(hours=4))


def test_before_its_time_it_stays(way: Way) -> None:
    way.make("blow", CALLER, whistle("cg"))
    assert (rise(way, timedelta(hours=3)), held(way)) == ([], WEST)


def test_asking_twice_changes_nothing(way: Way) -> None:
    way.make("blow", CALLER, whistle("cg"))
    rise(way)
    assert (rise(way, timedelta(0)), way.version) == ([], 2)


def test_a_communitys_climbs_level_by_level_to_the_city_and_there_it_is_told_once(way: Way) -> None:
    way.make("blow", VILLAGE, whistle("cg"))
    assert [rise(way) for _ in range(4)] == [["whistle"]] * 3 + [[]]
    assert (held(way), way.marks) == (CITY, ["unanswered", "whistled"])


def test_it_can_still_be_answered_there(way: Way) -> None:
    way.make("blow", VILLAGE, whistle("cg"))
    for _ in range(3):
        rise(way)
    way.make("accept_whistle", CITY_CENTRE, {"item": "W99"})
    assert way.marks == ["whistled"]


def test_who_was_called_and_did_not_come_is_the_superiors_matter(way: Way) -> None:
    way.after(("blow", CALLER, whistle("cg", "zf")), ("accept_whistle", WEST_CENTRE, {"item": "W99"}))
    way.make("report_in", CG, REPORT)
    assert (rise(way), held(way)) == (["whistle"], CITY)


def test_where_everybody_came_nothing_rises(way: Way) -> None:
    way.after(("blow", CALLER, whistle("cg", "zf")), ("accept_whistle", WEST_CENTRE, {"item": "W99"}))
    way.after(("report_in", CG, REPORT), ("report_in", ZF, REPORT))
    assert rise(way) == []


def test_a_returned_whistle_stays_returned(way: Way) -> None:
    way.after(("blow", CALLER, whistle("cg")), ("return_whistle", WEST_CENTRE, WHY))
    assert rise(way) == []


def test_pressed_by_the_superior_they_have_the_new_time(way: Way) -> None:
    way.after(("blow", CALLER, whistle("cg")), ("accept_whistle", WEST_CENTRE, {"item": "W99"}))
    rise(way)
    report_by = (way.now + timedelta(days=3)).isoformat()
    way.make("press_whistle", CITY_CENTRE, {"document": "督办1号", "report_by": report_by})
    assert rise(way) == []


def test_an_order_to_make_safe_that_was_not_carried_out_is_told_once(way: Way) -> None:
    way.make("make_safe", CALLER, {"reason": "要塌"})
    assert (rise(way), rise(way)) == (["make_safe"], [])
    asked = "SELECT params ->> 'department' FROM entry WHERE kind = 'late_make_safe'"
    told = way.session.scalars(text(asked)).all()
    assert told == ["jd"]


def test_a_consultation_that_does_not_decide_in_time_leaves_it_to_a_superior(session: Session) -> None:
    called.town_of_callers(session)
    way = called.across(session)
    due = (way.now + timedelta(hours=5)).isoformat()
    way.after(("return", CG, LAW), ("convene", CITY_CENTRE, WHY | {"due": due}))
    assert (rise(way), rise(way), way.marks) == (["consultation"], [], ["deadlock"])
    assert sides.consultations(session, way.issue_id)[0].late_at is not None
    way.make("designate", CHIEF, {"lead": "sw", "document": "市指1号", "reason": "会商未果"})
    assert (way.state, way.marks) == ("dispatched", [])


def test_of_two_who_look_at_once_one_sends_it_up(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        called.town_of_callers(session)
        way = called.plain(session)
        way.make("blow", CALLER, whistle("cg"))
        session.commit()
    together, risen = threading.Barrier(2), []

    def look() -> None:
        with db.session(clean_db, db.EVERYTHING) as mine:
            together.wait()
            risen.extend(handed_on(mine, way))
            mine.commit()

    way.now += LATER
    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.session(clean_db, db.EVERYTHING) as session:
        assert (len(risen), session.scalar(text("SELECT count(*) FROM escalation"))) == (1, 1)

"""A report becomes an issue once, on the right ground, with its departments, and nothing of it is lost or rewritten."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Invalid, NotFound
from gis.issues import categories, intake, journal, listing
from gis.issues.intake import Accepted, CategoryKey, Clerk, Report
from gis.settings import Settings
from tests import town
from tests.issues import filed

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
CLERK = Clerk("wu", NOW)


def prepare(session: Session) -> None:
    town.build(session)
    filed.people(session)


@pytest.fixture
def city(session: Session) -> Session:
    prepare(session)
    return session


def report(external_id: str = "1", x: float = 0.25, y: float = 0.25, **changes: Any) -> Report:
    lon, lat = town.lonlat(x, y)
    said = Report("12345", external_id, CategoryKey("gb", "1", "0501"), "井盖破损", NOW, {"lon": lon, "lat": lat})
    return replace(said, **changes)


def accept(session: Session, said: Report) -> Accepted:
    return intake.accept(session, said, by="wu", now=NOW)


def row(session: Session, issue_id: int) -> Any:
    return session.execute(text("SELECT * FROM issue WHERE id = :id"), {"id": issue_id}).one()


def findings(session: Session, issue_id: int) -> list[dict[str, Any]]:
    sql = "SELECT location FROM finding WHERE issue_id = :id ORDER BY version"
    return list(session.scalars(text(sql), {"id": issue_id}))


def redraw_police(session: Session, valid_from: date) -> None:
    whole = [town.Lot("precinct", "new", town.field(0, 0, 4, 2))]
    town.edition(session, "police", "2025", whole, valid_from=valid_from)


def kinds(session: Session, issue_id: int) -> list[str]:
    return [entry["kind"] for entry in journal.history(session, issue_id)]


def count(session: Session, table: str) -> int:
    return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_a_report_stands_on_its_whole_chain(city: Session) -> None:
    issue = row(city, accept(city, report()).id)
    assert {"admin:city:9901", "admin:district:990101", "admin:subdistrict:990101001"} <= set(issue.ground)
    assert "admin:community:990101001001" in issue.ground
    assert "police:precinct:p1" in issue.ground
    assert (issue.state, issue.located) == ("filed", True)


def test_the_place_is_kept_as_it_was_sent(city: Session) -> None:
    lon, lat = town.lonlat(0.25, 0.25)
    said = {"lon": lon, "lat": lat, "datum": "GCJ-02", "accuracy_m": 20, "accuracy_kind": "radius68", "by": "phone"}
    issue = accept(city, report(place=said))
    assert row(city, issue.id).place == said


def test_coordinates_in_another_datum_are_moved_once(city: Session) -> None:
    lon, lat = town.lonlat(0.75, 0.75)
    there = report(place={"lon": lon, "lat": lat, "datum": "GCJ-02"})
    found = findings(city, accept(city, there).id)[0]["place"]
    assert found["datum"] == "GCJ02"
    assert found["geometry"]["coordinates"] != [lon, lat]


def test_a_source_says_the_datum_where_the_report_does_not(city: Session) -> None:
    city.execute(text("UPDATE source SET datum = 'GCJ02', accuracy_m = 30, accuracy_kind = 'radius68'"))
    found = findings(city, accept(city, report(x=1, y=1)).id)[0]["place"]
    assert (found["datum"], found["accuracy_m"], found["accuracy_kind"]) == ("GCJ02", 30, "radius68")


def test_a_report_is_decided_and_its_departments_are_called(city: Session) -> None:
    issue = row(city, accept(city, report()).id)
    assert issue.lead in issue.departments
    parties = city.scalars(text("SELECT department FROM party WHERE issue_id = :id"), {"id": issue.id})
    assert sorted(parties) == sorted(issue.departments)


def test_a_filing_is_in_the_journal_on_the_ground_it_concerns(city: Session) -> None:
    issue = row(city, accept(city, report()).id)
    entry = city.execute(text("SELECT kind, ground, actor FROM entry WHERE issue_id = :id"), {"id": issue.id}).one()
    assert (entry.kind, entry.actor) == ("to_dispatch", "wu")
    assert set(entry.ground) == set(issue.ground)


def test_the_code_is_the_city_the_day_there_and_a_serial(city: Session) -> None:
    late = datetime(2024, 5, 6, 17, tzinfo=UTC)
    code = intake.accept(city, report(), by="wu", now=late, settings=Settings(city_code="110102")).code
    assert code.startswith("11010220240507")
    assert len(code) == 6 + 8 + 6


def test_without_a_setting_the_code_begins_as_the_citys_own_on_the_ground(city: Session) -> None:
    assert accept(city, report()).code.startswith("99010020240506")


def test_serials_go_on_counting(city: Session) -> None:
    first, second = (int(accept(city, report(name)).code[-6:]) for name in ("1", "2"))
    assert second == first + 1


def test_the_day_at_the_place_chooses_the_edition(city: Session) -> None:
    redraw_police(city, date(2024, 5, 7))
    before = accept(city, report("1", reported_at=datetime(2024, 5, 6, 15, tzinfo=UTC)))
    after = accept(city, report("2", reported_at=datetime(2024, 5, 6, 17, tzinfo=UTC)))
    assert "police:precinct:p1" in row(city, before.id).ground
    assert "police:precinct:new" in row(city, after.id).ground


def test_what_was_found_is_not_rewritten_when_boundaries_change(city: Session) -> None:
    issue = accept(city, report())
    before = findings(city, issue.id)
    redraw_police(city, date(2024, 5, 1))
    accept(city, report())
    assert findings(city, issue.id) == before


@pytest.mark.parametrize("table", ["finding", "decision", "party", "entry"])
@pytest.mark.parametrize("change", ["UPDATE {} SET issue_id = issue_id", "DELETE FROM {}"])
def test_the_record_of_an_issue_cannot_be_changed(city: Session, table: str, change: str) -> None:
    accept(city, report())
    with pytest.raises(Exception, match="permission denied"):
        city.execute(text(change.format(table)))


def test_the_same_report_again_is_the_same_issue(city: Session) -> None:
    first = accept(city, report())
    again = accept(city, report())
    assert (again.id, again.code, again.known, again.differs) == (first.id, first.code, True, ())
    assert (count(city, "issue"), count(city, "finding"), count(city, "entry")) == (1, 1, 1)


def test_a_known_report_with_other_words_stays_as_it_was_and_says_so(city: Session) -> None:
    first = accept(city, report())
    again = accept(city, report(text="别的话", place={"lon": 120.001, "lat": 30.001}))
    assert again.differs == ("text", "place")
    assert row(city, first.id).text == "井盖破损"


def test_the_same_number_from_another_source_is_another_issue(city: Session) -> None:
    city.execute(text("INSERT INTO source VALUES ('app', '应用', 'App', 'WGS84', NULL, NULL)"))
    assert accept(city, report()).id != accept(city, report(source="app")).id


def test_two_simultaneous_posts_of_one_report_make_one_issue(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        prepare(session)
        session.commit()
    answers: list[Accepted] = []
    with db.session(clean_db, db.EVERYTHING) as first, db.session(clean_db, db.EVERYTHING) as second:
        answers.append(accept(first, report()))
        # the second is past its first look and waits at the unique key until the first commits
        waiting = threading.Thread(target=lambda: answers.append(accept(second, report())))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        first.commit()
        waiting.join(20)
        second.commit()
    assert [answer.known for answer in answers] == [False, True]
    assert answers[0].code == answers[1].code
    with db.session(clean_db, db.EVERYTHING) as session:
        assert (count(session, "issue"), count(session, "finding"), count(session, "entry")) == (1, 1, 1)


def test_when_the_first_of_two_simultaneous_posts_is_rolled_back_the_second_files_it(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        prepare(session)
        session.commit()
    answers: list[Accepted] = []
    with db.session(clean_db, db.EVERYTHING) as first, db.session(clean_db, db.EVERYTHING) as second:
        accept(first, report())
        waiting = threading.Thread(target=lambda: answers.append(accept(second, report())))
        waiting.start()
        waiting.join(0.5)
        first.rollback()
        waiting.join(20)
        second.commit()
    assert [answer.known for answer in answers] == [False]


def test_equal_reports_in_a_batch_are_one_issue_and_the_first_counts(city: Session) -> None:
    first, second = intake.accept_many(city, [report(text="one"), report(text="two")], CLERK)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (first.known, second.known, second.differs) == (False, True, ("text",))
    assert row(city, first.id).text == "one"


def test_a_batch_answers_in_its_order_good_and_bad(city: Session) -> None:
    batch = [
        report("1"),
        report("2", category=CategoryKey("gb", "1", "none")),
        report("3", source="none"),
        report("4", place={"lon": "abc", "lat": 30.0}),
        report("5"),
    ]
    answers = intake.accept_many(city, batch, CLERK)
    assert [getattr(answer, "code", "")[:6] for answer in answers[::4]] == ["990100", "990100"]
    assert [isinstance(answer, Invalid) for answer in answers] == [False, True, True, True, False]


def test_a_batch_finds_what_one_by_one_finds(city: Session) -> None:
    spots = [(0.25, 0.25), (2.0, 1.0), (1.999, 0.5), (3.5, 1.5), (9.0, 9.0)]
    many = intake.accept_many(city, [report(f"m{n}", x, y) for n, (x, y) in enumerate(spots)], CLERK)
    for nth, (answer, (x, y)) in enumerate(zip(many, spots, strict=True)):
        assert isinstance(answer, Accepted)
        alone = accept(city, report(f"a{nth}", x, y))
        assert findings(city, answer.id) == findings(city, alone.id)
        assert row(city, answer.id).departments == row(city, alone.id).departments


def test_a_batch_of_none_is_answered_with_none(city: Session) -> None:
    assert intake.accept_many(city, [], CLERK) == []


def test_an_unknown_category_is_refused(city: Session) -> None:
    with pytest.raises(Invalid) as caught:
        accept(city, report(category=CategoryKey("gb", "2", "0501")))
    assert caught.value.code == "categories.unknown"


def test_an_unknown_source_is_refused(city: Session) -> None:
    with pytest.raises(Invalid) as caught:
        accept(city, report(source="nobody"))
    assert caught.value.code == "source.unknown"


@pytest.mark.parametrize(
    "said", [{"lon": "abc", "lat": "30"}, {"lon": "NaN", "lat": 30}, {"lon": 120}, {"lon": 400, "lat": 30}]
)
def test_coordinates_that_are_none_are_refused(city: Session, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        accept(city, report(place=said))
    assert count(city, "issue") == 0


def test_coordinates_written_as_text_are_read(city: Session) -> None:
    assert accept(city, report(place={"lon": "120.0025", "lat": " 30.0025 "})).located


@pytest.mark.parametrize(
    "said", [{}, {"lon": 0, "lat": 0}, {"lon": 39, "lat": -77}, {"lon": 30.0025, "lat": 120.0025}, {"building": "none"}]
)
def test_what_cannot_be_located_is_kept_and_waits_for_a_person(city: Session, said: dict[str, Any]) -> None:
    accepted = accept(city, report(place=said))
    issue = row(city, accepted.id)
    assert not accepted.located
    assert (issue.state, issue.flags, issue.ground, issue.geom) == ("to_locate", ["unlocated"], [], None)
    assert issue.place == said
    assert kinds(city, accepted.id) == ["to_locate"]


def test_outside_every_net_is_located_and_goes_to_the_general_desk(city: Session) -> None:
    issue = row(city, accept(city, report(x=9, y=9)).id)
    assert (issue.state, issue.flags, issue.departments) == ("filed", ["outside"], ["general-desk"])


def test_words_that_name_no_known_address_wait_with_their_reason(city: Session) -> None:
    accepted = accept(city, report(place={"text": "某处"}))
    assert row(city, accepted.id).state == "to_locate"
    assert findings(city, accepted.id)[0]["reason"] == "locate.address_unknown"


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "'; DROP TABLE issue; --", "%(x)s {y} :z \\", "--\n/*"])
def test_hostile_words_are_kept_as_words(city: Session, words: str) -> None:
    said = report(words, text=words, reporter={"name": words}, place={"lon": 120.0025, "lat": 30.0025, "text": words})
    issue = row(city, accept(city, said).id)
    assert (issue.external_id, issue.text) == (words, words)
    assert (issue.reporter, issue.place["text"]) == ({"name": words}, words)


def test_a_polygon_keeps_its_shape_and_gets_a_point_inside(city: Session) -> None:
    corners = [town.lonlat(x, y) for x, y in ((1.5, 0.2), (2.5, 0.2), (2.5, 0.4), (1.5, 0.4), (1.5, 0.2))]
    accepted = accept(city, report(place={"geometry": {"type": "Polygon", "coordinates": [corners]}}))
    inside = city.scalar(
        text("SELECT ST_Contains(geom, point_geom) FROM issue WHERE id = :id"), {"id": accepted.id}
    )
    assert inside is True
    issue = row(city, accepted.id)
    assert "straddles" in issue.flags
    assert {"admin:district:990101", "admin:district:990102"} <= set(issue.ground)


def test_an_operator_places_what_waits_and_it_is_decided(city: Session) -> None:
    accepted = accept(city, report(place={}))
    lon, lat = town.lonlat(3.25, 0.25)
    intake.place(city, accepted.code, {"lon": lon, "lat": lat}, CLERK)
    issue = row(city, accepted.id)
    assert (issue.state, issue.located) == ("filed", True)
    assert "admin:district:990102" in issue.ground
    assert issue.departments
    assert kinds(city, accepted.id) == ["to_locate", "placed"]


def test_placing_keeps_what_was_found_before(city: Session) -> None:
    accepted = accept(city, report())
    [before] = findings(city, accepted.id)
    lon, lat = town.lonlat(3, 1.5)
    intake.place(city, accepted.code, {"lon": lon, "lat": lat}, Clerk("li", NOW + timedelta(hours=1)))
    first, second = findings(city, accepted.id)
    assert first == before
    assert second["nets"] != before["nets"]
    found = city.execute(text("SELECT version, found_by FROM finding ORDER BY version")).all()
    assert [tuple(each) for each in found] == [(1, "wu"), (2, "li")]


def test_placing_is_told_on_the_old_ground_and_on_the_new(city: Session) -> None:
    accepted = accept(city, report())
    lon, lat = town.lonlat(3.25, 0.25)
    intake.place(city, accepted.code, {"lon": lon, "lat": lat}, CLERK)
    ground = city.scalar(text("SELECT ground FROM entry WHERE kind = 'placed'"))
    assert {"admin:district:990101", "admin:district:990102"} <= set(ground or ())


def test_an_issue_cannot_be_placed_nowhere(city: Session) -> None:
    accepted = accept(city, report())
    with pytest.raises(Invalid) as caught:
        intake.place(city, accepted.code, {"lon": 0, "lat": 0}, CLERK)
    assert caught.value.code == "issue.still_nowhere"
    assert len(findings(city, accepted.id)) == 1


def test_an_unknown_issue_cannot_be_placed(city: Session) -> None:
    with pytest.raises(NotFound):
        intake.place(city, "none", {"lon": 120.01, "lat": 30.01}, CLERK)


def test_a_placed_issue_sent_again_does_not_differ_by_its_place(city: Session) -> None:
    accepted = accept(city, report(place={}))
    intake.place(city, accepted.code, {"lon": 120.01, "lat": 30.01}, CLERK)
    assert accept(city, report(place={})).differs == ()


def test_a_leader_files_beyond_the_own_patch_and_sees_it(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        prepare(session)
        session.commit()
    leader = db.Scope(units=(("governance", "grid", "990101001001001"),), role="leader", username="li")
    with db.session(clean_db, leader) as session:
        far = intake.accept(session, report(x=3.5, y=1.5), by="li", now=NOW)
        session.commit()
        assert listing.get(session, far.code)["text"] == "井盖破损"


def test_a_number_taken_by_an_issue_one_may_not_see_is_told_without_it(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        prepare(session)
        accept(session, report(x=3.5, y=1.5))
        session.commit()
    leader = db.Scope(units=(("governance", "grid", "990101001001001"),), role="leader", username="li")
    with db.session(clean_db, leader) as session:
        [answer] = intake.accept_many(session, [report()], Clerk("li", NOW))
    assert not isinstance(answer, Accepted)
    assert answer.code == "issue.known_elsewhere"


def test_a_category_is_known_by_its_own_version_only(city: Session) -> None:
    with pytest.raises(Invalid):
        categories.get(city, "gb", "2013", "0501")

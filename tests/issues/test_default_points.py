"""Points a source gives when it does not know: counted by the machine, decided by a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound
from gis.issues import default_points, findings, intake, journal
from gis.issues.default_points import REASON
from gis.issues.intake import Accepted, CategoryKey, Clerk, Report
from gis.issues.tables import DefaultPoint
from gis.territory.location import Location, Place
from tests import town
from tests.issues import filed

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CLERK = Clerk("wu", NOW)
HALL = town.lonlat(1.25, 0.5)
HOUSE = town.lonlat(3.25, 0.5)


@pytest.fixture
def city(session: Session) -> Session:
    """A town with four reports on the city hall from four addresses, three on a house from one, one apart."""
    town.build(session)
    filed.people(session)
    said = [(HALL, f"address {nth}") for nth in range(4)] + [(HOUSE, "the house")] * 3 + [(town.lonlat(1, 1), "apart")]
    answers = intake.accept_many(session, [report(str(nth), *each) for nth, each in enumerate(said)], CLERK)
    assert all(isinstance(answer, Accepted) and answer.located for answer in answers)
    return session


def report(external_id: str, spot: tuple[float, float], address: str = "") -> Report:
    place = {"lon": spot[0], "lat": spot[1], "text": address}
    return Report("12345", external_id, CategoryKey("gb", "1", "0501"), f"words of {address}", NOW, place)


def propose(session: Session) -> list[DefaultPoint]:
    return list(default_points.propose(session, "12345", at_least=3))


def issue(session: Session, external_id: str) -> Any:
    sql = "SELECT * FROM issue WHERE external_id = :id"
    return session.execute(text(sql), {"id": external_id}).one()


def count(session: Session, condition: str) -> int:
    return session.execute(text(f"SELECT count(*) FROM issue WHERE {condition}")).scalar_one()


def test_crowded_points_are_proposed_the_most_crowded_first(city: Session) -> None:
    assert [(point.issues_n, point.state) for point in propose(city)] == [(4, "proposed"), (3, "proposed")]
    assert (propose(city)[0].lon, propose(city)[0].lat) == pytest.approx(HALL, abs=1e-12)


def test_a_proposal_tells_a_city_hall_from_a_house_by_its_variety(city: Session) -> None:
    assert [(point.texts_n, point.addresses_n, point.categories_n) for point in propose(city)] == [(4, 4, 1), (1, 1, 1)]


def test_proposing_alone_changes_no_issue(city: Session) -> None:
    propose(city)
    assert count(city, "located") == 8


def test_proposing_again_counts_anew_and_keeps_what_was_decided(city: Session) -> None:
    _, house = propose(city)
    default_points.reject(city, house.id, by="li", now=LATER)
    intake.accept_many(city, [report("more", HOUSE)], CLERK)
    assert {(point.issues_n, point.state) for point in propose(city)} == {(4, "proposed"), (4, "rejected")}


def test_points_of_another_source_are_not_proposed(city: Session) -> None:
    assert list(default_points.propose(city, "none", at_least=2)) == []


def test_accepting_a_point_takes_its_issues_off_the_ground(city: Session) -> None:
    assert default_points.accept(city, propose(city)[0].id, by="li", now=LATER) == 4
    hall = issue(city, "0")
    assert (hall.state, hall.located, hall.flags) == ("to_locate", False, ["unlocated"])
    assert (hall.ground, hall.departments) == ([], [])
    assert (hall.lead, hall.geom, hall.point_geom) == (None, None, None)
    assert hall.place["lon"] == HALL[0]
    assert count(city, "located") == 4


def test_what_was_found_at_the_point_stays_on_record(city: Session) -> None:
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    sql = "SELECT version, found_by, location FROM finding WHERE issue_id = :id ORDER BY version"
    before, after = city.execute(text(sql), {"id": issue(city, "0").id}).all()
    assert (before.version, before.found_by, findings.location(before.location).located) == (1, "wu", True)
    assert (after.version, after.found_by, findings.location(after.location).located) == (2, "li", False)
    assert after.location["reason"] == REASON
    assert after.location["place"]["raw"] == before.location["place"]["raw"]


def test_the_new_finding_has_the_form_of_every_other(city: Session) -> None:
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    sql = "SELECT location FROM finding WHERE issue_id = :id AND version = 2"
    kept = city.scalar(text(sql), {"id": issue(city, "0").id})
    nowhere = Place("nowhere", None, kept["place"]["raw"], text=kept["place"]["text"], reason=REASON)
    found = Location(nowhere, NOW.date(), flags=("unlocated",), reason=REASON)
    assert kept == findings.as_record(found)


def test_the_last_decision_says_that_the_place_is_not_known(city: Session) -> None:
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    asked = findings.get(city, issue(city, "0").code)
    assert (asked.version, asked.decision.basis, asked.decision.parties) == (2, "unlocated", ())


def test_the_journal_tells_it_on_the_ground_where_it_was(city: Session) -> None:
    before = issue(city, "0").ground
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    [_, entry] = journal.history(city, issue(city, "0").id)
    assert (entry["kind"], entry["actor"], entry["params"]) == ("unlocated", "li", {"reason": REASON})
    ground = city.scalar(text("SELECT ground FROM entry WHERE kind = 'unlocated' LIMIT 1"))
    assert ground == before


def test_the_next_report_on_an_accepted_point_is_not_located(city: Session) -> None:
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    accepted = intake.accept(city, report("next", HALL), by="wu", now=NOW)
    assert not accepted.located
    sql = "SELECT location ->> 'reason' FROM finding WHERE issue_id = :id"
    assert city.scalar(text(sql), {"id": accepted.id}) == REASON


def test_the_next_report_on_a_rejected_point_is_located(city: Session) -> None:
    default_points.reject(city, propose(city)[1].id, by="li", now=LATER)
    assert intake.accept(city, report("next", HOUSE), by="wu", now=NOW).located


def test_the_same_point_from_another_source_is_honest(city: Session) -> None:
    city.execute(text("INSERT INTO source VALUES ('app', '应用', 'App', 'WGS84', NULL, NULL)"))
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    said = report("next", HALL)
    other = Report("app", "next", said.category, said.text, NOW, said.place)
    assert intake.accept(city, other, by="wu", now=NOW).located


def test_what_a_person_has_placed_on_the_point_stays(city: Session) -> None:
    intake.place(city, issue(city, "0").code, {"lon": HALL[0], "lat": HALL[1]}, CLERK)
    assert default_points.accept(city, propose(city)[0].id, by="li", now=LATER) == 3
    assert issue(city, "0").located


def test_an_issue_of_the_point_is_placed_by_a_person_and_dispatched(city: Session) -> None:
    default_points.accept(city, propose(city)[0].id, by="li", now=LATER)
    intake.place(city, issue(city, "0").code, {"lon": HOUSE[0], "lat": HOUSE[1]}, CLERK)
    placed = issue(city, "0")
    assert (placed.state, placed.located) == ("filed", True)
    assert placed.departments


def test_accepting_twice_does_nothing_more(city: Session) -> None:
    point = propose(city)[0]
    default_points.accept(city, point.id, by="li", now=LATER)
    assert default_points.accept(city, point.id, by="li", now=LATER) == 0


def test_an_accepted_point_is_not_rejected_afterwards(city: Session) -> None:
    point = propose(city)[0]
    default_points.accept(city, point.id, by="li", now=LATER)
    with pytest.raises(Conflict):
        default_points.reject(city, point.id, by="li", now=LATER)


def test_an_unknown_point_is_not_found(city: Session) -> None:
    with pytest.raises(NotFound):
        default_points.accept(city, 99, by="li", now=LATER)

"""Is it the same as another; on which side is it; how did it stand then: answered from the record, with reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.issues import duplicates, findings, intake, journal, timeline
from gis.issues.clerk import Clerk
from gis.issues.duplicates import Signs
from gis.issues.listing import Filters
from gis.issues.moves import STATES
from gis.issues.reports import CategoryKey, Report
from gis.settings import Settings
from tests import town
from tests.issues import filed, looped

NOW = datetime(2026, 6, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLERK = Clerk("wu", NOW, Settings())
EAST = "admin:district:990102"


@pytest.fixture
def city(session: Session) -> Session:
    town.build(session)
    filed.people(session)
    session.execute(text("INSERT INTO category VALUES ('gb', '1', '0502', NULL, '路灯', 'Lamp', NULL, 2)"))
    return session


def near_line(session: Session, x_m: float = -10) -> str:
    """File a report so many metres from the line between the districts, with an error of 30 m."""
    place = {"lon": 120.52 + x_m / 96_000, "lat": 30.2555, "accuracy_m": 30}
    report = Report("12345", f"near {x_m}", CategoryKey("gb", "1", "0501"), "井盖破了", NOW, place)
    return intake.accept(session, report, by="wu", now=NOW).code


# --- the same thing


def alike(session: Session, code: str = "990101000001") -> list[str]:
    return [each.code[-1] for each in duplicates.find(session, code)]


def test_the_same_category_on_the_same_spot_within_the_hour_is_maybe_the_same(city: Session) -> None:
    filed.issue(city, 1, 1.0, 0.5)
    filed.issue(city, 2, 1.01, 0.5, reported_at=filed.AT + HOUR)
    [found] = duplicates.find(city, "990101000001")
    assert found.code == "990101000002"
    assert found.signs.distance_m == pytest.approx(9.6, abs=0.1)
    assert (found.signs.kin, found.signs.apart_h) == ("same", 1.0)


def test_the_likeliest_comes_first(city: Session) -> None:
    filed.issue(city, 1, 1.0, 0.5)
    filed.issue(city, 2, 1.05, 0.5)
    filed.issue(city, 3, 1.01, 0.5)
    assert alike(city) == ["3", "2"]


@pytest.mark.parametrize(
    "other",
    [
        {"x": 1.11},
        {"reported_at": filed.AT - timedelta(days=8)},
        {"category": "0502", "text": "灯不亮"},
        {"state": "merged"},
        {"state": "rejected"},
    ],
    ids=["over a hundred metres away", "a week before", "of another kind", "merged already", "rejected"],
)
def test_what_is_another_thing_is_not_suggested(city: Session, other: dict[str, object]) -> None:
    filed.issue(city, 1, 1.0, 0.5)
    filed.issue(city, 2, float(str(other.pop("x", 1.0))), 0.5, **other)
    assert alike(city) == []


def test_of_another_kind_in_the_same_words_it_is(city: Session) -> None:
    filed.issue(city, 1, 1.0, 0.5, text="和平路八号门口的井盖和路灯都坏了")
    filed.issue(city, 2, 1.0, 0.5, text="和平路八号门口井盖和路灯都坏了", category="0502")
    assert alike(city) == ["2"]


def test_nobody_knows_what_an_unknown_issue_is_like(city: Session) -> None:
    with pytest.raises(NotFound):
        duplicates.find(city, "nothing")


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [("井盖坏了", "井盖坏了", 1), ("井盖坏了", "井盖", 0.5), ("", "井盖", 0), ("灯", "灯", 0)],
)
def test_words_are_as_alike_as_the_pairs_they_share(one: str, other: str, share: float) -> None:
    assert duplicates.likeness(one, other) == share


def test_each_sign_counts_and_together_they_are_one() -> None:
    assert Signs(0, "same", 0, 1).score == pytest.approx(1)
    assert Signs(100, "same", 0, 0).score == pytest.approx(0.45)
    assert Signs(0, "other", 0, 0.39).score == 0


# --- which side


def test_the_side_found_out_is_whose_it_is_from_then_on(city: Session) -> None:
    code = near_line(city)
    before = findings.get(city, code).decision
    intake.take_side(city, code, {"unit": EAST, "reason": "电话核实"}, CLERK)
    after = findings.get(city, code).decision
    assert len(before.shares) == 2
    assert [(side["key"], side["probability"]) for side in after.shares] == [("admin:subdistrict:990102001", 1.0)]


def test_the_side_and_its_reason_are_on_record_and_the_place_stays(city: Session) -> None:
    code = near_line(city)
    intake.take_side(city, code, {"unit": EAST, "reason": "电话核实"}, CLERK)
    asked = findings.get(city, code)
    assert asked.location.place.raw["side_reason"] == "电话核实"
    assert asked.location.place.middle[0] == pytest.approx(120.52 - 10 / 96_000)
    last = journal.history(city, asked.issue_id)[-1]
    assert (last["kind"], last["actor"]) == ("sided", "wu")
    assert (last["params"]["unit"], last["params"]["finding"]) == (EAST, 2)
    flags = city.scalar(text("SELECT flags FROM issue WHERE code = :code"), {"code": code})
    assert flags == []


@pytest.mark.parametrize("reason", ["", "   ", None, "长" * 501, "a\x00b"])
def test_without_a_reason_no_side_is_taken(city: Session, reason: str | None) -> None:
    code = near_line(city)
    with pytest.raises(Invalid, match=r"sides\.no_reason"):
        intake.take_side(city, code, {"unit": EAST, "reason": reason}, CLERK)


def test_far_from_the_line_there_is_no_other_side(city: Session) -> None:
    code = near_line(city, x_m=-500)
    with pytest.raises(Invalid, match=r"sides\.no_candidate"):
        intake.take_side(city, code, {"unit": EAST, "reason": "电话核实"}, CLERK)


# --- as it stood then


def states(session: Session, code: str, start: datetime = NOW - 9 * HOUR, end: datetime = NOW + 9 * HOUR) -> list[str]:
    found = [each for each in timeline.find(session, Filters(), start, end) if each.code == code]
    return [STATES[number] for each in found for _, number in each.steps]


def test_an_issue_stands_at_any_moment_as_its_moves_say(city: Session) -> None:
    session = city
    session.execute(text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'E')"))
    way = looped.plain(session, 1, at=looped.NOW - HOUR)
    way.make("sign", looped.CG)
    way.make("feed_back", looped.CG, {"done": "修好了"})
    assert states(session, way.code) == ["dispatched", "handling", "fed_back"]
    [found] = timeline.find(session, Filters(), NOW - 9 * HOUR, NOW + 9 * HOUR)
    times = [at for at, _ in found.steps]
    assert times == sorted(times)
    assert times[1] == int((looped.NOW + timedelta(minutes=1)).timestamp())


def test_what_had_to_be_located_was_so_until_it_was_placed(city: Session) -> None:
    report = Report("12345", "lost", CategoryKey("gb", "1", "0501"), "井盖", NOW - 2 * HOUR, {"text": "不知道在哪里"})
    code = intake.accept(city, report, by="wu", now=NOW - 2 * HOUR).code
    lon, lat = town.lonlat(0.5, 0.5)
    intake.place(city, code, {"lon": lon, "lat": lat, "accuracy_m": 5}, CLERK)
    assert states(city, code)[0] == "to_locate"
    assert len(states(city, code)) == 2
    [found] = timeline.find(city, Filters(), NOW - 9 * HOUR, NOW + HOUR)
    assert found.steps[1][0] == int(NOW.timestamp())


def test_what_was_over_before_or_came_in_after_is_not_told(city: Session) -> None:
    filed.issue(city, 1, at=NOW - 9 * HOUR)
    city.execute(text("UPDATE issue SET closed_at = :at"), {"at": NOW - 8 * HOUR})
    filed.issue(city, 2, at=NOW + HOUR)
    assert timeline.find(city, Filters(), NOW - 7 * HOUR, NOW) == []
    assert len(timeline.find(city, Filters(), NOW - 9 * HOUR, NOW + HOUR)) == 2


def test_filters_of_today_do_not_hide_what_was_open_then(city: Session) -> None:
    filed.issue(city, 1, at=NOW - HOUR)
    only = Filters(states=("closed",), dues=("overdue",), since=NOW)
    assert len(timeline.find(city, only, NOW - 2 * HOUR, NOW)) == 1
    assert timeline.find(city, Filters(categories=("0502",)), NOW - 2 * HOUR, NOW) == []

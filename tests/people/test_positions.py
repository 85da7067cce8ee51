"""Where staff are: the last place alone, seen by whom it concerns, and forgotten in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Invalid
from gis.people import accounts, positions
from gis.people.accounts import Who
from gis.territory import locate
from gis.territory.coords import BBox
from tests import town
from tests.web import desk

NOW = datetime(2026, 6, 1, 2, tzinfo=UTC)
TODAY = date(2026, 6, 1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def city(session: Session) -> Session:
    desk.furnish(session)
    return session


def told(session: Session, username: str, x: float = 0.25, y: float = 0.25, at: datetime = NOW) -> bool:
    """Let somebody tell where they are, as they would: with their own eyes."""
    account = accounts.who(session, accounts.get(session, username), TODAY)
    db.see_as(session, account.scope)
    lon, lat = town.lonlat(x, y)
    kept = positions.report(session, account, locate.parse({"lon": lon, "lat": lat, "accuracy_m": 8}), at, TODAY)
    db.see_as(session, db.EVERYTHING)
    return kept


def seen_by(session: Session, scope: Scope, at: datetime = NOW) -> list[str]:
    db.see_as(session, scope)
    found = [each.username for each in positions.now(session, at)]
    db.see_as(session, db.EVERYTHING)
    return sorted(found)


def test_the_last_place_alone_is_kept(city: Session) -> None:
    told(city, "leader")
    told(city, "leader", x=0.5, at=NOW + MINUTE)
    [found] = positions.now(city, NOW + MINUTE)
    assert found.at == NOW + MINUTE
    assert found.lon == pytest.approx(town.lonlat(0.5, 0)[0])


def test_a_place_told_late_does_not_push_out_a_newer_one(city: Session) -> None:
    assert told(city, "leader")
    assert not told(city, "leader", x=0.5, at=NOW - MINUTE)
    assert positions.now(city, NOW)[0].lon == pytest.approx(town.lonlat(0.25, 0)[0])


def test_off_duty_nothing_is_known(city: Session) -> None:
    told(city, "leader")
    positions.leave(city, "leader")
    assert positions.now(city, NOW) == []


def test_after_ten_minutes_a_place_is_told_as_old_and_after_two_hours_not_at_all(city: Session) -> None:
    told(city, "leader")
    [found] = positions.now(city, NOW)
    assert found.as_dict(NOW + 10 * MINUTE)["old"] is False
    assert found.as_dict(NOW + 11 * MINUTE)["old"] is True
    assert positions.now(city, NOW + 119 * MINUTE) != []
    assert positions.now(city, NOW + 120 * MINUTE) == []


def test_what_is_too_old_is_forgotten(city: Session) -> None:
    told(city, "leader")
    assert positions.forget(city, NOW) == 0
    assert positions.forget(city, NOW + MINUTE) == 1


def test_nobody_can_tell_of_the_future_or_of_yesterday(city: Session) -> None:
    assert positions.check_time(NOW + 5 * MINUTE, NOW) == NOW
    for at in (NOW + 6 * MINUTE, NOW - 121 * MINUTE):
        with pytest.raises(Invalid, match=r"positions\.bad_time"):
            positions.check_time(at, NOW)


def test_the_nearest_comes_first_with_its_distance(city: Session) -> None:
    told(city, "leader", x=1.0, y=1.0)
    told(city, "inspector", x=0.3, y=0.25)
    told(city, "cg", x=3.0, y=1.0)
    found = positions.nearest(city, town.lonlat(0.25, 0.25), NOW)
    assert [each.username for each in found] == ["inspector", "leader", "cg"]
    assert found[0].distance_m == pytest.approx(48.1, abs=0.1)


def test_a_box_holds_those_in_it(city: Session) -> None:
    told(city, "leader")
    told(city, "inspector", x=3.0)
    west = BBox(*town.lonlat(0, 0), *town.lonlat(2, 2))
    assert [each.username for each in positions.now(city, NOW, west)] == ["leader"]


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(all=True), ["cg", "inspector", "leader"]),
        (Scope(units=(desk.PATCH,)), ["leader"]),
        (Scope(department="cg"), ["cg"]),
        (Scope(username="inspector"), ["inspector"]),
        (Scope(), []),
    ],
    ids=["the whole city", "a patch", "a department", "oneself", "nobody"],
)
def test_one_sees_those_on_the_own_ground_and_of_the_own_department(
    city: Session, scope: Scope, seen: list[str]
) -> None:
    told(city, "leader", x=0.25, y=0.25)
    told(city, "inspector", x=3.0)
    told(city, "cg", x=3.0)
    assert seen_by(city, scope) == seen


def test_nobody_tells_where_somebody_else_is(city: Session) -> None:
    other = accounts.who(city, accounts.get(city, "inspector"), TODAY)
    db.see_as(city, Scope(all=True, username="leader"))
    place = locate.parse({"lon": 120.5025, "lat": 30.2525})
    with pytest.raises(Exception, match="row-level security"), city.begin_nested():
        positions.report(city, other, place, NOW, TODAY)


def test_a_place_must_be_a_point(city: Session) -> None:
    who = Who(1, "leader", "l", "leader", "zh", Scope(), "")
    with pytest.raises(Invalid, match=r"positions\.no_point"):
        positions.report(city, who, locate.parse({"text": "桥下"}), NOW, TODAY)

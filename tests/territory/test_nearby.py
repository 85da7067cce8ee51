"""The nearest building and street, and what a point lies in."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geoalchemy2.shape import from_shape
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.territory import coords, places, tables
from gis.territory.location import Nearby
from tests.territory.plots import EAST, NORTH, STEP, add_building, plot, spot


def names(found: list[Nearby | None]) -> list[str | None]:
    return [each.name if each else None for each in found]


def test_inside_a_building_is_no_distance_away(session: Session) -> None:
    add_building(session, "A", plot(1, 1, 2, 2))
    (found,) = places.nearest(session, "building", [spot(1.5, 1.5)], 25)
    assert found is not None
    assert (found.name, found.distance_m) == ("A", 0.0)


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ({"name": "北楼", "street_name": "通河街", "house_number": "12号"}, "北楼"),
        ({"name": "", "street_name": "通河街", "house_number": "12号"}, "通河街12号"),
        ({"name": "", "street_name": "Tower Street", "house_number": "12"}, "Tower Street 12"),
        ({"name": "", "street_name": "", "house_number": ""}, ""),
    ],
)
def test_a_building_without_a_name_is_called_by_its_street_and_number(
    session: Session, said: dict[str, object], called: str
) -> None:
    add_building(session, "A", plot(1, 1, 2, 2), **said)
    assert names(places.nearest(session, "building", [spot(1.5, 1.5)], 25)) == [called]


@pytest.mark.parametrize(("x", "y"), [(1, 1.5), (2, 2), (1.5, 1)])
def test_on_an_edge_or_a_corner_is_no_distance_away(session: Session, x: float, y: float) -> None:
    add_building(session, "A", plot(1, 1, 2, 2))
    (found,) = places.nearest(session, "building", [spot(x, y)], 25)
    assert found is not None
    assert found.distance_m == pytest.approx(0.0, abs=1e-6)


def test_nearest_is_in_metres_not_in_degrees(session: Session) -> None:
    # At 60 degrees north a degree eastward is half as long as one northward.
    north = 30 / STEP
    add_building(session, "nearer in degrees", plot(0, north + 0.9, 0.1, north + 1))
    add_building(session, "nearer in metres", plot(1, north, 1.1, north + 0.01))
    assert names(places.nearest(session, "building", [spot(0, north)], 200)) == ["nearer in metres"]


def test_beyond_the_distance_there_is_none(session: Session) -> None:
    add_building(session, "A", plot(1, 1, 2, 2))
    metres = coords.metres_per_degree(np.array([NORTH]))[1][0] * STEP
    just_south = [spot(1.5, 0)]
    assert names(places.nearest(session, "building", just_south, metres + 0.01)) == ["A"]
    assert names(places.nearest(session, "building", just_south, metres - 0.01)) == [None]


def test_every_point_gets_its_answer_in_order(session: Session) -> None:
    add_building(session, "A", plot(1, 1, 2, 2))
    add_building(session, "B", plot(5, 1, 6, 2))
    points = [spot(5.5, 1.5), spot(50, 50), spot(1.5, 1.5)]
    assert names(places.nearest(session, "building", points, 25)) == ["B", None, "A"]


def test_of_two_at_the_same_distance_the_first_known_is_taken(session: Session) -> None:
    add_building(session, "first", plot(1, 1, 2, 2))
    add_building(session, "second", plot(1, 1, 2, 2))
    assert names(places.nearest(session, "building", [spot(1.5, 1.5)], 25)) == ["first"]


def test_nothing_is_near_where_nothing_is(session: Session) -> None:
    assert places.nearest(session, "building", [spot(0, 0)], 25) == [None]
    assert places.nearest(session, "building", np.empty((0, 2)), 25) == []


def test_what_duties_ask_comes_along(session: Session) -> None:
    add_building(session, "A", plot(1, 1, 2, 2), owner="国资公司", kind="shop", attributes={"floors": 3})
    (found,) = places.nearest(session, "building", [spot(1, 1)], 25)
    assert found is not None
    assert found.attributes["owner"] == "国资公司"
    assert (found.attributes["kind"], found.attributes["floors"]) == ("shop", 3)
    assert "height_m" not in found.attributes


def test_only_known_kinds_are_asked_for(session: Session) -> None:
    with pytest.raises(Invalid, match=r"places\.unknown_kind"):
        places.nearest(session, "unit", [spot(0, 0)], 25)


@tried(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=8), st.floats(0, 10), st.floats(0, 10)
)
def test_no_building_is_nearer_than_the_one_found(
    session: Session, corners: list[tuple[float, float]], x: float, y: float
) -> None:
    with session.begin_nested() as undone:
        grounds = [plot(west, south, west + 0.2, south + 0.3) for west, south in corners]
        for number, ground in enumerate(grounds):
            add_building(session, str(number), ground)
        (found,) = places.nearest(session, "building", [spot(x, y)], 10_000)
        undone.rollback()
    plane = coords.Plane(*spot(x, y))
    expected = min(plane.to_plane(ground).distance(Point(0, 0)) for ground in grounds)
    assert found is not None
    assert found.distance_m == pytest.approx(expected, abs=1e-6)


def add_estate(session: Session, name: str, ground: shapely.Polygon) -> None:
    session.add(
        tables.Estate(
            source="test", external_id=name, name=name, name_en=name, aliases=[], kind="小区", property_company=None,
            handover="handed_over", area_m2=1.0, attributes={}, geom=from_shape(MultiPolygon([ground]), srid=4326),
        )
    )  # fmt: skip
    session.flush()


def test_a_point_lies_in_the_smallest_estate_around_it(session: Session) -> None:
    add_estate(session, "large", plot(0, 0, 9, 9))
    add_estate(session, "small", plot(1, 1, 2, 2))
    points = [spot(1.5, 1.5), spot(5, 5), spot(20, 20)]
    inner, outer, none = (by.estate for by in places.surroundings(session, points, 25))
    assert names([inner, outer, none]) == ["small", "large", None]
    assert inner is not None
    assert inner.attributes["handover"] == "handed_over"


def test_a_point_on_the_bank_lies_on_the_water(session: Session) -> None:
    ground = from_shape(MultiPolygon([plot(0, 0, 1, 9)]), srid=4326)
    session.add(tables.Land(source="test", external_id="1", kind="water", name="河", name_en="River", geom=ground))
    session.flush()
    (by,) = places.surroundings(session, [(EAST + STEP, NORTH + 5 * STEP)], 25)
    assert by.estate is None
    assert by.land is not None
    assert by.land.attributes == {"kind": "water"}


def test_what_lies_by_a_point_is_what_each_question_alone_would_find(session: Session) -> None:
    add_estate(session, "estate", plot(0, 0, 9, 9))
    points = [spot(1.5, 1.5), spot(8, 8), spot(20, 20)]
    by = places.surroundings(session, points, 10_000)
    assert [each.building for each in by] == places.nearest(session, "building", points, 10_000)
    assert [each.street for each in by] == places.nearest(session, "street", points, 10_000)

"""The operator's door to agreements: the street that was pointed at, a stretch of it, and who lies under it."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from geoalchemy2.shape import from_shape
from shapely import affinity
from shapely.geometry import LineString, MultiLineString, MultiPolygon
from shapely.geometry.base import BaseGeometry

from gis import db
from gis.territory import tables
from tests import town
from tests.web import desk

# From the west district over the line into the east one, along y = 1.5.
LINE = LineString([town.lonlat(0.5, 1.5), town.lonlat(3.5, 1.5)])


def road(name: str, line: LineString, centre: MultiLineString | None = None) -> tables.Street:
    area = MultiPolygon([line.buffer(0.0001, cap_style="flat")])
    return tables.Street(
        source="t", external_id=name, name=name, name_en="", aliases=[], road_class="", owner=None,
        width_m=20 if centre else None, length_m=2900, area_m2=58_000, attributes={},
        centre_geom=from_shape(centre, 4326) if centre else None, geom=from_shape(area, 4326),
    )  # fmt: skip


@pytest.fixture(scope="module")
def operator(office: Flask) -> FlaskClient:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.add(road("横街", LINE, MultiLineString([LINE])))
        session.add(road("老街", affinity.translate(LINE, 0, 0.003)))
        session.commit()
    return desk.signed_in(office)


def ask(operator: FlaskClient, x: float, y: float = 1.5, **more: Any) -> Any:
    lon, lat = town.lonlat(x, y)
    return operator.get(
        "/map/street", query_string={"lon": lon, "lat": lat, **more}, headers={"Accept": "application/json"}
    )


def up_to(x: float, y: float = 1.5) -> dict[str, float]:
    lon, lat = town.lonlat(x, y)
    return {"to_lon": lon, "to_lat": lat}


def shape(answer: Any) -> BaseGeometry:
    assert answer.status_code == 200, answer.text
    return shapely.geometry.shape(answer.get_json()["geometry"])


def test_a_street_is_the_polygon_it_is(operator: FlaskClient) -> None:
    assert shape(ask(operator, 1.0)).bounds[0] == pytest.approx(town.lonlat(0.5, 0)[0])


def test_a_stretch_lies_between_the_two_places(operator: FlaskClient) -> None:
    west, _, east, _ = shape(ask(operator, 1.5, **up_to(2.5))).bounds
    assert (west, east) == pytest.approx((town.lonlat(1.5, 0)[0], town.lonlat(2.5, 0)[0]), abs=1e-7)


def test_it_is_as_wide_as_the_street_unless_another_width_is_said(operator: FlaskClient) -> None:
    usual, wide = (shape(ask(operator, 1.5, **up_to(2.5), **more)).area for more in ({}, {"width_m": 40}))
    assert wide == pytest.approx(2 * usual, rel=1e-3)


def test_under_a_stretch_across_the_line_lie_both_districts(operator: FlaskClient) -> None:
    geometry = ask(operator, 1.5, **up_to(2.25)).get_json()["geometry"]
    token = {"X-CSRFToken": desk.csrf(operator, "/")}
    units = operator.post("/map/agreements/parties", json={"geometry": geometry}, headers=token).get_json()["units"]
    shares = {unit["code"]: round(unit["share"], 3) for unit in units if unit["level"] == "district"}
    assert shares == {"990101": 0.667, "990102": 0.333}


@pytest.mark.parametrize(
    ("at", "more", "code"),
    [
        ((1.0, 0.5), {}, "web.no_street"),
        ((1.5, 1.8), up_to(2.5), "web.no_centre_line"),
        ((1.5, 1.5), up_to(1.5), "places.one_place"),
        ((1.5, 1.5), up_to(2.5) | {"width_m": "1e9"}, "places.bad_width"),
        ((1.5, 1.5), up_to(2.5) | {"width_m": "wide"}, "web.bad_point"),
        ((1.5, 1.5), {"to_lon": 120.5}, "web.bad_point"),
    ],
)
def test_what_cannot_be_laid_is_told(
    operator: FlaskClient, at: tuple[float, float], more: dict[str, Any], code: str
) -> None:
    answer = ask(operator, *at, **more)
    assert answer.status_code in {400, 404}
    assert answer.get_json()["error"]["code"] == code

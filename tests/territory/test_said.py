"""The door for places: what is read, what is nobody's ground, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gis.errors import Invalid
from gis.territory import said

SQUARE = {"type": "Polygon", "coordinates": [[[116, 39], [116.1, 39], [116.1, 39.1], [116, 39.1], [116, 39]]]}
BOW_TIE = {"type": "Polygon", "coordinates": [[[116, 39], [116.1, 39.1], [116.1, 39], [116, 39.1], [116, 39]]]}
NOWHERE_TO_GO = {"type": "LineString", "coordinates": [[116.5, 39.5], [116.5, 39.5]]}


def test_a_pair_is_read_longitude_first() -> None:
    place = said.parse({"lon": 116.3, "lat": 39.9})
    assert place.geometry is not None
    assert place.middle == (116.3, 39.9)


def test_text_that_is_a_number_is_a_number() -> None:
    place = said.parse({"lon": " 116.3 ", "lat": "39.9"})
    assert place.kind == "point"


def test_without_an_accuracy_none_is_known_rather_than_zero() -> None:
    assert said.parse({"lon": 116.3, "lat": 39.9}).sigma_m is None


def test_a_95_percent_radius_becomes_sigma_and_keeps_its_meaning() -> None:
    place = said.parse({"lon": 116.3, "lat": 39.9, "accuracy_m": 24.48, "accuracy_kind": "radius95"})
    assert (place.accuracy_m, place.accuracy_kind) == (24.48, "radius95")
    assert place.sigma_m == pytest.approx(10.0)


def test_an_android_radius_of_68_percent_is_divided_by_1_51() -> None:
    place = said.parse({"lon": 116.3, "lat": 39.9, "accuracy_m": 15.1, "accuracy_kind": "radius68"})
    assert place.sigma_m == pytest.approx(10.0)


def test_a_source_without_accuracy_lends_its_own() -> None:
    place = said.parse({"lon": 116.3, "lat": 39.9}, said.Habits("WGS84", 10.0, "sigma"))
    assert place.sigma_m == 10.0


def test_gcj02_is_converted_once_and_the_raw_pair_is_kept() -> None:
    place = said.parse({"lon": 116.404, "lat": 39.915, "datum": "GCJ-02"})
    assert place.geometry is not None
    assert place.middle[0] < 116.404 - 0.004
    assert place.raw["lon"] == 116.404
    assert place.datum == "GCJ02"


@pytest.mark.parametrize(
    ("lon", "lat", "reason"),
    [
        (0, 0, "locate.zero"),
        (39, -77, "locate.truncated"),
        (116, 39, "locate.truncated"),
        (39.9, 116.3, "locate.swapped"),
        (40.71, -100.2, "locate.swapped"),
    ],
)
def test_a_pair_that_is_no_fix_is_nowhere_with_its_reason(lon: float, lat: float, reason: str) -> None:
    place = said.parse({"lon": lon, "lat": lat})
    assert (place.kind, place.geometry, place.reason) == ("nowhere", None, reason)


def test_words_beside_a_broken_fix_are_still_looked_up() -> None:
    place = said.parse({"lon": 0, "lat": 0, "text": "桂花路12号"})
    assert (place.kind, place.text) == ("text", "桂花路12号")


def test_nothing_said_is_nowhere() -> None:
    assert said.parse({}).reason == "locate.place_missing"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"lon": "abc", "lat": 39.9}, "locate.not_a_number"),
        ({"lon": float("nan"), "lat": 39.9}, "locate.not_finite"),
        ({"lon": "inf", "lat": 39.9}, "locate.not_finite"),
        ({"lon": 116.3}, "locate.number_missing"),
        ({"lon": True, "lat": 1.5}, "locate.number_missing"),
        ({"lon": 500.5, "lat": 39.9}, "locate.coordinate_out_of_range"),
        ({"lon": 116.3, "lat": 39.9, "datum": "MARS"}, "coords.unknown_datum"),
        ({"lon": 116.3, "lat": 39.9, "accuracy_m": -1}, "coords.impossible_accuracy"),
        ({"lon": 116.3, "lat": 39.9, "accuracy_m": 5, "accuracy_kind": "vibes"}, "coords.unknown_accuracy_kind"),
        ({"geometry": BOW_TIE}, "locate.geometry_invalid"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "locate.geometry_empty"),
        ({"geometry": {"type": "Bogus"}}, "locate.geometry_unreadable"),
        ({"geometry": "POINT (1 2)"}, "locate.geometry_unreadable"),
        ({"geometry": {"type": "GeometryCollection", "geometries": [SQUARE]}}, "locate.geometry_kind"),
        ({"geometry": NOWHERE_TO_GO}, "locate.geometry_invalid"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(given: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        said.parse(given)
    assert refused.value.code == code


def test_a_third_dimension_is_dropped_from_the_ground_and_kept_in_the_record() -> None:
    line = {"type": "LineString", "coordinates": [[116.1, 39.1, 5], [116.2, 39.2, 6]]}
    place = said.parse({"geometry": line})
    assert place.geometry is not None
    assert not place.geometry.has_z
    assert place.raw["geometry"] == line

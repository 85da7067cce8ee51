"""A place as somebody says it -> a Place in WGS 84. The only door coordinates come in by.

What cannot be read (text where a number belongs, NaN, a self-crossing polygon) raises Invalid. What can be read and is
nobody's ground (0, 0; whole degrees; latitude where longitude belongs) becomes a place that is `nowhere`, with the code
of the reason: such reports are kept, and put on the ground by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.location import Place

KINDS = {
    "Point": "point",
    "LineString": "line",
    "MultiLineString": "line",
    "Polygon": "polygon",
    "MultiPolygon": "polygon",
}
# Closer to (0, 0) than any fix says: the sender did not know.
ZERO_DEG = 1e-6
# Some ten square centimetres: less has no area that 16 digits of a degree could share out.
LEAST_AREA_DEG2 = 1e-13
REFERENCES = ("building", "street")


@dataclass(frozen=True)
class Habits:
    """What a source leaves unsaid: its datum, and the accuracy of its coordinates with its meaning (None: unknown)."""

    datum: str = "WGS84"
    accuracy_m: float | None = None
    accuracy_kind: str | None = None


UNKNOWN = Habits()


def parse(said: Mapping[str, Any], habits: Habits = UNKNOWN) -> Place:
    """Read a place: lon + lat, a GeoJSON geometry, a building, a street, or text. Raise Invalid with the field."""
    raw = {key: value for key, value in said.items() if value not in (None, "")}
    if "lon" in raw or "lat" in raw:
        return _point(raw, habits)
    if "geometry" in raw:
        return _shape(raw, habits)
    for kind in REFERENCES:
        if kind in raw:
            return Place(kind, None, raw, text=_text(raw))
    if "text" in raw:
        return Place("text", None, raw, text=_text(raw))
    return nowhere(raw, "locate.place_missing")


def nowhere(raw: dict[str, Any], reason: str) -> Place:
    """Return the place of a report that has none, with the reason."""
    return Place("nowhere", None, raw, text=_text(raw), reason=reason)


def _text(raw: Mapping[str, Any]) -> str | None:
    return str(raw["text"]) if "text" in raw else None


def _point(raw: dict[str, Any], habits: Habits) -> Place:
    lon, lat = _number(raw, "lon"), _number(raw, "lat")
    reason = _not_a_fix(lon, lat)
    if reason:
        # Words beside a broken fix are the better witness.
        return Place("text", None, raw, text=_text(raw), reason=reason) if "text" in raw else nowhere(raw, reason)
    accuracy = _accuracy(raw, habits)
    datum = _datum(raw, habits)
    true_lon, true_lat = coords.to_wgs84(lon, lat, datum)
    return Place("point", shapely.Point(float(true_lon), float(true_lat)), raw, datum, *accuracy, text=_text(raw))


def _not_a_fix(lon: float, lat: float) -> str | None:
    if abs(lon) > 180 or abs(lat) > 180 or (abs(lat) > 90 and abs(lon) > 90):
        raise Invalid("locate.coordinate_out_of_range", lon=lon, lat=lat)
    if abs(lat) > 90:
        return "locate.swapped"
    if abs(lon) < ZERO_DEG and abs(lat) < ZERO_DEG:
        return "locate.zero"
    if lon == int(lon) and lat == int(lat):
        return "locate.truncated"
    return None


def _number(raw: Mapping[str, Any], name: str) -> float:
    value = raw.get(name)
    if isinstance(value, bool) or value is None:
        raise Invalid("locate.number_missing", field=name)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Invalid("locate.not_a_number", field=name, value=str(value)[:80]) from None
    if not isfinite(number):
        raise Invalid("locate.not_finite", field=name, value=str(value)[:80])
    return number


def _datum(raw: Mapping[str, Any], habits: Habits) -> str:
    datum = str(raw.get("datum", habits.datum)).upper().replace("-", "").replace(" ", "")
    if datum not in coords.DATUMS:
        raise Invalid("coords.unknown_datum", datum=datum[:40], choices=", ".join(coords.DATUMS))
    return datum


def _accuracy(raw: Mapping[str, Any], habits: Habits) -> tuple[float | None, str | None, float | None]:
    """Read (accuracy_m, accuracy_kind, sigma_m); nothing known is (None, None, None), not 0."""
    accuracy_m = _number(raw, "accuracy_m") if "accuracy_m" in raw else habits.accuracy_m
    kind = str(raw.get("accuracy_kind") or habits.accuracy_kind or "radius95")
    if accuracy_m is None:
        return None, None, None
    return accuracy_m, kind, coords.sigma_m(accuracy_m, kind)


def _shape(raw: dict[str, Any], habits: Habits) -> Place:
    geometry = shapely.force_2d(_geojson(raw["geometry"]))
    if geometry.geom_type not in KINDS:
        raise Invalid("locate.geometry_kind", kind=geometry.geom_type, choices=", ".join(KINDS))
    if isinstance(geometry, shapely.Point):
        return _point(raw | {"lon": geometry.x, "lat": geometry.y}, habits)
    west, south, east, north = geometry.bounds
    if not all(map(isfinite, (west, south, east, north))) or west < -180 or east > 180 or south < -90 or north > 90:
        raise Invalid("locate.geometry_out_of_range", west=west, south=south, east=east, north=north)
    if not geometry.is_valid:
        raise Invalid("locate.geometry_invalid", why=shapely.is_valid_reason(geometry))
    datum = _datum(raw, habits)
    if KINDS[geometry.geom_type] == "polygon" and geometry.area < LEAST_AREA_DEG2:
        raise Invalid("locate.geometry_no_size", kind=geometry.geom_type)
    moved = coords.geometry_to_wgs84(geometry, datum) if datum in ("GCJ02", "BD09") else geometry
    return Place(KINDS[geometry.geom_type], moved, raw, datum, *_accuracy(raw, habits), text=_text(raw))


def _geojson(value: object) -> BaseGeometry:
    if isinstance(value, BaseGeometry):
        geometry = value
    else:
        try:
            geometry = shape(value)  # type: ignore[arg-type]
        except Exception as error:  # shapely raises half a dozen kinds for what is not GeoJSON
            raise Invalid("locate.geometry_unreadable", why=str(error)[:200]) from error
    if geometry.is_empty:
        raise Invalid("locate.geometry_empty", kind=geometry.geom_type)
    return geometry

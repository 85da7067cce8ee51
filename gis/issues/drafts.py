"""An agreement as it is proposed: read, checked, and asked whether it would speak for a place. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.errors import Invalid, Problems, ShaotuError
from gis.territory import coords

AREAS = {"Polygon", "MultiPolygon"}
LINES = {"LineString", "MultiLineString"}
# An agreement speaks for a footprint when at least half of it lies on its ground.
HALF = 0.5


@dataclass(frozen=True)
class Draft:
    """An agreement as it is proposed. parties and lead: units as "net:level:code"; categories: codes, empty for all."""

    title: str
    geometry: BaseGeometry
    parties: tuple[str, ...]
    lead: str
    valid_from: date
    valid_to: date | None = None
    categories: tuple[str, ...] = ()
    document: str = ""


def parse(said: Mapping[str, Any]) -> Draft:
    """Read a draft as a program or a file says it; raise Problems that lists everything wrong with it.

    geometry: GeoJSON, longitude first; a line needs width_m, the width of the strip it stands for.
    """
    problems: list[ShaotuError] = []

    def read(name: str, reader: Callable[[Any], Any], default: object = None) -> Any:  # noqa: ANN401
        if said.get(name) in (None, ""):
            if default is None:
                problems.append(Invalid("agreements.missing", name=name))
            return default
        try:
            return reader(said[name])
        except Invalid as problem:
            problems.append(problem)
        except (ValueError, TypeError, AttributeError):
            problems.append(Invalid("agreements.unreadable", name=name, value=str(said[name])[:100]))
        return default

    values = {
        "title": read("title", str),
        "geometry": read("geometry", lambda value: _area(value, said.get("width_m"))),
        "parties": read("parties", _words, ()),
        "lead": read("lead", str),
        "valid_from": read("valid_from", _day),
        "valid_to": read("valid_to", _day, default=False) or None,
        "categories": read("categories", _words, ()),
        "document": read("document", str, ""),
    }
    if not problems:
        problems += _contradictions(Draft(**values))
    if problems:
        raise Problems(problems)
    return Draft(**values)


def speaks_for(draft: Draft, geometry: BaseGeometry) -> bool:
    """Say whether a draft's ground holds a point, or half of a footprint: the rule of `at`, for one not on record."""
    if shapely.get_dimensions(geometry) == 0:
        return bool(draft.geometry.intersects(geometry))
    shared, whole = draft.geometry.intersection(geometry), geometry
    parts = (shared.area, whole.area) if whole.area else (shared.length, whole.length)
    return bool(parts[0] >= HALF * parts[1] > 0)


def _area(value: Any, width_m: object) -> BaseGeometry:  # noqa: ANN401 -- whatever was sent
    """Read the ground of an agreement as polygons."""
    try:
        geometry = shape(value)
    except (ShapelyError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid("agreements.no_geometry") from error
    kind = geometry.geom_type
    if geometry.is_empty or kind not in AREAS | LINES:
        raise Invalid("agreements.wrong_geometry", kind=kind)
    if not geometry.is_valid:
        raise Invalid("agreements.crossing", where=shapely.is_valid_reason(geometry))
    if not _in_degrees(geometry):
        raise Invalid("agreements.not_degrees")
    return _strip(geometry, width_m) if kind in LINES else geometry


def _in_degrees(geometry: BaseGeometry) -> bool:
    west, south, east, north = geometry.bounds
    # A comparison with what is no number is false.
    return -180 <= west <= east <= 180 and -90 <= south <= north <= 90


def _strip(line: BaseGeometry, width_m: object) -> BaseGeometry:
    try:
        width = float(str(width_m))
    except ValueError:
        width = float("nan")
    if not 0 < width <= 1000:
        raise Invalid("agreements.width", width_m=str(width_m))
    plane = coords.Plane(line.centroid.x, line.centroid.y)
    return plane.from_plane(plane.to_plane(line).buffer(width / 2, cap_style="flat"))


def _words(value: object) -> tuple[str, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError
    return tuple(dict.fromkeys(words))


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _contradictions(draft: Draft) -> list[ShaotuError]:
    problems: list[ShaotuError] = []
    if draft.lead not in draft.parties:
        problems.append(Invalid("agreements.lead_is_no_party", lead=draft.lead))
    if len(draft.parties) < 2:
        problems.append(Invalid("agreements.one_party"))
    if draft.valid_to and draft.valid_to <= draft.valid_from:
        problems.append(Invalid("agreements.dates", valid_from=draft.valid_from, valid_to=draft.valid_to))
    problems += [Invalid("agreements.not_a_key", key=key) for key in draft.parties if key.count(":") != 2]
    return problems

"""Shapes of places as they come in: what is wrong with them, and what they become. Vectorised; EPSG:4326."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Mask = NDArray[np.bool_]

POINTS, LINES, POLYGONS = (0,), (1, 5), (3, 6)
WANTED = {
    "building": POLYGONS,
    "street": LINES + POLYGONS,
    "estate": POLYGONS,
    "land": POLYGONS,
    "component": POINTS,
    "address": POINTS,
}
NAMES = (
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
_AT = re.compile(r"^(.*?)\[(\S+) (\S+)\]$")


@dataclass(frozen=True)
class Reject:
    """A row that was not taken, and why. row: as a person counts in the file."""

    row: int
    external_id: str
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the shape of a row. position: in the array looked at."""

    position: int
    code: str
    params: Mapping[str, Any]


def settled(kind: str, geometry: Geometries, *, repair: bool) -> tuple[Geometries, list[Fault], int]:
    """Give the shapes as multi-shapes, the faults of those that cannot be used, and how many were repaired.

    A broken ring is repaired only when told to, and never becomes anything but polygons.
    """
    shapes, mended = _repaired(geometry) if repair else (geometry, 0)
    faults = _faults(kind, shapes)
    usable = shapes.copy()
    usable[[fault.position for fault in faults]] = None
    return multi(usable), faults, mended


def fault_of(shape: shapely.Geometry) -> Fault | None:
    """Name what is wrong with one shape of any kind, if anything is."""
    return next(iter(_faults(None, np.array([shape], dtype=object))), None)


def _repaired(geometry: Geometries) -> tuple[Geometries, int]:
    broken = np.flatnonzero(~shapely.is_valid(geometry) & np.isin(shapely.get_type_id(geometry), POLYGONS))
    sound = broken[_finite(geometry[broken])]
    mended = geometry.copy()
    mended[sound] = shapely.make_valid(geometry[sound], method="structure", keep_collapsed=False)
    return mended, len(sound)


def _faults(kind: str | None, shapes: Geometries) -> list[Fault]:
    """Name for each unusable shape the first thing that is wrong with it."""
    types = shapely.get_type_id(shapes)
    finite = _finite(shapes)
    tests: tuple[tuple[str, Mask], ...] = (
        ("places.no_geometry", types < 0),
        ("places.empty_geometry", shapely.is_empty(shapes)),
        ("places.not_finite", ~finite),
        ("places.outside_world", ~_in_world(shapes)),
        ("places.wrong_shape", ~np.isin(types, WANTED[kind]) if kind else types > 7),
        ("places.invalid_ring", ~shapely.is_valid(shapes)),
    )
    found: dict[int, Fault] = {}
    for code, wrong in tests:
        for position in np.flatnonzero(wrong).tolist():
            found.setdefault(position, Fault(position, code, _params(code, kind, shapes[position])))
    return [found[position] for position in sorted(found)]


def _params(code: str, kind: str | None, shape: shapely.Geometry | None) -> dict[str, Any]:
    if code == "places.wrong_shape" and kind:
        wanted = ", ".join(NAMES[each] for each in WANTED[kind])
        return {"found": NAMES[shapely.get_type_id(shape)], "wanted": wanted}
    if code == "places.outside_world":
        lon, lat = shapely.bounds(shape)[:2].tolist()
        return {"lon": lon, "lat": lat}
    if code == "places.invalid_ring":
        said = str(shapely.is_valid_reason(shape))
        told = _AT.match(said)
        reason, lon, lat = told.groups() if told else (said, "?", "?")
        return {"reason": reason, "lon": lon, "lat": lat}
    return {}


def _finite(shapes: Geometries) -> Mask:
    at, owner = shapely.get_coordinates(shapes, return_index=True)
    broken = np.bincount(owner[~np.isfinite(at).all(axis=1)], minlength=len(shapes))
    return broken == 0


def _in_world(shapes: Geometries) -> Mask:
    west, south, east, north = shapely.bounds(shapes).reshape(-1, 4).T
    # empty shapes have no bounds, and are no fault of this kind
    return np.asarray(~((west < -180) | (east > 180) | (south < -90) | (north > 90)))


def multi(shapes: Geometries) -> Geometries:
    """Make a multi-shape of every single line and polygon."""
    whole = shapes.copy()
    types = shapely.get_type_id(shapes)
    for single, gather in ((1, shapely.multilinestrings), (3, shapely.multipolygons)):
        rows = np.flatnonzero(types == single)
        if len(rows):
            whole[rows] = gather(shapes[rows], indices=np.arange(len(rows)))
    return whole

"""Coordinates: one datum inside, three at the door; metres; accuracy. Pure; longitude before latitude everywhere.

Inside the house every pair is WGS 84, which equals CGCS2000 within a metre. Chinese map services hand out GCJ-02
(100 to 700 m off) or BD-09 (GCJ-02 with another shift); such pairs are converted once, at the door.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from gis.errors import Invalid

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
Geometries = NDArray[np.object_]

DATUMS = ("WGS84", "CGCS2000", "GCJ02", "BD09")

# Sender's figure / divisor = standard deviation per axis of a round normal error: sqrt(-2 ln(1 - p)) for a radius
# that holds the part p, three sigma for a figure promised as the largest.
ACCURACY_DIVISORS = {"sigma": 1.0, "radius95": 2.448, "radius68": 1.51, "radius50": 1.1774, "max": 3.0}

GEOD = Geod(ellps="WGS84")
WGS84_AXIS_M = GEOD.a
WGS84_E2 = GEOD.es

# GCJ-02 is built on the ellipsoid of Krasovsky.
GCJ_AXIS_M, GCJ_E2 = 6378245.0, 0.00669342162296594323
# The published formula shifts inside this rectangle and leaves the rest of the world alone. Parts of neighbouring
# countries lie inside and are shifted too; that is the formula's rule, not a border.
GCJ_WEST, GCJ_SOUTH, GCJ_EAST, GCJ_NORTH = 72.004, 0.8293, 137.8347, 55.8271
BD_TURN = math.pi * 3000 / 180
BD_LON, BD_LAT = 0.0065, 0.006
# Each round leaves under 2 % of the error of the round before.
INVERSE_ROUNDS = 10


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str) -> Pair:
    """Bring degrees of a datum to WGS 84; raise Invalid for an unknown datum.

    There and back is under a micrometre, except within a shift's length (700 m) outside the rectangle of GCJ-02, where
    two places of the world share one pair: the one inside the rectangle is meant.
    """
    back = _chosen(datum, {"WGS84": _same, "CGCS2000": _same, "GCJ02": _gcj_to_wgs, "BD09": _bd_to_wgs})
    return back(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))


def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str) -> Pair:
    """Bring WGS 84 degrees to a datum; raise Invalid for an unknown datum."""
    there = _chosen(datum, {"WGS84": _same, "CGCS2000": _same, "GCJ02": _wgs_to_gcj, "BD09": _wgs_to_bd})
    return there(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))


def geometry_to_wgs84(geometry: BaseGeometry, datum: str) -> BaseGeometry:
    """Bring every vertex of a geometry to WGS 84; edges between far vertices should be densified first."""
    moved: BaseGeometry = shapely.transform(geometry, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum)))
    return moved


def sigma_m(accuracy_m: float, kind: str) -> float:
    """Turn a stated accuracy into the standard deviation per axis; raise Invalid if it is not one."""
    if kind not in ACCURACY_DIVISORS:
        raise Invalid("coords.unknown_accuracy_kind", kind=kind, choices=", ".join(ACCURACY_DIVISORS))
    if not (math.isfinite(accuracy_m) and accuracy_m >= 0):
        raise Invalid("coords.impossible_accuracy", accuracy_m=accuracy_m)
    return accuracy_m / ACCURACY_DIVISORS[kind]


def metres_per_degree(lat: ArrayLike) -> Pair:
    """Give the metres of a degree of longitude and of a degree of latitude, at latitudes of any shape."""
    phi = np.radians(np.asarray(lat, dtype=float))
    w2 = 1 - WGS84_E2 * np.sin(phi) ** 2
    east = WGS84_AXIS_M / np.sqrt(w2) * np.cos(phi)
    north = WGS84_AXIS_M * (1 - WGS84_E2) / w2**1.5
    return np.radians(east), np.radians(north)


@dataclass(frozen=True)
class Plane:
    """The tangent plane in metres at a point: x east, y north. Good to 0.2 m at 1 km, to 2 mm at 100 m."""

    lon: float
    lat: float

    @property
    def _metres_per_degree(self) -> tuple[float, float]:
        east, north = metres_per_degree(self.lat)
        return float(east), float(north)

    def xy(self, lon: ArrayLike, lat: ArrayLike) -> Pair:
        """Give metres east and north of the point."""
        east, north = self._metres_per_degree
        return (np.asarray(lon, dtype=float) - self.lon) * east, (np.asarray(lat, dtype=float) - self.lat) * north

    def lonlat(self, x: ArrayLike, y: ArrayLike) -> Pair:
        """Give degrees of metres east and north of the point."""
        east, north = self._metres_per_degree
        return self.lon + np.asarray(x, dtype=float) / east, self.lat + np.asarray(y, dtype=float) / north

    def to_plane(self, geometry: BaseGeometry) -> BaseGeometry:
        """Bring a geometry in degrees to metres."""
        flat: BaseGeometry = shapely.transform(geometry, lambda at: np.column_stack(self.xy(at[:, 0], at[:, 1])))
        return flat

    def from_plane(self, geometry: BaseGeometry) -> BaseGeometry:
        """Bring a geometry in metres to degrees."""
        round_: BaseGeometry = shapely.transform(geometry, lambda at: np.column_stack(self.lonlat(at[:, 0], at[:, 1])))
        return round_


@dataclass(frozen=True)
class BBox:
    """A box in degrees."""

    west: float
    south: float
    east: float
    north: float

    @property
    def polygon(self) -> shapely.Polygon:
        """Give the box as a polygon."""
        return shapely.box(self.west, self.south, self.east, self.north)

    def grown(self, by_m: float) -> Self:
        """Give the box with a margin in metres on every side."""
        # At the latitude nearest a pole a degree of longitude is shortest: the margin is never less than asked.
        farthest = max(self.south, self.north, key=abs)
        east, north = Plane(self.west, farthest).lonlat(by_m, by_m)
        dx, dy = float(east) - self.west, float(north) - farthest
        return type(self)(self.west - dx, self.south - dy, self.east + dx, self.north + dy)


@dataclass(frozen=True)
class Tile:
    """A tile of the Web-Mercator pyramid, y counted from the north; raise Invalid if there is no such tile."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= 24 and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z):
            raise Invalid("coords.no_such_tile", z=self.z, x=self.x, y=self.y)

    @classmethod
    def at(cls, lon: float, lat: float, z: int) -> Self:
        """Give the tile of a zoom that holds a point; points beyond the pyramid belong to its edge tiles."""
        last = 2**z - 1
        x = (lon + 180) / 360 * 2**z
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
        return cls(z, min(max(math.floor(x), 0), last), min(max(math.floor(y), 0), last))

    @property
    def bbox(self) -> BBox:
        """Give the tile's box in degrees."""
        north, south = (_mercator_lat(y / 2**self.z) for y in (self.y, self.y + 1))
        west, east = (x / 2**self.z * 360 - 180 for x in (self.x, self.x + 1))
        return BBox(west, south, east, north)


def length_m(line: BaseGeometry) -> float:
    """Measure a line, or the outline of a polygon, along the ellipsoid."""
    return float(lengths_m(np.array([line], dtype=object))[0])


def lengths_m(lines: Sequence[BaseGeometry] | Geometries) -> Floats:
    """Measure many lines at once; a polygon counts with its outline, a point with 0."""
    geometries = np.asarray(lines, dtype=object)
    outlined = np.where(shapely.get_dimensions(geometries) == 2, shapely.boundary(geometries), geometries)
    parts, owner = shapely.get_parts(outlined, return_index=True)
    at, part = shapely.get_coordinates(parts, return_index=True)
    inside = part[1:] == part[:-1]
    start, end = at[:-1][inside], at[1:][inside]
    metres = GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2] if len(start) else np.zeros(0)
    return _sums(owner[part[1:][inside]], metres, len(geometries))


def area_m2(polygon: BaseGeometry) -> float:
    """Measure a polygon on the ellipsoid; lines and points have no area."""
    return float(areas_m2(np.array([polygon], dtype=object))[0])


def areas_m2(polygons: Sequence[BaseGeometry] | Geometries) -> Floats:
    """Measure many polygons on the ellipsoid at once.

    An edge is what the database holds: straight in degrees, not a geodesic. On densified boundaries the two are the
    same; on a single edge of 10 km they differ by up to 10 m of ground, and then this is the area of the stored shape.
    """
    geometries = np.asarray(polygons, dtype=object)
    parts, owner = shapely.get_parts(geometries, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    hole = np.concatenate(([False], part[1:] == part[:-1])) if len(part) else np.zeros(0, dtype=bool)
    signed = np.where(hole, -1.0, 1.0) * np.abs(_ring_areas_m2(rings))
    return _sums(owner[part], signed, len(geometries))


def _ring_areas_m2(rings: Geometries) -> Floats:
    """Integrate the area between each edge and the equator, edge by edge (Gauss, three points)."""
    at, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    radians = np.radians(at)
    start, step = radians[:-1][inside], np.diff(radians, axis=0)[inside]
    nodes, weights = np.polynomial.legendre.leggauss(3)
    band = sum(w / 2 * _band_m2(start[:, 1] + step[:, 1] * (1 + n) / 2) for n, w in zip(nodes, weights, strict=True))
    return _sums(ring[1:][inside], band * step[:, 0], len(rings))


def _band_m2(phi: Floats) -> Floats:
    """Area of the ellipsoid between the equator and a latitude, for each radian of longitude."""
    e, sine = math.sqrt(WGS84_E2), np.sin(phi)
    whole: Floats = sine / (1 - WGS84_E2 * sine**2) + np.arctanh(e * sine) / e
    return WGS84_AXIS_M**2 * (1 - WGS84_E2) / 2 * whole


def _sums(owner: NDArray[np.int64], values: Floats, count: int) -> Floats:
    return np.bincount(owner, weights=values, minlength=count).astype(np.float64, copy=False)


def _mercator_lat(part: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * part))))


def _chosen(datum: str, ways: dict[str, Callable[[Floats, Floats], Pair]]) -> Callable[[Floats, Floats], Pair]:
    if datum not in ways:
        raise Invalid("coords.unknown_datum", datum=datum, choices=", ".join(DATUMS))
    return ways[datum]


def _same(lon: Floats, lat: Floats) -> Pair:
    return lon, lat


def _wgs_to_gcj(lon: Floats, lat: Floats) -> Pair:
    shift = _gcj_shift(lon, lat)
    shifted = _in_gcj_rectangle(lon, lat)
    return np.where(shifted, lon + shift[0], lon), np.where(shifted, lat + shift[1], lat)


def _gcj_to_wgs(lon: Floats, lat: Floats) -> Pair:
    def shifted(x: Floats, y: Floats) -> Pair:
        dx, dy = _gcj_shift(x, y)
        return x + dx, y + dy

    x, y = _undone(shifted, lon, lat)
    inside = _in_gcj_rectangle(x, y)
    return np.where(inside, x, lon), np.where(inside, y, lat)


def _wgs_to_bd(lon: Floats, lat: Floats) -> Pair:
    return _gcj_to_bd(*_wgs_to_gcj(lon, lat))


def _bd_to_wgs(lon: Floats, lat: Floats) -> Pair:
    return _gcj_to_wgs(*_undone(_gcj_to_bd, lon, lat))


def _gcj_to_bd(lon: Floats, lat: Floats) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BD_TURN)
    return radius * np.cos(angle) + BD_LON, radius * np.sin(angle) + BD_LAT


def _undone(forward: Callable[[Floats, Floats], Pair], lon: Floats, lat: Floats) -> Pair:
    """Find the pair that `forward` moves here: guess, look how far it missed, move the guess by that."""
    x, y = lon, lat
    for _ in range(INVERSE_ROUNDS):
        there = forward(x, y)
        x, y = x - (there[0] - lon), y - (there[1] - lat)
    return x, y


def _in_gcj_rectangle(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    return (lon >= GCJ_WEST) & (lon <= GCJ_EAST) & (lat >= GCJ_SOUTH) & (lat <= GCJ_NORTH)


def _gcj_shift(lon: Floats, lat: Floats) -> Pair:
    """Give the shift in degrees: metres by a sum of waves, then metres to degrees on Krasovsky's ellipsoid."""
    x, y = lon - 105.0, lat - 35.0
    waves = 20 * np.sin(6 * math.pi * x) + 20 * np.sin(2 * math.pi * x)
    root = np.sqrt(np.abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root
    north += 2 / 3 * (waves + _wave(y, (20, 1), (40, 3), (160, 12), (320, 30)))
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root
    east += 2 / 3 * (waves + _wave(x, (20, 1), (40, 3), (150, 12), (300, 30)))
    phi = np.radians(lat)
    w2 = 1 - GCJ_E2 * np.sin(phi) ** 2
    per_north = np.radians(GCJ_AXIS_M * (1 - GCJ_E2) / w2**1.5)
    per_east = np.radians(GCJ_AXIS_M / np.sqrt(w2) * np.cos(phi))
    return east / per_east, north / per_north


def _wave(at: Floats, *terms: tuple[float, float]) -> Floats:
    total = np.zeros_like(at)
    for height, divisor in terms:
        total = total + height * np.sin(at * (math.pi / divisor))
    return total

"""The values of the question "where is it": a place that was said, and what it was found to stand on.

All are frozen. Longitude before latitude, WGS 84 = CGCS2000; metres are geodesic or of the tangent plane at the place.
`as_dict` of a Location is the one rendering that Python, HTTP and the command line share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import shapely
from shapely.geometry import Point, mapping
from shapely.geometry.base import BaseGeometry

Json = dict[str, Any]

# Flags a location may carry; `places` of every net and level are looked at.
STRADDLES = "straddles"
NEAR_BOUNDARY = "near_boundary"
IN_GAP = "in_gap"
IN_OVERLAP = "in_overlap"
EXCLAVE = "exclave"
OUTSIDE = "outside"
UNLOCATED = "unlocated"
FLAGS = (STRADDLES, NEAR_BOUNDARY, IN_GAP, IN_OVERLAP, EXCLAVE, OUTSIDE, UNLOCATED)


@dataclass(frozen=True)
class Rules:
    """What counts as near, and what as a sliver. near_m holds where no accuracy is known; else three sigma do."""

    near_m: float = 30.0
    sliver_share: float = 0.01
    sliver_m2: float = 5.0
    nearby_m: float = 100.0


@dataclass(frozen=True)
class Place:
    """A place as it was said, already brought to WGS 84.

    kind: point, line, polygon, building, street, text or nowhere. `raw` is what the sender wrote, kept as it is.
    `accuracy_m` keeps the sender's figure and `accuracy_kind` its meaning; `sigma_m` is the standard deviation per
    axis made of both, None when no accuracy is known. A `nowhere` place carries the code of the reason.
    """

    kind: str
    geometry: BaseGeometry | None
    raw: Json = field(default_factory=dict)
    datum: str = "WGS84"
    accuracy_m: float | None = None
    accuracy_kind: str | None = None
    sigma_m: float | None = None
    text: str | None = None
    reason: str | None = None

    @property
    def ground(self) -> BaseGeometry:
        """The geometry of a place that has one."""
        if self.geometry is None:
            raise ValueError(self.kind)
        return self.geometry

    @property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude of the point itself, or of one on the line or in the polygon."""
        ground = self.ground
        point = ground if isinstance(ground, Point) else shapely.point_on_surface(ground)
        return point.x, point.y

    def as_dict(self) -> Json:
        """Render for JSON."""
        return {
            "kind": self.kind,
            "geometry": None if self.geometry is None else mapping(self.geometry),
            "raw": self.raw,
            "datum": self.datum,
            "accuracy_m": self.accuracy_m,
            "accuracy_kind": self.accuracy_kind,
            "sigma_m": self.sigma_m,
            "text": self.text,
        }


@dataclass(frozen=True)
class UnitRef:
    """A unit as an answer names it: enough to show it and to find it again."""

    id: int
    edition_id: int
    net: str
    level: str
    code: str
    name: str
    name_en: str
    parent_code: str | None

    @property
    def key(self) -> str:
        """Name the unit in one word, as scopes, agreements and filters do."""
        return f"{self.net}:{self.level}:{self.code}"

    def as_dict(self) -> Json:
        """Render for JSON."""
        names = {"name": self.name, "name_en": self.name_en, "parent": self.parent_code}
        return {"net": self.net, "level": self.level, "code": self.code} | names


@dataclass(frozen=True)
class Standing:
    """A unit the place touches or may stand in. share: of its area or length; probability: of its true point."""

    unit: UnitRef
    share: float | None = None
    probability: float | None = None

    def as_dict(self) -> Json:
        """Render for JSON."""
        return self.unit.as_dict() | {"share": self.share, "probability": self.probability}


@dataclass(frozen=True)
class LevelAnswer:
    """What one level of one net says about a place.

    units: every unit that covers the point (all sides of a shared edge or vertex) or meets the footprint, the primary
    first. probable: units the true point may be in, most probable first (empty when no accuracy is known).
    close: of a point of unknown accuracy, the units that do not cover it and come as near as counts as near.
    boundary_m: distance to the nearest boundary of this level; nearest: the closest unit when none covers the place.
    """

    level: str
    primary: UnitRef | None
    units: tuple[Standing, ...] = ()
    probable: tuple[Standing, ...] = ()
    close: tuple[UnitRef, ...] = ()
    boundary_m: float | None = None
    uncovered: float | None = None
    overlap: float | None = None
    nearest: UnitRef | None = None
    nearest_m: float | None = None
    flags: tuple[str, ...] = ()
    divides: bool = True

    def as_dict(self) -> Json:
        """Render for JSON."""
        return {
            "level": self.level,
            "primary": self.primary and self.primary.as_dict(),
            "units": [standing.as_dict() for standing in self.units],
            "probable": [standing.as_dict() for standing in self.probable],
            "close": [unit.as_dict() for unit in self.close],
            "boundary_m": self.boundary_m,
            "uncovered": self.uncovered,
            "overlap": self.overlap,
            "nearest": self.nearest and (self.nearest.as_dict() | {"distance_m": self.nearest_m}),
            "flags": list(self.flags),
        }


@dataclass(frozen=True)
class NetAnswer:
    """What one net says, by the edition in force on the day. levels: coarsest first."""

    net: str
    edition_id: int
    edition: str
    levels: tuple[LevelAnswer, ...]

    @property
    def chain(self) -> tuple[UnitRef, ...]:
        """The primary units, coarsest first."""
        return tuple(level.primary for level in self.levels if level.primary)

    def as_dict(self) -> Json:
        """Render for JSON."""
        return {
            "net": self.net,
            "edition": self.edition,
            "chain": [unit.as_dict() for unit in self.chain],
            "levels": [level.as_dict() for level in self.levels],
        }


@dataclass(frozen=True)
class Nearby:
    """A building, street or estate by the place, 0 m when the place is inside it. attributes: what duties may ask."""

    kind: str
    id: int
    name: str
    name_en: str
    distance_m: float
    attributes: Json = field(default_factory=dict)

    def as_dict(self) -> Json:
        """Render for JSON."""
        return {
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "name_en": self.name_en,
            "distance_m": self.distance_m,
            "attributes": self.attributes,
        }


@dataclass(frozen=True)
class Candidate:
    """A place an address text may mean. geometry: where it is, a polygon when the words leave room."""

    label: str
    match_level: str
    confidence: float
    geometry: BaseGeometry
    reason: str
    ref_kind: str | None = None
    ref_id: int | None = None

    def as_dict(self) -> Json:
        """Render for JSON."""
        return {
            "label": self.label,
            "match_level": self.match_level,
            "confidence": self.confidence,
            "geometry": mapping(self.geometry),
            "reason": self.reason,
            "ref_kind": self.ref_kind,
            "ref_id": self.ref_id,
        }


@dataclass(frozen=True)
class Location:
    """What a place stands on, on a date, by the editions in force that day."""

    place: Place
    on: date
    nets: tuple[NetAnswer, ...] = ()
    building: Nearby | None = None
    street: Nearby | None = None
    estate: Nearby | None = None
    land: Nearby | None = None
    candidates: tuple[Candidate, ...] = ()
    flags: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def located(self) -> bool:
        """Whether the place was put on the ground."""
        return UNLOCATED not in self.flags

    def net(self, code: str) -> NetAnswer | None:
        """Return what one net says, None when it had no edition in force."""
        return next((net for net in self.nets if net.net == code), None)

    def touched(self) -> tuple[UnitRef, ...]:
        """Every unit of every net the place touches, primary ones first within a level."""
        return tuple(s.unit for net in self.nets for level in net.levels for s in level.units)

    def as_dict(self) -> Json:
        """Render for JSON."""
        return {
            "on": self.on.isoformat(),
            "place": self.place.as_dict(),
            "located": self.located,
            "flags": list(self.flags),
            "reason": self.reason,
            "nets": [net.as_dict() for net in self.nets],
            "building": self.building and self.building.as_dict(),
            "street": self.street and self.street.as_dict(),
            "estate": self.estate and self.estate.as_dict(),
            "land": self.land and self.land.as_dict(),
            "candidates": [candidate.as_dict() for candidate in self.candidates],
        }

"""Where "beside", "opposite", "50 m north of" may be: the area such words leave open. Pure; degrees in, degrees out."""

import math

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.territory import coords
from gis.territory.address import Relation

# How far the words reach when they name no distance, in metres; the first word found counts.
REACH_M = (
    ("斜对面", 60.0), ("对面", 50.0), ("对过", 50.0), ("opposite", 50.0), ("across", 50.0),
    ("附近", 100.0), ("周边", 100.0), ("一带", 150.0), ("沿线", 30.0), ("near", 100.0), ("close", 100.0),
    ("门口", 20.0), ("门前", 20.0), ("front", 20.0), ("楼下", 15.0), ("楼上", 5.0), ("路口", 40.0),
)  # fmt: skip
USUAL_REACH_M = 30.0
# Within the place itself, or a stretch of it.
INSIDE = ("院内", "里面", "内侧", "内", "楼上", "段")
# A distance in words is a round one: this part of it either way, and never less than the floor.
DISTANCE_DOUBT, LEAST_DOUBT_M = 0.3, 15.0
# A direction in words is one of eight, and loosely meant: the wedge opens this far to each side.
HALF_WEDGE_DEG = 60.0
QUADRANT_SEGMENTS = 16


def area(anchor: BaseGeometry, relation: Relation) -> BaseGeometry:
    """Return the area a place may lie in that is described as `relation` to the anchor."""
    middle = anchor.centroid
    plane = coords.Plane(middle.x, middle.y)
    return plane.from_plane(_flat_area(plane.to_plane(anchor), relation))


def around(anchor: BaseGeometry, reach_m: float) -> BaseGeometry:
    """Return the area within `reach_m` of the anchor, the anchor included."""
    middle = anchor.centroid
    plane = coords.Plane(middle.x, middle.y)
    return plane.from_plane(plane.to_plane(anchor).buffer(reach_m, quad_segs=QUADRANT_SEGMENTS))


def _flat_area(anchor: BaseGeometry, relation: Relation) -> BaseGeometry:
    if relation.distance_m is not None:
        return _at_distance(anchor, relation.bearing_deg, relation.distance_m)
    within = any(word in relation.words for word in INSIDE) and anchor.area > 0
    reach = anchor if within else anchor.buffer(_reach_m(relation.words), quad_segs=QUADRANT_SEGMENTS)
    if relation.bearing_deg is not None:
        part = reach.intersection(_wedge(anchor.centroid, relation.bearing_deg, _span(reach)))
        return reach if part.is_empty else part
    if not within and any(word in relation.words for word in ("对面", "对过", "opposite", "across")):
        return reach.difference(anchor)
    return reach


def _reach_m(said: str) -> float:
    return next((reach for word, reach in REACH_M if word in said.lower()), USUAL_REACH_M)


def _at_distance(anchor: BaseGeometry, bearing_deg: float | None, distance_m: float) -> BaseGeometry:
    doubt = max(LEAST_DOUBT_M, DISTANCE_DOUBT * distance_m)
    if bearing_deg is None:
        ring = anchor.buffer(distance_m + doubt, quad_segs=QUADRANT_SEGMENTS)
        return ring.difference(anchor.buffer(max(0.0, distance_m - doubt), quad_segs=QUADRANT_SEGMENTS))
    turn = math.radians(bearing_deg)
    step = np.array([distance_m * math.sin(turn), distance_m * math.cos(turn)])
    moved = shapely.transform(anchor, lambda at: at + step)
    return moved.buffer(doubt, quad_segs=QUADRANT_SEGMENTS)


def _wedge(middle: shapely.Point, bearing_deg: float, length_m: float) -> shapely.Polygon:
    # The two sides meet the far edge well beyond the reach, so that the wedge cuts nothing off at its end.
    turns = [math.radians(bearing_deg + side) for side in (-HALF_WEDGE_DEG, 0, HALF_WEDGE_DEG)]
    far = [(middle.x + 2 * length_m * math.sin(turn), middle.y + 2 * length_m * math.cos(turn)) for turn in turns]
    return shapely.Polygon([(middle.x, middle.y), *far])


def _span(geometry: BaseGeometry) -> float:
    west, south, east, north = geometry.bounds
    return math.hypot(east - west, north - south)

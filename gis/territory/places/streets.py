"""Carriageways: widths by class of road, and polygons from centre lines."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.places import footprints
from gis.territory.places.footprints import Fault

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Caps = Literal["flat", "round"]
LonLat = tuple[float, float]

WIDTHS = Path(__file__).parents[3] / "data" / "streets" / "widths.csv"
# An outer bend of a street is a chain of edges that falls short of the true arc by at most 0.1 % of half the width:
# 1 cm on a street 20 m wide.
ARC_SEGMENTS = 18
WIDEST_M = 200.0
# A stretch shorter than this is a slip of the hand.
SHORTEST_M = 1.0


@dataclass(frozen=True)
class RoadClass:
    """What a class of a scheme means here: our own class, and the width of its carriageway."""

    road_class: str
    width_m: float


@cache
def classes(scheme: str, path: Path = WIDTHS) -> dict[str, RoadClass]:
    """Read the classes of a scheme; raise Invalid if there is none of that name."""
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    found = {
        row["class"]: RoadClass(row["road_class"], float(row["width_m"])) for row in rows if row["scheme"] == scheme
    }
    if not found:
        choices = ", ".join(sorted({row["scheme"] for row in rows}))
        raise Invalid("places.unknown_widths", scheme=scheme, choices=choices)
    return found


@dataclass(frozen=True)
class Drawn:
    """Streets as polygons, with what was settled on the way; a row that could not be drawn has no polygon."""

    polygons: Geometries
    centre: Geometries
    road_class: list[str]
    width_m: list[float | None]
    faults: list[Fault]


def drawn(shapes: Geometries, road_class: list[str], width_m: list[float | None], scheme: str, caps: Caps) -> Drawn:
    """Give lines the width said, or else the width of their class; polygons stay as they are.

    road_class: as the scheme names it; a class the scheme does not know is kept, and has no width.
    """
    known = classes(scheme)
    lines = np.flatnonzero(shapely.get_dimensions(shapes) == 1)
    widths = list(width_m)
    faults: list[Fault] = []
    for at in lines.tolist():
        widths[at] = widths[at] or (known[road_class[at]].width_m if road_class[at] in known else None)
        if not 0 < (widths[at] or 0) <= WIDEST_M:
            said = {"road_class": road_class[at], "width_m": widths[at], "choices": ", ".join(known)}
            faults.append(Fault(at, "places.no_width", said))
    good = np.setdiff1d(lines, [fault.position for fault in faults])
    polygons, centre = shapes.copy(), np.full(len(shapes), None, dtype=object)
    polygons[lines], centre[good] = None, shapes[good]
    polygons[good] = footprints.multi(
        carriageways(shapes[good], np.array([widths[at] for at in good], dtype=float), caps)
    )
    ours = [known[name].road_class if name in known else name for name in road_class]
    return Drawn(polygons, centre, ours, widths, faults)


def carriageways(lines: Geometries, width_m: Floats, caps: Caps) -> Geometries:
    """Make polygons of centre lines in EPSG:4326, each as wide as said.

    Drawn in metres of the plane at each line's middle; on a line 10 km long the width is right within 0.2 %.
    caps: "flat" ends where the line ends, "round" half a width further.
    """
    if not len(lines):
        return lines
    bounds = shapely.bounds(lines).reshape(-1, 4)
    origin = (bounds[:, :2] + bounds[:, 2:]) / 2
    scale = np.column_stack(coords.metres_per_degree(origin[:, 1]))
    at, owner = shapely.get_coordinates(lines, return_index=True)
    flat = shapely.set_coordinates(lines.copy(), (at - origin[owner]) * scale[owner])
    wide = shapely.buffer(flat, width_m / 2, cap_style=caps, join_style="round", quad_segs=ARC_SEGMENTS)
    at, owner = shapely.get_coordinates(wide, return_index=True)
    made: Geometries = shapely.set_coordinates(wide, at / scale[owner] + origin[owner])
    return made


def stretch(line: BaseGeometry, ends: tuple[LonLat, LonLat], width_m: float) -> BaseGeometry:
    """Return the carriageway of a centre line between the places on it nearest to two points. All in EPSG:4326.

    Of a line in parts the part nearest to both counts, of a ring the shorter way round. Raise Invalid where the two are
    one place of the line, or the width is none.
    """
    if not 0 < width_m <= WIDEST_M:
        raise Invalid("places.bad_width", width_m=width_m, most_m=WIDEST_M)
    plane = coords.Plane(*ends[0])
    points = [Point(*map(float, plane.xy(*end))) for end in ends]
    parts = shapely.get_parts(shapely.line_merge(plane.to_plane(line)))
    nearest: LineString = min(parts, key=lambda part: sum(part.distance(point) for point in points))
    piece = _between(nearest, *sorted(nearest.project(point) for point in points))
    if piece.length < SHORTEST_M:
        raise Invalid("places.one_place", least_m=SHORTEST_M)
    made: BaseGeometry = carriageways(np.array([plane.from_plane(piece)]), np.array([width_m]), "flat")[0]
    return made


def _between(line: LineString, start_m: float, end_m: float) -> BaseGeometry:
    """Cut a line between two places along it; a ring the shorter way round."""
    if not line.is_ring or end_m - start_m <= line.length / 2:
        return substring(line, start_m, end_m)
    after, before = substring(line, end_m, line.length), substring(line, 0, start_m)
    return shapely.line_merge(shapely.union_all([part for part in (after, before) if part.length]))


def lengths_m(polygons: Geometries, area_m2: Floats) -> Floats:
    """Give the length of the rectangle that has the same area and outline, for streets that came without a line."""
    half = coords.lengths_m(polygons) / 2
    return np.asarray((half + np.sqrt(np.maximum(half**2 - 4 * area_m2, 0))) / 2)

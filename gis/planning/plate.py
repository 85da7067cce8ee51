"""A map for paper: the ground brought to millimetres of a sheet, as shapes, words and numbered marks. Pure.

The sheet's plane touches the earth at the middle of what is shown; y goes down, as on paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.territory import coords

Json = dict[str, Any]
Bounds = tuple[float, float, float, float]

# Less than a printer's dot.
DOT_MM = 0.05
MARGIN = 0.06
# Lengths a scale bar may have, of the tens, and the part of the sheet it takes at most.
STEPS, BAR = (1, 2, 5), 0.3
# Along lines shorter than this on the sheet no name is written.
NAMED_MM = 14.0


@dataclass
class Plate:
    """A map. box: what has to be on it, west, south, east, north in degrees; sizes in millimetres."""

    box: Bounds
    width_mm: float
    height_mm: float
    shapes: list[Json] = field(default_factory=list)
    labels: list[Json] = field(default_factory=list)
    marks: list[Json] = field(default_factory=list)

    @cached_property
    def plane(self) -> coords.Plane:
        """The plane of the sheet."""
        return coords.Plane((self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2)

    @cached_property
    def mm_per_m(self) -> float:
        """How large a metre is on the sheet."""
        west, south, east, north = shapely.bounds(self.plane.to_plane(shapely.box(*self.box)))
        room = 1 - 2 * MARGIN
        return float(min(self.width_mm * room / max(east - west, 1.0), self.height_mm * room / max(north - south, 1.0)))

    @property
    def ground(self) -> Bounds:
        """What the whole sheet shows, in degrees; a little more than that."""
        east, north = (float(each) for each in coords.metres_per_degree(self.plane.lat))
        half_x, half_y = (1.02 * mm / 2 / self.mm_per_m for mm in (self.width_mm, self.height_mm))
        lon, lat = self.plane.lon, self.plane.lat
        return lon - half_x / east, lat - half_y / north, lon + half_x / east, lat + half_y / north

    def on_sheet(self, geometry: BaseGeometry) -> BaseGeometry:
        """Bring a geometry to millimetres, cut off at the edge of the sheet."""
        middle = np.array([self.width_mm / 2, self.height_mm / 2])
        flip = np.array([self.mm_per_m, -self.mm_per_m])
        drawn = shapely.transform(self.plane.to_plane(geometry), lambda xy: xy * flip + middle)
        if not shapely.is_valid(drawn):
            drawn = shapely.make_valid(drawn)
        cut = shapely.intersection(drawn, shapely.box(-1, -1, self.width_mm + 1, self.height_mm + 1))
        return shapely.simplify(cut, DOT_MM)

    def draw(self, geometry: BaseGeometry, look: str) -> None:
        """Draw a polygon or line; look: its name in the form."""
        parts = shapely.get_parts(shapely.get_parts(self.on_sheet(geometry)))
        for part in parts[(shapely.get_dimensions(parts) > 0) & ~shapely.is_empty(parts)]:
            closed = part.geom_type == "Polygon"
            rings = [ring.coords[:-1] for ring in (part.exterior, *part.interiors)] if closed else [part.coords]
            paths = [[[round(x, 2), round(y, 2)] for x, y in ring] for ring in rings]
            self.shapes.append({"look": look, "closed": closed, "paths": paths})

    def write(self, lon: float, lat: float, words: str, look: str = "name", turned_deg: float = 0.0) -> None:
        """Write words over a place, if it is on the sheet."""
        at = self._at(lon, lat)
        if at and words:
            self.labels.append({"x": at[0], "y": at[1], "words": words, "look": look, "turned": turned_deg})

    def write_along(self, line: BaseGeometry, words: str, look: str = "street_name") -> None:
        """Write words along the longest piece of a line that is on the sheet, the right way up."""
        parts = shapely.get_parts(shapely.line_merge(self.on_sheet(line)))
        parts = parts[shapely.get_dimensions(parts) == 1]
        longest = max(parts, key=lambda part: part.length, default=None)
        if longest is None or longest.length < NAMED_MM or not words:
            return
        here, there = (longest.interpolate(part, normalized=True) for part in (0.45, 0.55))
        turned = math.degrees(math.atan2(there.y - here.y, there.x - here.x))
        turned = turned - 180 if turned > 90 else turned + 180 if turned < -90 else turned
        at = longest.interpolate(0.5, normalized=True)
        said = {"x": round(at.x, 2), "y": round(at.y, 2), "words": words, "look": look, "turned": round(turned, 1)}
        self.labels.append(said)

    def mark(self, lon: float, lat: float, words: str, look: str = "issue") -> None:
        """Put a numbered mark on a place, if it is on the sheet."""
        at = self._at(lon, lat)
        if at:
            self.marks.append({"x": at[0], "y": at[1], "words": words, "look": look})

    def _at(self, lon: float, lat: float) -> tuple[float, float] | None:
        spot = shapely.get_coordinates(self.on_sheet(shapely.Point(lon, lat))).round(2).tolist()
        inside = [(x, y) for x, y in spot if 0 <= x <= self.width_mm and 0 <= y <= self.height_mm]
        return inside[0] if inside else None

    def bar(self) -> Json:
        """Give the longest round length that fits a scale bar: its words and its millimetres."""
        most_m = self.width_mm * BAR / self.mm_per_m
        ten = 10 ** math.floor(math.log10(most_m))
        metres = max(step * ten for step in STEPS if step * ten <= most_m)
        words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
        return {"words": words, "mm": round(metres * self.mm_per_m, 2), "scale": f"1 : {round(1000 / self.mm_per_m):,}"}

    def as_dict(self) -> Json:
        """Render for the form."""
        drawn = {"shapes": self.shapes, "labels": self.labels, "marks": self.marks, "bar": self.bar()}
        return {"width": self.width_mm, "height": self.height_mm} | drawn

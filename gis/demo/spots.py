"""Places where something may be reported in the demo city: a point in metres, and the words people use for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from shapely import STRtree

from gis.demo import components, frame, voices
from gis.demo.city import City

INSIDE_AN_ESTATE_M, AT_THE_KERB_M = 9.0, 2.5
ALONG = "沿线"


@dataclass(frozen=True)
class Spot:
    """A place: metres, its words, and the house or street it belongs to (source's id, empty for none)."""

    point: np.ndarray
    words: str
    house: str = ""
    street: str = ""


class Spots:
    """All places of a city, ready to be drawn from."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._houses = city.buildings
        self._doors = shapely.get_coordinates(frame.to_metres(shapely.centroid(city.buildings.geometry.to_numpy())))
        self._lines = dict(zip(city.streets["name"], frame.to_metres(city.streets.geometry.to_numpy()), strict=True))
        self._ids = dict(zip(city.streets["name"], city.streets["external_id"], strict=True))

    @cached_property
    def homes(self) -> np.ndarray:
        """Number the houses people live in, as often as households live there."""
        return np.repeat(np.arange(len(self._houses)), self._houses["households"].to_numpy())

    @cached_property
    def _tree(self) -> STRtree:
        return STRtree(np.asarray(shapely.points(self._doors)))

    def draw(self, where: str, rng: np.random.Generator) -> Spot:
        """Draw a spot of a sort, more often where more people live."""
        if where == voices.WATER:
            return self._on("water", "{name}岸边", rng)
        if where == voices.PARK:
            return self._on("park", "{name}内", rng)
        if where == voices.COMPONENT:
            return self._component(rng)
        return self._at(int(rng.choice(self.homes)), where, rng)

    def near(self, middle: np.ndarray, reach_m: float, where: str, rng: np.random.Generator) -> Spot:
        """Draw a house near a point; it is the nearest one where there is none within reach."""
        found = self._tree.query(shapely.Point(middle).buffer(reach_m), predicate="intersects")
        house = int(rng.choice(np.sort(found))) if len(found) else int(self._tree.nearest(shapely.Point(middle)))
        return self._at(house, where, rng)

    def _at(self, house: int, where: str, rng: np.random.Generator) -> Spot:
        row, door = self._houses.iloc[house], self._doors[house]
        if where == voices.HOME and row["estate_name"]:
            words = f"{row['street_name']}{row['house_number']}{row['estate_name']}{row['building_number']}"
            return Spot(door + rng.normal(0, INSIDE_AN_ESTATE_M, 2), words, house=row["external_id"])
        kerb = self._kerb(row["street_name"], door)
        words = f"{row['street_name']}{row['house_number']}"
        if not row["estate_name"]:
            beside = str(rng.choice(["", "附近", "门前", "对面", ALONG]))
            # not everybody looks for a number
            words = row["street_name"] + beside if beside == ALONG else words + beside
        return Spot(kerb, words, street=self._ids[row["street_name"]])

    def _kerb(self, street: str, door: np.ndarray) -> np.ndarray:
        """Return the point of the kerb before a door."""
        line = self._lines[street]
        middle = np.array(line.interpolate(line.project(shapely.Point(door))).coords[0])
        away = door - middle
        return np.asarray(middle + away / max(float(np.hypot(*away)), 1.0) * AT_THE_KERB_M * 2)

    def _on(self, kind: str, words: str, rng: np.random.Generator) -> Spot:
        land = self.city.land[self.city.land["kind"] == kind]
        shapes = frame.to_metres(land.geometry.to_numpy())
        edge = shapely.length(shapes)
        nth = int(rng.choice(len(land), p=edge / edge.sum()))
        shore = shapes[nth].boundary.intersection(frame.to_metres(self.city.boundaries["city"].geometry.to_numpy())[0])
        point = shore.interpolate(float(rng.random()), normalized=True) if shore.length else shapes[nth].centroid
        return Spot(np.array(point.coords[0]), words.format(name=land["name"].iloc[nth]))

    def _component(self, rng: np.random.Generator) -> Spot:
        things = self.city.components[self.city.components["category"] != f"P{components.CAMERA.code}"]
        nth = int(rng.integers(len(things)))
        point = shapely.get_coordinates(frame.to_metres(things.geometry.to_numpy()[nth : nth + 1]))[0]
        street = things["street_name"].iloc[nth]
        return Spot(point, f"{street}路边", street=self._ids[street])


def middles(city: City) -> dict[str, np.ndarray]:
    """Return where things gather: a point in metres per kind of gathering of `voices.GATHERINGS`."""
    estates = city.estates
    x, y = shapely.get_coordinates(frame.to_metres(shapely.centroid(estates.geometry.to_numpy()))).T
    away = np.hypot(x, y)
    words = {"market": "市场", "office": "大厦", "village": "村", "tower": "国际"}
    found = {}
    for kind, ending in words.items():
        own = np.flatnonzero(estates["name"].str.endswith(ending).to_numpy())
        # a small city has not every kind: there things gather at the nearest estate of any
        own = own if len(own) else np.arange(len(estates))
        nearest = own[np.argsort(away[own])]
        pick = nearest[len(nearest) // 3]
        found[kind] = np.array([x[pick], y[pick]])
    for kind, special in (("wall", "third"), ("gap", "gap"), ("exclave", "exclave")):
        found[kind] = np.array(frame.to_metres(city.specials[special]).coords[0])
    return found

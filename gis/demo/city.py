"""A made-up city, the same every time from the same seed: its boundaries, streets, houses and all that stands there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely

from gis.demo import (
    buildings,
    components,
    estates,
    footprints,
    frame,
    ground,
    land,
    landuse,
    layers,
    lots,
    skeleton,
    streets,
)
from gis.demo.ground import Ground
from gis.demo.landuse import Blocks
from gis.demo.skeleton import BROOK_WIDTH_M, Skeleton

SEED, CELLS = 7, 1500
# with fewer cells there is no room for three districts and their faults; more than the largest were never looked at
SIZES = (100, 70_000)
COMPONENTS_PER_CELL = 4 / 3


@dataclass(frozen=True)
class City:
    """All layers in degrees (EPSG:4490, 7 decimals). boundaries: a table per level.

    specials: where the gap, the overlap and the exclave are, and the house that stands a third in the core district.
    """

    seed: int
    cells: int
    boundaries: dict[str, gpd.GeoDataFrame]
    streets: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    estates: gpd.GeoDataFrame
    components: gpd.GeoDataFrame
    land: gpd.GeoDataFrame
    specials: dict[str, shapely.Point]

    def places(self) -> dict[str, gpd.GeoDataFrame]:
        """Return everything that stands on the ground, by kind, and the address of every house."""
        kinds = ("streets", "buildings", "estates", "components", "land")
        return {kind: getattr(self, kind) for kind in kinds} | {"addresses": self.addresses}

    @cached_property
    def addresses(self) -> gpd.GeoDataFrame:
        """A point for every house number; houses of an estate add the estate and the number of the block."""
        parts = ["external_id", "street_name", "house_number", "estate_name", "building_number"]
        points = shapely.point_on_surface(self.buildings.geometry.to_numpy())
        return gpd.GeoDataFrame(self.buildings[parts], geometry=list(points), crs=layers.CRS)


def make(seed: int = SEED, cells: int = CELLS) -> City:
    """Make the whole city. cells: about how many unit-grid cells of 10,000 m2 it shall have."""
    bones, earth, blocks = _groundwork(seed, cells)
    lived_in = _lived_in(earth, blocks)
    nets = layers.make(earth, lived_in, seed)
    roads = streets.lay(bones, earth.faces.cuts, blocks, _towns(nets), seed)
    taken, public = _taken(roads, bones)
    owned = estates.lay(blocks, public, seed)
    plots = lots.lay(earth, blocks, taken)
    built = footprints.build(plots, streets.reserved(roads[roads["road_class"] != "internal"]), seed)
    against = buildings.Ground(plots, roads, owned, earth.wall, bones.core, layers.households(lived_in, seed))
    houses = buildings.register(built, against, seed)
    things = components.place(roads, nets["district"], round(cells * COMPONENTS_PER_CELL), seed)
    green = land.lay(bones, blocks, taken, seed)
    specials = {name: frame.to_degrees(point) for name, point in earth.specials.items()}
    specials["third"] = frame.to_degrees(houses.geometry.iloc[0].centroid)
    return City(
        seed=seed,
        cells=cells,
        boundaries=nets,
        streets=_degrees(roads),
        buildings=_degrees(houses),
        estates=_degrees(owned.drop(columns="block")),
        components=_degrees(things),
        land=_degrees(green),
        specials=specials,
    )


def boundaries(seed: int = SEED, cells: int = CELLS) -> dict[str, gpd.GeoDataFrame]:
    """Make the boundary layers alone."""
    _, earth, blocks = _groundwork(seed, cells)
    return layers.make(earth, _lived_in(earth, blocks), seed)


def _groundwork(seed: int, cells: int) -> tuple[Skeleton, Ground, Blocks]:
    bones = skeleton.draw(seed, cells)
    earth = ground.build(bones, seed, cells)
    return bones, earth, landuse.assign(bones, earth.faces, seed)


def _lived_in(earth: Ground, blocks: Blocks) -> np.ndarray:
    """Return for each governance grid whether homes stand on a twelfth of its ground or more."""
    grid, area = earth.levels["governance"], shapely.area(earth.parts)
    known = grid >= 0
    homes = np.isin(blocks.kinds[earth.faces.block[earth.face]], buildings.DWELLINGS)
    lived = np.bincount(grid[known], weights=(area * homes)[known])
    return lived > np.bincount(grid[known], weights=area[known]) / 12


def _towns(nets: dict[str, gpd.GeoDataFrame]) -> dict[str, shapely.Polygon]:
    shapes = frame.to_metres(nets["community"].geometry.to_numpy())
    stems = [name.removesuffix("社区").removesuffix("村") for name in nets["community"]["name"]]
    return dict(zip(stems, shapes, strict=True))


def _taken(roads: gpd.GeoDataFrame, bones: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return the ground taken by streets and water, and the part of it that estates keep out of."""
    water = [bones.brook.buffer(BROOK_WIDTH_M / 2 + 5), bones.banks]
    reserved = streets.reserved(roads)
    public = streets.reserved(roads[roads["road_class"] != "internal"])
    return np.concatenate([reserved, water]), np.concatenate([public, water])


def _degrees(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    shapes = frame.to_sound_degrees(table.geometry.to_numpy())
    return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=list(shapes), crs=layers.CRS)

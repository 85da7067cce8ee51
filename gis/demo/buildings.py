"""The register of houses: address, use, height, households, owner. Also the few that stand across a district line."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import Polygon, STRtree

from gis.demo import footprints
from gis.demo.footprints import PLANS, Houses
from gis.demo.lots import Lots

STOREY_M = 3.0
DWELLINGS = ("hutong", "village", "slab", "tower", "villa")
# Houses across the old wall: where along it, frontage and depth in metres, share inside the core district.
ACROSS = (
    (0.52, (50.0, 40.0), 1 / 3),
    (0.12, (22.0, 14.0), 0.5),
    (0.20, (34.0, 13.0), 0.72),
    (0.43, (18.0, 12.0), 0.4),
    (0.66, (46.0, 15.0), 0.55),
    (0.80, (15.0, 24.0), 0.25),
    (0.90, (28.0, 26.0), 0.61),
)


@dataclass(frozen=True)
class Ground:
    """What houses are registered against; metres.

    core: the district whose line some houses stand across. households: of each governance grid, by its number.
    """

    lots: Lots
    streets: gpd.GeoDataFrame
    estates: gpd.GeoDataFrame
    wall: shapely.LineString
    core: Polygon
    households: np.ndarray


def register(houses: Houses, ground: Ground, seed: int) -> gpd.GeoDataFrame:
    """Return the houses in metres with all they are known by; those across the district line come first."""
    rng = np.random.default_rng([seed, 12])
    special = _across(ground)
    clear = ~shapely.intersects(houses.shapes, shapely.union_all(shapely.buffer(special, 5.0)))
    shapes, lot, shop = houses.shapes[clear], houses.lot[clear], houses.shop[clear]
    kind = np.concatenate([np.full(len(special), "slab"), np.where(shop, "shop", ground.lots.kind[lot])])
    estate = np.concatenate([np.full(len(special), -1), _estate_of(ground, lot)])
    estate[kind == "shop"] = -1
    table = gpd.GeoDataFrame({"use": kind, "estate": estate}, geometry=[*special, *shapes])
    table["floors"] = _floors(table, np.concatenate([np.full(len(special), -1), ground.lots.block[lot]]), rng)
    table["grid"] = np.concatenate([np.full(len(special), -1), ground.lots.grid[lot]])
    return _registered(table, ground, rng)


def _across(ground: Ground) -> np.ndarray:
    """Return the boxes across the line; each is moved along the wall until it stands in nobody's street."""
    streets = STRtree(shapely.buffer(ground.streets.geometry.to_numpy(), ground.streets["width_m"].to_numpy() / 2 + 1))
    found: list[Polygon] = []
    for at, size, share in ACROSS:
        for step in range(40):
            at_m = at * ground.wall.length + (-1) ** step * step * 4.0
            box = footprints.across(ground.wall, ground.core, at_m, size, share)
            if not len(streets.query(box, predicate="intersects")) and all(box.distance(f) > 8 for f in found):
                found.append(box)
                break
    return np.array(found)


def _estate_of(ground: Ground, lot: np.ndarray) -> np.ndarray:
    by_block = np.full(int(ground.lots.block.max()) + 1, -1)
    known = ground.estates["block"].to_numpy()
    inside = known < len(by_block)
    by_block[known[inside]] = np.flatnonzero(inside)
    return np.asarray(by_block[ground.lots.block[lot]])


def _floors(table: gpd.GeoDataFrame, block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    plans = [PLANS.get(use) for use in table["use"]]
    low, high = np.array([plan.floors if plan else (1, 3) for plan in plans]).T
    mood = rng.random(int(block.max()) + 2)[block]
    height = np.clip(mood + rng.normal(0, 0.15, len(table)), 0, 1)
    return np.asarray(np.round(low + (high - low) * height).astype(int))


def _registered(table: gpd.GeoDataFrame, ground: Ground, rng: np.random.Generator) -> gpd.GeoDataFrame:
    table["height_m"] = np.round(table["floors"] * STOREY_M + rng.choice([0.0, 0.6, 1.2], len(table)), 1)
    table["kind"] = np.where(table["use"].isin(DWELLINGS), "residential", table["use"])
    table["building_number"] = _block_numbers(table)
    _address(table, ground)
    estates = ground.estates
    inside = table["estate"] >= 0
    table["estate_name"] = np.where(inside, estates["name"].to_numpy()[table["estate"]], "")
    single = inside & ~table["use"].isin(DWELLINGS) & table["building_number"].eq("1号楼")
    table["name"] = np.where(single, table["estate_name"] + "主楼", "")
    table["name_en"] = np.where(single, estates["name_en"].to_numpy()[table["estate"]] + " Main Building", "")
    table["owner"] = _owners(table, ground)
    table["households"] = _households(table, ground.households)
    table["external_id"] = [f"BD{i:06d}" for i in range(1, len(table) + 1)]
    table["area_m2"] = np.round(table.area, 1)
    return table


def _block_numbers(table: gpd.GeoDataFrame) -> list[str]:
    """Number the houses of an estate from its north-west corner."""
    lines = np.round(table.centroid.y / 30.0)
    order = pd.DataFrame({"estate": table["estate"], "line": -lines, "x": table.centroid.x}).sort_values(
        ["estate", "line", "x"]
    )
    rank = order.groupby("estate").cumcount().reindex(table.index) + 1
    return [f"{n}号楼" if e >= 0 else "" for n, e in zip(rank, table["estate"], strict=True)]


def _address(table: gpd.GeoDataFrame, ground: Ground) -> None:
    """Give every house a street and a number; all houses of an estate share the number of its gate."""
    named = ground.streets[ground.streets["name"] != ""]
    own = table["estate"].to_numpy() < 0
    doors = np.concatenate(
        [shapely.centroid(table.geometry.to_numpy()[own]), shapely.centroid(ground.estates.geometry.to_numpy())]
    )
    street, number = _numbers(doors, named.geometry.to_numpy())
    houses = int(own.sum())
    position = np.where(own, np.cumsum(own) - 1, houses + table["estate"].to_numpy())
    table["street_name"] = named["name"].to_numpy()[street[position]]
    table["street_name_en"] = named["name_en"].to_numpy()[street[position]]
    table["house_number"] = [f"{n}号" for n in number[position]]


def _numbers(doors: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return street and house number per door: odd on the left, even on the right, growing along the street."""
    street = _nearest(doors, lines)
    line = lines[street]
    along = shapely.line_locate_point(line, doors)
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 1.0))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(along - 1.0, 0)))
    off = shapely.get_coordinates(doors) - behind
    step = ahead - behind
    right = step[:, 0] * off[:, 1] - step[:, 1] * off[:, 0] < 0
    order = pd.DataFrame({"street": street, "right": right, "along": along}).sort_values(["street", "right", "along"])
    rank = order.groupby(["street", "right"]).cumcount().sort_index().to_numpy()
    return street, 2 * rank + 1 + right


def _nearest(doors: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return the line nearest to each door. Lines are looked up edge by edge: the box of a ring road holds the city."""
    xy, owner = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    line = shapely.get_parts(lines, return_index=True)[1]
    along = np.flatnonzero(owner[1:] == owner[:-1])
    edges = np.asarray(shapely.linestrings(np.stack([xy[along], xy[along + 1]], axis=1)))
    found, edge = STRtree(edges).query_nearest(doors, all_matches=False)
    return np.asarray(line[owner[along[edge[np.argsort(found)]]]])


def _owners(table: gpd.GeoDataFrame, ground: Ground) -> np.ndarray:
    estates = ground.estates["name"].to_numpy()[table["estate"]]
    works = table["kind"].isin(("industry", "school", "hospital", "market", "office")) & (table["estate"] >= 0)
    return np.asarray(np.where(works, estates, None), dtype=object)


def _households(table: gpd.GeoDataFrame, counted: np.ndarray) -> np.ndarray:
    """Share the households of each grid out by floor space; nobody lives in a shop or an office."""
    roomy = np.where(table["use"].isin(("hutong", "village", "villa")), 0.5, 1.0)
    space = (table.area * table["floors"] * (table["kind"] == "residential") * roomy).to_numpy()
    grid = table["grid"].to_numpy()
    known = (grid >= 0) & (space > 0)
    total = np.bincount(grid[known], weights=space[known], minlength=len(counted))
    found = np.ceil(space / 300.0)
    found[known] = np.maximum(1, np.round(space[known] / total[grid[known]] * counted[grid[known]]))
    return np.asarray(found.astype(int))

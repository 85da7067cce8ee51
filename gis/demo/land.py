"""Water, parks, woods and squares of the demo city: the base map's ground, and what duties ask about a place."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from gis.demo import lots, names
from gis.demo.landuse import Blocks
from gis.demo.skeleton import BROOK_WIDTH_M, Skeleton

BEYOND_M = 450.0
LARGE_LAKE_M2 = 30_000.0
# kind, name in Chinese and in Latin letters, shape
Plot = tuple[str, str, str, BaseGeometry]


def lay(bones: Skeleton, blocks: Blocks, taken: np.ndarray, seed: int) -> gpd.GeoDataFrame:
    """Return land in metres: external_id, kind, name, name_en, geometry. taken: streets with their pavements."""
    rng = np.random.default_rng([seed, 10])
    brook = bones.brook.buffer(BROOK_WIDTH_M / 2).intersection(bones.outline.buffer(BEYOND_M)).difference(bones.banks)
    river = bones.banks.intersection(bones.outline.buffer(BEYOND_M))
    rows: list[Plot] = [("water", *names.RIVER, river), ("water", *names.BROOK, brook)]
    rows += _green(blocks, taken, river.union(brook), rng)
    kinds, zh, en, shapes = zip(*rows, strict=True)
    columns = {"external_id": [f"LD{i:04d}" for i in range(1, len(rows) + 1)], "kind": kinds, "name": zh, "name_en": en}
    return gpd.GeoDataFrame(columns, geometry=list(shapes))


def _green(blocks: Blocks, taken: np.ndarray, water: BaseGeometry, rng: np.random.Generator) -> list[Plot]:
    numbers = blocks.named("park", "forest", "square", "river")
    obstacles = np.concatenate([taken, [water]])
    shapes = lots.without(blocks.shapes[numbers], obstacles)
    namer = names.Namer(rng)
    rows: list[Plot] = []
    for kind, shape in zip(blocks.kinds[numbers], shapes, strict=True):
        for part in shapely.get_parts(shape):
            if part.area > 300:
                rows += _plot(str(kind), part, namer, rng)
    return rows


def _plot(kind: str, part: Polygon, namer: names.Namer, rng: np.random.Generator) -> list[Plot]:
    if kind == "forest":
        return [("forest", *names.FOREST_PARK, part)]
    if kind == "square":
        return [("square", "禾川广场", "Hechuan Square", part)]
    if kind == "river":
        return [("green", "滨河绿地", "Riverside Green", part)]
    stem = namer.road_stem(old=False)
    park: list[Plot] = [("park", f"{stem}公园", f"{names.latin(stem)} Park", part)]
    lake = _lake(part, rng) if part.area > 14_000 and rng.random() < 0.6 else None
    if lake is None or lake.is_empty:
        return park
    name = (f"{stem}湖", f"{names.latin(stem)} Lake") if part.area < LARGE_LAKE_M2 else names.LAKE
    return [("park", park[0][1], park[0][2], part.difference(lake)), ("water", *name, lake)]


def _lake(park: Polygon, rng: np.random.Generator) -> Polygon:
    """Return a lake with a wavering shore, well inside the park."""
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    waves = [rng.uniform(0.05, 0.16) * np.cos(k * angles + rng.uniform(0, 6.28)) for k in (2, 3, 4, 5)]
    box = shapely.get_coordinates(park.oriented_envelope)
    long = (box[1] - box[0]) / 2, (box[2] - box[1]) / 2
    reach = 0.62 * (1 + np.sum(waves, axis=0))[:, None]
    ring = np.cos(angles)[:, None] * long[0] + np.sin(angles)[:, None] * long[1]
    shore = np.array(park.centroid.coords[0]) + reach * ring
    inner = park.buffer(-16).intersection(Polygon(shore).buffer(0)).buffer(-9).buffer(9)
    return max(shapely.get_parts(inner), key=lambda p: p.area, default=Polygon())

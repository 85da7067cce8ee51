"""The index against the usual ways to ask which unit covers a point: interleaved, the same answers demanded."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from bench.figures import Row, equal, told
from gis.demo import city as cities
from gis.territory.index.memory import over

POINTS_N, ROUNDS = 50_000, 3
Pairs = set[tuple[int, int]]
# (point, row) arrays of every unit that covers a point
Way = Callable[[], tuple[NDArray[np.integer[Any]], ...]]


def measure(_data: Path) -> list[Row]:
    """Draw points over the demo city's cells and ask each way in turn."""
    cells = cities.make(cities.SEED, cities.CELLS).boundaries["cell"].reset_index(drop=True)
    shapes = cells.geometry.to_numpy()
    points = _points(shapes)
    index = over(shapes)
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    frame = gpd.GeoDataFrame(geometry=points, crs=4326)
    ways: dict[str, Way] = {
        "the index": lambda: index.covering(lon, lat),
        "geopandas.sjoin(intersects)": lambda: _joined(frame, cells),
        "STRtree of units, asked by points": lambda: tuple(shapely.STRtree(shapes).query(points, "intersects")),
    }
    return _rows(ways)


def _rows(ways: dict[str, Way]) -> list[Row]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, Pairs] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            found = way()
            seconds[name].append(time.process_time() - start)
            answers[name] = set(zip(*(side.tolist() for side in found), strict=True))
    ours = statistics.median(seconds["the index"])
    rows = [told(f"points a second of one core, {POINTS_N} points", round(POINTS_N / ours))]
    for name in list(ways)[1:]:
        ratios = [theirs / mine for theirs, mine in zip(seconds[name], seconds["the index"], strict=True)]
        spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        rows.append(told(f"times faster than {name}: median (least to most)", spread))
        rows.append(equal(f"pairs that differ from {name}", len(answers[name] ^ answers["the index"]), 0))
    return rows


def _points(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    west, south, east, north = shapely.total_bounds(shapes)
    chance = np.random.default_rng(1)
    inside_n = POINTS_N * 9 // 10
    inside = shapely.points(chance.uniform(west, east, inside_n), chance.uniform(south, north, inside_n))
    vertices = shapely.get_coordinates(shapes)
    on_lines = shapely.points(vertices[chance.integers(0, len(vertices), POINTS_N // 10)])
    return np.concatenate([inside, on_lines])


def _joined(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> tuple[NDArray[np.int64], ...]:
    found = gpd.sjoin(points, cells[["geometry"]].set_crs(4326, allow_override=True), predicate="intersects")
    return found.index.to_numpy(), found["index_right"].to_numpy()

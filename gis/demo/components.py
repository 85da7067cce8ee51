"""Managed objects at the streets: manholes, lamps, trees, bins, with authority, owner and maintainer. Metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.demo import frame, mesh


@dataclass(frozen=True)
class Sort:
    """A sort of component: code, names, weight, where (0 middle of the road, 1 at the kerb), three organisations."""

    code: str
    zh: str
    en: str
    weight: float
    side: float
    authority: str
    owner: str
    maintainer: str


SORTS = (
    Sort("0101", "上水井盖", "Water-supply manhole", 0.08, 0.5, "水务局", "自来水公司", "自来水公司"),
    Sort("0102", "污水井盖", "Sewage manhole", 0.10, 0.4, "水务局", "排水集团", "排水集团"),
    Sort("0103", "雨水井盖", "Storm-water manhole", 0.09, 0.7, "水务局", "排水集团", "排水集团"),
    Sort("0104", "雨水箅子", "Storm grate", 0.06, 0.95, "水务局", "排水集团", "市政公用服务中心"),
    Sort("0111", "燃气井盖", "Gas manhole", 0.04, 0.6, "城市管理局", "燃气公司", "燃气公司"),
    Sort("0123", "不明井盖", "Unidentified manhole", 0.02, 0.5, "城市管理局", "", ""),
    Sort("0127", "通讯交接箱", "Telecom cabinet", 0.03, 1.15, "通信管理局", "通信运营单位", "通信运营单位"),
    Sort("0137", "路灯", "Street lamp", 0.21, 1.05, "城市管理局", "市政公用服务中心", "市政公用服务中心"),
    Sort("0204", "公交站亭", "Bus shelter", 0.03, 1.1, "交通运输局", "公交公司", "公交公司"),
    Sort("0212", "路名牌", "Street-name sign", 0.04, 1.1, "民政局", "市政公用服务中心", "市政公用服务中心"),
    Sort("0305", "垃圾箱", "Litter bin", 0.10, 1.12, "城市管理局", "环境卫生服务中心", "环境卫生服务中心"),
    Sort("0402", "行道树", "Street tree", 0.16, 1.1, "园林绿化局", "园林绿化局", "园林绿化局"),
    Sort("0407", "街头座椅", "Street bench", 0.04, 1.15, "园林绿化局", "园林绿化局", "园林绿化局"),
)  # fmt: skip
# Nobody reports on them; there is one for so many components.
CAMERAS = 0.04
CAMERA = Sort("0150", "监控电子眼", "Surveillance camera", 1.0, 1.1, "公安局", "公安局", "公安局")


def place(streets: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, count: int, seed: int) -> gpd.GeoDataFrame:
    """Return so many components in metres along the named streets, then the cameras that watch them.

    districts: degrees, with `code`.
    """
    of_all_sorts = _place(SORTS, streets, districts, count, np.random.default_rng([seed, 13]))
    cameras = _place((CAMERA,), streets, districts, round(count * CAMERAS), np.random.default_rng([seed, 23]))
    return gpd.GeoDataFrame(pd.concat([of_all_sorts, cameras], ignore_index=True))


def _place(
    sorts: Sequence[Sort], streets: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, count: int, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    named = streets[streets["name"] != ""]
    line = named.geometry.to_numpy()
    length = shapely.length(line)
    which = rng.choice(len(named), count, p=length / length.sum())
    sort = rng.choice(len(sorts), count, p=np.array([s.weight for s in sorts]) / sum(s.weight for s in sorts))
    chosen = [sorts[i] for i in sort]
    side = np.array([each.side for each in chosen])
    points = _beside(line[which], rng.random(count) * length[which], named["width_m"].to_numpy()[which], side, rng)
    return gpd.GeoDataFrame(
        {
            "external_id": _codes(points, districts, chosen),
            "category": [f"P{s.code}" for s in chosen],
            "name": [s.zh for s in chosen],
            "name_en": [s.en for s in chosen],
            "authority": [s.authority for s in chosen],
            "owner": [s.owner or None for s in chosen],
            "maintainer": [s.maintainer or None for s in chosen],
            "state": rng.choice(["intact", "intact", "intact", "intact", "damaged"], count),
            "position_class": np.where([s.code.startswith("01") for s in chosen], "A", "B"),
            "street_name": named["name"].to_numpy()[which],
        },
        geometry=list(points),
    )


def _beside(
    line: np.ndarray, along: np.ndarray, width: np.ndarray, side: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    at = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    step = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 1.0)) - at
    step /= np.maximum(np.hypot(*step.T), 1e-6)[:, None]
    away = side * width / 2 * rng.choice([-1, 1], len(line))
    return np.asarray(shapely.points(at + np.column_stack([-step[:, 1], step[:, 0]]) * away[:, None]))


def _codes(points: np.ndarray, districts: gpd.GeoDataFrame, chosen: list[Sort]) -> list[str]:
    """Return 16-digit object codes: district, sort, serial."""
    shapes = frame.to_metres(districts.geometry.to_numpy())
    owner = mesh.owners_of(points, shapes)
    stray = np.flatnonzero(owner < 0)  # on a line, or on nobody's ground
    owner[stray] = [int(np.argmin(shapely.distance(shapes, points[i]))) for i in stray]
    home = districts["code"].to_numpy()[owner]
    serial: dict[str, int] = {}
    codes = []
    for district, sort in zip(home, chosen, strict=True):
        head = f"{district}{sort.code}"
        serial[head] = serial.get(head, 0) + 1
        codes.append(f"{head}{serial[head]:06d}")
    return codes

"""Coordinates: the three datums against published pairs, and districts drawn in GCJ-02 laid on the true ones."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from bench.figures import Row, at_least, at_most, equal
from gis.territory import boundaries, coords
from gis.territory.coords import GEOD, Floats, Pair

BEIJING = Path(__file__).parent / "beijing" / "boundaries.toml"
XICHENG = "110102"
SHIFTED = ("GCJ-02", "GCJ-02 full")


def measure(data: Path) -> list[Row]:
    """Measure conversions and the load of shifted districts; data: the folder of the real data."""
    return [*_vectors(data / "coord_vectors"), *_districts(data)]


def _vectors(folder: Path) -> list[Row]:
    cities = pd.read_csv(folder / "china_cities_dev.csv")
    pairs = pd.read_csv(folder / "eviltransform_wgs_gcj.csv")
    wgs = _pair(cities, "wgs84_lon", "wgs84_lat")
    gcj, bd = _pair(cities, "gcj02_lon", "gcj02_lat"), _pair(cities, "bd09_lon", "bd09_lat")
    more = coords.from_wgs84(*_pair(pairs, "wgs_lon", "wgs_lat"), "GCJ02")
    # BD-09 is built on GCJ-02: by way of WGS 84 and back, the published GCJ-02 pair becomes a BD-09 pair.
    through = coords.from_wgs84(*coords.to_wgs84(*gcj, "GCJ02"), "BD09")
    back = {datum: coords.to_wgs84(*coords.from_wgs84(*wgs, datum), datum) for datum in ("GCJ02", "BD09")}
    return [
        equal("cities compared", len(cities), 332),
        at_most("WGS 84 to GCJ-02, largest miss, m", _miss_m(coords.from_wgs84(*wgs, "GCJ02"), gcj), 1),
        at_most("WGS 84 to GCJ-02, second source, m", _miss_m(more, _pair(pairs, "gcj_lon", "gcj_lat")), 1),
        at_most("GCJ-02 to BD-09, largest miss, m", _miss_m(through, bd), 0.02),
        *(at_most(f"{datum} there and back, mm", _miss_m(pair, wgs) * 1000, 1) for datum, pair in back.items()),
    ]


def _pair(table: pd.DataFrame, lon: str, lat: str) -> Pair:
    return table[lon].to_numpy(dtype=float), table[lat].to_numpy(dtype=float)


def _miss_m(found: Pair, wanted: Pair) -> float:
    return float(np.max(GEOD.inv(*found, *wanted)[2]))


def _districts(data: Path) -> list[Row]:
    drafts = {draft.edition.name: draft for draft in boundaries.read(boundaries.read_manifest(BEIJING, folder=data))}
    true = _by_code(drafts["CGCS2000"].units)
    rows: list[Row] = []
    for name in SHIFTED:
        loaded = _by_code(drafts[name].units)
        # What the same file gives when its label, EPSG:4326, is believed.
        believed = loaded.map(lambda shape: shapely.transform(shape, _to_gcj))
        fits, misfits = _overlap(loaded, true), _overlap(believed, true)
        rows += [
            equal(f"{name}: districts loaded", len(loaded), 16),
            at_most(f"{name}: centre of Xicheng off, m", float(_apart_m(loaded, true)[XICHENG]), 50),
            at_least(
                f"{name}: centre of Xicheng off if its label is believed, m",
                float(_apart_m(believed, true)[XICHENG]),
                400,
            ),
            at_least(f"{name}: Xicheng, common part of the two shapes", float(fits[XICHENG]), 0.95),
            at_least(f"{name}: worst district, common part", float(fits.min()), 0.9),
            equal(f"{name}: districts that fit better than by their label", int((fits > misfits).sum()), 16),
        ]
    return rows


def _by_code(units: gpd.GeoDataFrame) -> gpd.GeoSeries:
    shapes = units.set_index("code").geometry
    return shapes.set_axis(shapes.index.astype(str)).make_valid().sort_index()


def _to_gcj(at: Floats) -> Floats:
    return np.column_stack(coords.from_wgs84(at[:, 0], at[:, 1], "GCJ02"))


def _overlap(one: gpd.GeoSeries, other: gpd.GeoSeries) -> pd.Series[float]:
    first, second = (np.asarray(each.array, dtype=object) for each in (one, other))
    common, whole = (shapely.area(each(first, second)) for each in (shapely.intersection, shapely.union))
    return pd.Series(common / whole, index=one.index)


def _apart_m(one: gpd.GeoSeries, other: gpd.GeoSeries) -> pd.Series[float]:
    first, second = (shapely.centroid(np.asarray(each.array, dtype=object)) for each in (one, other))
    ends = (shapely.get_x(first), shapely.get_y(first), shapely.get_x(second), shapely.get_y(second))
    return pd.Series(GEOD.inv(*ends)[2], index=one.index)

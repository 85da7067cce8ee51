"""Write the layers of the demo city as files: boundaries as GeoJSON to keep, everything else as GeoParquet."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from gis.demo import frame

MANIFEST = Path(__file__).parents[2] / "data" / "boundaries" / "boundaries.toml"
PLACES = Path(__file__).with_name("places.toml")


def write_boundaries(layers: dict[str, gpd.GeoDataFrame], folder: Path) -> None:
    """Write one GeoJSON file per level, one unit per line, 7 decimals, and the manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for level, table in layers.items():
        (folder / f"{level}.geojson").write_text(_geojson(level, table), encoding="utf-8")
    if folder.resolve() != MANIFEST.parent.resolve():
        shutil.copyfile(MANIFEST, folder / MANIFEST.name)


def write_places(tables: dict[str, gpd.GeoDataFrame], folder: Path) -> None:
    """Write one GeoParquet file per kind of place, and the mapping that says what they hold."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, table in tables.items():
        table.to_parquet(folder / f"{kind}.parquet", index=False)
    shutil.copyfile(PLACES, folder / PLACES.name)


def _geojson(level: str, table: gpd.GeoDataFrame) -> str:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    head = f'{{"type": "FeatureCollection", "name": {json.dumps(level)}, "crs": {json.dumps(crs)}, "features": [\n'
    records = table.drop(columns="geometry").to_dict("records")
    lines = [_feature(record, geom) for record, geom in zip(records, table.geometry, strict=True)]
    return head + ",\n".join(lines) + "\n]}\n"


def _feature(record: dict[str, object], geom: BaseGeometry) -> str:
    shape = json.dumps(_rounded(shapely.geometry.mapping(geom.normalize())), separators=(",", ":"))
    properties = json.dumps(record, ensure_ascii=False, default=int)
    return f'{{"type": "Feature", "properties": {properties}, "geometry": {shape}}}'


def _rounded(value: object) -> object:
    """Round every number: transforming leaves 118.8 as 118.80000000000001 now and then."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return round(value, frame.DECIMALS) if isinstance(value, float) else value

"""One boundary file as it is: its fields, its polygons in the file's own coordinates, and what had to be left out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely
from numpy.typing import NDArray
from pyarrow.lib import ArrowException
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.errors import Invalid
from gis.territory.boundaries import crs
from gis.territory.boundaries.manifest import Layer
from gis.territory.coords import Geometries

AREAL = ("Polygon", "MultiPolygon", "GeometryCollection")
# Formats that cannot hold a curve need not be searched for one.
STRAIGHT_DRIVERS = frozenset({"ESRI Shapefile", "GeoJSON", "GeoJSONSeq"})
BROKEN = ("error", "corrupt", "truncat", "failed", "invalid file")
# Arcs become chords of a tenth of a degree: 4 mm from an arc of 10 km radius. GDAL's own 4 degrees would be 6 m.
pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": "0.1"})
PARQUET = (".parquet", ".geoparquet", ".pq")


@dataclass(frozen=True)
class Sheet:
    """Rows of a file. geometry: multipolygons in `crs`, None where a row has none; number: of the row, from 1.

    left_out: what was dropped on the way in (heights, lines beside polygons, curves made straight) -> how many rows.
    """

    rows: pd.DataFrame
    geometry: Geometries
    number: NDArray[np.int64]
    crs: CRS
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Source:
    """A file and layer as a message names them."""

    path: Path
    layer: str | None

    @property
    def told(self) -> dict[str, str]:
        return {"file": self.path.name, "layer": self.layer or "-"}


def read(folder: Path, layer: Layer) -> Sheet:
    """Read the rows of a layer; raise Invalid that says what is wrong, in which file and row, and how to mend it."""
    source = _Source(folder / layer.file, layer.layer)
    if not source.path.exists():
        raise Invalid("boundaries.no_file", path=str(source.path))
    with _told(source):
        table, curved = (_parquet if source.path.suffix.lower() in PARQUET else _gdal)(source, layer)
    kept = np.flatnonzero(_meant(table, layer))
    if not len(kept):
        wanted = ", ".join(f"{name} = {value}" for name, value in layer.where.items())
        raise Invalid("boundaries.no_rows", where=wanted or "-", **source.told)
    rows, number = table.iloc[kept], kept + 1
    shapes, left_out = _polygons(np.asarray(rows.geometry.array, dtype=object), number, source)
    if curved:
        left_out["curves_made_straight"] = len(kept)
    return Sheet(rows.drop(columns=rows.geometry.name), shapes, number, _crs(layer, rows.crs, source), left_out)


@contextmanager
def _told(source: _Source) -> Iterator[None]:
    """Turn whatever a reader says of a broken file into one sentence."""
    try:
        yield
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise Invalid("boundaries.unreadable", reason=str(error), **source.told) from error
    except (pyogrio.errors.GeometryError, pyogrio.errors.FieldError, pyogrio.errors.CRSError) as error:
        raise Invalid("boundaries.unreadable", reason=str(error), **source.told) from error
    except (ArrowException, shapely.errors.ShapelyError, OSError, ValueError) as error:
        raise Invalid("boundaries.unreadable", reason=str(error), **source.told) from error


def _parquet(source: _Source, layer: Layer) -> tuple[gpd.GeoDataFrame, bool]:
    # GDAL as it comes in the wheel has no driver for Parquet.
    schema = pq.read_schema(source.path)
    if b"geo" not in (schema.metadata or {}):
        raise Invalid("boundaries.not_geoparquet", **source.told)
    shape = json.loads(schema.metadata[b"geo"])["primary_column"]
    _check_fields([name for name in schema.names if name != shape], layer, source)
    return gpd.read_parquet(source.path, columns=[*layer.fields, shape]), False


def _gdal(source: _Source, layer: Layer) -> tuple[gpd.GeoDataFrame, bool]:
    _check_length(source)
    name = _layer_name(source)
    told = pyogrio.read_info(source.path, layer=name, force_feature_count=True)
    _check_fields(list(told["fields"]), layer, source)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        table = pyogrio.read_dataframe(source.path, layer=name, columns=list(layer.fields))
    if not isinstance(table, gpd.GeoDataFrame):
        raise Invalid("boundaries.no_geometry", **source.told)
    broken = [str(each.message) for each in heard if any(word in str(each.message).lower() for word in BROKEN)]
    if broken or 0 <= told["features"] != len(table):
        reason = broken[0] if broken else f"{len(table)} / {told['features']}"
        raise Invalid("boundaries.unreadable", reason=reason, **source.told)
    return table, told["driver"] not in STRAIGHT_DRIVERS and _has_curves(source.path, name)


def _layer_name(source: _Source) -> str:
    names = [str(name) for name, _ in pyogrio.list_layers(source.path)]
    if not names:
        raise Invalid("boundaries.unreadable", reason="0 layers", **source.told)
    if source.layer is None and len(names) > 1:
        raise Invalid("boundaries.which_layer", choices=", ".join(names), **source.told)
    if source.layer is not None and source.layer not in names:
        raise Invalid("boundaries.no_layer", choices=", ".join(names), **source.told)
    return source.layer or names[0]


def _check_length(source: _Source) -> None:
    """Compare a shapefile with the length it announces: GDAL reads a cut one without a word, short of shapes."""
    if source.path.suffix.lower() != ".shp":
        return
    with source.path.open("rb") as file:
        head = file.read(28)
    announced, found = 2 * int.from_bytes(head[24:28], "big"), source.path.stat().st_size
    if announced > found or len(head) < 28:
        raise Invalid("boundaries.truncated", announced=announced, found=found, **source.told)


def _has_curves(path: Path, name: str) -> bool:
    kinds = pyogrio.read_dataframe(
        path, sql=f'SELECT DISTINCT OGR_GEOMETRY FROM "{name}"', sql_dialect="OGRSQL", read_geometry=False
    )
    return any(curve in str(kind) for kind in kinds.iloc[:, 0] for curve in ("CURVE", "SURFACE", "CIRCULAR"))


def _check_fields(names: Sequence[str], layer: Layer, source: _Source) -> None:
    known = pd.Series(names, dtype=object)
    for name in layer.fields:
        times = int((known == name).sum())
        if times == 0:
            raise Invalid("boundaries.missing_field", field=name, choices=", ".join(names), **source.told)
        if times > 1:
            raise Invalid("boundaries.duplicate_field", field=name, **source.told)


def _meant(table: gpd.GeoDataFrame, layer: Layer) -> NDArray[np.bool_]:
    meant = np.ones(len(table), dtype=bool)
    for name, value in layer.where.items():
        meant &= table[name].isin(value if isinstance(value, list | tuple) else [value]).to_numpy()
    return meant


def _crs(layer: Layer, said: CRS | None, source: _Source) -> CRS:
    if layer.crs:
        return crs.named(layer.crs, **source.told)
    if said is None:
        raise Invalid("boundaries.no_crs", **source.told)
    return CRS(said)


def _polygons(shapes: Geometries, number: NDArray[np.int64], source: _Source) -> tuple[Geometries, dict[str, int]]:
    """Keep what has area, flat; raise Invalid for rows that are points or lines, or hold no numbers."""
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    for at in np.flatnonzero(there & ~_finite(shapes)):
        raise Invalid("boundaries.not_finite", row=int(number[at]), **source.told)
    left_out = {"heights_dropped": int(shapely.has_z(shapes).sum())}
    flat = shapely.force_2d(shapes)
    made: Geometries = np.full(len(flat), None, dtype=object)
    for at in np.flatnonzero(there):
        parts = list(_parts(flat[at]))
        areal = [part for part in parts if isinstance(part, shapely.Polygon)]
        if not areal:
            raise Invalid("boundaries.not_polygons", row=int(number[at]), type=flat[at].geom_type, **source.told)
        left_out["lines_or_points_dropped"] = left_out.get("lines_or_points_dropped", 0) + (len(areal) < len(parts))
        made[at] = shapely.MultiPolygon(areal)
    return made, {what: count for what, count in left_out.items() if count}


def _finite(shapes: Geometries) -> NDArray[np.bool_]:
    at, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), dtype=bool)
    finite[owner[~np.isfinite(at).all(axis=1)]] = False
    return finite


def _parts(shape: BaseGeometry) -> Iterator[BaseGeometry]:
    """Go through collections in collections down to single shapes."""
    if hasattr(shape, "geoms"):
        for part in shape.geoms:
            yield from _parts(part)
    elif not shape.is_empty:
        yield shape

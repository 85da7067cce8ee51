"""Files of places read in pieces: whatever GDAL reads, GeoParquet, and CSV with two columns of coordinates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gis.errors import Invalid
from gis.territory import coords

Geometries = NDArray[np.object_]

CHUNK_ROWS = 20_000
# The number of the row stands for an id in files that have none; such a file cannot be re-ordered between imports.
ROW_NUMBER = "@row"
# Straight in the source is bent in the target, by 5 mm on an edge of 500 m: longer ones get vertices between.
LONGEST_EDGE_M = 400.0
METRES_PER_DEGREE = 111_320.0
# Tried in this order: what is written today, then what was written in China before.
ENCODINGS = ("utf-8-sig", "gb18030")
BROKEN = (DataSourceError, DataLayerError, FieldError, GeometryError, pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """What must be known of a file to read it.

    crs overrides what the file says; datum is what its numbers really are; lon, lat: columns of coordinates, for a file
    without shapes. fields: column of ours -> column of the file (one, or several for a list); values: column of ours
    -> the same value for every row; attributes: name -> column of the file.
    """

    path: Path
    layer: str | None = None
    where: str | None = None
    crs: str | None = None
    datum: str = "WGS84"
    lon: str | None = None
    lat: str | None = None
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column the file must have."""
        columns = [*self.attributes.values(), self.lon, self.lat]
        for name in self.fields.values():
            columns += [name] if isinstance(name, str) else name
        return tuple(dict.fromkeys(name for name in columns if name and name != ROW_NUMBER))


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file. first_row: as a person counts; geometry: EPSG:4326 or None where there is none.

    flattened: how many came with heights, which are left out.
    """

    first_row: int
    table: pd.DataFrame
    geometry: Geometries
    flattened: int

    @property
    def rows(self) -> range:
        """The numbers of the rows."""
        return range(self.first_row, self.first_row + len(self.table))


@dataclass(frozen=True)
class Opened:
    """A file that was opened. rows_n: None when it is known at the end only."""

    rows_n: int | None
    chunks: Iterator[Chunk]


@dataclass(frozen=True)
class _Raw:
    rows_n: int | None
    crs: str | None
    pieces: Iterator[tuple[pd.DataFrame, Geometries]]
    first_row: int = 1


def open_file(file: TableFile) -> Opened:
    """Open a file of places; raise Invalid that says what cannot be read, and how to mend it."""
    if not file.path.exists():
        raise Invalid("places.file_missing", path=str(file.path))
    with _told(file.path):
        raw = _reader(file)(file)
    carry = _carrier(file, raw.crs)
    return Opened(raw.rows_n, _chunks(file, raw, carry))


def _reader(file: TableFile) -> Callable[[TableFile], _Raw]:
    ending = file.path.suffix.lower()
    if ending == ".csv" and file.lon:
        return _csv
    return {".parquet": _parquet, ".geojson": _geojson, ".json": _geojson}.get(ending, _gdal)


@contextmanager
def _told(path: Path, row: int = 0) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        code = "places.file_breaks_off" if row else "places.file_unreadable"
        raise Invalid(code, path=str(path), row=row, reason=str(error)[:300]) from error


def _chunks(file: TableFile, raw: _Raw, carry: Callable[[Geometries], Geometries]) -> Iterator[Chunk]:
    row = raw.first_row
    while True:
        with _told(file.path, row):
            piece = next(raw.pieces, None)
        if piece is None:
            break
        table, geometry = piece
        yield Chunk(row, table, carry(geometry), int(shapely.has_z(geometry).sum()))
        row += len(table)
    if raw.rows_n is not None and row - raw.first_row < raw.rows_n:
        # Some readers of GDAL stop in silence where a file is broken.
        raise Invalid("places.file_breaks_off", path=str(file.path), row=row, reason=f"{row} < {raw.rows_n}")


def _parquet(file: TableFile) -> _Raw:
    opened = pq.ParquetFile(file.path)
    geo = json.loads((opened.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    column = geo.get("primary_column")
    crs = geo.get("columns", {}).get(column, {}).get("crs", "OGC:CRS84")
    _check_fields(file, opened.schema_arrow.names)
    keep = [*file.wanted, *([column] if column else [])]
    batches = opened.iter_batches(batch_size=CHUNK_ROWS, columns=keep)
    pieces = (_piece(file, batch.to_pandas(), column) for batch in batches)
    return _Raw(opened.metadata.num_rows, crs if isinstance(crs, str) else json.dumps(crs), pieces)


def _geojson(file: TableFile) -> _Raw:
    with file.path.open("rb") as opened:
        opened.seek(max(0, file.path.stat().st_size - 64))
        if not opened.read().rstrip().endswith(b"}"):
            raise ValueError("the last bracket is missing")
    return _gdal(file)


def _gdal(file: TableFile) -> _Raw:
    asked = {"layer": file.layer, "where": file.where}
    info = pyogrio.read_info(file.path, layer=file.layer, force_feature_count=True)
    _check_fields(file, list(info["fields"]))
    rows_n = None if file.where else info["features"]
    return _Raw(rows_n, info["crs"], _gdal_pieces(file, asked))


def _gdal_pieces(file: TableFile, asked: dict[str, str | None]) -> Iterator[tuple[pd.DataFrame, Geometries]]:
    with pyogrio.open_arrow(file.path, columns=list(file.wanted), batch_size=CHUNK_ROWS, use_pyarrow=True, **asked) as (
        meta,
        reader,
    ):
        row = 0
        for batch in reader:
            try:
                yield _piece(file, batch.to_pandas(), meta["geometry_name"] or "wkb_geometry")
            except NotImplementedError:
                yield _straightened(file, asked, row, len(batch))
            row += len(batch)


def _straightened(
    file: TableFile, asked: dict[str, str | None], row: int, rows_n: int
) -> tuple[pd.DataFrame, Geometries]:
    """Read rows that hold arcs a second time, by the slower way that makes chains of short edges of them."""
    frame = pyogrio.read_dataframe(
        file.path, columns=list(file.wanted), skip_features=row, max_features=rows_n, **asked
    )
    return pd.DataFrame(frame.drop(columns="geometry")), frame.geometry.to_numpy()


def _csv(file: TableFile) -> _Raw:
    encoding = _encoding(file.path)
    frames = pd.read_csv(file.path, dtype=str, keep_default_na=False, encoding=encoding, chunksize=CHUNK_ROWS)
    _check_fields(file, list(pd.read_csv(file.path, nrows=0, encoding=encoding).columns))
    return _Raw(None, "EPSG:4326", (_piece(file, frame.reset_index(drop=True), None) for frame in frames), first_row=2)


def _encoding(path: Path) -> str:
    for encoding in ENCODINGS:
        try:
            with path.open(encoding=encoding) as opened:
                while opened.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise Invalid("places.encoding", path=str(path), tried=", ".join(ENCODINGS))


def _check_fields(file: TableFile, names: list[str]) -> None:
    missing = [name for name in file.wanted if name not in names]
    if missing:
        raise Invalid("places.no_field", path=str(file.path), missing=", ".join(missing), found=", ".join(names[:60]))


def _piece(file: TableFile, frame: pd.DataFrame, column: str | None) -> tuple[pd.DataFrame, Geometries]:
    if file.lon and file.lat:
        x, y = (pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float) for name in (file.lon, file.lat))
        return frame, np.asarray(shapely.points(x, y))
    if column is None or column not in frame:
        return frame, np.full(len(frame), None, dtype=object)
    with np.errstate(invalid="ignore"):
        return frame.drop(columns=column), shapely.from_wkb(frame[column].to_numpy(dtype=object), on_invalid="ignore")


def _carrier(file: TableFile, crs: str | None) -> Callable[[Geometries], Geometries]:
    """Return what brings geometries of the file to EPSG:4326: projection first, then the shift of the datum."""
    said = file.crs or crs
    if said is None:
        raise Invalid("places.no_crs", path=str(file.path))
    try:
        source = CRS.from_user_input(said)
        way = Transformer.from_crs(source, "EPSG:4326", always_xy=True)
    except CRSError as error:
        raise Invalid("places.unknown_crs", path=str(file.path), crs=said[:80], reason=str(error)[:200]) from error
    metres = METRES_PER_DEGREE if source.is_geographic else source.axis_info[0].unit_conversion_factor
    straight = source.is_geographic and file.datum in {"WGS84", "CGCS2000"}

    def carry(geometry: Geometries) -> Geometries:
        flat = shapely.force_2d(geometry)
        dense = flat if straight else shapely.segmentize(flat, LONGEST_EDGE_M / metres)
        at = shapely.get_coordinates(dense)
        lon, lat = coords.to_wgs84(*way.transform(at[:, 0], at[:, 1]), file.datum)
        carried: Geometries = shapely.set_coordinates(dense, np.column_stack((lon, lat)))
        return carried

    return carry

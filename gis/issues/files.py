"""Files of reports: rows of CSV, XLSX, GeoParquet and GeoJSON, read as a stream, each as one mapping of columns.

Row numbers are those a person sees: in tables the header is row 1, so the first report stands in row 2; in GeoParquet
and GeoJSON, which have no header, the first report is row 1. A geometry is handed on under `geometry`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from openpyxl.utils.exceptions import InvalidFileException
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gis.errors import Invalid

Json = dict[str, Any]
Row = tuple[int, Json]

# Tried in this order: what a spreadsheet writes today, then what one in China wrote before.
ENCODINGS = ("utf-8-sig", "gb18030")
BATCH_ROWS = 5000
GEOMETRY = "geometry"


@dataclass(frozen=True)
class Table:
    """A file that was opened: how many rows it has (None: unknown before the end), and the rows."""

    rows_n: int | None
    rows: Iterator[Row]


def open_table(path: Path) -> Table:
    """Open a file of reports by its ending; raise Invalid that says what cannot be read."""
    if not path.is_file():
        raise Invalid("file.missing", path=str(path))
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise Invalid("file.unknown_kind", path=str(path), kinds=", ".join(_READERS))
    try:
        table = reader(path)
    except _UNREADABLE as error:
        raise Invalid("file.unreadable", path=str(path), reason=str(error)[:300]) from error
    return Table(table.rows_n, _told(path, table.rows))


def grids(path: Path) -> Iterator[tuple[str, list[tuple[int, list[str]]]]]:
    """Read CSV or XLSX as it stands, sheet by sheet: rows with their number and their cells as text, "" for none.

    For tables whose header is not in the first row. Raise Invalid that says what cannot be read.
    """
    if not path.is_file():
        raise Invalid("file.missing", path=str(path))
    if path.suffix.lower() not in {".csv", ".xlsx"}:
        raise Invalid("file.unknown_kind", path=str(path), kinds=".csv, .xlsx")
    try:
        for name, rows in _sheets(path):
            yield name, [(number, [_plainly(cell) for cell in cells]) for number, cells in rows]
    except _UNREADABLE as error:
        raise Invalid("file.unreadable", path=str(path), reason=str(error)[:300]) from error


def digest(*paths: Path) -> str:
    """Return the SHA-256 of files, one after the other."""
    seen = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            seen.update(hashlib.file_digest(file, "sha256").digest())
    return seen.hexdigest()


def _told(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    """Hand the rows on; where the file breaks off, say so with the last good row."""
    last = 0
    try:
        for last, row in rows:
            yield last, row
    except _UNREADABLE as error:
        raise Invalid("file.breaks_off", path=str(path), row=last, reason=str(error)[:300]) from error


def _csv(path: Path) -> Table:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        rows_n = sum(1 for _ in csv.reader(file)) - 1
    return Table(max(rows_n, 0), _csv_rows(path, encoding))


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, None)
        if not header:
            raise Invalid("file.no_header", path=str(path))
        yield from _with_header(header, enumerate(reader, start=2), path)


def _encoding(path: Path) -> str:
    for encoding in ENCODINGS:
        try:
            with path.open(encoding=encoding) as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise Invalid("file.encoding", path=str(path), tried=", ".join(ENCODINGS))


def _xlsx(path: Path) -> Table:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    rows = sheet.iter_rows(values_only=True)
    header = next(rows, None)
    if not header:
        raise Invalid("file.no_header", path=str(path))
    named = ["" if name is None else str(name) for name in header]
    last = sheet.max_row
    return Table(last and last - 1, _with_header(named, enumerate(map(list, rows), start=2), path))


def _sheets(path: Path) -> Iterator[tuple[str, Iterator[tuple[int, Iterable[Any]]]]]:
    if path.suffix.lower() == ".csv":
        with path.open(encoding=_encoding(path), newline="") as file:
            yield "", enumerate(csv.reader(file, strict=True), start=1)
        return
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets:
        yield sheet.title, enumerate(sheet.iter_rows(values_only=True), start=1)


def _plainly(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _with_header(header: list[str], rows: Iterator[tuple[int, list[Any]]], path: Path) -> Iterator[Row]:
    names = [name.strip() for name in header]
    doubled = next((name for name in names if name and names.count(name) > 1), None)
    if doubled:
        raise Invalid("file.column_twice", path=str(path), column=doubled)
    for number, cells in rows:
        # Cells beyond the header have no name; an empty line at the end of a sheet is no row.
        if any(cell not in (None, "") for cell in cells):
            yield number, dict(zip_longest(names, cells[: len(names)]))


def _parquet(path: Path) -> Table:
    file = pq.ParquetFile(path)
    geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    column = geo.get("primary_column")
    crs = geo.get("columns", {}).get(column, {}).get("crs", "OGC:CRS84")
    batches = file.iter_batches(batch_size=BATCH_ROWS)
    return Table(file.metadata.num_rows, _arrow_rows(batches, column, crs))


def _geojson(path: Path) -> Table:
    # GDAL stops in silence where a file breaks off; the closing bracket shows whether it does.
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64), io.SEEK_SET)
        if not file.read().rstrip().endswith(b"}"):
            raise ValueError("the file ends before its last bracket")
    info = pyogrio.read_info(path)
    return Table(info["features"], _ogr_rows(path))


def _ogr_rows(path: Path) -> Iterator[Row]:
    with pyogrio.open_arrow(path, use_pyarrow=True, batch_size=BATCH_ROWS) as (meta, reader):
        yield from _arrow_rows(iter(reader), meta["geometry_name"] or "wkb_geometry", meta["crs"])


def _arrow_rows(batches: Iterator[pa.RecordBatch], column: str | None, crs: object) -> Iterator[Row]:
    place = _to_lonlat(crs)
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            shape = row.pop(column, None) if column else None
            yield number, row | ({GEOMETRY: place(shape)} if shape else {})


def _to_lonlat(crs: object) -> Callable[[bytes], Json]:
    """Return what turns WKB in this CRS into a GeoJSON geometry in longitude and latitude."""
    try:
        source = CRS.from_user_input(crs or "OGC:CRS84")
    except CRSError as error:
        raise ValueError(str(error)) from error
    if source.is_geographic and source.equals(CRS("OGC:CRS84"), ignore_axis_order=True):
        return lambda wkb: shapely.geometry.mapping(shapely.from_wkb(wkb))
    change = Transformer.from_crs(source, "OGC:CRS84", always_xy=True)

    def moved(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(change.transform(corners[:, 0], corners[:, 1]))

    return lambda wkb: shapely.geometry.mapping(shapely.transform(shapely.from_wkb(wkb), moved))


_READERS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
    ".geoparquet": _parquet,
    ".geojson": _geojson,
    ".json": _geojson,
}
_UNREADABLE = (
    csv.Error,
    InvalidFileException,
    BadZipFile,
    pa.ArrowException,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    shapely.errors.ShapelyError,
    OSError,
    ValueError,
    KeyError,
    EOFError,
)

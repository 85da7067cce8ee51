"""Places as text: tables of comma-separated values, and GeoJSON. What they hold stays text, so that nothing is lost."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from gis.errors import Invalid
from gis.territory import columns
from gis.territory.sheets import crs, cutting
from gis.territory.sheets.reading import Sheet
from gis.territory.sheets.source import ROW_BYTES, Span

Json = dict[str, Any]

# Tried in this order: what a spreadsheet writes today, then what one in China wrote before.
ENCODINGS = ("utf-8", "gb18030")
DELIMITERS = (",", ";", "\t", "|")
GEOMETRY = "geometry"
# Cells may be as long as records; the library's own limit holds for the whole process.
csv.field_size_limit(cutting.RECORD_MOST_BYTES)


class CsvTable:
    """A table; its first record names the columns. A row that has not as many cells is kept, and marked."""

    geometry = None
    has_points = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            raw = file.read(cutting.PIECE_BYTES)
        self.start, header = _header(raw, path)
        self.delimiter = max(DELIMITERS, key=header.count)
        names = next(csv.reader([header], delimiter=self.delimiter), [])
        self.names = _named(names, path)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns, all of text."""
        return pa.schema([(name, pa.string()) for name in self.names])

    def spans(self, rows_n: int) -> Iterator[Span]:
        """Cut between records."""
        start = end = self.start
        for _, end in cutting.records(self.path, self.delimiter, start, self.size):
            if end - start >= rows_n * ROW_BYTES:
                yield Span(start, end, end - start, self.path)
                start = end
        if end > start or start == self.start:
            yield Span(start, end, end - start, self.path)

    def sheets(self, span: Span) -> Iterator[Sheet]:
        """Read piece by piece."""
        with self.path.open("rb") as file:
            for start, end in cutting.records(self.path, self.delimiter, span.start, span.end):
                file.seek(start)
                yield self._sheet(file.read(end - start))

    def _sheet(self, data: bytes) -> Sheet:
        encoding = _encoding(data, self.path)
        # Arrow would decode by blocks, and lose the end of a line that two of them share.
        text = data if encoding == ENCODINGS[0] else data.decode(encoding).encode()
        try:
            return Sheet(self._parsed(text))
        except pa.ArrowInvalid:
            # Rows that are too long or too short for Arrow.
            return self._by_hand(text.decode())

    def _parsed(self, data: bytes) -> pa.RecordBatch:
        how = arrow_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=self.names)
        cells = arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True)
        text = arrow_csv.ConvertOptions(column_types=self.schema, strings_can_be_null=False)
        table = arrow_csv.read_csv(pa.BufferReader(data), how, cells, text).combine_chunks()
        return next(iter(table.to_batches()), _nothing(self.schema))

    def _by_hand(self, text: str) -> Sheet:
        width = len(self.names)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter) if row]
        broken = np.array([columns.reason("sheet.row_ragged") * (len(row) != width) for row in rows], dtype=np.uint8)
        # Cells beyond the header stay at the end of the last one that has a name.
        fitted = [[*row[: width - 1], self.delimiter.join(row[width - 1 :])][:width] for row in rows]
        full = [row + [""] * (width - len(row)) for row in fitted]
        cells = [pa.array(column, pa.string()) for column in zip(*full, strict=True)]
        return Sheet(pa.RecordBatch.from_arrays(cells, schema=self.schema) if rows else _nothing(self.schema), broken)


class Collection:
    """A GeoJSON collection of features. wanted: the properties that become columns; None: all of them."""

    geometry = None
    has_points = True

    def __init__(self, path: Path, wanted: Sequence[str] | None) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.members, self.start = cutting.features_start(path)
        self._move = crs.mover(_crs(self.members))
        self._wanted = wanted

    @cached_property
    def schema(self) -> pa.Schema:
        """The properties as text, in the order they first appear, and the geometry as it was written."""
        return pa.schema([(name, pa.string()) for name in self._names])

    @cached_property
    def _names(self) -> list[str]:
        if self._wanted is not None:
            return [*self._wanted, GEOMETRY]
        seen: dict[str, None] = {}
        for features in self._pieces(self.start, None):
            for feature in features:
                seen.update(dict.fromkeys(_properties(feature)))
        seen.pop(GEOMETRY, None)
        return [*seen, GEOMETRY]

    def spans(self, rows_n: int) -> Iterator[Span]:
        """Cut between features."""
        start = end = self.start
        for _, end in cutting.features(self.path, start):
            if end - start >= rows_n * ROW_BYTES:
                yield Span(start, end, end - start, self.path)
                start = end
        if end > start:
            yield Span(start, end, end - start, self.path)

    def sheets(self, span: Span) -> Iterator[Sheet]:
        """Read piece by piece."""
        yield from map(self._sheet, self._pieces(span.start, span.end))

    def _pieces(self, first: int, last: int | None) -> Iterator[list[Any]]:
        with self.path.open("rb") as file:
            for start, end in cutting.features(self.path, first, last):
                file.seek(start)
                # Behind the first piece, a comma stands before it.
                listed = file.read(end - start).lstrip(b", \t\r\n")
                try:
                    yield json.loads(b"[" + listed + b"]")
                except (ValueError, RecursionError) as error:
                    raise Invalid("sheet.not_json", path=self.path.name, byte=start, reason=str(error)[:200]) from error

    def _sheet(self, features: list[Any]) -> Sheet:
        told = [_point(feature) for feature in features]
        broken = np.array([reason for reason, _, _ in told], dtype=np.uint8)
        lon, lat = (columns.numbers(np.array([*each, None], dtype=object)[:-1], "lon") for each in _parted(told))
        if self._move:
            x, y = self._move(lon.values, lat.values)
            lon, lat = columns.numbers(x, "lon"), columns.numbers(y, "lat")
        cells = [pa.array([_cell(feature, name) for feature in features], pa.string()) for name in self._names]
        batch = pa.RecordBatch.from_arrays(cells, schema=self.schema)
        return Sheet(batch, broken, (lon, lat), features)


def _parted(told: list[tuple[int, object, object]]) -> tuple[list[object], list[object]]:
    return [lon for _, lon, _ in told], [lat for _, _, lat in told]


def _point(feature: object) -> tuple[int, object, object]:
    """Return (reason, longitude, latitude) of a feature as they are written."""
    shape = feature.get("geometry") if isinstance(feature, dict) else feature
    if shape is None:
        return columns.reason("locate.place_missing"), None, None
    if not isinstance(shape, dict):
        return columns.reason("locate.geometry_unreadable"), None, None
    if shape.get("type") != "Point":
        return columns.reason("locate.geometry_kind"), None, None
    pair = shape.get("coordinates")
    if not isinstance(pair, list) or len(pair) < 2:
        return columns.reason("locate.geometry_unreadable"), None, None
    return 0, pair[0], pair[1]


def _properties(feature: object) -> Json:
    said = feature.get("properties") if isinstance(feature, dict) else None
    return said if isinstance(said, dict) else {}


def _cell(feature: object, name: str) -> str | None:
    value = feature.get(GEOMETRY) if name == GEOMETRY and isinstance(feature, dict) else _properties(feature).get(name)
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _crs(members: Json) -> object:
    """Return what an old collection says of its coordinate system."""
    said = members.get("crs")
    named = said.get("properties") if isinstance(said, dict) else None
    return named.get("name") if isinstance(named, dict) else None


def _header(raw: bytes, path: Path) -> tuple[int, str]:
    """Return where the first row begins, and the record before it."""
    mark = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    # No delimiter is known yet; a header with line breaks in its names is none.
    end = raw.find(b"\n") + 1 or len(raw)
    line = raw[mark:end].rstrip(b"\r\n")
    if not line.strip():
        raise Invalid("file.no_header", path=path.name)
    return end, line.decode(_encoding(line, path))


def _named(names: Sequence[str], path: Path) -> list[str]:
    """Name the columns; one without a name is called by its place."""
    named = [name.strip() or f"column_{nth}" for nth, name in enumerate(names, start=1)]
    doubled = next((name for name in named if named.count(name) > 1), None)
    if doubled:
        raise Invalid("file.column_twice", path=path.name, column=doubled)
    return named


def _encoding(data: bytes, path: Path) -> str:
    for encoding in ENCODINGS:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Invalid("file.encoding", path=path.name, tried=", ".join(ENCODINGS))


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)

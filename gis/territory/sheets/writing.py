"""Answered rows -> files: CSV, Parquet, GeoJSON and Arrow streams, batch after batch; and parts joined to one file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from gis.territory.columns import Fixes
from gis.territory.sheets import footers
from gis.territory.sheets.reading import is_binary

Json = dict[str, Any]

# Rows and bytes that make a row group: as many as are worth one, few enough to be held in memory.
GROUP_ROWS, GROUP_BYTES = 1 << 20, 1 << 27
COLLECTION, END = b'{"type":"FeatureCollection","features":[\n', b"\n]}\n"
BETWEEN = b",\n"


@dataclass(frozen=True)
class Answered:
    """Rows with what they stand on. own_n: how many of the columns are the sheet's own; the rest are answers."""

    batch: pa.RecordBatch
    fixes: Fixes
    own_n: int
    features: list[Any] | None = None


class Writer(Protocol):
    """A file being written; complete when it is closed."""

    def write(self, answered: Answered) -> None:
        """Add rows."""

    def close(self) -> None:
        """End the file."""


class ParquetWriter:
    """Row groups of some million rows; dictionaries go in as they are."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        worth = [field.name for field in schema if _repeats(field.type)]
        # The least and the greatest of a dictionary's words cost more than writing them, and tell nobody anything.
        plain = [field.name for field in schema if not pa.types.is_dictionary(field.type)]
        # Measured numbers do not get shorter.
        packed = {field.name: "none" if pa.types.is_floating(field.type) else "snappy" for field in schema}
        self._writer = pq.ParquetWriter(
            out, schema, compression=packed, use_dictionary=worth or False, write_statistics=plain or False
        )
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._rows_n = self._bytes_n = 0

    def write(self, answered: Answered) -> None:
        """Hold rows until they fill a row group."""
        self._held.append(answered.batch)
        self._rows_n += answered.batch.num_rows
        # What a batch refers to, not what its whole dictionaries take.
        self._bytes_n += answered.batch.select(range(answered.own_n)).nbytes
        if self._rows_n >= GROUP_ROWS or self._bytes_n >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is held, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held, self._schema), row_group_size=GROUP_ROWS)
        self._held, self._rows_n, self._bytes_n = [], 0, 0


class StreamWriter:
    """Arrow's own stream."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        self._writer = pa.ipc.new_stream(out, schema)

    def write(self, answered: Answered) -> None:
        """Add rows."""
        self._writer.write_batch(answered.batch)

    def close(self) -> None:
        """Write the mark of the end."""
        self._writer.close()


class CsvWriter:
    """A table: what has no form of its own there is written as JSON, geometry as hexadecimal well-known binary."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        self._schema = pa.schema([(field.name, _flat_type(field.type)) for field in schema])
        plain = arrow_csv.WriteOptions(quoting_style="needed")
        self._writer = arrow_csv.CSVWriter(out, self._schema, write_options=plain)

    def write(self, answered: Answered) -> None:
        """Add rows."""
        arrays = [_flat(column) for column in answered.batch.columns]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """End the table."""
        self._writer.close()


class CollectionWriter:
    """A GeoJSON collection; features keep all they came with, the answers are added to their properties."""

    def __init__(self, out: BinaryIO, _schema: pa.Schema) -> None:
        self._out = out
        self._first = True
        out.write(COLLECTION)

    def write(self, answered: Answered) -> None:
        """Add features."""
        if not answered.batch.num_rows:
            return
        told = BETWEEN.join(_features(answered))
        self._out.write(told if self._first else BETWEEN + told)
        self._first = False

    def close(self) -> None:
        """End the collection."""
        self._out.write(END)


WRITERS: Mapping[str, Callable[[BinaryIO, pa.Schema], Writer]] = {
    "parquet": ParquetWriter,
    "csv": CsvWriter,
    "geojson": CollectionWriter,
    "arrows": StreamWriter,
}


def join(kind: str, schema: pa.Schema, parts: Iterable[Path], out: BinaryIO) -> None:
    """Write files of one kind and the same columns as one file, each as it comes."""
    if kind == "parquet":
        footers.join(parts, out)
    elif kind == "csv":
        _join_tables(schema, parts, out)
    else:
        _join_collections(parts, out)


def _join_tables(schema: pa.Schema, parts: Iterable[Path], out: BinaryIO) -> None:
    header = pa.BufferOutputStream()
    CsvWriter(header, schema).close()
    for nth, part in enumerate(parts):
        _copy(part, out, 0 if nth == 0 else header.getvalue().size, part.stat().st_size)


def _join_collections(parts: Iterable[Path], out: BinaryIO) -> None:
    out.write(COLLECTION)
    full = (part for part in parts if part.stat().st_size > len(COLLECTION) + len(END))
    for nth, part in enumerate(full):
        out.write(BETWEEN if nth else b"")
        _copy(part, out, len(COLLECTION), part.stat().st_size - len(END))
    out.write(END)


def _copy(part: Path, out: BinaryIO, start: int, end: int) -> None:
    with part.open("rb") as file:
        file.seek(start)
        while start < end:
            data = file.read(min(end - start, 1 << 22))
            out.write(data)
            start += len(data)


def _repeats(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _flat_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _flat_type(kind.value_type)
    return pa.string() if pa.types.is_nested(kind) or is_binary(kind) else kind


def _flat(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        return _flat(column.dictionary_decode())
    if is_binary(column.type):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else _json(value) for value in column.to_pylist()], pa.string())
    return column


def _features(answered: Answered) -> Iterator[bytes]:
    answers = answered.batch.select(range(answered.own_n, answered.batch.num_columns)).to_pylist()
    given = _of_rows(answered) if answered.features is None else answered.features
    for feature, answer in zip(given, answers, strict=True):
        if isinstance(feature, dict):
            whole = feature | {"properties": (feature.get("properties") or {}) | answer}
        else:
            whole = {"type": "Feature", "geometry": None, "properties": answer}
        yield _json(whole).encode("utf-8", "surrogatepass")


def _of_rows(answered: Answered) -> Iterator[Json]:
    """Make features of rows: their points in WGS 84, their columns as properties, geometries left out."""
    own = [nth for nth in range(answered.own_n) if not is_binary(answered.batch.schema.field(nth).type)]
    rows = answered.batch.select(own).to_pylist()
    lon, lat, reason = answered.fixes.lon, answered.fixes.lat, answered.fixes.reason
    for row, x, y, unread in zip(rows, lon.tolist(), lat.tolist(), reason.tolist(), strict=True):
        point = None if unread else {"type": "Point", "coordinates": [x, y]}
        yield {"type": "Feature", "geometry": point, "properties": row}


def _json(value: object) -> str:
    """Write JSON; what it has no word for is written as text, and a number that is none as null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return float(value) if isinstance(value, Decimal) else str(value)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value

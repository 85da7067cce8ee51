"""Places in columns already: Parquet and GeoParquet files or folders of them, and Arrow streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gis.errors import Invalid
from gis.territory.sheets import crs
from gis.territory.sheets.reading import Sheet
from gis.territory.sheets.source import BATCH_ROWS, Span

# How an Arrow stream that was ended by its writer ends.
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class ParquetFiles:
    """One Parquet file, or all of a folder in the order of their names."""

    has_points = False

    def __init__(self, path: Path) -> None:
        self.paths = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not self.paths:
            raise Invalid("sheet.empty_folder", path=path.name)
        self._files = [pq.ParquetFile(each, memory_map=True).metadata for each in self.paths]
        self.schema = pq.read_schema(self.paths[0])
        other = next((each for each in self.paths[1:] if not pq.read_schema(each).equals(self.schema)), None)
        if other:
            raise Invalid("sheet.other_columns", path=other.name, first=self.paths[0].name)
        self.size = sum(each.num_rows for each in self._files)
        geo = json.loads((self.schema.metadata or {}).get(b"geo", b"{}"))
        self.geometry = geo.get("primary_column")
        self._move = crs.mover(_crs(geo, self.geometry))

    def spans(self, rows_n: int) -> Iterator[Span]:
        """Cut between row groups."""
        for path, told in zip(self.paths, self._files, strict=True):
            first, held_n = 0, 0
            for group in range(told.num_row_groups):
                held_n += told.row_group(group).num_rows
                if held_n >= rows_n or group == told.num_row_groups - 1:
                    yield Span(first, group + 1, held_n, path)
                    first, held_n = group + 1, 0

    def sheets(self, span: Span) -> Iterator[Sheet]:
        """Read batch by batch."""
        file = pq.ParquetFile(span.path, memory_map=True)
        groups = list(range(span.start, span.end))
        for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, use_threads=False):
            yield Sheet(batch, move=self._move)


class ArrowStream:
    """A stream in Arrow's own format; its batches are checked before they are believed."""

    has_points = False
    geometry = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, self.size - len(END_OF_STREAM)))
            if file.read() != END_OF_STREAM:
                raise Invalid("sheet.ends_early", path=path.name)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns."""
        with pa.memory_map(str(self.path)) as file, pa.ipc.open_stream(file) as stream:
            return stream.schema

    def spans(self, _rows_n: int) -> Iterator[Span]:
        """Give the whole: a stream is read from its beginning."""
        yield Span(0, self.size, self.size, self.path)

    def sheets(self, span: Span) -> Iterator[Sheet]:
        """Read batch by batch."""
        with pa.memory_map(str(span.path)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                batch.validate(full=True)
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield Sheet(batch.slice(start, BATCH_ROWS))


def _crs(geo: dict[str, Any], column: str | None) -> object:
    """Return the coordinate system of a GeoParquet column; left out, it is longitude and latitude."""
    said = geo.get("columns", {}).get(column, {}).get("crs", "OGC:CRS84")
    return json.dumps(said) if isinstance(said, dict) else said

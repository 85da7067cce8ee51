"""What every file of places is, once it is open: columns, and spans of rows that can be read one without the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from gis.territory.sheets.reading import Sheet

# What a row of text takes, about; spans of text are cut by it.
ROW_BYTES = 128
BATCH_ROWS = 262_144


@dataclass(frozen=True)
class Span:
    """A stretch of a file: bytes, row groups or rows, as its kind counts them. weight: its part of the whole size."""

    start: int
    end: int
    weight: int
    path: Path


class Source(Protocol):
    """A file that was opened. size: the sum of its spans' weights, in `unit`; geometry: the column it says it has."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""

    @property
    def geometry(self) -> str | None:
        """The column of geometries, or None."""

    @property
    def has_points(self) -> bool:
        """Whether each sheet brings its points itself, whatever the columns."""

    @property
    def size(self) -> int:
        """Bytes of texts, rows of others."""

    def spans(self, rows_n: int) -> Iterator[Span]:
        """Cut the file into spans of some number of rows, or a little more; raise Invalid where it cannot be read."""

    def sheets(self, span: Span) -> Iterator[Sheet]:
        """Read a span batch by batch; raise Invalid where it cannot be read."""

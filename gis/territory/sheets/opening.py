"""A path -> a file of places, by its name or by what one says it is; whatever is wrong becomes one sentence."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from gis.errors import Invalid
from gis.territory.sheets.columnar import ArrowStream, ParquetFiles
from gis.territory.sheets.reading import Sheet
from gis.territory.sheets.source import Source, Span
from gis.territory.sheets.texts import Collection, CsvTable

KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
    ".geojson": "geojson",
    ".json": "geojson",
    ".arrows": "arrows",
    ".fgb": "layer",
    ".gpkg": "layer",
    ".shp": "layer",
}
UNREADABLE = (pa.ArrowException, csv.Error, OSError, ValueError)


def kind_of(path: Path) -> str:
    """Tell the kind of a file by its name; raise Invalid if it is none that is read."""
    kind = "parquet" if path.is_dir() else KINDS.get(path.suffix.lower())
    if kind is None:
        raise Invalid("file.unknown_kind", path=path.name, kinds=", ".join(KINDS))
    return kind


def opened(path: Path, kind: str, wanted: Sequence[str] | None) -> Source:
    """Open a file; raise Invalid. wanted: of a collection, the properties that become columns; None: all."""
    if not path.exists():
        raise Invalid("file.missing", path=str(path))
    openers: dict[str, Callable[[], Source]] = {
        "csv": lambda: CsvTable(path),
        "parquet": lambda: ParquetFiles(path),
        "geojson": lambda: Collection(path, wanted),
        "arrows": lambda: ArrowStream(path),
        "layer": lambda: _layer(path),
    }
    with told(path):
        source = openers[kind]()
        _ = source.schema
    return source


def _layer(path: Path) -> Source:
    # GDAL comes with the first file it reads, not with every command
    from gis.territory.sheets.layers import Layer  # noqa: PLC0415

    return Layer(path)


def sheets(source: Source, span: Span) -> Iterator[Sheet]:
    """Read a span batch by batch; raise Invalid where the file cannot be read."""
    with told(span.path):
        yield from source.sheets(span)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what libraries say of a file they cannot read into a sentence of ours."""
    try:
        yield
    except Invalid:
        raise
    except UNREADABLE as error:
        raise Invalid("file.unreadable", path=path.name, reason=str(error)[:300]) from error

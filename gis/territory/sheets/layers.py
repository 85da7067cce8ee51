"""Places in files that GDAL reads. Apart from the others: what reads them takes long to start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from gis.errors import Invalid
from gis.territory.sheets import crs
from gis.territory.sheets.reading import Sheet
from gis.territory.sheets.source import BATCH_ROWS, Span


class Layer:
    """The first layer of what GDAL reads: FlatGeobuf, GeoPackage, Shapefile."""

    has_points = False

    def __init__(self, path: Path) -> None:
        self.path = path
        with _told(path):
            told = pyogrio.read_info(path, force_feature_count=True)
        self.size: int = told["features"]
        self._move = crs.mover(told["crs"])
        with _told(path), pyogrio.open_arrow(path, use_pyarrow=True, batch_size=1) as (meta, reader):
            self.schema: pa.Schema = reader.schema
            self.geometry: str | None = meta["geometry_name"] or "wkb_geometry"

    def spans(self, rows_n: int) -> Iterator[Span]:
        """Cut by rows."""
        for start in range(0, self.size, rows_n):
            end = min(start + rows_n, self.size)
            yield Span(start, end, end - start, self.path)

    def sheets(self, span: Span) -> Iterator[Sheet]:
        """Read batch by batch."""
        left = span.end - span.start
        how: dict[str, Any] = {"use_pyarrow": True, "batch_size": BATCH_ROWS, "skip_features": span.start}
        with _told(span.path), pyogrio.open_arrow(span.path, **how) as (_, reader):
            for batch in reader:
                yield Sheet(batch.slice(0, left), move=self._move)
                left -= batch.num_rows
                if left <= 0:
                    break


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what GDAL says of a file it cannot read into a sentence of ours."""
    try:
        yield
    except (DataLayerError, DataSourceError) as error:
        raise Invalid("file.unreadable", path=path.name, reason=str(error)[:300]) from error

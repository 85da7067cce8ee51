"""The usual ways to ask which units cover a point, come near it or share a footprint: each as its users would write it.

All answer by positions: point (or footprint) and row of the unit. PostGIS answers with a digest of them, so that
sending millions of rows to a client is not held against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_spatial
import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import psycopg2
import shapely
from numpy.typing import NDArray
from psycopg2.extras import execute_values

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]
Pairs = tuple[Ints, Ints]
Shares = tuple[Ints, Ints, Floats]
# How many pairs, and the sum of their products: equal for equal pairs, and by chance for no others.
Digest = tuple[int, int]


@dataclass(frozen=True)
class Question:
    """What is asked of every way: units and points in one plane."""

    units: Geometries
    points: Floats

    @property
    def geometries(self) -> Geometries:
        """The points as shapely has them."""
        return np.asarray(shapely.points(self.points), dtype=object)


def geopandas_sjoin(asked: Question) -> Callable[[], Pairs]:
    """Join spatially, as most would."""
    points, units = gpd.GeoDataFrame(geometry=asked.geometries), gpd.GeoDataFrame(geometry=asked.units)

    def ask() -> Pairs:
        found = gpd.sjoin(points, units, predicate="intersects")
        return found.index.to_numpy(), found["index_right"].to_numpy()

    return ask


def shapely_units_asked(asked: Question) -> Callable[[], Pairs]:
    """Build a tree of the points and ask it with the units, each prepared once: the fastest idiom there is."""
    points = asked.geometries

    def ask() -> Pairs:
        unit, point = shapely.STRtree(points).query(asked.units, predicate="covers")
        return point, unit

    return ask


def digest(point: Ints, unit: Ints) -> Digest:
    """Sum pairs up as PostGIS is asked to."""
    return len(point), int(((point.astype(np.int64) + 1) * (unit.astype(np.int64) + 1)).sum())


class Postgis:
    """Points and units as tables with indexes, in a database of the measurement's own."""

    def __init__(self, url: str, asked: Question) -> None:
        self.connection = psycopg2.connect(url.replace("postgresql+psycopg2://", "postgresql://"))
        self.connection.autocommit = True
        self._put("peer_unit", asked.units)
        self._put("peer_point", asked.geometries)

    def usual(self, first_n: int) -> Callable[[], Digest]:
        """Look every point up in the index of the units."""
        return lambda: self._ask(
            f"SELECT {{digest}} FROM (SELECT * FROM peer_point WHERE id < {first_n}) p"
            " CROSS JOIN LATERAL (SELECT id FROM peer_unit u WHERE ST_Intersects(u.geom, p.geom)) u"
        )

    def best(self) -> Callable[[], Digest]:
        """Look every unit up in the index of the points: a unit is prepared once for all of its points."""
        return lambda: self._ask(
            "SELECT {digest} FROM peer_unit u"
            " CROSS JOIN LATERAL (SELECT id FROM peer_point p WHERE ST_Intersects(u.geom, p.geom)) p"
        )

    def near(self, first_n: int, reach: float) -> Callable[[], Digest]:
        """Ask for all units within a distance of the first points."""
        return lambda: self._ask(
            f"SELECT {{digest}} FROM (SELECT * FROM peer_point WHERE id < {first_n}) p"
            f" CROSS JOIN LATERAL (SELECT id FROM peer_unit u WHERE ST_DWithin(u.geom, p.geom, {reach})) u"
        )

    def shares(self, footprints: Geometries) -> Callable[[], Shares]:
        """Cut the footprints by the units, where they are not covered whole."""
        self._put("peer_footprint", footprints)

        def ask() -> Shares:
            rows = self._rows(
                "SELECT f.id, u.id, CASE WHEN ST_Covers(u.geom, f.geom) THEN 1"
                " ELSE ST_Area(ST_Intersection(u.geom, f.geom)) / ST_Area(f.geom) END"
                " FROM peer_footprint f JOIN peer_unit u ON ST_Intersects(u.geom, f.geom)"
            )
            footprint, unit, share = np.array(rows).T
            return footprint.astype(np.int64), unit.astype(np.int64), share

        return ask

    def close(self) -> None:
        """Leave."""
        self.connection.close()

    def _put(self, table: str, geometries: Geometries) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id int PRIMARY KEY, geom geometry)")
            rows = enumerate(map(bytes, shapely.to_wkb(geometries)))
            template = "(%s, ST_GeomFromWKB(%s))"
            execute_values(cursor, f"INSERT INTO {table} VALUES %s", rows, template=template, page_size=5000)
            cursor.execute(f"CREATE INDEX ON {table} USING gist (geom); ANALYZE {table}")

    def _ask(self, sql: str) -> Digest:
        [(pairs_n, product)] = self._rows(sql.format(digest="count(*), sum((p.id + 1)::bigint * (u.id + 1))"))
        return int(pairs_n), int(product or 0)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            # One core, as everybody else here.
            cursor.execute("SET max_parallel_workers_per_gather = 0")
            cursor.execute(sql)
            return cursor.fetchall()


def duckdb_join(asked: Question) -> Callable[[], Pairs]:
    """Let DuckDB join, on one thread."""
    duck = duckdb.connect(config={"threads": 1})
    [extension] = Path(duckdb_extension_spatial.__path__[0]).rglob("spatial.duckdb_extension")
    duck.load_extension(str(extension))
    for table, geometries in (("unit", asked.units), ("point", asked.geometries)):
        frame = pd.DataFrame({"id": np.arange(len(geometries)), "wkb": shapely.to_wkb(geometries)})
        duck.register("frame", frame)
        duck.execute(f"CREATE TABLE {table} AS SELECT id, ST_GeomFromWKB(wkb) AS geom FROM frame")
        duck.unregister("frame")

    def ask() -> Pairs:
        found = duck.execute(
            "SELECT p.id AS point, u.id AS unit FROM point p JOIN unit u ON ST_Intersects(p.geom, u.geom)"
        ).fetchnumpy()
        return np.asarray(found["point"]), np.asarray(found["unit"])

    return ask


def shapely_near(asked: Question, reach: float) -> Callable[[], Pairs]:
    """Ask a tree of the units for all within a distance of each point."""
    points = asked.geometries

    def ask() -> Pairs:
        point, unit = shapely.STRtree(asked.units).query(points, predicate="dwithin", distance=reach)
        return point, unit

    return ask


def geopandas_overlay(units: Geometries, footprints: Geometries) -> Callable[[], Shares]:
    """Overlay the layers and measure the parts."""
    left = gpd.GeoDataFrame({"footprint": np.arange(len(footprints))}, geometry=footprints)
    right = gpd.GeoDataFrame({"unit": np.arange(len(units))}, geometry=units)

    def ask() -> Shares:
        found = gpd.overlay(left, right, how="intersection")
        footprint = found["footprint"].to_numpy()
        return footprint, found["unit"].to_numpy(), found.area.to_numpy() / shapely.area(footprints)[footprint]

    return ask


def shapely_cut(units: Geometries, footprints: Geometries) -> Callable[[], Shares]:
    """Cut only what a unit does not cover whole: the fastest idiom there is."""

    def ask() -> Shares:
        footprint, unit = shapely.STRtree(units).query(footprints, predicate="intersects")
        shapely.prepare(units)
        parted = ~shapely.covers(units[unit], footprints[footprint])
        share = np.ones(len(unit))
        cut = shapely.intersection(units[unit[parted]], footprints[footprint[parted]])
        share[parted] = shapely.area(cut) / shapely.area(footprints[footprint[parted]])
        return footprint, unit, share

    return ask


def libpysal_rook(units: Geometries) -> Callable[[], Pairs]:
    """Let PySAL find which units share an edge."""
    frame = gpd.GeoDataFrame(geometry=units)

    def ask() -> Pairs:
        found = libpysal.graph.Graph.build_contiguity(frame, rook=True).adjacency
        return found.index.get_level_values(0).to_numpy(), found.index.get_level_values(1).to_numpy()

    return ask

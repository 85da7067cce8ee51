"""The index against its peers on a made-up region: interleaved in one run, the same answers demanded of all.

A time is that of the processor where the work is done in this process, and of the clock where a server does it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyproj
import shapely

from bench import fresh, peers, race, region_index, speed_files, speed_online, workload
from bench.figures import Row, equal, ratio, timed, told
from bench.race import Way, ratios
from gis import db
from gis.territory.index import SEVERAL, Ints, LevelIndex, Rows

CELLS_N, POINTS_N, FOOTPRINTS_N = 70_000, 5_000_000, 100_000
# Each peer is asked as many as it answers in some seconds.
PEER_POINTS_N, USUAL_POINTS_N, NEAR_POINTS_N, NEAR_PG_POINTS_N = 1_000_000, 50_000, 100_000, 20_000
ONE_BY_ONE_N, ONLINE_N = 2_000, 1_000
REACH_M = 20.0
# Planes differ from each other in millimetres: of pairs this near the reach, either answer is right.
PLANE_DOUBT_M = 0.01
SHARES_EQUAL = 1e-12


def measure(_data: Path) -> list[Row]:
    """Draw the region, build the index, and ask everybody."""
    ground = workload.region(CELLS_N)
    # Column by column, as tables have them.
    points = np.asfortranarray(workload.points(ground, POINTS_N))
    asked = peers.Question(ground.units["cell"], points[:PEER_POINTS_N])
    with fresh.settings("shaotu_bench_locator") as settings, TemporaryDirectory() as folder:
        _warm(Path(folder, "warm"))
        path = Path(folder, "region")
        made, kept = region_index.make(ground, path)
        index, cells = made["cell"], ground.units["cell"]
        owner = db.connect_owner(settings)
        server = owner.url.render_as_string(hide_password=False)
        postgis = peers.Postgis(server, asked)
        rows = [
            *kept,
            *_points(index, points, asked, postgis),
            *_chains(made, points),
            *speed_files.measure(ground, made, points, Path(folder)),
            *speed_online.measure(ground, path, server, points[:ONLINE_N]),
            *_footprints(index, workload.footprints(ground, FOOTPRINTS_N), cells, postgis),
            *_near(index, points[:NEAR_POINTS_N], cells, server),
            *_contiguous(index, cells),
        ]
        postgis.close()
        owner.dispose()
    return rows


def _warm(path: Path) -> None:
    """Ask everything once of something small: the first of everything is compiled, or read as it was compiled."""
    ground = workload.region(2_000)
    index = region_index.make(ground, path)[0]["cell"]
    points = workload.points(ground, 20_000)
    _pairs(*_located(index, points))
    index.shares(workload.footprints(ground, 1_000))
    lon, lat = points.T
    index.within(lon, lat, REACH_M)
    index.one(float(lon[0]), float(lat[0]))
    index.contiguity()


def _points(index: LevelIndex, points: workload.Floats, asked: peers.Question, postgis: peers.Postgis) -> Iterator[Row]:
    first = points[:PEER_POINTS_N]
    ways = {
        "ours": Way(lambda: _located(index, points), POINTS_N, race.processor),
        "geopandas.sjoin(intersects)": Way(peers.geopandas_sjoin(asked), PEER_POINTS_N, race.processor),
        "the best Shapely idiom": Way(peers.shapely_units_asked(asked), PEER_POINTS_N, race.processor),
        "PostGIS, best plan": Way(postgis.best(), PEER_POINTS_N),
        "PostGIS, usual join": Way(postgis.usual(USUAL_POINTS_N), USUAL_POINTS_N),
        "DuckDB": Way(peers.duckdb_join(asked), PEER_POINTS_N, race.processor),
    }
    goals: dict[str, float] = {"geopandas.sjoin(intersects)": 40, "the best Shapely idiom": 20}
    goals |= {"PostGIS, best plan": 30, "PostGIS, usual join": 200}
    race.run(ways)
    yield told("points a second of one core: median (least to most)", race.spread(ways["ours"].rates))
    yield from ratios(ways, goals)
    ours = {n: peers.digest(*_pairs(*_located(index, first[:n]))) for n in (PEER_POINTS_N, USUAL_POINTS_N)}
    for name, way in list(ways.items())[1:]:
        digest = way.answer if isinstance(way.answer[0], int) else peers.digest(*way.answer)
        yield equal(f"answers of {name} that differ from ours", int(digest != ours[way.asked_n]), 0)
    yield ratio("two threads against one", _two_threads(index, points), 1.7)
    yield from _one_by_one(index, first)


def _located(index: LevelIndex, points: workload.Floats) -> tuple[Rows, Ints, Rows]:
    """Ask for the unit of each point, and for the few on lines for all their units: (point, row)."""
    lon, lat = points.T
    row = index.only(lon, lat)
    several = np.flatnonzero(row == SEVERAL)
    point, unit = index.covering(lon[several], lat[several])
    return row, several[point], unit


def _pairs(row: Rows, several: Ints, unit: Rows) -> peers.Pairs:
    plain = np.flatnonzero(row >= 0)
    return np.concatenate([plain, several]), np.concatenate([row[plain], unit])


def _two_threads(index: LevelIndex, points: workload.Floats) -> list[float]:
    lon, lat = points.T
    half = len(lon) // 2
    found = []
    for _ in range(race.ROUNDS):
        start = time.perf_counter()
        index.only(lon, lat)
        alone_s = time.perf_counter() - start
        with ThreadPoolExecutor(2) as pool:
            start = time.perf_counter()
            list(pool.map(lambda part: index.only(lon[part], lat[part]), (slice(half), slice(half, None))))
            found.append(alone_s / (time.perf_counter() - start))
    return found


def _chains(levels_: dict[str, LevelIndex], points: workload.Floats) -> Iterator[Row]:
    """Ask all levels about all points: the coarser stand on the grid of the cells."""
    lon, lat = points.T
    way = Way(lambda: [level.only(lon, lat) for level in levels_.values()], len(points), race.processor)
    race.run({"ours": way})
    yield told("points a second of one core, with the units of all levels", race.spread(way.rates))


def _one_by_one(index: LevelIndex, points: workload.Floats) -> Iterator[Row]:
    single = points[:ONE_BY_ONE_N].tolist()
    start = time.process_time()
    for lon, lat in single:
        index.one(lon, lat)
    yield timed("microseconds for one point, from Python", (time.process_time() - start) / ONE_BY_ONE_N * 1e6, 5)


def _footprints(
    index: LevelIndex, footprints: workload.Geometries, cells: workload.Geometries, postgis: peers.Postgis
) -> Iterator[Row]:
    ways = {
        "ours": Way(lambda: index.shares(footprints), FOOTPRINTS_N, race.processor),
        "geopandas.overlay": Way(peers.geopandas_overlay(cells, footprints), FOOTPRINTS_N, race.processor),
        "PostGIS": Way(postgis.shares(footprints), FOOTPRINTS_N),
        "the best Shapely idiom": Way(peers.shapely_cut(cells, footprints), FOOTPRINTS_N, race.processor),
    }
    race.run(ways)
    yield told("footprints a second: median (least to most)", race.spread(ways["ours"].rates))
    yield from ratios(ways, {"geopandas.overlay": 10, "PostGIS": 20, "the best Shapely idiom": 2})
    found = ways["ours"].answer
    ours = _by_pair(found.footprint, found.row, found.share)
    for name, way in list(ways.items())[1:]:
        theirs = _by_pair(*way.answer)
        apart = sum(abs(ours.get(pair, 0.0) - theirs.get(pair, 0.0)) > SHARES_EQUAL for pair in ours.keys() | theirs)
        yield equal(f"shares of {name} that differ from ours by more than {SHARES_EQUAL:g}", apart, 0)


def _by_pair(footprint: Any, unit: Any, share: Any) -> dict[tuple[int, int], float]:  # noqa: ANN401 -- arrays
    return dict(zip(zip(footprint.tolist(), unit.tolist(), strict=True), share.tolist(), strict=True))


def _near(index: LevelIndex, points: workload.Floats, cells: workload.Geometries, server: str) -> Iterator[Row]:
    """Ask for all units within a reach; the peers in a plane of metres about the middle of the region."""
    flat = pyproj.Transformer.from_crs(
        4326, f"+proj=tmerc +lon_0={(workload.WEST + workload.EAST) / 2} +lat_0=0 +ellps=GRS80", always_xy=True
    )
    plane = shapely.transform(cells, lambda at: np.column_stack(flat.transform(at[:, 0], at[:, 1])))
    asked = peers.Question(plane, np.column_stack(flat.transform(points[:, 0], points[:, 1])))
    postgis = peers.Postgis(server, asked)
    lon, lat = points.T
    ways = {
        "ours": Way(lambda: index.within(lon, lat, REACH_M), NEAR_POINTS_N, race.processor),
        "shapely dwithin": Way(peers.shapely_near(asked, REACH_M), NEAR_POINTS_N, race.processor),
        "ST_DWithin": Way(postgis.near(NEAR_PG_POINTS_N, REACH_M), NEAR_PG_POINTS_N),
    }
    race.run(ways)
    postgis.close()
    yield told(f"points a second, all units within {REACH_M:g} m", race.spread(ways["ours"].rates))
    yield from ratios(ways, {"shapely dwithin": 6, "ST_DWithin": 30})
    point, row, _ = ways["ours"].answer
    ours = set(zip(point.tolist(), row.tolist(), strict=True))
    theirs = set(zip(*(each.tolist() for each in ways["shapely dwithin"].answer), strict=True))
    apart = [pair for pair in ours ^ theirs if abs(_metres(asked, pair) - REACH_M) >= PLANE_DOUBT_M]
    yield equal("pairs of shapely dwithin that differ from ours", len(apart), 0)


def _metres(asked: peers.Question, pair: tuple[int, int]) -> float:
    return float(shapely.distance(shapely.points(asked.points[pair[0]]), asked.units[pair[1]]))


def _contiguous(index: LevelIndex, cells: workload.Geometries) -> Iterator[Row]:
    ours = Way(index.contiguity, CELLS_N, race.processor)
    theirs = Way(peers.libpysal_rook(cells), CELLS_N, race.processor)
    ours.run()
    theirs.run()
    yield ratio("contiguity, times faster than libpysal", [theirs.seconds[0] / ours.seconds[0]], 100)
    first, second, _ = ours.answer
    mine = set(zip(first.tolist(), second.tolist(), strict=True))
    mine |= {(second, first) for first, second in mine}
    others = {pair for pair in zip(*(each.tolist() for each in theirs.answer), strict=True) if pair[0] != pair[1]}
    yield equal("neighbours that differ from libpysal's", len(mine ^ others), 0)

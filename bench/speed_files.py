"""A file of points to a file with their chains, in constant memory: against geopandas doing the same."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from bench import race, region_index, workload
from bench.figures import Row, equal, ratio, told
from bench.race import Way
from gis import language
from gis.cli import locating
from gis.cli.locating import Errand
from gis.territory.columns import Grounds
from gis.territory.index import EditionIndex, LevelIndex
from gis.territory.sheets import Recipe
from gis.territory.units import LevelRef

DAY = date(2026, 1, 1)
PEER_ROWS = 1_000_000


def measure(ground: workload.Region, made: dict[str, LevelIndex], points: workload.Floats, folder: Path) -> list[Row]:
    """Write the points down, answer the file by one thread and by all, and let geopandas answer its beginning."""
    whole, some = folder / "points.parquet", folder / "some.parquet"
    _write(points, whole)
    _write(points[:PEER_ROWS], some)
    land = _land(made)
    peer = folder / "peer.parquet"
    cores = os.cpu_count() or 1
    ways = {
        "ours": Way(lambda: _run(whole, land, 1), len(points), race.processor),
        f"{cores} threads": Way(lambda: _run(whole, land, cores), len(points)),
        "geopandas": Way(lambda: _geopandas(some, _cells(ground, made), peer), PEER_ROWS, race.processor),
    }
    race.run(ways)
    ratios = [ours / theirs for ours, theirs in zip(ways["ours"].rates, ways["geopandas"].rates, strict=True)]
    return [
        told("file to file, chain of five levels: rows a second of one core", race.spread(ways["ours"].rates)),
        told(f"file to file, {cores} threads: rows a second by the clock", race.spread(ways[f"{cores} threads"].rates)),
        ratio("file to file, times faster than geopandas", ratios, 10),
        equal("rows whose chains differ from those of geopandas", _differing(_out(whole), peer), 0),
    ]


def _write(points: workload.Floats, path: Path) -> None:
    lon, lat = points.T
    table = pa.table({"id": np.arange(len(points)), "lon": np.ascontiguousarray(lon), "lat": np.ascontiguousarray(lat)})
    parquet.write_table(table, path, row_group_size=100_000)


def _land(made: dict[str, LevelIndex]) -> Grounds:
    levels = tuple(
        LevelRef(code, rank, divides=True, name_zh=code, name_en=code, colour="") for rank, code in enumerate(made)
    )
    edition = replace(region_index.EDITION, id=1, valid_from=date(2000, 1, 1), levels=levels)
    found = EditionIndex(edition, made, {})
    return Grounds((edition,), lambda _edition: found)


def _out(file: Path) -> Path:
    return file.with_name("chained.parquet")


def _run(file: Path, land: Grounds, threads: int) -> None:
    errand = Errand(file, _out(file), Recipe(DAY), overwrite=True)
    locating.run(errand, land, locating.by_threads(threads), lambda code, **params: language.say(code, "en", **params))


def _cells(ground: workload.Region, made: dict[str, LevelIndex]) -> gpd.GeoDataFrame:
    codes = {"cell": np.array(made["cell"].words("code"))}
    codes |= {level: np.array(made[level].words("code"))[rows] for level, rows in ground.parent.items()}
    return gpd.GeoDataFrame(codes, geometry=ground.units["cell"], crs=4326)


def _geopandas(file: Path, cells: gpd.GeoDataFrame, out: Path) -> None:
    read = pd.read_parquet(file)
    points = gpd.GeoDataFrame(read, geometry=gpd.points_from_xy(read["lon"], read["lat"]), crs=4326)
    joined = gpd.sjoin(points, cells, how="left", predicate="intersects")
    pd.DataFrame(joined.drop(columns="geometry")).to_parquet(out)


def _differing(ours: Path, theirs: Path) -> int:
    """Count the rows of points in one cell, or in none, whose chains differ."""
    joined = pd.read_parquet(theirs)
    once = joined[~joined["id"].duplicated(keep=False)].set_index("id")
    columns = [name for name in parquet.read_schema(ours).names if name.rsplit("_", 1)[-1] in once.columns]
    mine = pd.read_parquet(ours, columns=["id", *columns]).set_index("id").loc[once.index]
    levels = {name: name.rsplit("_", 1)[-1] for name in columns}
    return int(sum((_words(mine[name]) != _words(once[level])).sum() for name, level in levels.items()))


def _words(codes: pd.Series[str]) -> pd.Series[str]:
    return codes.astype(object).fillna("")

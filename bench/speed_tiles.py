"""The tiles of a whole city cut ahead: the demo city copied side by side until it is a large one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, text

from bench import fresh
from bench.figures import Row, timed, told
from gis import db
from gis.settings import ROOT, Settings

# So many cities on a side: 77,000 cells, a million buildings.
SIDE = 7


def measure(_data: Path) -> list[Row]:
    """Build the city, copy it, and cut."""
    with fresh.settings("shaotu_bench_tiles") as settings, fresh.engine(settings) as engine:
        _run(settings, "demo", "build")
        owner = db.connect_owner(settings)
        _copy(owner)
        owner.dispose()
        start = time.perf_counter()
        _run(settings, "tiles", "cut", "--quiet", "--language", "zh")
        cut_s = time.perf_counter() - start
        kept = [path.stat().st_size for path in (settings.var_dir / "tiles").rglob("*.mvt.gz")]
        return [
            told("tiles: cells, buildings", f"{_count(engine, 'unit'):,}, {_count(engine, 'building'):,}"),
            told("tiles: how many with something on them, base map and four nets, zoom 8 to 16", len(kept)),
            told("tiles: megabytes on the disk", sum(kept) / 1e6),
            timed("tiles: seconds to cut the whole city, two processes", cut_s, 60),
        ]


def _run(settings: Settings, *command: str) -> None:
    where = {"SHAOTU_DATABASE_URL": str(settings.database_url), "SHAOTU_VAR_DIR": str(settings.var_dir)}
    subprocess.run([sys.executable, "-m", "gis", *command], cwd=ROOT, env=os.environ | where, check=True)


def _copy(owner: Engine) -> None:
    """Put copies of everything that is drawn beside the city, each under names of its own."""
    with owner.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE beside AS " + BESIDE), {"last": SIDE - 1})
        for table, own in COPIED.items():
            columns = _columns(connection.execute(text(COLUMNS), {"name": table}).scalars().all(), own)
            connection.execute(
                text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())}"
                     f" FROM {table}, beside")
            )
            connection.execute(text(f"ANALYZE {table}"))


def _columns(names: Sequence[str], own: Sequence[str]) -> dict[str, str]:
    """Say what a copy has in each column: another place, another name where it is a key, else the same."""
    moved = {name: f"ST_Translate({name}, east, north)" for name in names if name.endswith("geom")}
    return {name: name for name in names if name != "id"} | moved | {name: f"{name} || nth" for name in own}


def _count(engine: Engine, table: str) -> int:
    with db.session(engine, db.EVERYTHING) as session:
        where = "WHERE level = 'cell'" if table == "unit" else ""
        found: int = session.scalars(text(f"SELECT count(*) FROM {table} {where}")).one()
    return found


# Columns that name a row.
COPIED = {
    "unit": ("code", "parent_code"), "street": ("external_id",), "building": ("external_id",),
    "estate": ("external_id",), "land": ("external_id",),
}  # fmt: skip
BESIDE = """
SELECT '-' || x || '-' || y AS nth,
       x * (ST_XMax(box) - ST_XMin(box)) AS east, y * (ST_YMax(box) - ST_YMin(box)) AS north
FROM (SELECT CAST(ST_Extent(geom) AS geometry) AS box FROM unit) AS city,
     generate_series(0, :last) AS x, generate_series(0, :last) AS y
WHERE x + y > 0
"""
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = :name ORDER BY ordinal_position"

"""A small server that says which units cover a point, once from the index and once by asking PostGIS: the same answers.

gunicorn "bench.online:app('FILE', 'URL')"
"""

from __future__ import annotations

from pathlib import Path

import psycopg2.pool
from flask import Flask, request
from flask.typing import ResponseReturnValue

from bench.region_index import EDITION, FILE_DIGEST
from gis.territory.index import SEVERAL, LevelIndex, memory, store

COVERING = """
SELECT level, row FROM online_unit
WHERE ST_Covers(geom, ST_SetSRID(ST_MakePoint(%s, %s), 4326)) ORDER BY rank, row
"""


def app(path: str, url: str) -> Flask:
    """Make the server."""
    made = Flask(__name__)
    levels = memory.grid_levels(EDITION, store.read(Path(path), FILE_DIGEST))
    pool = psycopg2.pool.ThreadedConnectionPool(1, 8, url.replace("postgresql+psycopg2://", "postgresql://"))

    @made.get("/index")
    def from_index() -> ResponseReturnValue:
        lon, lat = _point()
        return [[level, row] for level, units in levels.items() for row in _covering(units, lon, lat)]

    @made.get("/postgis")
    def from_postgis() -> ResponseReturnValue:
        connection = pool.getconn()
        try:
            with connection.cursor() as cursor:
                cursor.execute(COVERING, _point())
                return [list(row) for row in cursor.fetchall()]
        finally:
            connection.rollback()
            pool.putconn(connection)

    return made


def _covering(units: LevelIndex, lon: float, lat: float) -> list[int]:
    row = units.one(lon, lat)
    if row == SEVERAL:
        return [int(each) for each in units.covering([lon], [lat])[1]]
    return [row] if row >= 0 else []


def _point() -> tuple[float, float]:
    return float(request.args["lon"]), float(request.args["lat"])

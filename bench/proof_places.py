"""Buildings and roads of New York: shares held against PostGIS, what lies across a line, and what is nearest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.figures import Row, at_most, timed, told
from gis import db
from gis.territory import places, units

DAY = date(2024, 6, 1)
KINDS = ("building", "street")
# Every parted place would take PostGIS minutes; a repeatable part of them says as much.
CHECKED = 4_000
SHARE_TOLERANCE = 1e-9
WITHIN_M = 100.0
INSIDE_M, BESIDE_M = 0.0, 25.0
WORST = """
    SELECT count(*), max(abs(s.share - ST_Area(ST_Intersection(p.geom, u.geom)) / ST_Area(p.geom)))
    FROM (SELECT * FROM place_share WHERE kind = :kind AND share < 0.999999
          ORDER BY hashint8(place_id), unit_id LIMIT :checked) s
    JOIN {kind} p ON p.id = s.place_id JOIN unit u ON u.id = s.unit_id
"""


def measure(engine: Engine, data: Path) -> Iterator[Row]:
    """Measure in a database that holds New York's boundaries, buildings and roads."""
    with db.session(engine, db.EVERYTHING) as session:
        for kind in KINDS:
            yield from _shares(session, kind)
        yield from _straddlers(session)
        points = _points(data)
        for kind in KINDS:
            yield from _nearest(session, kind, points)


def _shares(session: Session, kind: str) -> Iterator[Row]:
    held = session.scalar(text("SELECT count(*) FROM place_share WHERE kind = :kind"), {"kind": kind})
    yield told(f"{kind}: shares held", held)
    asked = {"kind": kind, "checked": CHECKED}
    checked, worst = session.execute(text(WORST.format(kind=kind)), asked).one()
    yield at_most(f"{kind}: largest difference from ST_Intersection ({checked} parts)", worst, SHARE_TOLERANCE)


def _straddlers(session: Session) -> Iterator[Row]:
    for edition in units.in_force(session, DAY):
        for level in edition.levels:
            for kind in KINDS:
                started = time.perf_counter()
                found = places.straddlers(session, edition.id, level.code, kind)
                took_s = time.perf_counter() - started
                yield told(f"{kind}: across a line of {level.code} ({took_s:.1f} s)", len(found))


def _nearest(session: Session, kind: str, points: NDArray[np.float64]) -> Iterator[Row]:
    started = time.perf_counter()
    found = places.nearest(session, kind, points, WITHIN_M)
    took_ms = (time.perf_counter() - started) * 1000
    yield timed(f"{kind}: ms for the nearest, each of {len(points)} points", took_ms / len(points), 0.15)
    distances = np.array([each.distance_m for each in found if each])
    yield told(f"{kind}: requests with one within 100 m", len(distances))
    for name, limit in (("inside one", INSIDE_M), ("within 25 m of one", BESIDE_M)):
        yield told(f"{kind}: of these {name}", f"{np.mean(distances <= limit):.1%}")


def _points(data: Path) -> NDArray[np.float64]:
    """Read where the city's requests lie, of those that have a place."""
    issues = pd.read_parquet(data / "nyc/nyc_311_issues.parquet", columns=["longitude", "latitude"])
    return issues.apply(pd.to_numeric, errors="coerce").dropna().to_numpy(dtype=float)

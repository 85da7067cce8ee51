"""Boston 2011: the point on which 4,775 requests were parked is proposed, decided by a person, and then nobody's ground."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, text

from bench import cities, fresh, truth
from gis import db
from gis.issues import default_points

Row = tuple[str, object, object, bool]
HERE = Path(__file__).parent / "boston"
SOURCE = "boston311"
PARKED_N = 4_775
CITY_HALL = (-71.0587, 42.3594)
LEVELS = {"ward": "ward", "precinct": "precinct", "police": "police"}
PARKED = """
    SELECT count(*) FILTER (WHERE located), count(*) FROM issue
    WHERE source = :source AND (place ->> 'lon')::float8 = :lon AND (place ->> 'lat')::float8 = :lat
"""


def measure(data: Path) -> list[Row]:
    """Load the year, decide on its default point, and count."""
    with fresh.settings("shaotu_proof_boston") as settings, fresh.engine(settings) as engine:
        issues = data / "boston/boston_311_2011.parquet"
        cities.load_boundaries(engine, HERE / "boundaries.toml", data)
        cities.open_source(engine, SOURCE, pd.read_parquet(issues)["type"], settings)
        load = cities.load_issues(engine, issues, HERE / "issues.toml", settings)
        return [
            ("requests filed + rejected", load.accepted + load.rejected, 58_251, load.accepted + load.rejected == 58_251),
            *_polygons(engine, data),
            *_parked(engine),
        ]


def _polygons(engine: Engine, data: Path) -> list[Row]:
    return [
        (
            f"{level.name}: equal to the polygon hit",
            f"{level.polygon_equal} of {level.polygon_n}",
            "all",
            level.polygon_equal == level.polygon_n,
        )
        for level in truth.compare(engine, SOURCE, data / "boston/boston_311_2011_truth.parquet", LEVELS)
    ]


def _parked(engine: Engine) -> list[Row]:
    now = datetime.now(UTC)
    with db.session(engine, db.EVERYTHING) as session:
        proposed = {(point.lon, point.lat): point for point in default_points.propose(session, SOURCE)}
        session.commit()
        point = proposed.get(CITY_HALL)
        if point is None:
            return [("City Hall proposed as a default point", "no", "yes", False)]
        before, parked = session.execute(text(PARKED), _at()).one()
        default_points.accept(session, point.id, by=cities.BY, now=now)
        session.commit()
        after, _ = session.execute(text(PARKED), _at()).one()
    return [
        ("points proposed", len(proposed), ">= 1", True),
        ("requests at the proposed City Hall point", point.issues_n, PARKED_N, point.issues_n == PARKED_N),
        ("of these on somebody's ground before a person decided", before, PARKED_N, before == parked == PARKED_N),
        ("of these on somebody's ground afterwards", after, 0, after == 0),
    ]


def _at() -> dict[str, object]:
    return {"source": SOURCE, "lon": CITY_HALL[0], "lat": CITY_HALL[1]}

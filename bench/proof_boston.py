"""Boston 2011: the point 4,775 requests were parked on is proposed, decided by a person, and then nobody's ground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import cities, fresh, truth
from bench.figures import Row, all_of, equal, told
from gis import db
from gis.issues import default_points

HERE = Path(__file__).parent / "boston"
SOURCE = "boston311"
REQUESTS_N = 58_251
PARKED_N = 4_775
CITY_HALL = (-71.0587, 42.3594)
LEVELS = {"ward": "ward", "precinct": "precinct", "police_district": "police_district", "zip": "zip"}
PARKED = """
    SELECT count(*) FILTER (WHERE located) FROM issue
    WHERE source = :source AND (place ->> 'lon')::float8 = :lon AND (place ->> 'lat')::float8 = :lat
"""


def measure(data: Path) -> list[Row]:
    """Load the year, decide on its default point, and count."""
    with fresh.settings("shaotu_proof_boston") as settings, fresh.engine(settings) as engine:
        issues = data / "boston/boston_311_2011.parquet"
        cities.load_boundaries(engine, HERE / "boundaries.toml", data)
        cities.open_source(engine, SOURCE, pd.read_parquet(issues)["type"], settings)
        taken = cities.load_issues(engine, issues, HERE / "issues.toml", settings)
        return [
            equal("requests filed + known + rejected", taken.accepted + taken.known + taken.rejected, REQUESTS_N),
            told("requests rejected", taken.rejected),
            *_polygons(engine, data),
            *_parked(engine),
        ]


def _polygons(engine: Engine, data: Path) -> Iterator[Row]:
    for level in truth.compare(engine, SOURCE, data / "boston/boston_311_2011_truth.parquet", LEVELS):
        yield all_of(f"{level.name}: equal to the polygon hit", level.polygon_equal, level.polygon_n)


def _parked(engine: Engine) -> Iterator[Row]:
    with db.session(engine, db.EVERYTHING) as session:
        proposed = {(point.lon, point.lat): point for point in default_points.propose(session, SOURCE)}
        yield told("points proposed", len(proposed))
        point = proposed.get(CITY_HALL)
        if point is None:
            yield equal("City Hall proposed as a default point", "no", "yes")
            return
        yield equal("requests at the proposed City Hall point", point.issues_n, PARKED_N)
        yield equal("of these on somebody's ground before a person decided", _on_ground(session), PARKED_N)
        default_points.accept(session, point.id, by=cities.BY, now=datetime.now(UTC))
        yield equal("of these on somebody's ground afterwards", _on_ground(session), 0)
        session.commit()


def _on_ground(session: Session) -> int:
    at = {"source": SOURCE, "lon": CITY_HALL[0], "lat": CITY_HALL[1]}
    return int(session.execute(text(PARKED), at).scalar_one())

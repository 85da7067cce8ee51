"""New York: boundaries with both council vintages, buildings, roads and house numbers, and 48,173 requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Engine

from bench import cities, fresh, proof_marble_hill, proof_places, truth
from bench.figures import Row, all_of, at_least, equal, timed, told
from gis import db
from gis.settings import Settings
from gis.territory import geocode
from gis.territory.location import Candidate

HERE = Path(__file__).parent / "nyc"
SOURCE = "nyc311"
REQUESTS_N = 48_173
# Levels of the table and the least rate at which the published unit must be found.
LEVELS: dict[str, float | None] = {
    "borough": None,
    "community_board": 0.9998,
    "council_district": 0.999,
    "police_precinct": 1.0,
    "zip": None,
}
HOUSES_ASKED = 4_000
SAME_HOUSE_DEG = 0.001
EXACT = ("house_number", "building")


def measure(data: Path) -> list[Row]:
    """Load the city and hold every answer against the tables."""
    with fresh.settings("shaotu_proof_newyork") as settings, fresh.engine(settings) as engine:
        return [
            *load(engine, settings, data),
            *_levels(engine, data),
            *_houses(engine, data),
            *proof_marble_hill.measure(engine),
            *proof_places.measure(engine, data),
        ]


def load(engine: Engine, settings: Settings, data: Path) -> Iterator[Row]:
    """Put the city into the product by its own doors, and tell how long it took."""
    clock, issues = cities.Clock(), data / "nyc/nyc_311_issues.parquet"
    with clock.timed("boundaries"):
        reports = cities.load_boundaries(engine, HERE / "boundaries.toml", data)
    with clock.timed("places"):
        loaded = cities.load_places(engine, HERE / "places.toml", data)
    cities.open_source(engine, SOURCE, pd.read_parquet(issues)["complaint_type"], settings)
    with clock.timed("issues"):
        taken = cities.load_issues(engine, issues, HERE / "issues.toml", settings)
    yield told("editions loaded and put in force", len(reports))
    yield timed("seconds to load the boundary layers", clock.seconds["boundaries"], 60)
    for kind, report in loaded.items():
        yield all_of(f"{kind}: imported or rejected with a reason", report.rows, report.rows)
        yield told(f"{kind}: rejected", report.rejected)
    yield timed("seconds for buildings, roads and addresses, with shares", clock.seconds["places"], 180)
    yield equal("requests filed", taken.accepted, REQUESTS_N)
    yield equal("accepted + known + rejected", taken.accepted + taken.known + taken.rejected, REQUESTS_N)
    yield timed("seconds to locate and store the requests", clock.seconds["issues"], 60)


def _levels(engine: Engine, data: Path) -> Iterator[Row]:
    ours = {name: name for name in LEVELS}
    for level in truth.compare(engine, SOURCE, data / "nyc/nyc_311_truth.parquet", ours):
        least = LEVELS[level.name]
        yield all_of(f"{level.name}: equal to the polygon hit", level.polygon_equal, level.polygon_n)
        if least is not None:
            what = f"{level.name}: equal to the published, > 10 m from a line ({level.far_n})"
            yield at_least(what, level.far_rate, least)
        yield all_of(f"{level.name}: differs within 10 m and says so", level.by_line_admitted, level.by_line_n)


def _houses(engine: Engine, data: Path) -> Iterator[Row]:
    """Ask for house numbers by their text; a hit is that number, where the data has it."""
    houses = gpd.read_parquet(data / "nyc/nyc_osm_addresses.parquet")
    houses = houses[houses["addr_housenumber"].notna() & houses["addr_street"].notna()]
    asked = houses.sample(HOUSES_ASKED, random_state=1)
    texts = asked["addr_housenumber"] + " " + asked["addr_street"]
    with db.session(engine, db.EVERYTHING) as session:
        hits = sum(
            _is_hit(geocode.find(session, text, date(2024, 1, 1)), point)
            for text, point in zip(texts, asked.geometry, strict=True)
        )
    yield at_least(f"house numbers found by their text ({len(asked)} asked)", hits / len(asked), 0.99)


def _is_hit(found: list[Candidate], point: shapely.Point) -> bool:
    return any(
        each.match_level in EXACT and shapely.distance(each.geometry, point) < SAME_HOUSE_DEG for each in found
    )

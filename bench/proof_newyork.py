"""New York: boundaries with both council vintages, buildings, roads and house numbers, and 48,173 requests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import shapely
from sqlalchemy import Engine, text

from bench import cities, fresh, truth
from gis import db
from gis.territory import geocode, locate

Row = tuple[str, object, object, bool]
HERE = Path(__file__).parent / "nyc"
SOURCE = "nyc311"
# Truth's name of a level -> the product's; and the least rate at which the published unit must be found.
LEVELS = {
    "borough": ("borough", 0.0),
    "community_board": ("community_district", 0.9998),
    "council_district": ("council_district", 0.999),
    "police_precinct": ("police_precinct", 1.0),
    "zip": ("zcta", 0.0),
}
HOUSES_ASKED = 4_000
NEAR_DEG = 0.001


def measure(data: Path) -> list[Row]:
    """Load the city and hold every answer against the tables."""
    clock = cities.Clock()
    with fresh.settings("shaotu_proof_newyork") as settings, fresh.engine(settings) as engine:
        issues = data / "nyc/nyc_311_issues.parquet"
        with clock.timed("boundaries"):
            cities.load_boundaries(engine, HERE / "boundaries.toml", data)
        with clock.timed("places"):
            loaded = cities.load_places(engine, HERE / "places.toml", data)
        cities.open_source(engine, SOURCE, pd.read_parquet(issues)["complaint_type"], settings)
        with clock.timed("issues"):
            load = cities.load_issues(engine, issues, HERE / "issues.toml", settings)
        return [
            ("seconds to load the boundary layers", clock.seconds["boundaries"], "<= 60", clock.seconds["boundaries"] <= 60),
            *[(f"{kind}s imported", report.rows - report.rejected, "> 0", report.rows > report.rejected) for kind, report in loaded.items()],
            ("seconds for buildings, roads and addresses with shares", clock.seconds["places"], "<= 180", clock.seconds["places"] <= 180),
            ("requests filed", load.accepted, 48_173, load.accepted == 48_173),
            ("accepted + known + rejected", load.accepted + load.known + load.rejected, 48_173, load.rows_done == 48_173),
            ("seconds to locate and store them", clock.seconds["issues"], "<= 60", clock.seconds["issues"] <= 60),
            *_levels(engine, data),
            *_houses(engine, data),
        ]


def _levels(engine: Engine, data: Path) -> list[Row]:
    rows: list[Row] = []
    ours = {name: level for name, (level, _) in LEVELS.items()}
    for level in truth.compare(engine, SOURCE, data / "nyc/nyc_311_truth.parquet", ours):
        rows.append((f"{level.name}: equal to the polygon hit", _of(level.polygon_equal, level.polygon_n), "all", level.polygon_equal == level.polygon_n))
        least = LEVELS[level.name][1]
        if least:
            rows.append((f"{level.name}: equal to the published, > 10 m from a line", level.far_rate, f">= {least}", level.far_rate >= least))
        rows.append((f"{level.name}: differs within 10 m and says so", _of(level.by_line_admitted, level.by_line_n), "all", level.by_line_admitted == level.by_line_n))
    return rows


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}"


def _houses(engine: Engine, data: Path) -> list[Row]:
    """Ask for house numbers by their text; a hit is the number itself, where the data has it."""
    import geopandas as gpd

    houses = gpd.read_parquet(data / "nyc/nyc_osm_addresses.parquet")
    houses = houses[houses["addr_housenumber"].notna() & houses["addr_street"].notna()]
    asked = houses.sample(HOUSES_ASKED, random_state=1)
    hits = 0
    with db.session(engine, db.EVERYTHING) as session:
        for number, street, point in zip(asked["addr_housenumber"], asked["addr_street"], asked.geometry, strict=True):
            found = geocode.find(session, f"{number} {street}", date(2024, 1, 1))
            hits += any(each.match_level in ("house_number", "building") and shapely.distance(each.geometry, point) < NEAR_DEG for each in found)
    rate = hits / len(asked)
    return [(f"house numbers found by their text ({len(asked)} asked)", rate, ">= 0.99", rate >= 0.99)]

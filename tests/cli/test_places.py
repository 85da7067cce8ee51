"""gis places, from the shell to the database and back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from gis import cli, db
from gis.settings import Settings
from tests.territory.plots import add_edition, add_net, add_unit, plot

Run = Callable[..., str]
MAPPING = """
[[places]]
kind = "building"
file = "houses.geojson"
source = "test"
[places.fields]
external_id = "id"
name = "name"
"""
AREAS = """
[[areas]]
file = "leaders.csv"
level = "district"
[areas.fields]
person = "who"
unit_code = "district"
valid_from = "since"
[areas.values]
role = "leader"
net = "admin"
"""


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(settings.var_dir))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")

    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, ["places", *(str(word) for word in words)])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


@pytest.fixture
def folder(tmp_path: Path, clean_db: Engine) -> Path:
    """A file with a house across a district line and one without a shape; two districts in the database."""
    with db.session(clean_db, db.EVERYTHING) as session:
        add_net(session, "admin", "district")
        edition = add_edition(session, "admin", "2023", date(2023, 1, 1))
        add_unit(session, edition, "district", "W", plot(0, 0, 4, 4), name="西区")
        add_unit(session, edition, "district", "E", plot(4, 0, 8, 4), name="东区")
        session.commit()
    shapes = [plot(3, 1, 6, 2), None]
    houses = gpd.GeoDataFrame({"id": ["a", "b"], "name": ["跨界楼", "无形"]}, geometry=shapes, crs="EPSG:4326")
    houses.to_file(tmp_path / "houses.geojson")
    (tmp_path / "places.toml").write_text(MAPPING, "utf-8")
    (tmp_path / "areas.toml").write_text(AREAS, "utf-8")
    return tmp_path


def buildings(engine: Engine) -> int:
    with db.session(engine, db.EVERYTHING) as session:
        return int(session.scalar(text("SELECT count(*) FROM building")) or 0)


def test_an_import_tells_its_counts_and_writes_the_rows_left_out(run: Run, folder: Path, clean_db: Engine) -> None:
    said = run("load", folder / "places.toml", "--rejects", folder / "places.rejects.csv")
    assert "2 rows = 1 new + 0 changed + 0 as before + 1 left out; 2 shares" in said
    with (folder / "places.rejects.csv").open(encoding="utf-8-sig", newline="") as opened:
        (left_out,) = csv.DictReader(opened)
    assert left_out == {"row": "2", "external_id": "b", "code": "places.no_geometry", "reason": "It has no shape."}
    assert buildings(clean_db) == 1


def test_a_dry_run_writes_nothing(run: Run, folder: Path, clean_db: Engine) -> None:
    assert "nothing was written" in run("load", folder / "places.toml", "--dry-run")
    assert buildings(clean_db) == 0


def test_a_mapping_that_is_wrong_ends_with_a_sentence(run: Run, folder: Path) -> None:
    (folder / "places.toml").write_text("[[places]]", "utf-8")
    assert 'Error: places.toml #1: "kind" is missing.' in run("load", folder / "places.toml", fails=True)


def test_what_lies_across_a_line_is_listed_and_drawn(run: Run, folder: Path) -> None:
    run("load", folder / "places.toml")
    said = run("straddlers", "admin", "district", "--on", "2024-05-01", "--geojson", folder / "across.geojson")
    assert "跨界楼" in said
    assert "东区 66.7% · 西区 33.3%" in said
    (feature,) = json.loads((folder / "across.geojson").read_text("utf-8"))["features"]
    assert [part["code"] for part in feature["properties"]["parts"]] == ["E", "W"]


def test_areas_of_leaders_are_imported(run: Run, folder: Path) -> None:
    (folder / "leaders.csv").write_text("who,district,since\n李,W,2023-01-01\n王,X,2023-01-01\n", "utf-8")
    assert "2 rows = 1 new + 0 brought up to date + 1 left out" in run("areas", folder / "areas.toml")

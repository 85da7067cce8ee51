"""The commands for boundaries, from the shell to the database and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from gis import cli
from gis.settings import Settings
from tests.territory.plots import plot
from tests.territory.test_boundaries import EAST, WEST, manifest, table, write

Run = Callable[..., str]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")

    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, ["boundaries", *map(str, words)])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return manifest(tmp_path, write(tmp_path, table(WEST, EAST)))


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    return manifest(tmp_path, write(tmp_path, table(plot(0, 0, 1.5, 1), EAST)))


def states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT state FROM edition ORDER BY id")))


def test_check_tells_faults_as_sentences_and_as_geojson(run: Run, faulty: Path, tmp_path: Path) -> None:
    said = run("check", faulty, "--geojson", tmp_path / "faults.geojson", fails=True)
    assert "Overlap: a, b of level District" in said
    features = json.loads((tmp_path / "faults.geojson").read_text("utf-8"))["features"]
    assert [feature["properties"]["kind"] for feature in features] == ["overlap"]


def test_check_of_clean_files_ends_well_and_writes_nothing(run: Run, clean: Path, clean_db: Engine) -> None:
    assert "EPSG:4326" in run("check", clean)
    assert states(clean_db) == []


def test_an_edition_goes_from_dark_to_active_to_retired(run: Run, clean: Path, clean_db: Engine) -> None:
    run("load", clean)
    seen = [states(clean_db)]
    run("activate", "admin", "2020", "--from", "2021-01-01")
    seen.append(states(clean_db))
    run("retire", "admin", "2020")
    assert [*seen, states(clean_db)] == [["dark"], ["active"], ["retired"]]


def test_a_dry_run_writes_nothing(run: Run, clean: Path, clean_db: Engine) -> None:
    assert "nothing is written" in run("load", clean, "--dry-run")
    assert states(clean_db) == []


def test_faults_stop_a_load_until_they_are_accepted(run: Run, faulty: Path, clean_db: Engine) -> None:
    assert "above the tolerance" in run("load", faulty, fails=True)
    assert states(clean_db) == []
    run("load", faulty, "--accept")
    assert states(clean_db) == ["dark"]


def test_one_bad_edition_keeps_the_whole_manifest_out(run: Run, clean: Path, tmp_path: Path, clean_db: Engine) -> None:
    more = '\n[[edition]]\nnet = "admin"\nname = "2024"\nsource = "t"\nlicence = "t"\n  [[edition.layer]]\n'
    write(tmp_path, table(plot(0, 0, 1.5, 1), EAST), "bad.geojson")
    layer = '  file = "bad.geojson"\n  level = "district"\n  code = "code"\n'
    clean.write_text(clean.read_text("utf-8") + more + layer, "utf-8")
    run("load", clean, fails=True)
    assert states(clean_db) == []


def test_a_bad_file_is_told_in_a_sentence(run: Run, clean: Path) -> None:
    (clean.parent / "town.geojson").write_text("{", "utf-8")
    assert "town.geojson (layer -) cannot be read" in run("check", clean, fails=True)


def test_editions_are_listed(run: Run, clean: Path) -> None:
    run("load", clean)
    said = run("list")
    assert "2020" in said
    assert "dark" in said

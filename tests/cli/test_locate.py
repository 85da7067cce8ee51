"""gis locate: the same answer as a person reads it, and as programs do."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from gis import cli, db
from gis.settings import Settings
from tests import town

Run = Callable[..., str]


@pytest.fixture
def run(settings: Settings, clean_db: Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        session.commit()

    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, ["locate", *map(str, words)])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


def test_a_point_is_told_with_its_chain(run: Run) -> None:
    said = run(*town.lonlat(0.6, 0.5), "--on", "2025-06-01")
    assert "city 9901 9901 > district 990101 990101 > subdistrict 990101001 990101001" in said


def test_a_fix_by_the_line_tells_the_odds_of_both_sides(run: Run) -> None:
    said = run(*town.lonlat(2, 0.5), "--on", "2025-06-01", "--accuracy", 10)
    assert said.count("50.0%") >= 2


def test_json_is_the_whole_answer(run: Run) -> None:
    answer = json.loads(run(*town.lonlat(0.6, 0.5), "--on", "2025-06-01", "--json"))
    assert answer["nets"][0]["chain"][1]["code"] == "990101"


def test_a_geometry_that_is_no_json_is_refused_with_a_sentence(run: Run) -> None:
    assert "GeoJSON" in run("--geometry", "{bad", fails=True)

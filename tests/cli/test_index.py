"""The commands for index files: list, build, verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from gis import cli, db
from gis.settings import Settings
from tests import town

Run = Callable[..., str]


@pytest.fixture
def run(settings: Settings, clean_db: Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        session.commit()
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(settings.var_dir))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")

    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, ["index", *map(str, words)])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


def files(settings: Settings) -> list[Path]:
    return sorted(Path(settings.var_dir, "index").glob("*.index"))


def test_build_makes_a_file_for_every_edition_once(run: Run, settings: Settings) -> None:
    assert run("build").count("is built") == 4
    assert len(files(settings)) == 4
    assert run("build").count("is built") == 0


def test_list_tells_what_is_missing(run: Run, settings: Settings) -> None:
    assert run("list").count("missing") == 4
    run("build")
    files(settings)[0].unlink()
    assert run("list").count("missing") == 1


def test_a_damaged_file_is_told_and_mended(run: Run, settings: Settings) -> None:
    run("build")
    path = files(settings)[1]
    path.write_bytes(path.read_bytes()[:-9])
    assert run("verify", fails=True).count(": unsound") == 1
    assert run("build").count("is built") == 1
    run("verify")


def test_verify_finds_a_record_that_is_not_that_of_the_file(run: Run, clean_db: Engine) -> None:
    run("build")
    with clean_db.begin() as connection:
        connection.execute(text("UPDATE unit SET code = 'p3' WHERE code = 'p2'"))
    assert "differ from the database: 2" in run("verify", fails=True)


def test_build_clears_away_files_of_no_edition(run: Run, settings: Settings) -> None:
    run("build")
    stray = files(settings)[0].with_name("stray.index")
    stray.touch()
    assert "1 files of no edition were removed" in run("build")
    assert not stray.exists()

"""gis rosters: a file is taken in whole or not at all, and shown with who can be had now."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from gis import cli, db
from gis.settings import Settings
from tests import town
from tests.issues import filed

HEAD = "net,level,unit_code,platform,department,person,rank,phone,standing,valid_from,hours\n"
ROW = "admin,subdistrict,990101001,5,{department},老赵,队长,13900000001,resident,2024-01-01,{hours}\n"


@pytest.fixture
def city(clean_db: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        filed.people(session)
        session.commit()
    return clean_db


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.gis, ["rosters", *arguments])


def write(tmp_path: Path, *rows: str) -> str:
    file = tmp_path / "rosters.csv"
    file.write_text(HEAD + "".join(rows), "utf-8")
    return str(file)


@pytest.mark.usefixtures("city")
def test_a_file_is_taken_in_and_shown(tmp_path: Path) -> None:
    loaded = run("load", write(tmp_path, ROW.format(department="cg", hours="")))
    assert loaded.exit_code == 0, loaded.output
    assert "* admin:subdistrict:990101001  cg  resident  老赵 队长" in run("list").output


@pytest.mark.usefixtures("city")
def test_a_unit_chooses(tmp_path: Path) -> None:
    run("load", write(tmp_path, ROW.format(department="cg", hours="")))
    assert run("list", "--unit", "admin:subdistrict:990102001").output == ""


@pytest.mark.usefixtures("city")
def test_a_wrong_row_is_told_with_its_number(tmp_path: Path) -> None:
    rows = (ROW.format(department="cg", hours=""), ROW.format(department="sw", hours="noon"))
    refused = run("load", write(tmp_path, *rows))
    assert (refused.exit_code, run("list").output) == (1, "")
    assert "3" in refused.output
    assert "noon" in refused.output

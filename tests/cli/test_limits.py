"""gis calendar, gis standards and gis clocks, from the shell to the database and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from gis import cli, db
from gis.issues import calendars, categories, intake, standards
from gis.settings import Settings
from tests import town
from tests.issues import filed, test_intake

Run = Callable[..., str]
TABLE = "category,text_zh,limit,closing_zh\nP0101,缺失,2紧急工作时,恢复\nP0101,破损,尽快,更换\nX,坏了,2天,修复\n"


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")

    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, [str(word) for word in words])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


@pytest.fixture
def scheme(clean_db: Engine, run: Run, tmp_path: Path) -> Path:
    run("categories", "load", categories.DATA / "cg-2013.csv")
    path = tmp_path / "table.csv"
    path.write_text(TABLE, "utf-8")
    return path


def test_a_calendar_is_loaded_listed_and_known_the_second_time(clean_db: Engine, run: Run) -> None:
    path = calendars.DATA / "CN-2026.csv"
    assert "39 rows taken in, version 1" in run("calendar", "load", path)
    assert "nothing changed" in run("calendar", "load", path)
    assert run("calendar", "list").startswith("CN  2026  version 1  39 rows")


def test_a_year_that_lacks_is_a_warning_and_a_failure(clean_db: Engine, run: Run) -> None:
    run("calendar", "load", calendars.DATA / "CN-2026.csv", calendars.DATA / "CN-shifts.csv")
    told = run("calendar", "check", "--from", "2026-12-01", "--to", "2027-01-31", fails=True)
    assert told == (
        "Warning: the calendar CN lacks “2027” (CN-2027.csv). Limits that need it get no due time; none is guessed.\n"
    )
    assert "complete" in run("calendar", "check", "--from", "2026-11-01", "--to", "2026-12-31")


def test_a_check_tells_every_row_and_writes_nothing(clean_db: Engine, run: Run, scheme: Path) -> None:
    assert run("standards", "check", scheme).splitlines() == [
        "— row 3: The limit “尽快” is not a number with a unit; nothing was guessed.",
        "— row 4: The scheme has no class X; add it to the categories, then load again.",
        "3 rows: 1 taken, 1 taken without a limit, 1 not taken.",
    ]
    assert run("standards", "list") == ""


def test_a_standard_is_loaded_put_in_force_and_listed_with_its_notices(run: Run, scheme: Path) -> None:
    run("standards", "load", scheme, "--name", "city", "--version", "1")
    run("standards", "activate", "city", "1", "--from", "2026-01-01")
    assert "city 1 (cg 2013): active, 2026-01-01" in run("standards", "list")
    assert len(run("standards", "notices", "city", "1").splitlines()) == 2


def test_a_table_of_a_scheme_nobody_loaded_is_refused(clean_db: Engine, run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE, "utf-8")
    assert "There is no scheme cg 2013" in run("standards", "check", tmp_path / "t.csv", fails=True)


def test_the_demo_citys_own_files_are_taken_to_the_last_row_but_the_one_that_says_no_limit(
    run: Run, scheme: Path
) -> None:
    assert "81 rows: 80 taken, 1 taken without a limit, 0 not taken." in run(
        "standards", "check", standards.DATA / "demo.csv"
    )
    said = ("--name", "orders", "--version", "1")
    told = run("standards", "orders", standards.DATA / "demo-orders.csv", *said)
    assert "29 limits of work orders in 1 cities" in told


def test_the_old_scheme_and_its_crosswalk_are_taken_whole(clean_db: Engine, run: Run, scheme: Path) -> None:
    run("categories", "load", categories.DATA / "cjt214-2007.csv")
    assert "139 pairs" in run("standards", "crosswalk", standards.DATA / "crosswalk-cjt214-cg.csv")
    with db.session(clean_db, db.EVERYTHING) as session:
        walked = session.scalar(text("SELECT count(DISTINCT code) FROM crosswalk"))
        leaves = session.scalar(text("SELECT count(*) FROM category WHERE scheme = 'cjt214' AND parent IS NOT NULL"))
    assert walked == leaves


def test_what_is_overdue_is_listed_with_who_leads(clean_db: Engine, run: Run) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        filed.people(session)
        report = test_intake.report()
        code = intake.accept(session, report, by="wu", now=datetime.now(UTC)).code
        session.execute(text("UPDATE issue SET due_at = :at, warn_at = :at"), {"at": datetime.now(UTC) - timedelta(1)})
        session.commit()
    assert run("clocks", "due").startswith(f"{code}  ")
    assert "1 issues." in run("clocks", "due", "--soon")

"""The commands for lists, agreements, departments and reasons, from the shell to the database and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from shapely.geometry import mapping
from sqlalchemy import Engine

from gis import cli, db
from gis.issues import categories, duty_lists
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from tests import town
from tests.issues import filed, test_dispatch

Run = Callable[..., str]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


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
def city(clean_db: Engine, run: Run) -> Engine:
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        for username, role in (("ann", "administrator"), ("bob", "shift_leader"), ("cas", "planner")):
            accounts.add(session, Newcomer(username, "a long password", username, role), now=NOW)
        session.commit()
    run("categories", "load", categories.DATA / "cg-2013.csv")
    run("departments", "establish", "--on", "2026-01-01")
    run("duties", "load", duty_lists.DATA / "demo.csv", "--list", "demo", "--version", "1", "--by", "ann")
    run("duties", "activate", "demo", "1", "--from", "2026-01-01", "--by", "bob")
    return clean_db


@pytest.fixture
def issue(city: Engine) -> str:
    """File an issue on the district border."""
    with db.session(city, db.EVERYTHING) as session:
        filed.people(session)
        issue_id = test_dispatch.file(session, 1, 2, 0.5)
        code = test_dispatch.code_of(session, issue_id)
        session.commit()
    return code


def drafted(tmp_path: Path, **changes: object) -> Path:
    said = {
        "title": "River Road",
        "geometry": mapping(town.field(1.9, 0, 2.1, 1)),
        "parties": ["admin:district:990101", "admin:district:990102"],
        "lead": "admin:district:990102",
        "valid_from": "2026-01-01",
    } | changes
    path = tmp_path / "agreement.json"
    path.write_text(json.dumps(said), "utf-8")
    return path


def test_a_list_is_shown_with_its_dates(city: Engine, run: Run) -> None:
    assert "demo 1  active  2026-01-01 to open" in run("duties", "list")


def test_a_wrong_list_is_told_row_by_row_and_not_kept(city: Engine, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("category,leads\nX9999,JD\nE0110,QQ\n", "utf-8")
    said = run("duties", "load", path, "--list", "demo", "--version", "2", "--by", "ann", fails=True)
    assert "Row 2" in said
    assert "Row 3" in said
    assert "demo 2" not in run("duties", "list")


def test_checking_a_list_keeps_nothing(city: Engine, run: Run) -> None:
    run("duties", "load", duty_lists.DATA / "demo.csv", "--list", "demo", "--version", "2", "--check")
    assert "demo 2" not in run("duties", "list")


def test_an_issue_is_explained_with_its_parties_and_reasons(issue: str, run: Run) -> None:
    said = run("explain", issue)
    assert "Consultation:" in said
    assert "subdistrict 990102001 Office" in said
    assert "decision." not in said
    assert "{" not in said
    assert "admin:" not in said


def test_an_issue_is_explained_in_chinese(issue: str, run: Run) -> None:
    assert "会商" in run("explain", issue, "--lang", "zh")


def test_an_issue_nobody_knows_is_told(city: Engine, run: Run) -> None:
    assert "no issue" in run("explain", "nothing", fails=True).lower()


def test_an_agreement_is_added_listed_and_withdrawn(city: Engine, run: Run, tmp_path: Path) -> None:
    run("agreements", "add", drafted(tmp_path))
    assert "XY2026-001  River Road" in run("agreements", "list", "--on", "2026-06-01")
    run("agreements", "withdraw", "XY2026-001")
    assert run("agreements", "list", "--on", "2026-06-01") == ""


def test_a_wrong_agreement_is_told(city: Engine, run: Run, tmp_path: Path) -> None:
    assert "at least two parties" in run(
        "agreements", "add", drafted(tmp_path, parties=["admin:district:990102"]), fails=True
    )


def test_a_draft_agreement_is_tried_before_it_is_added(issue: str, run: Run, tmp_path: Path) -> None:
    table = tmp_path / "changes.csv"
    period = ("--from", "2026-06-01", "--to", "2026-07-01")
    said = run("duties", "dry-run", *period, "--agreement", drafted(tmp_path), "--csv", table)
    assert "1 issues asked again: 1 would differ" in said
    assert issue in table.read_text("utf-8-sig")
    assert run("agreements", "list") == ""


def test_a_dry_run_of_nothing_is_refused(city: Engine, run: Run) -> None:
    assert "draft" in run("duties", "dry-run", "--from", "2026-06-01", "--to", "2026-07-01", fails=True)


def test_a_superiors_ruling_is_recorded(issue: str, run: Run) -> None:
    run("duties", "designate", issue, "admin:district:990101")
    assert "designation by the common superior" in run("explain", issue)


def test_departments_come_from_a_table(city: Engine, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "departments.csv"
    path.write_text("code,kind,name_zh,name_en\nzls2,ZLS,第二自来水公司,Second Water\n", "utf-8")
    run("departments", "load", path)
    assert "zls2  ZLS  第二自来水公司" in run("departments", "list", "--kind", "ZLS")


def test_the_two_masters_of_a_department_are_told(city: Engine, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "departments.csv"
    head = "code,kind,name_zh,net,level,unit_code,belongs_to,managed_by"
    path.write_text(f"{head}\nsquad,ZF,执法队,admin,district,990101,ZF-990101,JD-990101001\n", "utf-8")
    run("departments", "load", path)
    told = run("departments", "list", "--kind", "ZF")
    assert "squad  ZF  执法队    admin:district:990101  belongs to ZF-990101  managed by JD-990101001" in told


def test_kinds_and_categories_can_be_looked_up(city: Engine, run: Run) -> None:
    assert "ZLS  自来水公司" in run("departments", "kinds")
    assert "E0101" in run("categories", "list", "私搭")


@pytest.mark.usefixtures("city")
class TestFourEyes:
    def loaded(self, run: Run, by: str, *, fails: bool = False) -> str:
        words = ("--list", "demo", "--version", "2", "--by", by)
        return run("duties", "load", duty_lists.DATA / "demo.csv", *words, fails=fails)

    def test_who_loaded_a_list_does_not_put_it_in_force(self, run: Run) -> None:
        self.loaded(run, "ann")
        told = run("duties", "activate", "demo", "2", "--from", "2026-06-01", "--by", "ann", fails=True)
        assert "somebody else" in told

    @pytest.mark.parametrize("by", ["cas", "nobody"])
    def test_who_may_not_answer_for_a_list_is_refused(self, run: Run, by: str) -> None:
        assert by in self.loaded(run, by, fails=True)

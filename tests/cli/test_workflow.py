"""gis workflow: the table is shown, rules are checked before they are set, suspended issues are taken up."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from gis import cli, db
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from tests.issues import looped


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.gis, ["workflow", *arguments])


@pytest.fixture(autouse=True)
def _here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))


def test_the_table_is_shown_with_the_words_of_a_language() -> None:
    told = run("show", "--lang", "en")
    assert told.exit_code == 0, told.output
    assert "not_the_handler" in told.output


@pytest.mark.parametrize(
    ("rules", "code"), [("[merge]\nenabled = false\n", 0), ("[close]\nwho = ['lead']\n", 1), ("[vanish]\n", 1)]
)
def test_rules_are_checked_before_they_are_set(tmp_path: Path, rules: str, code: int) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(rules, "utf-8")
    assert run("check", str(file)).exit_code == code


def test_rules_are_loaded_by_one_and_put_in_force_by_another(
    clean_db: Engine, tmp_path: Path
) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        for username in ("ann", "bob"):
            accounts.add(session, Newcomer(username, "a long password", username, "shift_leader"), now=looped.NOW)
        session.commit()
    file = tmp_path / "rules.toml"
    file.write_text("[sign]\nname_en = 'Take over'\n", "utf-8")
    ends = [run("rules", *words).exit_code for words in (
        ("load", str(file), "--by", "ann"), ("activate", "1", "--by", "ann"), ("activate", "1", "--by", "bob"),
    )]  # fmt: skip
    assert ends == [0, 1, 0]
    assert "Take over" in run("show", "--lang", "en").output
    assert "bob" in run("rules", "list").output

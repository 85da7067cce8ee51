"""gis users, from the shell to the database."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from gis import cli
from gis.settings import Settings

PASSWORD = "a long password"


@pytest.fixture
def shell(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(settings.var_dir))
    return CliRunner()


def run(shell: CliRunner, *words: str, said: str = "") -> str:
    done = shell.invoke(cli.gis, ["users", *words], input=said)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_account_is_opened_with_a_password_that_is_asked_for(shell: CliRunner, clean_db: Engine) -> None:
    run(shell, "add", "li", "--role", "leader", "--name", "李强", said=f"{PASSWORD}\n{PASSWORD}\n")
    with clean_db.connect() as connection:
        kept = connection.execute(text("SELECT name, role, password_hash FROM account")).one()
    assert (kept.name, kept.role) == ("李强", "leader")
    assert kept.password_hash.startswith("$argon2id$")


def test_a_post_is_given_and_listed(shell: CliRunner) -> None:
    run(shell, "add", "li", "--role", "leader", said=f"{PASSWORD}\n{PASSWORD}\n")
    run(shell, "post", "li", "governance:grid:1", "--from", "2026-01-01")
    assert "governance:grid:1" in run(shell, "list").replace("\n", "")


def test_a_short_password_is_refused_with_a_sentence(shell: CliRunner) -> None:
    done = shell.invoke(cli.gis, ["users", "add", "li", "--role", "leader"], input="short\nshort\n")
    assert done.exit_code == 1
    assert "密码太短" in done.output


def test_a_key_is_shown_once_and_can_be_taken_back(shell: CliRunner, clean_db: Engine) -> None:
    run(shell, "add", "bot", "--role", "operator", said=f"{PASSWORD}\n{PASSWORD}\n")
    key = run(shell, "token", "bot", "importer").strip()
    run(shell, "token", "bot", "importer", "--revoke")
    with clean_db.connect() as connection:
        kept = connection.execute(text("SELECT sha256, revoked_at FROM token")).one()
    assert key.startswith("shaotu_")
    assert kept.sha256 not in key
    assert kept.revoked_at is not None

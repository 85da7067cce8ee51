"""gis audit: what was altered is named with the issue, the head is printed, two people erase together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from gis import cli, db
from gis.issues import journal
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from tests.issues import looped
from tests.issues.looped import CG, NOW, Way

PASSWORD = "a long password"


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli.gis, ["audit", *arguments], input=given)


@pytest.fixture
def way(clean_db: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")
    with db.session(clean_db, db.EVERYTHING) as session:
        looped.people(session)
        for name, role in (("chief", "shift_leader"), ("admin", "administrator")):
            accounts.add(session, Newcomer(name, PASSWORD, name, role), now=NOW)
        made = looped.plain(session)
        journal.append(session, journal.Line("filed", made.issue_id), by="gis", now=NOW)
        session.commit()
        made.make("sign", CG)
        session.commit()
        yield made


def altered(settings: Settings) -> None:
    owner = db.connect_owner(settings)
    with owner.begin() as connection:
        connection.execute(text("UPDATE move SET actor = 'other'"))


def test_a_whole_chain_ends_with_0_and_tells_its_head(way: Way) -> None:
    head = run("head").output.strip()
    told = run("verify")
    assert (told.exit_code, head in told.output) == (0, True), told.output


def test_an_altered_move_ends_with_1_and_names_the_issue(way: Way, settings: Settings) -> None:
    run("head")
    altered(settings)
    told = run("verify")
    assert (told.exit_code, way.code in told.output) == (1, True), told.output


def test_a_head_kept_in_a_file_is_held_against_the_chain(way: Way, tmp_path: object) -> None:
    file = f"{tmp_path}/head"
    with open(file, "w", encoding="utf-8") as kept:  # noqa: PTH123 -- a plain file, as a shell would write it
        kept.write(run("head").output)
    assert run("verify", "--head", file).exit_code == 0
    assert run("verify", "--head", "2 " + "00" * 32).exit_code == 1


def test_words_are_erased_by_two_people_with_their_passwords(way: Way) -> None:
    asked = run("erase", way.code, "--reason", "PIPL 47", "--by", "chief", given=f"{PASSWORD}\n")
    done = run("erase", way.code, "--approve", "--by", "admin", given=f"{PASSWORD}\n")
    way.session.rollback()
    left = way.session.scalar(text("SELECT text FROM issue"))
    assert (asked.exit_code, done.exit_code, left) == (0, 0, ""), asked.output + done.output


def test_a_wrong_password_erases_nothing(way: Way) -> None:
    told = run("erase", way.code, "--reason", "PIPL 47", "--by", "chief", given="wrong\n")
    assert told.exit_code == 1
    assert way.session.scalar(text("SELECT count(*) FROM entry WHERE kind = 'erasure_asked'")) == 0


def test_the_log_tells_of_erasures(way: Way) -> None:
    run("erase", way.code, "--reason", "PIPL 47", "--by", "chief", given=f"{PASSWORD}\n")
    assert "PIPL 47" in run("log").output.replace("\n", "")

"""A city's own rules: read from a file, refused where they are none, followed by every move after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound, Problems
from gis.issues import moves, rules
from gis.issues.workflow import Loop
from gis.settings import Settings
from tests.issues import looped
from tests.issues.looped import CLERK, LEADER, NOW

RULES = """
[verify]
who = ["leader"]
[merge]
enabled = false
[sign]
name_zh = "接单"
name_en = "Accept"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text(RULES, "utf-8")
    return file


def test_without_a_file_the_table_is_the_table() -> None:
    assert rules.of_file(None).moves == rules.TABLE


def test_a_move_that_was_taken_out_is_not_there(path: Path) -> None:
    assert "merge" not in moves.names(rules.of_file(path).moves)


def test_a_city_says_it_in_its_own_words(path: Path) -> None:
    said = [rules.of_file(path).name("sign", locale) for locale in ("zh", "en")]
    assert (said, rules.of_file(path).name("verify", "zh")) == (["接单", "Accept"], None)


def test_who_was_left_out_is_refused(session: Session, path: Path) -> None:
    looped.people(session)
    way = looped.plain(session, state="collected")
    way.loop = Loop(replace(Settings(), workflow_rules=path))
    with pytest.raises(Forbidden, match=r"workflow\.not_yours"):
        way.make("verify", CLERK)
    assert way.make("verify", LEADER).from_state == "collected"


@pytest.mark.parametrize(
    "written", ["[sign", "sign = 1", "[sign]\nroles = []", "[sign]\nenabled = 1", "[sign]\nwho = 3"]
)
def test_a_file_that_holds_no_rules_is_refused(tmp_path: Path, written: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(written, "utf-8")
    with pytest.raises(Invalid):
        rules.of_file(file)


class TestVersions:
    def loaded(self, session: Session, said: str = RULES) -> int:
        return rules.load(session, said, by="ann", now=NOW)

    def test_what_was_loaded_is_not_in_force(self, session: Session) -> None:
        assert (self.loaded(session), rules.current(session, None).moves) == (1, rules.TABLE)

    def test_another_person_puts_it_in_force(self, session: Session) -> None:
        rules.activate(session, self.loaded(session), by="bob", now=NOW)
        book = rules.current(session, None)
        assert ("merge" in moves.names(book.moves), book.name("sign", "zh")) == (False, "接单")

    def test_who_loaded_it_does_not(self, session: Session) -> None:
        with pytest.raises(Forbidden, match=r"workflow\.rules_four_eyes"):
            rules.activate(session, self.loaded(session), by="ann", now=NOW)

    def test_the_database_refuses_it_too(self, session: Session) -> None:
        self.loaded(session)
        with pytest.raises(IntegrityError):
            session.execute(text("UPDATE workflow_rules SET activated_at = now(), activated_by = 'ann'"))

    def test_the_next_version_takes_the_place_of_the_one_before(self, session: Session) -> None:
        rules.activate(session, self.loaded(session), by="bob", now=NOW)
        rules.activate(session, self.loaded(session, ""), by="bob", now=NOW)
        assert rules.current(session, None).moves == rules.TABLE
        assert [(each.version, each.retired_at) for each in rules.find(session)] == [(2, None), (1, NOW)]

    def test_a_version_goes_before_the_file_of_the_settings(self, session: Session, path: Path) -> None:
        rules.activate(session, self.loaded(session, ""), by="bob", now=NOW)
        assert rules.current(session, path).moves == rules.TABLE

    def test_a_version_is_put_in_force_once(self, session: Session) -> None:
        version = self.loaded(session)
        rules.activate(session, version, by="bob", now=NOW)
        with pytest.raises(Conflict, match=r"workflow\.rules_used"):
            rules.activate(session, version, by="cas", now=NOW)

    def test_a_version_that_is_not_there_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound):
            rules.activate(session, 9, by="bob", now=NOW)

    @pytest.mark.parametrize("said", ["[vanish]", "[close]\nwho = ['lead']"])
    def test_what_does_not_hold_is_not_loaded(self, session: Session, said: str) -> None:
        with pytest.raises(Problems):
            self.loaded(session, said)

    def test_moves_go_by_it_at_once(self, session: Session) -> None:
        looped.people(session)
        way = looped.plain(session, state="collected")
        rules.activate(session, self.loaded(session), by="bob", now=NOW)
        with pytest.raises(Forbidden, match=r"workflow\.not_yours"):
            way.make("verify", CLERK)

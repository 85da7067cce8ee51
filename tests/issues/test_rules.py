"""A city's own rules: read from a file, refused where they are none, followed by every move after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from gis.errors import Forbidden, Invalid
from gis.issues import moves, rules
from gis.issues.workflow import Loop
from gis.settings import Settings
from tests.issues import looped
from tests.issues.looped import CLERK, LEADER

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
    assert rules.table(None) == rules.TABLE


def test_a_move_that_was_taken_out_is_not_there(path: Path) -> None:
    assert "merge" not in moves.names(rules.table(path))


def test_a_city_says_it_in_its_own_words(path: Path) -> None:
    said = [rules.name("sign", locale, path) for locale in ("zh", "en")]
    assert (said, rules.name("verify", "zh", path)) == (["接单", "Accept"], None)


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
        rules.read(file)

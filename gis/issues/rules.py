"""A city's own rules for the loop: a TOML file that renames moves, takes them out, or gives them to fewer hands."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gis.errors import Invalid
from gis.issues import moves
from gis.issues.calls import CALLS
from gis.issues.moves import MOVES, Move, Rule

TABLE: tuple[Move, ...] = (*MOVES, *CALLS)
KEYS = frozenset({"enabled", "who", "name_zh", "name_en"})


@cache
def table(path: Path | None) -> tuple[Move, ...]:
    """Return the table an installation goes by; raise Invalid or Problems with what is wrong in its file."""
    return TABLE if path is None else moves.apply(read(path), TABLE)


def read(path: Path) -> tuple[Rule, ...]:
    """Read a city's rules: one section for each move it changes; raise Invalid."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("workflow.rules_unreadable", path=str(path), reason=str(error)) from error
    return tuple(_rule(name, section) for name, section in said.items())


@cache
def names(path: Path | None) -> Mapping[str, Rule]:
    """Find the city's own words for moves, by the move's name."""
    return {} if path is None else {rule.move: rule for rule in read(path) if rule.name_zh or rule.name_en}


def name(move: str, locale: str, path: Path | None) -> str | None:
    """Say a move in the city's own words; None where it has none."""
    rule = names(path).get(move)
    return (rule.name_en if locale == "en" else rule.name_zh) or None if rule else None


def _rule(name: str, section: Any) -> Rule:  # noqa: ANN401 -- whatever TOML holds
    known = isinstance(section, dict) and not set(section) - KEYS
    if not known or not isinstance(section.get("enabled", True), bool) or not _are_words(section.get("who", [])):
        raise Invalid("workflow.bad_rule", move=name, keys=", ".join(sorted(KEYS)))
    who = frozenset(section["who"]) if "who" in section else None
    words = (str(section.get(key, "")) for key in ("name_zh", "name_en"))
    return Rule(name, section.get("enabled", True), who, *words)


def _are_words(said: object) -> bool:
    return isinstance(said, list) and all(isinstance(each, str) for each in said)

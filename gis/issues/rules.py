"""A city's own rules for the loop: TOML that renames moves, takes them out, or gives them to fewer hands.

Rules are versions: one person loads them, another puts them in force. Until a version is in force, an installation goes
by the file its settings name, if they name one.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues import moves
from gis.issues.moves import MOVES, Move, Rule
from gis.issues.whistle_moves import CALLS

TABLE: tuple[Move, ...] = (*MOVES, *CALLS)
LOADING = 0x5AB6
KEYS = frozenset({"enabled", "who", "name_zh", "name_en"})


@dataclass(frozen=True)
class Version:
    """A version of the rules, as the overview shows it. sha256: of what was loaded."""

    version: int
    sha256: str
    loaded_at: datetime
    loaded_by: str
    activated_at: datetime | None
    activated_by: str | None
    retired_at: datetime | None


@dataclass(frozen=True)
class Book:
    """The rules an installation goes by: its table, and its own words for moves."""

    moves: tuple[Move, ...] = TABLE
    words: Mapping[str, Rule] = field(default_factory=dict)

    def name(self, move: str, locale: str) -> str | None:
        """Say a move in the city's own words; None where it has none."""
        rule = self.words.get(move)
        return (rule.name_en if locale == "en" else rule.name_zh) or None if rule else None


def current(session: Session, path: Path | None) -> Book:
    """Return what holds now: the version in force, else the file of the settings, else the product's own table."""
    said: str | None = session.scalar(_IN_FORCE)
    return _book(said) if said is not None else of_file(path)


@cache
def of_file(path: Path | None) -> Book:
    """Read the rules of a file; raise Invalid or Problems with what is wrong in it."""
    return Book() if path is None else _book(read(path))


def read(path: Path) -> str:
    """Read a file as it stands; raise Invalid."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("workflow.rules_unreadable", path=str(path), reason=str(error)) from error


def parse(said: str) -> tuple[Rule, ...]:
    """Read a city's rules: one section for each move it changes; raise Invalid."""
    try:
        found = tomllib.loads(said)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("workflow.rules_unreadable", path="TOML", reason=str(error)) from error
    return tuple(_rule(name, section) for name, section in found.items())


def load(session: Session, said: str, *, by: str, now: datetime) -> int:
    """Keep rules as the next version, not yet in force; raise Invalid or Problems if they do not hold."""
    _book(said)
    sha256 = hashlib.sha256(said.encode()).hexdigest()
    row = {"said": said, "sha256": sha256, "by": by, "now": now}
    # One at a time, or two would be the same version.
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOADING})
    return int(session.execute(_LOAD, row).scalar_one())


def activate(session: Session, version: int, *, by: str, now: datetime) -> None:
    """Put a version in force, in place of the one before.

    Raise NotFound; raise Forbidden to who loaded it, Conflict if it was in force already, and what is wrong with it if
    the product's table changed since it was loaded.
    """
    row = session.execute(_GET, {"version": version}).one_or_none()
    if row is None:
        raise NotFound("workflow.no_rules", version=version)
    if row.loaded_by == by:
        raise Forbidden("workflow.rules_four_eyes", version=version, by=by)
    if row.activated_at is not None:
        raise Conflict("workflow.rules_used", version=version)
    _book(row.said)
    session.execute(_RETIRE, {"now": now})
    session.execute(_ACTIVATE, {"version": version, "by": by, "now": now})


def find(session: Session) -> list[Version]:
    """List all versions, the newest first."""
    return [Version(**row) for row in session.execute(_FIND).mappings()]


@cache
def _book(said: str) -> Book:
    rules = parse(said)
    return Book(moves.apply(rules, TABLE), {rule.move: rule for rule in rules if rule.name_zh or rule.name_en})


def _rule(name: str, section: Any) -> Rule:  # noqa: ANN401 -- whatever TOML holds
    known = isinstance(section, dict) and not set(section) - KEYS
    if not known or not isinstance(section.get("enabled", True), bool) or not _are_words(section.get("who", [])):
        raise Invalid("workflow.bad_rule", move=name, keys=", ".join(sorted(KEYS)))
    who = frozenset(section["who"]) if "who" in section else None
    words = (str(section.get(key, "")) for key in ("name_zh", "name_en"))
    return Rule(name, section.get("enabled", True), who, *words)


def _are_words(said: object) -> bool:
    return isinstance(said, list) and all(isinstance(each, str) for each in said)


_IN_FORCE = text("SELECT said FROM workflow_rules WHERE activated_at IS NOT NULL AND retired_at IS NULL")
_LOAD = text("""
INSERT INTO workflow_rules (version, said, sha256, loaded_at, loaded_by)
SELECT coalesce(max(version), 0) + 1, :said, :sha256, :now, :by FROM workflow_rules RETURNING version
""")
_GET = text("SELECT said, loaded_by, activated_at FROM workflow_rules WHERE version = :version FOR UPDATE")
_RETIRE = text("""
UPDATE workflow_rules SET retired_at = :now WHERE activated_at IS NOT NULL AND retired_at IS NULL
""")
_ACTIVATE = text("UPDATE workflow_rules SET activated_at = :now, activated_by = :by WHERE version = :version")
_FIND = text("""
SELECT version, sha256, loaded_at, loaded_by, activated_at, activated_by, retired_at
FROM workflow_rules ORDER BY version DESC
""")

"""What the journal's chain binds, and how its digests are taken: of facts, and behind a salt of what can be erased.

Each line of the journal stands for what its transaction wrote about its issue. Facts are what has to stay; words are
free text and what tells who somebody is. Words enter the chain by a salted digest alone, so that they, and the salt,
can be erased while the chain stays whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

# Before the first link.
START = bytes(32)
# What is said freely with a move, and where a person stood. A name may be added; none may be taken out.
SAID = (
    "reason", "ground_of_law", "document", "done", "note", "position", "words", "did", "expects", "minutes", "reply",
    "text",
)  # fmt: skip
_SAID = "ARRAY[" + ", ".join(f"'{name}'" for name in SAID) + "]"


@dataclass(frozen=True)
class Chained:
    """A table of history with the columns `issue_id` and `change`. facts, words: its columns as SQL."""

    table: str
    facts: str
    words: str | None = None
    issue_id: str = "issue_id"


# The columns of a table, and their order, are part of every digest: to one that is sealed nothing can be added.
TABLES: tuple[Chained, ...] = (
    Chained(
        "issue",
        "id, code, source, external_id, scheme, scheme_version, category, reported_at, received_at, created_by",
        "text, reporter",
        issue_id="id",
    ),
    Chained("finding", "version, location - ARRAY['place', 'candidates'], found_at, found_by", "location"),
    Chained("decision", "version, basis, lead, answer, decided_at, decided_by"),
    Chained("party", "version, department, role, jurisdiction, called_at, mandatory"),
    Chained(
        "move",
        f"version, name, from_state, to_state, actor, role, department, at, said_at, fields - {_SAID}",
        "fields",
    ),
    Chained("party_step", f"id, version, department, step, by, at, said_at, fields - {_SAID}", "fields"),
    Chained(
        "handoff",
        "id, move_version, from_department, to_department, from_unit, to_unit, by, at, geom",
        "reason",
    ),
    Chained(
        "clock",
        "name, department, version, event, started_at, limit_value, limit_unit, extensions, pauses, due_at, warn_at,"
        " stopped_at, reason, at, by",
    ),
    Chained("lateness", "department, clock, due_at, found_at"),
    Chained(
        "appeal",
        f"id, department, clock, due_at, by_department, fields - {_SAID}, asked_by, asked_at",
        "fields",
    ),
    Chained("appeal_answer", f"appeal_id, granted, fields - {_SAID}, by, at", "fields"),
)


@dataclass(frozen=True)
class Digest:
    """What a line stands for, by its entry's id."""

    entry_id: int
    facts: bytes
    words: bytes


def link(before: bytes, seq: int, digest: Digest) -> bytes:
    """Return the hash of a link: of the one before it, its number, its entry and its digests."""
    numbers = f"{seq} {digest.entry_id} ".encode()
    return hashlib.sha256(before + numbers + digest.facts + digest.words).digest()


# The same in SQL, over a window of links.
LINK = """sha256(coalesce(lag(hash) OVER (ORDER BY seq), CAST(:before AS bytea))
    || convert_to(seq || ' ' || entry_id || ' ', 'UTF8') || facts || words)"""


def settle(session: Session) -> None:
    """See everything, and have values written as text in one way, whoever asks; for this transaction."""
    session.execute(_SETTLED)


def digests(session: Session, salts: Sequence[tuple[int, bytes]]) -> list[Digest]:
    """Take the digests of entries (id, salt), in their order."""
    given = {"ids": [entry_id for entry_id, _ in salts], "salts": [salt for _, salt in salts]}
    found = {row.id: Digest(row.id, bytes(row.facts), bytes(row.words)) for row in session.execute(_OF_MANY, given)}
    return [found[entry_id] for entry_id, _ in salts]


def taken(asked: str) -> str:
    """Write the query that takes digests: id, facts, words. asked: a query that gives id and salt."""
    parts = " UNION ALL ".join(_part(each) for each in TABLES)
    return f"""
    WITH asked AS MATERIALIZED ({asked}), line AS MATERIALIZED (
        SELECT asked.id, asked.salt, entry.issue_id, entry.change,
               CAST(ROW(entry.issue_id, kind, params, ground, actor, at) AS text) AS facts,
               entry.issue_id IS NOT NULL AND NOT EXISTS (
                   SELECT FROM entry AS first
                   WHERE first.issue_id = entry.issue_id AND first.change = entry.change AND first.id < entry.id
               ) AS first
        FROM asked JOIN entry ON entry.id = asked.id
    )
    SELECT line.id,
           sha256(convert_to(line.facts || coalesce(said.facts, ''), 'UTF8')) AS facts,
           sha256(coalesce(line.salt, '') || convert_to(coalesce(said.words, ''), 'UTF8')) AS words
    FROM line LEFT JOIN LATERAL (
        SELECT string_agg(part.name || part.facts, E'\\n' ORDER BY part.name COLLATE "C", part.facts COLLATE "C")
                   AS facts,
               string_agg(part.name || part.words, E'\\n'
                          ORDER BY part.name COLLATE "C", part.facts COLLATE "C", part.words COLLATE "C") AS words
        FROM ({parts}) AS part
        WHERE line.first
    ) AS said ON true
    """


def _part(each: Chained) -> str:
    words = f"CAST(ROW({each.words}) AS text)" if each.words else "CAST(NULL AS text)"
    return (
        f"SELECT '{each.table}' AS name, CAST(ROW({each.facts}) AS text) AS facts, {words} AS words FROM {each.table}"
        f" WHERE {each.table}.{each.issue_id} = line.issue_id AND {each.table}.change = line.change"
    )


def _of_many() -> TextClause:
    asked = "SELECT id, salt FROM unnest(CAST(:ids AS bigint[]), CAST(:salts AS bytea[])) AS given (id, salt)"
    return text(taken(asked))


_SETTLED = text("""
SELECT set_config('shaotu.scope', '*', true), set_config('timezone', 'UTC', true),
       set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
       set_config('extra_float_digits', '1', true)
""")
_OF_MANY = _of_many()

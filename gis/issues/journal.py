"""Append-only entries: the history of each issue, the audit log, and the source of the live stream.

An entry's id is given when it is written, not when it is committed, so ids alone would let a reader pass by a
transaction that commits late. Committed entries therefore get a second number from one sealer at a time: it is dense,
and what it numbers next is always behind what was numbered before. With its number an entry is bound into the chain.

A line's parameters are facts for good: codes, numbers, names of accounts. Free text and personal data stand elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg2.extras import Json as AsJson
from psycopg2.extras import execute_values
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import chain

CHANNEL = "shaotu_journal"
# Number of the advisory lock that lets one sealer work at a time.
SEALER = 0x5AA1
PAGE_ROWS = 2000
SALT_BYTES = 16
# Lines about no issue: what people did to the installation. They are for the audit alone, not for screens.
SIGNED_IN, SIGN_IN_REFUSED, RULES_CHANGED, ACCOUNT_CHANGED = (
    "signed_in", "sign_in_refused", "rules_changed", "account_changed",
)  # fmt: skip
# Somebody read in full who reported an issue.
UNMASKED = "unmasked"
AUDIT = frozenset({SIGNED_IN, SIGN_IN_REFUSED, RULES_CHANGED, ACCOUNT_CHANGED})

Json = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """What is to be written. ground: units as net:level:code, they decide who may read it."""

    kind: str
    issue_id: int | None = None
    params: Json = field(default_factory=dict)
    ground: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sealed:
    """A committed line with its number in the stream."""

    seq: int
    line: Line
    actor: str
    at: datetime


@dataclass(frozen=True)
class Head:
    """The last link of the chain: its number, and a hash that stands for everything before it."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq} {self.hash.hex()}"


def append(session: Session, line: Line, *, by: str, now: datetime) -> None:
    """Write a line into the journal, with the change it tells of."""
    append_all(session, [line], by=by, now=now)


def append_all(session: Session, lines: Iterable[Line], *, by: str, now: datetime) -> None:
    """Write lines into the journal in their order, and wake whoever listens once this commits."""
    rows = [(line.issue_id, line.kind, AsJson(line.params), list(line.ground), by, now) for line in lines]
    if not rows:
        return
    with db.driver_cursor(session) as cursor:
        execute_values(
            cursor,
            _WRITTEN,
            rows,
            template="(%s, %s, %s, %s::text[], %s, %s)",
            page_size=2000,
        )


def seal(session: Session) -> int:
    """Give committed lines that have none their number and their link, PAGE_ROWS at most; return how many got one.

    The caller commits, and comes again while pages are full. In the transaction that wrote a line it is not sealed.
    """
    # Waits for another sealer instead of leaving: that one may have looked before our line was committed. The lock is
    # a statement of its own, so that the next one looks at the table as it is after the wait.
    session.execute(text("SELECT pg_advisory_xact_lock(:sealer)"), {"sealer": SEALER})
    ids = sorted(session.scalars(_TAKEN, {"most": PAGE_ROWS}))
    if not ids:
        return 0
    chain.settle(session)
    salts = [secrets.token_bytes(SALT_BYTES) for _ in ids]
    last = head(session)
    seq, before, rows = last.seq, last.hash, []
    for digest, salt in zip(chain.digests(session, list(zip(ids, salts, strict=True))), salts, strict=True):
        seq += 1
        before = chain.link(before, seq, digest)
        rows.append((seq, digest.entry_id, digest.facts, digest.words, salt, before))
    with db.driver_cursor(session) as cursor:
        execute_values(cursor, _SEALED, rows, page_size=PAGE_ROWS)
    db.see_as(session, session.info["scope"])
    return len(rows)


def head(session: Session) -> Head:
    """Return the last link, that of nothing when there is none."""
    row = session.execute(_HEAD).one_or_none()
    return Head(row.seq, bytes(row.hash)) if row else Head(0, chain.START)


def after(session: Session, seq: int, limit: int) -> list[Sealed]:
    """Read sealed lines behind a number, in order."""
    rows = session.execute(
        text("""
        SELECT seal.seq, entry.kind, entry.issue_id, entry.params, entry.ground, entry.actor, entry.at
        FROM seal JOIN entry ON entry.id = seal.entry_id
        WHERE seal.seq > :seq ORDER BY seal.seq LIMIT :limit
        """),
        {"seq": seq, "limit": limit},
    )
    return [
        Sealed(row.seq, Line(row.kind, row.issue_id, row.params, tuple(row.ground)), row.actor, row.at) for row in rows
    ]


def history(session: Session, issue_id: int) -> Sequence[Json]:
    """List what happened to an issue, first things first."""
    rows = session.execute(
        text("SELECT kind, params, actor, at FROM entry WHERE issue_id = :issue_id ORDER BY id"),
        {"issue_id": issue_id},
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 -- the documented way to a row's names


# The notification is part of the statement: one way less to the database for each move.
_WRITTEN = f"""
WITH written AS (INSERT INTO entry (issue_id, kind, params, ground, actor, at) VALUES %s RETURNING id),
     queued AS (INSERT INTO unsealed SELECT id FROM written RETURNING entry_id)
SELECT pg_notify('{CHANNEL}', '') FROM queued LIMIT 1
"""
_TAKEN = text("""
DELETE FROM unsealed WHERE entry_id IN (SELECT entry_id FROM unsealed ORDER BY entry_id LIMIT :most)
RETURNING entry_id
""")
_SEALED = "INSERT INTO seal (seq, entry_id, facts, words, salt, hash) VALUES %s"
_HEAD = text("SELECT seq, hash FROM seal ORDER BY seq DESC LIMIT 1")

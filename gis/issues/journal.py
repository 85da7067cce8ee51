"""Append-only entries: the history of each issue, and the source of the live stream.

An entry's id is given when it is written, not when it is committed, so ids alone would let a reader pass by a
transaction that commits late. Committed entries therefore get a second number from one sealer at a time: it is dense,
and what it numbers next is always behind what was numbered before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg2.extras import Json as AsJson
from psycopg2.extras import execute_values
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db

CHANNEL = "shaotu_journal"
# Number of the advisory lock that lets one sealer work at a time.
SEALER = 0x5AA1

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
            "WITH written AS (INSERT INTO entry (issue_id, kind, params, ground, actor, at) VALUES %s RETURNING id)"
            " INSERT INTO unsealed SELECT id FROM written",
            rows,
            template="(%s, %s, %s, %s::text[], %s, %s)",
            page_size=2000,
        )
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def seal(session: Session) -> int:
    """Give every committed line that has none its number; return how many got one."""
    # Waits for another sealer instead of leaving: that one may have looked before our line was committed. The lock is
    # a statement of its own, so that the next one looks at the table as it is after the wait.
    session.execute(text("SELECT pg_advisory_xact_lock(:sealer)"), {"sealer": SEALER})
    sealed = session.execute(
        text("""
        WITH taken AS (DELETE FROM unsealed RETURNING entry_id)
        INSERT INTO seal (seq, entry_id)
        SELECT (SELECT coalesce(max(seq), 0) FROM seal) + row_number() OVER (ORDER BY entry_id), entry_id FROM taken
        RETURNING seq
        """)
    )
    return len(sealed.all())


def head(session: Session) -> int:
    """Return the highest number given, 0 when there is none."""
    return session.execute(text("SELECT coalesce(max(seq), 0) FROM seal")).scalar_one()


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

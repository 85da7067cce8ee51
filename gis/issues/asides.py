"""How whistles and what goes beside a decision stand, as digests that go into the journal's lines about them.

Their rows are changed as things go on, so no link of the chain can stand for them. A line of a move that touches them
carries a digest of each table's rows of the issue, and the chain binds the line: rows that are otherwise than the last
line says were changed by no move. Words are left out; those that came with a move are bound as the move's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import whistle_moves

# In the parameters of a line: table -> digest of its rows of that issue.
PARAM = "beside"
MOVES = frozenset(move.name for move in whistle_moves.CALLS)


@dataclass(frozen=True)
class Altered:
    """Rows of an issue that are otherwise than its last line about them says. code: None where the issue is gone."""

    code: str | None
    tables: tuple[str, ...]


def digests(session: Session, issue_id: int) -> dict[str, str]:
    """Take the digests of an issue's rows as they stand in this transaction; a table without rows has none."""
    found: dict[str, str] | None = session.scalar(_OF_ISSUE, {"issue_id": issue_id})
    return found or {}


def bound(session: Session, issue_id: int) -> dict[str, Any]:
    """Give the parameter by which a line binds an issue's rows."""
    return {PARAM: digests(session, issue_id)}


def altered(session: Session) -> Iterator[Altered]:
    """Hold all rows against the last lines about them; needs to see everything."""
    for row in session.execute(_ALTERED):
        now, told = row.now or {}, row.told or {}
        tables = sorted(name for name in {*now, *told} if now.get(name) != told.get(name))
        yield Altered(row.code, tuple(tables))


# Table -> its facts. Times are taken by UTC, so that no session's own zone is in a digest.
_FACTS: Mapping[str, str] = {
    "whistle": "code, number, split_from, type, by_unit, by, blown_at, departments, report_by, item, held_by,"
    " answer_due_at, state, answered_by, called_at, called_version, ended_at, ended_version",
    "whistle_review": "whistle_id, department, by_unit, score, by, at",
    "escalation": "id, move_version, whistle_id, from_unit, to_unit, by, at, due_at",
    "errand": "number, kind, department, units, by, at, due_at, late_at, done_at, done_by",
    "consultation": "number, by, at, due_at, late_at, held_at, held_by, lead, agreement",
    "joint_record": "number, sides, by, at",
    "joint_signature": "number, side, department, by, at",
    "line_confirmation": "id, move_version, units, result, department, by, at, geom",
}
_TIMES = frozenset({
    "blown_at", "report_by", "answer_due_at", "called_at", "ended_at", "at", "due_at", "late_at", "done_at", "held_at",
})  # fmt: skip


def _column(table: str, name: str) -> str:
    column = f"{table}.{name}"
    return f"{column} AT TIME ZONE 'UTC'" if name in _TIMES else f"CAST({column} AS text)"


def _part(table: str, facts: str) -> str:
    columns = ", ".join(_column(table, name) for name in facts.split(", "))
    of_issue = f"JOIN whistle ON whistle.id = {table}.whistle_id" if table == "whistle_review" else ""
    issue_id = f"{'whistle' if of_issue else table}.issue_id"
    return f"""
    SELECT {issue_id} AS issue_id, '{table}' AS name, CAST(jsonb_build_array({columns}) AS text) AS facts
    FROM {table} {of_issue} WHERE {{condition}} {issue_id}"""


def _taken(condition: str) -> str:
    """Write the query that takes digests: issue_id, digests. condition: begins a condition that an issue_id ends."""
    rows = " UNION ALL ".join(_part(table, facts) for table, facts in _FACTS.items()).format(condition=condition)
    return f"""
    SELECT issue_id, jsonb_object_agg(name, digest) AS digests FROM (
        SELECT issue_id, name, encode(sha256(convert_to(
                   string_agg(facts, E'\\n' ORDER BY facts COLLATE "C"), 'UTF8')), 'hex') AS digest
        FROM ({rows}) AS row_of GROUP BY issue_id, name
    ) AS of_table GROUP BY issue_id"""


_OF_ISSUE = text(f"SELECT digests FROM ({_taken(':issue_id =')}) AS taken")
# What the last line about an issue says; an issue whose rows are all gone has a line still.
_ALTERED = text(f"""
WITH told AS (
    SELECT DISTINCT ON (issue_id) issue_id, params -> '{PARAM}' AS digests FROM entry
    WHERE issue_id IS NOT NULL AND jsonb_exists(params, '{PARAM}') ORDER BY issue_id, id DESC
)
SELECT issue.code, taken.digests AS now, told.digests AS told
FROM ({_taken('0 <')}) AS taken FULL JOIN told ON told.issue_id = taken.issue_id
LEFT JOIN issue ON issue.id = coalesce(taken.issue_id, told.issue_id)
WHERE taken.digests IS DISTINCT FROM told.digests AND (taken.digests IS NOT NULL OR told.digests <> '{{}}')
ORDER BY issue.code
""")


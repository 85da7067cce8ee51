"""The table of long work: who asked for what, how far it is, what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg2.extras import Json as AsJson
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound, Problems, ShaotuError

Json = dict[str, Any]

WAITING, RUNNING, DONE, REFUSED, FAILED = "waiting", "running", "done", "refused", "failed"
ENDED = (DONE, REFUSED, FAILED)
# Class of the advisory locks by which whoever carries a task out holds it; who dies lets go of it.
HOLD = 0x5AC0
TOLD_MOST = 500
BOOKLET = "booklet"
# Kinds whose outcome only who asked for them may have; anybody may ask, for so many at once.
OWN, OPEN_MOST = frozenset({BOOKLET}), 3


@dataclass(frozen=True)
class Task:
    """A task as it stands. step: the code of what is being done; fault: a code, its parameters, and problems."""

    id: int
    kind: str
    params: Json
    state: str
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    step: str | None
    done_n: int
    total_n: int
    outcome: Json | None
    fault: Json | None

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will come of it."""
        return self.state in ENDED


def put(session: Session, kind: str, params: Json, *, by: str, now: datetime) -> int:
    """Ask for a task; return its number. Raise Conflict when enough of one's own are open."""
    if kind in OWN and session.scalar(_OPEN_N, {"kind": kind, "by": by}) >= OPEN_MOST:
        raise Conflict("tasks.enough_open", most=OPEN_MOST)
    row = {"kind": kind, "params": _as_json(params), "own": kind in OWN, "by": by, "now": now}
    return int(session.execute(_PUT, row).scalar_one())


def get(session: Session, task_id: int) -> Task:
    """Return a task; raise NotFound."""
    row = session.execute(_GET, {"id": task_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("tasks.none", task=task_id)
    return Task(**row)


def find(session: Session, kinds: Sequence[str] | None = None, most: int = 50) -> list[Task]:
    """List tasks, the last asked for first."""
    asked = {"kinds": None if kinds is None else list(kinds), "most": most}
    return [Task(**row) for row in session.execute(_FIND, asked).mappings()]


def unattended(session: Session) -> list[int]:
    """List what waits, and what nobody holds any more though it was begun; the first asked for first."""
    return list(session.scalars(_UNATTENDED, {"hold": HOLD}))


def begin(session: Session, task_id: int, now: datetime) -> bool:
    """Say that a waiting task is carried out now; False if it does not wait."""
    return session.execute(_BEGIN, {"id": task_id, "now": now}).one_or_none() is not None


def tell(session: Session, task_id: int, step: str, done_n: int, total_n: int) -> None:
    """Say how far a task is."""
    session.execute(_TELL, {"id": task_id, "step": step, "done_n": done_n, "total_n": total_n})


def end(session: Session, task_id: int, state: str, now: datetime, **came: Json | None) -> None:
    """Say what came of a task. came: outcome, or fault."""
    row = {name: None if came.get(name) is None else _as_json(came[name]) for name in ("outcome", "fault")}
    session.execute(_END, row | {"id": task_id, "state": state, "now": now})


def remove(session: Session, task_id: int) -> bool:
    """Remove a task that is over; say whether it was there to be removed."""
    return session.execute(_REMOVE, {"id": task_id}).one_or_none() is not None


def clear(session: Session, before: datetime) -> list[int]:
    """Remove what was over before a moment, and return the numbers."""
    return list(session.scalars(_CLEAR, {"before": before}))


def names(session: Session, word: str) -> bool:
    """Say whether any task was asked for with this word in it."""
    return bool(session.scalar(_NAMES, {"word": word}))


def as_fault(error: ShaotuError) -> Json:
    """Write a refusal down, with the first of its problems."""
    told: Json = {"code": error.code, "params": error.params}
    if isinstance(error, Problems):
        told |= {"problems": [as_fault(each) for each in error.problems[:TOLD_MOST]], "problems_n": len(error.problems)}
    return told


def _as_json(said: object) -> AsJson:
    return AsJson(said, dumps=partial(json.dumps, ensure_ascii=False, default=str))


_COLUMNS = (
    "id, kind, params, state, asked_by, asked_at, started_at, ended_at, step, done_n, total_n, outcome, fault"
)
_PUT = text("""
INSERT INTO task (kind, params, own, state, asked_by, asked_at)
VALUES (:kind, :params, :own, 'waiting', :by, :now) RETURNING id
""")
_OPEN_N = text("""
SELECT count(*) FROM task WHERE kind = :kind AND asked_by = :by AND state IN ('waiting', 'running')
""")
_GET = text(f"SELECT {_COLUMNS} FROM task WHERE id = :id")
_FIND = text(f"""
SELECT {_COLUMNS} FROM task WHERE CAST(:kinds AS text[]) IS NULL OR kind = ANY(:kinds) ORDER BY id DESC LIMIT :most
""")
_UNATTENDED = text("""
SELECT id FROM task WHERE state IN ('waiting', 'running') AND NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = :hold AND objid = CAST(task.id AS oid)
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY id
""")
_BEGIN = text("UPDATE task SET state = 'running', started_at = :now WHERE id = :id AND state = 'waiting' RETURNING id")
_TELL = text("UPDATE task SET step = :step, done_n = :done_n, total_n = :total_n WHERE id = :id")
_END = text("""
UPDATE task SET state = :state, ended_at = :now, outcome = :outcome, fault = :fault, step = NULL WHERE id = :id
""")
_OVER = "state IN ('done', 'refused', 'failed')"
_REMOVE = text(f"DELETE FROM task WHERE id = :id AND {_OVER} RETURNING id")
_CLEAR = text(f"DELETE FROM task WHERE ended_at <= :before AND {_OVER} RETURNING id")
_NAMES = text("SELECT EXISTS (SELECT FROM task WHERE position(:word IN CAST(params AS text)) > 0)")

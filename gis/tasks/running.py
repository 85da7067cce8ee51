"""Carrying a task out, by one at a time: who holds it has a lock, and whoever dies lets go of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine, text

from gis import db
from gis.errors import ShaotuError
from gis.settings import Settings
from gis.tasks import queue
from gis.tasks.kinds import KINDS, Work

log = structlog.get_logger()


def run(engine: Engine, settings: Settings, task_id: int) -> str | None:
    """Carry a task out and return how it ended; None if somebody else holds it, or it is over.

    One that was begun and that nobody holds has broken off: it is said so, and not begun again by itself. What it had
    not finished was never written.
    """
    with _held(engine, task_id) as is_ours:
        if not is_ours:
            return None
        with db.session(engine, db.EVERYTHING) as session:
            task = queue.get(session, task_id)
            begun = queue.begin(session, task_id, datetime.now(UTC))
            session.commit()
        if task.is_over:
            return None
        work = Work(engine, settings, task)
        return _carry_out(work) if begun else _end(work, queue.FAILED, fault={"code": "tasks.broken_off", "params": {}})


def _carry_out(work: Work) -> str:
    try:
        outcome = KINDS[work.task.kind](work)
    except ShaotuError as refused:
        return _end(work, queue.REFUSED, fault=queue.as_fault(refused))
    except Exception as error:
        log.exception("task failed", task=work.task.id, kind=work.task.kind)
        fault = {"code": "tasks.fault", "params": {"reason": type(error).__name__}}
        return _end(work, queue.FAILED, fault=fault)
    return _end(work, queue.DONE, outcome=outcome)


def _end(work: Work, state: str, **came: queue.Json) -> str:
    with work.session() as session:
        queue.end(session, work.task.id, state, datetime.now(UTC), **came)
    return state


@contextmanager
def _held(engine: Engine, task_id: int) -> Iterator[bool]:
    """Hold a task for as long as this connection lives; say whether it is ours."""
    key = {"hold": queue.HOLD, "id": task_id}
    with engine.connect() as connection:
        ours = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:hold, :id)"), key))
        connection.commit()
        try:
            yield ours
        finally:
            if ours:
                connection.execute(text("SELECT pg_advisory_unlock(:hold, :id)"), key)
                connection.commit()

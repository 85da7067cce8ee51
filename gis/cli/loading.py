"""Taking in a large file: batches in several processes, each a transaction, taken again if the database was away."""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Unavailable
from gis.issues import bulk, files
from gis.issues.intake import Clerk
from gis.issues.tables import Load
from gis.settings import Settings

# A database that is restarted is back by then; the load goes on by itself. After the last wait it says how to go on.
WAITS_S: tuple[float, ...] = (1, 2, 4, 8, 15, 30)
WORKERS_MOST = 4
# A smaller file is done before a second process has read the ground.
ALONE_ROWS = 6000

Answer = TypeVar("Answer")


def load_file(engine: Engine, file: Path, mapping_path: Path, clerk: Clerk, workers: int | None = None) -> Load:
    """File every report of a file, going on where an earlier run broke off; return the counts."""
    table = files.open_table(file)
    job = in_transaction(engine, lambda session: bulk.begin(session, file, mapping_path, now=clerk.now))
    if workers is None:
        small = table.rows_n is not None and table.rows_n - job.rows_done <= ALONE_ROWS
        workers = 1 if small else min(WORKERS_MOST, os.cpu_count() or 1)
    take_all = _alone if workers == 1 else partial(_together, workers)
    with _progress() as progress:
        bar = progress.add_task(file.name, total=table.rows_n, completed=job.rows_done)
        for done in take_all(engine, job, table.rows, clerk):
            progress.update(bar, completed=done)
    return in_transaction(engine, lambda session: bulk.finish(session, job, now=datetime.now(UTC)))


def in_transaction(engine: Engine, work: Callable[[Session], Answer]) -> Answer:
    """Do a piece of work and commit it; while the database is away, wait and do it again."""
    for wait_s in WAITS_S:
        try:
            return _once(engine, work)
        except (SQLAlchemyError, Unavailable) as error:
            known = db.foreseen(error) if isinstance(error, SQLAlchemyError) else error
            if not isinstance(known, Unavailable):
                raise
            time.sleep(wait_s)
    return _once(engine, work)


def _once(engine: Engine, work: Callable[[Session], Answer]) -> Answer:
    with db.session(engine, db.EVERYTHING) as session:
        # What was read is still asked for when the transaction is over.
        session.expire_on_commit = False
        answer = work(session)
        session.commit()
        return answer


def _alone(engine: Engine, job: bulk.Job, rows: Iterator[files.Row], clerk: Clerk) -> Iterator[int]:
    """Take batch after batch; yield the rows done after each."""
    for done, batch in bulk.batches(job, rows):
        in_transaction(engine, partial(bulk.take, job=job, done=done, batch=batch, clerk=clerk))
        yield done + len(batch)


def _together(
    workers: int, engine: Engine, job: bulk.Job, rows: Iterator[files.Row], clerk: Clerk
) -> Iterator[int]:
    """Take as many batches at once as there are workers; yield the rows done after each, in the order of the file."""
    named = replace(clerk.settings, database_url=engine.url.render_as_string(hide_password=False))
    # Spawned, not forked: this process has threads of Arrow and connections that must not be shared.
    with ProcessPoolExecutor(workers, get_context("spawn"), _hire, (named,)) as pool:
        under_way: deque[tuple[int, Future[None]]] = deque()
        for done, batch in bulk.batches(job, rows):
            under_way.append((done + len(batch), pool.submit(_take, job, done, batch, clerk)))
            if len(under_way) > workers:
                yield _next(under_way)
        while under_way:
            yield _next(under_way)


def _next(under_way: deque[tuple[int, Future[None]]]) -> int:
    done, taken = under_way.popleft()
    taken.result()
    return done


# The engine of a worker process, opened once for all its batches.
_OWN: list[Engine] = []


def _hire(settings: Settings) -> None:
    # A batch is millions of small values that all live to its end and go without the collector's help; looking through
    # them for circles again and again costs a quarter of the time.
    gc.disable()
    _OWN.append(db.connect(settings))


def _take(job: bulk.Job, done: int, batch: list[files.Row], clerk: Clerk) -> None:
    in_transaction(_OWN[0], partial(bulk.take, job=job, done=done, batch=batch, clerk=clerk))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

"""The worker: jobs from a table, each held by whoever runs it; a worker that is killed lets go of what it held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TypeVar

import click
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from gis import db, jobs
from gis import settings as product
from gis.issues.messages import channels
from gis.jobs import Job, Work
from gis.settings import Settings

log = structlog.get_logger()
Due = TypeVar("Due")

# Three jobs may take long, an index, tiles and what was asked for: beside them one is left that seals and watches.
THREADS = 4
# How often a thread with nothing to do looks again, and how long a fault lets it rest.
IDLE_S, FAULT = 0.25, timedelta(seconds=10)
# A worker that died is started again after this, and one that is asked to stop gets this long.
RESTART_S, STOP_S = 1.0, 10.0


def enrol(engine: Engine, known: tuple[Job, ...]) -> None:
    """Enter jobs that the table does not know; they are due at once."""
    with db.session(engine, db.EVERYTHING) as session:
        session.execute(_ENROL, {"names": [job.name for job in known], "now": datetime.now(UTC)})
        session.commit()


def turn(engine: Engine, settings: Settings, known: tuple[Job, ...], now: datetime) -> bool:
    """Do one job that is due and that nobody does, and say whether there was one; a fault in it is logged, not raised.

    Its row is locked as long as it runs: who dies lets go of it, and no clock decides.
    """
    by_name = {job.name: job for job in known}
    every_s = [job.every.total_seconds() for job in known]
    with db.session(engine, db.EVERYTHING) as session:
        asked = {"names": list(by_name), "every_s": every_s, "now": now}
        name = session.scalar(_CLAIM, asked)
        if name is None:
            return False
        job = by_name[name]
        fault = None
        try:
            more = job.run(Work(engine, settings, now))
        except Exception as error:
            log.exception("job failed", job=name)
            more, fault = False, type(error).__name__
        ended_at = datetime.now(UTC)
        next_at = ended_at if more else ended_at + (max(job.every, FAULT) if fault else job.every)
        done = {"name": name, "now": now, "ended_at": ended_at, "next_at": next_at, "fault": fault}
        session.execute(_DONE, done)
        session.commit()
    return True


def work(settings: Settings, stopping: threading.Event, starter: int) -> None:
    """Do jobs with a thread for each channel and some for all else, until asked to stop, or the starter is gone."""
    engine, known = db.connect(settings), jobs.registry(settings)
    enrol(engine, known)
    threads = [
        threading.Thread(target=_go_on, args=(engine, settings, known, stopping), name=f"worker-{nth}", daemon=True)
        for nth in range(THREADS + len(channels.table(settings.channels)))
    ]
    for thread in threads:
        thread.start()
    while not stopping.wait(IDLE_S):
        if os.getppid() != starter:
            stopping.set()
    for thread in threads:
        thread.join(STOP_S / len(threads))
    engine.dispose()


def _go_on(engine: Engine, settings: Settings, known: tuple[Job, ...], stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            busy = turn(engine, settings, known, datetime.now(UTC))
        except SQLAlchemyError as error:
            log.warning("worker lost the database", reason=str(error).strip().split("\n")[0])
            busy = False
            stopping.wait(RESTART_S)
        if not busy:
            stopping.wait(IDLE_S)


@click.command()
@click.option("--alone", is_flag=True, help="Work in this process, and be started again by nobody.")
@click.option("--starter", type=int, hidden=True, help="Who has to be there for it to go on.")
def worker(alone: bool, starter: int | None) -> None:
    """Send messages, seal the journal, watch due times, until stopped. A worker that dies is started again."""
    stopping = threading.Event()

    def stop(_sign: int, _frame: FrameType | None) -> None:
        stopping.set()

    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, stop)
    if alone:
        work(product.load(), stopping, starter or os.getppid())
    else:
        db.migrate(db.connect_owner(product.load()))
        _watch(stopping, starter or os.getppid())


def _watch(stopping: threading.Event, starter: int) -> None:
    """Keep a worker going, as long as whoever started us is there."""
    while not stopping.is_set():
        command = [sys.executable, "-m", "gis", "worker", "--alone", "--starter", str(os.getpid())]
        # Ctrl-C is for us: we end it.
        child = subprocess.Popen(command, start_new_session=True)
        while child.poll() is None and not stopping.wait(IDLE_S):
            if os.getppid() != starter:
                stopping.set()
        if not stopping.is_set():
            log.warning("worker died", code=child.returncode)
            stopping.wait(RESTART_S)
    _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_S + RESTART_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    # what it had begun beside itself goes with it: nothing of a stopped product works on
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)


_ENROL = text("""
INSERT INTO job (name, next_at) SELECT unnest(CAST(:names AS text[])), :now ON CONFLICT (name) DO NOTHING
""")
# Further ahead than it could have been set: the clock was set back since.
_CLAIM = text("""
SELECT job.name FROM job JOIN unnest(CAST(:names AS text[]), CAST(:every_s AS float8[])) AS known (name, every_s)
    ON known.name = job.name
WHERE next_at <= :now OR next_at > CAST(:now AS timestamptz) + (every_s + 60) * interval '1 second'
ORDER BY next_at LIMIT 1 FOR UPDATE OF job SKIP LOCKED
""")
_DONE = text("""
UPDATE job SET next_at = :next_at, started_at = :now, ended_at = :ended_at, runs_n = runs_n + 1,
       faults_n = faults_n + CASE WHEN CAST(:fault AS text) IS NULL THEN 0 ELSE 1 END, fault = :fault
WHERE name = :name
""")

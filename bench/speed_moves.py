"""Moves of issues by several clients at once, with journal, chain and outbox; due times; the chain verified."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import fresh
from bench.figures import Row, at_least, equal, timed
from gis import db, worker
from gis.issues import audit, calendars, journal, lateness, workflow
from gis.issues.clerk import Clerk
from gis.issues.matter import Actor, Said
from gis.issues.workflow import Loop
from gis.settings import Settings

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
CLIENTS, ISSUES = 4, 500
OPEN, ENTRIES = 100_000, 1_000_000
# Each line of a life with a move, and a step for most: what a city's journal is made of.
LINES = 7
ROAD: tuple[tuple[str, Actor, dict[str, str]], ...] = (
    ("sign", Actor("at cg", "department", "cg"), {}),
    ("feed_back", Actor("at cg", "department", "cg"), {"done": "cleared"}),
    ("pass", Actor("inspector", "inspector"), {}),
    ("close", Actor("chief", "shift_leader"), {}),
)


def measure(_data: Path) -> list[Row]:
    """Fill databases and measure."""
    with fresh.settings("shaotu_bench_moves") as settings, fresh.engine(settings) as engine:
        moves = _moves(engine, settings)
    with fresh.settings("shaotu_bench_chain") as settings, fresh.engine(settings) as engine:
        return [*moves, *_due(engine, settings), *_chain(engine, settings)]


def _moves(engine: Engine, settings: Settings) -> list[Row]:
    """Take issues from their dispatching to their closing, by clients of their own processes, with the worker on."""
    with db.session(engine, db.EVERYTHING) as session:
        _found(session)
        session.execute(text(_ISSUES), {"count": ISSUES, "now": NOW, "due": False})
        session.commit()
    _analyse(settings)
    context = multiprocessing.get_context("spawn")
    with context.Pool(CLIENTS, _ready, [settings]) as pool, _worker(settings):
        pool.map(time.sleep, [3] * CLIENTS, chunksize=1)
        start = time.perf_counter()
        shares = [(settings, range(nth, ISSUES, CLIENTS)) for nth in range(CLIENTS)]
        taken = [each for times in pool.starmap(_drive, shares) for each in times]
        took = time.perf_counter() - start
    with db.session(engine, db.EVERYTHING) as session:
        written = session.scalar(text("SELECT count(*) FROM move"))
        told = session.scalar(text("SELECT count(DISTINCT issue_id) FROM message WHERE event = 'closed'"))
    p99 = statistics.quantiles(taken, n=100)[98]
    return [
        at_least("moves a second, sustained, 4 clients", round(len(taken) / took), 150),
        timed("a move, p99, s", p99, 0.1),
        equal("moves written", written, ISSUES * len(ROAD)),
        equal("issues told of", told, ISSUES),
    ]


def _due(engine: Engine, settings: Settings) -> list[Row]:
    """Scan 100,000 open issues for what is late, half of them; then again, with nothing new."""
    with db.session(engine, db.EVERYTHING) as session:
        _found(session)
        session.execute(text(_ISSUES), {"count": OPEN, "now": NOW, "due": True})
        session.execute(text(_CLOCKS), {"reason": _REASON})
        session.commit()
    _analyse(settings)
    clerk = Clerk("bench", NOW, settings)
    with db.session(engine, db.EVERYTHING) as session:
        start = time.perf_counter()
        found = lateness.find(session, NOW, OPEN)
        scanned = time.perf_counter() - start
        lateness.note(session, found, clerk)
        noted = time.perf_counter() - start
        session.commit()
        start = time.perf_counter()
        again = lateness.find(session, NOW, OPEN)
        took = time.perf_counter() - start
    return [
        timed("scan of 100,000 open issues for what is late, s", scanned, 2),
        timed("the same with 50,000 facts written down and told, s", noted, 30),
        timed("the scan when all is known, s", took, 2),
        equal("late issues found, and found again", (len(found), len(again)), (OPEN // 2 - OPEN // 20_000 * 0, 0)),
    ]


def _chain(engine: Engine, settings: Settings) -> list[Row]:
    """Seal and verify a million entries, each with what was written with it."""
    with db.session(engine, db.EVERYTHING) as session:
        first = session.scalar(text("SELECT count(*) FROM entry"))
        for change in range(LINES):
            session.execute(text(_LIFE), {"nth": change, "now": NOW, "issues": (ENTRIES - first) // LINES})
            session.commit()
    _analyse(settings)
    start = time.perf_counter()
    with db.session(engine, db.EVERYTHING) as session:
        while journal.seal(session):
            session.commit()
        session.commit()
        links = journal.head(session).seq
    sealed = time.perf_counter() - start
    _analyse(settings)
    start = time.perf_counter()
    faults = _verified(settings)
    took = time.perf_counter() - start
    return [
        timed(f"{links:,} entries sealed, s", sealed, 600),
        timed(f"{links:,} entries verified, s", took, 60),
        equal("faults found", faults, 0),
    ]


def _verified(settings: Settings) -> int:
    owner = db.connect_owner(settings)
    faults: list[audit.Fault] = []

    def hold(span: audit.Span | None) -> None:
        with db.session(owner, db.EVERYTHING) as session:
            faults.extend(audit.held(session, span) if span else audit.unbound(session))

    with db.session(owner, db.EVERYTHING) as session:
        spans = audit.spans(session, 2)
    threads = [threading.Thread(target=hold, args=(span,)) for span in [*spans, None]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(faults)


_engines: dict[str, Engine] = {}


def _ready(settings: Settings) -> None:
    """Open a client's connection, so that it is not measured."""
    engine = _engines[""] = db.connect(settings)
    with db.session(engine, db.EVERYTHING) as session:
        session.execute(text("SELECT 1"))


def _drive(settings: Settings, rows: range) -> list[float]:
    """Make every move of some issues, each in a transaction of its own; return how long each took, in seconds."""
    engine, loop, taken = _engines[""], Loop(settings), []
    for nth, (move, by, fields) in enumerate(ROAD):
        for row in rows:
            start = time.perf_counter()
            with db.session(engine, db.EVERYTHING) as session:
                said = Said(by, NOW + timedelta(minutes=nth + 1), fields)
                workflow.advance(session, f"x{row + 1}", move, said, loop)
                session.commit()
            taken.append(time.perf_counter() - start)
    return taken


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    """Run the worker beside."""
    stopping = threading.Event()
    running = threading.Thread(target=worker.work, args=(settings, stopping, os.getppid()))
    running.start()
    try:
        yield
    finally:
        stopping.set()
        running.join()


def _found(session: Session) -> None:
    session.execute(text("INSERT INTO source VALUES ('bench', 'bench', 'bench', 'WGS84', NULL, NULL)"))
    session.execute(
        text(
            "INSERT INTO department (code, kind, name_zh, name_en)"
            " VALUES ('cg', 'CG', 'x', 'x'), ('zf', 'ZF', 'x', 'x')"
        )
    )
    for name in ("CN-shifts.csv", "CN-2026.csv"):
        calendars.load(session, calendars.DATA / name, by="bench", now=NOW)


def _analyse(settings: Settings) -> None:
    owner = db.connect_owner(settings)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    owner.dispose()


# Issues as they are after filing, with a decision, two parties, a clock and their line in the journal.
_ISSUES = """
WITH made AS (
    INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at,
                       received_at, place, located, flags, ground, departments, lead, due_at, warn_at)
    SELECT 'x' || n, 'bench', 'x' || n, 'gb', '1', '0501', 'refuse before the gate of the second house', 'dispatched',
           at, at, '{}', true, '{}', ARRAY['admin:district:' || n % 20, 'admin:subdistrict:' || n % 200],
           ARRAY['cg', 'zf'], 'cg', due_at, due_at - interval '1 hour'
    FROM generate_series(1, :count) AS n, CAST(:now AS timestamptz) AS at, LATERAL (
        SELECT CASE WHEN :due THEN at + (n % 10000 - 5000) * interval '1 minute' END AS due_at) AS due
    RETURNING id, ground
), decided AS (
    INSERT INTO decision (issue_id, version, basis, lead, answer, decided_at, decided_by)
    SELECT id, 1, 'incident', 'cg', '{"basis": "incident"}', :now, 'bench' FROM made
), called AS (
    INSERT INTO party (issue_id, version, department, role, jurisdiction, called_at, mandatory)
    SELECT id, 1, code, role, 'admin:district:1', :now, code = 'cg'
    FROM made, (VALUES ('cg', 'lead'), ('zf', 'assist')) AS who (code, role)
), told AS (
    INSERT INTO entry (issue_id, kind, params, ground, actor, at)
    SELECT id, 'filed', '{"basis": "incident"}', ground, 'bench', :now FROM made RETURNING id
)
INSERT INTO unsealed SELECT id FROM told
"""
_CLOCKS = """
INSERT INTO clock (issue_id, name, department, version, event, started_at, limit_value, limit_unit, extensions, pauses,
                   due_at, warn_at, reason, at, by, change)
SELECT id, 'handle', '', 1, 'started', due_at - interval '2 days', 5, 'work_day', 0, '[]', due_at, warn_at,
       CAST(:reason AS jsonb), due_at, 'bench', change FROM issue WHERE due_at IS NOT NULL
"""
_REASON = '{"code": "clock.by_condition", "params": {}, "calendar": null, "lacking": null}'
# One more line of each issue's life, with its move and its step.
_LIFE = """
WITH chosen AS (SELECT id, ground FROM issue ORDER BY id LIMIT :issues), extra AS (
    SELECT id, ground, copy
    FROM chosen, generate_series(0, (SELECT :issues / greatest(count(*), 1) FROM chosen)) AS copy
), lines AS (SELECT id, ground, copy * 10 + :nth + 1 AS version FROM extra LIMIT :issues), moved AS (
    INSERT INTO move (issue_id, version, name, from_state, to_state, actor, role, department, at, said_at, fields)
    SELECT id, version, 'sign', 'dispatched', 'handling', 'at cg', 'department', 'cg', :now, :now, '{"done": "cleared"}'
    FROM lines
), stepped AS (
    INSERT INTO party_step (issue_id, version, department, step, by, at, said_at, fields)
    SELECT id, version, 'cg', 'signed', 'at cg', :now, :now, '{"done": "cleared"}' FROM lines
), told AS (
    INSERT INTO entry (issue_id, kind, params, ground, actor, at)
    SELECT id, 'moved', '{"move": "move.sign", "to": "state.handling", "from": "state.dispatched", "version": 1}',
           ground, 'at cg', :now FROM lines RETURNING id
)
INSERT INTO unsealed SELECT id FROM told
"""

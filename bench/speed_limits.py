"""Due times of 100,000 open issues among a million: the scan, the list, and a calendar that is mended."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import fresh
from bench.figures import Row, equal, timed
from gis import db
from gis.issues import calendars, clocks, listing
from gis.issues.clerk import Clerk
from gis.issues.listing import Filters
from gis.settings import Settings

ISSUES, OPEN = 1_000_000, 100_000
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
# Some due soon, half of the open ones overdue; all others were closed.
_ISSUES = """
INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at, received_at,
                   place, located, flags, ground, departments, due_at, warn_at)
SELECT 'x' || n, 'bench', 'x' || n, 'gb', '1', '0501', 'issue', 'filed', at - n * interval '1 minute', at, '{}', true,
       '{}', ARRAY['admin:district:' || n % 20], '{}', due_at, due_at - interval '1 hour'
FROM generate_series(1, :issues) AS n, CAST(:now AS timestamptz) AS at,
     LATERAL (SELECT CASE WHEN n <= :open THEN at + (n % 10000 - 5000) * interval '1 minute' END AS due_at) AS due
"""
_CLOCKS = """
INSERT INTO clock (issue_id, name, department, version, event, started_at, limit_value, limit_unit, extensions, pauses,
                   due_at, warn_at, reason, at, by)
SELECT id, 'handle', '', 1, 'started', due_at - interval '2 days', 5, 'work_day', 0, '[]', due_at, warn_at,
       CAST(:reason AS jsonb), due_at, 'bench' FROM issue WHERE due_at IS NOT NULL
"""
_REASON = '{"code": "clock.by_condition", "params": {}, "calendar": null, "lacking": null}'


def measure(_data: Path) -> list[Row]:
    """Fill a database and ask it."""
    with fresh.settings("shaotu_bench_limits") as settings, fresh.engine(settings) as engine:
        _fill(engine, settings)
        asked: dict[str, Callable[[Session], object]] = {
            "scan of 100,000 open issues, s": lambda session: len(clocks.scan(session, now=NOW)),
            "50 of a million, overdue, first due first, s": lambda session: len(
                listing.rows(session, Filters(dues=("overdue",), at=NOW), order="due")
            ),
        }
        goals = (2.0, 0.15)
        rows = [
            timed(what, _seconds(engine, ask), goal) for (what, ask), goal in zip(asked.items(), goals, strict=True)
        ]
        start = time.perf_counter()
        with db.session(engine, db.EVERYTHING) as session:
            moved = clocks.set_anew(session, Clerk("bench", NOW, settings))
            session.commit()
        took = time.perf_counter() - start
        return [*rows, timed("100,000 clocks set anew, s", took, 120), equal("clocks set anew", moved, OPEN)]


def _fill(engine: Engine, settings: Settings) -> None:
    with db.session(engine, db.EVERYTHING) as session:
        session.execute(text("INSERT INTO source VALUES ('bench', 'bench', 'bench', 'WGS84', NULL, NULL)"))
        session.execute(text(_ISSUES), {"issues": ISSUES, "open": OPEN, "now": NOW})
        session.execute(text(_CLOCKS), {"reason": _REASON})
        for name in ("CN-shifts.csv", "CN-2026.csv"):
            calendars.load(session, calendars.DATA / name, by="bench", now=NOW)
        session.commit()
    owner = db.connect_owner(settings)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    owner.dispose()


def _seconds(engine: Engine, ask: Callable[[Session], object]) -> float:
    """Ask three times, each in a session of its own; the quickest counts."""
    taken = []
    for _ in range(3):
        with db.session(engine, db.EVERYTHING) as session:
            start = time.perf_counter()
            ask(session)
            taken.append(time.perf_counter() - start)
    return min(taken)

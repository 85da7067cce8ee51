"""Lists of a million issues: fifty by any saved view, as each kind of reader; and the work lists over its open ones.

python -m bench.speed --data DATA --report var/bench.md --only "Lists of a million issues"
BENCH_ISSUES=20000 makes it small.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench import fresh, million
from bench.figures import Row, timed, told
from gis import db
from gis.db import Scope
from gis.issues import paging, worklists
from gis.issues.ledgers import lines
from gis.issues.ledgers.lines import Reader
from gis.issues.listing import Filters
from gis.issues.matter import Actor
from gis.issues.moves import INSPECTED
from gis.issues.paging import Asked
from gis.people.accounts import CLERK, DEPARTMENT, DISPATCHER, INSPECTOR, SHIFT_LEADER

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
GOAL_S = 0.15
DAY = timedelta(days=1)
OPEN = ("filed", "dispatched", "handling", "fed_back", "inspected", "returned")
# What people keep as views: each filter alone, and as they are joined.
VIEWS = (
    Filters(), Filters(states=OPEN), Filters(states=("closed",)), Filters(states=(INSPECTED,)),
    Filters(states=("self_handled",)), Filters(categories=("E1",)), Filters(categories=("E140",)),
    Filters(categories=("E3", "E77", "E101")), Filters(departments=("d77",)), Filters(units=("admin:district:3",)),
    Filters(units=("admin:subdistrict:200",)), Filters(units=("admin:community:4242",)),
    Filters(units=("unit_grid:cell:50001",)), Filters(flags=("straddles",)), Filters(marks=("relapse",)),
    Filters(marks=("struck",)), Filters(dues=("overdue",), at=NOW), Filters(dues=("soon",), at=NOW),
    Filters(sources=("s1",)), Filters(sources=("s6",)), Filters(since=NOW - 7 * DAY),
    Filters(since=NOW - 400 * DAY, until=NOW - 370 * DAY), Filters(states=OPEN, departments=("d77",)),
    Filters(states=OPEN, units=("admin:district:3",)), Filters(dues=("overdue",), units=("admin:district:3",), at=NOW),
    Filters(categories=("E9",), units=("admin:district:3",), states=("closed",)),
    Filters(flags=("straddles",), states=("voided",)), Filters(since=NOW - 30 * DAY, categories=("E2",)),
    Filters(since=NOW - 700 * DAY, until=NOW - 300 * DAY, categories=("E90",)),
    # Words that one in twenty thousand has, in a thousand, a hundred, thirty, five; none; a sign alone; a code.
    Filters(text="管廊"), Filters(text="流浪犬"), Filters(text="夜间施工"), Filters(text="信号灯"),
    Filters(text="垃圾"), Filters(text="熊猫"), Filters(text="犬"), Filters(text="99010000000000424242"),
    Filters(text="路灯", states=OPEN), Filters(text="流浪犬", units=("admin:district:3",)),
    Filters(text="噪声", units=("admin:subdistrict:200",)), Filters(text="漂浮物", since=NOW - 30 * DAY),
    Filters(text="井盖", categories=("E9",), states=("closed",)),
)  # fmt: skip
READERS = {
    "the city": db.EVERYTHING,
    "a district": Scope(units=(("admin", "district", "3"),), username="li"),
    "a grid": Scope(units=(("governance", "grid", "4242"),), username="wang"),
    "a department": Scope(department="d77", username="zhao"),
}
SEATS = (
    Actor("d", DISPATCHER), Actor("s", SHIFT_LEADER), Actor("c", CLERK), Actor("i", INSPECTOR),
    Actor("x", DEPARTMENT, "d77"),
)  # fmt: skip


def measure(_data: Path) -> list[Row]:
    """Fill a database and turn to the first page of each view, twice."""
    issues = int(os.environ.get("BENCH_ISSUES", str(million.ISSUES)))
    with fresh.settings("shaotu_bench_lists") as settings, fresh.engine(settings) as engine:
        million.fill(engine, settings, NOW, issues=issues)
        return [told("issues", issues), *_of_readers(engine), _of_seats(engine)]


def _of_readers(engine: Engine) -> Iterator[Row]:
    everything: list[float] = []
    for name, scope in READERS.items():
        taken = [
            _seconds(engine, scope, _page(view, order)) for view in VIEWS for order in paging.ORDERS for _ in range(2)
        ]
        everything += taken
        yield timed(f"50 by {len(VIEWS)} views in {len(paging.ORDERS)} orders, as {name}, p95, s", _p95(taken), GOAL_S)
    yield timed("the same, all readers, p95, s", _p95(everything), GOAL_S)
    yield told("the same, median and slowest, s", f"{statistics.median(everything):.4f}, {max(everything):.3f}")


def _of_seats(engine: Engine) -> Row:
    taken = [
        _seconds(engine, Scope(all=not seat.department, department=seat.department or ""), _desk(seat))
        for seat in SEATS
        for _ in range(3)
    ]
    return timed("the work list of the slowest seat, a tenth of the issues open, s", max(taken), 0.5)


def _page(view: Filters, order: str) -> Callable[[Session], object]:
    reader = Reader("zh", ZoneInfo("Asia/Shanghai"), NOW)

    def ask(session: Session) -> object:
        return lines.of(session, paging.page(session, Asked(view, order)).ids, reader)

    return ask


def _desk(seat: Actor) -> Callable[[Session], object]:
    return lambda session: worklists.of(session, seat)


def _seconds(engine: Engine, scope: Scope, ask: Callable[[Session], object]) -> float:
    with db.session(engine, scope) as session:
        session.connection()
        start = time.perf_counter()
        ask(session)
        return time.perf_counter() - start


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]

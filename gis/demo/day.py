"""A day of the demo city while one watches: reports that come in one by one, as people's days go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from gis import db
from gis.demo import crew, patrol, roster, voices
from gis.demo.city import City
from gis.demo.history import Json, Teller
from gis.errors import ShaotuError
from gis.issues import intake, workflow
from gis.settings import Settings

BY = "gis demo live"
# Seconds between two reports at the busiest hour; at night it is three times as long.
PAUSE_S, QUIET = 14.0, 3.0
# Every so often an operator finds out where an older report belongs.
PLACED = 0.10
# Moves of issues under way for each report that comes in.
MOVED = 3.0


@dataclass(frozen=True)
class Feed:
    """What a day needs: where reports go, by which settings, and how fast time runs (1: as in a lively city)."""

    engine: Engine
    settings: Settings
    speed: float = 1.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    wait: Callable[[float], None] = time.sleep


def live(city: City, feed: Feed, reports_n: int | None = None) -> Iterator[intake.Accepted]:
    """File reports as the day goes, and yield each; without end when no number is given."""
    zone = ZoneInfo(feed.settings.time_zone)
    start = feed.clock()
    rng = np.random.default_rng(int(start.timestamp()))
    teller, number = Teller(city, rng), 0
    _walk(city, feed, zone, rng)
    while reports_n is None or number < reports_n:
        number += 1
        feed.wait(pause_s(feed.clock().astimezone(zone).hour, rng) / feed.speed)
        now = feed.clock()
        data = teller.tell(f"L{start:%Y%m%d%H%M%S}-{number:05d}", now.astimezone(zone), _topic(teller, now, zone, rng))
        accepted = _filed(feed, data, zone)
        if accepted is not None:
            yield accepted
        if rng.random() < PLACED:
            _place_one(city, feed, rng)
        for _ in range(int(rng.poisson(MOVED))):
            _push_one(feed, rng)
        _walk(city, feed, zone, rng)


def pause_s(hour: int, rng: np.random.Generator) -> float:
    """Draw the pause before the next report, in seconds, at an hour of the day."""
    busy = voices.ANY[hour // 4] / max(voices.ANY)
    return float(rng.exponential(PAUSE_S * (QUIET - (QUIET - 1) * busy)))


def _topic(teller: Teller, now: datetime, zone: ZoneInfo, rng: np.random.Generator) -> voices.Topic | None:
    """Draw a topic that fits the hour; None leaves it to the places where things gather."""
    hour = now.astimezone(zone).hour
    for _ in range(8):
        topic = teller.topic()
        if rng.random() < topic.hours[hour // 4] / max(topic.hours):
            return topic
    return None


def _filed(feed: Feed, data: Json, zone: ZoneInfo) -> intake.Accepted | None:
    """File one report in a transaction of its own; while the database is away it waits and tries again."""
    for wait_s in (1.0, 2.0, 5.0, 10.0, 30.0):
        try:
            with db.session(feed.engine, db.EVERYTHING) as session:
                now = feed.clock()
                report = intake.parse_report(data, now=now, zone=zone)
                accepted = intake.accept(session, report, by=BY, now=now, settings=feed.settings)
                session.commit()
                return accepted
        except OperationalError:
            feed.wait(wait_s)
    return None


def _push_one(feed: Feed, rng: np.random.Generator) -> None:
    """Let somebody take the next step on one issue."""
    with db.session(feed.engine, db.EVERYTHING) as session:
        now = feed.clock()
        crew.Crew(workflow.Loop(feed.settings), rng, roster.spared(session)).push(session, now)
        session.commit()


def _walk(city: City, feed: Feed, zone: ZoneInfo, rng: np.random.Generator) -> None:
    """Let those who are outside go on; while the database is away they stand still."""
    with suppress(OperationalError):
        patrol.walk(feed.engine, city, feed.clock(), zone, rng)


def _place_one(city: City, feed: Feed, rng: np.random.Generator) -> None:
    """Put one report that has waited for it on the ground, as an operator would after a call."""
    with db.session(feed.engine, db.EVERYTHING) as session:
        waiting = session.scalars(
            text("SELECT code FROM issue WHERE state = 'to_locate' ORDER BY reported_at LIMIT 20")
        ).all()
        if not waiting:
            return
        house = city.buildings.geometry.iloc[int(rng.integers(len(city.buildings)))].representative_point()
        said = {"lon": house.x, "lat": house.y, "accuracy_m": 15.0, "accuracy_kind": "radius95"}
        try:
            intake.place(session, str(rng.choice(waiting)), said, intake.Clerk(BY, feed.clock(), feed.settings))
        except ShaotuError:
            return  # somebody else was faster, or the house stands on contested ground
        session.commit()

"""What the tests of the work desk and of the map share: an issue that waits, and the ways to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.people import accounts, positions
from gis.territory import locate
from tests import town
from tests.issues import looped
from tests.web.test_operator_page import _in

NEAR = {"lon": 120.52 - 10 / 96_000, "lat": 30.2555, "accuracy_m": 30}
Enter = Callable[..., Page]


def on_the_desk(office: Flask, number: int, **changes: object) -> str:
    """Put an issue across the line into the loop: `cg` leads, `sw` must come."""
    now = datetime.now(UTC)
    changes = {"at": now, "reported_at": now, **changes}

    def made(session: Session) -> str:
        session.execute(
            text("INSERT INTO department (code, kind, name_zh, name_en)"
                 " VALUES ('zf', 'ZF', '执法局', 'Enforcement') ON CONFLICT DO NOTHING")
        )  # fmt: skip
        return looped.across(session, number, **changes).code

    return _in(office, made)


def stand(office: Flask, username: str, x: float, y: float, minutes: int = 0) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        now = datetime.now(UTC)
        who = accounts.who(session, accounts.get(session, username), now.date())
        db.see_as(session, who.scope)
        lon, lat = town.lonlat(x, y)
        at = datetime.fromtimestamp(now.timestamp() - 60 * minutes, UTC)
        positions.leave(session, username)
        positions.report(session, who, locate.parse({"lon": lon, "lat": lat, "accuracy_m": 8}), at, now.date())
        session.commit()

"""Marble Hill: by the polygon Manhattan's, by habit the Bronx's. The polygon answers, an agreement may overrule it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from shapely.geometry import box
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench import cities
from bench.figures import Row, equal
from gis import db
from gis.issues import agreements, dispatch, jurisdiction
from gis.settings import Settings
from gis.territory import locate

HILL = (-73.9105, 40.8763)
DAY = date(2024, 6, 1)
MANHATTAN, BRONX = "borough:borough:1", "borough:borough:2"
# Boroughs answer for issues there, as districts do elsewhere.
PRACTICE = jurisdiction.Practice(net="borough", levels=("borough",))


def measure(engine: Engine) -> Iterator[Row]:
    """Ask whose an issue on the hill is, before and after the two boroughs agree."""
    with db.session(engine, db.EVERYTHING) as session:
        yield equal("Marble Hill by the polygon", _lead(session), MANHATTAN)
        agreed = agreements.Draft(
            "Marble Hill", box(-73.916, 40.873, -73.905, 40.879), (MANHATTAN, BRONX), BRONX, date(2020, 1, 1)
        )
        code = agreements.add(session, agreed, by=cities.BY, now=datetime.now(UTC))
        yield equal("Marble Hill by an agreement", _lead(session), BRONX)
        agreements.withdraw(session, code, now=datetime.now(UTC))
        yield equal("Marble Hill after the agreement was withdrawn", _lead(session), MANHATTAN)
        session.rollback()


def _lead(session: Session) -> str | None:
    location = locate.at(session, locate.parse({"lon": HILL[0], "lat": HILL[1]}), DAY)
    pacts = agreements.at(session, location.place.geometry, DAY)
    book = replace(dispatch.read_book(session, Settings()), practice=PRACTICE)
    case = jurisdiction.Case(scheme="nyc311", category="Noise")
    return jurisdiction.decide(case, location, pacts, book).lead_jurisdiction

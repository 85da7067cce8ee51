"""Those who are outside in the demo city: they walk from house to house, and their phones tell where they are."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.demo.city import City
from gis.people import accounts, positions
from gis.people.accounts import Who
from gis.territory import locate
from gis.territory.coords import Plane

# What somebody on foot makes between two looks.
STEP_M = 60.0
ACCURACY_M = 12.0


def walk(engine: Engine, city: City, now: datetime, zone: ZoneInfo, rng: np.random.Generator) -> int:
    """Let everybody who works outside take some steps; return how many told where they are."""
    on = now.astimezone(zone).date()
    with db.session(engine, db.EVERYTHING) as session:
        names = session.scalars(_OUTSIDE, {"roles": list(positions.ROLES)}).all()
        told = [_step(session, who, city, (now, on), rng) for name in names if (who := _who(session, name, on))]
        session.commit()
    return len(told)


def _who(session: Session, username: str, on: date) -> Who | None:
    db.see_as(session, db.EVERYTHING)
    account = accounts.find(session, username)
    return accounts.who(session, account, on) if account else None


def _step(session: Session, who: Who, city: City, when: tuple[datetime, date], rng: np.random.Generator) -> bool:
    """Let one person go on from where they were, or begin at a house of the own ground."""
    # one tells for oneself alone: the database sees to that
    db.see_as(session, who.scope)
    known = session.execute(_WHERE, {"username": who.username}).one_or_none()
    lon, lat = _next(known.lon, known.lat, city, rng) if known else _home(session, who, city, rng)
    place = locate.parse({"lon": lon, "lat": lat, "accuracy_m": ACCURACY_M})
    return positions.report(session, who, place, *when)


def _home(session: Session, who: Who, city: City, rng: np.random.Generator) -> tuple[float, float]:
    """Begin in the middle of the ground one answers for, or of what one's department serves; else at any house."""
    keys = [":".join(unit) for unit in who.scope.units]
    middle = session.execute(_MIDDLE, {"keys": keys, "department": who.department}).one_or_none()
    if middle:
        return middle.lon, middle.lat
    house = city.buildings.geometry.iloc[int(rng.integers(len(city.buildings)))].representative_point()
    return house.x, house.y


def _next(lon: float, lat: float, city: City, rng: np.random.Generator) -> tuple[float, float]:
    """Take steps towards the nearest of some houses."""
    plane = Plane(lon, lat)
    picked = city.buildings.geometry.iloc[rng.integers(len(city.buildings), size=40)].representative_point()
    x, y = plane.xy(picked.x.to_numpy(), picked.y.to_numpy())
    far = np.hypot(x, y)
    at = int(np.argmin(far))
    part = min(1.0, STEP_M / max(float(far[at]), 1.0))
    there = plane.lonlat(float(x[at]) * part, float(y[at]) * part)
    return float(there[0]), float(there[1])


_OUTSIDE = text("SELECT username FROM account WHERE active AND role = ANY(:roles) ORDER BY username")
_WHERE = text("SELECT ST_X(geom) AS lon, ST_Y(geom) AS lat FROM staff_position WHERE username = :username")
_MIDDLE = text("""
SELECT ST_X(unit.label_geom) AS lon, ST_Y(unit.label_geom) AS lat
FROM unit JOIN edition ON edition.id = unit.edition_id AND edition.state = 'active' AND edition.valid_to IS NULL
WHERE unit.net || ':' || unit.level || ':' || unit.code = ANY(
    CAST(:keys AS text[]) || ARRAY(SELECT net || ':' || level || ':' || unit_code FROM department
                                   WHERE code = :department AND unit_code IS NOT NULL))
ORDER BY unit.id LIMIT 1
""")

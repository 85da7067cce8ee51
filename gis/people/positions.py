"""Where staff on duty are: the last place each has told, for a dispatcher to see who is near. Never a track.

Whoever goes off duty takes the place back, and what is older than KEPT is forgotten: nobody is followed home.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.people.accounts import DEPARTMENT, INSPECTOR, LEADER, Who
from gis.territory import locate
from gis.territory.coords import BBox
from gis.territory.location import Place

Json = dict[str, Any]

# Who works outside.
ROLES = (LEADER, INSPECTOR, DEPARTMENT)
# A phone's clock may be a little ahead of ours, and behind it by as long as it was without a line.
AHEAD, KEPT = timedelta(minutes=5), timedelta(hours=2)
# From then on a place is told as old: who walks is half a kilometre on.
FRESH = timedelta(minutes=10)
SHOWN_MOST = 2000
NEAREST_N = 8


@dataclass(frozen=True)
class Position:
    """Where somebody was last. distance_m: geodesic, from the place asked about; None when none was."""

    username: str
    name: str
    role: str
    department: str | None
    at: datetime
    lon: float
    lat: float
    accuracy_m: float | None
    distance_m: float | None = None

    def as_dict(self, now: datetime) -> Json:
        """Render it as JSON, with whether it is too old to go by."""
        age_s = max(0, round((now - self.at).total_seconds()))
        return vars(self) | {"at": self.at.isoformat(), "age_s": age_s, "old": now - self.at > FRESH}


def check_time(at: datetime, now: datetime) -> datetime:
    """Return when somebody was there; raise Invalid for the future and for what would be forgotten at once."""
    if at > now + AHEAD or at < now - KEPT:
        raise Invalid("positions.bad_time", at=at.isoformat(), now=now.isoformat(timespec="seconds"))
    return min(at, now)


def report(session: Session, account: Who, place: Place, at: datetime, on: date) -> bool:
    """Keep where somebody is, unless a later place is known; return whether it was kept. on: the city's day.

    Raise Invalid where the place is no point.
    """
    if place.kind != "point":
        raise Invalid("positions.no_point", reason=place.reason or place.kind)
    ground = list(dict.fromkeys(unit.key for unit in locate.at(session, place, on).touched()))
    lon, lat = place.middle
    row = {name: getattr(account, name) for name in ("username", "name", "role", "department")}
    kept = session.execute(
        _KEEP, row | {"at": at, "accuracy_m": place.accuracy_m, "ground": ground, "lon": lon, "lat": lat}
    )
    return kept.scalar() is not None


def leave(session: Session, username: str) -> None:
    """Forget where somebody was: the duty is over."""
    session.execute(text("DELETE FROM staff_position WHERE username = :username"), {"username": username})


def now(session: Session, at: datetime, within: BBox | None = None, max_age: timedelta = KEPT) -> list[Position]:
    """List where staff are at a moment, of those the asker may see; the latest told first."""
    box = vars(within) if within else {"west": -180.0, "south": -90.0, "east": 180.0, "north": 90.0}
    asked = {"at": at, "since": at - max_age, "most": SHOWN_MOST}
    return [_position(row) for row in session.execute(_NOW, asked | box).mappings()]


def nearest(session: Session, place: tuple[float, float], at: datetime, limit: int = NEAREST_N) -> list[Position]:
    """List who is nearest to a place (lon, lat) at a moment, nearest first."""
    asked = {"lon": place[0], "lat": place[1], "at": at, "since": at - KEPT, "limit": limit}
    return [_position(row) for row in session.execute(_NEAREST, asked).mappings()]


def forget(session: Session, before: datetime) -> int:
    """Forget what was told before a moment; return how many that were."""
    gone = session.execute(text("DELETE FROM staff_position WHERE at < :before RETURNING 1"), {"before": before})
    return len(gone.all())


def _position(row: RowMapping) -> Position:
    return Position(**row)


_ROW = "username, name, role, department, at, ST_X(geom) AS lon, ST_Y(geom) AS lat, accuracy_m"
_KEEP = text("""
INSERT INTO staff_position AS known (username, name, role, department, at, accuracy_m, ground, geom)
VALUES (:username, :name, :role, :department, :at, :accuracy_m, CAST(:ground AS text[]),
        ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))
ON CONFLICT (username) DO UPDATE SET
    name = excluded.name, role = excluded.role, department = excluded.department, at = excluded.at,
    accuracy_m = excluded.accuracy_m, ground = excluded.ground, geom = excluded.geom
WHERE known.at < excluded.at RETURNING username
""")
_NOW = text(f"""
SELECT {_ROW} FROM staff_position
WHERE at > :since AND at <= :at AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
ORDER BY at DESC, username LIMIT :most
""")
# A city has some thousands outside at a time: measuring all of them is faster than an index that may not be used.
_NEAREST = text(f"""
SELECT {_ROW}, ST_Distance(CAST(geom AS geography),
                           CAST(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geography)) AS distance_m
FROM staff_position WHERE at > :since AND at <= :at ORDER BY distance_m, username LIMIT :limit
""")

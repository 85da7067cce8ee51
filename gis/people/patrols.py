"""Patrols: where somebody walked, kept for some days, and how much of their ground that was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import moments
from gis.errors import Invalid
from gis.territory import coords

Json = dict[str, Any]

# A fix less exact than this says nothing of which cell somebody stood in.
ACCURACY_MOST_M = 50.0
# So far from its edge a street is still walked along: the width of a pavement, and of the fix.
ALONG_M = 20.0
FIXES_MOST = 500
CLIENT_ID_LONGEST = 80


@dataclass(frozen=True)
class Fix:
    """Where somebody stood at a moment, in WGS 84, and how exact that is."""

    at: datetime
    lon: float
    lat: float
    accuracy_m: float


@dataclass(frozen=True)
class Walk:
    """A part of a patrol as a phone sends it. client_id: the phone's own number for the patrol."""

    client_id: str
    fixes: tuple[Fix, ...]
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Coverage:
    """What of somebody's ground was walked in a period: cells entered and named streets walked along."""

    cells_n: int
    cells_visited_n: int
    streets_n: int
    streets_walked_n: int

    @property
    def share(self) -> float | None:
        """The part of the cells that were entered; None without cells."""
        return self.cells_visited_n / self.cells_n if self.cells_n else None


@dataclass(frozen=True)
class Ground:
    """What is to be covered: units by their ids, and of those in force the net and level of the smallest cells.

    lanes: whether the streets in them are to be walked too; who answers for one line answers for no other street.
    """

    unit_ids: Sequence[int]
    edition_ids: Sequence[int]
    net: str
    level: str
    lanes: bool = True


def parse(said: Mapping[str, Any], *, now: datetime) -> Walk:
    """Read a walk; raise Invalid at what is none. A moment ahead of our clock is taken for now."""
    client_id, listed = said.get("patrol"), said.get("fixes")
    if not isinstance(client_id, str) or not 1 <= len(client_id) <= CLIENT_ID_LONGEST:
        raise Invalid("patrol.no_number")
    if not isinstance(listed, list) or len(listed) > FIXES_MOST:
        raise Invalid("patrol.too_many_fixes", most=FIXES_MOST)
    fixes = tuple(_fix(each, now) for each in listed)
    started_at = _moment(said.get("started_at"), now)
    ended_at = None if said.get("ended_at") is None else _moment(said["ended_at"], now)
    return Walk(client_id, fixes, started_at, ended_at)


def _fix(said: object, now: datetime) -> Fix:
    if not isinstance(said, dict):
        raise Invalid("patrol.bad_fix", value=str(said)[:80])
    lon, lat, accuracy_m = (_number(said.get(name), said) for name in ("lon", "lat", "accuracy_m"))
    if not (-180 <= lon <= 180 and -90 <= lat <= 90 and accuracy_m >= 0):
        raise Invalid("patrol.bad_fix", value=str(said)[:80])
    return Fix(_moment(said.get("at"), now), lon, lat, accuracy_m)


def _number(value: object, said: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Invalid("patrol.bad_fix", value=str(said)[:80])
    return float(value)


def _moment(said: object, now: datetime) -> datetime:
    return min(moments.parse(said), now)


def keep(session: Session, username: str, walk: Walk) -> int:
    """Keep a part of a patrol and return how many fixes were new; sent twice it is one."""
    asked = {"username": username, "client_id": walk.client_id}
    session.execute(_BEGIN, asked | {"started_at": walk.started_at})
    patrol_id = session.execute(_END, asked | {"ended_at": walk.ended_at}).scalar_one()
    return _add(session, patrol_id, walk.fixes)


def _add(session: Session, patrol_id: int, fixes: Iterable[Fix]) -> int:
    columns: dict[str, list[object]] = {
        name: [getattr(fix, name) for fix in fixes] for name in ("at", "lon", "lat", "accuracy_m")
    }
    return len(session.execute(_ADD, columns | {"patrol_id": patrol_id}).all())


def coverage(session: Session, username: str, ground: Ground, since: datetime, until: datetime) -> Coverage:
    """Measure what somebody covered of their ground in [since, until)."""
    asked: Json = {
        "username": username, "units": list(ground.unit_ids), "editions": list(ground.edition_ids),
        "net": ground.net, "level": ground.level, "lanes": ground.lanes, "since": since, "until": until,
        "most_m": ACCURACY_MOST_M,
    }  # fmt: skip
    east, north = coords.metres_per_degree(float(session.scalar(_LATITUDE, asked) or 0.0))
    row = session.execute(_COVERED, asked | {"east": float(east), "north": float(north), "along_m": ALONG_M}).one()
    return Coverage(*row)


def tracks(session: Session, username: str, since: datetime, until: datetime) -> list[Json]:
    """List the patrols of somebody that began in [since, until), each with its line as GeoJSON coordinates."""
    rows = session.execute(_TRACKS, {"username": username, "since": since, "until": until}).mappings()
    return [dict(row) | {name: row[name] and row[name].isoformat() for name in ("started_at", "ended_at")}
            for row in rows]  # fmt: skip


def walkers(session: Session, since: datetime, until: datetime) -> list[Json]:
    """List who was on patrol in [since, until), without where they went: patrols and minutes on the way."""
    return [dict(row) for row in session.execute(_WALKERS, {"since": since, "until": until}).mappings()]


def forget(session: Session, before: datetime) -> int:
    """Delete the patrols that began before a moment, tracks and all; return how many."""
    return len(session.scalars(_FORGET, {"before": before}).all())


_BEGIN = text("""
INSERT INTO patrol (username, client_id, started_at) VALUES (:username, :client_id, :started_at)
ON CONFLICT (username, client_id) DO NOTHING
""")
_END = text("""
UPDATE patrol SET ended_at = coalesce(CAST(:ended_at AS timestamptz), ended_at)
WHERE username = :username AND client_id = :client_id RETURNING id
""")
_ADD = text("""
INSERT INTO patrol_fix (patrol_id, at, accuracy_m, geom)
SELECT :patrol_id, at, accuracy_m, ST_SetSRID(ST_MakePoint(lon, lat), 4326)
FROM unnest(CAST(:at AS timestamptz[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]),
            CAST(:accuracy_m AS float8[])) AS said (at, lon, lat, accuracy_m)
ON CONFLICT DO NOTHING RETURNING at
""")
_LATITUDE = text("SELECT ST_Y(ST_Centroid(ST_Extent(geom))) FROM unit WHERE id = ANY(:units)")
# A cell belongs to the ground its label stands in: so a cell on the edge belongs to one patch and not to two. The scale
# makes distances metres; a day's fixes as one shape are compared by its own tree.
_COVERED = text("""
WITH patch AS MATERIALIZED (SELECT geom FROM unit WHERE id = ANY(:units)),
walked AS MATERIALIZED (
    SELECT ST_Collect(fix.geom) AS geom FROM patrol_fix AS fix JOIN patrol ON patrol.id = fix.patrol_id
    WHERE patrol.username = :username AND fix.at >= :since AND fix.at < :until AND fix.accuracy_m <= :most_m
), cell AS (
    SELECT DISTINCT ON (unit.id) unit.id, coalesce(ST_Intersects(unit.geom, walked.geom), false) AS visited
    FROM patch JOIN unit ON unit.geom && patch.geom AND ST_Covers(patch.geom, unit.label_geom) CROSS JOIN walked
    WHERE unit.edition_id = ANY(:editions) AND unit.net = :net AND unit.level = :level
), lane AS (
    SELECT DISTINCT ON (street.id) street.id, coalesce(ST_DWithin(
        ST_Scale(ST_Intersection(street.geom, patch.geom), :east, :north), ST_Scale(walked.geom, :east, :north),
        :along_m), false) AS visited
    FROM patch JOIN street ON street.geom && patch.geom AND ST_Intersects(street.geom, patch.geom) CROSS JOIN walked
    WHERE :lanes AND street.name <> '' ORDER BY street.id, visited DESC
)
SELECT (SELECT count(*) FROM cell), (SELECT count(*) FROM cell WHERE visited),
       (SELECT count(*) FROM lane), (SELECT count(*) FROM lane WHERE visited)
""")
_TRACKS = text("""
SELECT patrol.client_id AS patrol, patrol.started_at, patrol.ended_at,
       coalesce((SELECT json_agg(json_build_array(round(CAST(ST_X(geom) AS numeric), 6),
                                                  round(CAST(ST_Y(geom) AS numeric), 6)) ORDER BY at)
                 FROM patrol_fix WHERE patrol_id = patrol.id), '[]') AS line
FROM patrol WHERE username = :username AND started_at >= :since AND started_at < :until ORDER BY started_at
""")
_WALKERS = text("""
SELECT patrol.username, account.name, count(*) AS patrols_n,
       CAST(coalesce(sum(extract(epoch FROM coalesce(ended_at, last.at, started_at) - started_at)), 0) / 60 AS int)
           AS minutes
FROM patrol JOIN account ON account.username = patrol.username
LEFT JOIN LATERAL (SELECT max(at) AS at FROM patrol_fix WHERE patrol_id = patrol.id) AS last ON true
WHERE started_at >= :since AND started_at < :until
GROUP BY patrol.username, account.name ORDER BY patrol.username
""")
_FORGET = text("DELETE FROM patrol WHERE started_at < :before RETURNING id")

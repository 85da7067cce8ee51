"""The operator's door to standing agreements: list, enter, withdraw; and what lies under a drawn piece of ground."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import Any

import shapely
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.issues import agreements, journal
from gis.issues.jurisdiction import practice
from gis.people.accounts import ADMINISTRATOR, OPERATOR, PLANNER
from gis.territory import places, units
from gis.territory.places import streets
from gis.web import asked, auth

Json = dict[str, Any]

pages = Blueprint("agreements", __name__, url_prefix="/map")

SEE = (OPERATOR, ADMINISTRATOR, PLANNER)
ENTER = (OPERATOR, ADMINISTRATOR)
# How far from a street's edge a click still means it.
STREET_REACH_M = 30.0
# A unit that the drawn ground only grazes is no party by default; a person may still add it.
LEAST_SHARE = 0.005


@pages.get("/agreements")
@auth.require(*SEE)
def listed() -> Json:
    """Answer with the agreements on record, the newest first."""
    session, on = auth.session(), auth.today()
    return {"agreements": [_shown(session, each, on) for each in agreements.find(session)]}


def _record(what: str) -> None:
    line = journal.Line(journal.RULES_CHANGED, None, {"what": what})
    journal.append(auth.session(), line, by=auth.current().username, now=datetime.now(UTC))


@pages.post("/agreements")
@auth.require(*ENTER)
def enter() -> ResponseReturnValue:
    """Put an agreement on record."""
    draft = agreements.parse(asked.body())
    code = agreements.add(auth.session(), draft, by=auth.current().username, now=datetime.now(UTC))
    _record(f"agreement {code}")
    auth.session().commit()
    return {"code": code}, 201


@pages.post("/agreements/<code>/withdraw")
@auth.require(*ENTER)
def withdraw(code: str) -> Json:
    """End an agreement for issues to come."""
    agreements.withdraw(auth.session(), code, now=datetime.now(UTC))
    _record(f"agreement {code} withdrawn")
    auth.session().commit()
    return {"code": code}


@pages.post("/agreements/parties")
@auth.require(*ENTER)
def parties() -> Json:
    """Answer with the jurisdictions under a drawn piece of ground, the largest part first."""
    try:
        drawn = shapely.from_geojson(json.dumps(asked.body().get("geometry")), on_invalid="raise")
    except shapely.errors.GEOSException as error:
        raise Invalid("agreements.no_geometry") from error
    if drawn.is_empty:
        raise Invalid("agreements.no_geometry")
    return {"units": _under(auth.session(), shapely.make_valid(drawn))}


@pages.get("/street")
@auth.require(*ENTER)
def street() -> Json:
    """Answer with the street at a place, as the polygon it is; with to_lon, to_lat the stretch of it up to there."""
    session = auth.session()
    nearby = places.nearest(session, "street", [_point()], STREET_REACH_M)[0]
    if nearby is None:
        raise NotFound("web.no_street", reach_m=STREET_REACH_M)
    found = session.execute(
        text("""
        SELECT geom::text AS geom, centre_geom::text AS centre, coalesce(width_m, area_m2 / greatest(length_m, 1)) AS m
        FROM street WHERE id = :id
        """),
        {"id": nearby.id},
    ).one()
    drawn, width_m = shapely.from_wkb(found.geom), _number("width_m", found.m)
    if "to_lon" in request.args:
        if found.centre is None:
            raise Invalid("web.no_centre_line", name=nearby.name)
        drawn = streets.stretch(shapely.from_wkb(found.centre), (_point(), _point("to_lon", "to_lat")), width_m)
    shape = json.loads(shapely.to_geojson(drawn))
    return {
        "id": nearby.id,
        "name": nearby.name,
        "name_en": nearby.name_en,
        "width_m": round(width_m, 1),
        "geometry": shape,
    }


def _under(session: Session, drawn: shapely.Geometry) -> list[Json]:
    """List the units of the levels that can answer for an issue, by their part of the drawn ground."""
    going_by = practice.load(auth.settings())
    rows = session.execute(
        text(f"""
        WITH drawn AS (SELECT ST_SetSRID(ST_GeomFromWKB(:drawn), 4326) AS geom)
        SELECT {units.REF}, ST_Area(ST_Intersection(u.geom, drawn.geom)) / nullif(ST_Area(drawn.geom), 0) AS share
        FROM drawn JOIN unit u ON u.geom && drawn.geom AND ST_Intersects(u.geom, drawn.geom)
        JOIN edition e ON e.id = u.edition_id JOIN level l ON l.net = u.net AND l.code = u.level
        WHERE {units.IN_FORCE} AND u.net = :net AND u.level = ANY(:levels)
        ORDER BY l.rank DESC, share DESC, u.code LIMIT 12
        """),
        {"drawn": shapely.to_wkb(drawn), "on": auth.today(), "net": going_by.net, "levels": list(going_by.levels)},
    ).mappings()
    return [
        units.ref(row).as_dict()
        | {"key": units.ref(row).key, "share": row["share"], "left": (row["share"] or 0) < LEAST_SHARE}
        for row in rows
    ]


def _shown(session: Session, each: agreements.Agreement, on: date) -> Json:
    geometry = json.loads(each.geometry)
    west, south, east, north = shapely.bounds(shapely.from_geojson(each.geometry))
    named = {unit.key: unit.as_dict() for unit in units.patch(session, [each.lead, *each.parties], on)}
    return {
        "code": each.code,
        "title": each.title,
        "categories": list(each.categories),
        "parties": [named.get(key, {"name": key}) | {"key": key} for key in each.parties],
        "lead": named.get(each.lead, {"name": each.lead}) | {"key": each.lead},
        "document": each.document,
        "valid_from": each.valid_from.isoformat(),
        "valid_to": each.valid_to and each.valid_to.isoformat(),
        "created_by": each.created_by,
        "open": each.withdrawn_at is None and (each.valid_to is None or on < each.valid_to),
        "geometry": geometry,
        "box": [west, south, east, north],
    }


def _point(lon: str = "lon", lat: str = "lat") -> tuple[float, float]:
    return _number(lon), _number(lat)


def _number(name: str, otherwise: float | None = None) -> float:
    """Read a number of the question; raise Invalid."""
    said = request.args.get(name, otherwise)
    try:
        number = float("nan" if said is None else said)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid("web.bad_point")
    return number

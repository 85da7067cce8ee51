"""What the map can be asked about the ground: who answers for a unit, what lies across its lines, where a name is."""

from __future__ import annotations

from typing import Any

import shapely
from flask import Blueprint, request
from shapely.geometry import mapping
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.issues import listing
from gis.people import departments
from gis.people.accounts import ADMINISTRATOR, OPERATOR
from gis.planning import dossiers
from gis.territory import geocode, places, units
from gis.territory.location import UnitRef
from gis.web import auth, dossier

Json = dict[str, Any]

pages = Blueprint("atlas", __name__, url_prefix="/map")

LEAST_QUERY = 2
FOUND_MOST = 6
STRADDLERS_MOST = 200
# About a decimetre: nothing a screen could show is lost.
SCREEN_DEG = 1e-6


@pages.get("/units/<net>/<level>/<code>")
@auth.require()
def unit_card(net: str, level: str, code: str) -> Json:
    """Answer with a unit: what it stands in, which departments serve it, who answers for ground in it."""
    session, on = auth.session(), auth.today()
    unit = units.get(session, net, level, code, on)
    chain = [unit, *_above(session, unit)]
    keys = [each.key for each in chain]
    about = session.execute(
        text("""
        SELECT unit.area_m2, edition.name AS edition, edition.valid_from, edition.source,
               ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north,
               (SELECT count(*) FROM issue WHERE issue.ground && ARRAY[:key]) AS issues_n
        FROM unit JOIN edition ON edition.id = unit.edition_id WHERE unit.id = :id
        """),
        {"id": unit.id, "key": unit.key},
    ).one()
    return {
        "unit": unit.as_dict() | {"key": unit.key, "area_m2": about.area_m2},
        "edition": {"name": about.edition, "valid_from": about.valid_from.isoformat(), "source": about.source},
        "box": [about.west, about.south, about.east, about.north],
        "geometry": next(iter(dossier.outlines(session, [unit.key])), {}).get("geometry"),
        "issues_n": about.issues_n,
        "chain": [each.as_dict() for each in reversed(chain)],
        "departments": [
            {"ground": key, "departments": [each.as_dict() for each in departments.find(session, ground=key)]}
            for key in keys
        ],
        "areas": _areas(session, unit),
        "others": _others(session, unit),
        "neighbours": [each.as_dict() for each in units.neighbours(session, unit)],
        "dossier": _dossier(session, unit),
    }


@pages.get("/units/<int:unit_id>")
@auth.require()
def unit_named(unit_id: int) -> Json:
    """Answer with the code and the name of a unit, for what the pointer rests on where tiles carry neither."""
    asked = text(f"SELECT {units.REF} FROM unit u WHERE u.id = :id")
    found = auth.session().execute(asked, {"id": unit_id}).mappings().one_or_none()
    if found is None:
        raise NotFound("places.no_unit", key=unit_id, on=auth.today())
    return units.ref(found).as_dict()


@pages.get("/straddlers/<net>/<level>/<kind>")
@auth.require()
def straddlers(net: str, level: str, kind: str) -> Json:
    """Answer with the buildings, streets or estates across a line, most evenly divided first."""
    found = places.straddlers(auth.session(), _edition_of(net, level), level, kind, sliver())
    return {"total": len(found), "straddlers": [_straddler(place) for place in found[:STRADDLERS_MOST]]}


@pages.get("/straddlers/<net>/<level>/<kind>/<int:place_id>")
@auth.require()
def straddler(net: str, level: str, kind: str, place_id: int) -> Json:
    """Answer with one place across a line."""
    found = places.straddler(auth.session(), _edition_of(net, level), level, (kind, place_id), sliver())
    return _straddler(found)


def sliver() -> places.Sliver:
    """Return what this installation holds for survey noise, the same for every list and layer."""
    settings = auth.settings()
    return places.Sliver(settings.sliver_share, settings.sliver_m2)


def _edition_of(net: str, level: str) -> int:
    """Return the edition of a net in force today; raise Invalid if it has no such level."""
    edition = next((each for each in units.in_force(auth.session(), auth.today()) if each.net == net), None)
    if edition is None or level not in {each.code for each in edition.levels}:
        raise Invalid("web.no_level", net=net, level=level)
    return edition.id


@pages.get("/search")
@auth.require()
def search() -> Json:
    """Answer with issues, units and places that a few words may mean."""
    words = request.args.get("q", "").strip()[:100]
    if len(words) < LEAST_QUERY:
        return {"issues": [], "units": [], "places": []}
    session, on = auth.session(), auth.today()
    issues = listing.rows(session, listing.Filters(text=words), per_page=FOUND_MOST)
    found_units = units.find(session, words, on, limit=FOUND_MOST)
    found_places = geocode.find(session, words, on, limit=FOUND_MOST)
    return {
        "issues": [{name: row[name] for name in ("code", "category", "text", "point")} for row in issues],
        "units": [unit.as_dict() | {"key": unit.key} for unit in found_units],
        "places": [candidate.as_dict() for candidate in found_places],
    }


def _straddler(place: places.Straddler) -> Json:
    return {
        "kind": place.kind,
        "id": place.id,
        "name": place.name,
        "name_en": place.name_en,
        "area_m2": place.area_m2,
        "box": list(shapely.bounds(place.geometry)),
        "geometry": mapping(shapely.simplify(place.geometry, SCREEN_DEG)),
        "parts": [part.unit.as_dict() | {"key": part.unit.key, "part": part.share} for part in place.parts],
    }


def _above(session: Session, unit: UnitRef) -> list[UnitRef]:
    """Climb from a unit to the top: within its net, then in the net that one is drawn in. Nearest first."""
    rows = session.execute(
        text(f"""
        WITH RECURSIVE up AS (
            SELECT {units.REF}, l.rank, 0 AS step FROM unit u
            JOIN level l ON l.net = u.net AND l.code = u.level WHERE u.id = :id
            UNION ALL
            SELECT {units.REF}, l.rank, up.step + 1
            FROM up JOIN net n ON n.code = up.net
            JOIN unit u ON u.code = up.parent_code AND u.edition_id = ANY(:editions)
            JOIN level l ON l.net = u.net AND l.code = u.level
            WHERE (u.net = up.net AND l.rank = up.rank - 1)
               OR (up.rank = 0 AND u.net = n.parent_net AND u.level = n.parent_level)
        )
        SELECT * FROM up WHERE step BETWEEN 1 AND 20 ORDER BY step
        """),
        {"id": unit.id, "editions": [edition.id for edition in units.in_force(session, auth.today())]},
    ).mappings()
    return [units.ref(row) for row in rows]


def _others(session: Session, unit: UnitRef) -> list[Json]:
    """List the units of other nets on the same ground, with the share of this unit that lies in each."""
    rows = session.execute(
        text(f"""
        SELECT {units.REF}, s.share FROM net_share s JOIN unit u ON u.id = s.other_id
        WHERE s.unit_id = :id AND s.share >= 0.01 AND u.edition_id = ANY(:editions)
        ORDER BY u.net, u.level, s.share DESC LIMIT 24
        """),
        {"id": unit.id, "editions": [edition.id for edition in units.in_force(session, auth.today())]},
    ).mappings()
    return [units.ref(row).as_dict() | {"share": row["share"]} for row in rows]


def _areas(session: Session, unit: UnitRef) -> list[Json]:
    """List who answers for ground in a unit today; names and numbers in full for those who have to call them."""
    rows = session.execute(
        text("""
        SELECT a.role, a.name, a.name_en, a.person, a.phone FROM responsibility_area a JOIN unit u ON u.id = :id
        WHERE a.geom && u.geom AND ST_Intersects(a.geom, u.geom) AND NOT ST_Touches(a.geom, u.geom)
        AND a.valid_from <= :on AND (a.valid_to IS NULL OR :on < a.valid_to)
        ORDER BY (a.net = u.net AND a.unit_code = u.code) DESC NULLS LAST, a.role, a.id LIMIT 12
        """),
        {"id": unit.id, "on": auth.today()},
    ).mappings()
    in_full = auth.current().role in {OPERATOR, ADMINISTRATOR}
    return [dict(row) | ({} if in_full else _hidden(row["person"], row["phone"])) for row in rows]


def _dossier(session: Session, unit: UnitRef) -> str | None:
    """Say which door to dossiers a unit has for who asks: its own, that of the grids below, or none."""
    scope = auth.current().scope
    if not (scope.all or (unit.net, unit.level, unit.code) in scope.units):
        return None
    if not units.children(session, unit, auth.today()):
        return "dossier"
    return "booklet" if dossiers.grids_in(session, unit, auth.today()) else None


def _hidden(person: str, phone: str | None) -> Json:
    return listing.masked({"person": person, "phone": phone}) or {}

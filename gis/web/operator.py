"""The operator's page, and the lists behind its map. A grid leader opens the same page and sees the own patch."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import language
from gis.errors import Invalid
from gis.issues import journal, lights, listing, moves, worklists
from gis.issues.listing import Filters
from gis.issues.matter import Actor
from gis.people.accounts import ADMINISTRATOR, LEADER, OPERATOR, PLANNER, Who
from gis.planning import hotspots
from gis.territory import location, units
from gis.web import api, asked, auth, desks, dossier, drawing, online, positions, tiles, webmap

Json = dict[str, Any]

pages = Blueprint("operator", __name__)

# More pins than this are a carpet; the page says that it shows the latest ones, and the counts stay whole.
PINS_MOST = 5000
ROWS = 40
RUNNING = ("overdue", "soon", "later")
FACETS = {"states": "state", "categories": "category", "departments": "department", "flags": "flag", "dues": "due"}
# Whose work begins with what comes in on the map; everybody else's with what waits for them.
AT_THE_MAP = frozenset({OPERATOR, ADMINISTRATOR, LEADER, PLANNER})
# Shown when no boundary is loaded yet.
NOWHERE = (73.0, 18.0, 135.0, 53.5)


@pages.get("/")
@pages.get("/desk", endpoint="desk")
def page() -> ResponseReturnValue:
    """Show the map with its lists, or the way to the sign-in."""
    if auth.visitor() is None:
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    who, session, on = auth.current(), auth.session(), auth.today()
    nets = nets_in_force(session, on)
    # A leader looks at the net of the own patch, everybody else at the one with the finest cells.
    opens_on = who.scope.units[0][0] if who.scope.units else hotspots.finest_level(session, on)[0]
    bounds = opening_bounds(session, who, on)
    boot = {
        "bounds": bounds,
        "locale": auth.locale(),
        "time_zone": auth.settings().time_zone,
        "csrf": generate_csrf(),
        "may_decide": who.role in {OPERATOR, ADMINISTRATOR},
        "may_place": who.role in api.PLACES,
        "desk": worklists.has_work(who.role),
        "whistles": who.role not in {LEADER, PLANNER},
        "begins_at_desk": request.path == "/desk" or who.role not in AT_THE_MAP,
        "lights": [light.as_dict() for light in lights.table()],
        "leader": not who.scope.all,
        "sees_staff": who.role in positions.READERS,
        "online": online.listed(),
        "points_from_z": drawing.POINTS_FROM_Z,
        "nets": nets,
        "opens_on": opens_on,
        "patch": [] if not who.scope.units else dossier.outlines(session, who.scope.ground.split()),
        "flags": location.FLAGS,
        "states": moves.STATES,
        "categories": _categories(session),
        "departments": _departments(session),
        "words": _words(auth.locale()),
        "base_version": tiles.base_version(session),
    }
    drawn = webmap.operator_map(
        webmap.MapView(
            bounds=bounds,
            base_version=boot["base_version"],
            drawing=drawing.DRAWING,
            locale=auth.locale(),
            nets=tuple(webmap.NetLayer(net["code"], net["edition_id"]) for net in nets),
            nonce=g.csp_nonce,
        )
    )
    return render_template("operator.html", boot=boot, drawn=drawn, city=city(session, on), **desks.chrome("map"))


@pages.get("/map/state")
@auth.require()
def state() -> Response:
    """Answer with the pins, the counts, the first rows of the list, and the number from which the stream goes on."""
    session, filters = auth.session(), asked.filters()
    # The number comes first: what happens meanwhile is told twice rather than lost, and telling twice does no harm.
    journal.seal(session)
    session.commit()
    seq = journal.head(session).seq
    told = {
        "seq": seq,
        "total": listing.total(session, filters),
        "pins_most": PINS_MOST,
        "counts": _counts(session, filters),
        "rows": _rows(session, filters, 1),
    }
    return answer(told | on_the_ground(session, filters), listing.pins(session, filters, limit=PINS_MOST))


def on_the_ground(session: Session, filters: Filters) -> Json:
    """Count the issues on the units of today, and part those on lines; for the shades and the pins of a map."""
    counted = _counts_on_ground(session, filters)
    return {"ground": counted, "units": _numbers(session, [*counted]), "sides": _sides(session, filters)}


def answer(told: Json, pins: str) -> Response:
    """Answer with what is told and the pins, which are text from the database: to read them would take a second."""
    body = f'{json.dumps(told, ensure_ascii=False, default=str)[:-1]}, "located": {pins}}}'
    return Response(body, mimetype="application/json")


@pages.get("/map/rows")
@auth.require()
def rows() -> Json:
    """Answer with one more page of the list."""
    page_number = request.args.get("page", "1")
    if not page_number.isdigit() or not 1 <= int(page_number) <= 10_000:
        raise Invalid("web.bad_page", value=page_number)
    return {"rows": _rows(auth.session(), asked.filters(), int(page_number))}


@pages.get("/map/hotspots")
@auth.require()
def gatherings() -> Json:
    """Answer with the named places where the listed issues gather."""
    found = hotspots.find(auth.session(), asked.filters(), on=auth.today())
    return {"hotspots": [hotspot.as_dict() for hotspot in found]}


@pages.get("/map/sides")
@auth.require()
def sides() -> Json:
    """Answer with the jurisdictions of one issue and their parts, for its pin."""
    return {"sides": _sides(auth.session(), Filters(text=request.args.get("code", "-")))}


@pages.get("/map/desk")
@auth.require()
def waiting() -> Json:
    """Answer with what waits for who asks, in groups."""
    found = worklists.of(auth.session(), Actor.of(auth.current()))
    return {"groups": [{"code": each.code, "total": each.total, "rows": _discreet(each.rows)} for each in found]}


def _words(locale: str) -> dict[str, str]:
    """Collect what the page says; the words of the loop are the same there as in sentences."""
    loop = {code: said for prefix in LOOP_WORDS for code, said in language.catalogue(locale, prefix).items()}
    return language.catalogue(locale, "page.") | {f"page.{code}": said for code, said in loop.items()}


LOOP_WORDS = ("state.", "stage.", "mark.", "move.")


def _counts(session: Session, filters: Filters) -> dict[str, dict[str, int]]:
    """Count by facet; within a facet that is chosen from, as if it were not: or its other choices would all say 0."""
    counted = listing.counts(session, filters)
    for name, facet in FACETS.items():
        if getattr(filters, name):
            without: dict[str, Any] = {name: ()}
            counted[facet] = listing.counts(session, replace(filters, **without))[facet]
    # What runs towards an end is asked for whenever it was reported: the worst is older than any window.
    running = listing.counts(session, replace(filters, since=None, dues=RUNNING))["due"]
    return counted | {"due": counted["due"] | running}


def _rows(session: Session, filters: Filters, page_number: int) -> list[Json]:
    order = listing.parse_order(request.args)
    return _discreet(listing.rows(session, filters, page=page_number, per_page=ROWS, order=order))


def _discreet(found: list[Json]) -> list[Json]:
    """Leave out who reported: the panel says it, to those who may know."""
    return [{name: value for name, value in row.items() if name != "reporter"} for row in found]


def _counts_on_ground(session: Session, filters: Filters) -> dict[str, int]:
    """Count the issues on every unit they stand on, for the shades of the map."""
    condition, values = listing.condition(filters)
    counted = session.execute(
        text(f"SELECT key, count(*) AS n FROM issue, unnest(issue.ground) AS key WHERE {condition} GROUP BY key"),
        values,
    )
    return {row.key: row.n for row in counted}


def _numbers(session: Session, keys: list[str]) -> list[int | None]:
    """Return the number each unit has in the tiles of today, in the order of the keys; None for one that is gone."""
    found = session.execute(
        text("""
        SELECT u.id FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY AS k (key, nth)
        LEFT JOIN unit u ON u.edition_id = ANY(:editions) AND u.net = split_part(k.key, ':', 1)
            AND u.level = split_part(k.key, ':', 2) AND u.code = split_part(k.key, ':', 3)
        ORDER BY k.nth
        """),
        {"keys": keys, "editions": [edition.id for edition in units.in_force(session, auth.today())]},
    )
    return list(found.scalars())


def _sides(session: Session, filters: Filters) -> Json:
    """List the jurisdictions of issues on or near a line, with the part of each: a share, or a probability."""
    condition, values = listing.condition(filters)
    found = session.execute(
        text(f"""
        SELECT issue.code, decided.answer->'shares' AS shares
        FROM issue JOIN LATERAL (
            SELECT answer FROM decision WHERE issue_id = issue.id ORDER BY version DESC LIMIT 1
        ) AS decided ON true
        WHERE {condition} AND issue.flags && CAST(:unclear AS text[])
        ORDER BY issue.reported_at DESC, issue.id DESC LIMIT :limit
        """),
        {**values, "unclear": [location.STRADDLES, location.NEAR_BOUNDARY], "limit": PINS_MOST},
    )
    return {row.code: [dossier.side_of(side) for side in row.shares] for row in found if row.shares}


def nets_in_force(session: Session, on: date) -> list[Json]:
    """Describe the nets in force with their levels, for the switch and the legend."""
    names = {row.code: row for row in session.execute(text("SELECT code, name_zh, name_en FROM net"))}
    return [
        {
            "code": edition.net,
            "name": names[edition.net].name_zh,
            "name_en": names[edition.net].name_en,
            "edition_id": edition.id,
            "edition": edition.name,
            "valid_from": edition.valid_from.isoformat(),
            "levels": _levels(session, edition),
        }
        for edition in units.in_force(session, on)
    ]


def _levels(session: Session, edition: units.EditionRef) -> list[Json]:
    """Describe the levels of an edition; from_z: the zoom from which the map shows one."""
    shown_from = tiles.level_widths(session, edition.id).shown_from()
    return [
        {
            "code": level.code,
            "name": level.name_zh,
            "name_en": level.name_en,
            "colour": level.colour,
            "divides": level.divides,
            "from_z": shown_from.get(level.code, 0),
        }
        for level in edition.levels
    ]


def _categories(session: Session) -> list[Json]:
    """List the categories issues have, with their major class."""
    found = session.execute(
        text("""
        SELECT category.code, category.name_zh AS name, category.name_en, category.parent,
               above.name_zh AS parent_name, above.name_en AS parent_name_en
        FROM category LEFT JOIN category above ON (above.scheme, above.version, above.code)
             = (category.scheme, category.version, category.parent)
        WHERE NOT EXISTS (SELECT FROM category below WHERE (below.scheme, below.version, below.parent)
                          = (category.scheme, category.version, category.code))
        ORDER BY category.scheme, category.code
        """)
    ).mappings()
    return [dict(row) for row in found]


def _departments(session: Session) -> list[Json]:
    """List the departments by their names in the reader's language: a large city has thousands of them."""
    found = session.execute(
        text("""
        SELECT code, coalesce(nullif(CASE WHEN :lang = 'en' THEN name_en END, ''), name_zh) AS name,
               net || ':' || level || ':' || unit_code AS ground
        FROM department ORDER BY code
        """),
        {"lang": auth.locale()},
    )
    return [dict(row) for row in found.mappings()]


def opening_bounds(session: Session, who: Who, on: date) -> webmap.Bounds:
    """Return what the map opens on: the patch of a leader, the city for everybody else."""
    if not who.scope.units:
        ids = list(session.scalars(_TOP, {"editions": [edition.id for edition in units.in_force(session, on)]}))
    else:
        ids = [unit.id for unit in units.patch(session, who.scope.ground.split(), on)]
    box = session.execute(
        text("""
        SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)
        FROM (SELECT ST_Extent(geom) AS box FROM unit WHERE id = ANY(:ids)) AS whole
        """),
        {"ids": ids},
    ).one()
    return NOWHERE if box[0] is None else (box[0], box[1], box[2], box[3])


_TOP = text("""
    SELECT unit.id FROM unit JOIN level ON level.net = unit.net AND level.code = unit.level
    WHERE unit.edition_id = ANY(:editions) AND level.rank = 0
    AND unit.edition_id = (:editions)[1]
""")


def city(session: Session, on: date) -> Json:
    """Name the city and who drew it: the one unit at the top of the first net, if there is but one."""
    in_force = units.in_force(session, on)
    found = (
        session.execute(
            text("""
        SELECT unit.name, unit.name_en, edition.source FROM unit JOIN edition ON edition.id = unit.edition_id
        JOIN level ON level.net = unit.net AND level.code = unit.level
        WHERE unit.edition_id = :edition AND level.rank = 0 LIMIT 2
        """),
            {"edition": in_force[0].id if in_force else None},
        )
        .mappings()
        .all()
    )
    return dict(found[0]) if len(found) == 1 else {"name": "", "name_en": "", "source": ""}

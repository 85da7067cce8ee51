"""The planner's page: where borders make trouble. A map with two tables, and the same to take away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import shapely
from flask import Blueprint, Response, g, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis.issues import evaluation
from gis.planning import borders, faults_on_record, flows, sides
from gis.planning.borders import BETWEEN, Strip, Strips
from gis.planning.faults_on_record import OnRecord
from gis.planning.flows import Matrix
from gis.planning.sides import Beside
from gis.territory import places, units
from gis.territory.places import Straddler
from gis.web import asked, atlas, auth, borders_asked, borders_sheet, desks, drawing, tiles, webmap
from gis.web.borders_asked import KINDS, VIEWS, WIDTHS, Asked
from gis.web.evaluation import issue_rows

Json = dict[str, Any]

pages = Blueprint("planner", __name__)

RATES = ("response", "resolution", "satisfaction", "handling_on_time")
LINES, SPOTS, MATRIX_MOST = 100, 60, 30
# About a decimetre: nothing a screen could show is lost.
SCREEN_DEG = 1e-6


@dataclass(frozen=True)
class Table:
    """One page of the table at the left; rows are those of the view."""

    rows: Sequence[Any]
    total: int
    strips: Strips | None = None
    before: Mapping[str, Strip] | None = None
    matrix: Matrix | None = None


@pages.get("/borders")
@auth.require(*desks.PLANS)
def page() -> ResponseReturnValue:
    """Show the map between the ranking and what is chosen in it."""
    asked_ = borders_asked.read()
    table = _table(asked_)
    shown = {
        "asked": asked_, "table": table, "link": lambda **more: url_for("planner.page", **asked_.arguments(**more)),
        "views": VIEWS, "kinds": KINDS, "widths": WIDTHS,
        "levels": borders_asked.levels(asked_.last), "categories": borders_asked.categories(),
        "presets": borders_asked.presets(auth.today()), "versus": borders_asked.other_periods(asked_),
        "lines": LINES, "few": borders.FEW,
        "matrix_most": MATRIX_MOST, "export": lambda name: url_for(f"planner.{name}", **asked_.arguments()),
    }  # fmt: skip
    chosen = _chosen(asked_) if asked_.key else {"chosen": None}
    return render_template("borders.html", **shown, **chosen, **_drawn(asked_), **desks.chrome("borders"), **_WORDS)


@pages.get("/borders/chosen")
@auth.require(*desks.PLANS)
def chosen() -> ResponseReturnValue:
    """Show what is chosen alone, for the page that is open."""
    asked_ = borders_asked.read()
    return render_template("borders_chosen.html", asked=asked_, **_chosen(asked_), **_WORDS)


@pages.get("/borders/shapes")
@auth.require(*desks.PLANS)
def shapes() -> Response:
    """Answer with the shapes of the rows the table shows."""
    asked_ = borders_asked.read()
    rows = _table(asked_).rows
    features = _flows(asked_, rows) if asked_.view == "hand_offs" else [_feature(row) for row in rows]
    return jsonify(type="FeatureCollection", features=[each for each in features if each])


@pages.get("/borders.csv")
@auth.require(*desks.PLANS)
def table_csv() -> Response:
    """Send the whole table of the view as CSV."""
    asked_ = borders_asked.read()
    return borders_sheet.csv_of(asked_.view, _table(asked_, whole=True), auth.locale())


@pages.get("/borders.gpkg")
@auth.require(*desks.PLANS)
def layers() -> Response:
    """Send strips, straddling buildings and streets, faults and the issues of a chosen strip as a GeoPackage."""
    asked_ = borders_asked.read()
    found = _found(asked_)
    every = {view: _table(replace(asked_, view=view), whole=True).rows for view in ("strips", "faults")}
    every |= {kind: _table(replace(asked_, view="straddlers", kind=kind), whole=True).rows for kind in KINDS}
    return borders_sheet.gpkg_of(every, found, issue_rows([spot.issue_id for spot in found.spots]) if found else [])


@pages.get("/borders.pdf")
@auth.require(*desks.PLANS)
def paper() -> Response:
    """Send the ranking with its map on paper."""
    asked_ = replace(borders_asked.read(), view="strips")
    table = _table(asked_, whole=True)
    about = [
        auth.say("page.borders.pdf.asked", level=dict(borders_asked.levels(asked_.last)).get(asked_.question.level, ""),
                 first=asked_.first, last=asked_.last, width=f"{asked_.question.width_m:g}",
                 category=borders_asked.category_name(asked_.category) or auth.say("page.borders.every_category")),
        auth.say("page.borders.how", width=f"{asked_.question.width_m:g}"),
    ]  # fmt: skip
    return borders_sheet.pdf_of(table, about, asked_.edition, auth.locale())


@pages.get("/api/v1/borders")
@auth.require(*desks.PLANS)
def for_programs() -> Json:
    """Answer with every strip of a level, for programs."""
    asked_ = borders_asked.read()
    found = borders.strips(auth.session(), asked_.question)
    return {
        **asked_.arguments(view=None, kind=None, key=None), "issues_n": found.all_n, "near_n": found.near_n,
        "strips": [_told(strip) for strip in found.rows],
    }  # fmt: skip


def _table(asked_: Asked, *, whole: bool = False) -> Table:
    """Make the table of a view; whole: all of it, not the page that is shown."""
    made = {"strips": _strips, "hand_offs": _hand_offs, "straddlers": _straddlers, "faults": _faults}
    found = made[asked_.view](asked_)
    first = (asked_.page - 1) * LINES
    return found if whole else replace(found, rows=found.rows[first : first + LINES])


def _strips(asked_: Asked) -> Table:
    found = borders.strips(auth.session(), asked_.question)
    then = borders.strips(auth.session(), asked_.before).rows if asked_.before else None
    before = None if then is None else {row.key: row for row in then}
    return Table(found.rows, len(found.rows), found, before)


def _hand_offs(asked_: Asked) -> Table:
    found = flows.matrix(auth.session(), asked_.question)
    rows = found.flows()
    return Table(rows, len(rows), matrix=found)


def _straddlers(asked_: Asked) -> Table:
    rows = places.straddlers(
        auth.session(), asked_.edition.id, asked_.question.level_code, asked_.kind, atlas.sliver()
    )
    return Table(rows, len(rows))


def _faults(asked_: Asked) -> Table:
    rows = faults_on_record.of(auth.session(), asked_.edition.id, asked_.question.level_code)
    return Table(rows, len(rows))


def _chosen(asked_: Asked) -> Json:
    """Collect what the table at the right shows."""
    if asked_.view == "straddlers":
        return {"chosen": _straddler(asked_)}
    if asked_.view == "faults":
        return {"chosen": next((row for row in _faults(asked_).rows if row.key == asked_.key), None)}
    found = _found(asked_)
    matrix = flows.matrix(auth.session(), asked_.question)
    pair = [f"{asked_.question.level}:{code}" for code in asked_.key.split(BETWEEN, 1)]
    handed = flows.issues(auth.session(), asked_.question, *pair) if len(pair) > 1 else []
    ids = [spot.issue_id for spot in found.spots[:SPOTS]] if found and asked_.view == "strips" else handed[:SPOTS]
    return {
        "chosen": found, "flow": matrix.between(*pair) if len(pair) > 1 else None, "names": matrix.names,
        "rows": issue_rows(ids), "handed": handed, "across": _across(asked_) if found else [], "rates": _rates(),
        "then": _then(asked_), "drawn_strip": _drawing(found) if found else None,
    }  # fmt: skip


def _found(asked_: Asked) -> Beside | None:
    if asked_.view not in {"strips", "hand_offs"} or not asked_.key:
        return None
    formulas = evaluation.read(asked.settings().evaluation_formulas)
    return sides.find(auth.session(), asked_.question, asked_.key, formulas)


def _then(asked_: Asked) -> Strip | None:
    """Find the same strip in the other period."""
    if asked_.before is None:
        return None
    pair = [f"{asked_.question.level}:{code}" for code in asked_.key.split(BETWEEN, 1)]
    return borders.strips(auth.session(), asked_.before, pair)[asked_.key]


def _rates() -> list[evaluation.Rate]:
    formulas = evaluation.read(asked.settings().evaluation_formulas)
    return [rate for rate in formulas.rates_of(evaluation.UNIT) if rate.code in RATES]


def _across(asked_: Asked) -> list[Straddler]:
    """List what lies across the line of the two."""
    pair, session = set(asked_.key.split(BETWEEN, 1)), auth.session()
    level = asked_.question.level_code
    return [
        place for kind in KINDS
        for place in places.straddlers(session, asked_.edition.id, level, kind, atlas.sliver())
        if pair <= {part.unit.code for part in place.parts}
    ]  # fmt: skip


def _straddler(asked_: Asked) -> Straddler | None:
    """Find the one that is chosen, if it lies across a line of this level at all."""
    kind = asked_.key.partition(":")[0]
    rows = _straddlers(replace(asked_, kind=kind)).rows if kind in KINDS else ()
    return next((row for row in rows if f"{row.kind}:{row.id}" == asked_.key), None)


def _flows(asked_: Asked, rows: Sequence[flows.Flow]) -> list[Json | None]:
    """Draw the lines between those who handed issues to one another, where they share one."""
    drawn = {strip.key: strip.geometry for strip in borders.strips(auth.session(), asked_.question).rows}
    return [
        _as_feature(drawn[row.key], {"key": row.key, "weight": row.total_n, "faint": False,
                                     "said": f"→ {row.to_b_n} · ← {row.to_a_n}"})
        for row in rows if row.key in drawn
    ]  # fmt: skip


def _feature(row: Strip | Straddler | OnRecord) -> Json | None:
    if isinstance(row, Strip):
        figures = f"{row.issues_n} · {_number(row.per_km)} / km"
        faint = row.is_few or row.is_short
        return _as_feature(row.geometry, {"key": row.key, "weight": row.per_km or 0, "faint": faint, "said": figures})
    if isinstance(row, Straddler):
        return _as_feature(row.geometry, {"key": f"{row.kind}:{row.id}", "name": row.name, "name_en": row.name_en})
    return None if row.geometry is None else _as_feature(row.geometry, {"key": row.key, "kind": row.kind})


def _as_feature(geometry: shapely.Geometry, said: Json) -> Json:
    drawn = json.loads(shapely.to_geojson(shapely.simplify(geometry, SCREEN_DEG)))
    return {"type": "Feature", "geometry": drawn, "properties": said}


def _drawing(found: Beside) -> Json:
    """Give what the map shows of a chosen strip: its line, and its issues with their sides."""
    rows = {row["id"]: row for row in auth.session().execute(_SPOTS, {"ids": list(found.strip.issues)}).mappings()}
    spots = [
        {"code": rows[spot.issue_id]["code"], "lon": rows[spot.issue_id]["lon"], "lat": rows[spot.issue_id]["lat"],
         "side": spot.side, "unsure": spot.unsure}
        for spot in found.spots
    ]  # fmt: skip
    return {"line": _as_feature(found.strip.geometry, {}), "spots": spots, "width_m": found.strip.width_m}


def _drawn(asked_: Asked) -> Json:
    """Draw the ground on which the page's script draws the lines."""
    told = {"level": asked_.question.level, "on": asked_.last}
    bounds = desks.bounds(auth.session().execute(_BOUNDS, told).one())
    base = tiles.base_version(auth.session())
    view = webmap.MapView(bounds, base, drawing.DRAWING, auth.locale(), (), g.csp_nonce)
    paths = {name: url_for(f"planner.{name}") for name in ("page", "chosen", "shapes")}
    boot = desks.boot("page.borders.", *desks.LINE)
    return {"drawn": webmap.ground_map(view), "boot": boot | {"paths": paths, "bounds": bounds}}


def _told(strip: Strip) -> Json:
    return {
        "key": strip.key, "a": strip.a.as_dict(), "b": strip.b.as_dict(), "length_m": strip.length_m,
        "issues_n": strip.issues_n, "a_n": strip.a_n, "b_n": strip.b_n, "both_n": strip.both_n, "part": strip.part,
        "per_km": strip.per_km, "few": strip.is_few,
    }  # fmt: skip


def _number(value: float | None, digits: int = 1) -> str:
    """Write a number; a dash where there is none."""
    return "—" if value is None else f"{value:,.{digits}f}"


def _share(value: Fraction | float | None) -> str:
    return "—" if value is None else f"{evaluation.shown(Fraction(value) * 100)} %"


def _percent(value: float) -> str:
    """Write a share of ground, rounded; a rate is cut off instead, as the evaluation does."""
    return f"{value * 100:.1f} %"


def _change(now: float | None, before: float | None) -> str:
    """Write a change in percent with its sign; a dash where one of the two is none."""
    return f"{(now / before - 1) * 100:+.0f} %" if now is not None and before else "—"


_WORDS = {"number": _number, "share": _share, "percent": _percent, "change": _change, "spots_most": SPOTS}
_SPOTS = text("SELECT id, code, ST_X(point_geom) AS lon, ST_Y(point_geom) AS lat FROM issue WHERE id = ANY(:ids)")
_BOUNDS = text(f"""
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(u.geom) AS box FROM unit u JOIN edition e ON e.id = u.edition_id
      WHERE {units.IN_FORCE} AND u.net || ':' || u.level = :level) AS whole
""")

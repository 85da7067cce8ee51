"""The evaluation's pages: how units and departments stand in a period, and the issues behind each number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis.errors import Invalid
from gis.issues import evaluation
from gis.issues.evaluation import ALL, COUNTS, Formulas, Period, Question, Standing, Standings, scoping
from gis.territory import units
from gis.web import asked, auth, desks, drawing, evaluation_sheet, tiles, webmap

Json = dict[str, Any]

pages = Blueprint("evaluation", __name__)

VIEWS = ("overview", "three", "gb", "orders", "apart", "posts", "numbers")
OVERVIEW = ("response", "resolution", "satisfaction", "handling_on_time", "closing")
ROWS = 100
# Of a level of very many units a page shows so many; what is exported holds all.
LINES = 200
# More outlines than this are no map any more.
OUTLINES_MOST = 500
LONGEST_DAYS = 731


@dataclass(frozen=True)
class Asked:
    """What is asked for: a level ("net:level", empty: departments) and the first and last day, both counted."""

    level: str
    first: date
    last: date
    view: str = VIEWS[0]

    @cached_property
    def question(self) -> Question:
        """The question, narrowed to what who asks may see."""
        asked_ = Question(Period(_midnight(self.first), _midnight(self.last + timedelta(days=1))), self.level)
        return scoping.narrow(auth.session(), asked_, auth.current().scope, self.last)

    @property
    def arguments(self) -> dict[str, str]:
        """Write it as arguments of an address."""
        return {"level": self.level, "from": self.first.isoformat(), "to": self.last.isoformat()}


@pages.get("/evaluation")
@auth.require()
def page() -> ResponseReturnValue:
    """Show the table, the formulas, and the grades on the map."""
    asked_ = _asked()
    formulas = _formulas()
    found = _standings(asked_, formulas)
    number = asked.whole("page", 1, 10_000)
    kind, level = asked_.question.kind, asked_.level.rpartition(":")[2]
    shown = {
        "asked": asked_, "formulas": formulas, "rows": found.rows[(number - 1) * LINES : number * LINES],
        "page": number, "more": number * LINES < len(found.rows), "together": found.together,
        "rates": _columns(formulas, kind, asked_.view), "every_rate": formulas.rates_of(kind),
        "scores": [each for each in formulas.scores_of(kind, level) if each.group == _group(asked_.view)],
        "levels": _levels(asked_), "views": VIEWS, "counts": COUNTS,
        "partial": scoping.is_partial(asked_.question), "whole": auth.current().scope.department == "",
        "presets": _presets(auth.today()), "shown": evaluation.shown, "share": _share,
    }  # fmt: skip
    return render_template("evaluation.html", **shown, **_map(asked_, found), **desks.chrome("evaluation"))


@pages.get("/evaluation/issues")
@auth.require()
def issues() -> ResponseReturnValue:
    """List the issues one number counts: as many as it says."""
    asked_, subject, name = _asked(), request.args.get("subject", ALL), _count()
    ids = evaluation.listed(auth.session(), asked_.question, _formulas(), subject, name)
    number = asked.whole("page", 1, 100_000)
    rows = issue_rows(ids[(number - 1) * ROWS : number * ROWS])
    more = number * ROWS < len(ids)
    said = {"asked": asked_, "subject": _named(subject), "count": name, "total": len(ids), "rows": rows}
    paged = {"page": number, "more": more, "key": subject}
    return render_template("evaluation_issues.html", **said, **paged, **desks.chrome("evaluation"))


@pages.get("/evaluation/issues.csv")
@auth.require()
def issues_csv() -> Response:
    """Send the same list as a table."""
    ids = evaluation.listed(auth.session(), _asked().question, _formulas(), request.args.get("subject", ALL), _count())
    return evaluation_sheet.issues(issue_rows(ids), auth.locale())


@pages.get("/evaluation.csv")
@auth.require()
def table_csv() -> Response:
    """Send the whole table as CSV."""
    asked_, formulas = _asked(), _formulas()
    return evaluation_sheet.csv_of(_standings(asked_, formulas), formulas, asked_.question, auth.locale())


@pages.get("/evaluation.xlsx")
@auth.require()
def table_xlsx() -> Response:
    """Send the whole table as a workbook, with the formulas on a sheet of their own."""
    asked_, formulas = _asked(), _formulas()
    return evaluation_sheet.xlsx_of(_standings(asked_, formulas), formulas, asked_.question, auth.locale())


@pages.get("/evaluation/outlines")
@auth.require()
def outlines() -> Response:
    """Answer with the outlines of the units who asks may see; with none where they are too many for a map."""
    asked_ = _asked()
    only = asked_.question.only
    told = {"level": asked_.level, "only": None if only is None else list(only), "on": asked_.last}
    rows = auth.session().execute(_OUTLINES, told | {"most": OUTLINES_MOST})
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(row.geometry),
            "properties": {"key": row.key, "label": [row.lon, row.lat]},
        }
        for row in rows
    ]
    return jsonify(type="FeatureCollection", features=features)


@pages.get("/api/v1/evaluation")
@auth.require()
def for_programs() -> Json:
    """Answer with every count, rate and score, for programs."""
    asked_, formulas = _asked(), _formulas()
    found = _standings(asked_, formulas)
    return {
        **asked_.arguments, "version": formulas.version, "digest": formulas.digest,
        "partial": scoping.is_partial(asked_.question), "together": _told(found.together),
        "rows": [_told(row) for row in found.rows],
    }  # fmt: skip


def _asked() -> Asked:
    """Read what is asked for; raise Invalid."""
    today = auth.today()
    first = asked.day(request.args.get("from") or today.replace(day=1))
    last = asked.day(request.args.get("to") or today)
    if not first <= last or (last - first).days > LONGEST_DAYS:
        raise Invalid("evaluation.bad_period", first=first, last=last, most=LONGEST_DAYS)
    offered = scoping.levels(auth.session(), auth.current().scope, last)
    level = request.args.get("level", _usual(offered))
    if level and level not in {f"{net.net}:{each.code}" for net in _nets(last) for each in net.levels}:
        raise Invalid("evaluation.unknown", where="level", name=level[:80], known=", ".join(offered))
    view = request.args.get("view", VIEWS[0])
    return Asked(level, first, last, view if view in VIEWS else VIEWS[0])


def _usual(offered: list[str]) -> str:
    """Begin with the subdistricts, or with the coarsest level that may be seen."""
    return next((level for level in offered if level.endswith(":subdistrict")), offered[0] if offered else "")


def _nets(on: date) -> tuple[units.EditionRef, ...]:
    return units.in_force(auth.session(), on)


def _count() -> str:
    name = request.args.get("count", "")
    if name not in COUNTS:
        raise Invalid("evaluation.unknown", where="count", name=name[:80], known=", ".join(COUNTS))
    return name


def _formulas() -> Formulas:
    return evaluation.read(asked.settings().evaluation_formulas)


def _standings(asked_: Asked, formulas: Formulas) -> Standings:
    return evaluation.of(auth.session(), asked_.question, formulas, on=asked_.last)


def _group(view: str) -> str:
    """Name the scores a view shows: those of the posts stand with the stages they come of, all others everywhere."""
    return view if view == "posts" else ""


def _columns(formulas: Formulas, kind: str, view: str) -> list[evaluation.Rate]:
    every = formulas.rates_of(kind)
    if view == VIEWS[0]:
        return [rate for rate in every if rate.code in OVERVIEW]
    return [rate for rate in every if rate.group == view]


def _levels(asked_: Asked) -> list[tuple[str, str]]:
    """Name the levels that may be asked for; departments last."""
    offered = scoping.levels(auth.session(), auth.current().scope, asked_.last)
    named = {f"{net.net}:{each.code}": each for net in _nets(asked_.last) for each in net.levels}
    said = [(key, named[key].name_zh if auth.locale() == "zh" else named[key].name_en) for key in offered]
    return [*said, ("", auth.say("page.evaluation.departments"))]


def _presets(today: date) -> list[tuple[str, date, date]]:
    """Offer this month, the last one, this year and the last thirty days."""
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    return [
        ("this_month", first, today), ("last_month", before.replace(day=1), before),
        ("thirty_days", today - timedelta(days=29), today), ("this_year", today.replace(month=1, day=1), today),
    ]  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(asked.settings().time_zone)).astimezone(UTC)


def _share(value: Fraction | None) -> str:
    """Write a rate as a percentage; a dash where there is none."""
    return "—" if value is None else f"{evaluation.shown(value * 100)} %"


def _named(subject: str) -> str:
    if subject == ALL:
        return auth.say("page.evaluation.together")
    row = auth.session().execute(_NAME, {"key": subject}).one_or_none()
    return str(row.name if auth.locale() == "zh" or not row.name_en else row.name_en) if row else subject


def issue_rows(ids: list[int]) -> list[Json]:
    """Return what a list shows of issues, in the order of their numbers given."""
    found = {row["id"]: dict(row) for row in auth.session().execute(_ISSUES, {"ids": ids}).mappings()}
    return [found[each] for each in ids]


def _told(row: Standing) -> Json:
    def number(value: Fraction | None) -> float | None:
        return None if value is None else float(value)

    result = row.result
    return {
        "subject": row.subject, "name_zh": row.name_zh, "name_en": row.name_en, "rank": row.rank,
        "score": number(result.score), "grade": result.grade, "review": number(row.review), "counts": dict(row.counts),
        "rates": {name: number(value) for name, value in result.rates.items()},
        "scores": {name: number(value) for name, value in result.scores.items()},
    }  # fmt: skip


def _graded(row: Standing) -> Json:
    score = row.result.score
    named = {"name": row.name_zh, "name_en": row.name_en, "grade": row.result.grade, "rank": row.rank}
    return named | {"score": None if score is None else evaluation.shown(score)}


def _map(asked_: Asked, found: Standings) -> Json:
    """Draw the ground below the grades; without a level there is none."""
    if not asked_.level:
        return {"drawn": None, "boot": None}
    only = asked_.question.only
    row = {"level": asked_.level, "only": None if only is None else list(only), "on": asked_.last}
    bounds = auth.session().execute(_BOUNDS, row).one()
    base = tiles.base_version(auth.session())
    view = webmap.MapView(desks.bounds(bounds), base, drawing.DRAWING, auth.locale(), (), g.csp_nonce)
    path = f"{request.script_root}/evaluation/outlines?{desks.query(asked_.arguments)}"
    told = {"outlines": path, "standings": {row.subject: _graded(row) for row in found.rows[:OUTLINES_MOST]}}
    return {"drawn": webmap.ground_map(view), "boot": desks.boot("page.evaluation.") | told}


_NAME = text("""
SELECT name_zh AS name, name_en FROM department WHERE code = :key
UNION ALL (
    SELECT unit.name, unit.name_en FROM unit JOIN edition ON edition.id = unit.edition_id
    WHERE unit.net = split_part(:key, ':', 1) AND unit.level = split_part(:key, ':', 2)
      AND unit.code = split_part(:key, ':', 3) ORDER BY edition.valid_from DESC LIMIT 1)
LIMIT 1
""")
_ISSUES = text("""
SELECT issue.id, issue.code, issue.state, issue.reported_at, issue.closed_at, issue.due_at, issue.source,
       ST_X(issue.point_geom) AS lon, ST_Y(issue.point_geom) AS lat,
       coalesce(category.name_zh, issue.category) AS category_zh,
       coalesce(nullif(category.name_en, ''), category.name_zh, issue.category) AS category_en,
       lead.name_zh AS lead_zh, coalesce(nullif(lead.name_en, ''), lead.name_zh) AS lead_en
FROM issue
LEFT JOIN category ON (category.scheme, category.version, category.code)
                    = (issue.scheme, issue.scheme_version, issue.category)
LEFT JOIN department AS lead ON lead.code = issue.lead
WHERE issue.id = ANY(:ids)
""")
_AT_LEVEL = f"""
FROM unit AS u JOIN edition AS e ON e.id = u.edition_id
WHERE {units.IN_FORCE} AND u.net || ':' || u.level"""
_OUTLINES = text(f"""
WITH shown AS (
    SELECT u.* {_AT_LEVEL} = :level
      AND (CAST(:only AS text[]) IS NULL OR u.net || ':' || u.level || ':' || u.code = ANY(:only))
)
SELECT u.net || ':' || u.level || ':' || u.code AS key, ST_X(u.label_geom) AS lon, ST_Y(u.label_geom) AS lat,
       ST_AsGeoJSON(ST_SimplifyPreserveTopology(u.geom, greatest(ST_XMax(u.geom) - ST_XMin(u.geom),
           ST_YMax(u.geom) - ST_YMin(u.geom)) / 2000), 6) AS geometry
FROM shown AS u WHERE (SELECT count(*) FROM shown) <= :most
""")
_BOUNDS = text(f"""
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(u.geom) AS box {_AT_LEVEL} = :level
      AND (CAST(:only AS text[]) IS NULL OR u.net || ':' || u.level || ':' || u.code = ANY(:only))) AS whole
""")

"""My patch: the page a grid leader carries, and what it keeps on the phone for when there is no line."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import language
from gis.issues import evaluation, guards, listing, photos, sent, worklists
from gis.issues.evaluation import Period, Question, scoping
from gis.issues.matter import Actor
from gis.issues.messages import notices
from gis.issues.moves import ENDS, STATES
from gis.issues.workflow import Loop
from gis.people import areas, patrols
from gis.people.accounts import Who
from gis.planning import hotspots
from gis.settings import ROOT
from gis.territory import units
from gis.web import api, asked, auth, desks, dossier, drawing, moves, positions, shell, tiles, webmap

Json = dict[str, Any]

pages = Blueprint("patch", __name__)

OPEN = tuple(state for state in STATES if state not in ENDS)
# What is kept on the phone of the issues round about.
ISSUES_MOST = 300
# What was reported in so many days says what is reported here most.
USUAL_DAYS, USUAL_MOST = 180, 6
# Dangers nobody should have to search for, however seldom they are reported.
ALWAYS_OFFERED = ROOT / "data" / "workflow" / "always_offered.csv"
SIMILAR_M = 30
WORDS = ("patch.", "page.role.", "page.desk.", "page.duty.", "state.", "mark.", "stage.", "patrol.")


@dataclass(frozen=True)
class Patch:
    """The ground somebody answers for today: units, or lines with what lies beside them."""

    session: Session
    who: Who

    @cached_property
    def lines(self) -> list[Json]:
        """The areas they answer for by a post on one."""
        return areas.of_account(self.session, self.who.username, auth.today())

    @cached_property
    def unit_ids(self) -> list[int]:
        """The units of their scope."""
        return [unit.id for unit in units.patch(self.session, self.who.scope.ground.split(), auth.today())]

    @property
    def named(self) -> list[Json]:
        """What the ground is called."""
        if self.lines:
            return [{"role": line["role"], "name": line["name"], "name_en": line["name_en"]} for line in self.lines]
        found = units.patch(self.session, self.who.scope.ground.split(), auth.today())
        return [{"name": unit.name, "name_en": unit.name_en} for unit in found]

    @property
    def outlines(self) -> list[Json]:
        """Its shapes, as GeoJSON geometries."""
        if self.lines:
            return [json.loads(line["geometry"]) for line in self.lines]
        drawn = [] if self.who.scope.all else dossier.outlines(self.session, self.who.scope.ground.split())
        return [each["geometry"] for each in drawn]

    @property
    def bounds(self) -> webmap.Bounds:
        """What the map opens on."""
        asked_ = {"ids": self.unit_ids, "areas": [line["id"] for line in self.lines], "on": auth.today()}
        row = self.session.execute(_BOUNDS, asked_).one()
        return desks.bounds(row)

    @property
    def walked(self) -> patrols.Ground:
        """What a patrol is to cover."""
        in_force = units.in_force(self.session, auth.today())
        net, level = hotspots.finest_level(self.session, auth.today())
        editions = [edition.id for edition in in_force]
        return patrols.Ground(self.unit_ids, editions, net, level, lanes=not self.lines)


@pages.get("/patch")
def page() -> ResponseReturnValue:
    """Show the page, or the way to the sign-in."""
    if auth.visitor() is None:
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    who, session = auth.current(), auth.session()
    # Made here, and kept in the session: two questions at once would each make one, and one of them would not hold.
    generate_csrf()
    patch = Patch(session, who)
    base_version, bounds = tiles.base_version(session), patch.bounds
    boot = {
        "account": who.username, "name": who.name, "role": who.role, "locale": auth.locale(),
        "time_zone": auth.settings().time_zone, "version": shell.version(), "bounds": bounds,
        "patch": patch.outlines, "named": patch.named, "source": auth.settings().phone_source,
        "may_report": who.role in api.FILES, "may_self_handle": who.role == "leader",
        "similar_m": SIMILAR_M, "track_days": auth.settings().track_days, "bound": not who.scope.all,
        "tiles": f"/tiles/base/{base_version}/{auth.locale()}/", "words": _words(auth.locale()),
        "nets": [], "categories": [], "departments": [],
    }  # fmt: skip
    view = webmap.MapView(bounds, base_version, drawing.DRAWING, auth.locale(), (), g.csp_nonce)
    drawn = webmap.ground_map(view)
    # The map's libraries too are of the version that the phone keeps.
    header = drawn.header.replace(url_for("static", filename=""), shell.asset(""))
    kept = {"header": header, "body": drawn.body, "script": drawn.script}
    return render_template("patch.html", boot=boot, drawn=kept, asset=shell.asset, **desks.chrome("patch"))


@pages.get("/patch/me")
@auth.require()
def me() -> Json:
    """Answer with who is signed in, what their posts are sent with, and what time it is here."""
    return {"account": auth.current().username, "csrf": generate_csrf(), "now": datetime.now(UTC).isoformat()}


@pages.get("/patch/data")
@auth.require()
def data() -> Json:
    """Answer with what the phone keeps: what is open here, what of it waits for who asks, categories, notices."""
    session, who = auth.session(), auth.current()
    patch = Patch(session, who)
    rows = listing.of_ids(session, _open(session, patch))
    around = {row["code"] for row in rows}
    # A line's cells hold more than the line: only what lies beside it is its chief's work.
    waiting = {
        group.code: [row for row in group.rows if not patch.lines or row["code"] in around]
        for group in worklists.of(session, Actor.of(who))
    }
    every = {row["code"]: row for row in [*rows, *(row for group in waiting.values() for row in group)]}
    return {
        "account": who.username,
        "issues": [_slim(row) for row in every.values()],
        "groups": [{"code": code, "issues": [row["code"] for row in group]} for code, group in waiting.items()],
        "categories": _categories(session),
        "unread": notices.unread(session, who),
    }


@pages.get("/patch/issues/<code>")
@auth.require()
def issue(code: str) -> Json:
    """Answer with an issue as the phone shows it: words, photos, who is on it, and the moves one may make."""
    session = auth.session()
    known = listing.get(session, code)
    about = Loop(auth.settings()).look(session, code, datetime.now(UTC))
    kept = [f"/api/v1/issues/{code}/photos/{each.sha256}.jpg" for each in photos.of_issue(session, known["id"])]
    loop = moves.picture(code)
    called = [party["department"] for party in loop["parties"]]
    departments = {row["code"]: dict(row) for row in session.execute(_CALLED, {"codes": called}).mappings()}
    told = {"seconds": sent.seconds(about), "departments": departments, "after": {"sign": moves.after_signing(code)}}
    return {"issue": _slim(known), "photos": kept, "loop": loop, **told}


@pages.post("/patch/issues/<code>/second")
@auth.require(*api.FILES)
def second(code: str) -> ResponseReturnValue:
    """Say that one met with the same: a form with {"client_id": …} in `second`, and photos for the issue."""
    session, clerk, pictures = auth.session(), asked.clerk(), asked.pictures()
    client_id = asked.form("second").get("client_id")
    about = Loop(clerk.settings).look(session, code, clerk.now, hold=True)
    if sent.first_time(session, clerk.by, client_id, code, clerk.now):
        sent.second(about, Actor.of(auth.current()), clerk.now)
        for picture in pictures:
            photos.add(session, about.id, picture, clerk.settings.var_dir, now=clerk.now)
    session.commit()
    return {"code": code, "seconds": sent.seconds(about), "message": auth.say("patch.seconded", code=code)}


@pages.post("/patch/track")
@auth.require()
def post_track() -> Json:
    """Keep where the asker walked: {"patrol", "started_at", "ended_at", "fixes": [{at, lon, lat, accuracy_m}]}."""
    walk = patrols.parse(asked.body(), now=datetime.now(UTC))
    kept_n = patrols.keep(auth.session(), auth.current().username, walk)
    positions.follow(walk)
    auth.session().commit()
    return {"kept_n": kept_n} | track()


@pages.get("/patch/track")
@auth.require()
def track() -> Json:
    """Answer with the asker's own patrols of today, and how much of their ground they covered."""
    session, who = auth.session(), auth.current()
    since = _midnight()
    until = since + timedelta(days=1)
    told = {"tracks": patrols.tracks(session, who.username, since, until)}
    if who.scope.all:
        return told | {"coverage": None}
    covered = patrols.coverage(session, who.username, Patch(session, who).walked, since, until)
    return told | {"coverage": vars(covered) | {"share": covered.share}}


@pages.get("/patch/walkers")
@auth.require("shift_leader", "administrator")
def walkers() -> Json:
    """List who was on patrol today and how long; where they went is told to themselves alone."""
    since = _midnight()
    return {"walkers": patrols.walkers(auth.session(), since, since + timedelta(days=1))}


@pages.get("/patch/numbers")
@auth.require()
def numbers() -> Json:
    """Answer with the month so far: what the asker sent in, and how their ground or department stands."""
    session, who, today = auth.session(), auth.current(), auth.today()
    period = Period(_midnight().replace(day=1), _midnight() + timedelta(days=1))
    asked_ = {"me": who.username, "since": period.since, "until": period.until, "zone": auth.settings().time_zone}
    mine = session.execute(_MINE, asked_).one()
    told: Json = {"mine": dict(mine._mapping), "standing": None}  # noqa: SLF001 -- the documented way
    level = next(iter(scoping.levels(session, who.scope, today)), "") if not who.scope.all else None
    if level is None:
        return told
    question = scoping.narrow(session, Question(period, level), who.scope, today)
    formulas = evaluation.read(asked.settings().evaluation_formulas)
    found = evaluation.of(session, question, formulas, on=today)
    standing = found.rows[0] if len(found.rows) == 1 else found.together
    return told | {"standing": _standing(standing, formulas)}


def _standing(standing: evaluation.Standing, formulas: evaluation.Formulas) -> Json:
    """Tell the counts a leader is measured by; shares as numbers from 0 to 1, None where there is nothing to count."""
    counts = standing.counts
    due, late = counts["due"], counts["late"]
    return {
        "filed": counts["filed"], "due": due, "late": late, "closed": counts["closed"],
        "self_handled": counts["self_handled"], "relapses": counts["relapses"],
        "on_time": None if not due else (due - late) / due, "grade": standing.result.grade,
        "score": None if standing.result.score is None else float(standing.result.score), "version": formulas.version,
    }  # fmt: skip


def _words(locale: str) -> Json:
    """Collect what the page says; its own words are called as those of every page."""
    said = {code: words for prefix in WORDS for code, words in language.catalogue(locale, prefix).items()}
    return {f"page.{code.removeprefix('page.')}": words for code, words in said.items()}


def _open(session: Session, patch: Patch) -> list[int]:
    """Find what is open on somebody's ground, what is due first first."""
    scope = patch.who.scope
    where = "issue.state = ANY(:open)"
    where += " AND issue.departments && CAST(:departments AS text[])" if scope.department else ""
    where += " AND issue.ground && CAST(:units AS text[])" if scope.units else ""
    where += f" AND {_BESIDE}" if patch.lines else ""
    values = {
        "open": list(OPEN), "departments": [scope.department], "units": scope.ground.split(), "most": ISSUES_MOST,
        "areas": [line["id"] for line in patch.lines], "beside": areas.BESIDE_M,
    }  # fmt: skip
    sql = text(f"SELECT id FROM issue WHERE {where} ORDER BY due_at NULLS LAST, id DESC LIMIT :most")
    return list(session.scalars(sql, values))


def _slim(row: Json) -> Json:
    """Leave out of an issue what a phone has no use for, and who reported it."""
    names = ("code", "state", "version", "marks", "reported_at", "due_at", "category", "text", "point")
    return {name: row[name] for name in names}


def _categories(session: Session) -> list[Json]:
    """List the classes one may report under, those of the scheme that is used here.

    usual: the rank of the most used ones, and behind them of the dangers. minor: it may be fixed and
    closed on the spot.
    """
    since = datetime.now(UTC) - timedelta(days=USUAL_DAYS)
    rows = session.execute(_CATEGORIES, {"since": since}).mappings().all()
    minor, ranked = guards.self_handled(), sorted(rows, key=lambda row: (-row["n"], row["code"]))
    most_used = ranked[:USUAL_MOST]
    dangers = [row for row in ranked[USUAL_MOST:] if (row["scheme"], row["code"]) in _always_offered()]
    usual = {row["code"]: nth for nth, row in enumerate(most_used + dangers, start=1)}
    return [
        {name: row[name] for name in ("scheme", "version", "code", "parent", "name_zh", "name_en", "parent_name_zh",
                                      "parent_name_en")}
        | {"usual": usual.get(row["code"]), "minor": (row["scheme"], row["code"]) in minor}
        for row in rows
    ]  # fmt: skip


@cache
def _always_offered(path: Path = ALWAYS_OFFERED) -> frozenset[tuple[str, str]]:
    """Read which categories are offered without a search: (scheme, code)."""
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset((row["scheme"], row["category"]) for row in csv.DictReader(file))


def _midnight() -> datetime:
    """Return when today began in the city."""
    return datetime.combine(auth.today(), time(), ZoneInfo(auth.settings().time_zone))


# The scale makes distances metres; the box alone comes first, for the index.
_BESIDE = """EXISTS (
    SELECT FROM responsibility_area AS line
    CROSS JOIN LATERAL (SELECT 111320 * cos(radians(ST_YMax(line.geom))) AS east) AS scale
    WHERE line.id = ANY(:areas) AND issue.geom && ST_Expand(line.geom, :beside / scale.east, :beside / 110574)
      AND ST_DWithin(ST_Scale(issue.geom, scale.east, 110574), ST_Scale(line.geom, scale.east, 110574), :beside))"""
_BOUNDS = text("""
WITH ground AS (
    SELECT geom FROM responsibility_area WHERE id = ANY(:areas)
    UNION ALL SELECT geom FROM unit WHERE id = ANY(:ids) AND cardinality(CAST(:areas AS bigint[])) = 0
), whole AS (
    SELECT geom FROM unit JOIN edition ON edition.id = unit.edition_id
    JOIN level ON (level.net, level.code) = (unit.net, unit.level)
    WHERE level.rank = 0 AND edition.state = 'active' AND edition.valid_from <= :on
      AND (edition.valid_to IS NULL OR :on < edition.valid_to) AND NOT EXISTS (SELECT FROM ground)
), box AS (SELECT ST_Extent(geom) AS box FROM (SELECT geom FROM ground UNION ALL SELECT geom FROM whole) AS every)
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north FROM box
""")
# The scheme that most reports go by; before the first report any that is there.
_CATEGORIES = text("""
WITH used AS MATERIALIZED (
    SELECT scheme, scheme_version AS version, category AS code, count(*) AS n FROM issue
    WHERE reported_at >= :since GROUP BY 1, 2, 3
), scheme AS (
    SELECT c.scheme, c.version, coalesce(sum(used.n), 0) AS n FROM category c
    LEFT JOIN used USING (scheme, version, code) GROUP BY 1, 2 ORDER BY n DESC, c.scheme, c.version DESC LIMIT 1
)
SELECT c.scheme, c.version, c.code, c.parent, c.name_zh, c.name_en, above.name_zh AS parent_name_zh,
       above.name_en AS parent_name_en, coalesce(used.n, 0) AS n
FROM category c JOIN scheme ON (scheme.scheme, scheme.version) = (c.scheme, c.version)
LEFT JOIN category above ON (above.scheme, above.version, above.code) = (c.scheme, c.version, c.parent)
LEFT JOIN used ON (used.scheme, used.version, used.code) = (c.scheme, c.version, c.code)
WHERE NOT EXISTS (SELECT FROM category below WHERE (below.scheme, below.version, below.parent)
                  = (c.scheme, c.version, c.code))
ORDER BY c.code
""")
_CALLED = text("SELECT code, name_zh, name_en FROM department WHERE code = ANY(:codes)")
_MINE = text("""
SELECT (SELECT count(*) FROM issue WHERE created_by = :me AND received_at >= :since AND received_at < :until)
           AS reported,
       (SELECT count(*) FROM move WHERE actor = :me AND at >= :since AND at < :until
        AND name IN ('verify', 'pass', 'rework')) AS checked,
       (SELECT count(*) FROM move WHERE actor = :me AND at >= :since AND at < :until AND name = 'self_handle')
           AS self_handled,
       (SELECT count(DISTINCT CAST(started_at AT TIME ZONE :zone AS date)) FROM patrol WHERE username = :me
        AND started_at >= :since AND started_at < :until) AS patrol_days
""")

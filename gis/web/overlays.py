"""What else can be laid on the operator's map: registered points, departments' areas, the issues of a past moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, request
from sqlalchemy import text

from gis.errors import Invalid, NotFound
from gis.issues import listing, timeline
from gis.issues.moves import ENDS, STATES
from gis.web import asked, auth, dossier, tiles

Json = dict[str, Any]

pages = Blueprint("overlays", __name__, url_prefix="/map")

AREAS_MOST, POINTS_LISTED, PAST_MOST = 40, 200, timedelta(days=366)


@pages.get("/points")
@auth.require()
def points() -> Json:
    """List the sorts of registered points with their counts; with ?bbox= and ?kinds= those of a box too."""
    session = auth.session()
    kinds = [dict(row) for row in session.execute(_KINDS).mappings()]
    box = listing.parse_filters({"bbox": request.args.get("bbox", "")}).bbox
    if box is None:
        return {"kinds": kinds, "version": tiles.base_version(session)}
    west, south, east, north = box
    asked_for = {"west": west, "south": south, "east": east, "north": north, "most": POINTS_LISTED + 1}
    chosen = [kind for kind in request.args.get("kinds", "").split(",") if kind]
    found = [dict(row) for row in session.execute(_POINTS, asked_for | {"kinds": chosen}).mappings()]
    return {"kinds": kinds, "points": found[:POINTS_LISTED], "more": len(found) > POINTS_LISTED}


@pages.get("/points/<int:point_id>")
@auth.require()
def point(point_id: int) -> Json:
    """Answer with one registered point and the three organisations that answer for it."""
    found = auth.session().execute(_POINT, {"id": point_id}).mappings().one_or_none()
    if found is None:
        raise NotFound("overlays.no_point", id=point_id)
    return dict(found)


@pages.get("/areas")
@auth.require()
def areas() -> Json:
    """Answer with the ground of departments: ?departments=a,b; one for the whole city has no line of its own."""
    codes = [code for code in request.args.get("departments", "").split(",") if code][:AREAS_MOST]
    rows = auth.session().execute(_GROUNDS, {"codes": codes}).mappings().all()
    shapes = {each["key"]: each["geometry"] for each in dossier.outlines(auth.session(), {row["key"] for row in rows})}
    return {"areas": [dict(row) | {"geometry": shapes.get(row["key"])} for row in rows]}


@pages.get("/past")
@auth.require()
def past() -> Json:
    """Answer with how the listed issues stood from ?from= to ?to=, step by step, for the map to be played back."""
    now = datetime.now(UTC)
    start, end = _moment("from", now - timedelta(days=7)), _moment("to", now)
    if not start < end or end - start > PAST_MOST:
        raise Invalid("overlays.bad_stretch", start=start.isoformat(), end=end.isoformat(), most=PAST_MOST.days)
    found = timeline.find(auth.session(), asked.filters(), start, end)
    return {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "states": STATES,
        "ends": sorted(ENDS),
        "complete": len(found) < timeline.ISSUES_MOST,
        "issues": [each.as_list() for each in found],
    }


def _moment(name: str, default: datetime) -> datetime:
    said = request.args.get(name, "")
    return listing.parse_filters({"since": said}).since or default


_KINDS = text("""
SELECT component.category AS kind, count(*) AS n, min(component.name) AS name, min(component.name_en) AS name_en
FROM component GROUP BY component.category ORDER BY component.category
""")
_ROW = "id, category AS kind, name, name_en, state, ST_X(geom) AS lon, ST_Y(geom) AS lat"
_POINTS = text(f"""
SELECT {_ROW} FROM component
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
  AND (cardinality(CAST(:kinds AS text[])) = 0 OR category = ANY(:kinds))
ORDER BY category, id LIMIT :most
""")
_POINT = text(f"SELECT {_ROW}, external_id, authority, owner, maintainer FROM component WHERE id = :id")
_GROUNDS = text("""
SELECT code, name_zh, name_en, net || ':' || level || ':' || unit_code AS key FROM department
WHERE code = ANY(:codes) AND unit_code IS NOT NULL ORDER BY code
""")

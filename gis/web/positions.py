"""Where staff on duty are: told by their phones, read by those who send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from gis import moments
from gis.errors import Invalid
from gis.issues import listing
from gis.people import patrols, positions
from gis.people.accounts import (
    ADMINISTRATOR,
    CALLER,
    DEPARTMENT,
    DISPATCHER,
    INSPECTOR,
    LEADER,
    OPERATOR,
    SHIFT_LEADER,
)
from gis.territory import locate
from gis.territory.coords import BBox
from gis.web import asked, auth

Json = dict[str, Any]

blueprint = Blueprint("positions", __name__, url_prefix="/api/v1")

READERS = (OPERATOR, ADMINISTRATOR, DISPATCHER, SHIFT_LEADER, LEADER, INSPECTOR, DEPARTMENT, CALLER)


@blueprint.get("/positions")
@auth.require(*READERS)
def get_positions() -> Json:
    """List where staff are now: ?bbox=west,south,east,north, or nearest first: ?near=lon,lat."""
    session, at = auth.session(), datetime.now(UTC)
    if near := request.args.get("near"):
        found = positions.nearest(session, _pair(near), at)
    else:
        box = listing.parse_filters({"bbox": request.args.get("bbox", "")}).bbox
        found = positions.now(session, at, BBox(*box) if box else None)
    return {"positions": [each.as_dict(at) for each in found], "fresh_s": int(positions.FRESH.total_seconds())}


@blueprint.post("/position")
@auth.require(*positions.ROLES)
def post_position() -> ResponseReturnValue:
    """Tell where one is on duty: a place as in a report, and `at`; {"off": true} when the duty is over."""
    said, who = asked.body(), auth.current()
    if said.get("off") is True:
        positions.leave(auth.session(), who.username)
        auth.session().commit()
        return jsonify(kept=False)
    at = positions.check_time(_time(said.get("at")), datetime.now(UTC))
    place = locate.parse({name: value for name, value in said.items() if name not in {"at", "off"}})
    kept = positions.report(auth.session(), who, place, at, auth.today())
    auth.session().commit()
    return jsonify(kept=kept)


def follow(walk: patrols.Walk) -> None:
    """Let a patrol say where who asks is now; with its end the position is taken back. Who commits is the caller."""
    who, now = auth.current(), datetime.now(UTC)
    if who.role not in positions.ROLES:
        return
    last = max(walk.fixes, key=lambda fix: fix.at, default=None)
    if walk.ended_at is not None:
        positions.leave(auth.session(), who.username)
    elif last is not None and last.at > now - positions.KEPT:
        place = locate.parse({"lon": last.lon, "lat": last.lat, "accuracy_m": last.accuracy_m})
        if place.kind == "point":
            positions.report(auth.session(), who, place, min(last.at, now), auth.today())


def _time(said: object) -> datetime:
    return datetime.now(UTC) if said is None else moments.parse(said)


def _pair(said: str) -> tuple[float, float]:
    lon, _, lat = said.partition(",")
    place = locate.parse({"lon": lon, "lat": lat})
    if place.kind != "point":
        raise Invalid("positions.no_point", reason=place.reason or place.kind)
    return place.middle

"""The programs' door: JSON in, JSON out, under /api/v1. Every view reads, calls one thing below, commits once, answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, jsonify, request, send_file
from flask.typing import ResponseReturnValue

from gis.errors import Invalid
from gis.issues import default_points, intake, journal, listing, photos
from gis.people.accounts import ADMINISTRATOR, LEADER, OPERATOR
from gis.settings import Settings
from gis.territory import locate
from gis.web import auth

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Json = dict[str, Any]

SEES_REPORTERS = (OPERATOR, ADMINISTRATOR)
DECIDES = (OPERATOR, ADMINISTRATOR)
FILES = (OPERATOR, ADMINISTRATOR, LEADER)
PHOTOS_MOST = 9


@blueprint.post("/issues")
@auth.require(*FILES)
def post_issue() -> ResponseReturnValue:
    """File a report: a JSON body, or a form with the JSON in `report` and files in `photos`."""
    clerk = _clerk()
    pictures = _pictures()
    report = intake.parse_report(_report_body(), now=clerk.now, zone=clerk.zone)
    accepted = intake.accept(auth.session(), report, by=clerk.by, now=clerk.now, settings=clerk.settings)
    for picture in () if accepted.known else pictures:
        photos.add(auth.session(), accepted.id, picture, clerk.settings.var_dir, now=clerk.now)
    auth.session().commit()
    return jsonify(_receipt(accepted)), 200 if accepted.known else 201


@blueprint.get("/issues")
@auth.require()
def get_issues() -> ResponseReturnValue:
    """List issues by filters: pages of rows, or ?format=geojson; ?counts=1 adds what the filter panel shows."""
    filters = listing.parse_filters(request.args)
    # Before the rows: what comes in between is then told twice, and not never.
    seq = journal.head(auth.session())
    if request.args.get("format") == "geojson":
        limit = _whole("limit", listing.FEATURES_MOST, listing.FEATURES_MOST)
        collection = listing.geojson(auth.session(), filters, seq=seq, limit=limit)
        return Response(collection, mimetype="application/geo+json")
    page, per_page = _whole("page", 1, 100_000), _whole("per_page", listing.PAGE_ROWS, listing.PAGE_ROWS_MOST)
    rows = listing.rows(auth.session(), filters, page=page, per_page=per_page)
    answer: Json = {"seq": seq, "page": page, "per_page": per_page, "total": listing.total(auth.session(), filters)}
    if request.args.get("counts"):
        answer["counts"] = listing.counts(auth.session(), filters)
    return jsonify(answer | {"issues": [_discreet(row) for row in rows]})


@blueprint.get("/issues/<code>")
@auth.require()
def get_issue(code: str) -> ResponseReturnValue:
    """Tell all that is known of an issue: what was found, decided and done, by whom."""
    issue = listing.get(auth.session(), code)
    return jsonify(_discreet(issue) | {"photos": _photos(code, issue["id"])})


@blueprint.post("/issues/<code>/place")
@auth.require(*DECIDES)
def place_issue(code: str) -> ResponseReturnValue:
    """Put an issue where a person says it is; it is decided and dispatched anew."""
    location = intake.place(auth.session(), code, _body(), _clerk())
    auth.session().commit()
    return jsonify(location.as_dict())


@blueprint.post("/issues/<code>/photos")
@auth.require(*FILES)
def post_photos(code: str) -> ResponseReturnValue:
    """Add photos to an issue."""
    clerk, issue = _clerk(), listing.get(auth.session(), code)
    for picture in _pictures():
        photos.add(auth.session(), issue["id"], picture, clerk.settings.var_dir, now=clerk.now)
    auth.session().commit()
    return jsonify(photos=_photos(code, issue["id"])), 201


@blueprint.get("/issues/<code>/photos/<sha256>.jpg")
@auth.require()
def get_photo(code: str, sha256: str) -> ResponseReturnValue:
    """Send a photo to who may see its issue."""
    photo = photos.get(auth.session(), listing.get(auth.session(), code)["id"], sha256)
    file = photos.path(_settings().var_dir, photo.sha256)
    response = send_file(file, mimetype="image/jpeg", max_age=3600)
    response.cache_control.private = True
    return response


@blueprint.get("/locate")
@auth.require()
def get_location() -> ResponseReturnValue:
    """Say what a place stands on: ?lon=&lat=&datum=&accuracy_m=, ?building=, ?street= or ?text=, and ?on=."""
    return _located(request.args)


@blueprint.post("/locate")
@auth.require()
def post_location() -> ResponseReturnValue:
    """Say what a place stands on; the body may hold a GeoJSON geometry."""
    return _located(_body())


@blueprint.get("/default-points")
@auth.require(*DECIDES)
def get_default_points() -> ResponseReturnValue:
    """List the crowded points of a source, with what a person needs to decide."""
    return jsonify(default_points=[_point(each) for each in default_points.of_source(auth.session(), _argument("source"))])


@blueprint.post("/default-points")
@auth.require(*DECIDES)
def propose_default_points() -> ResponseReturnValue:
    """Count the issues on identical coordinates of a source and propose the crowded points."""
    points = default_points.propose(auth.session(), str(_body().get("source", "")))
    auth.session().commit()
    return jsonify(default_points=[_point(each) for each in points])


@blueprint.post("/default-points/<int:point_id>/accept")
@auth.require(*DECIDES)
def accept_default_point(point_id: int) -> ResponseReturnValue:
    """Settle that a point says nothing; its issues are to be located again."""
    clerk = _clerk()
    unlocated_n = default_points.accept(auth.session(), point_id, by=clerk.by, now=clerk.now)
    auth.session().commit()
    return jsonify(unlocated_n=unlocated_n)


@blueprint.post("/default-points/<int:point_id>/reject")
@auth.require(*DECIDES)
def reject_default_point(point_id: int) -> ResponseReturnValue:
    """Settle that the reports on a point are honest."""
    clerk = _clerk()
    default_points.reject(auth.session(), point_id, by=clerk.by, now=clerk.now)
    auth.session().commit()
    return jsonify(unlocated_n=0)


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def _clerk() -> intake.Clerk:
    return intake.Clerk(auth.current().username, datetime.now(UTC), _settings())


def _located(said: Mapping[str, Any]) -> ResponseReturnValue:
    given = {name: value for name, value in said.items() if name not in {"on", "lang"}}
    spot = locate.parse(given.get("place", given))
    found = locate.at(auth.session(), spot, _day(said.get("on")), _clerk().rules)
    return jsonify(found.as_dict())


def _day(said: object) -> date:
    if said in (None, ""):
        return datetime.now(ZoneInfo(_settings().time_zone)).date()
    try:
        return date.fromisoformat(str(said))
    except ValueError:
        raise Invalid("api.bad_date", value=str(said)[:40]) from None


def _report_body() -> Json:
    if request.mimetype == "multipart/form-data":
        return _json_object(request.form.get("report", ""))
    return _body()


def _body() -> Json:
    return _json_object(request.get_data())


def _json_object(written: str | bytes) -> Json:
    try:
        read = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise Invalid("api.not_json", reason=str(error)[:200]) from None
    if not isinstance(read, dict):
        raise Invalid("api.not_an_object")
    return read


def _pictures() -> list[photos.Picture]:
    """Decode the uploads before anything is written."""
    settings = _settings()
    limits = photos.Limits(settings.photo_limit_bytes, settings.photo_limit_px)
    sent = request.files.getlist("photos")
    if len(sent) > PHOTOS_MOST:
        raise Invalid("photo.too_many", most=PHOTOS_MOST)
    return [photos.read(file.filename or "", file.stream.read(limits.file_bytes + 1), limits) for file in sent]


def _photos(code: str, issue_id: int) -> list[Json]:
    return [
        {
            "name": photo.name,
            "width_px": photo.width_px,
            "height_px": photo.height_px,
            "url": f"/api/v1/issues/{code}/photos/{photo.sha256}.jpg",
        }
        for photo in photos.of_issue(auth.session(), issue_id)
    ]


def _receipt(accepted: intake.Accepted) -> Json:
    said = "issue.filed" if not accepted.known else "issue.known_differs" if accepted.differs else "issue.known"
    return {
        "code": accepted.code,
        "known": accepted.known,
        "located": accepted.located,
        "differs": accepted.differs,
        "message": auth.say(said, code=accepted.code, fields=", ".join(accepted.differs)),
    }


def _discreet(row: Json) -> Json:
    """Hide the reporter from everybody who does not speak with reporters."""
    shown = row["reporter"] if auth.current().role in SEES_REPORTERS else listing.masked(row["reporter"])
    return row | {"reporter": shown}


def _point(point: Any) -> Json:  # noqa: ANN401 -- a row of default_point
    names = ("id", "source", "lon", "lat", "issues_n", "texts_n", "categories_n", "addresses_n", "state", "decided_by")
    return {name: getattr(point, name) for name in names}


def _argument(name: str) -> str:
    said = request.args.get(name, "").strip()
    if not said:
        raise Invalid("api.argument_missing", name=name)
    return said


def _whole(name: str, default: int, most: int) -> int:
    said = request.args.get(name, str(default))
    if not (said.isascii() and said.isdigit() and len(said) < 10 and 1 <= int(said) <= most):
        raise Invalid("api.bad_number", name=name, value=said[:40], most=most)
    return int(said)

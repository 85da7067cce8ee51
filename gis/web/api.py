"""The programs' door to issues: JSON in, JSON out, under /api/v1. A view reads, calls below, commits once, answers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis.issues import clocks, default_points, explain, findings, intake, journal, listing, photos
from gis.issues.tables import DefaultPoint
from gis.people.accounts import ADMINISTRATOR, CLERK, DISPATCHER, INSPECTOR, LEADER, OPERATOR
from gis.web import asked, auth, timing

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Json = dict[str, Any]

DECIDES = (OPERATOR, ADMINISTRATOR)
# Who says where an issue is, who hands reports and photos in, who speaks with reporters.
PLACES = (*DECIDES, CLERK, DISPATCHER)
FILES = (OPERATOR, ADMINISTRATOR, LEADER, CLERK, INSPECTOR)
COUNTS = ("issues_n", "texts_n", "categories_n", "addresses_n")
POINT_FIELDS = ("id", "source", "lon", "lat", *COUNTS, "state", "decided_by")


@blueprint.post("/issues")
@auth.require(*FILES)
def post_issue() -> ResponseReturnValue:
    """File a report: a JSON body, or a form with the JSON in `report` and files in `photos`."""
    clerk = asked.clerk()
    # Decoded before anything is written: a report with a photo that will not do is not half filed.
    pictures = asked.pictures()
    report = intake.parse_report(asked.report(), now=clerk.now, zone=clerk.zone)
    accepted = intake.accept(auth.session(), report, by=clerk.by, now=clerk.now, settings=clerk.settings)
    if not accepted.known:
        _keep(accepted.id, pictures, clerk)
    auth.session().commit()
    return jsonify(_receipt(accepted)), 200 if accepted.known else 201


@blueprint.get("/issues")
@auth.require()
def get_issues() -> ResponseReturnValue:
    """List issues by filters: pages of rows, or ?format=geojson; ?counts=1 adds what the filter panel shows."""
    session, filters = auth.session(), asked.filters()
    # Before the rows: what comes in between is then told twice, and not never.
    seq = journal.head(session).seq
    if request.args.get("format") == "geojson":
        limit = asked.whole("limit", listing.FEATURES_MOST, listing.FEATURES_MOST)
        return Response(listing.geojson(session, filters, seq=seq, limit=limit), mimetype="application/geo+json")
    page = asked.whole("page", 1, 100_000)
    per_page = asked.whole("per_page", listing.PAGE_ROWS, listing.PAGE_ROWS_MOST)
    order = listing.parse_order(request.args)
    rows = [_discreet(row) for row in listing.rows(session, filters, page=page, per_page=per_page, order=order)]
    answer = {"seq": seq, "page": page, "per_page": per_page, "total": listing.total(session, filters), "issues": rows}
    if request.args.get("counts"):
        answer["counts"] = listing.counts(session, filters)
    return jsonify(answer)


@blueprint.get("/issues/<code>")
@auth.require()
def get_issue(code: str) -> ResponseReturnValue:
    """Tell all that is known of an issue: what was said, found, decided and done, by whom."""
    session = auth.session()
    issue = listing.get(session, code)
    kept = session.execute(_KEPT, {"issue_id": issue["id"]}).one()
    history = [entry | {"at": entry["at"].isoformat()} for entry in journal.history(session, issue["id"])]
    return jsonify(
        _discreet(issue)
        | {
            "location": kept.location and findings.location(kept.location).as_dict(),
            "findings": kept.findings,
            "decision": kept.answer,
            "explanation": explain.sentences(kept.answer, auth.locale()) if kept.answer else [],
            "parties": kept.parties,
            "clocks": timing.standing(issue["id"]),
            "history": history,
            "photos": _photos(code, issue["id"]),
        }
    )


@blueprint.post("/issues/<code>/place")
@auth.require(*PLACES)
def place_issue(code: str) -> ResponseReturnValue:
    """Put an issue where a person says it is; it is decided and dispatched anew."""
    location = intake.place(auth.session(), code, asked.body(), asked.clerk())
    auth.session().commit()
    return jsonify(location.as_dict())


@blueprint.get("/issues/<code>/conditions")
@auth.require()
def get_conditions(code: str) -> Json:
    """List the conditions an issue can be filed under, by the standard in force today."""
    return {"conditions": timing.conditions(code)}


@blueprint.post("/issues/<code>/condition")
@auth.require(*DECIDES)
def post_condition(code: str) -> ResponseReturnValue:
    """File an issue under a condition: {"condition": 2}; its clock is set by it."""
    kept = clocks.name(auth.session(), code, asked.positive("condition"), asked.clerk())
    auth.session().commit()
    return jsonify(clocks=timing.standing(kept.issue_id))


@blueprint.post("/issues/<code>/photos")
@auth.require(*FILES)
def post_photos(code: str) -> ResponseReturnValue:
    """Add photos to an issue."""
    issue = listing.get(auth.session(), code)
    _keep(issue["id"], asked.pictures(), asked.clerk())
    auth.session().commit()
    return jsonify(photos=_photos(code, issue["id"])), 201


@blueprint.get("/issues/<code>/photos/<sha256>.jpg")
@auth.require()
def get_photo(code: str, sha256: str) -> ResponseReturnValue:
    """Send a photo to who may see its issue."""
    photo = photos.get(auth.session(), listing.get(auth.session(), code)["id"], sha256)
    file = photos.path(asked.settings().var_dir, photo.sha256)
    response = send_file(file, mimetype="image/jpeg", max_age=3600)
    response.cache_control.private = True
    return response


@blueprint.get("/default-points")
@auth.require(*DECIDES)
def get_default_points() -> ResponseReturnValue:
    """List the crowded points of a source, with what a person needs to decide."""
    points = default_points.of_source(auth.session(), asked.argument("source"))
    return jsonify(default_points=[_point(each) for each in points])


@blueprint.post("/default-points")
@auth.require(*DECIDES)
def propose_default_points() -> ResponseReturnValue:
    """Count the issues on identical coordinates of a source and propose the crowded points."""
    points = default_points.propose(auth.session(), str(asked.body().get("source", "")))
    answer = [_point(each) for each in points]
    auth.session().commit()
    return jsonify(default_points=answer)


@blueprint.post("/default-points/<int:point_id>/accept")
@auth.require(*DECIDES)
def accept_default_point(point_id: int) -> ResponseReturnValue:
    """Settle that a point says nothing; its issues are to be located again."""
    clerk = asked.clerk()
    unlocated_n = default_points.accept(auth.session(), point_id, by=clerk.by, now=clerk.now)
    auth.session().commit()
    return jsonify(unlocated_n=unlocated_n)


@blueprint.post("/default-points/<int:point_id>/reject")
@auth.require(*DECIDES)
def reject_default_point(point_id: int) -> ResponseReturnValue:
    """Settle that the reports on a point are honest."""
    clerk = asked.clerk()
    default_points.reject(auth.session(), point_id, by=clerk.by, now=clerk.now)
    auth.session().commit()
    return jsonify(unlocated_n=0)


def _keep(issue_id: int, pictures: list[photos.Picture], clerk: intake.Clerk) -> None:
    for picture in pictures:
        photos.add(auth.session(), issue_id, picture, clerk.settings.var_dir, now=clerk.now)


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
    """Hide the reporter; who speaks with reporters asks for it, on record."""
    return row | {"reporter": listing.masked(row["reporter"])}


def _point(point: DefaultPoint) -> Json:
    return {name: getattr(point, name) for name in POINT_FIELDS}


_KEPT = text("""
SELECT (SELECT location FROM finding WHERE issue_id = :issue_id ORDER BY version DESC LIMIT 1) AS location,
       (SELECT json_agg(json_build_object('version', version, 'found_at', found_at, 'found_by', found_by,
                                          'located', NOT coalesce(location -> 'flags' ? 'unlocated', false),
                                          'reason', location -> 'reason')
                        ORDER BY version)
        FROM finding WHERE issue_id = :issue_id) AS findings,
       (SELECT answer FROM decision WHERE issue_id = :issue_id ORDER BY version DESC LIMIT 1) AS answer,
       (SELECT coalesce(json_agg(json_build_object('department', department, 'name_zh', name_zh, 'name_en', name_en,
                                                   'role', role, 'jurisdiction', jurisdiction, 'called_at', called_at)
                                 ORDER BY role DESC, department), '[]')
        FROM party JOIN department ON department.code = party.department
        WHERE issue_id = :issue_id AND version = (SELECT max(version) FROM decision WHERE issue_id = :issue_id)
       ) AS parties
""")

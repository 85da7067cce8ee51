"""The programs' door to the ground: where a place is, the editions, what lies across a line, the agreements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from shapely.geometry import mapping

from gis.errors import Invalid
from gis.issues import agreements
from gis.people.accounts import ADMINISTRATOR, OPERATOR
from gis.territory import boundaries, locate, places, units
from gis.territory.tables import Edition
from gis.web import asked, atlas, auth

blueprint = Blueprint("ground", __name__, url_prefix="/api/v1")

Json = dict[str, Any]

PAGE_ROWS, PAGE_ROWS_MOST = 100, 1000
# What a question holds beside the place itself.
BESIDE = ("on", "lang")


@blueprint.get("/locate")
@auth.require()
def get_location() -> ResponseReturnValue:
    """Say what a place stands on: ?lon=&lat=&datum=&accuracy_m=, ?building=, ?street= or ?text=, and ?on=."""
    return _located(request.args)


@blueprint.post("/locate")
@auth.require()
def post_location() -> ResponseReturnValue:
    """Say what a place stands on; the body may hold a GeoJSON geometry."""
    return _located(asked.body())


@blueprint.get("/editions")
@auth.require()
def get_editions() -> ResponseReturnValue:
    """List the editions of every net with their dates and sources."""
    return jsonify(editions=[_edition(each) for each in boundaries.list_editions(auth.session())])


@blueprint.get("/straddlers")
@auth.require()
def get_straddlers() -> ResponseReturnValue:
    """List what lies across the lines of a level: ?net=&level=&kind=building|street|estate, ?on=, by page."""
    net, level = asked.argument("net"), asked.argument("level")
    in_force = units.in_force(auth.session(), asked.day(request.args.get("on")))
    edition = next((each for each in in_force if each.net == net), None)
    if edition is None or level not in {each.code for each in edition.levels}:
        raise Invalid("ground.no_level", net=net[:60], level=level[:60])
    page, per_page = asked.whole("page", 1, 100_000), asked.whole("per_page", PAGE_ROWS, PAGE_ROWS_MOST)
    found = places.straddlers(auth.session(), edition.id, level, asked.argument("kind"), atlas.sliver())
    shown = found[(page - 1) * per_page : page * per_page]
    return jsonify(edition=edition.name, total=len(found), straddlers=[_straddler(each) for each in shown])


@blueprint.get("/agreements")
@auth.require()
def get_agreements() -> ResponseReturnValue:
    """List the agreements, the newest first; ?on= those that hold on a day."""
    on = asked.day(request.args["on"]) if request.args.get("on") else None
    return jsonify(agreements=[_agreement(each) for each in agreements.find(auth.session(), on)])


@blueprint.post("/agreements")
@auth.require(OPERATOR, ADMINISTRATOR)
def post_agreement() -> ResponseReturnValue:
    """Put an agreement on record; the next issue there follows it."""
    clerk = asked.clerk()
    code = agreements.add(auth.session(), agreements.parse(asked.body()), by=clerk.by, now=clerk.now)
    auth.session().commit()
    return jsonify(code=code), 201


def _located(said: Mapping[str, Any]) -> ResponseReturnValue:
    place = said["place"] if "place" in said else {name: said[name] for name in said if name not in BESIDE}
    if not isinstance(place, Mapping):
        raise Invalid("report.not_an_object", field="place")
    found = locate.at(auth.session(), locate.parse(place), asked.day(said.get("on")), asked.clerk().rules)
    return jsonify(found.as_dict())


def _edition(edition: Edition) -> Json:
    shown = {name: getattr(edition, name) for name in ("net", "name", "state", "source", "licence", "crs", "datum")}
    dates = {name: (day := getattr(edition, name)) and day.isoformat() for name in ("valid_from", "valid_to")}
    return shown | dates | {"line_sigma_m": edition.line_sigma_m}


def _straddler(place: places.Straddler) -> Json:
    shown = {name: getattr(place, name) for name in ("kind", "external_id", "name", "name_en", "area_m2")}
    parts = [part.unit.as_dict() | {"share": part.share} for part in place.parts]
    return shown | {"parts": parts, "geometry": mapping(place.geometry)}


def _agreement(agreement: agreements.Agreement) -> Json:
    shown = asdict(agreement) | {"geometry": json.loads(agreement.geometry)}
    times = ("valid_from", "valid_to", "created_at", "withdrawn_at")
    return shown | {name: (at := shown[name]) and at.isoformat() for name in times}

"""What an operator is asked about an issue: is it the same as another, and on which side of a line is it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from gis.issues import duplicates, intake
from gis.issues.duplicates import Duplicate
from gis.web import api, asked, auth

Json = dict[str, Any]

blueprint = Blueprint("doubts", __name__)


@blueprint.get("/map/issues/<code>/duplicates")
@auth.require()
def get_duplicates(code: str) -> Json:
    """List what may be the same as an issue, likeliest first, each with what speaks for it."""
    return {"duplicates": [_told(each) for each in duplicates.find(auth.session(), code)]}


@blueprint.post("/api/v1/issues/<code>/side")
@auth.require(*api.PLACES)
def post_side(code: str) -> ResponseReturnValue:
    """Settle on which side of a line an issue is: {"unit": "net:level:code", "reason": ...}; it is decided anew."""
    location = intake.take_side(auth.session(), code, asked.body(), asked.clerk())
    auth.session().commit()
    return jsonify(location.as_dict())


def _told(each: Duplicate) -> Json:
    signs = each.signs
    reasons = [auth.say("duplicate.distance", metres=round(signs.distance_m))]
    reasons += [auth.say(f"duplicate.kin.{signs.kin}")] if signs.kin != "other" else []
    reasons += [auth.say("duplicate.apart", hours=round(signs.apart_h, 1))]
    reasons += [auth.say("duplicate.alike", percent=round(signs.alike * 100))] if signs.alike > 0 else []
    return each.as_dict() | {"reasons": reasons}

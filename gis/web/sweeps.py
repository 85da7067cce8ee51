"""The door for one move on many issues: looked at, carried out one by one, taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from gis import language
from gis.errors import Invalid
from gis.issues.ledgers import sweeps
from gis.issues.ledgers.sweeps import Outcome, Wish
from gis.issues.matter import Actor, Said
from gis.issues.workflow import Loop
from gis.web import asked, auth

Json = dict[str, Any]

blueprint = Blueprint("sweeps", __name__, url_prefix="/api/v1/sweeps")

KEYS = {"move", "issues", "fields"}


@blueprint.post("/preview")
@auth.require()
def preview() -> Json:
    """Say for each issue what a move would do, or why it is refused."""
    found = sweeps.preview(auth.session(), _wish(), _said(), _loop())
    auth.session().rollback()
    return {"outcomes": [_told(each) for each in found], "moved_n": sum(each.moved for each in found)}


@blueprint.post("")
@auth.require()
def begin() -> ResponseReturnValue:
    """Keep what was chosen and make the moves one by one; each is there whole, or not at all."""
    sweep_id = sweeps.begin(auth.session(), _wish(), _said(), _loop())
    auth.session().commit()
    return jsonify(_carried_out(sweep_id)), 201


@blueprint.get("/<int:sweep_id>")
@auth.require()
def get(sweep_id: int) -> Json:
    """Tell how a sweep came out so far."""
    return _picture(sweep_id)


@blueprint.post("/<int:sweep_id>/go-on")
@auth.require()
def go_on(sweep_id: int) -> Json:
    """Carry out what is left of a sweep that was broken off."""
    return _carried_out(sweep_id)


@blueprint.post("/<int:sweep_id>/undo")
@auth.require()
def undo(sweep_id: int) -> ResponseReturnValue:
    """Take a sweep back by the opposite move, where the table has one."""
    fields = asked.body().get("fields") or {}
    if not isinstance(fields, dict):
        raise Invalid("sweep.body", fields="fields")
    wish = sweeps.undoing(auth.session(), sweep_id, fields)
    undoing = sweeps.begin(auth.session(), wish, _said(), _loop())
    auth.session().commit()
    return jsonify(_carried_out(undoing)), 201


def _carried_out(sweep_id: int) -> Json:
    for nth in sweeps.waiting(auth.session(), sweep_id):
        sweeps.carry_out(auth.session(), sweep_id, nth, _said(), _loop())
        auth.session().commit()
    return _picture(sweep_id)


def _picture(sweep_id: int) -> Json:
    sweep = sweeps.get(auth.session(), sweep_id)
    found = sweeps.outcomes(auth.session(), sweep_id)
    return {
        "id": sweep.id,
        "move": sweep.move,
        "undoes": sweep.undoes,
        "waiting_n": len(sweeps.waiting(auth.session(), sweep_id)),
        "moved_n": sum(each.moved for each in found),
        "undone_by": sweeps.UNDONE_BY.get(sweep.move),
        "outcomes": [_told(each) for each in found],
    }


def _wish() -> Wish:
    body = asked.body()
    issues, fields = body.get("issues"), body.get("fields") or {}
    if set(body) - KEYS or not isinstance(body.get("move"), str) or not isinstance(fields, dict):
        raise Invalid("sweep.body", fields=", ".join(sorted(KEYS)))
    if not isinstance(issues, dict) or not all(each is None or type(each) is int for each in issues.values()):
        raise Invalid("sweep.body", fields=", ".join(sorted(KEYS)))
    return Wish(body["move"], issues, fields)


def _told(outcome: Outcome) -> Json:
    said = language.explain(outcome.error(), auth.locale())
    return {"issue": outcome.issue, "moved": outcome.moved, "said": said, "code": outcome.code}


def _said() -> Said:
    return Said(Actor.of(auth.current()), datetime.now(UTC))


def _loop() -> Loop:
    return Loop(asked.settings())

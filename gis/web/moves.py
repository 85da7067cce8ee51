"""The door through which issues move: what somebody may do now and what it needs; and the doing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from gis import moments
from gis.errors import Invalid
from gis.issues import handoffs, lights, photos, requests, rules, sent, workflow
from gis.issues.matter import Actor, Matter, Said
from gis.issues.moves import CALLED, SIGNED, Move, Need
from gis.issues.parties import Standing
from gis.web import asked, auth, whistles

Json = dict[str, Any]

blueprint = Blueprint("moves", __name__, url_prefix="/api/v1")

FIELDS = {"move", "version", "fields", "said_at", "client_id"}


@blueprint.get("/issues/<code>/moves")
@auth.require()
def get_moves(code: str) -> ResponseReturnValue:
    """Tell how an issue stands, who is on it, and the moves the asker may make now."""
    return jsonify(picture(code))


@blueprint.post("/issues/<code>/moves")
@auth.require()
def post_move(code: str) -> ResponseReturnValue:
    """Make a move: a JSON body, or a form with the JSON in `move` and photos under the names of the fields.

    client_id: a number of the sender's; what was sent under it before is answered and not done again.
    """
    body, pictures = asked.form("move"), asked.named_pictures()
    said = _said(body, {name: each.sha256 for name, each in pictures.items()})
    if "client_id" in body and not sent.first_time(auth.session(), said.by.username, body["client_id"], code, said.now):
        return jsonify(picture(code) | {"message": auth.say("workflow.moved", move=_label(body["move"]))})
    moved = workflow.advance(auth.session(), code, str(body["move"]), said, _loop())
    for each in pictures.values():
        photos.add(auth.session(), moved.issue_id, each, asked.settings().var_dir, now=said.now)
    _check_photos(moved.issue_id, str(body["move"]), said)
    auth.session().commit()
    told = auth.say("workflow.moved", move=_label(body["move"]))
    return jsonify(picture(code) | {"message": told})


def picture(code: str) -> Json:
    """Put together what the panel shows of the loop: state, lights, parties, requests, and what the asker may do."""
    now, actor = datetime.now(UTC), Actor.of(auth.current())
    about = _loop().look(auth.session(), code, now)
    waiting = requests.open_one(about)
    return {
        "version": about.row.version,
        "state": about.state,
        "marks": list(about.row.marks),
        "light": lights.of_issue(about.state, about.row.due_at, now),
        "parties": [_party(each, about, now) for each in about.standings],
        "request": waiting and waiting.as_dict(),
        "handoffs": handoffs.of_issue(auth.session(), about.id),
        "moves": [_move(each, about, actor) for each in workflow.possible(about, actor, now, _loop())],
        "calls": whistles.picture(about),
    }


def after_signing(code: str) -> list[Json]:
    """List what a department may do once it has signed: a phone without a line goes on with it before we have heard.

    What stands in the way by then is told when it comes in.
    """
    actor = Actor.of(auth.current())
    about = _loop().look(auth.session(), code, datetime.now(UTC))
    hers = [each for each in _book().moves if SIGNED in each.stages and each.who & about.relations(actor)]
    once = {each.name: each for each in hers}
    return [_move(each, about, actor) for each in once.values()] if about.stage_of(actor) == CALLED else []


def _loop() -> workflow.Loop:
    return workflow.Loop(asked.settings())


def _book() -> rules.Book:
    return _loop().rules(auth.session())


def _said(body: Json, pictures: dict[str, str]) -> Said:
    unknown = sorted(set(body) - FIELDS)
    if unknown or not isinstance(body.get("move"), str):
        raise Invalid("moves.body", fields=", ".join(sorted(FIELDS)))
    fields, version = body.get("fields") or {}, body.get("version")
    if not isinstance(fields, dict) or not (version is None or type(version) is int):
        raise Invalid("moves.body", fields=", ".join(sorted(FIELDS)))
    return Said(Actor.of(auth.current()), datetime.now(UTC), fields | pictures, _said_at(body.get("said_at")), version)


def _said_at(said: object) -> datetime | None:
    return None if said is None else moments.parse(said)


def _check_photos(issue_id: int, move: str, said: Said) -> None:
    """Raise NotFound where a photo is named that the issue has not."""
    names = {need.name for each in _book().moves if each.name == move for need in each.needs if need.kind == "photo"}
    for name in names & set(said.fields):
        photos.get(auth.session(), issue_id, str(said.fields[name]))


def _party(standing: Standing, about: Matter, now: datetime) -> Json:
    light = lights.of_party(standing, about.standings, about.state, now)
    return standing.as_dict() | {"light": light, "late": standing.is_late(now)}


def _move(move: Move, about: Matter, actor: Actor) -> Json:
    offered = [whistles.choices(each, move, about, actor) or _choices(each) for each in move.needs]
    needs = [_need(each) | {"choices": choices} for each, choices in zip(move.needs, offered, strict=True)]
    return {"move": move.name, "label": _label(move.name), "needs": needs}


def _label(move: str) -> str:
    """Name a move in the city's own words, or in ours."""
    return _book().name(move, auth.locale()) or auth.say(f"move.{move}")


def _need(need: Need) -> Json:
    return vars(need) | {"label": auth.say(f"need.{need.name}")}


def _choices(need: Need) -> list[Json]:
    return [{"value": each, "label": auth.say(f"choice.{each}")} for each in need.choices]

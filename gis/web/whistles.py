"""Whistles on the screen: what the panel shows of them and a form offers, their lists, the roster, and the alarm."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request

from gis.errors import Invalid
from gis.issues import paging, sides, whistle_worklist
from gis.issues.matter import Actor, Matter
from gis.issues.moves import Move, Need
from gis.issues.whistle_acts import guards
from gis.issues.whistle_worklist import Wanted
from gis.issues.whistles import lists, record
from gis.issues.whistles.lists import Item, Kind
from gis.people import rosters
from gis.people.accounts import DEPARTMENT
from gis.territory import units
from gis.web import asked, auth

Json = dict[str, Any]

blueprint = Blueprint("whistles", __name__)


@blueprint.get("/api/v1/whistles")
@auth.require()
def get_whistles() -> Json:
    """Answer with a page of whistles, the newest first: of a state, of a department, behind a place."""
    who = auth.current()
    mine = who.department if who.role == DEPARTMENT else request.args.get("department") or None
    place = paging.parse_place(request.args.get("place", ""))
    page = whistle_worklist.find(auth.session(), Wanted(request.args.get("state") or None, mine, place))
    keys = {key for each in page.rows for key in (each["by_unit"], each["held_by"])}
    return {
        "whistles": page.rows, "later": page.later and str(page.later), "units": names(keys),
        "types": _named(lists.types().values()),
    }  # fmt: skip


@blueprint.get("/api/v1/rosters")
@auth.require()
def get_rosters() -> Json:
    """Answer with the platforms one may see, or a unit's, and who of them can be had now."""
    unit = request.args.get("unit")
    if unit is not None and unit.count(":") != 2:
        raise Invalid("agreements.not_a_key", key=unit)
    found = roster(None if unit is None else [unit])
    return {"entries": found, "units": names({each["unit"] for each in found})}


@blueprint.get("/map/calls")
@auth.require()
def get_calls() -> Json:
    """Answer with what calls who asks."""
    found = whistle_worklist.waiting(auth.session(), Actor.of(auth.current()))
    return {"calls": [each.as_dict() for each in found], "types": _named(lists.types().values())}


def roster(unit_keys: Iterable[str] | None) -> list[Json]:
    """List who is on duty today, and who of them can be had now."""
    now = rosters.city_time(datetime.now(UTC), asked.settings().time_zone)
    return [each.as_dict(now) for each in rosters.find(auth.session(), unit_keys, now.date())]


def picture(about: Matter) -> Json:
    """Put together what the panel shows of whistles and of what goes beside the decision."""
    session, now = auth.session(), datetime.now(UTC)
    joint, held = sides.joint_records(session, about.id), sides.consultations(session, about.id)
    told: Json = {
        "whistles": [each.as_dict() for each in about.whistles],
        "escalations": record.escalations(session, about.id),
        "errands": [each.as_dict() | {"late": each.is_late(now)} for each in about.errands],
        "consultations": [each.as_dict() for each in held],
        "joint": [each.as_dict() for each in joint],
        "lines": sides.lines(session, about.id),
    }
    keys = {key for each in about.whistles for key in (each.by_unit, each.held_by)}
    keys |= {key for each in told["escalations"] for key in (each["from_unit"], each["to_unit"])}
    keys |= {key for each in joint for key in each.sides} | {key for each in about.errands for key in each.units}
    items = [found for each in about.whistles if (found := lists.items().get(each.item or ""))]
    return told | {"units": names(keys), "types": _named(lists.types().values()), "items": _named(items)}


def choices(need: Need, move: Move, about: Matter, actor: Actor) -> list[Json]:
    """List what a form lets one choose for a need of a whistle's move; empty for the needs of others."""
    fitting = guards.fitting(about, actor, move.name)
    if need.kind == "whistle_type":
        return _options(lists.types().values())
    if need.kind == "whistle_item":
        return _options(each for each in lists.items().values() if each.fits(about.row.category))
    if need.kind == "number":
        return [{"value": each.number, "label": auth.say("page.whistle.nth", n=each.number)} for each in fitting]
    if need.kind in {"called", "scores"}:
        return [{"value": code, "label": code, "whistle": each.number} for each in fitting for code in each.departments]
    if need.kind == "side":
        return _results(about, actor)
    return roster(_platforms(about, actor)) if need.kind == "roster" else []


def names(keys: Iterable[str]) -> dict[str, Json]:
    """Name units by their keys, as they are called today; one that is gone is its code."""
    wanted = list(keys)
    known = {unit.key: unit.as_dict() for unit in units.patch(auth.session(), wanted, auth.today())}
    return {key: known.get(key, {"name": key.rsplit(":", 1)[-1]}) for key in wanted}


def _results(about: Matter, actor: Actor) -> list[Json]:
    keys = dict.fromkeys(key for each in about.errands if each.department == actor.department for key in each.units)
    sentence = [{"value": sides.ON_LINE, "label": auth.say("page.sides.on_line")}]
    english = auth.locale() == "en"
    named = names(keys)
    return sentence + [
        {"value": key, "label": (english and unit.get("name_en")) or unit["name"]} for key, unit in named.items()
    ]


def _platforms(about: Matter, actor: Actor) -> list[str]:
    unit = guards.caller_unit(about, actor)
    return [unit] if unit else []


def _named(each: Iterable[Kind | Item]) -> dict[str, Json]:
    return {one.code: {"name_zh": one.name_zh, "name_en": one.name_en} for one in each}


def _options(each: Iterable[Kind | Item]) -> list[Json]:
    english = auth.locale() == "en"
    return [{"value": one.code, "label": one.name_en if english else one.name_zh} for one in each]

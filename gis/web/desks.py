"""What pages beside the map share: their head line, what their scripts are told, and how an address is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import request
from flask_wtf.csrf import generate_csrf

from gis import language
from gis.people.accounts import ADMINISTRATOR, CLERK, OPERATOR, PLANNER, SHIFT_LEADER
from gis.web import auth
from gis.web.webmap import Bounds

Json = dict[str, Any]

# Shown when no boundary is loaded yet.
NOWHERE = (73.0, 18.0, 135.0, 53.5)
CALLS_BACK = (CLERK, OPERATOR)
# Who sees both sides of every border.
PLANS = (PLANNER, OPERATOR, ADMINISTRATOR, SHIFT_LEADER)
# What a script that asks the server has to be able to say.
LINE = ("page.away", "page.expired", "page.sign_in", "page.refused")
HANDS_OVER = (SHIFT_LEADER, OPERATOR, ADMINISTRATOR)
# Who may open the wall screen. A planner moves nothing: the account for a screen that stays signed in.
LOOKS_ON = (PLANNER, OPERATOR, SHIFT_LEADER, ADMINISTRATOR)


def chrome(here: str) -> Json:
    """Return what the head line shows: who is here, where they are, where they may go."""
    who = auth.current()
    doors = {"map": "/", "ledger": "/ledger", "papers": "/papers", "evaluation": "/evaluation"}
    doors |= {"patch": "/patch"} if who.role in auth.OUTDOORS else {}
    doors |= {"shifts": "/shifts"} if who.role in HANDS_OVER else {}
    doors |= {"borders": "/borders"} if who.role in PLANS and who.scope.all else {}
    doors |= {"admin": "/admin"} if who.role == ADMINISTRATOR else {}
    doors |= {"call_back": "/call-back"} if who.role in CALLS_BACK else {}
    doors |= {"wall": "/wall"} if who.role in LOOKS_ON else {}
    return {"who": who, "here": here, "doors": doors, "local": local, "other_language": other_language}


def local(at: datetime | None) -> str:
    """Write a moment by the city's clock; a dash where there is none."""
    return at.astimezone(ZoneInfo(auth.settings().time_zone)).strftime("%Y-%m-%d %H:%M") if at else "—"


def other_language(at: str = "") -> str:
    """Write the address of what is shown in the other language; at: where that can be fetched, if not here."""
    lang = "en" if auth.locale() == "zh" else "zh"
    if request.method == "POST":
        at = at or auth.shown_at(request.path)
        return f"{at}{'&' if '?' in at else '?'}lang={lang}"
    arguments = {name: value for name, value in request.args.items() if name != "lang"}
    return "?" + urlencode(arguments | {"lang": lang})


def boot(*prefixes: str) -> Json:
    """Return what the scripts of a page are told."""
    words = {code: said for prefix in prefixes for code, said in language.catalogue(auth.locale(), prefix).items()}
    return {
        "locale": auth.locale(), "time_zone": auth.settings().time_zone, "csrf": generate_csrf(), "words": words,
        "nets": [], "categories": [], "departments": [],
    }  # fmt: skip


def bounds(row: Any) -> Bounds:  # noqa: ANN401 -- a row of west, south, east, north
    """Read the bounds of a map; where there is no ground, the whole country."""
    return NOWHERE if row.west is None else (row.west, row.south, row.east, row.north)


def query(arguments: Mapping[str, str]) -> str:
    """Write arguments of an address."""
    return urlencode(arguments)

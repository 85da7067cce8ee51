"""The wall screen: read from five metres, touched by nobody. It shows numbers, places and codes, and nobody's words.

Everything here is for reading: in a screen's session nothing can be written.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from gis import language
from gis.errors import Forbidden
from gis.issues import journal, lights, listing, tally
from gis.issues.ledgers.asking import OPEN, Moment
from gis.issues.listing import Filters
from gis.people.accounts import SCREEN
from gis.planning import hotspots
from gis.territory import units
from gis.web import auth, desks, drawing, ledger, operator, tiles, webmap

Json = dict[str, Any]

pages = Blueprint("wall", __name__)

# The feed names each issue once, by the last of what happened lately.
FEED_ISSUES, FEED_LINES = 14, 300
HOTSPOTS = 8
HOTSPOT_DAYS = 7


@pages.get("/wall")
@auth.for_screens
def page() -> ResponseReturnValue:
    """Show the wall, or the way to the sign-in."""
    if auth.visitor() is None:
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    who, session, on = auth.current(), auth.session(), auth.today()
    if who.role not in desks.LOOKS_ON:
        raise Forbidden
    opens_on = hotspots.finest_level(session, on)[0]
    nets = [net for net in operator.nets_in_force(session, on) if net["code"] == opens_on]
    bounds, version = operator.opening_bounds(session, who, on), tiles.base_version(session)
    boot = desks.boot("page.", *operator.LOOP_WORDS) | {
        "bounds": bounds,
        "nets": nets,
        "open": OPEN,
        "lights": [light.as_dict() for light in lights.table()],
        "base_version": version,
        "hotspot_days": HOTSPOT_DAYS,
    }
    drawn = webmap.operator_map(
        webmap.MapView(
            bounds=bounds,
            base_version=version,
            drawing=drawing.DRAWING,
            locale=auth.locale(),
            nets=tuple(webmap.NetLayer(net["code"], net["edition_id"]) for net in nets),
            nonce=g.csp_nonce,
        )
    )
    city = operator.city(session, on)
    return render_template(
        "wall.html", boot=boot, drawn=drawn, city=city, window_days=tally.WINDOW_DAYS, **desks.chrome("wall")
    )


@pages.get("/wall/state")
@auth.for_screens
@auth.require(*desks.LOOKS_ON)
def state() -> Response:
    """Answer with the pins of what is open, the counts on the ground, and the number the stream goes on from."""
    session, filters = auth.session(), Filters(states=OPEN)
    # The number comes first: what happens meanwhile is told twice rather than lost, and telling twice does no harm.
    told = {"seq": journal.head(session).seq} | operator.on_the_ground(session, filters)
    return operator.answer(told, listing.pins(session, filters, limit=operator.PINS_MOST))


@pages.get("/wall/figures")
@auth.for_screens
@auth.require(*desks.LOOKS_ON)
def figures() -> Json:
    """Answer with the numbers now and a day ago, the units that are late, where issues gather, and what happened."""
    session, moment = auth.session(), ledger.moment()
    now = tally.at(session, moment) or tally.NOTHING
    before = tally.at(session, tally.yesterday(moment))
    week = Filters(since=moment.now - timedelta(days=HOTSPOT_DAYS))
    found = hotspots.find(session, week, on=moment.today, limit=HOTSPOTS)
    return {
        "at": moment.now.isoformat(),
        "now": asdict(now),
        "before": before and asdict(before),
        "ledgers": _ledgers(moment),
        "late": _all_late(session, moment),
        "hotspots": [hotspot.as_dict() for hotspot in found],
        "feed": _feed(session),
    }


def _level(session: Session, moment: Moment) -> tuple[str, str]:
    """Name the finest level whose lines part responsibility, of the first net in force: that of subdistricts."""
    for edition in units.in_force(session, moment.today):
        parting = [level.code for level in edition.levels if level.divides]
        if parting:
            return edition.net, parting[-1]
    return "", ""


def _ledgers(moment: Moment) -> dict[str, str]:
    """Lead to the ledgers the numbers count, where they may be opened."""
    led = {} if auth.current().role == SCREEN else tally.ledgers(moment)
    return {name: _link(asked) for name, asked in led.items()}


def _link(asked: Json) -> str:
    return url_for("ledger.page", **asked)


def _all_late(session: Session, moment: Moment) -> list[Json]:
    """List the units with overdue issues, and last what lies in none of them."""
    level = _level(session, moment)
    late = [_late(each) for each in tally.overdue_by_unit(session, moment, level)]
    nowhere = tally.overdue_nowhere(session, moment, level)
    if nowhere:
        names = {"name": "zh", "name_en": "en"}
        late.append(_late(nowhere) | {each: language.say("page.wall.nowhere", lang) for each, lang in names.items()})
    return late


def _late(unit: tally.Late) -> Json:
    return asdict(unit) | {"first_due_at": unit.first_due_at.isoformat()}


def _feed(session: Session) -> list[Json]:
    """List the issues something happened to last, in the form the stream tells them."""
    head = journal.head(session).seq
    entries = journal.after(session, max(0, head - FEED_LINES), FEED_LINES)
    last = {entry.line.issue_id: entry for entry in entries if entry.line.issue_id}
    newest = sorted(last.values(), key=lambda entry: -entry.seq)[:FEED_ISSUES]
    seen = listing.seen(session, [entry.line.issue_id for entry in newest if entry.line.issue_id])
    return [
        {"seq": entry.seq, "at": entry.at.isoformat(), "kind": entry.line.kind, "feature": json.loads(issue.feature)}
        for entry in newest
        if (issue := seen.get(entry.line.issue_id or 0))
    ]

"""Doors to the dossiers: of one grid as a page and on paper, of all grids of a unit as a booklet made meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gis.issues import journal
from gis.issues.ledgers.lines import Reader
from gis.planning import booklets, dossier_paper, dossiers
from gis.planning.dossiers import Asker, Dossier
from gis.tasks import kinds, queue
from gis.tasks.queue import Task
from gis.territory import units
from gis.territory.location import UnitRef
from gis.web import asked, auth, desks, drawing, tasks, tiles, webmap
from gis.web.ledger import reader_now, sent

Json = dict[str, Any]

pages = Blueprint("grids", __name__)

SHOWN = 20


@pages.get("/grids/<key>/dossier")
@auth.require()
def dossier(key: str) -> ResponseReturnValue:
    """Show the dossier of a grid; of a unit with grids below, the way to theirs."""
    if dossiers.grids_in(auth.session(), _unit(key), auth.today()):
        return redirect(url_for("grids.booklet", key=key))
    found, reader = dossiers.of(auth.session(), key, _asker()), reader_now()
    shown = {
        "dossier": found, "key": key, "lists": dossier_paper.lists(found, reader), "heads": dossier_paper.HEADS,
        "name": lambda row: _name(row, reader), "counted": dossiers.counted(found.months), "above": _parent(found.unit),
    }  # fmt: skip
    return render_template("dossier.html", **shown, **_map(found), **desks.chrome("dossier"))


@pages.get("/grids/<key>/dossier.pdf")
@auth.require()
def paper(key: str) -> Response:
    """Send the dossier of a grid for printing."""
    reader = reader_now()
    found = dossiers.of(auth.session(), key, _asker())
    told = dossier_paper.told(auth.session(), found, reader)
    _record(key, 1)
    return sent(dossier_paper.setting(told["title"], [told], reader), "application/pdf", f"{found.unit.code}.pdf")


@pages.get("/grids/<key>/booklet")
@auth.require()
def booklet(key: str) -> ResponseReturnValue:
    """Show what booklets of a unit there may be, and how those stand that were asked for."""
    unit = _unit(key)
    below = dossiers.grids_in(auth.session(), unit, auth.today())
    levels = {f"{edition.net}:{level.code}": level for edition in units.in_force(auth.session(), auth.today())
              for level in edition.levels}  # fmt: skip
    named = [(level, levels[level], grids) for level, grids in below.items()]
    made = [(task, tasks.said(task)) for task in queue.find(auth.session(), (queue.BOOKLET,), SHOWN)]
    shown = {"unit": unit, "key": key, "levels": named, "booklets": made, "names": _names(made)}
    return render_template("booklet.html", **shown, boot=desks.boot(*desks.LINE), **desks.chrome("dossier"))


@pages.post("/grids/<key>/booklet")
@auth.require()
def ask(key: str) -> ResponseReturnValue:
    """Ask for a booklet; the worker makes it."""
    level, who = request.form.get("level", "")[:80], auth.current().username
    booklets.contents(auth.session(), key, level, _asker())
    params = {"unit": key, "level": level, "locale": auth.locale()}
    queue.put(auth.session(), queue.BOOKLET, params, by=who, now=datetime.now(UTC))
    auth.session().commit()
    return redirect(url_for("grids.booklet", key=key))


@pages.get("/booklets/<int:task_id>.pdf")
@auth.require()
def booklet_pdf(task_id: int) -> Response:
    """Send a booklet that is ready."""
    task = queue.get(auth.session(), task_id)
    answer = tasks.file(task, kinds.BOOKLET, f"booklet-{task.params.get('unit', '').rpartition(':')[2]}.pdf")
    _record(task.params["unit"], task.total_n)
    return answer


def _asker() -> Asker:
    return Asker(auth.current().scope, auth.today(), ZoneInfo(asked.settings().time_zone))


def _unit(key: str) -> UnitRef:
    """Return a unit somebody may have the booklet of; raise NotFound, Forbidden."""
    unit = units.get(auth.session(), *dossiers.parse_key(key), auth.today())
    dossiers.check(auth.session(), unit, _asker())
    return unit


def _parent(unit: UnitRef) -> UnitRef | None:
    """Find the unit whose booklet this grid is in, if who asks may see it."""
    edition = units.of_net(auth.session(), unit.net, auth.today())
    rank = next(level.rank for level in edition.levels if level.code == unit.level)
    level = edition.levels[rank - 1].code if rank else edition.parent_level
    if level is None or unit.parent_code is None or not auth.current().scope.all:
        return None
    net = unit.net if rank else str(edition.parent_net)
    return units.get(auth.session(), net, level, unit.parent_code, auth.today())


def _map(found: Dossier) -> Json:
    """Draw the ground on which the page's script draws the grid, its neighbours' lines and its open issues."""
    bounds = found.geometry.bounds
    view = webmap.MapView(
        (bounds[0], bounds[1], bounds[2], bounds[3]), tiles.base_version(auth.session()), drawing.DRAWING,
        auth.locale(), (), g.csp_nonce,
    )  # fmt: skip
    told = {
        "outline": json.loads(shapely.to_geojson(shapely.simplify(found.geometry, 1e-6))), "bounds": bounds,
        "spots": [{"code": each["code"], "lon": each["lon"], "lat": each["lat"]} for each in found.issues],
    }  # fmt: skip
    return {"drawn": webmap.ground_map(view), "boot": desks.boot("page.dossier.") | told}


def _names(made: list[tuple[Task, str]]) -> dict[str, str]:
    found = units.patch(auth.session(), {task.params["unit"] for task, _ in made}, auth.today())
    return {unit.key: (auth.locale() == "en" and unit.name_en) or unit.name for unit in found}


def _name(row: Any, reader: Reader) -> str:  # noqa: ANN401 -- a unit, or its names as a row
    zh, en = (row["name"], row["name_en"]) if isinstance(row, dict) else (row.name, row.name_en)
    return str((reader.locale == "en" and en) or zh)


def _record(key: str, grids_n: int) -> None:
    """Write into the journal who took which dossiers out of the house."""
    scope = auth.current().scope
    params = {"form": "dossier", "rows_n": grids_n, "asked": key, "words": False}
    ground = () if scope.all else tuple(scope.ground.split())
    line = journal.Line("exported", None, params, ground)
    journal.append(auth.session(), line, by=auth.current().username, now=datetime.now(UTC))
    auth.session().commit()

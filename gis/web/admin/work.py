"""Long work: what was asked for, how far it is, what came of it; and the worker's own jobs."""

from __future__ import annotations

from typing import Any

from flask import Response, g, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis import language
from gis.errors import NotFound
from gis.people import departments
from gis.tasks import kinds, queue, uploads
from gis.tasks.queue import Task
from gis.web import auth, desks, drawing, tiles, webmap
from gis.web.admin import shell

Json = dict[str, Any]

pages = shell.room("work")


@pages.get("/jobs")
def jobs() -> ResponseReturnValue:
    """List long work, and the jobs the worker does again and again."""
    found = queue.find(auth.session())
    regular = auth.session().execute(_JOBS).mappings().all()
    return shell.show("jobs", "admin_jobs.html", tasks=found, jobs=regular, now=shell.now())


@pages.get("/tasks/<int:task_id>")
def task(task_id: int) -> ResponseReturnValue:
    """Show how far a task is, and what came of it."""
    found = queue.get(auth.session(), task_id)
    checked = found.kind == "check" and found.state == queue.DONE
    told = {"task": found, "fault": said_fault(found.fault), "drawn": ground_map(city_box()) if checked else None}
    boot = desks.boot("page.admin.") | {"features": url_for("admin_work.faults", task_id=task_id)} if checked else None
    told["named_offices"] = departments.register(auth.session()).by_code if found.kind == "dry_run" else {}
    section = "editions" if found.kind in {"check", "load", "activate", "retire"} else "jobs"
    return shell.show(section, "admin_task.html", **told | {"boot": boot, "say_fault": _say})


@pages.get("/tasks/<int:task_id>.json")
def progress(task_id: int) -> Json:
    """Answer with how far a task is, for the page that waits."""
    found = queue.get(auth.session(), task_id)
    step = auth.say(found.step) if found.step else ""
    return {"state": found.state, "step": step, "done_n": found.done_n, "total_n": found.total_n}


@pages.get("/tasks/<int:task_id>/faults.geojson")
def faults(task_id: int) -> Response:
    """Send the faults a check found, with the ground below them."""
    return _result(task_id, kinds.FAULTS, "application/geo+json")


@pages.get("/tasks/<int:task_id>/changes.csv")
def changes(task_id: int) -> Response:
    """Send every change a dry run found."""
    return _result(task_id, kinds.CHANGES, "text/csv")


def ask(kind: str, **params: object) -> ResponseReturnValue:
    """Ask for long work, and lead to the page that shows how far it is."""
    task_id = queue.put(auth.session(), kind, dict(params), by=shell.me(), now=shell.now())
    auth.session().commit()
    return redirect(url_for("admin_work.task", task_id=task_id))


def said_fault(fault: Json | None) -> str:
    """Say why a task was refused, with its problems, each in a line of its own."""
    if fault is None:
        return ""
    problems = fault.get("problems")
    return "\n".join(_say(each) for each in problems) if problems else _say(fault)


def ground_map(bounds: webmap.Bounds) -> webmap.Parts:
    """Draw the base map for what a page draws on it."""
    base = tiles.base_version(auth.session())
    return webmap.ground_map(webmap.MapView(bounds, base, drawing.DRAWING, auth.locale(), (), g.csp_nonce))


def city_box() -> webmap.Bounds:
    """Return the bounds of the ground in force."""
    edition = tiles.first_edition(auth.session())
    return desks.bounds(auth.session().execute(_BOUNDS, {"edition": edition}).one())


def _say(told: Json) -> str:
    return language.say(told["code"], auth.locale(), **told["params"])


def _result(task_id: int, name: str, kind: str) -> Response:
    found: Task = queue.get(auth.session(), task_id)
    path = uploads.results(auth.settings(), found.id) / name
    if not path.is_file():
        raise NotFound("tasks.no_file", name=name)
    sent = send_file(path, mimetype=kind, as_attachment="download" in request.args, download_name=name)
    sent.headers["Cache-Control"] = "no-store"
    return sent


_JOBS = text("SELECT name, next_at, started_at, ended_at, runs_n, faults_n, fault FROM job ORDER BY name")
_BOUNDS = text("""
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(geom) AS box FROM unit WHERE edition_id = :edition) AS whole
""")

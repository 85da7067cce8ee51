"""Long work: what was asked for, how far it is, what came of it; and the worker's own jobs."""

from __future__ import annotations

from flask import Response, g, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis.people import departments
from gis.tasks import kinds, queue
from gis.web import auth, desks, drawing, tasks, tiles, webmap
from gis.web.admin import shell

pages = shell.room("work")


@pages.get("/jobs")
def jobs() -> ResponseReturnValue:
    """List long work, and the jobs the worker does again and again."""
    found = queue.find(auth.session())
    regular = auth.session().execute(_JOBS).mappings().all()
    days = auth.settings().task_days
    return shell.show("jobs", "admin_jobs.html", tasks=found, jobs=regular, days=days)


@pages.get("/tasks/<int:task_id>")
def task(task_id: int) -> ResponseReturnValue:
    """Show how far a task is, and what came of it."""
    found = queue.get(auth.session(), task_id)
    checked = found.kind == "check" and found.state == queue.DONE
    boot = desks.boot("page.admin.", *desks.LINE) | {"features": url_for("admin_work.faults", task_id=task_id)}
    told = {"task": found, "fault": tasks.said_fault(found.fault), "drawn": ground_map(city_box()) if checked else None}
    told["named_offices"] = departments.register(auth.session()).by_code if found.kind == "dry_run" else {}
    section = "editions" if found.kind in {"check", "load", "activate", "retire"} else "jobs"
    told |= {"say_fault": tasks.say, "told": tasks.kept(found) if found.is_over else tasks.said(found), "boot": boot}
    return shell.show(section, "admin_task.html", **told)


@pages.get("/tasks/<int:task_id>/faults.geojson")
def faults(task_id: int) -> Response:
    """Send the faults a check found, with the ground below them."""
    return tasks.file(queue.get(auth.session(), task_id), kinds.FAULTS)


@pages.get("/tasks/<int:task_id>/changes.csv")
def changes(task_id: int) -> Response:
    """Send every change a dry run found."""
    return tasks.file(queue.get(auth.session(), task_id), kinds.CHANGES, kinds.CHANGES)


def ask(kind: str, **params: object) -> ResponseReturnValue:
    """Ask for long work, and lead to the page that shows how far it is."""
    task_id = queue.put(auth.session(), kind, dict(params), by=shell.me(), now=shell.now())
    auth.session().commit()
    return redirect(url_for("admin_work.task", task_id=task_id))


def ground_map(bounds: webmap.Bounds) -> webmap.Parts:
    """Draw the base map for what a page draws on it."""
    base = tiles.base_version(auth.session())
    return webmap.ground_map(webmap.MapView(bounds, base, drawing.DRAWING, auth.locale(), (), g.csp_nonce))


def city_box() -> webmap.Bounds:
    """Return the bounds of the ground in force."""
    edition = tiles.first_edition(auth.session())
    return desks.bounds(auth.session().execute(_BOUNDS, {"edition": edition}).one())


_JOBS = text("SELECT name, next_at, started_at, ended_at, runs_n, faults_n, fault FROM job ORDER BY name")
_BOUNDS = text("""
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(geom) AS box FROM unit WHERE edition_id = :edition) AS whole
""")

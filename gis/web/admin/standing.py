"""How the installation stands: health, messages that wait or are stuck, and who changed what."""

from __future__ import annotations

import platform
import shutil
from collections import defaultdict
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis import db, language
from gis.errors import Invalid
from gis.issues import audit
from gis.issues.messages import outbox
from gis.territory import boundaries
from gis.territory.index import shelf
from gis.web import auth
from gis.web.admin import shell

Json = dict[str, Any]

pages = shell.room("standing")

# Silence of the worker, a queue of the seal, and a disk that are no longer as they should be.
SILENT, UNSEALED_OLD = timedelta(seconds=30), timedelta(seconds=60)
DISK_LEAST = 0.05
PACKAGES = ("flask", "folium", "sqlalchemy", "shapely", "geopandas", "numpy")


@pages.get("")
def desk() -> ResponseReturnValue:
    """Lead to the first section."""
    return redirect(url_for("admin_standing.health"))


@pages.get("/health")
def health() -> ResponseReturnValue:
    """Show whether everything the product stands on is as it should be."""
    session, now = auth.session(), shell.now()
    checks = [_database(), _worker(now), _seal(now), _index(), _disk(), _stuck()]
    server = session.execute(_VERSIONS).one()
    versions = {"Shaotu": _version("shaotu"), "Python": platform.python_version(), "PostgreSQL": server.postgres}
    versions |= {"PostGIS": server.postgis} | {name: _version(name) for name in PACKAGES}
    return shell.show("health", "admin_health.html", checks=checks, versions=versions, indexes=_indexes())


@pages.get("/messages")
def messages() -> ResponseReturnValue:
    """Count the messages of every channel, and list those that are stuck or wait, with the reason."""
    counted: dict[str, dict[str, int]] = defaultdict(dict)
    for (channel, state), n in outbox.counts(auth.session()).items():
        counted[channel][state] = n
    states = (outbox.UNSURE, outbox.DEAD, outbox.WAITING)
    rows = [row | {"why": _why(row["fault"])} for row in outbox.stuck(auth.session(), states=states)]
    told = {"counted": dict(counted), "rows": rows, "stuck": (outbox.UNSURE, outbox.DEAD)}
    return shell.show("messages", "admin_messages.html", **told)


@pages.post("/messages/retry")
@shell.keeping(messages)
def retry() -> ResponseReturnValue:
    """Have stuck messages sent again."""
    ids = [int(said) for said in request.form.getlist("id") if said.isascii() and said.isdigit() and len(said) < 19]
    if not ids:
        raise Invalid("admin.nothing_chosen")
    count = outbox.retry(auth.session(), ids, shell.now())
    shell.record(f"messages retry {' '.join(map(str, ids))}")
    shell.done("messages.retried", count=count)
    return redirect(url_for("admin_standing.messages"))


@pages.get("/log")
def log() -> ResponseReturnValue:
    """Show who signed in, changed rules or accounts, or read who reported an issue."""
    return shell.show("log", "admin_log.html", lines=audit.log(auth.session(), most=200))


def _database() -> Json:
    migrated = db.is_migrated(auth.session())
    said = auth.say(f"admin.health.migrated.{'yes' if migrated else 'no'}")
    return {"name": "database", "good": migrated, "said": said}


def _worker(now: datetime) -> Json:
    last: datetime | None = auth.session().scalar(text("SELECT max(ended_at) FROM job"))
    good = last is not None and now - last < SILENT
    seconds = "—" if last is None else str(int((now - last).total_seconds()))
    return {"name": "worker", "good": good, "said": auth.say("admin.health.worker_at", seconds=seconds)}


def _seal(now: datetime) -> Json:
    row = auth.session().execute(_UNSEALED).one()
    lag = timedelta() if row.oldest is None else now - row.oldest
    said = auth.say("admin.health.unsealed", n=row.n, seconds=int(lag.total_seconds()))
    return {"name": "seal", "good": lag < UNSEALED_OLD, "said": said}


def _index() -> Json:
    missing = [each for each in _indexes() if each["state"] != "built"]
    return {"name": "index", "good": not missing, "said": auth.say("admin.health.indexes", n=len(missing))}


def _disk() -> Json:
    usage = shutil.disk_usage(auth.settings().var_dir)
    said = auth.say("admin.health.disk_free", free_gb=f"{usage.free / 1e9:.1f}", total_gb=f"{usage.total / 1e9:.1f}")
    return {"name": "disk", "good": usage.free / usage.total > DISK_LEAST, "said": said}


def _stuck() -> Json:
    counted = outbox.counts(auth.session())
    stuck = sum(n for (_, state), n in counted.items() if state in {outbox.UNSURE, outbox.DEAD})
    return {"name": "outbox", "good": not stuck, "said": auth.say("admin.health.stuck", n=stuck)}


def _indexes() -> list[Json]:
    """Say of each edition that answers, or may, whether its index file is there."""
    session = auth.session()
    folder = shelf.folder(session)
    told = []
    for each in boundaries.list_editions(session):
        if each.state == "retired":
            continue
        digest = each.report.get("digest")
        path = shelf.path(folder, digest) if folder and digest else None
        there = path is not None and path.exists()
        size = f"{path.stat().st_size / 1e6:.1f}" if there and path else ""
        state = "built" if there else "missing"
        told.append({"net": each.net, "edition": each.name, "state": state, "megabytes": size})
    if folder and any(each["state"] == "missing" for each in told) and _is_building(folder):
        told = [each | {"state": "building"} if each["state"] == "missing" else each for each in told]
    return told


def _is_building(folder: Any) -> bool:  # noqa: ANN401 -- a path
    with shelf.sole_builder(folder, wait=False) as ours:
        return not ours


def _why(fault: Json | None) -> str:
    return language.say(fault["code"], auth.locale(), **fault["params"]) if fault else ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "0.1.0"


_VERSIONS = text("SELECT split_part(version(), ' ', 2) AS postgres, postgis_lib_version() AS postgis")
_UNSEALED = text("""
SELECT count(*) AS n, min(entry.at) AS oldest FROM unsealed JOIN entry ON entry.id = unsealed.entry_id
""")

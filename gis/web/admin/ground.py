"""Units and editions: checked, loaded dark, looked at over the one in force, activated, retired. And agreements."""

from __future__ import annotations

import json
from typing import Any

import shapely
from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis import moments
from gis.errors import Invalid, NotFound
from gis.issues import agreements as pacts
from gis.tasks import queue, uploads
from gis.territory import boundaries, tables, units
from gis.web import auth, desks, drawing, tiles, webmap
from gis.web.admin import shell, work
from gis.web.webmap import NetLayer

Json = dict[str, Any]

pages = shell.room("ground")


@pages.get("/editions")
def editions() -> ResponseReturnValue:
    """List every edition of every net, with the ways in: files sent up, or a manifest on the server."""
    found = boundaries.list_editions(auth.session())
    counted = dict(auth.session().execute(_UNITS_N).tuples().all())
    running = queue.find(auth.session(), ("check", "load", "activate", "retire"), 12)
    limit_mb = round(auth.settings().request_limit_bytes / 1e6)
    told = {"manifests": uploads.on_server(auth.settings()), "tasks": running, "limit_mb": limit_mb}
    return shell.show("editions", "admin_editions.html", editions=found, units_n=counted, **told)


@pages.post("/editions/check")
@shell.keeping(editions)
def check() -> ResponseReturnValue:
    """Have files checked: those sent up with their manifest, or those of a manifest on the server."""
    sent = [file for file in request.files.getlist("files") if file.filename]
    if sent:
        key = uploads.keep(auth.settings(), [(file.filename or "", file.stream) for file in sent])
        source = f"{uploads.UPLOAD}:{key}"
    else:
        source = f"{uploads.SERVER}:{shell.field('manifest')}"
    uploads.manifest(auth.settings(), source)
    return work.ask("check", manifest=source)


@pages.post("/editions/load")
@shell.keeping(editions)
def load() -> ResponseReturnValue:
    """Have what was checked loaded, dark; with its faults where they are accepted."""
    number = shell.field("task")
    checked = queue.get(auth.session(), int(number) if number.isascii() and number.isdigit() else 0)
    if checked.kind != "check" or checked.state != queue.DONE:
        raise Invalid("admin.not_checked")
    accept = request.form.get("accept") == "1"
    if checked.outcome and checked.outcome["above_n"] and not accept:
        raise Invalid("admin.not_accepted", n=checked.outcome["above_n"])
    return work.ask("load", manifest=checked.params["manifest"], accept=accept, checked=checked.id)


@pages.get("/editions/<int:edition_id>")
def preview(edition_id: int) -> ResponseReturnValue:
    """Show an edition on the map over the one in force, and what may be done with it."""
    session = auth.session()
    edition = session.get(tables.Edition, edition_id)
    if edition is None:
        raise NotFound("boundaries.no_edition", net="", edition=edition_id)
    now = next((each for each in units.in_force(session, auth.today()) if each.net == edition.net), None)
    layers = [NetLayer("now", now.id)] if now and now.id != edition.id else []
    bounds = desks.bounds(session.execute(_BOUNDS, {"edition": edition.id}).one())
    view = webmap.MapView(
        bounds, tiles.base_version(session), drawing.DRAWING, auth.locale(),
        (*layers, NetLayer("draft", edition.id)), g.csp_nonce,
    )  # fmt: skip
    told = {
        name: session.execute(sql, {"edition": edition.id}).mappings().all()
        for name, sql in {"levels": _LEVELS, "faults": _FAULTS}.items()
    }
    drawn, boot = webmap.preview_map(view), desks.boot("page.admin.")
    return shell.show("editions", "admin_edition.html", **told, edition=edition, now=now, drawn=drawn, boot=boot)


@pages.post("/editions/<int:edition_id>/activate")
@shell.keeping(editions)
def activate(edition_id: int) -> ResponseReturnValue:
    """Have an edition answer from a date."""
    edition = _edition(edition_id)
    start = moments.parse_day(shell.field("start"))
    return work.ask("activate", net=edition.net, edition=edition.name, start=start.isoformat())


@pages.post("/editions/<int:edition_id>/retire")
@shell.keeping(editions)
def retire(edition_id: int) -> ResponseReturnValue:
    """Have an edition withdrawn."""
    edition = _edition(edition_id)
    if request.form.get("sure") != "1":
        raise Invalid("admin.not_sure")
    return work.ask("retire", net=edition.net, edition=edition.name)


@pages.get("/agreements")
def agreements() -> ResponseReturnValue:
    """List the agreements, and draw them."""
    session = auth.session()
    found = pacts.find(session)
    keys = {key for each in found for key in (each.lead, *each.parties)}
    named = {unit.key: unit for unit in units.patch(session, sorted(keys), auth.today())}
    features = [_feature(nth, each) for nth, each in enumerate(found)]
    boot = desks.boot("page.admin.") | {"collection": {"type": "FeatureCollection", "features": features}}
    drawn = work.ground_map(_around(found))
    told = {"agreements": found, "units_by_key": named, "drawn": drawn, "boot": boot}
    return shell.show("agreements", "admin_agreements.html", **told)


@pages.post("/agreements/<code>/end")
@shell.keeping(agreements)
def end_agreement(code: str) -> ResponseReturnValue:
    """End an agreement for issues to come; it stays on record."""
    pacts.withdraw(auth.session(), code, now=shell.now())
    shell.record(f"agreement {code} withdrawn")
    shell.done("admin.agreement_ended", code=code)
    return redirect(url_for("admin_ground.agreements"))


def _edition(edition_id: int) -> tables.Edition:
    found = auth.session().get(tables.Edition, edition_id)
    if found is None:
        raise NotFound("boundaries.no_edition", net="", edition=edition_id)
    return found


def _feature(nth: int, each: pacts.Agreement) -> Json:
    told = {"kind": "agreement", "nth": nth, "above": each.withdrawn_at is None}
    return {"type": "Feature", "geometry": json.loads(each.geometry), "properties": told}


def _around(found: list[pacts.Agreement]) -> webmap.Bounds:
    boxes = [shapely.bounds(shapely.from_geojson(each.geometry)) for each in found]
    if not boxes:
        return work.city_box()
    west, south, east, north = (list(side) for side in zip(*boxes, strict=True))
    return float(min(west)), float(min(south)), float(max(east)), float(max(north))


_UNITS_N = text("SELECT edition_id, count(*) FROM unit GROUP BY edition_id")
_BOUNDS = text("""
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(geom) AS box FROM unit WHERE edition_id = :edition) AS whole
""")
_LEVELS = text("""
SELECT level.code, level.name_zh, level.name_en, count(*) AS n, sum(unit.area_m2) / 1e6 AS area_km2
FROM unit JOIN level ON level.net = unit.net AND level.code = unit.level WHERE unit.edition_id = :edition
GROUP BY level.net, level.code ORDER BY level.rank
""")
_FAULTS = text("SELECT kind, count(*) AS n FROM fault WHERE edition_id = :edition GROUP BY kind ORDER BY kind")

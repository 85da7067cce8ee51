"""What makes the phone's page an application of its own: its files under one version, its manifest, its worker.

The version is a hash of what the files hold. Their addresses carry it, so a page and its scripts are always of one
piece, whatever the browser has kept; and a new version is a new worker, which fetches them all before it takes over.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, send_from_directory, url_for
from flask.typing import ResponseReturnValue

from gis.settings import ROOT
from gis.web import auth, drawing

pages = Blueprint("shell", __name__)

STATIC = ROOT / "static"
# The page's own scripts are all in one folder; of the others only those it takes in.
OURS, WORKER = "js/patch/*.js", "js/patch/worker.js"
SHARED = (
    "vendor/leaflet/dist/leaflet.js", "vendor/leaflet/dist/leaflet.css",
    "vendor/protomaps-leaflet/dist/protomaps-leaflet.js", "js/basemap.js", "js/page/dom.js", "js/page/words.js",
    "css/shaotu.css", "css/patch.css", "shaotu.svg", "patch.svg", "patch-mask.svg",
)  # fmt: skip
# The same two pictures for telephones that take no SVG, and for an iPhone's home screen; drawn by setup/icons.py.
PNG = ("patch-180.png", "patch-192.png", "patch-512.png", "patch-mask-512.png")
COLOURS = {"theme_color": "#0b5c96", "background_color": "#fbfaf7"}


def files() -> list[str]:
    """List what the page is made of, below static/."""
    ours = (path.relative_to(STATIC).as_posix() for path in STATIC.glob(OURS))
    return sorted([*SHARED, *(name for name in ours if name != WORKER)])


@cache
def version() -> str:
    """Return the version of the page: a hash of its files and of the template that holds them."""
    paths = [*(STATIC / name for name in [*files(), *PNG, WORKER]), ROOT / "templates" / "patch.html"]
    kept = hashlib.sha256(str(drawing.DRAWING).encode())
    for path in paths:
        kept.update(path.read_bytes() if path.exists() else b"")
    return kept.hexdigest()[:16]


def asset(name: str) -> str:
    """Return the address of a file of this version."""
    return url_for("shell.file", version=version(), filename=name)


@pages.get("/patch/files/<version>/<path:filename>")
def file(version: str, filename: str) -> ResponseReturnValue:
    """Send a file; an address of this version never changes what it holds."""
    answer = send_from_directory(str(current_app.static_folder), filename)
    if version == globals()["version"]():
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@pages.get("/patch/manifest.webmanifest")
def manifest() -> Response:
    """Describe the page to a telephone that installs it."""
    icons = [
        {"src": asset("patch.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
        {"src": asset("patch-mask.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "maskable"},
        {"src": asset("patch-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
        {"src": asset("patch-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
        {"src": asset("patch-mask-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    said = {
        "id": "/patch", "name": auth.say("patch.app_name"), "short_name": auth.say("patch.short_name"),
        "description": auth.say("patch.about"), "lang": auth.locale(), "start_url": "/patch", "scope": "/patch",
        "display": "standalone", "orientation": "portrait", **COLOURS, "icons": icons,
    }  # fmt: skip
    return Response(json.dumps(said, ensure_ascii=False), mimetype="application/manifest+json")


@pages.get("/sw.js")
def worker() -> Response:
    """Send the worker with the version and the files it keeps; it serves the page and nothing beside it."""
    told = {"version": version(), "files": [asset(name) for name in files()]}
    script = f"const SHELL = {json.dumps(told)};\n{Path(STATIC, WORKER).read_text('utf-8')}"
    orders = {"Service-Worker-Allowed": "/patch", "Cache-Control": "no-cache"}
    return Response(script, mimetype="text/javascript", headers=orders)

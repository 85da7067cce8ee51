"""Every door of the product and those it is for, an office with an issue on either side, and somebody to knock.

A new address fails the first test of `test_permissions` until it is named here.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from gis import db
from gis.issues.papers import book, drafting
from gis.issues.papers.book import Author
from gis.issues.papers.drafting import Demand
from gis.people import accounts
from gis.people.accounts import Newcomer
from tests.issues import looped
from tests.web import desk

# o operator, l grid leader, p planner, a administrator, c clerk, d dispatcher, s shift leader, i inspector,
# x department, u a subdistrict that blows whistles, w a screen on a wall; + everybody who signed in but a screen;
# * visitors too, and a screen where it says w; > visitors are led to the sign-in.
DOORS = """
*w            GET /healthz
*w            GET /readyz
*w            GET /static/<path:filename>
*w            GET /sign-in
*w            POST /sign-in
*w            POST /sign-out
+w>           GET /
+>            GET /desk
+>            GET /ledger
+>            GET /papers
osa>          GET /shifts
a             GET /admin
a             GET /admin/health
a             GET /admin/editions
a             GET /admin/agreements
a             GET /admin/duties
a             GET /admin/users
a             GET /admin/calendars
a             GET /admin/categories
a             GET /admin/rules
a             GET /admin/powers
a             GET /admin/lights
a             GET /admin/messages
a             GET /admin/jobs
a             GET /admin/log
a             GET /admin/editions/<int:edition_id>
a             POST /admin/editions/check
a             POST /admin/editions/load
a             POST /admin/editions/<int:edition_id>/activate
a             POST /admin/editions/<int:edition_id>/retire
a             POST /admin/agreements/<code>/end
a             POST /admin/duties
a             POST /admin/duties/dry-run
a             POST /admin/duties/activate
a             POST /admin/departments
a             GET /admin/users/<username>
a             POST /admin/users
a             POST /admin/users/<username>/password
a             POST /admin/users/<username>/seat
a             POST /admin/users/<username>/close
a             POST /admin/users/<username>/reopen
a             POST /admin/users/<username>/posts
a             POST /admin/calendars
a             POST /admin/categories
a             POST /admin/categories/public
a             POST /admin/rules
a             POST /admin/rules/activate
a             POST /admin/messages/retry
a             GET /admin/tasks/<int:task_id>
a             GET /admin/tasks/<int:task_id>/faults.geojson
a             GET /admin/tasks/<int:task_id>/changes.csv
*             GET /public
*             GET /public/status
*             GET /public/report
*             GET /public/report/where
*             GET /public/report/write
*             POST /public/report
*             POST /public/me-too
*             GET /public/follow/<token>
*             POST /public/follow/<token>
*             GET /public/tiles/<version>/<any(zh, en):lang>/<tile:tile>.mvt
posaw>        GET /wall
posaw         GET /wall/figures
posaw         GET /wall/state
*             GET /answer/<token>
*             POST /answer/<token>
+             GET /api/v1/agreements
oa            POST /api/v1/agreements
oa            GET /api/v1/default-points
oa            POST /api/v1/default-points
oa            POST /api/v1/default-points/<int:point_id>/accept
oa            POST /api/v1/default-points/<int:point_id>/reject
+             GET /api/v1/editions
+             GET /api/v1/issues
oalci         POST /api/v1/issues
+             GET /api/v1/issues/<code>
oa            POST /api/v1/issues/<code>/condition
+             GET /api/v1/issues/<code>/conditions
+             GET /api/v1/issues/<code>/moves
+             POST /api/v1/issues/<code>/moves
oalci         POST /api/v1/issues/<code>/photos
+             GET /api/v1/issues/<code>/photos/<sha256>.jpg
oacd          POST /api/v1/issues/<code>/place
+             GET /api/v1/ledger
+             GET /api/v1/issues/<code>/lateness
+             POST /api/v1/issues/<code>/appeals
+             POST /api/v1/issues/<code>/appeals/answer
oac           POST /api/v1/issues/<code>/reporter
+             GET /api/v1/notices
+             POST /api/v1/notices/read
+             GET /api/v1/rosters
+             GET /api/v1/whistles
+             GET /api/v1/evaluation
olpacdsiu     GET /grids/<key>/dossier
olpacdsiu     GET /grids/<key>/dossier.pdf
olpacdsiu     GET /grids/<key>/booklet
olpacdsiu     POST /grids/<key>/booklet
+             GET /booklets/<int:task_id>.pdf
+             GET /tasks/<int:task_id>
+             POST /tasks/<int:task_id>/remove
+             GET /evaluation
opsa          GET /borders
opsa          GET /borders.csv
opsa          GET /borders.gpkg
opsa          GET /borders.pdf
opsa          GET /borders/chosen
opsa          GET /borders/shapes
opsa          GET /api/v1/borders
+             GET /evaluation.csv
+             GET /evaluation.xlsx
+             GET /evaluation/issues
+             GET /evaluation/issues.csv
+             GET /evaluation/outlines
oc            GET /call-back
oc            GET /call-back/<code>
oc            POST /call-back/<code>
oc            POST /call-back/<code>/link
oc            POST /call-back/<code>/reveal
+             GET /map/issues/<code>/duplicates
oacd          POST /api/v1/issues/<code>/side
oadslixu      GET /api/v1/positions
lix           POST /api/v1/position
+             GET /map/points
+             GET /map/points/<int:point_id>
+             GET /map/areas
+             GET /map/past
+             GET /tiles/points/<version>/<tile:tile>.mvt
+             GET /tiles/online/<code>/<int:layer>/<tile:tile>
+             GET /map/calls
+w            GET /api/v1/live
+             GET /api/v1/locate
+             POST /api/v1/locate
+             POST /api/v1/locate/batch
+             GET /api/v1/straddlers
+             POST /api/v1/sweeps
+             POST /api/v1/sweeps/preview
+             GET /api/v1/sweeps/<int:sweep_id>
+             POST /api/v1/sweeps/<int:sweep_id>/go-on
+             POST /api/v1/sweeps/<int:sweep_id>/undo
+             GET /ledger.pdf
+             GET /ledger.xlsx
+             GET /ledger/total
+             POST /ledger/views
+             POST /ledger/views/<int:view_id>/remove
opa           GET /map/agreements
oa            POST /map/agreements
oa            POST /map/agreements/<code>/withdraw
oa            POST /map/agreements/parties
oa            GET /map/street
+             GET /map/desk
+             GET /map/hotspots
+             GET /map/issues/<code>
+             GET /map/rows
+             GET /map/search
+             GET /map/sides
+             GET /map/state
+             GET /map/straddlers/<net>/<level>/<kind>
+             GET /map/straddlers/<net>/<level>/<kind>/<int:place_id>
+             GET /map/units/<int:unit_id>
+             GET /map/units/<net>/<level>/<code>
+             GET /papers/<int:paper_id>.docx
oasd          POST /papers/daily
oasd          POST /papers/supervision
oasd          POST /papers/of/<code>/letter
oasd          POST /papers/of/<code>/minutes
+>            GET /patch
+             GET /patch/data
*w            GET /patch/files/<version>/<path:filename>
+             GET /patch/issues/<code>
oalci         POST /patch/issues/<code>/second
*             GET /patch/manifest.webmanifest
+             GET /patch/me
+             GET /patch/numbers
+             GET /patch/track
+             POST /patch/track
sa            GET /patch/walkers
*             GET /sw.js
os            POST /shifts
+             POST /shifts/<int:handover_id>/sign
+w            GET /tiles/base/<version>/<any(zh, en):lang>/<tile:tile>.mvt
+             GET /tiles/straddlers/<version>/<int:edition_id>/<level>/<tile:tile>.mvt
+w            GET /tiles/units/<int:edition_id>/<any(zh, en):lang>/<tile:tile>.mvt
"""
LETTERS = {
    "o": "operator", "l": "leader", "p": "planner", "a": "administrator", "c": "clerk", "d": "dispatcher",
    "s": "shift_leader", "i": "inspector", "x": "department",
    "u": "caller", "w": "screen",
}  # fmt: skip
VISITOR, SCREEN = "", "w"
# Accounts bear the names of their roles, and departments' accounts those of their departments.
NAMED = {"department": "cg"}
PHONE = "13812345678"
# A leader of another grid, and a department nobody called: they see none of the issues below.
STRANGER, IDLE = "stranger", "zf"
OTHER_GRID = ("governance", "grid", "990102002002001")


@cache
def doors() -> dict[str, str]:
    """Read the table above: door -> letters."""
    lines = (line.split(maxsplit=1) for line in DOORS.strip().splitlines())
    return {door: letters for letters, door in lines}


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Give the office one issue in the leader's patch and one in the other district, each with a letter about it."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        accounts.add(session, Newcomer(STRANGER, desk.PASSWORD, "s", "leader"), now=desk.LONG_AGO)
        accounts.give_post(session, STRANGER, OTHER_GRID, start=date(2024, 1, 1))
        accounts.add(session, Newcomer("caller", desk.PASSWORD, "u", "caller"), now=desk.LONG_AGO)
        accounts.give_post(session, "caller", ("admin", "district", "990101"), start=date(2024, 1, 1))
        _idle(session)
        _file(session)
        session.commit()
    return office


def _idle(session: Session) -> None:
    session.execute(
        text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')")
    )
    idle = Newcomer(IDLE, desk.PASSWORD, "z", "department", department="zf")
    accounts.add(session, idle, now=desk.LONG_AGO)


NEAR, FAR = "990101000001", "990101000002"


def _file(session: Session) -> None:
    patch = ":".join(desk.PATCH)
    reporter = Json({"name": "王小明", "phone": PHONE})
    near = looped.plain(session, 1, ground=[patch, looped.WEST], text="words of the near one", reporter=reporter)
    far = looped.plain(session, 2, ground=[looped.EAST], x=3.0, text="words of the far one", reporter=reporter)
    session.execute(text("UPDATE issue SET departments = '{cg}', lead = 'cg' WHERE id = :id"), {"id": near.issue_id})
    session.execute(text("UPDATE issue SET departments = '{sw}', lead = 'sw' WHERE id = :id"), {"id": far.issue_id})
    for way in (near, far):
        demand = Demand("三日内办结", date(2026, 6, 4), "chief")
        issue_id, said = drafting.supervision(session, way.code, demand, looped.NOW)
        book.enter(session, said, Author("operator", looped.NOW, ZoneInfo("Asia/Shanghai")), issue_id)


@pytest.fixture(scope="module")
def people(office: Flask) -> dict[str, FlaskClient]:
    """Sign everybody in, once."""
    names = [*(NAMED.get(role, role) for role in LETTERS.values()), "sw", STRANGER, IDLE]
    return {VISITOR: office.test_client()} | {name: desk.signed_in(office, name) for name in names}


def filled(door: str, code: str = NEAR, number: int = 1) -> tuple[str, str]:
    """Give a door's method, and its address with something that exists in each place."""
    method, rule = door.split(" ", 1)
    known = {
        "code": code if "units" not in rule else "990101001001001", "net": "governance", "level": "grid",
        "kind": "building", "sha256": "a" * 64, "filename": "shaotu.svg", "version": "1", "lang": "zh",
        "tile": "14/1/1", "username": "nobody at all", "key": ":".join(desk.PATCH),
    }  # fmt: skip
    return method, re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", lambda found: known.get(found[2], str(number)), rule)


def knock(client: FlaskClient, door: str, code: str = NEAR, number: int = 1) -> TestResponse:
    """Ask at a door; the body is empty, which is said where somebody may go through."""
    method, path = filled(door, code, number)
    headers = {"Accept": "application/json"}
    if method == "GET":
        return client.get(path, headers=headers)
    headers["X-CSRFToken"] = desk.csrf(client)
    if path.startswith(("/api", "/map", "/papers/of", "/patch")):
        return client.open(path, method=method, json={}, headers=headers)
    return client.open(path, method=method, data={}, headers=headers)

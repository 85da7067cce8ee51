"""Every door of the product, and who may go through it; and that no list holds what lies outside a scope.

A new address fails the first test until it is named here with those it is for.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any
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
# x department, u a subdistrict that blows whistles; + everybody who signed in; * visitors too; > visitors are led to
# the sign-in.
DOORS = """
*             GET /healthz
*             GET /readyz
*             GET /static/<path:filename>
*             GET /sign-in
*             POST /sign-in
*             POST /sign-out
+>            GET /
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
posa>         GET /wall
posa          GET /wall/figures
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
+             GET /api/v1/live
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
*             GET /patch/files/<version>/<path:filename>
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
+             GET /tiles/base/<version>/<any(zh, en):lang>/<tile:tile>.mvt
+             GET /tiles/straddlers/<version>/<int:edition_id>/<level>/<tile:tile>.mvt
+             GET /tiles/units/<int:edition_id>/<any(zh, en):lang>/<tile:tile>.mvt
"""
LETTERS = {
    "o": "operator", "l": "leader", "p": "planner", "a": "administrator", "c": "clerk", "d": "dispatcher",
    "s": "shift_leader", "i": "inspector", "x": "department",
    "u": "caller",
}  # fmt: skip
VISITOR = ""
# Accounts bear the names of their roles, and departments' accounts those of their departments.
NAMED = {"department": "cg"}
PHONE = "13812345678"
# Who speaks with reporters.
IN_FULL = {"operator", "administrator", "clerk"}
# A leader of another grid, and a department nobody called: they see none of the issues below.
STRANGER, IDLE = "stranger", "zf"
OTHER_GRID = ("governance", "grid", "990102002002001")
# Out of these ways nothing is told that only some may see: the words of the page, the ground, the way in and out.
UNISSUED = re.compile(r"^/(static|answer|public|tiles|sign-in|sign-out|healthz|readyz)")


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


def test_every_door_is_named_with_those_it_is_for(office: Flask) -> None:
    there = {
        f"{method} {rule.rule}"
        for rule in office.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == set(doors())


def test_every_role_has_its_letter() -> None:
    assert set(LETTERS.values()) == set(accounts.ROLES)


def entries() -> Iterator[Any]:
    """Pair every door with everybody: (door, who, may)."""
    for door, letters in doors().items():
        if "*" in letters:
            continue
        for letter, role in LETTERS.items():
            may = letter in letters or "+" in letters
            yield pytest.param(door, NAMED.get(role, role), may, id=f"{role} {door}")


@pytest.mark.parametrize(("door", "who", "may"), list(entries()))
def test_who_may_go_through(people: dict[str, FlaskClient], door: str, who: str, may: bool) -> None:
    answer = knock(people[who], door)
    answer.close()
    assert answer.status_code < 500
    assert (answer.status_code != 403) == may
    assert answer.status_code != 401


@pytest.mark.parametrize("door", [door for door, letters in doors().items() if "*" not in letters])
def test_a_visitor_goes_through_none(people: dict[str, FlaskClient], door: str) -> None:
    answer = knock(people[VISITOR], door)
    if ">" in doors()[door]:
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in")
    else:
        assert answer.status_code == 401


@pytest.mark.parametrize("door", [door for door, letters in doors().items() if "*" in letters])
def test_a_visitor_finds_the_open_doors_open(office: Flask, door: str) -> None:
    answer = knock(office.test_client(), door)
    # An empty form signs nobody in, nobody cannot sign out, and a link that was never given opens nothing.
    shut = {"POST /sign-in": {401}, "POST /sign-out": {401}}
    shut |= {"GET /answer/<token>": {404}, "POST /answer/<token>": {400, 404}}
    # So does an empty report; and a report to nobody's category.
    shut |= {"GET /public/report/where": {400}, "GET /public/report/write": {400}, "POST /public/report": {400}}
    shut |= {"POST /public/me-too": {400}, "GET /public/follow/<token>": {404}, "POST /public/follow/<token>": {404}}
    assert answer.status_code in shut.get(door, {200, 302})


ISSUE_DOORS = [door for door in doors() if "/issues/<code>" in door]


@pytest.mark.parametrize("door", ISSUE_DOORS)
@pytest.mark.parametrize("who", [STRANGER, IDLE, "sw"])
def test_an_issue_outside_the_scope_is_not_there(people: dict[str, FlaskClient], door: str, who: str) -> None:
    answer = knock(people[who], door)
    assert answer.status_code in {400, 403, 404}
    assert "words of the near one" not in answer.text


def told(answer: TestResponse) -> str:
    """Read an answer as words, those in a packed office file too."""
    if not answer.data.startswith(b"PK"):
        return answer.data.decode("utf-8", "replace")
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    return "".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())


GETS = [
    door for door, letters in doors().items()
    if door.startswith("GET") and "*" not in letters and "live" not in door and not UNISSUED.match(door[4:])
]  # fmt: skip
SEES = {
    "leader": {NEAR}, "cg": {NEAR}, "sw": {FAR}, STRANGER: set[str](), IDLE: set[str](), "operator": {NEAR, FAR},
}  # fmt: skip


@pytest.mark.parametrize("who", SEES)
@pytest.mark.parametrize("door", GETS)
def test_no_answer_holds_what_lies_outside_the_scope(people: dict[str, FlaskClient], door: str, who: str) -> None:
    for code, about in ((NEAR, "near"), (FAR, "far")):
        for number in (1, 2) if code not in SEES[who] else ():
            answer = knock(people[who], door, code, number)
            assert f"words of the {about} one" not in told(answer)
            # A refusal repeats what was asked for.
            assert answer.status_code in {403, 404} or code not in told(answer)


@pytest.mark.parametrize("role", sorted(set(LETTERS.values()) - IN_FULL))
@pytest.mark.parametrize("door", GETS)
def test_nobody_reads_who_reported_but_those_who_speak_with_them(
    people: dict[str, FlaskClient], door: str, role: str
) -> None:
    for code, number in ((NEAR, 1), (FAR, 2)):
        assert PHONE not in told(knock(people[NAMED.get(role, role)], door, code, number))


@pytest.mark.parametrize("role", sorted(IN_FULL))
def test_those_who_speak_with_them_ask_for_it_on_record(
    office: Flask, people: dict[str, FlaskClient], role: str
) -> None:
    door = "POST /api/v1/issues/<code>/reporter"
    assert PHONE not in people[role].get(f"/map/issues/{NEAR}").text
    assert PHONE in knock(people[role], door).text
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT actor FROM entry WHERE kind = 'unmasked' ORDER BY id DESC LIMIT 1"))
    assert last.scalar_one() == role


@pytest.mark.parametrize("role", sorted(IN_FULL))
@pytest.mark.parametrize("path", ["/ledger", "/ledger.xlsx", "/api/v1/ledger", "/papers/1.docx"])
def test_what_leaves_the_house_tells_nobody(people: dict[str, FlaskClient], path: str, role: str) -> None:
    assert PHONE not in told(people[role].get(path))


@pytest.mark.parametrize("who", SEES)
@pytest.mark.parametrize("address", ["api/v1/issues", "api/v1/ledger", "ledger", "map/state", "ledger.xlsx"])
def test_each_list_holds_what_lies_inside_it(people: dict[str, FlaskClient], address: str, who: str) -> None:
    shown = told(knock(people[who], f"GET /{address}"))
    assert {code for code in (NEAR, FAR) if code in shown} == SEES[who]


@pytest.mark.parametrize("who", SEES)
def test_a_print_holds_as_many_as_are_seen(office: Flask, people: dict[str, FlaskClient], who: str) -> None:
    # Its letters are glyphs; the journal says how many lines were set.
    assert people[who].get("/ledger.pdf").status_code == 200
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT actor, params FROM entry WHERE kind = 'exported' ORDER BY id DESC")).first()
    assert last is not None
    assert (last.actor, last.params["rows_n"]) == (who, len(SEES[who]))


@pytest.mark.parametrize("who", SEES)
def test_a_letter_is_sent_to_who_sees_its_issue(people: dict[str, FlaskClient], who: str) -> None:
    answers = {code: people[who].get(f"/papers/{number}.docx") for number, code in ((1, NEAR), (2, FAR))}
    assert {code for code, answer in answers.items() if answer.status_code == 200} == SEES[who]


@pytest.mark.parametrize("who", [STRANGER, IDLE, "sw"])
def test_a_sweep_moves_nothing_outside_the_scope(people: dict[str, FlaskClient], who: str) -> None:
    client = people[who]
    body = {"move": "sign", "issues": {NEAR: None}, "fields": {}}
    answer = client.post("/api/v1/sweeps", json=body, headers={"X-CSRFToken": desk.csrf(client)})
    assert [each["code"] for each in answer.get_json()["outcomes"]] == ["issue.not_found"]


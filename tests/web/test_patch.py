"""The doors of the phone's page: what is sent twice is once, and what lies beside a line is its chief's."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from psycopg2.extras import Json
from sqlalchemy import text

from gis import db
from gis.db import Scope
from gis.people import accounts, areas, patrols
from gis.people.accounts import Newcomer
from gis.settings import ROOT
from gis.web import shell
from tests import town
from tests.web import desk, walking

CITY = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module", autouse=True)
def street(office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        walking.prepare(session)
        session.commit()


@pytest.fixture(autouse=True)
def swept(office: Flask) -> Iterator[None]:
    yield
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        connection.execute(text("TRUNCATE issue, patrol, sent_once CASCADE"))


@pytest.fixture(scope="module")
def leader(office: Flask) -> FlaskClient:
    return desk.signed_in(office, "leader")


def put(office: Flask, number: int = 1, x: float = 0.25, y: float = 0.5, **changes: Any) -> str:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        code = walking.issue(session, number, x, y, **changes)
        session.commit()
    return code


def counted(office: Flask, sql: str) -> int:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return int(session.scalar(text(sql)) or 0)


def photo(colour: str = "red") -> tuple[io.BytesIO, str]:
    written = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(written, "JPEG")
    written.seek(0)
    return written, "a.jpg"


def post(client: FlaskClient, path: str, **form: Any) -> Any:
    sent = {name: json.dumps(said) if isinstance(said, dict) else said for name, said in form.items()}
    headers = {"X-CSRFToken": desk.csrf(client), "Accept": "application/json"}
    return client.post(path, data=sent, headers=headers, content_type="multipart/form-data")


def test_a_move_sent_twice_is_made_once_and_answered_alike(office: Flask, leader: FlaskClient) -> None:
    code = put(office, state="fed_back")
    said = {"move": "pass", "client_id": "m1", "version": 0, "fields": {}}
    first, second = (post(leader, f"/api/v1/issues/{code}/moves", move=said) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.get_json()["message"] == second.get_json()["message"]
    assert counted(office, "SELECT count(*) FROM move") == 1


def test_a_move_that_was_refused_may_be_sent_again_under_its_number(office: Flask, leader: FlaskClient) -> None:
    code = put(office, state="fed_back")
    said = {"move": "rework", "client_id": "m1", "fields": {}}
    assert post(leader, f"/api/v1/issues/{code}/moves", move=said).status_code == 400
    mended = said | {"fields": {"reason": "没有清干净"}}
    assert post(leader, f"/api/v1/issues/{code}/moves", move=mended).status_code == 200


def test_me_too_sent_twice_is_said_once(office: Flask, leader: FlaskClient) -> None:
    code = put(office)
    for _ in range(2):
        answer = post(leader, f"/patch/issues/{code}/second", second={"client_id": "s1"}, photos=[photo()])
        assert (answer.status_code, answer.get_json()["seconds"]) == (200, 1)
    assert counted(office, "SELECT count(*) FROM entry WHERE kind = 'seconded'") == 1


def test_me_too_about_what_is_over_is_refused(office: Flask, leader: FlaskClient) -> None:
    code = put(office, state="closed")
    answer = post(leader, f"/patch/issues/{code}/second", second={"client_id": "s1"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "sent.over")


def test_a_number_of_mine_is_nobody_elses(office: Flask, leader: FlaskClient) -> None:
    code = put(office)
    for client in (leader, desk.signed_in(office, "inspector")):
        post(client, f"/patch/issues/{code}/second", second={"client_id": "same"})
    assert counted(office, "SELECT count(*) FROM entry WHERE kind = 'seconded'") == 2


def test_the_phone_gets_what_waits_and_what_is_open_and_nobody_who_reported(office: Flask, leader: FlaskClient) -> None:
    waits = put(office, 1, state="fed_back", reporter=Json({"name": "王小明", "phone": "13812345678"}))
    around, _over = put(office, 2), put(office, 3, state="closed")
    answer = leader.get("/patch/data")
    told = answer.get_json()
    assert {issue["code"] for issue in told["issues"]} == {waits, around}
    assert {group["code"]: group["issues"] for group in told["groups"]} == {"fed_back": [waits], "collected": []}
    assert "王" not in answer.text


def test_the_most_used_classes_come_first_and_small_ones_say_so(office: Flask, leader: FlaskClient) -> None:
    put(office, 1, reported_at=datetime.now(UTC))
    told = {each["code"]: each for each in leader.get("/patch/data").get_json()["categories"]}
    assert (told["E0110"]["usual"], told["E0110"]["minor"], told["E0409"]["minor"]) == (1, True, False)


@pytest.fixture
def many_classes(office: Flask) -> Iterator[None]:
    """Add three plain classes and a danger, which comes last by its code."""
    added = "('cg', '2013', :code, 'E04', :code, :code, 0)"
    codes = [{"code": code} for code in ("E0401", "E0402", "E0403", "E0496")]
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        columns = "scheme, version, code, parent, name_zh, name_en, boundary_risk"
        connection.execute(text(f"INSERT INTO category ({columns}) VALUES {added}"), codes)
    yield
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        connection.execute(text("DELETE FROM category WHERE code = :code"), codes)


@pytest.mark.usefixtures("many_classes")
def test_a_danger_seldom_reported_is_offered_behind_the_most_used_classes(office: Flask, leader: FlaskClient) -> None:
    put(office, 1, reported_at=datetime.now(UTC))
    told = {each["code"]: each["usual"] for each in leader.get("/patch/data").get_json()["categories"]}
    assert (told["E0110"], told["E0409"], told["E0496"]) == (1, 6, 7)


def test_a_street_chief_gets_what_lies_beside_the_street_and_not_across_the_cell(office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        lon, lat = zip(*(town.lonlat(x, 0.5) for x in (0.1, 0.9)), strict=True)
        area = session.scalar(
            text("""
            INSERT INTO responsibility_area (role, name, name_en, person, valid_from, geom)
            VALUES ('street_chief', '中街', 'Middle Street', '松', '2024-01-01', ST_GeomFromText(:line, 4326))
            RETURNING id
            """),
            {"line": f"LINESTRING({lon[0]} {lat[0]}, {lon[1]} {lat[1]})"},
        )
        accounts.add(session, Newcomer("streetchief", desk.PASSWORD, "松", "leader"), now=desk.LONG_AGO)
        accounts.give_post(session, "streetchief", (areas.NET, "street_chief", str(area)), start=date(2024, 1, 1))
        session.commit()
    cell = ["unit_grid:cell:990101001001001", walking.KEY]
    metre_north = 1 / 1105.74
    beside = put(office, 1, 0.25, 0.5 + 29 * metre_north, ground=cell, state="fed_back")
    across = put(office, 2, 0.25, 0.5 + 31 * metre_north, ground=cell, state="fed_back")
    chief = desk.signed_in(office, "streetchief")
    told = chief.get("/patch/data").get_json()
    assert [issue["code"] for issue in told["issues"]] == [beside]
    assert across not in json.dumps(told)
    assert "中街" in chief.get("/patch").text


def test_a_walk_goes_up_and_comes_back_as_coverage(office: Flask, leader: FlaskClient) -> None:
    lon, lat = town.lonlat(0.25, 0.5)
    now = datetime.now(UTC).isoformat()
    walk = {"patrol": "p", "started_at": now, "fixes": [{"at": now, "lon": lon, "lat": lat, "accuracy_m": 5}]}
    headers = {"X-CSRFToken": desk.csrf(leader)}
    told = leader.post("/patch/track", json=walk, headers=headers).get_json()
    assert (told["kept_n"], told["coverage"]["cells_visited_n"], told["coverage"]["cells_n"]) == (1, 1, 2)
    again = leader.post("/patch/track", json=walk, headers=headers).get_json()
    assert again["kept_n"] == 0


def test_the_centre_sees_where_somebody_on_patrol_is_until_it_ends(office: Flask, leader: FlaskClient) -> None:
    lon, lat = town.lonlat(0.25, 0.5)
    now = datetime.now(UTC).isoformat()
    walk = {"patrol": "p", "started_at": now, "fixes": [{"at": now, "lon": lon, "lat": lat, "accuracy_m": 5}]}
    headers = {"X-CSRFToken": desk.csrf(leader)}
    centre = desk.signed_in(office, "operator")
    leader.post("/patch/track", json=walk, headers=headers)
    [told] = centre.get("/api/v1/positions").get_json()["positions"]
    assert (told["username"], told["lon"], told["lat"]) == ("leader", pytest.approx(lon), pytest.approx(lat))
    leader.post("/patch/track", json=walk | {"fixes": [], "ended_at": now}, headers=headers)
    assert centre.get("/api/v1/positions").get_json()["positions"] == []


def test_shift_leaders_hear_who_walked_and_not_where(office: Flask, leader: FlaskClient) -> None:
    now = datetime.now(UTC).isoformat()
    walk = {"patrol": "p", "started_at": now, "fixes": [{"at": now, "lon": 120.5, "lat": 30.25, "accuracy_m": 5}]}
    leader.post("/patch/track", json=walk, headers={"X-CSRFToken": desk.csrf(leader)})
    answer = desk.signed_in(office, "shift_leader").get("/patch/walkers")
    assert [each["username"] for each in answer.get_json()["walkers"]] == ["leader"]
    assert "120.5" not in answer.text


def test_the_month_in_numbers(office: Flask, leader: FlaskClient) -> None:
    code = put(office, state="fed_back")
    post(leader, f"/api/v1/issues/{code}/moves", move={"move": "pass", "fields": {}})
    told = leader.get("/patch/numbers").get_json()
    assert told["mine"] == {"reported": 0, "checked": 1, "self_handled": 0, "patrol_days": 0}
    assert told["standing"]["filed"] == 0


def test_two_patrols_of_one_day_of_the_city_are_one_day(office: Flask, leader: FlaskClient) -> None:
    today = datetime.combine(datetime.now(CITY).date(), time(), CITY)
    with db.session(office.extensions["engine"], Scope(username="leader")) as session:
        for hour in (7, 20):  # the first is of the day before in UTC
            walk = patrols.Walk(f"at {hour}", (), today + timedelta(hours=hour))
            patrols.keep(session, "leader", walk)
        session.commit()
    assert leader.get("/patch/numbers").get_json()["mine"]["patrol_days"] == 1


def test_the_worker_serves_the_page_alone_and_names_its_files_by_version(office: Flask) -> None:
    answer = office.test_client().get("/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/patch"
    told = json.loads(answer.text.splitlines()[0].removeprefix("const SHELL = ").removesuffix(";"))
    assert told["version"] == shell.version()
    assert all(shell.version() in address for address in told["files"])


def test_every_file_the_worker_keeps_is_there_and_immutable(office: Flask) -> None:
    client = office.test_client()
    told = json.loads(client.get("/sw.js").text.splitlines()[0].removeprefix("const SHELL = ").removesuffix(";"))
    answers = [client.get(address) for address in told["files"]]
    assert {answer.status_code for answer in answers} == {200}
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)


def test_a_file_of_another_version_is_not_kept_for_ever(office: Flask) -> None:
    answer = office.test_client().get("/patch/files/older/css/patch.css")
    assert "immutable" not in answer.headers["Cache-Control"]


def test_every_script_of_the_page_is_kept(office: Flask) -> None:
    ours = {path.name for path in (ROOT / "static" / "js" / "patch").glob("*.js")} - {"worker.js"}
    assert ours == {name.rpartition("/")[2] for name in shell.files() if name.startswith("js/patch/")}


def test_the_manifest_opens_on_the_patch(office: Flask) -> None:
    told = office.test_client().get("/patch/manifest.webmanifest?lang=en").get_json(force=True)
    assert (told["start_url"], told["scope"], told["display"]) == ("/patch", "/patch", "standalone")
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}


def test_a_telephone_that_takes_no_svg_finds_every_icon_as_a_png_of_its_size(office: Flask) -> None:
    client = office.test_client()
    told = client.get("/patch/manifest.webmanifest").get_json(force=True)
    icons = {each["src"]: each["sizes"] for each in told["icons"]}
    with office.test_request_context():
        icons[shell.asset("patch-180.png")] = "180x180"
    for address, size in icons.items():
        if size != "any":
            assert "{}x{}".format(*Image.open(io.BytesIO(client.get(address).data)).size) == size


def test_the_page_names_the_icon_of_a_home_screen(office: Flask) -> None:
    page = desk.signed_in(office, "leader").get("/patch").text
    assert re.search(r'rel="apple-touch-icon" sizes="180x180" href="/patch/files/\w+/patch-180.png"', page)


@pytest.mark.parametrize(("agent", "goal"), [("Mozilla/5.0 (Android 14) Mobile", "/patch"), ("Mozilla/5.0", "/")])
def test_a_leader_who_signs_in_on_a_telephone_comes_to_the_patch(office: Flask, agent: str, goal: str) -> None:
    client = office.test_client()
    form = {"username": "leader", "password": desk.PASSWORD, "csrf_token": desk.csrf(client)}
    answer = client.post("/sign-in", data=form, headers={"User-Agent": agent})
    assert answer.headers["Location"] == goal


def test_a_department_feeds_back_with_photos_of_before_and_after(office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, 40)
        session.commit()
    client = desk.signed_in(office, "cg")
    assert post(client, f"/api/v1/issues/{way.code}/moves", move={"move": "sign", "fields": {}}).status_code == 200
    said = {"move": "feed_back", "client_id": "f1", "version": 1, "fields": {"done": "已清理"}}
    photos = {"photo_before": photo("red"), "photo_after": photo("green")}
    answer = post(client, f"/api/v1/issues/{way.code}/moves", move=said, **photos)
    assert (answer.status_code, answer.get_json().get("error")) == (200, None)
    assert counted(office, "SELECT count(*) FROM photo") == 2


def test_a_phone_knows_what_follows_signing(office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, 41)
        session.commit()
    client = desk.signed_in(office, "cg")
    told = client.get(f"/patch/issues/{way.code}").get_json()["after"]["sign"]
    assert {"arrive", "feed_back"} <= {move["move"] for move in told}
    post(client, f"/api/v1/issues/{way.code}/moves", move={"move": "sign", "fields": {}})
    assert client.get(f"/patch/issues/{way.code}").get_json()["after"]["sign"] == []

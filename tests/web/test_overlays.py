"""The doors behind the map's tools: positions, lookalikes, sides, points, areas, the past, base maps of other hosts."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
from gis.errors import Problems, Unavailable
from gis.settings import Settings
from gis.web import online
from tests import town
from tests.conftest import _copied
from tests.web import desk
from tests.web.test_operator_page import file

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
EAST = "admin:subdistrict:990102001"
NEAR = {"lon": 120.52 - 10 / 96_000, "lat": 30.2555, "accuracy_m": 30}


@pytest.fixture(scope="module")
def operator(office: Flask) -> FlaskClient:
    return desk.signed_in(office)


def post(client: FlaskClient, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, json=body, headers={"X-CSRFToken": desk.csrf(client), "Accept": "application/json"})


# --- positions


def test_a_phone_tells_where_it_is_and_the_dispatcher_sees_it(office: Flask, operator: FlaskClient) -> None:
    leader = desk.signed_in(office, "leader")
    lon, lat = town.lonlat(0.25, 0.25)
    assert post(leader, "/api/v1/position", {"lon": lon, "lat": lat, "accuracy_m": 8}).json == {"kept": True}
    [found] = operator.get(f"/api/v1/positions?near={lon},{lat}").json["positions"]  # type: ignore[index]
    assert (found["username"], found["old"], round(found["distance_m"])) == ("leader", False, 0)
    box = ",".join(map(str, (*town.lonlat(3, 1), *town.lonlat(4, 2))))
    assert operator.get(f"/api/v1/positions?bbox={box}").json["positions"] == []  # type: ignore[index]
    post(leader, "/api/v1/position", {"off": True})
    assert operator.get("/api/v1/positions").json["positions"] == []  # type: ignore[index]


@pytest.mark.parametrize(
    "said",
    [{"at": "yesterday"}, {"at": "2026-01-01T00:00:00"}, {"at": "2020-01-01T00:00:00Z"}, {"lon": 500}, {"lon": None}],
)
def test_a_position_that_cannot_be_is_refused(office: Flask, said: dict[str, Any]) -> None:
    leader = desk.signed_in(office, "leader")
    answer = post(leader, "/api/v1/position", {"lon": 120.5025, "lat": 30.2525} | said)
    assert answer.status_code == 400


def test_a_phone_without_a_line_may_tell_later(office: Flask) -> None:
    leader = desk.signed_in(office, "leader")
    at = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    assert post(leader, "/api/v1/position", {"lon": 120.5025, "lat": 30.2525, "at": at}).json["kept"] is True
    [found] = leader.get("/api/v1/positions").json["positions"]  # type: ignore[index]
    assert found["old"] is True
    post(leader, "/api/v1/position", {"off": True})


def test_a_patrol_says_where_its_walker_is_until_it_ends(office: Flask, operator: FlaskClient) -> None:
    leader = desk.signed_in(office, "leader")
    lon, lat = town.lonlat(0.25, 0.25)
    now = datetime.now(UTC)
    fixes = [
        {"at": (now - timedelta(minutes=nth)).isoformat(), "lon": lon + nth / 1000, "lat": lat, "accuracy_m": 5}
        for nth in (1, 3, 2)
    ]
    walk = {"patrol": "w1", "started_at": (now - timedelta(minutes=5)).isoformat(), "fixes": fixes}
    assert post(leader, "/patch/track", walk).status_code == 200
    [found] = operator.get("/api/v1/positions").json["positions"]  # type: ignore[index]
    assert (found["username"], found["lon"]) == ("leader", pytest.approx(lon + 0.001))
    post(leader, "/patch/track", walk | {"fixes": [], "ended_at": now.isoformat()})
    assert operator.get("/api/v1/positions").json["positions"] == []  # type: ignore[index]


# --- lookalikes and sides


def test_lookalikes_come_with_what_speaks_for_them(office: Flask, operator: FlaskClient) -> None:
    one, other = file(office, "井盖丢了", x=0.6, y=0.6), file(office, "井盖丢了", x=0.601, y=0.6)
    [found] = operator.get(f"/map/issues/{one}/duplicates?lang=en").json["duplicates"]  # type: ignore[index]
    assert found["code"] == other
    assert found["reasons"][:2] == ["1 m apart", "same category"]


def test_a_side_is_settled_with_its_reason_in_the_history(office: Flask, operator: FlaskClient) -> None:
    code = file(office, "线边", **NEAR)
    answer = post(operator, f"/api/v1/issues/{code}/side", {"unit": EAST, "reason": "电话核实"})
    assert answer.status_code == 200
    told = operator.get(f"/map/issues/{code}").json
    assert told
    assert [side["key"] for side in told["decision"]["sides"]] == [EAST]
    assert told["history"][-1]["words"] == "电话核实"
    assert told["issue"]["point"]["coordinates"][0] == pytest.approx(NEAR["lon"])


def test_a_side_out_of_reach_is_refused_with_a_sentence(office: Flask, operator: FlaskClient) -> None:
    code = file(office, "线边", **NEAR)
    answer = post(operator, f"/api/v1/issues/{code}/side?lang=en", {"unit": "admin:district:1", "reason": "x"})
    assert (answer.status_code, "cannot be in" in answer.json["error"]["message"]) == (400, True)


# --- points, areas, the past


@pytest.fixture(scope="module")
def lamp(office: Flask) -> int:
    lon, lat = town.lonlat(0.5, 0.5)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        made = session.execute(
            text("INSERT INTO component (source, external_id, category, name, name_en, owner, state, attributes, geom)"
                 " VALUES ('t', '1', 'P0137', '路灯', 'Lamp', '市政', 'intact', '{}',"
                 " ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)) RETURNING id"),
            {"lon": lon, "lat": lat},
        ).scalar_one()  # fmt: skip
        session.commit()
    return int(made)


def test_points_are_told_by_kind_in_a_box_and_one_by_one(operator: FlaskClient, lamp: int) -> None:
    told: Any = operator.get("/map/points").json
    assert {"kind": "P0137", "n": 1, "name": "路灯", "name_en": "Lamp"} in told["kinds"]
    box = ",".join(map(str, (*town.lonlat(0.4, 0.4), *town.lonlat(0.6, 0.6))))
    points: Any = operator.get(f"/map/points?bbox={box}&kinds=P0137").json
    assert [each["id"] for each in points["points"]] == [lamp]
    elsewhere: Any = operator.get(f"/map/points?bbox={box}&kinds=P0402").json
    assert elsewhere["points"] == []
    card: Any = operator.get(f"/map/points/{lamp}").json
    assert (card["owner"], card["external_id"]) == ("市政", "1")
    assert operator.get("/map/points/999999").status_code == 404


def test_points_are_on_tiles_once_one_is_near(operator: FlaskClient, lamp: int) -> None:
    from gis.territory.coords import Tile

    assert lamp
    lon, lat = town.lonlat(0.5, 0.5)
    for z, there in ((14, False), (15, True)):
        tile = Tile.at(lon, lat, z)
        answer = operator.get(f"/tiles/points/now/{z}/{tile.x}/{tile.y}.mvt", headers={"Accept-Encoding": "gzip"})
        assert (b"P0137" in gzip.decompress(answer.data)) == there


def test_the_area_of_a_department_is_the_ground_it_serves(office: Flask, operator: FlaskClient) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("UPDATE department SET net = 'admin', level = 'district', unit_code = '990101' WHERE code = 'cg'")
        )
        session.commit()
    told: Any = operator.get("/map/areas?departments=cg,sw").json
    [area] = told["areas"]
    assert (area["code"], area["key"], area["geometry"]["type"]) == ("cg", "admin:district:990101", "Polygon")


def test_the_past_is_told_step_by_step_and_an_impossible_stretch_refused(
    office: Flask, operator: FlaskClient
) -> None:
    code = file(office, "从前")
    told: Any = operator.get("/map/past").json
    [way] = [each for each in told["issues"] if each[0] == code]
    assert len(way) % 2 == 1
    assert told["states"][way[-1]] in {"filed", "dispatched"}
    for query in ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z", "from=x"):
        assert operator.get(f"/map/past?{query}").status_code == 400


# --- base maps of other hosts


class Host(BaseHTTPRequestHandler):
    """Another host with tiles: one as it should be, and each way in which one should not."""

    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Keep silent."""

    def do_GET(self) -> None:
        """Answer by the zoom that is asked for."""
        self.asked.append(self.path)
        zoom = self.path.split("/")[2]
        self.send_response(302 if zoom == "7" else 200)
        if zoom == "7":
            self.send_header("Location", self.path.replace("/7/", "/5/"))
        self.send_header("Content-Type", "image/png")
        if zoom == "6":
            self.send_header("Content-Length", str(len(PNG) + 100))
        self.end_headers()
        self.wfile.write({"8": b"<script>", "9": PNG + bytes(1_000_001)}.get(zoom, PNG))


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    served = HTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()


LISTED = """
[[map]]
code = "elsewhere"
name_zh = "外部"
name_en = "Elsewhere"
urls = ["{host}/a/{{z}}/{{x}}/{{y}}?tk={{key}}"]
key = "secret"
max_zoom = 10
datum = "GCJ02"
"""


@pytest.fixture(scope="module")
def abroad(
    server: Settings, template: str, host: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Any]]:
    """Ask the tiles of an installation that lists one map."""
    from app import create_app

    folder = tmp_path_factory.mktemp("abroad")
    (folder / "maps.toml").write_text(LISTED.format(host=host))
    with _copied(server, template) as settings:
        app = create_app(replace(settings, var_dir=folder, base_maps=folder / "maps.toml"))
        desk.open_office(app)
        client = desk.signed_in(app)
        yield lambda path: client.get(f"/tiles/online/{path}", headers={"Accept": "application/json"})
        app.extensions["live"].close()
        app.extensions["engine"].dispose()


def test_a_tile_of_another_host_comes_through_ours_and_is_kept(abroad: Callable[[str], Any]) -> None:
    Host.asked.clear()
    for _ in range(2):
        answer = abroad("elsewhere/0/5/26/12")
        assert (answer.status_code, answer.data, answer.mimetype) == (200, PNG, "image/png")
    assert Host.asked == ["/a/5/26/12?tk=secret"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nowhere/0/5/26/12", 404), ("elsewhere/1/5/26/12", 404), ("elsewhere/0/11/26/12", 404),
        ("elsewhere/0/5/99/12", 404), ("elsewhere/0/5/26/..%2f..%2fx", 404), ("elsewhere/0/7/26/12", 503),
        ("elsewhere/0/8/26/12", 503), ("elsewhere/0/9/26/12", 503), ("elsewhere/0/6/26/12", 503),
    ],
    ids=[
        "not listed", "no such layer", "too near", "no such tile", "no number", "a redirect", "a script", "too large",
        "cut off on the way",
    ],
)  # fmt: skip
def test_nothing_else_is_fetched(abroad: Callable[[str], Any], path: str, status: int) -> None:
    Host.asked.clear()
    answer = abroad(path)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert len(Host.asked) == (status == 503)


def test_a_host_that_is_away_is_told_so_without_the_key() -> None:
    with pytest.raises(Unavailable) as refused:
        online.fetch("http://127.0.0.1:9/x?tk=secret", "far")
    assert "secret" not in str(refused.value)


def test_no_map_is_listed_unless_a_file_does(operator: FlaskClient) -> None:
    assert '"online": []' in operator.get("/").text
    assert operator.get("/tiles/online/elsewhere/0/5/26/12").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ('urls = ["ftp://h/{z}/{x}/{y}"]', "online.bad_url"),
        ('urls = ["file:///etc/{z}/{x}/{y}"]', "online.bad_url"),
        ('urls = ["http://{x}.example/{z}/{x}/{y}"]', "online.bad_url"),
        ('urls = ["http://a@b/{z}/{x}/{y}"]', "online.bad_url"),
        ('urls = ["http://h/{z}/{x}"]', "online.bad_url"),
        ('urls = ["http://h/{z}/{x}/{y}/{secret}"]', "online.bad_url"),
        ('urls = ["http://t{s}.h/{z}/{x}/{y}"]', "online.bad_url"),
        ('urls = ["http://h/{z}/{x}/{y}?{key}"]', "online.bad_url"),
        ('urls = ["http://h/{z}/{x}/{y}"]\ndatum = "BD09"', "online.bad_datum"),
        ('urls = ["http://h/{z}/{x}/{y}"]\nmax_zoom = 40', "online.bad_zoom"),
        ('urls = ["http://h/{z}/{x}/{y}"]\nshell = "x"', "online.unknown"),
        ("urls = []", "online.missing"),
        ('urls = "http://h/{z}/{x}/{y}"', "online.no_list"),
        ('urls = ["http://t{s}.h/{z}/{x}/{y}"]\nsubdomains = "ab"', "online.no_list"),
    ],
)
def test_a_listing_that_will_not_do_stops_the_start(tmp_path: Path, wrong: str, code: str) -> None:
    path = tmp_path / "maps.toml"
    path.write_text(f'[[map]]\ncode = "a"\nname_zh = "甲"\n{wrong}\n')
    with pytest.raises(Problems) as found:
        online.setup(replace(Settings(), base_maps=path))
    assert code in {problem.code for problem in found.value.problems}


def test_the_example_holds() -> None:
    from gis.settings import ROOT

    listed = online.setup(replace(Settings(), base_maps=ROOT / "data" / "base_maps" / "example.toml"))
    assert [*listed] == ["tianditu", "intranet"]
    from gis.territory.coords import Tile

    url = listed["tianditu"].address(0, Tile(10, 843, 423))
    assert "TILEMATRIX=10&TILEROW=423&TILECOL=843" in url
    assert url.startswith("https://t2.tianditu.gov.cn/vec_w/wmts?")

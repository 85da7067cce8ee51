"""The doors behind the operator's page: the same answer for list and map, and nothing through any of them to others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import intake
from gis.issues.reports import CategoryKey, Report
from tests import town
from tests.web import desk

MINE, OTHERS = "在自己的网格", "在别人的网格"


@pytest.fixture(scope="module")
def codes(office: Flask) -> dict[str, str]:
    """File one issue in the leader's grid, one elsewhere, and one line across the districts' border."""
    places: dict[str, dict[str, Any]] = {
        MINE: _point(0.25, 0.25),
        OTHERS: _point(3.75, 1.75),
        "跨界": {"geometry": {"type": "LineString", "coordinates": [town.lonlat(1.75, 1.5), town.lonlat(2.25, 1.5)]}},
    }
    now = datetime.now(UTC)
    filed = {}
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        for said, place in places.items():
            who = {"name": "赵某某", "phone": "13800001234"}
            report = Report("12345", said, CategoryKey("gb", "1", "0501"), said, now, place, who)
            filed[said] = intake.accept(session, report, by="test", now=now).code
        session.commit()
    return filed


def _point(x: float, y: float) -> dict[str, Any]:
    lon, lat = town.lonlat(x, y)
    return {"lon": lon, "lat": lat}


@pytest.fixture
def operator(office: Flask, codes: dict[str, str]) -> FlaskClient:
    return desk.signed_in(office)


@pytest.fixture
def leader(office: Flask, codes: dict[str, str]) -> FlaskClient:
    return desk.signed_in(office, "leader")


def told(client: FlaskClient, path: str, **query: str) -> Any:
    answer = client.get(path, query_string=query, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_list_counts_and_pins_speak_of_the_same_issues(operator: FlaskClient, codes: dict[str, str]) -> None:
    said = told(operator, "/map/state")
    assert (
        {row["code"] for row in said["rows"]}
        == {each["id"] for each in said["located"]["pins"]}
        == {*codes.values()}
    )
    assert said["total"] == sum(said["counts"]["state"].values()) == 3


def test_the_list_never_says_who_reported(operator: FlaskClient) -> None:
    assert "13800001234" not in operator.get("/map/state").text


def test_a_chosen_facet_still_counts_its_other_choices(operator: FlaskClient) -> None:
    plain = told(operator, "/map/state")["counts"]
    chosen = told(operator, "/map/state", flags="straddles")["counts"]
    assert chosen["flag"] == plain["flag"]
    assert sum(chosen["state"].values()) == 1


def test_what_runs_late_is_counted_whenever_it_was_reported(
    office: Flask, operator: FlaskClient, codes: dict[str, str]
) -> None:
    before = told(operator, "/map/state")["counts"]["due"].get("overdue", 0)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        late = "UPDATE issue SET due_at = now() - interval '1 hour', warn_at = now() - interval '2 hours'"
        session.execute(text(f"{late} WHERE code = :code"), {"code": next(iter(codes.values()))})
        session.commit()
    told_now = told(operator, "/map/state", since=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    assert (told_now["total"], told_now["counts"]["due"]) == (0, {"overdue": before + 1})


@pytest.mark.parametrize(
    ("role", "own"), [("operator", {"/shifts", "/call-back", "/borders", "/wall"}), ("leader", {"/patch"})]
)
def test_the_account_menu_of_the_map_holds_the_doors_that_other_pages_show_at_their_top(
    office: Flask, codes: dict[str, str], role: str, own: set[str]
) -> None:
    client = desk.signed_in(office, role)
    on_map, on_ledger = (_doors(client.get(path).text) for path in ("/", "/ledger"))
    assert on_map == on_ledger - {"/"} == {"/ledger", "/papers", "/evaluation"} | own


def _doors(page: str) -> set[str]:
    found = re.search(r'<nav class="(?:doors|rooms)".*?</nav>', page, re.DOTALL)
    return set(re.findall(r'href="([^"]+)"', found[0] if found else ""))


def test_units_are_counted_for_the_shades(operator: FlaskClient) -> None:
    ground = told(operator, "/map/state")["ground"]
    assert (ground["admin:city:9901"], ground["admin:district:990101"], ground["admin:district:990102"]) == (3, 2, 2)


def test_units_that_are_counted_are_known_by_their_numbers_in_the_tiles(operator: FlaskClient) -> None:
    said = told(operator, "/map/state")
    assert len(said["units"]) == len(said["ground"])
    for key, number in zip(said["ground"], said["units"], strict=True):
        unit = told(operator, f"/map/units/{number}")
        assert f"{unit['net']}:{unit['level']}:{unit['code']}" == key


def test_a_number_that_is_no_units_is_told(operator: FlaskClient) -> None:
    assert operator.get("/map/units/999999", headers={"Accept": "application/json"}).status_code == 404


def test_departments_are_named_in_the_language_of_the_reader(office: Flask, operator: FlaskClient) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        asked = "SELECT name_zh, name_en FROM department WHERE name_en NOT IN ('', name_zh) LIMIT 1"
        zh, en = session.execute(text(asked)).one()
    assert f'"{zh}"' in operator.get("/?lang=zh").text
    assert f'"{en}"' in operator.get("/?lang=en").text
    operator.get("/?lang=zh")


def across(session: Session) -> int:
    """Put a house across the districts' line, a third of it in the west; return its id."""
    west, south = town.lonlat(1.9, 0.5)
    house: int = session.scalars(
        text("""
        INSERT INTO building (source, external_id, name, name_en, kind, house_number, street_name, estate_name,
                              area_m2, attributes, geom)
        VALUES ('t', 'across', '楼', 'House', 'home', '1', 'x', '', 2000, '{}',
                ST_Multi(ST_MakeEnvelope(:west, :south, :west + 0.003, :south + 0.001, 4326))) RETURNING id
        """),
        {"west": west, "south": south},
    ).one()
    session.execute(
        text("""
        INSERT INTO place_share (kind, place_id, unit_id, edition_id, share)
        SELECT 'building', :house, u.id, u.edition_id, CASE WHEN u.code = '990101' THEN 1 / 3.0 ELSE 2 / 3.0 END
        FROM unit u WHERE u.level = 'district'
        """),
        {"house": house},
    )
    return house


def test_one_place_across_a_line_is_told_as_in_the_list(office: Flask, operator: FlaskClient) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        house = across(session)
        session.commit()
    (listed,) = told(operator, "/map/straddlers/admin/district/building")["straddlers"]
    assert told(operator, f"/map/straddlers/admin/district/building/{house}") == listed
    assert [(part["code"], round(part["part"], 3)) for part in listed["parts"]] == [
        ("990102", 0.667),
        ("990101", 0.333),
    ]


def test_a_place_that_lies_across_no_line_of_a_level_is_told(operator: FlaskClient) -> None:
    path = "/map/straddlers/admin/subdistrict/building/1"
    answer = operator.get(path, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "places.not_across")


def test_the_sides_of_a_straddling_issue_add_up(operator: FlaskClient, codes: dict[str, str]) -> None:
    sides = told(operator, "/map/sides", code=codes["跨界"])["sides"][codes["跨界"]]
    assert {side["key"] for side in sides} == {"admin:subdistrict:990101002", "admin:subdistrict:990102002"}
    assert sum(side["part"] for side in sides) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("path", ["/map/state", "/map/rows", "/map/search?q=网格", "/map/hotspots", "/api/v1/issues"])
def test_no_door_tells_a_leader_of_other_patches(leader: FlaskClient, codes: dict[str, str], path: str) -> None:
    answer = leader.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert OTHERS not in answer.text
    assert codes[OTHERS] not in answer.text


def test_a_leader_sees_the_own_patch(leader: FlaskClient, codes: dict[str, str]) -> None:
    assert [row["code"] for row in told(leader, "/map/rows")["rows"]] == [codes[MINE]]


@pytest.mark.parametrize("path", ["/map/issues/{}", "/api/v1/issues/{}"])
def test_anothers_issue_is_not_found_rather_than_forbidden(
    leader: FlaskClient, codes: dict[str, str], path: str
) -> None:
    assert leader.get(path.format(codes[OTHERS])).status_code == 404


def test_the_sides_of_anothers_issue_are_not_told(leader: FlaskClient, codes: dict[str, str]) -> None:
    assert told(leader, "/map/sides", code=codes["跨界"]) == {"sides": {}}


def test_a_unit_counts_only_what_the_asker_may_see(operator: FlaskClient, leader: FlaskClient) -> None:
    city = "/map/units/admin/city/9901"
    assert (told(operator, city)["issues_n"], told(leader, city)["issues_n"]) == (3, 1)


def test_the_panel_tells_where_and_why(operator: FlaskClient, codes: dict[str, str]) -> None:
    said = told(operator, f"/map/issues/{codes[MINE]}")
    assert [unit["code"] for unit in said["location"]["nets"][0]["chain"]] == [
        "9901",
        "990101",
        "990101001",
        "990101001001",
    ]
    assert said["explanation"]
    assert said["history"][0]["kind"] == "to_dispatch"
    assert said["issue"]["reporter"]["phone"] != "13800001234"


@pytest.mark.parametrize("role", ["leader", "planner", "operator"])
def test_the_reporter_is_hidden_from_who_need_not_know(office: Flask, codes: dict[str, str], role: str) -> None:
    answer = desk.signed_in(office, role).get(f"/map/issues/{codes[MINE]}")
    assert "13800001234" not in answer.text
    assert "赵某某" not in answer.text


def test_a_unit_tells_its_chain_up_through_the_nets(operator: FlaskClient) -> None:
    card = told(operator, "/map/units/unit_grid/cell/990101001001001")
    chain = [f"{unit['net']}:{unit['level']}" for unit in card["chain"]]
    assert chain == ["admin:city", "admin:district", "admin:subdistrict", "admin:community", "unit_grid:cell"]


def test_a_unit_that_is_not_there_is_told(operator: FlaskClient) -> None:
    answer = operator.get("/map/units/admin/city/1", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "places.no_unit")


@pytest.mark.parametrize("said", ["0", "-1", "x", "1e3", "10001"])
def test_a_page_that_is_none_is_told(operator: FlaskClient, said: str) -> None:
    answer = operator.get("/map/rows", query_string={"page": said}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "web.bad_page")


def test_the_ground_under_a_drawing_is_named_largest_first(operator: FlaskClient) -> None:
    ring = [town.lonlat(x, y) for x, y in ((1.9, 0.4), (2.3, 0.4), (2.3, 0.6), (1.9, 0.6), (1.9, 0.4))]
    answer = operator.post(
        "/map/agreements/parties",
        json={"geometry": {"type": "Polygon", "coordinates": [ring]}},
        headers={"X-CSRFToken": desk.csrf(operator, "/")},
    )
    parts = {unit["code"]: unit["share"] for unit in answer.get_json()["units"] if unit["level"] == "subdistrict"}
    assert parts == pytest.approx({"990102001": 0.75, "990101001": 0.25})


def test_text_is_sent_packed_and_means_the_same(operator: FlaskClient) -> None:
    packed = operator.get("/map/state", headers={"Accept-Encoding": "gzip"})
    plain = operator.get("/map/state", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data)

"""The borders' page and what it sends out: the same numbers as the strips, on the page, in files and on paper."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import pytest
from flask import Flask
from flask.testing import FlaskClient

from gis import db
from gis.people import accounts
from gis.settings import Settings
from tests import pdf, town
from tests.conftest import _copied
from tests.planning.bordered import DISTRICT, E, W, metres, put
from tests.planning.test_flows import hand
from tests.web import desk

MAY: dict[str, str] = {"from": "2024-05-01", "to": "2024-05-31", "level": "admin:district", "lang": "zh"}
KEY = f"{W}|{E}"
FILES = ("/borders.csv", "/borders.gpkg", "/borders.pdf")


@pytest.fixture(scope="module")
def city(server: Settings, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Give an office with seven issues by the district line in May, five of them in its strip, and a gap."""
    from app import create_app

    with _copied(server, template) as settings:
        app = create_app(replace(settings, var_dir=tmp_path_factory.mktemp("city")))
        app.testing = True
        desk.open_office(app)
        with db.session(app.extensions["engine"], db.EVERYTHING) as session:
            for nth, x_m in enumerate((-300, -40, -20, 0, 20, 40, 300), start=1):
                put(session, nth, *metres(x_m, 100))
            hand(session, f"{DISTRICT}:{W}", f"{DISTRICT}:{E}")
            town.fault(session, 1, "gap", "district", town.field(1, 1, 1.1, 1.1))
            accounts.give_post(session, "shift_leader", desk.PATCH, start=desk.LONG_AGO.date())
            session.commit()
        yield app
        app.extensions["live"].close()
        app.extensions["engine"].dispose()


@pytest.fixture(scope="module")
def planner(city: Flask) -> FlaskClient:
    return desk.signed_in(city, "planner")


def get(client: FlaskClient, path: str = "/borders", **arguments: str) -> Any:
    answer = client.get(path, query_string=MAY | arguments)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_page_ranks_the_borders(planner: FlaskClient) -> None:
    page = get(planner).text
    assert re.search(rf'data-key="{re.escape(KEY)}"', page)
    assert "7 件中 5 件（71.4 %）在界线 50 米以内" in page


def test_what_is_chosen_stands_beside_it(planner: FlaskClient) -> None:
    page = get(planner, key=KEY).text
    assert "district 990101" in page
    assert re.findall(r'href="/#days=all&amp;issue=(\d+)"', page)[0] == "990101000004"


def test_the_piece_for_the_open_page_is_the_same(planner: FlaskClient) -> None:
    piece = get(planner, "/borders/chosen", key=KEY).text
    assert piece in get(planner, key=KEY).text
    assert "<html" not in piece


def test_every_border_has_its_shape(planner: FlaskClient) -> None:
    [shape] = get(planner, "/borders/shapes").get_json()["features"]
    assert (shape["properties"]["key"], shape["properties"]["said"]) == (KEY, "5 · 2.3 / km")


def test_programs_get_the_same(planner: FlaskClient) -> None:
    told = get(planner, "/api/v1/borders").get_json()
    [strip] = told["strips"]
    assert (told["issues_n"], told["near_n"], strip["issues_n"], strip["a_n"], strip["b_n"]) == (7, 5, 5, 3, 3)


def test_another_period_stands_beside_this_one(planner: FlaskClient) -> None:
    page = get(planner, versus_from="2024-04-01", versus_to="2024-04-30", key=KEY).text
    assert "2024-04-01 至 2024-04-30：0 件" in page


def test_csv_holds_the_numbers_of_the_page(planner: FlaskClient) -> None:
    told = get(planner, "/borders.csv").data.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(told))
    assert (row["甲侧编码"], row["案件"], row["甲侧案件"], row["乙侧案件"]) == (W, "5", "3", "3")


@pytest.mark.parametrize("view", ["hand_offs", "straddlers", "faults"])
def test_every_view_goes_out_as_csv(planner: FlaskClient, view: str) -> None:
    assert get(planner, "/borders.csv", view=view).data.startswith("\ufeff".encode())


def test_a_geopackage_holds_lines_issues_and_faults(planner: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "borders.gpkg"
    path.write_bytes(get(planner, "/borders.gpkg", key=KEY).data)
    strips, issues, faults = (geopandas.read_file(path, layer=name) for name in ("strips", "issues", "faults"))
    assert (strips.issues_n.tolist(), strips.crs.to_epsg()) == ([5], 4326)
    assert set(strips.geometry.iloc[0].geom_type.split()) <= {"LineString", "MultiLineString"}
    assert sorted(issues.side) == ["a", "a", "b", "b", "both"]
    assert faults.kind.tolist() == ["gap"]


def test_paper_holds_the_names_with_their_font(planner: FlaskClient) -> None:
    paper = get(planner, "/borders.pdf").data
    said = pdf.words(paper).replace("\n", "")
    assert "跨界分析" in said
    assert "district 990101" in said
    every, inside = pdf.fonts(paper)
    assert every == inside > 0


def test_the_matrix_on_the_page_adds_up_to_the_hand_offs(planner: FlaskClient) -> None:
    page = get(planner, view="hand_offs").text
    assert '<b id="matrix-total">7</b>' in page
    assert "共 7 次移交" in page


def test_two_units_that_handed_issues_on_are_chosen_with_them(planner: FlaskClient) -> None:
    page = get(planner, view="hand_offs", key=KEY).text
    assert len(re.findall(r'href="/#days=all&amp;issue=(\d+)"', page)) == 7


def test_those_who_share_a_line_are_drawn_with_their_hand_offs(planner: FlaskClient) -> None:
    [shape] = get(planner, "/borders/shapes", view="hand_offs").get_json()["features"]
    assert (shape["properties"]["key"], shape["properties"]["said"]) == (KEY, "→ 7 · ← 0")


def test_gaps_are_listed_with_their_place(planner: FlaskClient) -> None:
    page = get(planner, view="faults", key="1").text
    assert "没有单元管辖的地面。" in page


@pytest.mark.parametrize(
    "wrong", [{"width": "0"}, {"width": "wide"}, {"width": "501"}, {"level": "admin:moon"}, {"from": "2025-01-01"},
              {"from": "soon"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(planner: FlaskClient, wrong: dict[str, str]) -> None:
    assert planner.get("/borders", query_string=MAY | wrong).status_code == 400


@pytest.mark.parametrize("key", ["x", "x|y", f"{W}|{W}", "building:9999999999", "|", "%00"])
@pytest.mark.parametrize("view", ["strips", "hand_offs", "straddlers", "faults"])
def test_a_key_that_is_none_chooses_nothing(planner: FlaskClient, view: str, key: str) -> None:
    assert planner.get("/borders", query_string=MAY | {"view": view, "key": key}).status_code == 200


@pytest.mark.parametrize("path", ["/borders", *FILES, "/borders/chosen", "/borders/shapes", "/api/v1/borders"])
def test_who_sees_a_part_of_the_city_sees_no_half_of_a_border(city: Flask, path: str) -> None:
    assert desk.signed_in(city, "shift_leader").get(path, query_string=MAY).status_code == 403


@pytest.mark.parametrize("who", ["planner", "operator", "administrator"])
def test_who_sees_the_whole_city_sees_them(city: Flask, who: str) -> None:
    assert "跨界分析" in get(desk.signed_in(city, who)).text

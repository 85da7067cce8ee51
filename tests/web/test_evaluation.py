"""The evaluation over HTTP: every number on the page is as long as the list behind it, and scope holds everywhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
from gis.issues import evaluation
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from tests.issues import evaluated
from tests.issues.looped import CG, CLERK, EAST, SW, WEST, Way
from tests.web import desk
from tests.web.conftest import _copied  # type: ignore[attr-defined]

_OFFICE = text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')")
CELL = re.compile(r'<a href="(/evaluation/issues[^"]*)"[^>]*>(\d+)</a>')
GROUND = [WEST, "admin:subdistrict:990101001", "governance:grid:990101001001001"]
YES = {"contacted": "yes", "solved": "yes", "satisfied": "yes"}
PERIOD = {"from": "2026-06-01", "to": "2026-06-30"}


@pytest.fixture(scope="module")
def city(server: Settings, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Give an office in which something of everything happened in June."""
    from app import create_app

    with _copied(server, template) as settings:
        app = create_app(replace(settings, var_dir=tmp_path_factory.mktemp("city")))
        app.testing = True
        desk.open_office(app)
        with db.session(app.extensions["engine"], db.EVERYTHING) as session:
            session.execute(_OFFICE)
            chief = Newcomer("office", desk.PASSWORD, "office", "shift_leader")
            accounts.add(session, chief, now=desk.LONG_AGO)
            accounts.give_post(session, "office", ("admin", "subdistrict", "990101001"), start=desk.LONG_AGO.date())
            _june(session)
            session.commit()
        yield app
        app.extensions["live"].close()
        app.extensions["engine"].dispose()


def _june(session: Any) -> None:
    plain, across, closed = evaluated.plain, evaluated.across, evaluated.closed
    closed(plain(session, 1, ground=GROUND)).make("evaluate", CLERK, YES)
    closed(plain(session, 2, ground=GROUND)).make("evaluate", CLERK, {"solved": "no", "satisfied": "no"})
    closed(plain(session, 3)).after(*[("miss_call", CLERK, {"outcome": "busy"})] * 3)
    late: Way = plain(session, 4)
    late.now += timedelta(hours=11)
    closed(late)
    across(session, 5).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
    plain(session, 6, ground=[EAST])


def get(client: FlaskClient, path: str, **arguments: str) -> str:
    answer = client.get(path, query_string=PERIOD | {"lang": "zh"} | arguments)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture(scope="module")
def operator(city: Flask) -> FlaskClient:
    return desk.signed_in(city, "operator")


class TestNumbers:
    @pytest.mark.parametrize("view", ["overview", "three", "gb", "orders", "apart", "numbers"])
    @pytest.mark.parametrize("level", ["admin:district", ""])
    def test_every_number_on_the_page_leads_to_its_list(self, operator: FlaskClient, level: str, view: str) -> None:
        found = CELL.findall(get(operator, "/evaluation", level=level, view=view))
        assert found
        for path, said in set(found):
            told = operator.get(unescape(path) + "&lang=zh").text
            [total] = re.findall(r'<b id="total">共 (\d+) 件</b>', told)
            rows = len(re.findall(r'<th scope="row"><a href="/#issue=', told))
            assert (total, rows) == (said, min(int(said), 100))

    def test_the_table_as_csv_holds_the_numbers_of_the_page(self, operator: FlaskClient) -> None:
        told = get(operator, "/evaluation.csv", level="admin:district")
        rows = {row["编码"]: row for row in csv.DictReader(io.StringIO(told.lstrip("\ufeff")))}
        assert (rows[WEST]["立案数"], rows[WEST]["有效回访数"], rows[WEST]["解决率"]) == ("5", "2", "0.5")

    def test_the_workbook_holds_numbers_and_the_formulas(self, operator: FlaskClient) -> None:
        answer = operator.get("/evaluation.xlsx", query_string=PERIOD | {"level": "", "lang": "en"})
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
        table, formulas = book.worksheets
        assert table.title == "Evaluation"
        assert evaluation.read().version in [cell.value for row in formulas.iter_rows() for cell in row]
        assert "f" not in {cell.data_type for row in table.iter_rows() for cell in row}

    def test_a_list_goes_out_as_csv_as_long_as_its_number(self, operator: FlaskClient) -> None:
        told = get(operator, "/evaluation/issues.csv", level="admin:district", subject=WEST, count="filed")
        assert len(told.strip().splitlines()) == 1 + 5

    def test_programs_get_the_same(self, operator: FlaskClient) -> None:
        told = operator.get("/api/v1/evaluation", query_string=PERIOD | {"level": "admin:district"}).get_json()
        [west] = [row for row in told["rows"] if row["subject"] == WEST]
        assert (west["counts"]["filed"], west["rates"]["resolution"]) == (5, 0.5)
        assert told["together"]["counts"]["filed"] == 6

    def test_a_rate_without_a_base_is_a_dash(self, operator: FlaskClient) -> None:
        january = {"from": "2026-01-01", "to": "2026-01-31"}
        told = get(operator, "/evaluation", level="admin:district", view="three", **january)
        assert '<td class="rate"><b>—</b>' in told

    def test_few_are_said_to_be_few(self, operator: FlaskClient) -> None:
        assert "样本少" in get(operator, "/evaluation", level="admin:district", view="three")

    def test_every_unit_is_drawn(self, operator: FlaskClient) -> None:
        drawn = operator.get("/evaluation/outlines", query_string=PERIOD | {"level": "admin:district"}).get_json()
        assert sorted(each["properties"]["key"] for each in drawn["features"]) == [WEST, EAST]

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_the_page_explains_every_column(self, operator: FlaskClient, lang: str) -> None:
        told = get(operator, "/evaluation", level="admin:district", view="gb", lang=lang)
        for target in re.findall(r'href="#(formula-\w+)"', told):
            assert f'id="{target}"' in told
        assert evaluation.read().version in told

    @pytest.mark.parametrize(
        "wrong", [{"from": "2026-07-01"}, {"from": "soon"}, {"from": "2020-01-01"}, {"level": "admin:moon"}]
    )
    def test_what_cannot_be_asked_is_refused(self, operator: FlaskClient, wrong: dict[str, str]) -> None:
        assert operator.get("/evaluation", query_string=PERIOD | wrong).status_code == 400

    def test_a_count_that_is_none_is_refused(self, operator: FlaskClient) -> None:
        assert operator.get("/evaluation/issues", query_string=PERIOD | {"count": "id; DROP"}).status_code == 400


PAGES = ("/evaluation", "/evaluation.csv", "/evaluation.xlsx", "/evaluation/outlines", "/api/v1/evaluation")


class TestScope:
    @pytest.mark.parametrize("path", [*PAGES, "/evaluation/issues", "/evaluation/issues.csv"])
    def test_nobody_sees_it_without_signing_in(self, city: Flask, path: str) -> None:
        assert city.test_client().get(path).status_code == 401

    @pytest.mark.parametrize("path", [*PAGES, "/evaluation/issues", "/evaluation/issues.csv"])
    def test_a_department_is_refused_units(self, city: Flask, path: str) -> None:
        arguments = PERIOD | {"level": "admin:district", "count": "filed"}
        assert desk.signed_in(city, "sw").get(path, query_string=arguments).status_code == 403

    def test_a_department_sees_its_own_line_and_no_other(self, city: Flask) -> None:
        told = desk.signed_in(city, "sw").get("/api/v1/evaluation", query_string=PERIOD | {"level": ""}).get_json()
        assert [row["subject"] for row in told["rows"]] == ["sw"]

    def test_its_number_is_the_one_everybody_sees(self, city: Flask, operator: FlaskClient) -> None:
        asked = PERIOD | {"level": ""}
        [own] = desk.signed_in(city, "sw").get("/api/v1/evaluation", query_string=asked).get_json()["rows"]
        every = operator.get("/api/v1/evaluation", query_string=asked).get_json()["rows"]
        assert own["counts"] == next(row["counts"] for row in every if row["subject"] == "sw")

    def test_a_departments_list_of_another_is_empty(self, city: Flask) -> None:
        told = get(desk.signed_in(city, "sw"), "/evaluation/issues", level="", subject="cg", count="filed")
        assert "共 0 件" in told

    def test_a_grid_leader_sees_the_own_grid(self, city: Flask) -> None:
        leader = desk.signed_in(city, "leader")
        told = leader.get("/api/v1/evaluation", query_string=PERIOD | {"level": "governance:grid"}).get_json()
        assert [(row["subject"], row["counts"]["filed"]) for row in told["rows"]] == [(":".join(desk.PATCH), 2)]

    def test_a_grid_leader_is_refused_what_lies_above(self, city: Flask) -> None:
        leader = desk.signed_in(city, "leader")
        for path in PAGES:
            assert leader.get(path, query_string=PERIOD | {"level": "admin:subdistrict"}).status_code == 403

    def test_who_answers_for_a_subdistrict_sees_departments_as_a_part(self, city: Flask) -> None:
        office = desk.signed_in(city, "office")
        told = office.get("/api/v1/evaluation", query_string=PERIOD | {"level": ""}).get_json()
        assert (told["partial"], told["together"]["counts"]["filed"]) == (True, 2)
        assert "只看得到自己范围" in get(office, "/evaluation", level="")

    @pytest.mark.parametrize("role", [*desk.ROLES, "cg", "office"])
    def test_everybody_opens_on_something_of_their_own(self, city: Flask, role: str) -> None:
        assert desk.signed_in(city, role).get("/evaluation", query_string=PERIOD).status_code == 200

"""The doors to dossiers and booklets: who may have which, and what is on record when one leaves the house."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
from gis.tasks import running
from tests import pdf
from tests.planning import test_dossiers
from tests.web import desk

GRID = ":".join(desk.PATCH)
OTHER = "governance:grid:990102001001001"
COMMUNITY = "admin:community:990101001001"


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    test_dossiers.furnish_office(office.extensions["engine"])
    return office


@pytest.fixture(scope="module")
def planner(office: Flask) -> FlaskClient:
    return desk.signed_in(office, "planner")


def exported(office: Flask) -> tuple[str, dict[str, object]]:
    """Tell who took what out of the house last."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT actor, params FROM entry WHERE kind = 'exported' ORDER BY id DESC")).first()
    assert last is not None
    return last.actor, last.params


def test_a_unit_with_grids_below_leads_to_their_booklet(planner: FlaskClient) -> None:
    answer = planner.get(f"/grids/{COMMUNITY}/dossier")
    assert (answer.status_code, answer.location) == (302, f"/grids/{COMMUNITY}/booklet")


def test_who_took_a_dossier_is_on_record(office: Flask, planner: FlaskClient) -> None:
    assert "梧桐楼" in pdf.words(planner.get(f"/grids/{GRID}/dossier.pdf?lang=zh").data)
    assert exported(office) == ("planner", {"form": "dossier", "rows_n": 1, "asked": GRID, "words": False})


@pytest.mark.parametrize("path", ["dossier", "dossier.pdf", "booklet"])
def test_a_leader_has_the_own_grid_and_no_other(office: Flask, path: str) -> None:
    leader = desk.signed_in(office, "leader")
    assert [leader.get(f"/grids/{key}/{path}").status_code for key in (GRID, OTHER)] == [200, 403]


@pytest.mark.parametrize("who", ["planner", "cg"])
def test_personal_data_is_masked_for_who_need_not_call(office: Flask, who: str) -> None:
    assert test_dossiers.PHONE not in desk.signed_in(office, who).get(f"/grids/{GRID}/dossier").text


@pytest.fixture(scope="module")
def booklet(office: Flask, planner: FlaskClient) -> str:
    """Ask for a booklet, and have it made; give the number."""
    path = f"/grids/{COMMUNITY}/booklet"
    form = {"level": "governance:grid", "csrf_token": desk.csrf(planner, path)}
    assert planner.post(path, data=form).status_code == 302
    number = str(re.findall(r'data-task="/tasks/(\d+)"', planner.get(path).text)[0])
    waiting = planner.get(f"/tasks/{number}?lang=zh").get_json()
    assert waiting == {"state": "waiting", "said": "等待", "done_n": 0, "total_n": 0}
    assert planner.get(f"/booklets/{number}.pdf").status_code == 404
    assert running.run(office.extensions["engine"], office.extensions["settings"], int(number)) == "done"
    return number


def test_a_booklet_is_made_and_said_to_be_kept_for_some_days(planner: FlaskClient, booklet: str) -> None:
    told = planner.get(f"/tasks/{booklet}?lang=en").get_json()
    assert (told["state"], told["done_n"], told["total_n"]) == ("done", 1, 1)
    assert re.fullmatch(r"Ready\. Kept until \d{4}-\d\d-\d\d \d\d:\d\d\.", told["said"])


def test_who_took_a_booklet_is_on_record(office: Flask, planner: FlaskClient, booklet: str) -> None:
    assert "梧桐楼" in pdf.words(planner.get(f"/booklets/{booklet}.pdf").data)
    assert exported(office) == ("planner", {"form": "dossier", "rows_n": 1, "asked": COMMUNITY, "words": False})


@pytest.mark.parametrize("who", ["operator", "administrator"])
@pytest.mark.parametrize("path", ["/tasks/{}", "/booklets/{}.pdf"])
def test_nobody_elses_booklet_is_there(office: Flask, booklet: str, path: str, who: str) -> None:
    assert desk.signed_in(office, who).get(path.format(booklet)).status_code == 404


def test_who_asked_for_a_booklet_removes_it(planner: FlaskClient, booklet: str) -> None:
    path = f"/grids/{COMMUNITY}/booklet"
    form = {"next": path, "csrf_token": desk.csrf(planner, path)}
    answer = planner.post(f"/tasks/{booklet}/remove", data=form)
    assert (answer.status_code, answer.location) == (302, path)
    assert planner.get(f"/booklets/{booklet}.pdf").status_code == 404


def test_a_level_without_grids_is_refused(planner: FlaskClient) -> None:
    path = f"/grids/{COMMUNITY}/booklet"
    form = {"level": "admin:moon", "csrf_token": desk.csrf(planner, path)}
    assert planner.post(path, data=form).status_code == 404

"""The doors to dossiers and booklets: who may have which, and what is on record when one leaves the house."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
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


def test_a_unit_with_grids_below_leads_to_their_booklet(planner: FlaskClient) -> None:
    answer = planner.get(f"/grids/{COMMUNITY}/dossier")
    assert (answer.status_code, answer.location) == (302, f"/grids/{COMMUNITY}/booklet")


def test_who_took_a_dossier_is_on_record(office: Flask, planner: FlaskClient) -> None:
    assert "梧桐楼" in pdf.words(planner.get(f"/grids/{GRID}/dossier.pdf?lang=zh").data)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT actor, params FROM entry WHERE kind = 'exported' ORDER BY id DESC")).first()
    assert last is not None
    assert (last.actor, last.params["form"], last.params["asked"]) == ("planner", "dossier", GRID)


@pytest.mark.parametrize("path", ["dossier", "dossier.pdf", "booklet"])
def test_a_leader_has_the_own_grid_and_no_other(office: Flask, path: str) -> None:
    leader = desk.signed_in(office, "leader")
    assert [leader.get(f"/grids/{key}/{path}").status_code for key in (GRID, OTHER)] == [200, 403]


@pytest.mark.parametrize("who", ["planner", "cg"])
def test_personal_data_is_masked_for_who_need_not_call(office: Flask, who: str) -> None:
    assert test_dossiers.PHONE not in desk.signed_in(office, who).get(f"/grids/{GRID}/dossier").text


def test_a_booklet_is_asked_for_and_waits(planner: FlaskClient) -> None:
    path = f"/grids/{COMMUNITY}/booklet"
    form = {"level": "governance:grid", "csrf_token": desk.csrf(planner, path)}
    assert planner.post(path, data=form).status_code == 302
    assert planner.get("/booklets/1").get_json() == {"id": 1, "state": "waiting", "done_n": 0, "total_n": 1}
    assert planner.get("/booklets/1.pdf").status_code == 404


def test_nobody_elses_booklet_is_there(office: Flask, planner: FlaskClient) -> None:
    assert desk.signed_in(office, "operator").get("/booklets/1").status_code == 404


def test_a_level_without_grids_is_refused(planner: FlaskClient) -> None:
    path = f"/grids/{COMMUNITY}/booklet"
    form = {"level": "admin:moon", "csrf_token": desk.csrf(planner, path)}
    assert planner.post(path, data=form).status_code == 404

"""Sign-in: the form, the session, the way back, and who is let through."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gis import db
from gis.people import accounts
from tests.web import desk


def try_to_enter(client: FlaskClient, **changes: str) -> tuple[int, str]:
    form = {"username": "operator", "password": desk.PASSWORD, "csrf_token": desk.csrf(client)} | changes
    answer = client.post("/sign-in", data=form)
    return answer.status_code, answer.headers.get("Location") or answer.text


def test_a_visitor_is_sent_to_the_door(office: Flask) -> None:
    answer = office.test_client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/")


@pytest.mark.parametrize(
    "path", ["/map/state", "/map/hotspots", "/tiles/units/1/zh/1/0/0.mvt", "/map/agreements", "/map/search?q=ab"]
)
def test_a_visitor_is_told_nothing(office: Flask, path: str) -> None:
    assert office.test_client().get(path, headers={"Accept": "application/json"}).status_code == 401


def test_who_signs_in_comes_to_the_map(office: Flask) -> None:
    assert try_to_enter(office.test_client()) == (302, "/")


def test_a_wrong_password_is_told_in_a_sentence(office: Flask) -> None:
    status, page = try_to_enter(office.test_client(), password="wrong")
    assert status == 401
    assert "用户名或密码不正确" in page


def test_a_wrong_password_is_told_in_english_too(office: Flask) -> None:
    client = office.test_client()
    client.get("/sign-in?lang=en")
    assert "password is not right" in try_to_enter(client, password="wrong")[1]


def test_the_name_is_kept_and_the_password_is_not(office: Flask) -> None:
    _, page = try_to_enter(office.test_client(), password="my secret word")
    assert 'value="operator"' in page
    assert "my secret word" not in page


def test_guessing_is_answered_with_a_time_to_wait(office: Flask) -> None:
    client = office.test_client()
    for _ in range(accounts.FREE_PER_USERNAME + 1):
        try_to_enter(client, username="guessed", password="wrong")
    status, page = try_to_enter(client, username="guessed")
    assert status == 429
    assert "请 2 秒后再试" in page or "请 1 秒后再试" in page


def test_a_form_without_its_token_is_refused(office: Flask) -> None:
    client = office.test_client()
    assert try_to_enter(client, csrf_token="")[0] == 400


def test_a_post_of_a_signed_in_browser_without_its_token_is_refused(office: Flask) -> None:
    client = desk.signed_in(office)
    assert client.post("/map/agreements", json={}).status_code == 400


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        ("/?x=1", "/?x=1"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_the_way_back_stays_in_the_product(office: Flask, asked: str, goal: str) -> None:
    assert try_to_enter(office.test_client(), next=asked) == (302, goal)


def test_signing_out_ends_the_session(office: Flask) -> None:
    client = desk.signed_in(office)
    token = desk.csrf(client, "/")
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/").status_code == 302


def test_a_new_password_ends_open_sessions(office: Flask) -> None:
    desk.hire(office, "mover")
    client = desk.signed_in(office, "mover")
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        accounts.set_password(session, "mover", "another long one")
        session.commit()
    assert client.get("/").status_code == 302


def test_closing_an_account_ends_its_open_sessions(office: Flask) -> None:
    desk.hire(office, "leaver")
    client = desk.signed_in(office, "leaver")
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        accounts.get(session, "leaver").active = False
        session.commit()
    assert client.get("/").status_code == 302


def test_the_cookie_is_not_for_scripts_nor_for_other_sites(office: Flask) -> None:
    client = office.test_client()
    form = {"username": "operator", "password": desk.PASSWORD, "csrf_token": desk.csrf(client)}
    cookie = client.post("/sign-in", data=form).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_session_ends_by_itself(office: Flask) -> None:
    client = desk.signed_in(office)
    hours = office.extensions["settings"].session_hours
    assert office.permanent_session_lifetime.total_seconds() == hours * 3600
    with client.session_transaction() as kept:
        assert kept.permanent


def test_a_key_needs_no_token_of_the_form(office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        key = accounts.issue_token(session, "operator", "importer", now=datetime.now(UTC))
        session.commit()
    answer = office.test_client().post(
        "/map/agreements/parties", json={}, headers={"Authorization": f"Bearer {key}", "Accept": "application/json"}
    )
    assert answer.get_json()["error"]["code"] == "agreements.no_geometry"


def test_a_wrong_key_is_refused_even_with_a_good_cookie(office: Flask) -> None:
    client = desk.signed_in(office)
    answer = client.get("/map/state", headers={"Authorization": "Bearer nonsense", "Accept": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("role", "status"), [("operator", 200), ("administrator", 200), ("planner", 200), ("leader", 403)]
)
def test_agreements_are_shown_to_those_who_work_with_them(office: Flask, role: str, status: int) -> None:
    assert desk.signed_in(office, role).get("/map/agreements").status_code == status


@pytest.mark.parametrize(("accepted", "lang"), [("en-GB,en;q=0.9", "en"), ("zh-CN", "zh-CN"), ("fr", "zh-CN")])
def test_a_visitor_reads_the_browsers_language_else_chinese(office: Flask, accepted: str, lang: str) -> None:
    assert f'<html lang="{lang}">' in office.test_client().get("/sign-in", headers={"Accept-Language": accepted}).text


def test_a_chosen_language_is_remembered(office: Flask) -> None:
    client = office.test_client()
    client.get("/sign-in?lang=en")
    assert '<html lang="en">' in client.get("/sign-in", headers={"Accept-Language": "zh-CN"}).text


@pytest.mark.parametrize(("role", "home"), [("planner", "/borders"), ("operator", "/")])
def test_a_planners_work_begins_at_the_borders(office: Flask, role: str, home: str) -> None:
    client = office.test_client()
    form = {"username": role, "password": desk.PASSWORD, "csrf_token": desk.csrf(client)}
    assert client.post("/sign-in", data=form).headers["Location"] == home


def test_a_planner_who_was_on_the_way_somewhere_comes_there(office: Flask) -> None:
    client = office.test_client()
    form = {"username": "planner", "password": desk.PASSWORD, "csrf_token": desk.csrf(client), "next": "/ledger"}
    assert client.post("/sign-in", data=form).headers["Location"] == "/ledger"

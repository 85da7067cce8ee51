"""A form is sent when nobody is known any more, or refused: the way back, and what the server tells of it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from gis import db
from tests.web import desk

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = {"Accept": "application/json"}


def expired(client: FlaskClient) -> FlaskClient:
    """Let the session of a client end as it does by itself: the browser sends it no more."""
    client.delete_cookie("shaotu")
    return client


def lost(office: Flask, came_from: str, path: str = "/admin/users") -> TestResponse:
    """Send a form from a page after the session has ended."""
    client = expired(desk.signed_in(office, "administrator"))
    return client.post(path, data={"username": "x"}, headers=PAGE | {"Referer": f"http://localhost{came_from}"})


def test_a_form_of_an_expired_session_leads_to_the_door_and_back_to_its_page(office: Flask) -> None:
    answer = lost(office, "/admin/users?words=li&page=2")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/admin/users?words%3Dli%26page%3D2"


@pytest.mark.parametrize(
    ("stood_at", "shown"),
    [
        ("/admin/users/bob/password", "/admin/users/bob"),
        ("/admin/editions/check", "/admin/editions"),
        ("/call-back/990101000001/reveal", "/call-back/990101000001"),
        ("/map/agreements/parties", "/map/agreements"),
        ("/nowhere/at/all", "/"),
        ("/", "/"),
    ],
)
def test_the_way_back_from_an_answer_to_a_form_leads_to_what_can_be_shown(
    office: Flask, stood_at: str, shown: str
) -> None:
    assert lost(office, stood_at).headers["Location"] == f"/sign-in?next={shown}"


def test_an_account_that_was_closed_meanwhile_is_led_to_the_door_too(office: Flask) -> None:
    client = desk.signed_in(office, "administrator")
    token = desk.csrf(client, "/admin/users")
    with client.session_transaction() as kept:
        kept["stamp"] = "another"
    answer = client.post("/admin/users", data={"csrf_token": token}, headers=PAGE)
    assert answer.headers["Location"] == "/sign-in?next=/"


def test_a_script_is_told_that_it_has_to_sign_in_and_goes_nowhere(office: Flask) -> None:
    client = expired(desk.signed_in(office))
    answer = client.post("/map/agreements", json={}, headers=SCRIPT)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "error.unauthenticated")


def test_a_page_that_needs_somebody_leads_to_the_door_and_back(office: Flask) -> None:
    answer = office.test_client().get("/admin/users?words=li", headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/admin/users?words%3Dli")


def test_a_form_of_who_is_signed_in_needs_its_token_as_ever(office: Flask) -> None:
    client = desk.signed_in(office, "administrator")
    assert client.post("/admin/users", data={"username": "x"}, headers=PAGE).status_code == 400


def test_a_form_of_visitors_is_none_of_an_expired_session(office: Flask) -> None:
    assert office.test_client().post("/public/report", data={}, headers=PAGE).status_code == 400


def seat(client: FlaskClient, number: str, role: str = "planner") -> TestResponse:
    form = {"csrf_token": desk.csrf(client, "/admin/users/mover"), "role": role, "kept": number}
    return client.post("/admin/users/mover/seat", data=form)


@pytest.fixture(scope="module")
def mover(office: Flask) -> FlaskClient:
    desk.hire(office, "mover")
    return desk.signed_in(office, "administrator")


def test_what_was_taken_is_told_by_the_number_of_what_is_kept(mover: FlaskClient) -> None:
    assert "taken-abc1=1" in " ".join(seat(mover, "abc1").headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("number", ["", "a b", "A;B", "x" * 41])
def test_what_is_no_number_is_not_told(mover: FlaskClient, number: str) -> None:
    assert "taken" not in " ".join(seat(mover, number).headers.getlist("Set-Cookie"))


def test_what_was_refused_is_not_taken(mover: FlaskClient) -> None:
    answer = seat(mover, "abc2", role="")
    assert answer.status_code == 400
    assert "taken" not in " ".join(answer.headers.getlist("Set-Cookie"))


def test_what_came_when_nobody_was_known_is_not_taken(office: Flask) -> None:
    client = expired(desk.signed_in(office, "administrator"))
    answer = client.post("/admin/users", data={"kept": "abc3"}, headers=PAGE)
    assert "taken" not in " ".join(answer.headers.getlist("Set-Cookie"))


def other_language(client: FlaskClient, answer: TestResponse) -> TestResponse:
    """Follow the link to the other language."""
    link = answer.text.split('id="language" href="')[1].split('"')[0].replace("&amp;", "&")
    return client.get(link if link.startswith("/") else f"{answer.request.path}{link}")


def test_the_other_language_of_a_refused_form_can_be_shown(mover: FlaskClient) -> None:
    shown = other_language(mover, seat(mover, "", role=""))
    assert (shown.status_code, shown.request.path) == (200, "/admin/users/mover")
    assert '<html lang="en">' in shown.text


def test_the_other_language_of_a_page_that_was_asked_for_is_that_page(mover: FlaskClient) -> None:
    shown = other_language(mover, mover.get("/admin/users?words=mov"))
    assert (shown.status_code, shown.request.args["words"]) == (200, "mov")


def test_nets_are_named_in_the_readers_language(office: Flask, mover: FlaskClient) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        names = "name_zh = '综治网格', name_en = 'Governance grid'"
        session.execute(text(f"UPDATE net SET {names} WHERE code = 'governance'"))
        session.commit()
    for section in ("editions", "health"):
        assert "综治网格" in mover.get(f"/admin/{section}?lang=zh").text
        assert "Governance grid" in mover.get(f"/admin/{section}?lang=en").text

"""Nonsense at the doors: what no database keeps, no calendar reaches and no reader ends is refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web import desk

NUL, HALF = "a\0b", "\ud800"
ISSUE = "990101000001"


@pytest.fixture(scope="module")
def people(office: Flask) -> dict[str, FlaskClient]:
    """Sign in who may go through the doors below, and leave one who did not."""
    names = ("operator", "planner", "administrator", "leader")
    return {name: desk.signed_in(office, name) for name in names} | {"anybody": office.test_client()}


def posted(client: FlaskClient, path: str, body: bytes | str) -> TestResponse:
    headers = {"X-CSRFToken": desk.csrf(client), "Accept": "application/json", "Content-Type": "application/json"}
    return client.post(path, data=body, headers=headers)


def refused(answer: TestResponse) -> Any:
    assert 400 <= answer.status_code < 500, answer.status_code
    return answer


@pytest.mark.parametrize(
    ("who", "path", "name"),
    [
        ("anybody", "/public/status", "number"), ("planner", "/borders", "category"),
        ("planner", "/borders.csv", "category"), ("administrator", "/admin/users", "words"),
        ("operator", "/map/search", "q"), ("operator", "/ledger", "text"),
    ],
)  # fmt: skip
def test_an_address_with_a_sign_that_no_database_keeps(
    people: dict[str, FlaskClient], who: str, path: str, name: str
) -> None:
    refused(people[who].get(path, query_string={name: NUL}, headers={"Accept": "application/json"}))


def test_a_name_with_such_a_sign_signs_nobody_in(people: dict[str, FlaskClient]) -> None:
    client = people["anybody"]
    form = {"username": NUL, "password": "x", "csrf_token": desk.csrf(client)}
    refused(client.post("/sign-in", data=form))


@pytest.mark.parametrize("sign", [NUL, HALF], ids=["NUL", "surrogate"])
@pytest.mark.parametrize(
    ("who", "path", "name"),
    [
        ("leader", "/api/v1/position", "at"), ("leader", "/patch/track", "patrol"),
        ("leader", "/patch/track", "started_at"), ("leader", f"/patch/issues/{ISSUE}/second", "client_id"),
        ("operator", "/api/v1/agreements", "valid_from"), ("operator", "/api/v1/issues", "reported_at"),
    ],
)  # fmt: skip
def test_a_body_with_such_a_sign(people: dict[str, FlaskClient], who: str, path: str, name: str, sign: str) -> None:
    body = {"patrol": "p", "fixes": [], "started_at": "2026-06-01T00:00:00Z"} | {name: sign}
    refused(posted(people[who], path, json.dumps(body)))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 5000, b"\xff\xfe", b""], ids=["[", "{", "no text", "none"])
@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("operator", "/map/agreements"), ("operator", "/map/agreements/parties"), ("leader", "/api/v1/position"),
        ("leader", "/patch/track"), ("operator", f"/api/v1/issues/{ISSUE}/moves"),
    ],
)  # fmt: skip
def test_a_body_that_is_none_or_has_no_end(people: dict[str, FlaskClient], who: str, path: str, body: bytes) -> None:
    refused(posted(people[who], path, body))


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("path", ["/borders", "/api/v1/borders", "/evaluation", "/ledger", "/ledger/total"])
def test_days_at_the_ends_of_the_calendar(people: dict[str, FlaskClient], path: str, day: str) -> None:
    asked = {"from": day, "to": day, "period": ""}
    answer = people["operator"].get(path, query_string=asked, headers={"Accept": "application/json"})
    assert answer.status_code < 500

"""Papers from the panel of an issue: minutes of a consultation and the letter behind an urging, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
from tests.issues import looped
from tests.issues.looped import CHIEF, DISPATCHER
from tests.web import desk

CODE = "990101000301"


@pytest.fixture(scope="module", autouse=True)
def issue(office: Flask) -> None:
    """Put an issue across the line on the ground that was urged, and whose consultation was held."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', '')"))
        way = looped.across(session, 301)
        way.after(
            ("urge", DISPATCHER, {"reason": "快办"}), ("convene", DISPATCHER, {"reason": "定主办"}),
            ("conclude", CHIEF, {"minutes": "东侧牵头", "document": "1", "lead": "sw"}),
        )  # fmt: skip
        session.commit()


@pytest.fixture(scope="module")
def chief(office: Flask) -> FlaskClient:
    """Sign the shift leader in."""
    return desk.signed_in(office, "shift_leader")


def tell(client: FlaskClient, path: str, said: dict[str, Any]) -> Any:
    return client.post(f"/papers/of/{CODE}/{path}", json=said, headers=_headers(client))


def _headers(client: FlaskClient) -> dict[str, str]:
    return {"Accept": "application/json", "X-CSRFToken": desk.csrf(client, "/papers")}


def papers(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get(f"/map/issues/{CODE}").get_json()["papers"])


def test_minutes_are_written_once_and_had_again(chief: FlaskClient) -> None:
    said = {"number": 1, "place": "三楼", "present": ["cg", "sw"]}
    first, again = (tell(chief, "minutes", said).get_json()["paper"] for _ in range(2))
    assert first == again
    assert chief.get(first["url"]).data.startswith(b"PK")
    assert papers(chief)["minutes"] == []


def test_a_letter_follows_an_urging_in_one_click(chief: FlaskClient) -> None:
    assert tell(chief, "letter", {}).get_json()["paper"]["kind"] == "supervision"
    assert papers(chief)["letter"] is False


@pytest.mark.parametrize("said", [{}, {"number": "1"}, {"number": 1, "place": "x", "present": "cg"}])
def test_what_is_no_meeting_is_refused(chief: FlaskClient, said: dict[str, Any]) -> None:
    answer = tell(chief, "minutes", said)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "paper.bad_meeting")


def test_who_does_not_write_is_offered_nothing(office: Flask) -> None:
    told = papers(desk.signed_in(office, "cg"))
    assert (told["minutes"], told["letter"]) == ([], False)

"""The door of the moves: what one may do and what it needs, done by two departments to the end, seen by nobody else."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text

from gis import db
from tests.issues import looped
from tests.web import desk

numbers = iter(range(100, 100_000))


@pytest.fixture
def issue(office: Flask) -> str:
    """Put an issue across the line on the ground: `cg` leads, `sw` has to come."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, next(numbers))
        session.commit()
        return way.code


def signed_in(office: Flask, name: str) -> FlaskClient:
    return desk.signed_in(office, name)


def picture(client: FlaskClient, code: str) -> Any:
    answer = client.get(f"/api/v1/issues/{code}/moves")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def post(client: FlaskClient, code: str, move: str, **body: Any) -> Any:
    token = client.get("/").text.split('"csrf": "')[1].split('"')[0]
    said = {"move": move, "fields": body.pop("fields", {}), **body}
    return client.post(f"/api/v1/issues/{code}/moves", json=said, headers={"X-CSRFToken": token})


def make(client: FlaskClient, code: str, move: str, **fields: Any) -> Any:
    answer = post(client, code, move, fields=fields)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def names(told: Any) -> list[str]:
    return [each["move"] for each in told["moves"]]


def jpeg() -> io.BytesIO:
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(written, "JPEG")
    written.seek(0)
    return written


def test_two_departments_play_an_issue_to_its_end(office: Flask, issue: str) -> None:
    cg, sw = signed_in(office, "cg"), signed_in(office, "sw")
    for client in (cg, sw):
        make(client, issue, "sign")
    make(cg, issue, "feed_back", done="西侧已拆除")
    assert make(sw, issue, "feed_back", done="东侧已拆除")["state"] == "fed_back"
    make(signed_in(office, "inspector"), issue, "pass")
    assert make(signed_in(office, "shift_leader"), issue, "close")["light"] == "orange"


def test_each_is_offered_its_own_moves_with_what_they_need(office: Flask, issue: str) -> None:
    assert names(picture(signed_in(office, "cg"), issue)) == ["sign", "return"]
    assert names(picture(signed_in(office, "inspector"), issue)) == []
    returned = picture(signed_in(office, "cg"), issue)["moves"][1]
    needed = [(need["name"], need["required"]) for need in returned["needs"]]
    assert needed == [("reason", True), ("ground_of_law", True)]


def test_the_operator_may_ask_for_a_forced_closing_but_not_handle(office: Flask, issue: str) -> None:
    offered = names(picture(signed_in(office, "operator"), issue))
    assert "ask_forced_close" in offered
    assert not {"sign", "feed_back", "pass"} & set(offered)


def test_a_side_keeps_its_light_until_the_other_has_reported_in(office: Flask, issue: str) -> None:
    cg = signed_in(office, "cg")
    make(cg, issue, "sign")
    lights = {each["department"]: each["light"] for each in make(cg, issue, "feed_back", done="好了")["parties"]}
    assert (lights["cg"], lights["sw"]) == ("yellow", "grey")


def test_a_refusal_is_told_in_a_sentence(office: Flask, issue: str) -> None:
    answer = post(signed_in(office, "cg"), issue, "feed_back", fields={"done": "好了"})
    assert answer.status_code == 409
    assert answer.get_json()["error"]["message"] == "贵部门在此案上的状态为“待签收”，不能“反馈”。"


def test_an_older_picture_is_refused_with_what_happened(office: Flask, issue: str) -> None:
    make(signed_in(office, "cg"), issue, "sign")
    answer = post(signed_in(office, "cg"), issue, "return", version=0)
    assert answer.status_code == 409
    assert "cg" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize("body", [{"move": 3}, {"move": "sign", "colour": 1}, {"move": "sign", "version": "1"}, {}])
def test_a_body_that_is_no_move_is_refused(office: Flask, issue: str, body: Any) -> None:
    client = signed_in(office, "cg")
    token = client.get("/").text.split('"csrf": "')[1].split('"')[0]
    answer = client.post(f"/api/v1/issues/{issue}/moves", json=body, headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "moves.body")


def test_a_photo_comes_with_the_move_and_is_kept_with_the_issue(office: Flask, issue: str) -> None:
    client = signed_in(office, "cg")
    make(client, issue, "sign")
    token = client.get("/").text.split('"csrf": "')[1].split('"')[0]
    said = {"move": "feed_back", "fields": {"done": "好了"}}
    form = {"move": json.dumps(said), "photo_after": (jpeg(), "after.jpg")}
    answer = client.post(f"/api/v1/issues/{issue}/moves", data=form, headers={"X-CSRFToken": token})
    assert answer.status_code == 200, answer.text
    assert [each["name"] for each in client.get(f"/api/v1/issues/{issue}").get_json()["photos"]] == ["after.jpg"]


def test_a_photo_that_the_issue_has_not_is_not_found_and_nothing_moves(office: Flask, issue: str) -> None:
    client = signed_in(office, "cg")
    make(client, issue, "sign")
    answer = post(client, issue, "feed_back", fields={"done": "好了", "photo_after": "f" * 64})
    assert answer.status_code == 404
    assert picture(client, issue)["version"] == 1


class TestScope:
    """A department sees its own issues through every door, and no others."""

    DOORS: Final = (
        "/api/v1/issues/{code}",
        "/api/v1/issues/{code}/moves",
        "/map/issues/{code}",
        "/api/v1/issues/{code}/photos/x.jpg",
    )

    @pytest.fixture
    def others(self, office: Flask) -> str:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            way = looped.plain(session, next(numbers))
            session.commit()
            return way.code

    @pytest.mark.parametrize("door", DOORS)
    def test_what_it_is_not_called_to_does_not_exist_for_it(self, office: Flask, others: str, door: str) -> None:
        answer = signed_in(office, "sw").get(door.format(code=others), headers={"Accept": "application/json"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("path", ["/api/v1/issues", "/map/state", "/map/rows", "/map/desk", "/map/hotspots"])
    def test_no_list_holds_it(self, office: Flask, others: str, issue: str, path: str) -> None:
        told = signed_in(office, "sw").get(path).text
        assert others not in told
        assert path == "/map/hotspots" or issue in told

    def test_it_cannot_be_moved(self, office: Flask, others: str) -> None:
        assert post(signed_in(office, "sw"), others, "sign").status_code == 404

    @pytest.mark.parametrize("path", ["/map/agreements", "/api/v1/default-points?source=12345"])
    def test_what_is_the_operators_is_not_a_departments(self, office: Flask, path: str) -> None:
        assert signed_in(office, "cg").get(path, headers={"Accept": "application/json"}).status_code == 403

    def test_filing_and_placing_are_not_either(self, office: Flask, issue: str) -> None:
        client = signed_in(office, "cg")
        token = client.get("/").text.split('"csrf": "')[1].split('"')[0]
        for path in ("/api/v1/issues", f"/api/v1/issues/{issue}/place"):
            assert client.post(path, json={}, headers={"X-CSRFToken": token}).status_code == 403

    def test_a_department_that_is_called_no_more_loses_sight(self, office: Flask, issue: str) -> None:
        cg = signed_in(office, "cg")
        make(cg, issue, "return", reason="不归我们管", ground_of_law="清单")
        make(signed_in(office, "dispatcher"), issue, "dispatch", lead="zf", reason="改派")
        assert cg.get(f"/api/v1/issues/{issue}/moves").status_code == 404

    def test_the_reporter_is_masked_for_it_as_for_everybody(self, office: Flask, issue: str) -> None:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            session.execute(
                text("UPDATE issue SET reporter = '{\"phone\": \"13800001234\"}' WHERE code = :code"), {"code": issue}
            )
            session.commit()
        for path in (f"/api/v1/issues/{issue}", f"/map/issues/{issue}"):
            assert "13800001234" not in signed_in(office, "cg").get(path).text
            assert "13800001234" not in signed_in(office, "clerk").get(path).text


def test_the_work_list_of_a_department_goes_by_its_own_stage(office: Flask, issue: str) -> None:
    cg, sw = signed_in(office, "cg"), signed_in(office, "sw")
    make(cg, issue, "sign")

    def group_of(client: FlaskClient) -> str:
        groups = client.get("/map/desk").get_json()["groups"]
        return next(str(each["code"]) for each in groups if issue in {row["code"] for row in each["rows"]})

    assert (group_of(cg), group_of(sw)) == ("at_work", "to_sign")


@pytest.mark.parametrize(("role", "group"), [("inspector", "fed_back"), ("leader", None), ("planner", None)])
def test_the_work_list_of_a_seat_holds_what_it_can_move(
    office: Flask, issue: str, role: str, group: str | None
) -> None:
    for name in ("cg", "sw"):
        client = signed_in(office, name)
        make(client, issue, "sign")
        make(client, issue, "feed_back", done="好了")
    groups = signed_in(office, role).get("/map/desk").get_json()["groups"]
    assert next((g["code"] for g in groups if issue in {row["code"] for row in g["rows"]}), None) == group

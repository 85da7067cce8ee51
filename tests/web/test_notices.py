"""The bell, appeals, and reading in full who reported: by whom, in whose language, and all of it on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
from gis.issues import lateness
from gis.issues.clerk import Clerk
from gis.issues.lateness import Fact
from tests.issues import looped
from tests.issues.looped import Way
from tests.web import desk

numbers = iter(range(500_000, 600_000))


@pytest.fixture
def way(office: Flask) -> Way:
    """Put an issue of the west on the ground: `cg` leads."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""
            INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')
            ON CONFLICT DO NOTHING
            """)
        )
        made = looped.plain(session, next(numbers), reporter='{"name": "王芳", "phone": "13812345678"}')
        session.commit()
        return made


def late(office: Flask, way: Way) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        now = datetime.now(UTC)
        lateness.note(session, [Fact(way.issue_id, "", "handle", now - timedelta(hours=1))], Clerk("system", now))
        session.commit()


def post(client: FlaskClient, path: str, body: Any) -> Any:
    token = client.get("/").text.split('"csrf": "')[1].split('"')[0]
    return client.post(f"/api/v1{path}", json=body, headers={"X-CSRFToken": token})


def told(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def logged(office: Flask, kind: str) -> list[tuple[str, int | None]]:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        sql = text("SELECT actor, issue_id FROM entry WHERE kind = :kind ORDER BY id")
        return [tuple(row) for row in session.execute(sql, {"kind": kind})]


class TestTheBell:
    def test_a_department_is_told_of_what_concerns_it(self, office: Flask, way: Way) -> None:
        late(office, way)
        said = told(desk.signed_in(office, "cg"), "/notices")
        assert (said["notices"][0]["code"], said["notices"][0]["read"]) == (way.code, False)

    def test_others_are_not(self, office: Flask, way: Way) -> None:
        late(office, way)
        assert way.code not in str(told(desk.signed_in(office, "sw"), "/notices"))

    def test_a_role_is_told_what_concerns_the_role(self, office: Flask, way: Way) -> None:
        late(office, way)
        assert told(desk.signed_in(office, "dispatcher"), "/notices")["notices"][0]["code"] == way.code

    def test_what_was_read_stays_read(self, office: Flask, way: Way) -> None:
        late(office, way)
        client = desk.signed_in(office, "cg")
        newest = told(client, "/notices")["notices"][0]["id"]
        assert post(client, "/notices/read", {"up_to": newest}).get_json() == {"unread": 0}
        assert post(client, "/notices/read", {"up_to": 1}).get_json() == {"unread": 0}

    def test_it_speaks_the_language_of_who_reads(self, office: Flask, way: Way) -> None:
        late(office, way)
        client = desk.signed_in(office, "cg")
        both = [told(client, f"/notices?lang={lang}")["notices"][0]["said"] for lang in ("zh", "en")]
        assert "超期" in both[0]
        assert "overdue" in both[1]

    def test_nobody_reads_it_without_signing_in(self, office: Flask) -> None:
        assert office.test_client().get("/api/v1/notices").status_code == 401


class TestAppeals:
    def test_a_department_appeals_a_shift_leader_grants_and_the_fact_stays(self, office: Flask, way: Way) -> None:
        late(office, way)
        asked = post(desk.signed_in(office, "cg"), f"/issues/{way.code}/appeals", {"reason": "暴雨"})
        said = {"granted": True, "reason": "属实"}
        answered = post(desk.signed_in(office, "shift_leader"), f"/issues/{way.code}/appeals/answer", said)
        assert (asked.status_code, answered.status_code) == (201, 200), answered.text
        [fact] = told(desk.signed_in(office, "cg"), f"/issues/{way.code}/lateness")["lateness"]
        assert (fact["appealed"], fact["granted"], fact["reason"], fact["answer"]) == (True, True, "暴雨", "属实")

    @pytest.mark.parametrize("name", ["operator", "shift_leader", "clerk"])
    def test_who_was_not_called_cannot_appeal(self, office: Flask, way: Way, name: str) -> None:
        late(office, way)
        assert post(desk.signed_in(office, name), f"/issues/{way.code}/appeals", {"reason": "x"}).status_code == 403

    @pytest.mark.parametrize("name", ["cg", "dispatcher", "clerk"])
    def test_nobody_but_a_shift_leader_decides(self, office: Flask, way: Way, name: str) -> None:
        late(office, way)
        post(desk.signed_in(office, "cg"), f"/issues/{way.code}/appeals", {"reason": "x"})
        said = {"granted": True, "reason": "x"}
        assert post(desk.signed_in(office, name), f"/issues/{way.code}/appeals/answer", said).status_code == 403

    def test_without_lateness_there_is_nothing_to_appeal_against(self, office: Flask, way: Way) -> None:
        answer = post(desk.signed_in(office, "cg"), f"/issues/{way.code}/appeals", {"reason": "x"})
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "appeals.nothing_late")

    @pytest.mark.parametrize("reason", ["", "  ", None, 7, "x" * 2001])
    def test_a_reason_is_asked_for(self, office: Flask, way: Way, reason: object) -> None:
        late(office, way)
        answer = post(desk.signed_in(office, "cg"), f"/issues/{way.code}/appeals", {"reason": reason})
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "appeals.reason")

    def test_the_panel_offers_it_to_who_may(self, office: Flask, way: Way) -> None:
        late(office, way)
        offered = {
            name: desk.signed_in(office, name).get(f"/map/issues/{way.code}").get_json()["lateness"]["may_ask"]
            for name in ("cg", "operator")
        }
        assert offered == {"cg": True, "operator": False}


class TestReporters:
    def test_who_speaks_with_reporters_reads_it_in_full_on_record(self, office: Flask, way: Way) -> None:
        answer = post(desk.signed_in(office, "clerk"), f"/issues/{way.code}/reporter", {})
        assert answer.get_json()["reporter"]["phone"] == "13812345678"
        assert logged(office, "unmasked")[-1] == ("clerk", way.issue_id)

    @pytest.mark.parametrize("name", ["planner", "leader", "inspector", "cg", "dispatcher"])
    def test_nobody_else_does(self, office: Flask, way: Way, name: str) -> None:
        answer = post(desk.signed_in(office, name), f"/issues/{way.code}/reporter", {})
        assert answer.status_code == 403
        assert "13812345678" not in answer.text

    @pytest.mark.parametrize("name", ["operator", "administrator", "clerk", "planner"])
    def test_no_page_and_no_list_tells_it_unasked(self, office: Flask, way: Way, name: str) -> None:
        client = desk.signed_in(office, name)
        for path in (f"/map/issues/{way.code}", f"/api/v1/issues/{way.code}", "/api/v1/issues", "/map/rows?page=1"):
            assert "13812345678" not in client.get(path).text, path


class TestSignIns:
    def test_a_sign_in_and_a_refusal_are_on_record(self, office: Flask) -> None:
        desk.hire(office, "wu")
        desk.signed_in(office, "wu")
        client = office.test_client()
        client.post("/sign-in", data={"username": "wu", "password": "no", "csrf_token": desk.csrf(client)})
        assert ("wu", None) in logged(office, "signed_in")
        assert ("wu", None) in logged(office, "sign_in_refused")

    def test_a_name_that_is_no_accounts_is_not_kept(self, office: Flask) -> None:
        client = office.test_client()
        form = {"username": "my password", "password": "no", "csrf_token": desk.csrf(client)}
        client.post("/sign-in", data=form)
        assert logged(office, "sign_in_refused")[-1] == ("-", None)

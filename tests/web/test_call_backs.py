"""The call-back desk and the link without sign-in, over HTTP: who may, what is masked, what is given away."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg2.extras import Json
from sqlalchemy import text

from gis import db
from gis.web import headers
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, INSPECTOR, Way
from tests.web import desk

PHONE = {"name": "李雷雷", "phone": "10012345678"}
numbers = count(100)


@pytest.fixture
def code(office: Flask) -> str:
    """Close an issue whose reporter can be called."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""
            INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')
            ON CONFLICT DO NOTHING
            """)
        )
        way = looped.plain(session, next(numbers), reporter=Json(PHONE), text="我家门口的井盖坏了，我住 3 号楼")
        closed(replace(way, now=datetime.now(UTC) - timedelta(hours=1)))
        session.commit()
        return way.code


def closed(way: Way) -> Way:
    return way.after(("sign", CG), ("feed_back", CG, {"done": "好"}), ("pass", INSPECTOR), ("close", CHIEF))


def post(client: FlaskClient, path: str, page: str, **form: str) -> str:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert token
    answer = client.post(path, data=form | {"csrf_token": token[1]}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def state(office: Flask, code: str) -> str:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return str(session.scalar(text("SELECT state FROM issue WHERE code = :code"), {"code": code}))


def link(office: Flask, code: str) -> str:
    clerk = desk.signed_in(office, "clerk")
    told = post(clerk, f"/call-back/{code}/link", f"/call-back?code={code}")
    found = re.search(r"(/answer/[\w-]+)</p>", told)
    assert found
    return found[1]


class TestTheDesk:
    @pytest.mark.parametrize("role", ["leader", "planner", "dispatcher", "shift_leader", "inspector", "cg"])
    def test_who_does_not_speak_with_reporters_has_none(self, office: Flask, code: str, role: str) -> None:
        client = desk.signed_in(office, role)
        assert client.get("/call-back").status_code == 403
        assert client.get(f"/call-back?code={code}").status_code == 403

    def test_nobody_gets_in_without_signing_in(self, office: Flask) -> None:
        assert office.test_client().get("/call-back").status_code == 401

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_who_waits_is_listed_masked(self, office: Flask, code: str, lang: str) -> None:
        told = desk.signed_in(office, "clerk").get(f"/call-back?code={code}&lang={lang}").text
        assert "1***78" in told
        assert PHONE["phone"] not in told
        assert PHONE["name"] not in told

    def test_doing_it_again_is_offered_only_while_it_may_be_asked_for(self, office: Flask, code: str) -> None:
        clerk, path = desk.signed_in(office, "clerk"), f"/call-back?code={code}&lang=zh"
        offered = "要求重办" in clerk.get(path).text
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            long_ago = "UPDATE issue SET closed_at = closed_at - interval '30 days' WHERE code = :code"
            session.execute(text(long_ago), {"code": code})
            session.commit()
        assert (offered, "要求重办" in clerk.get(path).text) == (True, False)

    def test_a_number_is_shown_on_demand_and_that_is_kept(self, office: Flask, code: str) -> None:
        clerk = desk.signed_in(office, "clerk")
        assert PHONE["phone"] in post(clerk, f"/call-back/{code}/reveal", f"/call-back?code={code}")
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            kept = session.execute(
                text("SELECT entry.actor FROM entry JOIN issue ON issue.id = entry.issue_id"
                     " WHERE issue.code = :code AND entry.kind = 'revealed'"), {"code": code},
            ).scalars().all()
        assert kept == ["clerk"]

    def test_an_answer_is_written_down(self, office: Flask, code: str) -> None:
        clerk = desk.signed_in(office, "clerk")
        post(clerk, f"/call-back/{code}", f"/call-back?code={code}", contacted="yes", solved="yes", satisfied="partly")
        assert state(office, code) == "evaluated"

    def test_nobody_reached_leaves_it_waiting(self, office: Flask, code: str) -> None:
        clerk = desk.signed_in(office, "clerk")
        post(clerk, f"/call-back/{code}", f"/call-back?code={code}", outcome="busy")
        assert "1/3" in clerk.get(f"/call-back?code={code}&lang=zh").text

    def test_what_is_not_solved_is_taken_up_again_if_asked(self, office: Flask, code: str) -> None:
        clerk = desk.signed_in(office, "clerk")
        post(clerk, f"/call-back/{code}", f"/call-back?code={code}", solved="no", reopen="1")
        assert state(office, code) == "dispatched"

    def test_of_two_who_call_the_second_is_told(self, office: Flask, code: str) -> None:
        first, second = desk.signed_in(office, "clerk"), desk.signed_in(office, "operator")
        page = second.get(f"/call-back?code={code}").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        version = re.search(r'name="version" value="(\d+)"', page)
        assert token
        assert version
        post(first, f"/call-back/{code}", f"/call-back?code={code}", solved="yes")
        form = {"csrf_token": token[1], "version": version[1], "solved": "no"}
        assert second.post(f"/call-back/{code}", data=form).status_code == 409


class TestTheLink:
    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_its_page_says_nothing_of_anybody(self, office: Flask, code: str, lang: str) -> None:
        told = office.test_client().get(f"{link(office, code)}?lang={lang}")
        assert told.status_code == 200
        for private in (*PHONE.values(), "3 号楼", code, "城管局"):
            assert private not in told.text
        # Looked for as a word: the form's token is letters at random.
        assert "cg" not in re.findall(r"[\w-]+", told.text)

    def test_it_is_not_kept_by_anybody_on_the_way(self, office: Flask, code: str) -> None:
        told = office.test_client().get(link(office, code))
        assert (told.headers["Cache-Control"], told.headers["Referrer-Policy"]) == ("no-store", "same-origin")

    def test_its_token_stands_in_no_log(self, office: Flask) -> None:
        with office.test_request_context("/answer/opens-a-door"):
            assert headers.told_path() == "/answer/<token>"

    def test_who_reported_answers_without_signing_in(self, office: Flask, code: str) -> None:
        path, anybody = link(office, code), office.test_client()
        post(anybody, path, path, contacted="yes", solved="yes", satisfied="yes", note="谢谢")
        assert state(office, code) == "evaluated"

    def test_once(self, office: Flask, code: str) -> None:
        path, anybody = link(office, code), office.test_client()
        post(anybody, path, path, solved="yes")
        assert anybody.get(path).status_code == 404

    def test_who_reported_may_have_it_taken_up_again(self, office: Flask, code: str) -> None:
        path, anybody = link(office, code), office.test_client()
        told = post(anybody, f"{path}?lang=zh", path, solved="no", reopen="1", again="<b>还是坏的</b>")
        assert "重新办理" in told
        assert state(office, code) == "dispatched"

    def test_a_link_that_is_none_is_refused_with_a_sentence(self, office: Flask) -> None:
        told = office.test_client().get("/answer/nothing?lang=zh")
        assert told.status_code == 404
        assert "12345" in told.text

    def test_an_answer_without_the_forms_own_sign_is_refused(self, office: Flask, code: str) -> None:
        assert office.test_client().post(link(office, code), data={"solved": "yes"}).status_code == 400
        assert state(office, code) == "closed"

    def test_it_opens_nothing_else(self, office: Flask, code: str) -> None:
        anybody = office.test_client()
        anybody.get(link(office, code))
        assert anybody.get(f"/api/v1/issues/{code}").status_code == 401

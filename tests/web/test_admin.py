"""The administrator's desk over HTTP: every change is said, refused with its rows, and on record under a name."""

from __future__ import annotations

import io
import re
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from gis import db
from gis.tasks import queue, running
from gis.web.admin import shell
from tests.tasks.test_tasks import files
from tests.territory.plots import plot
from tests.territory.test_boundaries import EAST, WEST
from tests.web import desk

numbers = count(1)
SECTIONS = sorted(shell.SECTIONS)
DUTIES = "category,leads,assists\n0501,CG,SW\n"


@pytest.fixture
def admin(office: Flask) -> FlaskClient:
    return desk.signed_in(office, "administrator")


@pytest.fixture(scope="module")
def second(office: Flask) -> FlaskClient:
    desk.hire(office, "second", "administrator")
    return desk.signed_in(office, "second")


def post(client: FlaskClient, path: str, **form: object) -> TestResponse:
    data = {"csrf_token": desk.csrf(client, "/admin/users"), **form}
    return client.post(f"{path}?lang=zh", data=data, content_type="multipart/form-data", follow_redirects=True)


def carry_out(office: Flask) -> str:
    """Do as the worker: carry out what waits, and return how the last ended."""
    engine = office.extensions["engine"]
    with db.session(engine, db.EVERYTHING) as session:
        ids = queue.unattended(session)
    ended = [running.run(engine, office.extensions["settings"], task_id) for task_id in ids]
    return ended[-1] or ""


def said(office: Flask, kind: str) -> str:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = "SELECT actor || ': ' || (params ->> 'what') FROM entry WHERE kind = :kind ORDER BY id DESC LIMIT 1"
        return str(session.scalar(text(last), {"kind": kind}))


def sheet(rows: str, name: str = "list.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(rows.encode()), name


class TestTheDesk:
    @pytest.mark.parametrize("lang", ["zh", "en"])
    @pytest.mark.parametrize("section", SECTIONS)
    def test_every_section_is_a_page_of_its_own(self, admin: FlaskClient, section: str, lang: str) -> None:
        told = admin.get(f"/admin/{section}?lang={lang}")
        assert told.status_code == 200
        assert re.search(rf'<a href="/admin/{section}" aria-current="page">', told.text)

    def test_the_desk_opens_on_the_health(self, admin: FlaskClient) -> None:
        assert admin.get("/admin").headers["Location"] == "/admin/health"

    def test_only_administrators_are_shown_the_door(self, office: Flask, admin: FlaskClient) -> None:
        assert 'href="/admin"' in admin.get("/ledger").text
        assert 'href="/admin"' not in desk.signed_in(office, "operator").get("/ledger").text


class TestUsers:
    def add(self, admin: FlaskClient, **changes: str) -> tuple[str, TestResponse]:
        name = f"new{next(numbers)}"
        return name, post(admin, "/admin/users", **({"username": name, "role": "operator", "name": "新人"} | changes))

    def password(self, answer: TestResponse) -> str:
        found = re.search(r'id="password"[^>]*>([^<]+)<', answer.text)
        assert found
        return found[1]

    def test_who_was_added_can_sign_in_with_what_was_shown(self, office: Flask, admin: FlaskClient) -> None:
        name, answer = self.add(admin)
        client = office.test_client()
        form = {"username": name, "password": self.password(answer), "csrf_token": desk.csrf(client)}
        assert client.post("/sign-in", data=form).status_code == 302

    def test_a_password_is_shown_once(self, admin: FlaskClient) -> None:
        name, answer = self.add(admin)
        assert self.password(answer) not in admin.get(f"/admin/users/{name}").text

    def test_a_password_stands_in_no_journal(self, office: Flask, admin: FlaskClient) -> None:
        name, answer = self.add(admin)
        assert said(office, "account_changed").startswith(f"administrator: users add {name} operator")
        assert self.password(answer) not in said(office, "account_changed")

    def test_a_reset_ends_what_is_open(self, office: Flask, admin: FlaskClient) -> None:
        desk.hire(office, "forgetful")
        open_one = desk.signed_in(office, "forgetful")
        assert open_one.get("/ledger").status_code == 200
        assert self.password(post(admin, "/admin/users/forgetful/password"))
        assert open_one.get("/ledger").status_code == 302

    def test_who_is_closed_signs_in_no_more_and_again_when_opened(self, office: Flask, admin: FlaskClient) -> None:
        desk.hire(office, "leaving")
        post(admin, "/admin/users/leaving/close")
        client = office.test_client()
        form = {"username": "leaving", "password": desk.PASSWORD, "csrf_token": desk.csrf(client)}
        assert client.post("/sign-in", data=form).status_code == 401
        post(admin, "/admin/users/leaving/reopen")
        assert client.post("/sign-in", data=form).status_code == 302

    def test_a_post_is_given_and_ended(self, admin: FlaskClient) -> None:
        name, _ = self.add(admin, role="leader", unit="governance:grid:990101001001001")
        assert "governance:grid:990101001001001" in admin.get(f"/admin/users/{name}").text
        post(admin, f"/admin/users/{name}/posts", unit="governance:grid:990101001001001", end="1")
        assert "governance:grid:990101001001001" not in admin.get(f"/admin/users/{name}").text

    @pytest.mark.parametrize("unit", ["nonsense", "governance:grid:none"])
    def test_a_post_that_is_no_unit_is_refused(self, admin: FlaskClient, unit: str) -> None:
        assert self.add(admin, role="leader", unit=unit)[1].status_code == 400

    def test_nobody_closes_the_own_account(self, admin: FlaskClient) -> None:
        answer = post(admin, "/admin/users/administrator/close")
        assert (answer.status_code, "另一位管理员" in answer.text) == (409, True)

    def test_what_was_written_is_still_there_when_it_is_refused(self, admin: FlaskClient) -> None:
        _, answer = self.add(admin, username="operator", name="已经写好的名字")
        assert (answer.status_code, "已经写好的名字" in answer.text) == (409, True)

    def test_another_role_holds_at_once(self, office: Flask, admin: FlaskClient) -> None:
        desk.hire(office, "rising")
        client = desk.signed_in(office, "rising")
        post(admin, "/admin/users/rising/seat", role="administrator")
        assert client.get("/admin/health").status_code == 200


class TestDuties:
    def load(self, client: FlaskClient, version: str, rows: str = DUTIES, name: str = "list.csv") -> TestResponse:
        file = sheet(rows, name)
        return post(client, "/admin/duties", list="town", version=version, scheme="gb", file=file)

    def test_a_list_comes_in_as_a_draft(self, office: Flask, admin: FlaskClient) -> None:
        assert "已导入为草案" in self.load(admin, "1").text
        assert said(office, "rules_changed") == "administrator: duties load town 1"

    def test_wrong_rows_are_told_with_their_numbers(self, admin: FlaskClient) -> None:
        answer = self.load(admin, "2", DUTIES + "9999,CG,\n0501,NOBODY,\n")
        assert (answer.status_code, "第 3 行" in answer.text, "第 4 行" in answer.text) == (400, True, True)

    @pytest.mark.parametrize("name", ["list.doc", "../list.csv"])
    def test_a_file_that_will_not_do_is_refused(self, admin: FlaskClient, name: str) -> None:
        assert self.load(admin, "3", name=name).status_code == 400

    def test_who_loaded_it_does_not_activate_it(self, admin: FlaskClient, second: FlaskClient) -> None:
        self.load(admin, "4")
        form = {"list": "town", "version": "4", "start": "2026-01-01"}
        assert post(admin, "/admin/duties/activate", **form).status_code == 403
        assert "从 2026-01-01 起生效" in post(second, "/admin/duties/activate", **form).text

    def test_a_dry_run_asks_the_past_and_writes_nothing(self, office: Flask, admin: FlaskClient) -> None:
        self.load(admin, "5")
        form = {"list": "town", "version": "5", "start": "2024-01-01", "end": "2026-12-31"}
        answer = post(admin, "/admin/duties/dry-run", **form)
        assert carry_out(office) == "done"
        page = admin.get(f"{answer.request.path}?lang=zh").text
        assert "没有写入任何内容" in page

    @pytest.mark.parametrize("start", ["2027-01-01", "nonsense", ""])
    def test_a_period_that_is_none_is_refused(self, admin: FlaskClient, start: str) -> None:
        self.load(admin, f"p{start}")
        form = {"list": "town", "version": f"p{start}", "start": start, "end": "2026-01-01"}
        assert post(admin, "/admin/duties/dry-run", **form).status_code == 400


class TestEditions:
    def check(self, client: FlaskClient, *shapes: object, **named: str) -> TestResponse:
        sent = [(content, name) for name, content in files(*(shapes or (WEST, EAST)), **named)]
        return post(client, "/admin/editions/check", files=sent)

    def test_faults_are_listed_and_drawn_and_may_be_left(self, office: Flask, admin: FlaskClient) -> None:
        task = self.check(admin, plot(0, 0, 1.5, 1), EAST, name="f").request.path
        assert carry_out(office) == "done"
        assert "1 处超出容差" in admin.get(f"{task}?lang=zh").text
        drawn = admin.get(f"{task}/faults.geojson").get_json()["features"]
        assert drawn[-1]["properties"]["kind"] == "overlap"

    def test_faults_that_nobody_accepted_are_not_loaded(self, office: Flask, admin: FlaskClient) -> None:
        task = self.check(admin, plot(0, 0, 1.5, 1), EAST, name="g").request.path
        carry_out(office)
        answer = post(admin, "/admin/editions/load", task=task.rpartition("/")[2])
        assert (answer.status_code, "接受" in answer.text) == (400, True)

    def test_what_was_not_checked_is_not_loaded(self, admin: FlaskClient) -> None:
        assert post(admin, "/admin/editions/load", task="x").status_code == 404

    def test_files_without_a_manifest_are_refused(self, admin: FlaskClient) -> None:
        answer = post(admin, "/admin/editions/check", files=[(io.BytesIO(b"{}"), "a.geojson")])
        assert (answer.status_code, "清单" in answer.text) == (400, True)

    def test_a_manifest_on_the_server_is_checked(self, admin: FlaskClient) -> None:
        answer = post(admin, "/admin/editions/check", manifest="boundaries.toml")
        assert answer.request.path.startswith("/admin/tasks/")

    def test_progress_is_told(self, admin: FlaskClient) -> None:
        task = self.check(admin, name="h").request.path
        assert admin.get(task.removeprefix("/admin")).get_json()["state"] == "waiting"

    @pytest.mark.parametrize("start", ["", "soon"])
    def test_a_date_that_is_none_is_refused(self, admin: FlaskClient, start: str) -> None:
        assert post(admin, "/admin/editions/1/activate", start=start).status_code == 400

    def test_nothing_is_retired_by_a_slip(self, admin: FlaskClient) -> None:
        assert post(admin, "/admin/editions/1/retire").status_code == 400


class TestTheRest:
    def test_the_public_sees_what_was_chosen(self, office: Flask, admin: FlaskClient) -> None:
        assert "公众可见 1 个大类" in post(admin, "/admin/categories/public", shown="gb:0501").text
        assert said(office, "rules_changed") == "administrator: public categories gb:0501"

    def test_wrong_categories_are_told_with_their_rows(self, admin: FlaskClient) -> None:
        rows = "scheme,version,code,parent,name_zh\nx,1,A,,甲\nx,1,A,,乙\n"
        answer = post(admin, "/admin/categories", file=sheet(rows))
        assert (answer.status_code, "3" in answer.text) == (400, True)

    def test_a_year_of_the_calendar_is_loaded(self, office: Flask, admin: FlaskClient) -> None:
        rows = "day,kind,name_zh,source\n2027-01-01,holiday,元旦,x\n"
        answer = post(admin, "/admin/calendars", file=sheet(rows, "CN-2027.csv"))
        assert carry_out(office) == "done"
        assert "2027" in admin.get("/admin/calendars").text
        assert answer.request.path.startswith("/admin/tasks/")

    def test_wrong_days_are_told_with_their_rows(self, office: Flask, admin: FlaskClient) -> None:
        rows = "day,kind,name_zh,source\n2028-13-01,holiday,元旦,x\n"
        task = post(admin, "/admin/calendars", file=sheet(rows, "CN-2028.csv")).request.path
        assert carry_out(office) == "refused"
        assert "第 2 行" in admin.get(f"{task}?lang=zh").text

    def test_rules_take_two(self, admin: FlaskClient, second: FlaskClient) -> None:
        assert "已导入" in post(admin, "/admin/rules", said='[return]\nname_zh = "退件"\n').text
        assert post(admin, "/admin/rules/activate", version="1").status_code == 403
        assert "已启用" in post(second, "/admin/rules/activate", version="1").text
        assert "退件" in admin.get("/admin/rules").text

    def test_rules_that_do_not_hold_are_refused_and_still_there(self, admin: FlaskClient) -> None:
        answer = post(admin, "/admin/rules", said="[no_such_move]\nenabled = false\n")
        assert (answer.status_code, "no_such_move" in answer.text) == (400, True)

    def test_departments_with_two_masters_are_listed(self, admin: FlaskClient) -> None:
        rows = (
            "code,kind,name_zh,name_en,net,level,unit_code,belongs_to,managed_by\n"
            "team,ZF,执法队,Team,,,,cg,sw\n"
        )
        post(admin, "/admin/departments", file=sheet(rows))
        assert "执法队" in admin.get("/admin/powers").text

    def test_a_message_that_is_stuck_is_sent_again(self, office: Flask, admin: FlaskClient) -> None:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            stuck = session.execute(
                text("""
                INSERT INTO message (key, event, channel, recipient, params, at, state, next_at, attempts_n, fault)
                VALUES ('k', 'called', 'sms', 'department:cg', '{}', now(), 'dead', now(), 20,
                        '{"code": "channels.unknown", "params": {"channel": "sms", "channels": "—"}}')
                RETURNING id
                """)
            ).scalar_one()
            session.commit()
        assert "department:cg" in admin.get("/admin/messages?lang=zh").text
        assert post(admin, "/admin/messages/retry", id=str(stuck)).status_code == 200
        assert f'value="{stuck}"' not in admin.get("/admin/messages").text

    def test_who_changed_what_is_read_on_the_page(self, admin: FlaskClient) -> None:
        post(admin, "/admin/categories/public", shown="gb:0501")
        assert "public categories gb:0501" in admin.get("/admin/log").text

"""The ledger over HTTP: what is listed, what leaves the house and how, views, shifts, papers, one move on many."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from tests.issues import filed
from tests.web import desk

CITY = ZoneInfo("Asia/Shanghai")
PATCH = "governance:grid:990101001001001"
EVIL = '=HYPERLINK("http://evil")'


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Give the office issues of every kind a ledger asks for."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        _fill(session)
        session.commit()
    return office


def _fill(session: Session) -> None:
    now = datetime.now(UTC)
    whole: dict[str, Any] = {"reporter": Json({"name": "王芳", "phone": "13812345678"})}
    filed.issue(session, 1, ground=[PATCH], reported_at=now - timedelta(hours=1), text=EVIL, **whole)
    filed.issue(session, 2, state="closed", reported_at=now - timedelta(days=40))
    filed.issue(session, 3, departments=["sw"], lead="sw", flags=["straddles"])
    filed.issue(session, 4, state="self_handled")
    filed.issue(session, 5, state="closed", text="<script>window.owned=1</script>")
    rows = {"now": now, "codes": ["990101000002", "990101000005", "990101000004"]}
    session.execute(text("UPDATE issue SET closed_at = :now WHERE code = ANY(:codes)"), rows)
    session.execute(text("UPDATE issue SET due_at = :now - interval '1 day' WHERE code = '990101000001'"), rows)


@pytest.fixture
def of(office: Flask) -> Callable[[str], FlaskClient]:
    """Give somebody who signed in."""
    return lambda username: desk.signed_in(office, username)


def listed(client: FlaskClient, query: str = "") -> list[int]:
    answer = client.get(f"/api/v1/ledger?{query}")
    assert answer.status_code == 200, answer.text
    return sorted(int(line["code"][-6:]) for line in answer.json["lines"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("stage=open", [1, 3]),
        ("stage=closing", [2, 4, 5]),
        ("stage=open&dues=overdue", [1]),
        ("flags=straddles", [3]),
        ("states=self_handled", [4]),
        ("departments=sw", [3]),
        ("struck=no", [2, 4, 5]),
        ("struck=yes", []),
        ("from=2024-05-06&to=2024-05-06", [3, 4, 5]),
        ("units=governance:grid:990101001001001", [1]),
        ("text=HYPERLINK", [1]),
    ],
)
def test_a_ledger_holds_what_its_address_asks(of: Callable[[str], FlaskClient], query: str, found: list[int]) -> None:
    assert listed(of("operator"), query) == found


def test_today_begins_at_the_citys_midnight(office: Flask, of: Callable[[str], FlaskClient]) -> None:
    operator = of("operator")
    midnight = datetime.now(CITY).replace(hour=0, minute=0, second=0, microsecond=0)

    def reported(at: datetime) -> list[int]:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            session.execute(text("UPDATE issue SET reported_at = :at WHERE code = '990101000001'"), {"at": at})
            session.commit()
        return listed(operator, "period=today")

    assert (reported(midnight - timedelta(microseconds=1)), reported(midnight)) == ([], [1])


def test_a_leader_finds_the_own_patch_only(of: Callable[[str], FlaskClient]) -> None:
    assert listed(of("leader")) == [1]


def test_the_page_shows_what_people_wrote_as_words(of: Callable[[str], FlaskClient]) -> None:
    page = of("operator").get("/ledger?lang=en").text
    assert "&lt;script&gt;window.owned" in page
    assert "<script>window.owned" not in page
    assert "5 in all" in page


def test_a_visitor_is_led_to_the_door_and_back(office: Flask) -> None:
    answer = office.test_client().get("/ledger?stage=open")
    assert answer.status_code == 302
    assert "next=/ledger?stage%3Dopen" in answer.headers["Location"] or "stage" in answer.headers["Location"]


def workbook(client: FlaskClient, query: str = "") -> Any:
    answer = client.get(f"/ledger.xlsx?{query}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return openpyxl.load_workbook(io.BytesIO(answer.data)).active


def test_no_cell_of_a_workbook_is_a_formula(of: Callable[[str], FlaskClient]) -> None:
    cells = [cell for row in workbook(of("operator")).iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert f"'{EVIL}" in {cell.value for cell in cells}


def test_who_reported_leaves_the_house_masked_even_for_who_may_know(of: Callable[[str], FlaskClient]) -> None:
    words = {cell.value for row in workbook(of("administrator")).iter_rows() for cell in row}
    assert "王***、1***78" in words
    assert not any("13812345678" in str(word) for word in words)


def test_a_workbook_holds_nothing_outside_the_scope(of: Callable[[str], FlaskClient]) -> None:
    codes = [row[0].value for row in workbook(of("leader")).iter_rows(min_row=2)]
    assert codes == ["990101000001"]


def test_what_is_taken_out_stands_in_the_journal(office: Flask, of: Callable[[str], FlaskClient]) -> None:
    workbook(of("planner"), "stage=open&text=secret")
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT * FROM entry WHERE kind = 'exported' ORDER BY id DESC LIMIT 1")).one()
    assert last.actor == "planner"
    assert last.params == {"form": "xlsx", "rows_n": 0, "asked": "stage=open", "words": True}


def test_a_print_has_its_letters_inside(of: Callable[[str], FlaskClient]) -> None:
    answer = of("operator").get("/ledger.pdf?stage=open")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF-")
    assert answer.mimetype == "application/pdf"
    assert b"FontFile" in answer.data or b"/ObjStm" in answer.data


class TestViews:
    def save(self, client: FlaskClient, **form: str) -> int:
        return client.post("/ledger/views", data=form | {"csrf_token": desk.csrf(client, "/ledger")}).status_code

    def test_a_view_is_found_again_by_its_owner_alone(self, of: Callable[[str], FlaskClient]) -> None:
        assert self.save(of("planner"), name="西区未结", stage="open", units="admin:district:990101") == 302
        assert "西区未结" in of("planner").get("/ledger").text
        assert "西区未结" not in of("operator").get("/ledger").text

    def test_a_shift_leaders_shared_view_is_found_by_all(self, of: Callable[[str], FlaskClient]) -> None:
        assert self.save(of("shift_leader"), name="全员关注", struck="no", shared="1") == 302
        assert "全员关注" in of("leader").get("/ledger").text

    def test_others_may_not_share(self, of: Callable[[str], FlaskClient]) -> None:
        assert self.save(of("planner"), name="悄悄共享", shared="1") == 403

    def test_a_view_that_cannot_be_read_is_not_kept(self, of: Callable[[str], FlaskClient]) -> None:
        assert self.save(of("planner"), name="坏", stage="nowhere") == 400

    def test_a_name_is_used_once(self, of: Callable[[str], FlaskClient]) -> None:
        assert self.save(of("clerk"), name="一次") == 302
        assert self.save(of("clerk"), name="一次") == 409


class TestTogether:
    """One move on many issues, over HTTP."""

    def post(self, client: FlaskClient, path: str, **body: Any) -> Any:
        return client.post(f"/api/v1/sweeps{path}", json=body, headers={"X-CSRFToken": desk.csrf(client)})

    def test_it_is_looked_at_carried_out_and_taken_back(self, of: Callable[[str], FlaskClient]) -> None:
        chief = of("shift_leader")
        body = {"issues": {"990101000002": 0, "990101000003": 0}, "fields": {"verified": "on_spot"}}
        looked = self.post(chief, "/preview", move="strike", **body).get_json()
        assert [each["moved"] for each in looked["outcomes"]] == [True, False]
        assert listed(chief, "struck=yes") == []

        done = self.post(chief, "", move="strike", **body)
        assert (done.status_code, done.get_json()["moved_n"]) == (201, 1)
        assert listed(chief, "struck=yes") == [2]
        assert "shift_leader 20" in chief.get("/ledger?struck=yes").text

        number = done.get_json()["id"]
        assert chief.get(f"/api/v1/sweeps/{number}").get_json()["waiting_n"] == 0
        back = self.post(chief, f"/{number}/undo", fields={"reason": "还没有清完"})
        assert (back.status_code, back.get_json()["moved_n"]) == (201, 1)
        assert listed(chief, "struck=yes") == []

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"move": 3, "issues": {}}, {"move": "strike", "issues": ["990101000002"]},
            {"move": "strike", "issues": {"990101000002": "0"}}, {"move": "strike", "issues": {"x": 0}, "more": 1},
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_refused_with_a_sentence(
        self, of: Callable[[str], FlaskClient], body: dict[str, Any]
    ) -> None:
        answer = self.post(of("operator"), "/preview", **body)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "sweep.body")


class TestShifts:
    def test_a_shift_is_handed_over_and_signed_for(self, of: Callable[[str], FlaskClient]) -> None:
        chief, operator = of("shift_leader"), of("operator")
        form = {"taker": "operator", "notes": "留意<b>雨</b>", "csrf_token": desk.csrf(chief, "/shifts")}
        assert chief.post("/shifts", data=form).status_code == 302
        page = operator.get("/shifts").text
        assert "留意&lt;b&gt;雨" in page
        [number] = set(re.findall(r"/shifts/(\d+)/sign", page))
        signed = operator.post(f"/shifts/{number}/sign", data={"csrf_token": desk.csrf(operator, "/shifts")})
        assert signed.status_code == 302
        assert '/sign"' not in operator.get("/shifts").text.replace("sign-out", "")

    def test_what_will_not_do_is_said_beside_the_words_as_they_were_written(
        self, of: Callable[[str], FlaskClient]
    ) -> None:
        chief = of("shift_leader")
        form = {"taker": "planner", "notes": "写了很久的话", "csrf_token": desk.csrf(chief, "/shifts")}
        answer = chief.post("/shifts?lang=en", data=form)
        assert answer.status_code == 400
        assert "cannot take over" in answer.text
        assert "写了很久的话" in answer.text


class TestPapers:
    def test_a_daily_report_gets_its_number_and_is_sent_as_word(self, of: Callable[[str], FlaskClient]) -> None:
        chief = of("shift_leader")
        token = {"csrf_token": desk.csrf(chief, "/papers")}
        assert chief.post("/papers/daily", data=token | {"day": "2026-06-01"}).status_code == 302
        page = chief.get("/papers").text
        assert "日报〔" in page
        [address] = set(re.findall(r"/papers/\d+\.docx", page))
        answer = chief.get(address)
        assert answer.data.startswith(b"PK")
        assert "attachment" in answer.headers["Content-Disposition"]

    def test_a_letter_stands_in_the_history_of_its_issue(self, of: Callable[[str], FlaskClient]) -> None:
        chief = of("shift_leader")
        form = {"issue": "990101000003", "demand": "三日内办结", "answer_by": "2099-01-01"}
        answer = chief.post("/papers/supervision", data=form | {"csrf_token": desk.csrf(chief, "/papers")})
        assert answer.status_code == 302
        history = chief.get("/map/issues/990101000003?lang=zh").get_json()["history"]
        assert history[-1]["said"].startswith("督办函〔")

"""No list and no answer holds what lies outside a scope, and what leaves the house tells nobody who reported."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from gis import db
from tests.web import desk, entrance
from tests.web.entrance import FAR, IDLE, LETTERS, NAMED, NEAR, PHONE, STRANGER, doors, knock

office = entrance.office
people = entrance.people

# Who speaks with reporters.
IN_FULL = {"operator", "administrator", "clerk"}
# Out of these ways nothing is told that only some may see: the words of the page, the ground, the way in and out.
UNISSUED = re.compile(r"^/(static|answer|public|tiles|sign-in|sign-out|healthz|readyz)")
ISSUE_DOORS = [door for door in doors() if "/issues/<code>" in door]


@pytest.mark.parametrize("door", ISSUE_DOORS)
@pytest.mark.parametrize("who", [STRANGER, IDLE, "sw"])
def test_an_issue_outside_the_scope_is_not_there(people: dict[str, FlaskClient], door: str, who: str) -> None:
    answer = knock(people[who], door)
    assert answer.status_code in {400, 403, 404}
    assert "words of the near one" not in answer.text


def told(answer: TestResponse) -> str:
    """Read an answer as words, those in a packed office file too."""
    if not answer.data.startswith(b"PK"):
        return answer.data.decode("utf-8", "replace")
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    return "".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())


GETS = [
    door for door, letters in doors().items()
    if door.startswith("GET") and "*" not in letters and "live" not in door and not UNISSUED.match(door[4:])
]  # fmt: skip
SEES = {
    "leader": {NEAR}, "cg": {NEAR}, "sw": {FAR}, STRANGER: set[str](), IDLE: set[str](), "operator": {NEAR, FAR},
}  # fmt: skip


@pytest.mark.parametrize("who", SEES)
@pytest.mark.parametrize("door", GETS)
def test_no_answer_holds_what_lies_outside_the_scope(people: dict[str, FlaskClient], door: str, who: str) -> None:
    for code, about in ((NEAR, "near"), (FAR, "far")):
        for number in (1, 2) if code not in SEES[who] else ():
            answer = knock(people[who], door, code, number)
            assert f"words of the {about} one" not in told(answer)
            # A refusal repeats what was asked for.
            assert answer.status_code in {403, 404} or code not in told(answer)


@pytest.mark.parametrize("role", sorted(set(LETTERS.values()) - IN_FULL))
@pytest.mark.parametrize("door", GETS)
def test_nobody_reads_who_reported_but_those_who_speak_with_them(
    people: dict[str, FlaskClient], door: str, role: str
) -> None:
    for code, number in ((NEAR, 1), (FAR, 2)):
        assert PHONE not in told(knock(people[NAMED.get(role, role)], door, code, number))


@pytest.mark.parametrize("role", sorted(IN_FULL))
def test_those_who_speak_with_them_ask_for_it_on_record(
    office: Flask, people: dict[str, FlaskClient], role: str
) -> None:
    door = "POST /api/v1/issues/<code>/reporter"
    assert PHONE not in people[role].get(f"/map/issues/{NEAR}").text
    assert PHONE in knock(people[role], door).text
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT actor FROM entry WHERE kind = 'unmasked' ORDER BY id DESC LIMIT 1"))
    assert last.scalar_one() == role


@pytest.mark.parametrize("role", sorted(IN_FULL))
@pytest.mark.parametrize("path", ["/ledger", "/ledger.xlsx", "/api/v1/ledger", "/papers/1.docx"])
def test_what_leaves_the_house_tells_nobody(people: dict[str, FlaskClient], path: str, role: str) -> None:
    assert PHONE not in told(people[role].get(path))


@pytest.mark.parametrize("who", SEES)
@pytest.mark.parametrize("address", ["api/v1/issues", "api/v1/ledger", "ledger", "map/state", "ledger.xlsx"])
def test_each_list_holds_what_lies_inside_it(people: dict[str, FlaskClient], address: str, who: str) -> None:
    shown = told(knock(people[who], f"GET /{address}"))
    assert {code for code in (NEAR, FAR) if code in shown} == SEES[who]


@pytest.mark.parametrize("who", SEES)
def test_a_print_holds_as_many_as_are_seen(office: Flask, people: dict[str, FlaskClient], who: str) -> None:
    # Its letters are glyphs; the journal says how many lines were set.
    assert people[who].get("/ledger.pdf").status_code == 200
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        last = session.execute(text("SELECT actor, params FROM entry WHERE kind = 'exported' ORDER BY id DESC")).first()
    assert last is not None
    assert (last.actor, last.params["rows_n"]) == (who, len(SEES[who]))


@pytest.mark.parametrize("who", SEES)
def test_a_letter_is_sent_to_who_sees_its_issue(people: dict[str, FlaskClient], who: str) -> None:
    answers = {code: people[who].get(f"/papers/{number}.docx") for number, code in ((1, NEAR), (2, FAR))}
    assert {code for code, answer in answers.items() if answer.status_code == 200} == SEES[who]


@pytest.mark.parametrize("who", [STRANGER, IDLE, "sw"])
def test_a_sweep_moves_nothing_outside_the_scope(people: dict[str, FlaskClient], who: str) -> None:
    client = people[who]
    body = {"move": "sign", "issues": {NEAR: None}, "fields": {}}
    answer = client.post("/api/v1/sweeps", json=body, headers={"X-CSRFToken": desk.csrf(client)})
    assert [each["code"] for each in answer.get_json()["outcomes"]] == ["issue.not_found"]

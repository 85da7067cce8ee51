"""The programs' door to whistles: lists, rosters, what calls whom, and refusals in words, each in the asker's scope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gis import db
from tests.issues import called
from tests.web import desk
from tests.web.desk import signed_in
from tests.web.test_whistles_page import open_street

numbers = iter(range(1, 1000))


@pytest.fixture(scope="module", autouse=True)
def street(office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        open_street(session)
        session.commit()


@pytest.fixture
def issue(office: Flask) -> Iterator[str]:
    """Put an issue on the ground that `cg` leads."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""
            INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')
            ON CONFLICT DO NOTHING
            """)
        )
        way = called.plain(session, nth=500 + next(numbers))
        session.commit()
        yield way.code


def move(client: FlaskClient, code: str, name: str, **fields: Any) -> Any:
    headers = {"X-CSRFToken": desk.csrf(client, "/")}
    return client.post(f"/api/v1/issues/{code}/moves", json={"move": name, "fields": fields}, headers=headers)


def blow(office: Flask, code: str, *parties: str, **changes: Any) -> Any:
    return move(signed_in(office, "south"), code, "blow", **called.whistle(*parties, **changes))


def codes(office: Flask, username: str, query: str = "") -> list[str]:
    answer = signed_in(office, username).get(f"/api/v1/whistles{query}")
    assert answer.status_code == 200
    return [each["issue"] for each in answer.json["whistles"]]  # type: ignore[index]


def test_a_program_blows_and_the_picture_tells_of_it(office: Flask, issue: str) -> None:
    told = blow(office, issue, "jd-east")
    assert told.status_code == 200, told.text
    [one] = told.json["calls"]["whistles"]
    assert (one["state"], one["departments"], one["by_unit"]) == ("blown", ["jd-east"], "admin:subdistrict:990101001")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "loud"}, "whistles.unknown_type"), ({"parties": []}, "workflow.field_missing"),
        ({"parties": "jd"}, "workflow.bad_field"), ({"parties": ["nobody"]}, "dispatch.no_department"),
        ({"report_by": "tomorrow"}, "workflow.bad_field"), ({"report_by": "2026-01-01T10:00"}, "workflow.bad_field"),
        ({"report_by": "2020-01-01T10:00+08:00"}, "whistles.time_past"), ({"volume": 11}, "workflow.unknown_field"),
        ({"position": {"lon": 500, "lat": 1}}, "workflow.bad_field"), ({"expected": "x" * 3000}, "report.too_long"),
    ],
)  # fmt: skip
def test_what_is_said_wrongly_is_refused_with_a_sentence(
    office: Flask, issue: str, changes: dict[str, Any], code: str
) -> None:
    refused = move(signed_in(office, "south"), issue, "blow", **(called.whistle("jd") | changes))
    assert (refused.status_code, refused.json["error"]["code"]) == (400, code)
    assert refused.json["error"]["message"] not in {"", code}


def test_each_sees_the_whistles_of_the_own_scope(office: Flask, issue: str) -> None:
    blow(office, issue, "jd-east", type="emergency")
    seen = {who: issue in codes(office, who) for who in ("operator", "south", "jd-east", "sw", "leader")}
    assert seen == {"operator": True, "south": True, "jd-east": True, "sw": False, "leader": False}


def test_a_department_lists_its_own_whatever_it_asks_for(office: Flask, issue: str) -> None:
    blow(office, issue, "jd-east", type="emergency")
    assert issue not in codes(office, "sw", "?department=jd-east")


def test_a_list_of_a_state(office: Flask, issue: str) -> None:
    blow(office, issue, "jd")
    listed = [issue in codes(office, "operator", f"?state={state}") for state in ("blown", "called")]
    assert listed == [True, False]


@pytest.mark.parametrize("path", ["/api/v1/whistles?state=loud", "/api/v1/rosters?unit=south"])
def test_a_wrong_question_is_a_sentence(office: Flask, path: str) -> None:
    refused = signed_in(office).get(path)
    assert refused.status_code == 400
    assert refused.json["error"]["message"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("username", "seen"), [("operator", 1), ("south", 1), ("jd", 1), ("jd-east", 0), ("leader", 0)]
)
def test_a_roster_is_seen_by_its_platform_its_departments_and_the_city(
    office: Flask, username: str, seen: int
) -> None:
    entries = signed_in(office, username).get("/api/v1/rosters").json["entries"]  # type: ignore[index]
    assert len(entries) == seen


def test_what_calls_somebody_is_theirs(office: Flask, issue: str) -> None:
    blow(office, issue, "jd-east", type="emergency")
    found = {
        who: [each["kind"] for each in signed_in(office, who).get("/map/calls").json["calls"] if each["issue"] == issue]  # type: ignore[index]
        for who in ("jd-east", "sw", "south")
    }
    assert found == {"jd-east": ["report_in"], "sw": [], "south": []}


def test_a_form_offers_the_types_the_platform_and_nobody_elses(office: Flask, issue: str) -> None:
    moves = signed_in(office, "south").get(f"/api/v1/issues/{issue}/moves").json["moves"]  # type: ignore[index]
    [form] = [each for each in moves if each["move"] == "blow"]
    needs = {need["name"]: need["choices"] for need in form["needs"]}
    assert "emergency" in {each["value"] for each in needs["type"]}
    assert [each["department"] for each in needs["parties"]] == ["jd"]


@pytest.mark.parametrize("path", ["/api/v1/whistles", "/api/v1/rosters", "/map/calls"])
def test_nobody_reads_any_of_it_without_signing_in(office: Flask, path: str) -> None:
    assert office.test_client().get(path).status_code == 401

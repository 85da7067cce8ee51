"""The programs' door: each role with its own eyes, bad input with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web import programs
from tests.web.programs import Program, answer, filed_as, form, photo, refusal, report

engine_of = programs.engine_of
program = programs.program
operator = programs.operator

SIGNS = "<script>alert(1)</script>'; DROP TABLE issue; --"


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"per_page": "9" * 50}, {"since": "1"}, {"bbox": "1"}])
def test_a_query_that_cannot_be_read_is_refused(operator: Program, query: dict[str, str]) -> None:
    refusal(operator.get("/issues", **query))


def test_an_unknown_issue_is_not_found(operator: Program) -> None:
    assert refusal(operator.get("/issues/none"), 404) == "issue.not_found"
    assert refusal(operator.post("/issues/none/place", {"lon": 1.5, "lat": 1.5}), 404) == "issue.not_found"


@pytest.mark.parametrize(
    "query", [{"lon": "abc", "lat": "30"}, {"lon": "nan", "lat": "30"}, {"lon": "1.5", "lat": "2.5", "on": "x"}]
)
def test_a_place_that_is_none_is_refused(operator: Program, query: dict[str, str]) -> None:
    refusal(operator.get("/locate", **query))


@pytest.mark.parametrize(
    ("content", "code"), [(b"no image", "photo.not_an_image"), (b"\x89PNG" + b"0" * 20_000_000, "photo.too_large")]
)
def test_a_photo_that_will_not_do_is_refused_and_nothing_is_filed(
    operator: Program, content: bytes, code: str
) -> None:
    assert refusal(operator.post("/issues", **form(report(), (content, "p.png")))) == code
    assert answer(operator.get("/issues"))["total"] == 0


def test_a_body_beyond_the_limit_is_refused(operator: Program) -> None:
    response = operator.post("/issues", **form(report(), (b"0" * 33_000_000, "p.png")))
    assert refusal(response, 413) == "error.too_large"


def test_a_photo_is_hidden_from_who_may_not_see_its_issue(operator: Program, program: Callable[[str], Program]) -> None:
    code = answer(operator.post("/issues", **form(report(x=3.5), (photo(), "p.png"))), 201)["code"]
    [kept] = answer(operator.get(f"/issues/{code}"))["photos"]
    assert program("leader").get(kept["url"].removeprefix("/api/v1")).status_code == 404


def test_a_leader_sees_the_own_patch_only(operator: Program, program: Callable[[str], Program]) -> None:
    near, far = filed_as(operator, external_id="near"), filed_as(operator, external_id="far", x=3.5)
    leader = program("leader")
    assert [issue["code"] for issue in answer(leader.get("/issues"))["issues"]] == [near]
    assert [feature["id"] for feature in answer(leader.get("/issues", format="geojson"))["features"]] == [near]
    assert refusal(leader.get(f"/issues/{far}"), 404) == "issue.not_found"


@pytest.mark.parametrize(("role", "shown"), [("administrator", "王***"), ("planner", "王***"), ("leader", "王***")])
def test_the_reporter_is_masked_whoever_asks(
    operator: Program, program: Callable[[str], Program], role: str, shown: str
) -> None:
    code, viewer = filed_as(operator), program(role)
    assert answer(viewer.get(f"/issues/{code}"))["reporter"]["name"] == shown
    [listed] = answer(viewer.get("/issues"))["issues"]
    assert listed["reporter"]["name"] == shown
    assert "王芳" not in viewer.get("/issues", format="geojson").text


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("planner", "/issues"),
        ("leader", "/issues/x/place"),
        ("planner", "/issues/x/place"),
        ("leader", "/default-points"),
        ("planner", "/default-points/1/accept"),
        ("leader", "/agreements"),
        ("planner", "/agreements"),
    ],
)
def test_a_role_may_not_do_what_is_not_its_work(program: Callable[[str], Program], role: str, path: str) -> None:
    assert refusal(program(role).post(path), 403) == "error.forbidden"


@pytest.mark.parametrize("path", ["/issues", "/issues/x", "/locate", "/editions", "/agreements", "/live"])
def test_nobody_is_answered_without_a_key(client: FlaskClient, path: str) -> None:
    assert client.get(f"/api/v1{path}").status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff", b'"x"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(operator: Program, body: bytes) -> None:
    assert refusal(operator.post("/issues", body)).startswith("api.not_")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"category": {"scheme": "gb", "version": "1", "code": "none"}}, "categories.unknown"),
        ({"source": "none"}, "source.unknown"),
        ({"place": {"lon": "abc", "lat": 30}}, "locate.not_a_number"),
        ({"place": {"lon": 10**400, "lat": 30}}, "locate.not_a_number"),
        ({"place": {"lon": float("nan"), "lat": 30}}, "report.not_finite"),
        ({"place": 7}, "report.not_an_object"),
        ({"reported_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, "report.in_the_future"),
        ({"text": "a\x00"}, "report.bad_character"),
        ({"place": json.loads("[" * 50 + "]" * 50)}, "report.too_deep"),
        ({"text": None}, "report.missing"),
    ],
)
def test_a_bad_report_is_refused_with_a_sentence(operator: Program, changes: dict[str, Any], code: str) -> None:
    assert refusal(operator.post("/issues", report(**changes))) == code


def test_html_and_sql_come_back_as_the_words_they_are(operator: Program) -> None:
    said = report(external_id=SIGNS, text=SIGNS, reporter={"name": SIGNS}, place={"text": SIGNS})
    issue = answer(operator.get(f"/issues/{answer(operator.post('/issues', said), 201)['code']}"))
    assert (issue["text"], issue["external_id"]) == (SIGNS, SIGNS)
    assert answer(operator.post(f"/issues/{issue['code']}/reporter", {}))["reporter"]["name"] == SIGNS
    assert answer(operator.get("/issues", text=SIGNS))["total"] == 1


def test_an_agreement_with_faults_is_refused_with_all_of_them(operator: Program) -> None:
    error = answer(operator.post("/agreements", {"title": "x"}), 400)["error"]
    assert len(error["problems"]) >= 3


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40])
def test_a_number_that_is_none_is_refused_by_the_stream(operator: Program, after: str) -> None:
    assert refusal(operator.get("/live", after=after)) == "live.bad_id"

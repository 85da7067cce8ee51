"""The programs' door: reports in, answers out, each role with its own eyes, bad input with a sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from gis import db
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from tests import town
from tests.issues import filed

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
PATCH = ("governance", "grid", "990101001001001")
_KILLED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
SIGNS = "<script>alert(1)</script>'; DROP TABLE issue; --"


class Program:
    """A client that brings a key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}

    def get(self, path: str, **query: object) -> TestResponse:
        return self._client.get(f"/api/v1{path}", query_string=query, headers=self._headers)

    def post(self, path: str, said: object = None, **more: Any) -> TestResponse:
        body = more or {"data": said if isinstance(said, str | bytes) else json.dumps(said or {})}
        return self._client.post(f"/api/v1{path}", headers=self._headers, **body)


@pytest.fixture
def engine_of(app: Flask) -> Engine:
    engine: Engine = app.extensions["engine"]
    with db.session(engine, db.EVERYTHING) as session:
        town.build(session)
        filed.people(session)
        session.commit()
    return engine


@pytest.fixture
def program(app: Flask, engine_of: Engine) -> Callable[[str], Program]:
    def of(role: str) -> Program:
        with db.session(engine_of, db.EVERYTHING) as session:
            accounts.add(session, Newcomer(role, "a long password", role, role), now=LONG_AGO)
            if role == "leader":
                accounts.give_post(session, role, PATCH, start=date(2024, 1, 1))
            key = accounts.issue_token(session, role, "test", now=LONG_AGO)
            session.commit()
        return Program(app.test_client(), key)

    return of


@pytest.fixture
def operator(program: Callable[[str], Program]) -> Program:
    return program("operator")


def report(external_id: str = "1", x: float = 0.25, y: float = 0.25, **changes: Any) -> dict[str, Any]:
    lon, lat = town.lonlat(x, y)
    said = {
        "source": "12345",
        "external_id": external_id,
        "category": {"scheme": "gb", "version": "1", "code": "0501"},
        "text": "井盖破损",
        "reported_at": "2024-05-06T10:00:00+08:00",
        "place": {"lon": lon, "lat": lat},
        "reporter": {"name": "王芳", "phone": "13812345678"},
    }
    return said | changes


def photo(side: int = 30) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(written, "PNG")
    return written.getvalue()


def form(said: dict[str, Any], *files: tuple[bytes, str]) -> dict[str, Any]:
    photos = [(io.BytesIO(content), name) for content, name in files]
    return {"data": {"report": json.dumps(said), "photos": photos}, "content_type": "multipart/form-data"}


def answer(response: TestResponse, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json(force=True)


def refusal(response: TestResponse, status: int = 400) -> str:
    error = answer(response, status)["error"]
    assert error["message"] not in ("", error["code"])
    code: str = error["code"]
    return code


def filed_as(operator: Program, **changes: Any) -> str:
    code: str = answer(operator.post("/issues", report(**changes)), 201)["code"]
    return code


def test_a_report_is_filed_and_its_code_returned(operator: Program) -> None:
    filed_now = answer(operator.post("/issues", report()), 201)
    assert (filed_now["known"], filed_now["located"], len(filed_now["code"])) == (False, True, 20)


def test_a_report_sent_again_is_known_and_said_to_be(operator: Program) -> None:
    code = filed_as(operator)
    again = answer(operator.post("/issues", report(text="other")), 200)
    assert (again["code"], again["known"], again["differs"]) == (code, True, ["text"])
    assert "原件未改" in again["message"]


def test_an_issue_tells_all_of_itself(operator: Program) -> None:
    issue = answer(operator.get(f"/issues/{filed_as(operator)}"))
    assert issue["text"] == "井盖破损"
    assert issue["place"]["lon"] == town.lonlat(0.25, 0)[0]
    assert [net["net"] for net in issue["location"]["nets"]] == ["admin", "unit_grid", "governance", "police"]
    assert issue["decision"]["basis"]
    assert issue["explanation"]
    assert [entry["kind"] for entry in issue["history"]] == ["to_dispatch"]
    assert [party["department"] for party in issue["parties"]] == [each["code"] for each in issue["departments"]]


def test_issues_are_listed_by_page_with_the_number_the_stream_goes_on_from(operator: Program) -> None:
    for nth in range(3):
        filed_as(operator, external_id=str(nth))
    page = answer(operator.get("/issues", per_page=2, page=2))
    assert (page["total"], len(page["issues"]), page["page"]) == (3, 1, 2)
    assert isinstance(page["seq"], int)


def test_counts_come_when_asked_for(operator: Program) -> None:
    filed_as(operator)
    assert answer(operator.get("/issues", counts=1))["counts"]["category"] == {"0501": 1}
    assert "counts" not in answer(operator.get("/issues"))


def test_issues_are_listed_as_geojson(operator: Program) -> None:
    code = filed_as(operator)
    response = operator.get("/issues", format="geojson", states="filed")
    assert response.mimetype == "application/geo+json"
    assert [feature["id"] for feature in answer(response)["features"]] == [code]


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"per_page": "9" * 50}, {"since": "1"}, {"bbox": "1"}])
def test_a_query_that_cannot_be_read_is_refused(operator: Program, query: dict[str, str]) -> None:
    refusal(operator.get("/issues", **query))


def test_an_unlocated_issue_is_placed_by_an_operator(operator: Program) -> None:
    code = filed_as(operator, place={})
    lon, lat = town.lonlat(3.25, 0.25)
    placed = answer(operator.post(f"/issues/{code}/place", {"lon": lon, "lat": lat}))
    assert placed["located"]
    issue = answer(operator.get(f"/issues/{code}"))
    assert (issue["state"], [entry["kind"] for entry in issue["history"]]) == ("filed", ["to_locate", "placed"])
    assert [found["version"] for found in issue["findings"]] == [1, 2]


def test_an_unknown_issue_is_not_found(operator: Program) -> None:
    assert refusal(operator.get("/issues/none"), 404) == "issue.not_found"
    assert refusal(operator.post("/issues/none/place", {"lon": 1.5, "lat": 1.5}), 404) == "issue.not_found"


def test_a_place_is_located(operator: Program) -> None:
    lon, lat = town.lonlat(2, 0.5)
    found = answer(operator.get("/locate", lon=lon, lat=lat, on="2024-05-06"))
    [districts] = [level for level in found["nets"][0]["levels"] if level["level"] == "district"]
    assert [unit["code"] for unit in districts["units"]] == ["990101", "990102"]


def test_a_posted_geometry_is_located(operator: Program) -> None:
    ring = [town.lonlat(x, y) for x, y in ((1.5, 0.2), (2.5, 0.2), (2.5, 0.4), (1.5, 0.4), (1.5, 0.2))]
    found = answer(operator.post("/locate", {"place": {"geometry": {"type": "Polygon", "coordinates": [ring]}}}))
    assert "straddles" in found["flags"]


def test_get_and_post_locate_answer_the_same(operator: Program) -> None:
    lon, lat = town.lonlat(0.3, 0.4)
    said = {"lon": lon, "lat": lat, "accuracy_m": 5, "on": "2024-05-06"}
    got, posted = answer(operator.get("/locate", **said)), answer(operator.post("/locate", said))
    got["place"]["raw"] = posted["place"]["raw"] = None
    assert got == posted


@pytest.mark.parametrize(
    "query", [{"lon": "abc", "lat": "30"}, {"lon": "nan", "lat": "30"}, {"lon": "1.5", "lat": "2.5", "on": "x"}]
)
def test_a_place_that_is_none_is_refused(operator: Program, query: dict[str, str]) -> None:
    refusal(operator.get("/locate", **query))


def test_photos_come_with_a_report_and_are_sent_back_upright_and_small(operator: Program) -> None:
    code = answer(operator.post("/issues", **form(report(), (photo(), "门.png"))), 201)["code"]
    [kept] = answer(operator.get(f"/issues/{code}"))["photos"]
    assert (kept["name"], kept["width_px"]) == ("门.png", 30)
    sent = operator.get(kept["url"].removeprefix("/api/v1"))
    assert (sent.status_code, sent.mimetype) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(sent.data)).size == (30, 30)


def test_photos_are_added_to_an_issue(operator: Program) -> None:
    code = filed_as(operator)
    added = operator.post(
        f"/issues/{code}/photos", data={"photos": (io.BytesIO(photo()), "p.png")}, content_type="multipart/form-data"
    )
    assert len(answer(added, 201)["photos"]) == 1


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


def test_default_points_are_proposed_listed_and_accepted(operator: Program) -> None:
    for nth in range(50):
        filed_as(operator, external_id=str(nth))
    [proposed] = answer(operator.post("/default-points", {"source": "12345"}))["default_points"]
    assert (proposed["issues_n"], proposed["state"]) == (50, "proposed")
    assert answer(operator.post(f"/default-points/{proposed['id']}/accept"))["unlocated_n"] == 50
    [accepted] = answer(operator.get("/default-points", source="12345"))["default_points"]
    assert (accepted["state"], accepted["decided_by"]) == ("accepted", "operator")
    assert refusal(operator.post(f"/default-points/{proposed['id']}/reject"), 409) == "default_point.already_accepted"


def test_editions_are_listed(operator: Program) -> None:
    editions = answer(operator.get("/editions"))["editions"]
    assert {(each["net"], each["name"], each["state"]) for each in editions} == {
        (net, "2024", "active") for net in ("admin", "unit_grid", "governance", "police")
    }


def test_an_agreement_is_entered_listed_and_followed(operator: Program) -> None:
    ring = [town.lonlat(x, y) for x, y in ((1.5, 0), (2.5, 0), (2.5, 2), (1.5, 2), (1.5, 0))]
    parties = ["admin:district:990101", "admin:district:990102"]
    draft = {
        "title": "界河",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "parties": parties,
        "lead": parties[1],
        "valid_from": "2024-01-01",
    }
    code = answer(operator.post("/agreements", draft), 201)["code"]
    assert [each["code"] for each in answer(operator.get("/agreements"))["agreements"]] == [code]
    issue = answer(operator.get(f"/issues/{filed_as(operator, x=1.75)}"))
    assert issue["decision"]["lead_jurisdiction"] == parties[1]
    assert any(code in sentence for sentence in issue["explanation"])


def test_an_agreement_with_faults_is_refused_with_all_of_them(operator: Program) -> None:
    error = answer(operator.post("/agreements", {"title": "x"}), 400)["error"]
    assert len(error["problems"]) >= 3


def test_straddlers_are_listed(operator: Program, engine_of: Engine) -> None:
    assert answer(operator.get("/straddlers", net="admin", level="district", kind="building"))["total"] == 0
    refusal(operator.get("/straddlers", net="none", level="district", kind="building"))


def test_the_stream_tells_a_new_issue_to_who_is_signed_in(operator: Program) -> None:
    code = filed_as(operator)
    stream = operator.get("/live", after=0)
    assert (stream.mimetype, stream.headers["X-Accel-Buffering"]) == ("text/event-stream", "no")
    told = ""
    for block in stream.response:
        told += block if isinstance(block, str) else block.decode()
        if "event: change" in told:
            break
    stream.close()
    assert code in told
    assert "id: 1\n" in told


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40])
def test_a_number_that_is_none_is_refused_by_the_stream(operator: Program, after: str) -> None:
    assert refusal(operator.get("/live", after=after)) == "live.bad_id"


def test_after_the_database_was_away_the_next_answer_is_right(operator: Program, settings: Settings) -> None:
    code = filed_as(operator)
    owner = db.connect_owner(settings)
    with owner.connect() as connection:
        connection.execute(text(_KILLED))
    owner.dispose()
    assert answer(operator.get(f"/issues/{code}"))["code"] == code

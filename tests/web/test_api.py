"""The programs' door: reports in, answers out."""

from __future__ import annotations

import io

from PIL import Image
from sqlalchemy import Engine, text

from gis import db
from gis.settings import Settings
from tests import town
from tests.web import programs
from tests.web.programs import Program, answer, filed_as, form, photo, refusal, report

engine_of = programs.engine_of
program = programs.program
operator = programs.operator

_KILLED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


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


def test_an_unlocated_issue_is_placed_by_an_operator(operator: Program) -> None:
    code = filed_as(operator, place={})
    lon, lat = town.lonlat(3.25, 0.25)
    placed = answer(operator.post(f"/issues/{code}/place", {"lon": lon, "lat": lat}))
    assert placed["located"]
    issue = answer(operator.get(f"/issues/{code}"))
    assert (issue["state"], [entry["kind"] for entry in issue["history"]]) == ("filed", ["to_locate", "placed"])
    assert [found["version"] for found in issue["findings"]] == [1, 2]


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


def test_after_the_database_was_away_the_next_answer_is_right(operator: Program, settings: Settings) -> None:
    code = filed_as(operator)
    owner = db.connect_owner(settings)
    with owner.connect() as connection:
        connection.execute(text(_KILLED))
    owner.dispose()
    assert answer(operator.get(f"/issues/{code}"))["code"] == code

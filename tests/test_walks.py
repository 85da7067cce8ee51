"""The walks of the house, from the door to PostGIS and back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shapely.geometry import mapping
from sqlalchemy import Engine, text

from gis import db
from gis.issues import journal
from gis.people import accounts
from gis.territory import boundaries
from tests import town
from tests.web import desk

NOW = datetime(2024, 5, 6, 2, 0, tzinfo=UTC)
MANIFEST = """
[[net]]
code = "police"
name_zh = "警务"
name_en = "Police"
rank = 3
  [[net.level]]
  code = "precinct"
  rank = 0
  name_zh = "派出所"
  name_en = "Precinct"
  colour = "#335577"

[[edition]]
net = "police"
name = "2024"
source = "town"
licence = "ours"
valid_from = 2024-01-01
  [[edition.layer]]
  file = "precinct.geojson"
  level = "precinct"
  code = "code"
"""


@pytest.fixture
def engine(app: Flask) -> Engine:
    made: Engine = app.extensions["engine"]
    return made


def key_of(engine: Engine, username: str) -> dict[str, str]:
    with db.session(engine, db.EVERYTHING) as session:
        key = accounts.issue_token(session, username, "walk", now=NOW)
        session.commit()
    return {"Authorization": f"Bearer {key}"}


def post(client: FlaskClient, headers: dict[str, str], x: float, y: float) -> Any:
    lon, lat = town.lonlat(x, y)
    said = {
        "source": "12345",
        "external_id": f"{x} {y}",
        "category": {"scheme": "gb", "version": "1", "code": "0501"},
        "text": "井盖破损",
        "reported_at": NOW.isoformat(),
        "place": {"lon": lon, "lat": lat},
    }
    answer = client.post("/api/v1/issues", json=said, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_a_report_is_located_decided_dispatched_and_told_to_the_stream(app: Flask, engine: Engine) -> None:
    desk.open_office(app)
    client, headers = app.test_client(), key_of(engine, "operator")
    code = post(client, headers, 0.25, 0.25)["code"]
    issue = client.get(f"/api/v1/issues/{code}", headers=headers).get_json()
    with db.session(engine, db.EVERYTHING) as session:
        journal.seal(session)
        told = [sealed.line.kind for sealed in journal.after(session, 0, 10)]
    assert issue["parties"]
    assert told == ["to_dispatch"]


def test_a_report_on_the_border_calls_both_districts(app: Flask, engine: Engine) -> None:
    desk.open_office(app)
    client, headers = app.test_client(), key_of(engine, "operator")
    code = post(client, headers, 2, 0.5)["code"]
    parties = client.get(f"/api/v1/issues/{code}", headers=headers).get_json()["parties"]
    called = json.dumps(parties)
    assert "990101" in called
    assert "990102" in called


def test_a_boundary_file_serves_tiles_and_answers_from_its_date(app: Flask, engine: Engine, tmp_path: Path) -> None:
    desk.open_office(app)
    features = [
        {"type": "Feature", "properties": {"code": lot.code}, "geometry": mapping(lot.geometry)}
        for lot in town.precincts()[::-1]
    ]
    (tmp_path / "precinct.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (tmp_path / "boundaries.toml").write_text(MANIFEST.replace('name = "2024"', 'name = "2025"'))
    manifest = boundaries.read_manifest(tmp_path / "boundaries.toml")
    with db.session(engine, db.EVERYTHING) as session:
        [draft] = boundaries.read(manifest, boundaries.ground(session))
        assert boundaries.check(draft) == []
        edition = boundaries.load(session, draft, accept=False, by="walk", now=NOW)
        boundaries.activate(session, "police", "2025", date(2025, 1, 1), by="walk", now=NOW)
        edition_id = edition.id
        session.commit()
    client, headers = app.test_client(), key_of(engine, "operator")
    lon, lat = town.lonlat(1, 1)
    asked = {"lon": lon, "lat": lat, "on": "2025-06-01"}
    found = client.get("/api/v1/locate", query_string=asked, headers=headers).get_json()
    assert next(net["edition"] for net in found["nets"] if net["net"] == "police") == "2025"
    x, y = int((lon + 180) / 360 * 2**12), 1687
    tile = client.get(f"/tiles/units/{edition_id}/zh/12/{x}/{y}.mvt", headers=headers)
    assert tile.status_code == 200
    assert "immutable" in tile.headers["Cache-Control"]


def test_a_leader_opens_the_own_patch_and_nothing_else(app: Flask, engine: Engine) -> None:
    desk.open_office(app)
    client, operator = app.test_client(), key_of(engine, "operator")
    inside = post(client, operator, 0.25, 0.25)["code"]
    outside = post(client, operator, 3.25, 0.25)["code"]
    leader = key_of(engine, "leader")
    listed = client.get("/api/v1/issues", headers=leader).get_json()
    assert inside in json.dumps(listed)
    assert outside not in json.dumps(listed)
    assert client.get(f"/api/v1/issues/{outside}", headers=leader).status_code == 404


def test_the_side_that_filed_first_on_its_own_leads(app: Flask, engine: Engine) -> None:
    desk.open_office(app)
    client, headers = app.test_client(), key_of(engine, "operator")
    lon, lat = town.lonlat(2, 0.5)
    said = {
        "source": "12345",
        "external_id": "first",
        "category": {"scheme": "gb", "version": "1", "code": "0501"},
        "text": "井盖破损",
        "reported_at": NOW.isoformat(),
        "place": {"lon": lon, "lat": lat},
        "filed_by": "admin:subdistrict:990102001",
    }
    code = client.post("/api/v1/issues", json=said, headers=headers).get_json()["code"]
    with db.session(engine, db.EVERYTHING) as session:
        asked = text("SELECT d.answer FROM decision d JOIN issue i ON i.id = d.issue_id WHERE i.code = :code")
        answer = session.execute(asked, {"code": code}).scalar_one()
    assert (answer["lead_jurisdiction"], answer["case"]["filed_by"]) == (said["filed_by"], said["filed_by"])


def test_a_filer_that_is_no_unit_is_refused_by_name(app: Flask, engine: Engine) -> None:
    desk.open_office(app)
    said: dict[str, Any] = {"source": "12345", "external_id": "x", "text": "x", "filed_by": "somebody"}
    said |= {"category": {"scheme": "gb", "version": "1", "code": "0501"}, "reported_at": NOW.isoformat()}
    answer = app.test_client().post("/api/v1/issues", json=said, headers=key_of(engine, "operator"))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "report.not_a_unit")

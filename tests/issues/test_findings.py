from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from gis.issues import findings
from gis.territory import locate
from gis.territory.location import Location
from tests import town

ON = date(2024, 6, 1)


@pytest.fixture(autouse=True)
def _town(session: Session) -> None:
    town.build(session)


def point(x: float, y: float, **more: Any) -> dict[str, Any]:
    lon, lat = town.lonlat(x, y)
    return {"lon": lon, "lat": lat, **more}


def block(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return {"geometry": town.field(west, south, east, north).__geo_interface__}


PLACES = {
    "inside one cell": point(0.25, 0.25),
    "on the corner of four communities": point(1, 1),
    "near the district line, accuracy unknown": point(2.0001, 0.5),
    "near the district line, accuracy known": point(2.0001, 0.5, accuracy_m=40, accuracy_kind="radius95"),
    "outside every net": point(9, 9),
    "across the district line": block(1.9, 0.4, 2.2, 0.6),
    "half on nobody's ground": block(3.5, 0.5, 4.5, 0.6),
    "nowhere": {"lon": 0, "lat": 0},
    "words that mean nothing": {"text": "nowhere street 1"},
}


def found(session: Session, said: dict[str, Any]) -> Location:
    return locate.at(session, locate.parse(said), ON)


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("said", PLACES.values(), ids=PLACES.keys())
def test_a_finding_is_read_back_as_it_was_found(session: Session, said: dict[str, Any]) -> None:
    location = found(session, said)
    kept = as_json(findings.as_record(location))
    assert as_json(findings.location(kept).as_dict()) == as_json(location.as_dict())


def test_a_record_says_nothing_that_is_empty(session: Session) -> None:
    [level, *_] = findings.as_record(found(session, PLACES["inside one cell"]))["nets"][0]["levels"]
    assert set(level) == {"level", "primary", "units", "boundary_m"}

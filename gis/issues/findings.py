"""What was found, read back: the location and the case of an issue as they stand in its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shapely.geometry import shape
from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues.jurisdiction import Case, Decision
from gis.territory.location import LevelAnswer, Location, Nearby, NetAnswer, Place, Standing, UnitRef

Json = Mapping[str, Any]

PAGE_ROWS = 2000


@dataclass(frozen=True)
class Asked:
    """An issue with the question it put and the answer it had. version: of that answer, 0 when there was none."""

    issue_id: int
    code: str
    case: Case
    location: Location
    version: int
    decision: Decision


def get(session: Session, issue_code: str) -> Asked:
    """Return the last finding and decision of an issue; raise NotFound."""
    sql = text(_SELECT.format(condition="issue.code = :code"))
    found = session.execute(sql, {"code": issue_code}).mappings().first()
    if found is None:
        raise NotFound("issue.not_found", code=issue_code)
    return _asked(found)


def between(session: Session, start: datetime, end: datetime) -> Iterator[Asked]:
    """Yield the located issues reported from start to before end, in the order of their codes, page by page."""
    condition = "issue.located AND issue.reported_at >= :start AND issue.reported_at < :end AND issue.code > :after"
    sql = text(_SELECT.format(condition=condition) + " ORDER BY issue.code LIMIT :page")
    after = ""
    while True:
        rows = session.execute(sql, {"start": start, "end": end, "after": after, "page": PAGE_ROWS}).mappings().all()
        yield from map(_asked, rows)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1]["code"]


def location(found: Json) -> Location:
    """Read a location back as it was kept. Units come without their numbers: they are of an edition of that day."""
    place = found["place"]
    return Location(
        place=Place(
            kind=place["kind"],
            geometry=place["geometry"] and shape(place["geometry"]),
            raw=place["raw"],
            datum=place["datum"],
            accuracy_m=place["accuracy_m"],
            accuracy_kind=place["accuracy_kind"],
            sigma_m=place["sigma_m"],
            text=place["text"],
        ),
        on=date.fromisoformat(found["on"]),
        nets=tuple(_net(net) for net in found["nets"]),
        flags=tuple(found["flags"]),
        reason=found["reason"],
        building=_nearby(found["building"]),
        street=_nearby(found["street"]),
        estate=_nearby(found["estate"]),
        land=_nearby(found["land"]),
    )


def _nearby(told: Json | None) -> Nearby | None:
    return Nearby(**told) if told else None


def _net(net: Json) -> NetAnswer:
    return NetAnswer(net["net"], 0, net["edition"], tuple(_level(level) for level in net["levels"]))


def _level(level: Json) -> LevelAnswer:
    nearest = level["nearest"]
    return LevelAnswer(
        level=level["level"],
        primary=level["primary"] and _unit(level["primary"]),
        units=tuple(map(_standing, level["units"])),
        probable=tuple(map(_standing, level["probable"])),
        close=tuple(map(_unit, level.get("close", ()))),
        boundary_m=level["boundary_m"],
        uncovered=level["uncovered"],
        overlap=level["overlap"],
        nearest=nearest and _unit(nearest),
        nearest_m=nearest and nearest["distance_m"],
        flags=tuple(level["flags"]),
    )


def _standing(standing: Json) -> Standing:
    return Standing(_unit(standing), standing["share"], standing["probability"])


def _unit(unit: Json) -> UnitRef:
    return UnitRef(0, 0, unit["net"], unit["level"], unit["code"], unit["name"], unit["name_en"], unit.get("parent"))


def _asked(row: RowMapping) -> Asked:
    answer = row["answer"]
    told = answer and answer.get("case")
    case = Case.from_dict(told) if told else Case(row["scheme"], row["category"], row["parent"])
    decision = Decision.from_dict(answer) if answer else Decision("unlocated")
    return Asked(row["id"], row["code"], case, location(row["location"]), row["version"] or 0, decision)


_SELECT = """
SELECT issue.id, issue.code, issue.scheme, issue.category, category.parent, found.location, decided.version,
       decided.answer
FROM issue
LEFT JOIN category ON (category.scheme, category.version, category.code)
                    = (issue.scheme, issue.scheme_version, issue.category)
CROSS JOIN LATERAL (SELECT location FROM finding WHERE issue_id = issue.id ORDER BY version DESC LIMIT 1) AS found
LEFT JOIN LATERAL (
    SELECT version, answer FROM decision WHERE issue_id = issue.id ORDER BY version DESC LIMIT 1
) AS decided ON true
WHERE {condition}
"""

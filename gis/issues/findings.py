"""What was found, as it is kept and read back: the location and the case of an issue as they stand in its record."""

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
from gis.territory.location import Candidate, LevelAnswer, Location, Nearby, NetAnswer, Place, Standing, UnitRef

Json = Mapping[str, Any]

PAGE_ROWS = 2000
BESIDE = ("building", "street", "estate", "land")
EMPTY: tuple[object, ...] = ([], {})


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


def as_record(location: Location) -> dict[str, Any]:
    """Render a location as it is kept: each unit once, under its net and level, and nothing that is empty."""
    return _full(
        {"on": location.on.isoformat(), "place": location.place.as_dict(), "flags": list(location.flags)}
        | {"reason": location.reason, "nets": [_net_record(net) for net in location.nets]}
        | {beside: near.as_dict() for beside in BESIDE if (near := getattr(location, beside))}
        | {"candidates": [candidate.as_dict() for candidate in location.candidates]}
    )


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
        nets=tuple(map(_net, found.get("nets", ()))),
        flags=tuple(found.get("flags", ())),
        reason=found.get("reason"),
        candidates=tuple(map(_candidate, found.get("candidates", ()))),
        **{beside: _nearby(found.get(beside)) for beside in BESIDE},
    )


def _full(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None and value not in EMPTY}


def _net_record(net: NetAnswer) -> dict[str, Any]:
    return {"net": net.net, "edition": net.edition, "levels": [_level_record(level) for level in net.levels]}


def _level_record(level: LevelAnswer) -> dict[str, Any]:
    return _full(
        {
            "level": level.level,
            "primary": level.primary and level.primary.code,
            "units": [_standing_record(standing) for standing in level.units],
            "probable": [_standing_record(standing) for standing in level.probable],
            "close": [_unit_record(unit) for unit in level.close],
            "boundary_m": level.boundary_m,
            "uncovered": level.uncovered,
            "overlap": level.overlap,
            "nearest": level.nearest and _unit_record(level.nearest) | {"distance_m": level.nearest_m},
            "flags": list(level.flags),
        }
    )


def _standing_record(standing: Standing) -> dict[str, Any]:
    return _full(_unit_record(standing.unit) | {"share": standing.share, "probability": standing.probability})


def _unit_record(unit: UnitRef) -> dict[str, Any]:
    record = {"code": unit.code, "name": unit.name}
    if unit.name_en != unit.name:
        record["name_en"] = unit.name_en
    return record if unit.parent_code is None else record | {"parent": unit.parent_code}


def _nearby(told: Json | None) -> Nearby | None:
    return Nearby(**told) if told else None


def _candidate(told: Json) -> Candidate:
    return Candidate(**{**told, "geometry": shape(told["geometry"])})


def _net(net: Json) -> NetAnswer:
    return NetAnswer(net["net"], 0, net["edition"], tuple(_level(net["net"], level) for level in net["levels"]))


def _level(net: str, level: Json) -> LevelAnswer:
    units = tuple(_standing(net, level["level"], standing) for standing in level.get("units", ()))
    nearest = level.get("nearest")
    return LevelAnswer(
        level=level["level"],
        # The primary comes first.
        primary=units[0].unit if "primary" in level else None,
        units=units,
        probable=tuple(_standing(net, level["level"], standing) for standing in level.get("probable", ())),
        close=tuple(_unit(net, level["level"], unit) for unit in level.get("close", ())),
        boundary_m=level.get("boundary_m"),
        uncovered=level.get("uncovered"),
        overlap=level.get("overlap"),
        nearest=nearest and _unit(net, level["level"], nearest),
        nearest_m=nearest and nearest["distance_m"],
        flags=tuple(level.get("flags", ())),
    )


def _standing(net: str, level: str, standing: Json) -> Standing:
    return Standing(_unit(net, level, standing), standing.get("share"), standing.get("probability"))


def _unit(net: str, level: str, unit: Json) -> UnitRef:
    name = unit["name"]
    return UnitRef(0, 0, net, level, unit["code"], name, unit.get("name_en", name), unit.get("parent"))


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

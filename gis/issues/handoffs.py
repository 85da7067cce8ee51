"""Hand-offs: an issue that goes from one department to another, and the line between their units near it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

Json = dict[str, Any]

# How far along the shared line an issue speaks for: the planners count hand-offs by such a piece.
REACH_M = 200.0


@dataclass(frozen=True)
class Hop:
    """One hand-off. move_version: of the move it came with."""

    issue_id: int
    move_version: int
    from_department: str
    to_department: str
    reason: str


def add(session: Session, hop: Hop, *, by: str, now: datetime, on: date) -> None:
    """Write a hand-off, with the piece of the line its two units share within REACH_M of the issue, if they touch.

    on: the city's day.
    """
    session.execute(_ADD, vars(hop) | {"by": by, "now": now, "on": on, "reach_m": REACH_M})


def of_issue(session: Session, issue_id: int) -> list[Json]:
    """List the hand-offs of an issue, first things first."""
    rows = session.execute(_OF_ISSUE, {"issue_id": issue_id}).mappings()
    return [dict(row) | {"at": row["at"].isoformat()} for row in rows]


# The units are those of the edition in force on the day; the reach is drawn in degrees first, so that the index serves.
_ADD = text("""
WITH sides AS (
    SELECT department.code, unit.net || ':' || unit.level || ':' || unit.code AS key, unit.geom
    FROM department
    LEFT JOIN edition ON edition.net = department.net AND edition.state = 'active'
         AND daterange(edition.valid_from, edition.valid_to) @> CAST(:on AS date)
    LEFT JOIN unit ON unit.edition_id = edition.id
         AND (unit.level, unit.code) = (department.level, department.unit_code)
    WHERE department.code IN (:from_department, :to_department)
), pair AS (
    SELECT near.key AS from_unit, far.key AS to_unit, near.geom AS one, far.geom AS other, issue.point_geom AS spot
    FROM issue
    LEFT JOIN sides AS near ON near.code = :from_department
    LEFT JOIN sides AS far ON far.code = :to_department
    WHERE issue.id = :issue_id
)
INSERT INTO handoff (issue_id, move_version, from_department, to_department, from_unit, to_unit, reason, by, at, geom)
SELECT :issue_id, :move_version, :from_department, :to_department, from_unit, to_unit, :reason, :by, :now,
       CASE WHEN from_unit <> to_unit AND ST_Intersects(one, other) THEN ST_Multi(ST_CollectionExtract(
           ST_Intersection(ST_Intersection(ST_Boundary(one), ST_Boundary(other)),
                           CAST(ST_Buffer(CAST(spot AS geography), :reach_m) AS geometry)), 2)) END
FROM pair
""")
_OF_ISSUE = text("""
SELECT from_department, to_department, from_unit, to_unit, reason, by, at,
       CAST(ST_AsGeoJSON(geom, 7) AS json) AS geometry
FROM handoff WHERE issue_id = :issue_id ORDER BY id
""")

"""What the sides of an issue across a line put on record together: consultations, joint records, confirmed lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.handoffs import REACH_M
from gis.issues.jurisdiction import Decision, Practice
from gis.territory.units import IN_FORCE

Json = dict[str, Any]
ON_LINE = "on_line"


@dataclass(frozen=True)
class Consultation:
    """A meeting that decides who leads (会商). minutes: None until it was held; agreement: what it became."""

    number: int
    reason: str
    by: str
    at: datetime
    due_at: datetime
    late_at: datetime | None = None
    held_at: datetime | None = None
    held_by: str | None = None
    minutes: str | None = None
    document: str | None = None
    lead: str | None = None
    agreement: str | None = None

    def as_dict(self) -> Json:
        """Render it as JSON."""
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Joint:
    """A joint record. sides: the units that sign; signed: side -> the department that did."""

    number: int
    words: str
    by: str
    at: datetime
    sides: tuple[str, ...]
    signed: Mapping[str, str]

    @property
    def open_sides(self) -> tuple[str, ...]:
        """The sides that have not signed."""
        return tuple(side for side in self.sides if side not in self.signed)

    def as_dict(self) -> Json:
        """Render it as JSON."""
        return vars(self) | {"at": self.at.isoformat(), "sides": list(self.sides), "complete": not self.open_sides}


def consultations(session: Session, issue_id: int) -> tuple[Consultation, ...]:
    """List the consultations of an issue, first things first."""
    rows = session.execute(_CONSULTATIONS, {"issue_id": issue_id}).mappings()
    return tuple(Consultation(**row) for row in rows)


def convene(session: Session, issue_id: int, said: Json) -> None:
    """Write that a consultation is called. said: reason, by, at, due_at."""
    session.execute(_CONVENE, said | {"issue_id": issue_id})


def ran_out(session: Session, issue_id: int, number: int, now: datetime) -> None:
    """Write that a consultation did not decide in time."""
    session.execute(_RAN_OUT, {"issue_id": issue_id, "number": number, "now": now})


def conclude(session: Session, issue_id: int, said: Json) -> None:
    """Write the minutes of a consultation. said: number, by, at, minutes, document, lead, agreement."""
    session.execute(_CONCLUDE, said | {"issue_id": issue_id})


def joint_records(session: Session, issue_id: int) -> tuple[Joint, ...]:
    """List the joint records of an issue, first things first."""
    rows = session.execute(_JOINT, {"issue_id": issue_id}).mappings()
    return tuple(Joint(**(dict(row) | {"sides": tuple(row["sides"])})) for row in rows)


def record_jointly(session: Session, issue_id: int, said: Json) -> int:
    """Write what was found together; return its number. said: words, sides, by, at."""
    return int(session.execute(_RECORD, said | {"issue_id": issue_id}).scalar_one())


def sign(session: Session, issue_id: int, number: int, said: Json) -> None:
    """Let departments sign a joint record for their sides. said: sides, department, by, at."""
    rows = [
        {"issue_id": issue_id, "number": number, "side": side, "department": said["department"], "by": said["by"],
         "at": said["at"]}
        for side in said["sides"]
    ]  # fmt: skip
    session.execute(_SIGN, rows)


def lines(session: Session, issue_id: int) -> list[Json]:
    """List what was confirmed of lines at an issue, first things first."""
    rows = session.execute(_LINES, {"issue_id": issue_id}).mappings()
    return [dict(row) | {"at": row["at"].isoformat()} for row in rows]


def confirm(session: Session, issue_id: int, said: Json, on: date) -> None:
    """Write a confirmed line with its piece near the issue. said: version, units, result, document, words, department,
    by, at.
    """  # noqa: D205 -- the names of what is said are longer than a line
    session.execute(_CONFIRM, said | {"issue_id": issue_id, "on": on, "reach_m": REACH_M})


def of_decision(session: Session, issue_id: int) -> tuple[str, ...]:
    """List the units that the last decision saw as sides of an issue."""
    answer = session.scalar(_DECISION, {"issue_id": issue_id})
    if answer is None:
        return ()
    decision = Decision.from_dict(answer)
    called = dict.fromkeys(key for party in decision.parties for key in party.jurisdictions)
    return tuple(dict.fromkeys([*(side["key"] for side in decision.shares), *called]))


def apart(ground: Sequence[str], sides: Sequence[str], practice: Practice, levels: Sequence[str]) -> tuple[str, ...]:
    """Choose the units whose line an issue raises: of the coarsest level at which there are two.

    ground: what it stands on; sides: what was seen near; levels: of the practice's net, coarsest first.
    """
    for level in levels:
        start = f"{practice.net}:{level}:"
        found = tuple(dict.fromkeys(key for key in (*ground, *sides) if key.startswith(start)))
        if len(found) > 1:
            return found
    return ()


_CONSULTATIONS = text("""
SELECT number, reason, by, at, due_at, late_at, held_at, held_by, minutes, document, lead, agreement
FROM consultation WHERE issue_id = :issue_id ORDER BY number
""")
_CONVENE = text("""
INSERT INTO consultation (issue_id, number, reason, by, at, due_at)
SELECT :issue_id, 1 + coalesce(max(number), 0), :reason, :by, :at, :due_at FROM consultation WHERE issue_id = :issue_id
""")
_RAN_OUT = text("UPDATE consultation SET late_at = :now WHERE issue_id = :issue_id AND number = :number")
_CONCLUDE = text("""
UPDATE consultation SET held_at = :at, held_by = :by, minutes = :minutes, document = :document, lead = :lead,
       agreement = :agreement
WHERE issue_id = :issue_id AND number = :number AND held_at IS NULL
""")
_JOINT = text("""
SELECT number, words, by, at, sides,
       (SELECT coalesce(json_object_agg(side, department), '{}') FROM joint_signature AS signed
        WHERE signed.issue_id = joint_record.issue_id AND signed.number = joint_record.number) AS signed
FROM joint_record WHERE issue_id = :issue_id ORDER BY number
""")
_RECORD = text("""
INSERT INTO joint_record (issue_id, number, words, sides, by, at)
SELECT :issue_id, 1 + coalesce(max(number), 0), :words, :sides, :by, :at FROM joint_record WHERE issue_id = :issue_id
RETURNING number
""")
_SIGN = text("""
INSERT INTO joint_signature (issue_id, number, side, department, by, at)
VALUES (:issue_id, :number, :side, :department, :by, :at) ON CONFLICT DO NOTHING
""")
_LINES = text("""
SELECT units, result, document, words, department, by, at, CAST(ST_AsGeoJSON(geom, 7) AS json) AS geometry
FROM line_confirmation WHERE issue_id = :issue_id ORDER BY id
""")
# The line of the first two units within reach of the place; the reach is drawn first, so that little is intersected.
_CONFIRM = text(f"""
WITH pair AS (
    SELECT array_agg(u.geom ORDER BY u.code) AS geoms
    FROM unit u JOIN edition e ON e.id = u.edition_id
    WHERE u.net || ':' || u.level || ':' || u.code = ANY(CAST(:units AS text[])) AND {IN_FORCE}
), reach AS (
    SELECT CAST(ST_Buffer(CAST(point_geom AS geography), :reach_m) AS geometry) AS geom FROM issue WHERE id = :issue_id
)
INSERT INTO line_confirmation (issue_id, move_version, units, result, document, words, department, by, at, geom)
SELECT :issue_id, :version, :units, :result, :document, :words, :department, :by, :at,
       ST_Multi(ST_CollectionExtract(ST_Intersection(
           ST_Intersection(ST_Boundary(pair.geoms[1]), ST_Boundary(pair.geoms[2])), reach.geom), 2))
FROM pair, reach
""")
_DECISION = text("SELECT answer FROM decision WHERE issue_id = :issue_id ORDER BY version DESC LIMIT 1")

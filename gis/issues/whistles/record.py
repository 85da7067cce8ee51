"""Whistles as they stand, and how each department that was called stands on them.

A whistle keeps no steps of its own: what a department did is read from its steps on the issue since it was called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.issues import parties
from gis.issues.moves import REFUSED
from gis.issues.parties import Standing

Json = dict[str, Any]
BLOWN, CALLED, AGREED, SENT_BACK, WITHDRAWN = STATES = ("blown", "called", "agreed", "returned", "withdrawn")
OPEN = frozenset({BLOWN, CALLED})
TIMES = ("blown_at", "report_by", "answer_due_at", "called_at", "ended_at")


@dataclass(frozen=True)
class Whistle:
    """A whistle: the number-th of its issue. by_unit and held_by: net:level:code; split_from: the number it came of."""

    id: int
    code: str
    issue_id: int
    number: int
    split_from: int | None
    type: str
    by_unit: str
    by: str
    blown_at: datetime
    done_by_self: str
    why_not: str
    expected: str
    departments: tuple[str, ...]
    place: str
    report_by: datetime | None
    item: str | None
    held_by: str
    answer_due_at: datetime | None
    state: str
    answer: str
    answered_by: str | None
    called_at: datetime | None
    called_version: int | None
    ended_at: datetime | None
    ended_version: int | None
    standings: tuple[Standing, ...] = ()
    scores: Mapping[str, int] | None = None

    @property
    def is_open(self) -> bool:
        """Say whether somebody still has something to do for it."""
        return self.state in OPEN

    @property
    def absent(self) -> tuple[Standing, ...]:
        """Who was called and has neither come, nor answered, nor refused."""
        if self.state != CALLED:
            return ()
        return tuple(
            each for each in self.standings if not (each.arrived_at or each.is_done or each.stage == REFUSED)
        )

    def as_dict(self) -> Json:
        """Render it as JSON."""
        plain = {name: getattr(self, name) for name in _FIELDS if name not in {"id", "issue_id", *TIMES}}
        times = {name: (at := getattr(self, name)) and at.isoformat() for name in TIMES}
        told = [each.as_dict() for each in self.standings]
        absent = [each.department for each in self.absent]
        return plain | times | {"standings": told, "scores": self.scores, "absent": absent}


def of_issue(session: Session, issue_id: int) -> tuple[Whistle, ...]:
    """List the whistles of an issue, the first first."""
    return tuple(_whistle(row) for row in session.execute(_OF_ISSUE, {"issue_id": issue_id}).mappings())


def add(session: Session, whistle: Mapping[str, Any], spot: Mapping[str, float] | None = None) -> str:
    """Write a new whistle as the next of its issue; return its code.

    The caller holds the issue's row, so that two get two numbers; the day's number is taken under a lock of its own.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING})
    point = spot and f"POINT({spot['lon']} {spot['lat']})"
    day = whistle["blown_at"].astimezone(whistle["zone"])
    start = f"S{whistle['by_unit'].rsplit(':', 1)[-1]}-{day:%Y%m%d}-"
    values = {name: value for name, value in whistle.items() if name != "zone"}
    return str(session.scalar(_ADD, values | {"start": start, "point": point}))


def change(session: Session, whistle_id: int, **values: object) -> None:
    """Write how a whistle stands now; names are columns of ours."""
    changed = ", ".join(f"{name} = :{name}" for name in values)
    session.execute(text(f"UPDATE whistle SET {changed} WHERE id = :whistle_id"), values | {"whistle_id": whistle_id})


def review(session: Session, whistle: Whistle, scores: Mapping[str, int], said: Json) -> None:
    """Write the one review of a whistle: points for each department. said: words, by, at."""
    rows = [
        {"whistle_id": whistle.id, "department": department, "by_unit": whistle.by_unit, "score": score} | said
        for department, score in scores.items()
    ]
    session.execute(_REVIEW, rows)


def escalated(session: Session, whistle: Whistle, step: Json) -> None:
    """Write that a whistle went up. step: issue_id, version, to_unit, reason, by, at, due_at."""
    session.execute(_ESCALATED, step | {"whistle_id": whistle.id, "from_unit": whistle.held_by})


def escalations(session: Session, issue_id: int) -> list[Json]:
    """List how the whistles of an issue went up, first things first."""
    rows = session.execute(_ESCALATIONS, {"issue_id": issue_id}).mappings()
    iso = {"at", "due_at"}
    return [{name: at.isoformat() if name in iso and at else at for name, at in row.items()} for row in rows]


def any_open(session: Session, issue_id: int, *but: int) -> bool:
    """Say whether an issue has an open whistle beside those that are named."""
    return bool(session.scalar(_ANY_OPEN, {"issue_id": issue_id, "but": list(but)}))


def _whistle(row: RowMapping) -> Whistle:
    values = {name: row[name] for name in _FIELDS} | {"departments": tuple(row["departments"])}
    standings = tuple(_standing(row, each) for each in row["called"] or ()) if row["called_at"] else ()
    return Whistle(**values, standings=standings, scores=row["scores"])


def _standing(row: RowMapping, called: Json) -> Standing:
    begun = Standing(called["department"], called["role"] or "", True, (), row["called_at"], due_at=row["report_by"])
    return parties.follow(begun, called["steps"] or ())


_FIELDS: Sequence[str] = [each.name for each in fields(Whistle) if each.name not in {"standings", "scores"}]
# One number for "giving the next code".
NUMBERING = 0x5AA4
# Who is no party any more has an empty role.
_OF_ISSUE = text(f"""
SELECT {", ".join(f"whistle.{name}" for name in _FIELDS)},
       (SELECT json_object_agg(department, score) FROM whistle_review WHERE whistle_id = whistle.id) AS scores,
       (SELECT json_agg(json_build_object('department', called.department, 'role', party.role, 'steps', (
                SELECT json_agg(json_build_object('step', step, 'said_at', said_at, 'fields', fields) ORDER BY id)
                FROM party_step AS taken
                WHERE taken.issue_id = whistle.issue_id AND taken.department = called.department
                  AND taken.version BETWEEN whistle.called_version AND coalesce(whistle.ended_version, taken.version)
            )) ORDER BY called.nth)
        FROM unnest(whistle.departments) WITH ORDINALITY AS called (department, nth)
        LEFT JOIN party ON party.issue_id = whistle.issue_id AND party.department = called.department
             AND party.version = (SELECT max(version) FROM party AS last WHERE last.issue_id = whistle.issue_id)
       ) AS called
FROM whistle WHERE whistle.issue_id = :issue_id ORDER BY whistle.number
""")
_ADD = text("""
INSERT INTO whistle (code, issue_id, number, split_from, type, by_unit, by, blown_at, done_by_self, why_not, expected,
                     departments, place, geom, report_by, held_by, answer_due_at, state)
SELECT :start || lpad(CAST(1 + (SELECT count(*) FROM whistle WHERE starts_with(code, :start)) AS text), 4, '0'),
       :issue_id, 1 + coalesce(max(number), 0), :split_from, :type, :by_unit, :by, :blown_at, :done_by_self, :why_not,
       :expected, :departments, :place, ST_GeomFromText(:point, 4326), :report_by, :held_by, :answer_due_at, 'blown'
FROM whistle WHERE issue_id = :issue_id
RETURNING code
""")
_REVIEW = text("""
INSERT INTO whistle_review (whistle_id, department, by_unit, score, words, by, at)
VALUES (:whistle_id, :department, :by_unit, :score, :words, :by, :at)
""")
_ESCALATED = text("""
INSERT INTO escalation (issue_id, move_version, whistle_id, from_unit, to_unit, reason, by, at, due_at)
VALUES (:issue_id, :version, :whistle_id, :from_unit, :to_unit, :reason, :by, :at, :due_at)
""")
_ESCALATIONS = text("""
SELECT whistle.number, from_unit, to_unit, reason, escalation.by, at, due_at
FROM escalation JOIN whistle ON whistle.id = escalation.whistle_id
WHERE escalation.issue_id = :issue_id ORDER BY escalation.id
""")
_ANY_OPEN = text("""
SELECT EXISTS (SELECT FROM whistle WHERE issue_id = :issue_id AND state IN ('blown', 'called') AND id <> ALL(:but))
""")

"""Errands: what a department is sent to do beside the decision and without prejudice to it, on a clock of its own.

To make a danger safe before it is settled whose it is (先处置后确权), or to confirm a line (勘界). Whoever is sent sees
the issue; no party of it is made, and none unmade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory.units import IN_FORCE

Json = dict[str, Any]
MAKE_SAFE, LINE = "make_safe", "line"
TIMES = ("at", "due_at", "late_at", "done_at")


@dataclass(frozen=True)
class Errand:
    """An errand. units: whose line it is; distance_m: from the place to the office's ground; done: its words."""

    id: int
    number: int
    kind: str
    department: str
    units: tuple[str, ...]
    reason: str
    by: str
    at: datetime
    due_at: datetime | None
    distance_m: float | None
    late_at: datetime | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    done: str | None = None

    def is_late(self, now: datetime) -> bool:
        """Say whether it has gone, or went, past its time."""
        return self.due_at is not None and (self.done_at or now) > self.due_at

    def as_dict(self) -> Json:
        """Render it as JSON."""
        told = {name: value for name, value in vars(self).items() if name not in {"id", *TIMES}}
        return told | {name: (at := getattr(self, name)) and at.isoformat() for name in TIMES}


@dataclass(frozen=True)
class Order:
    """What somebody is sent to do. distance_m: None where no ground is compared."""

    kind: str
    department: str
    reason: str
    due_at: datetime | None = None
    distance_m: float | None = None
    units: tuple[str, ...] = ()


def of_issue(session: Session, issue_id: int) -> tuple[Errand, ...]:
    """List the errands of an issue, first things first."""
    rows = session.execute(_OF_ISSUE, {"issue_id": issue_id}).mappings()
    return tuple(Errand(**(dict(row) | {"units": tuple(row["units"])})) for row in rows)


def send(session: Session, issue_id: int, order: Order, *, by: str, now: datetime) -> None:
    """Write an errand, and let its department see the issue."""
    told = vars(order) | {"units": list(order.units), "issue_id": issue_id, "by": by, "at": now}
    session.execute(_SEND, told)
    session.execute(_SEEN, {"issue_id": issue_id, "department": order.department})


def finish(session: Session, errand: Errand, said: Json) -> None:
    """Write that an errand is done. said: by, at, done, point (WKT or None)."""
    session.execute(_FINISH, said | {"errand_id": errand.id})


def nearest(session: Session, issue_id: int, kinds: Sequence[str], on: date) -> tuple[str, float] | None:
    """Find the office nearest to an issue, of the first of these kinds that has any; and the metres to its ground.

    An office of the whole city is at hand everywhere. Units of several on one line: the lower code.
    """
    for kind in kinds:
        row = session.execute(_NEAREST, {"issue_id": issue_id, "kind": kind, "on": on}).one_or_none()
        if row is not None:
            return str(row.code), float(row.distance_m)
    return None


_OF_ISSUE = text("""
SELECT id, number, kind, department, units, reason, by, at, due_at, distance_m, late_at, done_at, done_by, done
FROM errand WHERE issue_id = :issue_id ORDER BY number
""")
_SEND = text("""
INSERT INTO errand (issue_id, number, kind, department, units, reason, by, at, due_at, distance_m)
SELECT :issue_id, 1 + coalesce(max(number), 0), :kind, :department, :units, :reason, :by, :at, :due_at, :distance_m
FROM errand WHERE issue_id = :issue_id
""")
_SEEN = text("""
UPDATE issue SET departments = departments || CAST(:department AS text)
WHERE id = :issue_id AND NOT departments @> ARRAY[CAST(:department AS text)]
""")
_FINISH = text("""
UPDATE errand SET done_at = :at, done_by = :by, done = :done, geom = ST_GeomFromText(:point, 4326)
WHERE id = :errand_id AND done_at IS NULL
""")
_NEAREST = text(f"""
SELECT department.code, CASE WHEN department.net IS NULL THEN 0.0
       ELSE ST_Distance(CAST(u.geom AS geography), CAST(issue.point_geom AS geography)) END AS distance_m
FROM issue CROSS JOIN department
LEFT JOIN (unit u JOIN edition e ON e.id = u.edition_id AND {IN_FORCE})
     ON (u.net, u.level, u.code) = (department.net, department.level, department.unit_code)
WHERE issue.id = :issue_id AND department.kind = :kind AND (department.net IS NULL OR u.id IS NOT NULL)
ORDER BY CASE WHEN department.net IS NULL THEN 0.0 ELSE u.geom <-> issue.point_geom END, distance_m, department.code
LIMIT 1
""")

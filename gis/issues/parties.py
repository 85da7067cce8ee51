"""Each department on an issue by its own clock: called, signed, arrived, fed back, inspected. Steps are appended.

How a department stands is read from its steps, over all decisions: who stays a party keeps what it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gis import db
from gis.issues.moves import CALLED, DONE, LEAD, PASSED, REFUSED, SIGNED

Json = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """How a department stands on an issue now. jurisdictions: the units it is called for; version: of the decision."""

    department: str
    role: str
    mandatory: bool
    jurisdictions: tuple[str, ...]
    called_at: datetime
    stage: str = CALLED
    signed_at: datetime | None = None
    arrived_at: datetime | None = None
    fed_back_at: datetime | None = None
    inspected_at: datetime | None = None
    reworked_n: int = 0
    refused_n: int = 0
    due_at: datetime | None = None
    # What it said last: how it was done, or why it refused.
    words: str = ""

    @property
    def is_done(self) -> bool:
        """Say whether it has reported what it did."""
        return self.stage in {DONE, PASSED}

    def is_late(self, now: datetime) -> bool:
        """Say whether it has gone, or went, past its time: its own, whatever the others do."""
        return self.due_at is not None and (self.fed_back_at or now) > self.due_at

    def as_dict(self) -> Json:
        """Render it as JSON."""
        times = ("called_at", "signed_at", "arrived_at", "fed_back_at", "inspected_at", "due_at")
        told: Json = {name: (at := getattr(self, name)) and at.isoformat() for name in times}
        plain = ("department", "role", "mandatory", "stage", "reworked_n", "refused_n", "words")
        return {name: getattr(self, name) for name in plain} | told | {"jurisdictions": list(self.jurisdictions)}


def of_issue(session: Session, issue_id: int) -> tuple[Standing, ...]:
    """List the departments called now, the lead first."""
    rows = _PARTIES.run(session, {"issue_id": issue_id})
    return tuple(
        follow(
            Standing(
                row.department,
                row.role,
                row.mandatory,
                tuple(row.jurisdiction.split()),
                row.called_at,
                due_at=row.due_at,
            ),
            row.steps,
        )
        for row in rows
    )


def follow(standing: Standing, steps: Iterable[Json]) -> Standing:
    """Tell how a department stands after its steps ("step", "said_at", "fields"), first things first."""
    for each in steps:
        standing = _after(standing, each["step"], datetime.fromisoformat(each["said_at"]), each["fields"])
    return standing


def all_fed_back(standings: Sequence[Standing]) -> bool:
    """Say whether everybody who must has fed back: then the issue waits for its inspection."""
    asked = [each for each in standings if each.mandatory or each.role == LEAD]
    return bool(asked) and all(each.is_done for each in asked)


def others_awaited(standing: Standing, standings: Sequence[Standing]) -> list[Standing]:
    """List the mandatory parties of other jurisdictions that have not fed back: they keep its light on."""
    mine = set(standing.jurisdictions)
    return [
        each
        for each in standings
        if each.mandatory and not each.is_done and each.department != standing.department
        if mine and each.jurisdictions and mine.isdisjoint(each.jurisdictions)
    ]


def _after(was: Standing, step: str, at: datetime, fields: Mapping[str, Any]) -> Standing:
    said = str(fields.get("done") or fields.get("reason") or "")
    if step == "called":
        fresh = Standing(was.department, was.role, was.mandatory, was.jurisdictions, at, due_at=was.due_at)
        return replace(fresh, refused_n=was.refused_n, reworked_n=was.reworked_n)
    changes: dict[str, dict[str, Any]] = {
        "signed": {"stage": SIGNED, "signed_at": at},
        "arrived": {"arrived_at": at},
        "fed_back": {"stage": DONE, "fed_back_at": at, "words": said},
        "passed": {"stage": PASSED, "inspected_at": at},
        "failed": {
            "stage": SIGNED, "fed_back_at": None, "inspected_at": at, "reworked_n": was.reworked_n + 1, "words": said,
        },
        "refused": {"stage": REFUSED, "refused_n": was.refused_n + 1, "words": said},
    }  # fmt: skip
    return replace(was, **changes[step])


# A department that was a party before and still is was called when it was called first; it is due by the clock of its
# own, if it has one, else by the issue's.
_PARTIES = db.Prepared("""
SELECT party.department, party.role, party.mandatory, party.jurisdiction,
       (SELECT min(first.called_at) FROM party AS first
        WHERE first.issue_id = party.issue_id AND first.department = party.department) AS called_at,
       (SELECT clock.due_at FROM clock
        WHERE clock.issue_id = party.issue_id AND clock.name = 'handle' AND clock.department IN ('', party.department)
        ORDER BY clock.department DESC, clock.version DESC LIMIT 1) AS due_at,
       coalesce((SELECT json_agg(json_build_object('step', step, 'said_at', said_at, 'fields', fields) ORDER BY id)
                 FROM party_step AS taken
                 WHERE taken.issue_id = party.issue_id AND taken.department = party.department), '[]') AS steps
FROM party
WHERE party.issue_id = :issue_id
  AND party.version = (SELECT max(version) FROM party AS last WHERE last.issue_id = :issue_id)
ORDER BY party.role DESC, party.mandatory DESC, party.department
""")


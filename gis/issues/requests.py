"""What is asked for and waits for a second person: to suspend, to extend, to force the closing. Read from the moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis.issues.matter import Matter

SUSPENSION, EXTENSION, FORCED_CLOSE = "suspension", "extension", "forced_close"
# Asked by the lead: the dispatcher looks first, the shift leader decides. A forced closing needs a second one.
TWO_LEVELS = (SUSPENSION, EXTENSION)
ANSWERS = ("grant", "decline")


@dataclass(frozen=True)
class Request:
    """Something asked for. endorsed_by: who looked at it first; fields: what was said."""

    kind: str
    asked_by: str
    asked_at: datetime
    fields: dict[str, Any]
    endorsed_by: str | None = None
    answer: str | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it still waits."""
        return self.answer is None

    @property
    def waits_for_endorsement(self) -> bool:
        """Say whether its first level has still to look at it."""
        return self.is_open and self.kind in TWO_LEVELS and self.endorsed_by is None

    def as_dict(self) -> dict[str, Any]:
        """Render it as JSON."""
        return vars(self) | {"asked_at": self.asked_at.isoformat(), "is_open": self.is_open}


def all_of(matter: Matter) -> list[Request]:
    """List what was asked for on an issue since it was opened, first things first."""
    return fold(matter.since_opened())


def fold(moves: Sequence[Any]) -> list[Request]:
    """Read requests from moves (name, actor, at, fields)."""
    found: list[Request] = []
    for move in moves:
        if move.name.startswith("ask_"):
            found.append(Request(move.name.removeprefix("ask_"), move.actor, move.at, dict(move.fields)))
        elif found and found[-1].is_open and move.name in {"endorse", *ANSWERS}:
            found[-1] = _after(found[-1], move)
    return found


def open_one(matter: Matter) -> Request | None:
    """Find what waits now."""
    return next((each for each in all_of(matter) if each.is_open), None)


def granted(matter: Matter, kind: str) -> int:
    """Count what was granted of a kind."""
    return sum(each.kind == kind and each.answer == "grant" for each in all_of(matter))


def _after(request: Request, move: Any) -> Request:  # noqa: ANN401 -- a row, or whatever stands for one
    endorsed = move.actor if move.name == "endorse" else request.endorsed_by
    answer = move.name if move.name in ANSWERS else None
    return Request(request.kind, request.asked_by, request.asked_at, request.fields, endorsed, answer)

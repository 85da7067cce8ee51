"""Lights: one sign for how an issue or a party stands, by the city's own table of colours, shapes and words. Pure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from gis.errors import Invalid
from gis.issues import parties
from gis.issues.moves import CALLED, DONE, ENDS, PASSED, REFUSED, SIGNED, STATES
from gis.issues.parties import Standing
from gis.settings import ROOT

TABLE = ROOT / "data" / "lights" / "lights.csv"
SHAPES = ("ring", "circle", "square", "diamond", "triangle")
OVERDUE, WAITING = "overdue", "waiting"
STAGES = frozenset({*STATES, CALLED, SIGNED, DONE, PASSED, REFUSED}) | {
    OVERDUE, WAITING,
}  # fmt: skip


@dataclass(frozen=True)
class Light:
    """A sign with its colour, its shape, and its word: never its colour alone. stages: what it stands for."""

    code: str
    colour: str
    shape: str
    name_zh: str
    name_en: str
    stages: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Render it as JSON."""
        return vars(self) | {"stages": list(self.stages)}


@cache
def table(path: Path = TABLE) -> tuple[Light, ...]:
    """Read a city's lights; raise Invalid at the first row that is wrong."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_light(number, row) for number, row in enumerate(csv.DictReader(file), 2))


def of_issue(state: str, due_at: datetime | None, now: datetime) -> str | None:
    """Return the light of an issue; None: it has none. What is over is not overdue."""
    if due_at is not None and now > due_at and state not in ENDS:
        return _by_stage()[OVERDUE]
    return _by_stage().get(state)


def of_party(standing: Standing, standings: Sequence[Standing], issue_state: str, now: datetime) -> str | None:
    """Return the light of a party.

    It is its own: a late lead does not redden a punctual assistant. Only across a line does a side keep its light until
    the other side has reported in, and shares the other's red.
    """
    if issue_state in ENDS:
        return _by_stage().get(issue_state)
    if standing.is_late(now) and standing.stage != PASSED:
        return _by_stage()[OVERDUE]
    awaited = parties.others_awaited(standing, standings) if standing.is_done and standing.mandatory else []
    if any(each.is_late(now) for each in awaited):
        return _by_stage()[OVERDUE]
    return _by_stage().get(WAITING if awaited else standing.stage)


@cache
def _by_stage() -> Mapping[str, str]:
    return {stage: light.code for light in table() for stage in light.stages}


def _light(number: int, row: Mapping[str, str]) -> Light:
    stages = tuple(row["stages"].split())
    if row["shape"] not in SHAPES:
        raise Invalid("lights.shape", row=number, shape=row["shape"], shapes=", ".join(SHAPES))
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise Invalid("lights.stage", row=number, stage=unknown[0], stages=", ".join(sorted(STAGES)))
    return Light(row["light"], row["colour"], row["shape"], row["name_zh"], row["name_en"], stages)

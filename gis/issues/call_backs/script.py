"""What is said in a call-back, line by line: the city's own words, in both languages."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gis.errors import Invalid
from gis.issues.moves import MOVES
from gis.settings import ROOT

SCRIPT = ROOT / "data" / "call_back" / "script.csv"

# What a line may be filled with, as %(city)s.
FILLED = ("city", "reported", "category", "until")


@dataclass(frozen=True)
class Line:
    """One line. asks: the field of the answer it asks for; empty: nothing."""

    asks: str
    zh: str
    en: str

    @property
    def offers_again(self) -> bool:
        """Say whether it offers to take the matter up again: then it is said only while that may be asked for."""
        return "%(until)s" in self.zh


@cache
def lines(path: Path = SCRIPT) -> tuple[Line, ...]:
    """Read the script; raise Invalid at the first row that asks for what no answer holds."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["step"]))
    return tuple(_line(row) for row in rows)


def _line(row: Mapping[str, str]) -> Line:
    known = [need.name for move in MOVES if move.name == "evaluate" for need in move.needs]
    if row["asks"] and row["asks"] not in known:
        raise Invalid("call_backs.bad_script", step=row["step"], asks=row["asks"], known=", ".join(known))
    for said in (row["zh"], row["en"]):
        _check(row["step"], said)
    return Line(row["asks"], row["zh"], row["en"])


def _check(step: str, said: str) -> None:
    try:
        said % dict.fromkeys(FILLED, "")
    except (KeyError, ValueError, TypeError) as error:
        raise Invalid("call_backs.bad_blank", step=step, blanks=", ".join(FILLED)) from error

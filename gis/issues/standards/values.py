"""What a city's standards say, as values: conditions with their limits, limits of work orders, and what was noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gis.issues.worktime import Limit

# scheme, version, code
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Condition:
    """A filing condition of a minor class (立案条件). number: its place in the class. limit: None if it is no number.

    limit_said: the limit as the city wrote it. sheet, row: where it stands in the city's file.
    """

    category: str
    number: int
    text_zh: str
    text_en: str
    limit: Limit | None
    limit_said: str
    closing_zh: str = ""
    closing_en: str = ""
    law: str = ""
    article: str = ""
    supervising: str = ""
    responsible: str = ""
    collecting: str = ""
    sheet: str = ""
    row: int = 0


@dataclass(frozen=True)
class OrderLimit:
    """How long a clock of a work order may run in a city, by type of request and urgency ('': any)."""

    city: str
    request_type: str
    urgency: str
    clock: str
    limit: Limit
    limit_said: str
    row: int = 0


@dataclass(frozen=True)
class Notice:
    """What is told of a row: why it, or its limit, was not taken, or what about it is odd. columns: as it stood."""

    sheet: str
    row: int
    code: str
    params: Mapping[str, object]
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """What was read of a file. plain_n: limits that said only "hours" or "days" and were read as the reader was told.

    Every row is in `conditions`, or in `notices` with the reason why it is not.
    """

    conditions: tuple[Condition, ...]
    notices: tuple[Notice, ...]
    rows_n: int
    plain_n: int = 0

    @property
    def timed_n(self) -> int:
        """How many conditions have a limit."""
        return sum(condition.limit is not None for condition in self.conditions)


@dataclass(frozen=True)
class Standing:
    """The conditions of one class by the standard in force."""

    standard: str
    version: str
    category: Key
    conditions: tuple[Condition, ...]

    def get(self, number: int) -> Condition | None:
        """Return a condition by its number."""
        return next((each for each in self.conditions if each.number == number), None)


@dataclass(frozen=True)
class Listed:
    """A version of a standard as the overview shows it."""

    kind: str
    name: str
    version: str
    scheme: str
    scheme_version: str
    state: str
    valid_from: date | None
    valid_to: date | None
    source: str
    rows_n: int
    conditions_n: int
    untimed_n: int
    notices_n: int
    loaded_at: datetime
    loaded_by: str

    def as_key(self) -> dict[str, Any]:
        """Name it for a sentence."""
        return {"standard": self.name, "version": self.version}

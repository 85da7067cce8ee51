"""What each kind of paper says, as plain values: kept with its number, so that it can be written out again. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Json = dict[str, Any]

DAILY, SUPERVISION, MINUTES = "daily", "supervision", "minutes"
KINDS = (DAILY, SUPERVISION, MINUTES)


@dataclass(frozen=True)
class Named:
    """A count under a name in both languages."""

    name_zh: str
    name_en: str
    n: int


@dataclass(frozen=True)
class Daily:
    """The report of a day: what came in, what was closed, what is open and late at its end. Times are ISO 8601."""

    day: str
    place_zh: str
    place_en: str
    received: int
    closed: int
    struck: int
    self_handled: int
    across: int
    relapsed: int
    open: int
    overdue: int
    categories: tuple[Named, ...] = ()
    departments: tuple[Named, ...] = ()
    overdue_departments: tuple[Named, ...] = ()
    kind: str = DAILY


@dataclass(frozen=True)
class Supervision:
    """A letter that presses a department to act: on which issue, how late it is, what is demanded by when."""

    issue: str
    category_zh: str
    category_en: str
    matter: str
    place: str
    department_zh: str
    department_en: str
    reported_at: str
    due_at: str | None
    demand: str
    answer_by: str
    signed_by: str
    kind: str = SUPERVISION


@dataclass(frozen=True)
class Minutes:
    """Minutes of a consultation: who met, what was said and agreed; document: the agreement made of it.

    What is named otherwise in English stands beside it as well. consultation: which of its issue; 0: of none.
    """

    title: str
    held_at: str
    place: str
    chair: str
    present: tuple[str, ...]
    absent: tuple[str, ...]
    issues: tuple[str, ...]
    matter: str
    opinions: tuple[tuple[str, str], ...]
    decisions: tuple[str, ...]
    deadline: str = ""
    document: str = ""
    taken_by: str = ""
    title_en: str = ""
    present_en: tuple[str, ...] = ()
    absent_en: tuple[str, ...] = ()
    opinions_en: tuple[tuple[str, str], ...] = ()
    lead_zh: str = ""
    lead_en: str = ""
    consultation: int = 0
    kind: str = MINUTES


Said = Daily | Supervision | Minutes
_OF = {DAILY: Daily, SUPERVISION: Supervision, MINUTES: Minutes}


def as_json(said: Said) -> Json:
    """Render what a paper says for keeping."""
    return asdict(said)


def parse(kind: str, kept: Json) -> Said:
    """Read what was kept."""
    return _OF[kind](**{name: _frozen(name, value) for name, value in kept.items()})


def _frozen(name: str, value: Any) -> Any:  # noqa: ANN401 -- whatever JSON holds
    if not isinstance(value, list):
        return value
    if name.startswith("opinions"):
        return tuple((who, what) for who, what in value)
    return tuple(Named(**each) if isinstance(each, dict) else each for each in value)

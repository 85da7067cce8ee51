"""What the address of the borders' page asks, read or refused with a sentence, and what may be chosen there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy import text

from gis.errors import Forbidden, Invalid, NotFound
from gis.issues.evaluation import Period
from gis.planning import borders
from gis.planning.borders import Question
from gis.territory import units
from gis.territory.units import EditionRef
from gis.web import asked, auth

Json = dict[str, Any]

VIEWS = ("strips", "hand_offs", "straddlers", "faults")
KINDS = ("building", "street")
WIDTHS = (10, 30, 50, 100, 200, 500)
DAYS, LONGEST_DAYS = 90, 731
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """What the address asks: the question, another period beside it, which table, what is chosen in it."""

    question: Question
    first: date
    last: date
    versus: tuple[date, date] | None
    category: str
    view: str
    kind: str
    key: str
    page: int

    @cached_property
    def before(self) -> Question | None:
        """The same question of the other period."""
        return self.versus and replace(self.question, period=_period(*self.versus))

    @property
    def edition(self) -> EditionRef:
        """The edition of the last day; raise Invalid where the net had none."""
        found = next((each for each in editions(self.last) if each.net == self.question.net), None)
        if found is None:
            raise Invalid("ground.no_level", net=self.question.net, level=self.question.level_code)
        return found

    def arguments(self, **more: Any) -> Json:  # noqa: ANN401 -- arguments of an address
        """Write it as arguments of an address; None takes one away."""
        said = {
            "level": self.question.level, "from": self.first, "to": self.last, "category": self.category or None,
            "width": f"{self.question.width_m:g}", "view": self.view, "kind": self.kind, "key": self.key or None,
            "versus_from": self.versus and self.versus[0], "versus_to": self.versus and self.versus[1],
        }  # fmt: skip
        return {name: str(value) for name, value in (said | more).items() if value is not None}


def read() -> Asked:
    """Read what is asked; raise Invalid, and Forbidden for who sees one side of a border only."""
    if not auth.current().scope.all:
        raise Forbidden("borders.whole_city_only")
    said, today = request.args, auth.today()
    first, last = _span(said.get("from") or today - (DAYS - 1) * DAY, said.get("to") or today)
    other = said.get("versus_from"), said.get("versus_to")
    versus = _span(*other) if all(other) else None
    level = said.get("level") or _usual(last)
    if level not in {key for key, _ in levels(last)}:
        raise Invalid("evaluation.unknown", where="level", name=level[:80], known=", ".join(dict(levels(last))))
    category = said.get("category", "")[:40]
    question = Question(_period(first, last), level, _width(said.get("width")), _zone(), _meant(category))
    view, kind = said.get("view", VIEWS[0]), said.get("kind", KINDS[0])
    return Asked(
        question, first, last, versus, category,
        view if view in VIEWS else VIEWS[0], kind if kind in KINDS else KINDS[0],
        said.get("key", "")[:200], asked.whole("page", 1, 10_000),
    )  # fmt: skip


def _meant(category: str) -> tuple[str, ...]:
    return borders.majors(auth.session(), category) if category else ()


def _width(said: str | None) -> float:
    try:
        return float(said or borders.WIDTH_M)
    except ValueError:
        raise Invalid("borders.bad_width", width=str(said)[:40], most=int(borders.WIDTH_MOST_M)) from None


def _span(first: object, last: object) -> tuple[date, date]:
    begins, ends = asked.day(first), asked.day(last)
    if not begins <= ends or (ends - begins).days > LONGEST_DAYS:
        raise Invalid("evaluation.bad_period", first=begins, last=ends, most=LONGEST_DAYS)
    return begins, ends


def _period(first: date, last: date) -> Period:
    return Period(_midnight(first), _midnight(last + DAY))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _zone()).astimezone(UTC)


def _zone() -> ZoneInfo:
    return ZoneInfo(asked.settings().time_zone)


def editions(on: date) -> tuple[EditionRef, ...]:
    """List the editions in force on a day."""
    return units.in_force(auth.session(), on)


def levels(on: date) -> list[tuple[str, str]]:
    """Name the levels that may have borders: all but those at the very top of the first net."""
    english = auth.locale() == "en"
    return [
        (f"{edition.net}:{level.code}", (english and level.name_en) or level.name_zh)
        for nth, edition in enumerate(editions(on)) for level in edition.levels if nth or level.rank
    ]  # fmt: skip


def _usual(on: date) -> str:
    """Begin with the subdistricts, or with the first level that has borders."""
    offered = [key for key, _ in levels(on)]
    if not offered:
        raise NotFound("borders.no_ground")
    return next((key for key in offered if key.endswith(":subdistrict")), offered[0])


def categories() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """List the major classes with their categories: code, name, [(code, name)]."""
    rows = auth.session().execute(_CATEGORIES, {"lang": auth.locale()}).all()
    return [
        (code or "", name or auth.say("page.borders.other"), [(row.code, row.name) for row in under])
        for (code, name), under in groupby(rows, key=lambda row: (row.parent, row.parent_name))
    ]


def category_name(code: str) -> str:
    """Name a category in the reader's language; a code nobody knows is its own name."""
    return auth.session().scalar(_CATEGORY_NAME, {"code": code, "lang": auth.locale()}) or code


def presets(today: date) -> list[tuple[str, date, date]]:
    """Offer periods that end today: a name, the first and the last day."""
    return [
        ("month", today.replace(day=1), today), ("thirty", today - 29 * DAY, today),
        ("ninety", today - (DAYS - 1) * DAY, today), ("year", today.replace(month=1, day=1), today),
    ]  # fmt: skip


def other_periods(asked_: Asked) -> list[tuple[str, date, date]]:
    """Offer the period just before, and the same days a year earlier."""
    days = (asked_.last - asked_.first) + DAY
    year = timedelta(days=365)
    return [
        ("before", asked_.first - days, asked_.first - DAY),
        ("year_before", asked_.first - year, asked_.last - year),
    ]


_NAME = "coalesce(nullif(CASE WHEN :lang = 'en' THEN {0}.name_en END, ''), {0}.name_zh)"
_CATEGORIES = text(f"""
SELECT c.code, min({_NAME.format("c")}) AS name, c.parent, min({_NAME.format("above")}) AS parent_name
FROM category AS c LEFT JOIN category AS above
     ON (above.scheme, above.version, above.code) = (c.scheme, c.version, c.parent)
WHERE NOT EXISTS (SELECT FROM category AS below
                  WHERE (below.scheme, below.version, below.parent) = (c.scheme, c.version, c.code))
GROUP BY c.code, c.parent ORDER BY c.parent NULLS LAST, c.code
""")
_CATEGORY_NAME = text(f"SELECT min({_NAME.format('c')}) FROM category AS c WHERE c.code = :code")

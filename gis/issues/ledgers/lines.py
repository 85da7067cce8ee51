"""Lines of a ledger: an issue as one row of words in the reader's language, for the screen, a workbook and paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import language
from gis.issues import lights, listing, paging
from gis.issues.paging import Asked

Json = dict[str, Any]

COLUMNS = (
    "code", "category", "text", "reporter", "state", "light", "lead", "assisting", "unit", "flags", "marks", "source",
    "reported_at", "due_at", "closed_at", "struck",
)  # fmt: skip
BATCH = 500


@dataclass(frozen=True)
class Reader:
    """Whose words a ledger is written in: locale, time zone, and the moment that says what is overdue."""

    locale: str
    zone: ZoneInfo
    now: datetime

    def say(self, code: str, **params: object) -> str:
        """Say a code."""
        return language.say(code, self.locale, **params)

    def name(self, thing: Json | None) -> str:
        """Name what has a name in both languages."""
        if not thing:
            return ""
        return str((self.locale == "en" and thing["name_en"]) or thing["name_zh"] or thing["code"])

    def time(self, said: str | datetime | None) -> str:
        """Write a time as the city's clocks show it."""
        if not said:
            return ""
        at = datetime.fromisoformat(said) if isinstance(said, str) else said
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def listed(self, words: Iterable[str]) -> str:
        """Put words beside each other."""
        return (", " if self.locale == "en" else "、").join(words)


def heads(reader: Reader) -> list[str]:
    """Name the columns."""
    return [reader.say(f"ledger.column.{name}") for name in COLUMNS]


def of(session: Session, ids: Sequence[int], reader: Reader) -> list[Json]:
    """Write issues as lines, by their numbers and in that order; who reported is never told in full."""
    rows = listing.of_ids(session, ids)
    beside = {row.code: row for row in session.execute(_BESIDE, {"ids": list(ids)})}
    return [_line(row, beside[row["code"]], reader) for row in rows]


def every(session: Session, asked: Asked, reader: Reader, most: int) -> Iterator[Json]:
    """Write the whole of what is asked, page by page: at most so many lines."""
    at, left = asked, most
    while left > 0:
        page = paging.page(session, at, rows=min(BATCH, left))
        yield from of(session, page.ids, reader)
        left -= len(page.ids)
        if page.later is None:
            return
        at = Asked(asked.filters, asked.order, page.later, asked.unstruck)


def _line(row: Json, beside: Any, reader: Reader) -> Json:  # noqa: ANN401 -- a row of the query below
    due_at = row["due_at"] and datetime.fromisoformat(row["due_at"])
    light = lights.of_issue(row["state"], due_at, reader.now)
    lead = row["lead"]
    assisting = [each for each in row["departments"] if not lead or each["code"] != lead["code"]]
    badges = {"flags": [reader.say(f"page.flag.{each}") for each in row["flags"]],
              "marks": [reader.say(f"mark.{each}") for each in row["marks"]]}  # fmt: skip
    words: Json = {
        "code": row["code"],
        "category": reader.name(row["category"] | {"name_zh": row["category"]["name_zh"] or ""}),
        "text": row["text"],
        "reporter": reader.listed((listing.masked(row["reporter"]) or {}).values()),
        "state": reader.say(f"state.{row['state']}"),
        "light": _light(light, reader),
        "lead": reader.name(lead),
        "assisting": reader.listed(reader.name(each) for each in assisting),
        "unit": reader.name({"code": "", "name_zh": beside.unit, "name_en": beside.unit_en}) if beside.unit else "",
        "flags": reader.listed(badges["flags"]),
        "marks": reader.listed(badges["marks"]),
        "badges": [*badges["flags"], *badges["marks"]],
        "source": reader.name({"code": row["source"], "name_zh": beside.source, "name_en": beside.source_en}),
        "struck": "" if beside.struck_by is None else f"{beside.struck_by} {reader.time(beside.struck_at)}",
    }
    times = {"reported_at": row["reported_at"], "due_at": row["due_at"], "closed_at": beside.closed_at}
    told = {name: reader.time(at) for name, at in times.items()}
    return {"id": beside.id, "version": row["version"], "sign": light, "due": due_at} | words | told


def _light(code: str | None, reader: Reader) -> str:
    return next((reader.name(each.as_dict()) for each in lights.table() if each.code == code), "")


# The smallest unit of the administration it lies in; who struck it off, as long as that holds.
_BESIDE = text("""
SELECT issue.id, issue.code, issue.closed_at, source.name_zh AS source, source.name_en AS source_en,
       place.name AS unit, place.name_en AS unit_en, struck.actor AS struck_by, struck.at AS struck_at
FROM issue JOIN source ON source.code = issue.source
LEFT JOIN LATERAL (
    SELECT unit.name, unit.name_en FROM unnest(issue.ground) AS key
    JOIN edition ON edition.net = split_part(key, ':', 1) AND edition.state = 'active' AND edition.valid_to IS NULL
    JOIN net ON net.code = edition.net AND net.rank = 0
    JOIN unit ON unit.edition_id = edition.id AND unit.level = split_part(key, ':', 2)
         AND unit.code = split_part(key, ':', 3)
    JOIN level ON level.net = unit.net AND level.code = unit.level AND level.divides
    ORDER BY level.rank DESC, unit.code LIMIT 1
) AS place ON true
LEFT JOIN LATERAL (
    SELECT actor, at FROM move WHERE move.issue_id = issue.id AND move.name = 'strike' AND 'struck' = ANY(issue.marks)
    ORDER BY version DESC LIMIT 1
) AS struck ON true
WHERE issue.id = ANY(:ids)
""")

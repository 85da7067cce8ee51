"""Filing standards: two tables of a real city, each row taken or told of, and what they say of the same conditions."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from bench.figures import Row, equal, told
from gis.issues import categories
from gis.issues.standards import Reader, Reading

BOOK, SHEET = "yuncheng_components_events.xlsx", "yuncheng_filing_standards.csv"


def measure(data: Path) -> list[Row]:
    """Read both tables; data: the folder of the real data."""
    with (categories.DATA / "cg-2013.csv").open(encoding="utf-8") as file:
        names = {row["code"]: row["name_zh"] for row in csv.DictReader(file)}
    folder = data / "cn_standards"
    book = Reader(names).read(folder / BOOK)
    sheet = Reader(names, "components").read(folder / SHEET)
    return [
        *_counted("the book of two sheets", book, 375 + 147, {"1紧急工作时制止"}),
        *_counted("the single sheet", sheet, 279, {"种植季节15工作日"}),
        told("limits of the book that say only hours or days", book.plain_n),
        told("conditions in both whose limits agree, bare hours read as working hours", _agreeing(book, sheet)),
    ]


def _counted(what: str, reading: Reading, rows_n: int, unread: set[str]) -> list[Row]:
    left = Counter(notice.code for notice in reading.notices if not notice.code.startswith("limits."))
    kept_without = {each.limit_said for each in reading.conditions if each.limit is None}
    return [
        equal(f"{what}: rows", reading.rows_n, rows_n),
        equal(f"{what}: rows taken and told of", len(reading.conditions) + sum(left.values()), rows_n),
        equal(f"{what}: limits that are no number", kept_without, unread),
        told(f"{what}: taken with a limit", reading.timed_n),
        told(f"{what}: not taken", ", ".join(f"{code} {n}" for code, n in sorted(left.items())) or "none"),
    ]


def _agreeing(book: Reading, sheet: Reading) -> str:
    known = {(each.category, each.text_zh): each.limit for each in book.conditions}
    pairs = [(known[key], each.limit) for each in sheet.conditions if (key := (each.category, each.text_zh)) in known]
    return f"{sum(one == other for one, other in pairs)} of {len(pairs)}"

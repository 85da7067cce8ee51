"""Tables of filing standards as cities keep them, read row by row: each is taken, or told of with the reason.

A title above the header, sheets for components and events, merged cells and codes without their leading zero are read
as they are meant: a row without a class belongs to the class above it. Nothing else is filled in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gis.errors import Invalid
from gis.issues import files
from gis.issues.standards import wording
from gis.issues.standards.values import Condition, Notice, Reading
from gis.issues.worktime import Limit

# Headings as cities write them -> ours.
HEADINGS = {
    "大类代码": "major", "大类名称": "major_name", "小类代码": "minor", "小类名称": "minor_name",
    "立案条件": "text_zh", "处置时限": "limit", "结案条件": "closing_zh", "监管主体": "supervising",
    "主管部门": "supervising", "责任主体": "responsible", "处置单位": "responsible", "法律法规依据": "law",
    "法律法规具体条款": "article", "具体条款": "article", "采集要求": "collecting",
}  # fmt: skip
OF_CLASS = ("supervising", "responsible", "law", "article", "collecting")
OF_ROW = ("text_zh", "text_en", "limit", "closing_zh", "closing_en")
COLUMNS = {"major", "major_name", "minor", "minor_name", "category", *OF_CLASS, *OF_ROW}
NEEDED = {"text_zh", "limit"}
# Rows among which the header is looked for: titles stand above it.
TITLES = 10
# What a scheme's codes begin with, by what a sheet holds.
LETTERS = {"components": "P", "events": "E"}
SHEETS = {"部件": "components", "事件": "events"}
CODE = re.compile(r"\d{1,2}")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Reader:
    """How a file is to be read. names: the classes of the scheme. kind: what sheets hold that do not say it."""

    names: Mapping[str, str]
    kind: str | None = None
    plain: str = wording.WORKING

    def read(self, path: Path) -> Reading:
        """Read a file; raise Invalid if it has no table of conditions."""
        pages = [self._page(sheet, grid) for sheet, grid in files.grids(path)]
        found = [page for page in pages if page is not None]
        if not found:
            raise Invalid("standards.no_header", path=str(path), columns="立案条件, 处置时限 / text_zh, limit")
        return Reading(
            tuple(condition for page in found for condition in page.conditions),
            tuple(notice for page in found for notice in page.notices),
            sum(page.rows_n for page in found),
            sum(page.plain_n for page in found),
        )

    def _page(self, sheet: str, grid: list[tuple[int, list[str]]]) -> _Page | None:
        header = next((at for at, (_, cells) in enumerate(grid[:TITLES]) if set(_headings(cells)) >= NEEDED), None)
        if header is None:
            return None
        headings = _headings(grid[header][1])
        strange = sorted({heading for heading in headings if heading} - COLUMNS)
        if strange:
            raise Invalid("standards.unknown_column", columns=", ".join(strange), known=", ".join(sorted(COLUMNS)))
        page = _Page(self, sheet, self._letter(sheet, headings))
        for number, cells in grid[header + 1 :]:
            page.take(number, dict(zip(headings, cells, strict=False)))
        return page

    def _letter(self, sheet: str, headings: list[str]) -> str:
        kind = SHEETS.get(sheet.strip(), self.kind)
        if "category" not in headings and kind not in LETTERS:
            raise Invalid("standards.kind_unsaid", sheet=sheet, choices=", ".join(LETTERS))
        return LETTERS.get(kind or "", "")


@dataclass
class _Page:
    """A sheet while it is read."""

    reader: Reader
    sheet: str
    letter: str
    conditions: list[Condition] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    rows_n: int = 0
    plain_n: int = 0
    _major: str = ""
    _category: str = ""
    _above: Row = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _texts: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, number: int, row: Row) -> None:
        """Read one row into a condition, a notice, or both."""
        self.rows_n += 1
        try:
            self._class(number, row)
            condition = self._condition(number, row)
        except Invalid as problem:
            self._tell(number, row, problem)
        else:
            self.conditions.append(condition)
            first = self._texts.setdefault((condition.category, condition.text_zh), number)
            if first != number:
                self._tell(number, row, Invalid("standards.repeated", first=first))

    def _class(self, number: int, row: Row) -> None:
        """Take over the class a row begins; a row that begins none belongs to the one above."""
        if row.get("major"):
            self._major = _code(row["major"], "major")
        if not (row.get("category") or row.get("minor")):
            return
        code = row.get("category") or f"{self.letter}{self._major}{_code(row['minor'], 'minor')}"
        self._category, self._above = code, {name: row.get(name, "") for name in OF_CLASS}
        said, name = row.get("minor_name", ""), self.reader.names.get(code, "")
        if said and name and _plainly(said) != _plainly(name):
            self._tell(number, row, Invalid("standards.name_differs", category=code, said=said, name=name))

    def _condition(self, number: int, row: Row) -> Condition:
        if not any(row.get(name) for name in OF_ROW):
            raise Invalid("standards.blank")
        if not self._category:
            raise Invalid("standards.no_class")
        if self._category not in self.reader.names:
            raise Invalid("standards.unknown_category", category=self._category)
        if not row.get("text_zh"):
            raise Invalid("standards.no_condition")
        self._numbers[self._category] = self._numbers.get(self._category, 0) + 1
        return Condition(
            category=self._category,
            number=self._numbers[self._category],
            text_zh=row["text_zh"],
            text_en=row.get("text_en", ""),
            limit=self._limit(number, row),
            limit_said=row["limit"],
            closing_zh=row.get("closing_zh", ""),
            closing_en=row.get("closing_en", ""),
            **{name: row.get(name) or self._above.get(name, "") for name in OF_CLASS},
            sheet=self.sheet,
            row=number,
        )

    def _limit(self, number: int, row: Row) -> Limit | None:
        try:
            limit = wording.parse(row["limit"], self.reader.plain)
        except Invalid as problem:
            self._tell(number, row, problem)
            return None
        self.plain_n += wording.is_plain(row["limit"])
        return limit

    def _tell(self, number: int, row: Row, problem: Invalid) -> None:
        columns = {name: value for name, value in row.items() if name and value}
        self.notices.append(Notice(self.sheet, number, problem.code, problem.params, columns))


def _headings(cells: list[str]) -> list[str]:
    return [HEADINGS.get(cell, cell) for cell in cells]


def _code(said: str, what: str) -> str:
    if not CODE.fullmatch(said):
        raise Invalid("standards.bad_code", what=what, said=said)
    return said.zfill(2)


def _plainly(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """Read a plain table, header first, as text."""
    for number, row in files.open_table(path).rows:
        yield number, {name: str(value if value is not None else "").strip() for name, value in row.items()}

"""The evaluation as tables to take away: CSV and XLSX, numbers as numbers, and what they are worked out by."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import openpyxl
from flask import Response
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from gis import language
from gis.issues.evaluation import COUNTS, Formulas, Question, Standing, Standings

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Json = dict[str, Any]
Value = str | int | float | None
# What a spreadsheet would take for a formula when it opens a CSV.
RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_of(found: Standings, formulas: Formulas, question: Question, locale: str) -> Response:
    """Write the table; rates as numbers from 0 to 1, what has no base as an empty cell."""
    return _csv(_table(found, formulas, question, locale), "evaluation.csv")


def xlsx_of(found: Standings, formulas: Formulas, question: Question, locale: str) -> Response:
    """Write a workbook: the table, and the formulas."""
    book = openpyxl.Workbook(write_only=True)
    for title, rows in (
        ("page.evaluation.title", _table(found, formulas, question, locale)),
        ("page.evaluation.formulas", explained(formulas, question, locale)),
    ):
        sheet = book.create_sheet(language.say(title, locale))
        for row in rows:
            sheet.append([_cell(sheet, value) for value in row])
    written = io.BytesIO()
    book.save(written)
    return _file(written.getvalue(), XLSX, "evaluation.xlsx")


def issues(rows: Iterable[Json], locale: str) -> Response:
    """Write a list of issues."""
    heads = ("code", "category", "state", "reported_at", "closed_at", "lead")
    table = [[language.say(f"page.evaluation.list.{head}", locale) for head in heads]]
    table += [
        [
            row["code"], row[f"category_{locale}"], language.say(f"state.{row['state']}", locale),
            _moment(row["reported_at"]), _moment(row["closed_at"]), row[f"lead_{locale}"] or "",
        ]
        for row in rows
    ]  # fmt: skip
    return _csv(table, "issues.csv")


def explained(formulas: Formulas, question: Question, locale: str) -> Iterator[Sequence[Value]]:
    """Say by which formulas and for which period it was worked out."""
    yield ["version", formulas.version, formulas.digest]
    yield ["since", question.period.since.isoformat(), "until", question.period.until.isoformat()]
    yield [formulas.note_zh if locale == "zh" else formulas.note_en]
    for rate in formulas.rates_of(question.kind):
        counted = " + ".join(f"{float(weight):g} × {_count(name, locale)}" for name, weight in rate.counted.items())
        yield [_name(rate, locale), counted, "/", _count(rate.of, locale)]
    for score in formulas.scores_of(question.kind, question.level.rpartition(":")[2]):
        for part in score.parts:
            what = part.rate or _count(part.count, locale)
            yield [_name(score, locale), float(part.weight), what, "1 −" if part.falling else "", str(part.up_to or "")]


def _table(found: Standings, formulas: Formulas, question: Question, locale: str) -> Iterator[Sequence[Value]]:
    rates = formulas.rates_of(question.kind)
    scores = formulas.scores_of(question.kind, question.level.rpartition(":")[2])
    words = [language.say(f"page.evaluation.head.{head}", locale) for head in ("rank", "code", "name", "grade")]
    named = [_name(each, locale) for each in (*scores, *rates)]
    yield [*words, *named, *(_count(name, locale) for name in COUNTS)]
    for row in (*found.rows, found.together):
        results = [*(row.result.scores[each.code] for each in scores), *(row.result.rates[each.code] for each in rates)]
        numbers = [None if value is None else float(value) for value in results]
        yield [row.rank, row.subject, _title(row, locale), row.result.grade, *numbers, *row.counts.values()]


def _title(row: Standing, locale: str) -> str:
    return row.name_en if locale == "en" and row.name_en else row.name_zh


def _name(each: Any, locale: str) -> str:  # noqa: ANN401 -- a rate or a score
    return str(each.name_zh if locale == "zh" else each.name_en)


def _count(name: str, locale: str) -> str:
    return language.say(f"count.{name}", locale)


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="minutes") if at else ""


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> Cell:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # a name that begins with = is a name
        cell.data_type = "s"
    return cell


def _csv(rows: Iterable[Sequence[Value]], name: str) -> Response:
    written = io.StringIO()
    csv.writer(written).writerows([_plain(value) for value in row] for row in rows)
    # Spreadsheets take a file without the mark for one in an older encoding.
    return _file(written.getvalue().encode("utf-8-sig"), "text/csv", name)


def _plain(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def _file(body: bytes, mimetype: str, name: str) -> Response:
    return Response(body, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})

"""Working calendars on record: parts with versions, nothing assumed, nothing rewritten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems
from gis.issues import calendars
from gis.issues.calendars import Part
from gis.issues.worktime import Calendar

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
YEAR = "day,kind,name_zh,name_en,source\n"
SHIFTS = "from,weekdays,spans,source\n2026-01-01,1 2 3 4 5,08:00-12:00 14:00-18:00,city\n"

Load = Callable[[str, str], Part]


@pytest.fixture
def load(session: Session, tmp_path: Path) -> Load:
    def _load(name: str, content: str) -> Part:
        path = tmp_path / name
        path.write_text(content, "utf-8")
        return calendars.load(session, path, by="wu", now=NOW)

    return _load


def read(session: Session) -> Calendar:
    return calendars.read(session, "CN", ZONE)


def code_of(load: Load, content: str, name: str = "CN-2026.csv") -> str:
    with pytest.raises(Problems) as refused:
        load(name, content)
    return refused.value.problems[0].code


def test_a_year_and_the_shifts_make_a_calendar(session: Session, load: Load) -> None:
    load("CN-shifts.csv", SHIFTS)
    load("CN-2026.csv", f"{YEAR}2026-02-16,holiday,春节,,notice\n2026-02-28,workday,调休,,notice\n")
    calendar = read(session)
    days = (date(2026, 2, 13), date(2026, 2, 14), date(2026, 2, 16), date(2026, 2, 28))
    assert [calendar.works(day) for day in days] == [True, False, False, True]
    assert calendar.parts == {"2026": 1, "shifts": 1}


def test_a_calendar_nobody_loaded_knows_no_year(session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        read(session).works(date(2026, 3, 2))
    assert refused.value.code == "worktime.no_year"


def test_the_same_file_again_changes_nothing(load: Load) -> None:
    first = load("CN-shifts.csv", SHIFTS)
    again = load("CN-shifts.csv", SHIFTS)
    assert (first.known, again.known, again.version) == (False, True, 1)


def test_a_mended_year_answers_and_the_one_before_it_stays_on_record(session: Session, load: Load) -> None:
    load("CN-shifts.csv", SHIFTS)
    load("CN-2026.csv", f"{YEAR}2026-02-16,holiday,春节,,notice\n")
    assert load("CN-2026.csv", f"{YEAR}2026-02-17,holiday,春节,,notice\n").version == 2
    assert [read(session).works(date(2026, 2, day)) for day in (16, 17)] == [True, False]
    assert session.scalar(text("SELECT count(*) FROM calendar_day")) == 2


@pytest.mark.parametrize("table", ["calendar_part", "calendar_day", "calendar_shift", "filing_condition", "clock"])
def test_the_application_may_not_rewrite_what_clocks_rest_on(session: Session, table: str) -> None:
    column = session.scalar(
        text("SELECT column_name FROM information_schema.columns WHERE table_name = :table LIMIT 1"), {"table": table}
    )
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(f"UPDATE {table} SET {column} = {column}"))


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2025-12-31,holiday,元旦,,notice", "calendar.other_year"),
        ("2026-02-30,holiday,春节,,notice", "calendar.bad_day"),
        ("2026-02-16,off,春节,,notice", "calendar.kind"),
        ("2026-02-16,holiday,春节,,", "calendar.no_source"),
        ("2026-02-16,holiday,春节,,n\n2026-02-16,workday,春节,,n", "calendar.day_twice"),
    ],
)
def test_a_wrong_day_is_refused_with_its_row(load: Load, row: str, code: str) -> None:
    assert code_of(load, f"{YEAR}{row}\n") == code


def test_every_wrong_row_is_told_at_once(load: Load) -> None:
    with pytest.raises(Problems) as refused:
        load("CN-2026.csv", f"{YEAR}x,holiday,a,,n\n2026-01-01,holiday,a,,n\ny,holiday,a,,n\n")
    assert [problem.params["row"] for problem in refused.value.problems] == [2, 4]


@pytest.mark.parametrize(
    "spans", ["", "8-12", "12:00-08:00", "08:00-12:00 11:00-13:00", "08:00-24:01", "08:60-09:00", "08:00-08:00"]
)
def test_shifts_that_are_none_are_refused(spans: str) -> None:
    with pytest.raises(Invalid) as refused:
        calendars.parse_spans(spans)
    assert refused.value.code == "calendar.bad_span"


def test_a_shift_may_end_at_midnight() -> None:
    assert calendars.parse_spans("00:00-06:30 22:00-24:00") == ((0, 390), (1320, 1440))


def test_a_file_whose_name_says_no_calendar_is_refused(load: Load) -> None:
    with pytest.raises(Invalid) as refused:
        load("holidays.csv", YEAR)
    assert refused.value.code == "calendar.file_name"


def test_a_spreadsheet_with_dates_is_read(session: Session, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["day", "kind", "name_zh", "source"])
    book.active.append([datetime(2026, 5, 1), "holiday", "劳动节", "notice"])  # noqa: DTZ001 -- as a sheet keeps it
    book.save(tmp_path / "CN-2026.xlsx")
    assert calendars.load(session, tmp_path / "CN-2026.xlsx", by="wu", now=NOW).rows_n == 1
    assert session.scalar(text("SELECT day FROM calendar_day")) == date(2026, 5, 1)


def test_what_lacks_for_the_days_to_come_is_named(session: Session, load: Load) -> None:
    load("CN-2026.csv", f"{YEAR}2026-01-01,holiday,元旦,,n\n")
    assert calendars.lacking(session, "CN", date(2026, 12, 1), date(2027, 1, 31)) == ["2027", "shifts"]
    load("CN-shifts.csv", SHIFTS)
    assert calendars.lacking(session, "CN", date(2026, 11, 1), date(2026, 12, 31)) == []


@pytest.mark.parametrize(("year", "off", "made_up"), [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)])
def test_the_years_of_china_are_whole(session: Session, year: int, off: int, made_up: int) -> None:
    calendars.load(session, calendars.DATA / f"CN-{year}.csv", by="wu", now=NOW)
    kinds = text("SELECT count(*) FILTER (WHERE NOT works), count(*) FILTER (WHERE works) FROM calendar_day")
    assert tuple(session.execute(kinds).one()) == (off, made_up)
    weekend = text("SELECT count(*) FROM calendar_day WHERE works AND extract(isodow FROM day) < 6")
    assert session.scalar(weekend) == 0

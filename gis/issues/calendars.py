"""The city's working calendar on record: holidays and make-up workdays year by year, and the shifts of a day.

A calendar has parts, one for each year and one for its shifts, each loaded from a file of its own. A part that is
loaded anew gets the next version and answers from then on; the version before it stays on record, since clocks were
set by it. Of a year that is not loaded nothing is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems, ShaotuError
from gis.issues import files
from gis.issues.worktime import MINUTES_OF_DAY, Calendar, Shifts
from gis.settings import ROOT

DATA = ROOT / "data" / "calendar"
SHIFTS = "shifts"
NAME = re.compile(r"(?P<calendar>.+)-(?P<part>\d{4}|shifts)")
DAY_COLUMNS, SHIFT_COLUMNS = ("day", "kind", "name_zh", "source"), ("from", "weekdays", "spans", "source")
KINDS = {"holiday": False, "workday": True}
SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")

Row = Mapping[str, str]
Kept = dict[str, object]


@dataclass(frozen=True)
class Part:
    """A part of a calendar as the overview shows it. part: a year, or SHIFTS. known: it was on record just so."""

    calendar: str
    part: str
    version: int
    rows_n: int
    loaded_at: datetime
    loaded_by: str
    known: bool = False


def load(session: Session, path: Path, *, by: str, now: datetime) -> Part:
    """Take in a part from a file named CALENDAR-YEAR or CALENDAR-shifts; raise Problems with every wrong row."""
    named = NAME.fullmatch(path.stem)
    if named is None:
        raise Invalid("calendar.file_name", path=str(path))
    key = {"calendar": named["calendar"], "part": named["part"]}
    sha256 = files.digest(path) if path.is_file() else ""
    last = session.execute(_LAST, key).one_or_none()
    if last and last.sha256 == sha256:
        return next(part for part in find(session, key["calendar"], known=True) if part.part == key["part"])
    rows = _shift_rows(path) if key["part"] == SHIFTS else _day_rows(path, int(key["part"]))
    said = key | {"version": last.version + 1 if last else 1, "sha256": sha256, "by": by, "now": now}
    part_id = session.execute(_KEEP, said).scalar_one()
    session.execute(_SHIFT if key["part"] == SHIFTS else _DAY, [row | {"part_id": part_id} for row in rows])
    return Part(key["calendar"], key["part"], said["version"], len(rows), now, by)


def find(session: Session, calendar: str | None = None, *, known: bool = False) -> list[Part]:
    """List the parts that answer now."""
    return [Part(**row, known=known) for row in session.execute(_OVERVIEW, {"calendar": calendar}).mappings()]


def read(session: Session, code: str, zone: ZoneInfo) -> Calendar:
    """Read a calendar as it stands now; one that nobody loaded knows no year."""
    parts = {row.part: row for row in session.execute(_PARTS, {"calendar": code})}
    ids = {"ids": [row.id for row in parts.values()]}
    changed = {row.day: row.works for row in session.execute(_CHANGED, ids)}
    shifts = (
        Shifts(row.start, frozenset(row.weekdays), parse_spans(row.spans)) for row in session.execute(_SHIFTS, ids)
    )
    years = frozenset(int(part) for part in parts if part != SHIFTS)
    return Calendar(code, zone, years, changed, tuple(shifts), {part: row.version for part, row in parts.items()})


def lacking(session: Session, code: str, start: date, end: date) -> list[str]:
    """List the parts a calendar needs for every day from start to end and does not have."""
    known = read(session, code, ZoneInfo("UTC"))
    years = [str(year) for year in range(start.year, end.year + 1) if year not in known.years]
    return years + ([] if known.shifts and known.shifts[0].start <= start else [SHIFTS])


def parse_spans(said: str) -> tuple[tuple[int, int], ...]:
    """Read shifts such as "08:30-12:00 13:30-17:30" as minutes from midnight; raise Invalid."""
    spans: list[tuple[int, int]] = []
    for word in said.split():
        found = SPAN.fullmatch(word)
        first, last = _minutes(found) if found else (0, 0)
        if not (spans[-1][1] if spans else 0) <= first < last <= MINUTES_OF_DAY:
            raise Invalid("calendar.bad_span", word=word, spans=said)
        spans.append((first, last))
    if not spans:
        raise Invalid("calendar.bad_span", word="", spans=said)
    return tuple(spans)


def _minutes(span: re.Match[str]) -> tuple[int, int]:
    hour, minute, last_hour, last_minute = map(int, span.groups())
    return (60 * hour + minute, 60 * last_hour + last_minute) if minute < 60 > last_minute else (0, 0)


def _day_rows(path: Path, year: int) -> list[Kept]:
    problems: list[ShaotuError] = []
    rows = _kept(path, DAY_COLUMNS, partial(_day, year=year), problems)
    first: dict[object, int] = {}
    for number, row in rows:
        if first.setdefault(row["day"], number) != number:
            problems.append(Invalid("calendar.day_twice", row=number, day=row["day"], first=first[row["day"]]))
    return _good(path, rows, problems)


def _shift_rows(path: Path) -> list[Kept]:
    problems: list[ShaotuError] = []
    return _good(path, _kept(path, SHIFT_COLUMNS, _shift, problems), problems)


def _kept(
    path: Path, columns: tuple[str, ...], read: Callable[[int, Row], Kept], problems: list[ShaotuError]
) -> list[tuple[int, Kept]]:
    rows = []
    for number, row in _rows(path, columns):
        try:
            rows.append((number, read(number, row)))
        except Invalid as problem:
            problems.append(problem)
    return rows


def _good(path: Path, rows: list[tuple[int, Kept]], problems: list[ShaotuError]) -> list[Kept]:
    if not rows and not problems:
        problems.append(Invalid("calendar.empty", path=str(path)))
    if problems:
        raise Problems(problems)
    return [row for _, row in rows]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    for number, row in files.open_table(path).rows:
        missing = [name for name in columns if name not in row]
        if missing:
            raise Invalid("calendar.missing_column", path=str(path), columns=", ".join(missing))
        yield number, {name: str(value or "").strip() for name, value in row.items()}


def _day(number: int, row: Row, year: int) -> Kept:
    day = _date(number, row["day"])
    if day.year != year:
        raise Invalid("calendar.other_year", row=number, day=row["day"], year=year)
    if row["kind"] not in KINDS:
        raise Invalid("calendar.kind", row=number, kind=row["kind"], choices=", ".join(KINDS))
    if not row["source"]:
        raise Invalid("calendar.no_source", row=number)
    names = {"name_zh": row["name_zh"], "name_en": row.get("name_en") or row["name_zh"]}
    return {"day": day, "works": KINDS[row["kind"]], "source": row["source"]} | names


def _shift(number: int, row: Row) -> Kept:
    parse_spans(row["spans"])
    weekdays = sorted(set(row["weekdays"].split()))
    if not weekdays or not set(weekdays) <= set("1234567"):
        raise Invalid("calendar.weekdays", row=number, weekdays=row["weekdays"])
    start = _date(number, row["from"])
    return {"start": start, "weekdays": list(map(int, weekdays)), "spans": row["spans"], "source": row["source"]}


def _date(number: int, said: str) -> date:
    try:
        # A spreadsheet may write midnight behind a date.
        return date.fromisoformat(said.removesuffix(" 00:00:00"))
    except ValueError:
        raise Invalid("calendar.bad_day", row=number, day=said) from None


# Of each part the last version.
_STANDING = """
SELECT DISTINCT ON (calendar, part) id, calendar, part, version, sha256, loaded_at, loaded_by
FROM calendar_part WHERE (CAST(:calendar AS text) IS NULL OR calendar = :calendar)
ORDER BY calendar, part, version DESC
"""
_LAST = text(f"SELECT version, sha256 FROM ({_STANDING}) AS standing WHERE part = :part")
_KEEP = text("""
INSERT INTO calendar_part (calendar, part, version, sha256, loaded_at, loaded_by)
VALUES (:calendar, :part, :version, :sha256, :now, :by) RETURNING id
""")
_DAY = text("""
INSERT INTO calendar_day (part_id, day, works, name_zh, name_en, source)
VALUES (:part_id, :day, :works, :name_zh, :name_en, :source)
""")
_SHIFT = text("""
INSERT INTO calendar_shift (part_id, start, weekdays, spans, source)
VALUES (:part_id, :start, :weekdays, :spans, :source)
""")
_OVERVIEW = text(f"""
SELECT calendar, part, version, loaded_at, loaded_by,
       (SELECT count(*) FROM calendar_day WHERE part_id = standing.id)
       + (SELECT count(*) FROM calendar_shift WHERE part_id = standing.id) AS rows_n
FROM ({_STANDING}) AS standing ORDER BY calendar, part
""")
_PARTS = text(_STANDING)
_CHANGED = text("SELECT day, works FROM calendar_day WHERE part_id = ANY(:ids)")
_SHIFTS = text("SELECT start, weekdays, spans FROM calendar_shift WHERE part_id = ANY(:ids) ORDER BY start")

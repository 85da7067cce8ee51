"""Rosters of a subdistrict's standing platform (1+5+N, 1+3+N): who is resident, who is on call, who can be had now.

An entry has dates, weekdays and hours. A roster that is loaded anew for a unit ends what was there from its first day
on; what was true before stays on record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems, ShaotuError

Json = dict[str, Any]
RESIDENT, ON_CALL = STANDINGS = ("resident", "on_call")
NEEDED = ("net", "level", "unit_code", "department", "person", "standing", "valid_from")
HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
DAY_MINUTES = 24 * 60
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True)
class Entry:
    """Somebody on a platform. unit: net:level:code; begins, ends: minutes from midnight; weekdays: 1 Monday."""

    unit: str
    platform: str
    department: str
    person: str
    rank: str
    phone: str
    standing: str
    weekdays: tuple[int, ...]
    begins: int
    ends: int
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Say whether it is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def is_reachable(self, at: datetime) -> bool:
        """Say whether this person can be had at a moment, given in the city's own time.

        A shift through the night belongs to the day on which it begins.
        """
        minute, today = at.hour * 60 + at.minute, at.date()
        if self.begins < self.ends:
            return self._works(today) and self.begins <= minute < self.ends
        evening = self._works(today) and minute >= self.begins
        return evening or (self._works(today - timedelta(days=1)) and minute < self.ends)

    def _works(self, day: date) -> bool:
        return self.holds_on(day) and day.isoweekday() in self.weekdays

    def as_dict(self, at: datetime) -> Json:
        """Render it as JSON, with whether this person can be had now."""
        hours = f"{_clock(self.begins)}-{_clock(self.ends)}"
        told = {name: getattr(self, name) for name in ("unit", "platform", "department", "person", "rank", "phone")}
        return told | {
            "standing": self.standing, "weekdays": list(self.weekdays), "hours": hours,
            "valid_from": self.valid_from.isoformat(), "valid_to": self.valid_to and self.valid_to.isoformat(),
            "reachable": self.is_reachable(at),
        }  # fmt: skip


def find(session: Session, units: Iterable[str] | None, on: date) -> list[Entry]:
    """List the entries in force on a day: of these units, or of all that one may see; residents first."""
    rows = session.execute(_FIND, {"units": None if units is None else list(units), "on": on}).mappings()
    return [_entry(row) for row in rows]


def departments_of(session: Session, unit: str, on: date) -> frozenset[str]:
    """Name the departments on a unit's platform on a day."""
    return frozenset(entry.department for entry in find(session, [unit], on))


def load(session: Session, rows: Iterable[tuple[int, Mapping[str, Any]]], *, by: str, now: datetime) -> int:
    """Take in rosters from numbered rows: what is NEEDED; platform, rank, phone, valid_to, weekdays, hours where said.

    Raise Problems with every row that is wrong; then nothing is written.
    """
    problems: list[ShaotuError] = []
    parsed = [entry for number, row in rows if (entry := _parsed(number, row, problems))]
    problems += _strangers(session, parsed)
    if problems:
        raise Problems(problems)
    begun: dict[str, date] = {}
    for entry in parsed:
        begun[entry.unit] = min(entry.valid_from, begun.get(entry.unit, entry.valid_from))
    for unit, day in begun.items():
        session.execute(_END, _place(unit) | {"day": day})
    if parsed:
        session.execute(_ADD, [_row(entry) | {"by": by, "now": now} for entry in parsed])
    return len(parsed)


def city_time(at: datetime, zone: str) -> datetime:
    """Return a moment by the city's own clock."""
    return at.astimezone(ZoneInfo(zone))


def _parsed(number: int, row: Mapping[str, Any], problems: list[ShaotuError]) -> Entry | None:
    said = {str(name): str(value or "").strip() for name, value in row.items()}
    try:
        return _read(number, said)
    except Invalid as problem:
        problems.append(problem)
    return None


def _read(number: int, said: Mapping[str, str]) -> Entry:
    missing = [name for name in NEEDED if not said.get(name)]
    if missing:
        raise Invalid("rosters.missing", row=number, columns=", ".join(missing))
    if said["standing"] not in STANDINGS:
        raise Invalid("rosters.standing", row=number, standing=said["standing"], standings=", ".join(STANDINGS))
    start, end = _day(number, said["valid_from"]), said.get("valid_to")
    until = _day(number, end) if end else None
    if until and until <= start:
        raise Invalid("rosters.dates", row=number, valid_from=start, valid_to=until)
    begins, ends = _hours(number, said.get("hours", ""))
    return Entry(
        f"{said['net']}:{said['level']}:{said['unit_code']}", said.get("platform", ""), said["department"],
        said["person"], said.get("rank", ""), said.get("phone", ""), said["standing"],
        _weekdays(number, said.get("weekdays", "")), begins, ends, start, until,
    )  # fmt: skip


def _day(number: int, said: str) -> date:
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        raise Invalid("rosters.bad_day", row=number, value=said) from None


def _hours(number: int, said: str) -> tuple[int, int]:
    if not said:
        return 0, DAY_MINUTES
    found = HOURS.fullmatch(said)
    first, second, third, fourth = map(int, found.groups()) if found else (99, 0, 0, 0)
    begins, ends = 60 * first + second, 60 * third + fourth
    if not (begins < DAY_MINUTES and 0 < ends <= DAY_MINUTES and max(second, fourth) < 60 and begins != ends):
        raise Invalid("rosters.bad_hours", row=number, value=said)
    return begins, ends


def _weekdays(number: int, said: str) -> tuple[int, ...]:
    days = tuple(sorted({int(sign) for sign in said if sign.isdigit()})) or EVERY_DAY
    if re.sub(r"[1-7 ,]", "", said):
        raise Invalid("rosters.bad_weekdays", row=number, value=said)
    return days


def _strangers(session: Session, entries: Sequence[Entry]) -> list[ShaotuError]:
    """Name the departments and units nobody knows, each once."""
    codes = sorted({entry.department for entry in entries})
    known = set(session.scalars(text("SELECT code FROM department WHERE code = ANY(:codes)"), {"codes": codes}))
    keys = sorted({entry.unit for entry in entries})
    standing = set(session.scalars(_UNITS, {"keys": keys}))
    unknown: list[ShaotuError] = [Invalid("dispatch.no_department", department=it) for it in codes if it not in known]
    return unknown + [Invalid("agreements.unknown_unit", key=key) for key in keys if key not in standing]


def _place(unit: str) -> dict[str, str]:
    net, level, code = unit.split(":", 2)
    return {"net": net, "level": level, "code": code}


def _row(entry: Entry) -> Json:
    return vars(entry) | _place(entry.unit) | {"weekdays": list(entry.weekdays)}


def _entry(row: RowMapping) -> Entry:
    return Entry(**(dict(row) | {"weekdays": tuple(row["weekdays"])}))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


_FIND = text("""
SELECT net || ':' || level || ':' || unit_code AS unit, platform, department, person, rank, phone, standing, weekdays,
       begins, ends, valid_from, valid_to
FROM roster_entry
WHERE valid_from <= :on AND (valid_to IS NULL OR :on < valid_to)
  AND (CAST(:units AS text[]) IS NULL OR net || ':' || level || ':' || unit_code = ANY(:units))
ORDER BY net, level, unit_code, standing DESC, platform, department, person
""")
_UNITS = text("""
SELECT DISTINCT net || ':' || level || ':' || code FROM unit
WHERE net || ':' || level || ':' || code = ANY(:keys) AND code = ANY(
    SELECT split_part(key, ':', 3) FROM unnest(CAST(:keys AS text[])) AS key)
""")
# What begins on the new first day or later never was.
_END = text("""
UPDATE roster_entry SET valid_to = greatest(CAST(:day AS date), valid_from)
WHERE (net, level, unit_code) = (:net, :level, :code) AND (valid_to IS NULL OR valid_to > :day)
""")
_ADD = text("""
INSERT INTO roster_entry (net, level, unit_code, platform, department, person, rank, phone, standing, weekdays, begins,
                          ends, valid_from, valid_to, loaded_by, loaded_at)
VALUES (:net, :level, :code, :platform, :department, :person, :rank, :phone, :standing, :weekdays, :begins, :ends,
        :valid_from, :valid_to, :by, :now)
ON CONFLICT (net, level, unit_code, department, person, valid_from) DO UPDATE SET
    platform = excluded.platform, rank = excluded.rank, phone = excluded.phone, standing = excluded.standing,
    weekdays = excluded.weekdays, begins = excluded.begins, ends = excluded.ends, valid_to = excluded.valid_to,
    loaded_by = excluded.loaded_by, loaded_at = excluded.loaded_at
""")

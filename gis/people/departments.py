"""Departments: the kinds there are (data), the offices that work somewhere, and who serves a piece of ground."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, Name, NotFound, Problems, ShaotuError
from gis.settings import ROOT
from gis.territory.location import UnitRef

KINDS = ROOT / "data" / "departments" / "kinds.csv"
DESK = "DESK"
CITY = ""


@dataclass(frozen=True)
class Kind:
    """A kind of department. serves: the level whose units each have one; empty: one for the whole city.

    office_zh and office_en name an instance, with %(unit)s for the name of its unit. aliases: other names in lists.
    """

    code: str
    name_zh: str
    name_en: str
    serves: str
    office_zh: str
    office_en: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Department:
    """An office that can be called, until it is closed. ground: the key of its unit, empty for the whole city.

    It may have two masters: belongs_to (区属), whose it is, and managed_by (街管), whose orders it takes each day.
    """

    code: str
    kind: str
    name_zh: str
    name_en: str
    ground: str = CITY
    closed_on: date | None = None
    belongs_to: str | None = None
    managed_by: str | None = None

    @property
    def masters(self) -> tuple[str, ...]:
        """Whom it answers to, by their codes."""
        return tuple(code for code in (self.belongs_to, self.managed_by) if code)

    def as_dict(self) -> dict[str, str]:
        """Name it, as reasons do."""
        return {"key": self.code, "name": self.name_zh, "name_en": self.name_en}

    @property
    def name(self) -> Name:
        """Name it, as refusals do."""
        return Name.of(self.code, self.name_zh, self.name_en)


class Register:
    """All departments, found by code, by name, or by kind and ground. Read once, asked for every issue.

    One that was closed is found by its code, for history names it; nobody is sent to it.
    """

    def __init__(self, departments: Iterable[Department]) -> None:
        ordered = sorted(departments, key=lambda department: department.code)
        self.by_code: Mapping[str, Department] = {each.code: each for each in ordered}
        at_work = [each for each in ordered if each.closed_on is None]
        self._by_name = {name: each for each in reversed(at_work) for name in (each.name_en, each.name_zh) if name}
        self._by_ground: dict[tuple[str, str], tuple[Department, ...]] = {}
        for each in at_work:
            place = each.kind, each.ground
            self._by_ground[place] = (*self._by_ground.get(place, ()), each)

    def named(self, words: str | None) -> Department | None:
        """Find the department a record names by its code or its exact name."""
        by_code = self.by_code.get(words or "")
        return by_code if by_code and by_code.closed_on is None else self._by_name.get(words or "")

    def nearest(self, kind: str, ladder: Sequence[str]) -> tuple[Department, ...]:
        """Return the departments of a kind on the first ground of the ladder that has any, the whole city last."""
        for ground in (*ladder, CITY):
            found = self._by_ground.get((kind, ground))
            if found:
                return found
        return ()


@cache
def kinds(path: Path = KINDS) -> Mapping[str, Kind]:
    """Read the kinds of department, by code."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["code"]: Kind(**(row | {"aliases": tuple(row["aliases"].split())})) for row in rows}


@cache
def kind_names() -> Mapping[str, str]:
    """Every way to write a kind in a list -> its code."""
    named = [(name, kind.code) for kind in kinds().values() for name in (kind.name_zh, kind.name_en, *kind.aliases)]
    return {name.lower(): code for name, code in [*named, *((code, code) for code in kinds())]}


def kind_named(words: str) -> str | None:
    """Tell which kind a name means: a kind's own, or one that ends like a city-wide kind's (XX自来水公司)."""
    known = kind_names()
    return known.get(words.lower()) or next((code for end, code in _city_wide_endings() if words.endswith(end)), None)


@cache
def _city_wide_endings() -> tuple[tuple[str, str], ...]:
    ends = [(name, kind.code) for kind in kinds().values() if not kind.serves for name in (kind.name_zh, *kind.aliases)]
    return tuple(sorted((end for end in ends if len(end[0]) > 2), key=lambda end: (-len(end[0]), end)))  # longest first


def register(session: Session) -> Register:
    """Read all departments."""
    return Register(_departments(session, "true", {}))


def for_kinds(session: Session, wanted: Iterable[str], ladders: Iterable[Sequence[str]]) -> list[Department]:
    """Find the departments of these kinds for each ladder of unit keys (finest first), each department once."""
    known = register(session)
    found = (each for ladder in ladders for kind in wanted for each in known.nearest(kind, ladder))
    return list(dict.fromkeys(found))


def find(session: Session, *, kind: str | None = None, ground: str | None = None) -> list[Department]:
    """List departments, by kind or by the unit they serve, in the order of their codes."""
    condition = """(CAST(:kind AS text) IS NULL OR kind = :kind)
        AND (CAST(:ground AS text) IS NULL OR coalesce(net || ':' || level || ':' || unit_code, '') = :ground)"""
    return _departments(session, condition, {"kind": kind, "ground": ground})


def load(session: Session, rows: Iterable[Mapping[str, Any]]) -> int:
    """Take in departments from rows: code, kind, name_zh; name_en, net, level, unit_code, belongs_to, managed_by.

    A code that is known gets its new names, ground and masters. Raise Problems with every row that is wrong; then
    nothing is written.
    """
    problems: list[ShaotuError] = []
    good = {number: parsed for number, row in enumerate(rows, 2) if (parsed := _parsed(number, row, problems))}
    problems += _repeated(list(good.values()))
    known = {**register(session).by_code, **{each.code: each for each in good.values()}}
    problems += [problem for number, each in good.items() if (problem := _bad_masters(number, each, known))]
    if problems:
        raise Problems(problems)
    _store(session, list(good.values()))
    return len(good)


def establish(session: Session, units: Iterable[UnitRef], only: Iterable[str] | None = None) -> int:
    """Open one department of each kind for each unit of the level it serves, and the city-wide ones once.

    Departments that are there already are left as they are.
    """
    chosen = [kind for code, kind in kinds().items() if only is None or code in set(only)]
    opened = [_opened(kind, unit) for unit in units for kind in chosen if kind.serves == unit.level]
    opened += [Department(kind.code, kind.code, kind.name_zh, kind.name_en) for kind in chosen if not kind.serves]
    known = register(session).by_code
    fresh = [each for each in opened if each.code not in known]
    _store(session, fresh)
    return len(fresh)


def close(session: Session, code: str, *, on: date, today: date) -> None:
    """Close a department from a day on that has come; its name and its history stay.

    Raise NotFound, Conflict if it is closed already, Invalid for a day to come: it works until then.
    """
    known = register(session).by_code.get(code)
    if known is None:
        raise NotFound("departments.unknown", code=code)
    if known.closed_on:
        raise Conflict("departments.closed_already", code=code, on=known.closed_on)
    if on > today:
        raise Invalid("departments.closes_later", code=code, on=on, today=today)
    session.execute(text("UPDATE department SET closed_on = :on WHERE code = :code"), {"code": code, "on": on})


def open_desk(session: Session, code: str) -> None:
    """Make sure the general desk exists: what nobody else takes is sent there."""
    desk = kinds()[DESK]
    session.execute(
        text("""
            INSERT INTO department (code, kind, name_zh, name_en) VALUES (:code, :kind, :name_zh, :name_en)
            ON CONFLICT (code) DO NOTHING
        """),
        {"code": code, "kind": DESK, "name_zh": desk.name_zh, "name_en": desk.name_en},
    )


def _opened(kind: Kind, unit: UnitRef) -> Department:
    return Department(
        code=f"{kind.code}-{unit.code}",
        kind=kind.code,
        name_zh=kind.office_zh % {"unit": unit.name},
        name_en=kind.office_en % {"unit": unit.name_en or unit.name},
        ground=unit.key,
    )


def _parsed(number: int, row: Mapping[str, Any], problems: list[ShaotuError]) -> Department | None:
    values = {name: str(row.get(name) or "").strip() for name in ("code", "kind", "name_zh", "name_en")}
    ground = [str(row.get(name) or "").strip() for name in ("net", "level", "unit_code")]
    missing = [name for name in ("code", "kind", "name_zh") if not values[name]]
    if missing:
        problems.append(Invalid("departments.missing", row=number, columns=", ".join(missing)))
    elif values["kind"] not in kinds():
        problems.append(Invalid("departments.unknown_kind", row=number, kind=values["kind"]))
    elif any(ground) and not all(ground):
        problems.append(Invalid("departments.half_a_ground", row=number, code=values["code"]))
    else:
        code, kind, name_zh, name_en = values.values()
        place = ":".join(ground) if all(ground) else CITY
        belongs_to, managed_by = (str(row.get(name) or "").strip() or None for name in ("belongs_to", "managed_by"))
        return Department(code, kind, name_zh, name_en, place, belongs_to=belongs_to, managed_by=managed_by)
    return None


def _bad_masters(number: int, department: Department, known: Mapping[str, Department]) -> Invalid | None:
    """Say which master is none, or that a department would in the end be its own."""
    missing = [code for code in department.masters if code not in known]
    if missing:
        return Invalid("departments.unknown_master", row=number, code=department.code, master=missing[0])
    seen, above = set[str](), set(department.masters)
    while above - seen:
        seen |= above
        above = {master for code in above if code in known for master in known[code].masters}
    return Invalid("departments.own_master", row=number, code=department.code) if department.code in seen else None


def _repeated(good: Sequence[Department]) -> list[ShaotuError]:
    seen: set[str] = set()
    twice = sorted({each.code for each in good if each.code in seen or seen.add(each.code)})  # type: ignore[func-returns-value]
    return [Invalid("departments.repeated", code=code) for code in twice]


def _store(session: Session, departments: Sequence[Department]) -> None:
    if not departments:
        return
    session.execute(
        text("""
            INSERT INTO department (code, kind, name_zh, name_en, net, level, unit_code, belongs_to, managed_by)
            VALUES (:code, :kind, :name_zh, :name_en, :net, :level, :unit_code, :belongs_to, :managed_by)
            ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, name_zh = excluded.name_zh,
                name_en = excluded.name_en, net = excluded.net, level = excluded.level, unit_code = excluded.unit_code,
                belongs_to = excluded.belongs_to, managed_by = excluded.managed_by
        """),
        [_row(each) for each in departments],
    )


def _row(department: Department) -> dict[str, str | None]:
    apart = {"ground", "closed_on"}
    named = {each.name: getattr(department, each.name) for each in fields(Department) if each.name not in apart}
    net, level, unit_code = department.ground.split(":", 2) if department.ground else (None, None, None)
    return named | {"net": net, "level": level, "unit_code": unit_code}


def _departments(session: Session, condition: str, params: Mapping[str, object]) -> list[Department]:
    columns = "code, kind, name_zh, name_en, net, level, unit_code, closed_on, belongs_to, managed_by"
    sql = text(f"SELECT {columns} FROM department WHERE {condition} ORDER BY code")
    return [_department(row) for row in session.execute(sql, params).mappings()]


def _department(row: RowMapping) -> Department:
    ground = CITY if row["net"] is None else f"{row['net']}:{row['level']}:{row['unit_code']}"
    told = {name: value for name, value in row.items() if name not in {"net", "level", "unit_code"}}
    return Department(**told, ground=ground)

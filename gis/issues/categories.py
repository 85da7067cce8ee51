"""Category schemes: what an issue can be about, by scheme and version. Codes of two versions are never compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems, ShaotuError
from gis.issues import files
from gis.settings import ROOT

DATA = ROOT / "data" / "categories"
RISKS = range(4)
COLUMNS = "scheme, version, code, parent, name_zh, name_en, urgency, boundary_risk"


@dataclass(frozen=True)
class Category:
    """A category. parent: its major class. urgency: the usual limit (2uh: urgent hours, 4h, 5d). boundary_risk: 0-3."""

    scheme: str
    version: str
    code: str
    parent: str | None
    name_zh: str
    name_en: str
    urgency: str | None = None
    boundary_risk: int = 0


def get(session: Session, scheme: str, version: str, code: str) -> Category:
    """Return a category; raise Invalid, since an unknown one came in with a report."""
    asked = {"scheme": scheme, "version": version, "code": code}
    found = _select(session, "scheme = :scheme AND version = :version AND code = :code", asked)
    if not found:
        raise Invalid("categories.unknown", scheme=scheme, version=version, category=code)
    return found[0]


def find(session: Session, scheme: str | None = None, words: str = "") -> list[Category]:
    """List categories in the order of their codes; words: part of a code or of a name."""
    condition = """(CAST(:scheme AS text) IS NULL OR scheme = :scheme)
        AND (strpos(lower(code), lower(:words)) > 0 OR strpos(name_zh, :words) > 0
             OR strpos(lower(name_en), lower(:words)) > 0)"""
    return _select(session, condition, {"scheme": scheme, "words": words})


def known(session: Session) -> dict[tuple[str, str, str], Category]:
    """Read all categories, by scheme, version and code."""
    return {(each.scheme, each.version, each.code): each for each in _select(session, "true", {})}


def load(session: Session, path: Path) -> int:
    """Take in a scheme from a CSV or XLSX file; known codes get their new names. Raise Problems: all wrong rows."""
    problems: list[ShaotuError] = []
    numbered = list(_parsed(path, problems))
    good = [category for _, category in numbered]
    problems += [*_orphans(good), *_circles(numbered)]
    if problems:
        raise Problems(problems)
    session.execute(
        text(f"""
            INSERT INTO category ({COLUMNS})
            VALUES (:scheme, :version, :code, :parent, :name_zh, :name_en, :urgency, :boundary_risk)
            ON CONFLICT (scheme, version, code) DO UPDATE SET parent = excluded.parent, name_zh = excluded.name_zh,
                name_en = excluded.name_en, urgency = excluded.urgency, boundary_risk = excluded.boundary_risk
        """),
        [vars(each) for each in good],
    )
    return len(good)


def _parsed(path: Path, problems: list[ShaotuError]) -> Iterator[tuple[int, Category]]:
    seen: dict[tuple[str, str, str], int] = {}
    for number, row in files.open_table(path).rows:
        try:
            category = _category(number, {name: str(value or "").strip() for name, value in row.items()})
        except Invalid as problem:
            problems.append(problem)
            continue
        first = seen.setdefault((category.scheme, category.version, category.code), number)
        if first != number:
            problems.append(Invalid("categories.repeated", row=number, category=category.code, first=first))
        yield number, category


def _category(number: int, row: Mapping[str, Any]) -> Category:
    missing = [name for name in ("scheme", "version", "code", "name_zh") if not row.get(name)]
    if missing:
        raise Invalid("categories.missing", row=number, columns=", ".join(missing))
    risk = row.get("boundary_risk") or "0"
    if risk not in map(str, RISKS):
        raise Invalid("categories.risk", row=number, risk=risk)
    return Category(
        scheme=row["scheme"],
        version=row["version"],
        code=row["code"],
        parent=row.get("parent") or None,
        name_zh=row["name_zh"],
        name_en=row.get("name_en") or row["name_zh"],
        urgency=row.get("urgency") or None,
        boundary_risk=int(risk),
    )


def _orphans(good: list[Category]) -> list[ShaotuError]:
    codes = {(each.scheme, each.version, each.code) for each in good}
    return [
        Invalid("categories.no_parent", category=each.code, parent=each.parent)
        for each in good
        if each.parent and (each.scheme, each.version, each.parent) not in codes
    ]


def _circles(numbered: list[tuple[int, Category]]) -> list[ShaotuError]:
    """Name the rows whose major classes lead back to themselves: a list that falls back on them would never end."""
    above = {(each.scheme, each.version, each.code): each.parent for _, each in numbered}
    return [
        Invalid("categories.circle", row=number, category=each.code, parent=each.parent)
        for number, each in numbered
        if _leads_back(each, above)
    ]


def _leads_back(category: Category, above: Mapping[tuple[str, str, str], str | None]) -> bool:
    code, seen = category.parent, set[str]()
    while code and code not in seen and code != category.code:
        seen.add(code)
        code = above.get((category.scheme, category.version, code))
    return code == category.code


def _select(session: Session, condition: str, params: Mapping[str, Any]) -> list[Category]:
    sql = text(f"SELECT {COLUMNS} FROM category WHERE {condition} ORDER BY scheme, version, code")
    return [Category(**row) for row in session.execute(sql, params).mappings()]

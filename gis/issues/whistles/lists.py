"""What a city configures of whistles, as data: the types, the whistle item list, and who makes a danger safe."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from gis.errors import Invalid
from gis.issues.worktime import UNITS, Limit
from gis.settings import ROOT

FOLDER = ROOT / "data" / "workflow"
TYPES, ITEMS, MAKE_SAFE = (FOLDER / name for name in ("whistle_types.csv", "whistle_items.csv", "make_safe.csv"))
# The row for what a person calls dangerous, whatever its category.
ANY = "*"


@dataclass(frozen=True)
class Kind:
    """A type of whistle. straight: its departments are called at once; answer: for the centre; report: for them."""

    code: str
    name_zh: str
    name_en: str
    straight: bool
    answer: Limit
    report: Limit


@dataclass(frozen=True)
class Item:
    """A line of the whistle item list. categories: beginnings of codes, empty for all; kinds: who may come."""

    code: str
    name_zh: str
    name_en: str
    categories: tuple[str, ...]
    kinds: tuple[str, ...]

    def fits(self, category: str) -> bool:
        """Say whether it is for a category."""
        return not self.categories or category.startswith(self.categories)


@dataclass(frozen=True)
class Danger:
    """A category that is made safe before anything is settled. kinds: who can do it, the first that exists goes."""

    category: str
    kinds: tuple[str, ...]
    limit: Limit


@cache
def types(path: Path = TYPES) -> Mapping[str, Kind]:
    """Read the types of whistle by code; raise Invalid at the first row that is wrong."""
    return {
        row["type"]: Kind(
            row["type"], row["name_zh"], row["name_en"], row["straight"] == "yes",
            _limit(path, number, row["answer"]), _limit(path, number, row["report"]),
        )
        for number, row in _rows(path)
    }  # fmt: skip


@cache
def items(path: Path = ITEMS) -> Mapping[str, Item]:
    """Read the whistle item list by code."""
    return {
        row["item"]: Item(
            row["item"], row["name_zh"], row["name_en"], tuple(row["categories"].split()), tuple(row["kinds"].split())
        )
        for _, row in _rows(path)
    }


@cache
def dangers(path: Path = MAKE_SAFE) -> Mapping[str, Danger]:
    """Read which categories are dangerous, by code; ANY stands for a person's word. Raise Invalid."""
    return {
        row["category"]: Danger(row["category"], tuple(row["kinds"].split()), _limit(path, number, row["limit"]))
        for number, row in _rows(path)
    }


def kind(code: str) -> Kind:
    """Return a type of whistle; raise Invalid."""
    found = types().get(code)
    if found is None:
        raise Invalid("whistles.unknown_type", type=code, types=", ".join(types()))
    return found


def item(code: str, category: str) -> Item:
    """Return an item of the list that is for a category; raise Invalid."""
    found = items().get(code)
    if found is None:
        raise Invalid("whistles.unknown_item", item=code, items=", ".join(items()))
    if not found.fits(category):
        raise Invalid("whistles.item_not_for", item=found.code, category=category)
    return found


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(enumerate(csv.DictReader(file), 2))


def _limit(path: Path, number: int, said: str) -> Limit:
    value, _, unit = said.partition(" ")
    try:
        limit = Limit(Fraction(value), unit)
    except (ValueError, ZeroDivisionError):
        raise Invalid("whistles.bad_limit", file=path.name, row=number, limit=said) from None
    if unit not in UNITS or limit.value <= 0:
        raise Invalid("whistles.bad_limit", file=path.name, row=number, limit=said)
    return limit

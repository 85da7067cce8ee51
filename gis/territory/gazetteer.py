"""The names of the city's own ground, kept in memory: what address texts are read by and looked up in."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from functools import cached_property
from threading import Lock
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import units
from gis.territory.address import Names, keys, names

Key = Callable[[str], str]

KEPT = 8
ALIKE = 0.75
MOST_ALIKE = 3

# What a division's name ends in tells what it is, whatever a city calls its levels.
_KINDS = (
    ("community", ("社区", "村", "居委会", "村委会")),
    ("town", ("街道", "街道办事处", "镇", "乡")),
    ("district", ("区", "县", "旗")),
    ("city", ("市",)),
)


@dataclass(frozen=True)
class Index:
    """Names by their key, and the keys most like one that is not there."""

    by_key: Mapping[str, tuple[str, ...]]

    def find(self, wanted: str) -> list[tuple[str, float]]:
        """Return (name, likeness 0..1), best first: the names of this key, or those of the keys most like it."""
        exact = self.by_key.get(wanted)
        if exact:
            return [(name, 1.0) for name in exact]
        return [(name, like) for key, like in self._similar(wanted) for name in self.by_key[key]]

    @cached_property
    def _holding(self) -> Mapping[str, frozenset[str]]:
        holding: defaultdict[str, set[str]] = defaultdict(set)
        for key in self.by_key:
            for pair in _pairs(key):
                holding[pair].add(key)
        return {pair: frozenset(held) for pair, held in holding.items()}

    def _similar(self, wanted: str) -> list[tuple[str, float]]:
        counts: defaultdict[str, int] = defaultdict(int)
        for pair in _pairs(wanted):
            for key in self._holding.get(pair, ()):
                counts[key] += 1
        near = [key for key, shared in counts.items() if 3 * shared >= len(wanted) - 1]
        rated = [(key, _likeness(wanted, key)) for key in near]
        return sorted(((k, like) for k, like in rated if like >= ALIKE), key=lambda r: (-r[1], r[0]))[:MOST_ALIKE]


@dataclass(frozen=True)
class Gazetteer:
    """Names for the parser; streets, estates, parks and waters, units (by lower-case name, to ids) to look up."""

    names: Names
    streets: Index
    estates: Index
    lands: Index
    units: Mapping[str, tuple[int, ...]]


_kept: OrderedDict[tuple[Any, ...], Gazetteer] = OrderedDict()
_lock = Lock()


def of(session: Session, on: date) -> Gazetteer:
    """Return the names in force on a day."""
    version = _version(session, on)
    with _lock:
        if version in _kept:
            _kept.move_to_end(version)
            return _kept[version]
    made = _read(session, on)
    with _lock:
        _kept[version] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made


def _version(session: Session, on: date) -> tuple[Any, ...]:
    # Identities are never given twice, not even after a rollback: with the layer's version they tell any change.
    row = session.execute(
        text("""
            SELECT current_database(), (SELECT max(id) FROM street), (SELECT max(id) FROM estate),
                   (SELECT max(id) FROM address), (SELECT max(id) FROM land), (SELECT sum(version) FROM ground_version)
        """)
    ).one()
    return (*row, *(edition.id for edition in units.in_force(session, on)))


def _read(session: Session, on: date) -> Gazetteer:
    named = _units(session, on)
    streets = _index(session.execute(text(_NAMES.format(table="street"))), keys.street)
    _add(streets, ((name, name) for (name,) in session.execute(text(_ADDRESS_STREETS))), keys.street)
    estates = _index(session.execute(text(_NAMES.format(table="estate"))), keys.estate)
    lands = _index(session.execute(text(_LANDS)), keys.estate)
    known = [(kind, name) for name, _ in named for kind in [_kind(name)] if kind]
    known += [("street", name) for held in streets.values() for name in held]
    known += [("estate", name) for kept in (estates, lands) for held in kept.values() for name in held]
    by_name: defaultdict[str, set[int]] = defaultdict(set)
    for name, unit_id in named:
        for form in _forms(name):
            by_name[form.lower()].add(unit_id)
    ids = {name: tuple(sorted(found)) for name, found in by_name.items()}
    return Gazetteer(names.of(known), _frozen(streets), _frozen(estates), _frozen(lands), ids)


_NAMES = "SELECT DISTINCT unnest(name_en || (name || aliases)) AS said, name FROM {table} WHERE name <> ''"
_LANDS = "SELECT DISTINCT unnest(ARRAY[name, name_en]) AS said, name FROM land WHERE name <> ''"
_ADDRESS_STREETS = "SELECT DISTINCT street_name FROM address WHERE street_name <> ''"


def _units(session: Session, on: date) -> list[tuple[str, int]]:
    # Nets drawn inside another one (cells, grids) have numbers for names, by the thousand.
    rows = session.execute(
        text(f"""
            SELECT DISTINCT unnest(u.name_en || (u.name || u.aliases)) AS said, u.id
            FROM unit u JOIN edition e ON e.id = u.edition_id JOIN net n ON n.code = u.net
            WHERE {units.IN_FORCE} AND n.parent_net IS NULL
        """),
        {"on": on},
    )
    return [(said, unit_id) for said, unit_id in rows if said]


def _index(rows: Iterable[Any], key: Key) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    _add(found, ((said, name) for said, name in rows), key)
    return found


def _add(found: defaultdict[str, set[str]], rows: Iterable[tuple[str, str]], key: Key) -> None:
    for said, name in rows:
        if said:
            found[key(said)].add(name)


def _frozen(found: Mapping[str, set[str]]) -> Index:
    return Index({key: tuple(sorted(held)) for key, held in found.items()})


def _kind(name: str) -> str | None:
    return next((kind for kind, ends in _KINDS if name.endswith(ends)), None)


def _forms(name: str) -> set[str]:
    """Return a unit's name and the short forms it goes by."""
    return {name, *names.of([(kind, name)])} if (kind := _kind(name)) else {name}


def _pairs(key: str) -> set[str]:
    return {key[at : at + 2] for at in range(len(key) - 1)}


def _likeness(one: str, other: str) -> float:
    # Numbers are never alike: 45 street is not 46 street.
    if [c for c in one if c.isdigit()] != [c for c in other if c.isdigit()]:
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()

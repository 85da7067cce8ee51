"""Who stands under whom, as tables of rows: the editions that answer on a day, and the units above each unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from threading import Lock

import numpy as np
import numpy.typing as npt

from gis.territory.index import EditionIndex, LevelIndex
from gis.territory.location import UnitRef
from gis.territory.units import EditionRef

Rows = npt.NDArray[np.int32]

# In a table of parents, beside rows: the unit names a parent that is none in force; it names none, and stands anywhere.
UNKNOWN, ANYWHERE = -1, -3


@dataclass(frozen=True)
class Roll:
    """All units one level of a net has had in the editions met so far, edition after edition."""

    levels: tuple[LevelIndex, ...] = ()
    starts: Mapping[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(level.refs) for level in self.levels)

    def __getitem__(self, position: int) -> UnitRef:
        for level in self.levels:
            if position < len(level.refs):
                return level.refs[position]
            position -= len(level.refs)
        raise IndexError(position)

    def words(self, column: str) -> list[str]:
        """Return what stands in a column of all units: code, name or name_en."""
        return [word or "" for level in self.levels for word in level.words(column)]

    def with_edition(self, edition_id: int, level: LevelIndex) -> Roll:
        """Return the roll with an edition's units at its end."""
        return Roll((*self.levels, level), {**self.starts, edition_id: len(self)})


@dataclass(frozen=True)
class Ground:
    """One edition that answers, with the one it is drawn inside where that answers too.

    under[k][row]: of a unit of level k the row of its parent in level k - 1; beneath[k][row]: the row of its parent in
    `outer`, the level of the other net that this net is drawn inside. Or UNKNOWN, or ANYWHERE.
    outer_at: which level of that net it is, counted from the coarsest. rows[k]: the row of each code of level k.
    """

    index: EditionIndex
    rows: tuple[Mapping[str, int], ...]
    under: tuple[Rows, ...]
    outer: Ground | None = None
    outer_at: int = 0
    beneath: tuple[Rows, ...] = ()

    @property
    def edition(self) -> EditionRef:
        """The edition."""
        return self.index.edition

    @property
    def codes(self) -> tuple[str, ...]:
        """The levels' codes, coarsest first."""
        return tuple(level.code for level in self.edition.levels)

    @property
    def levels(self) -> tuple[LevelIndex, ...]:
        """The levels' indexes, coarsest first."""
        return tuple(self.index.levels[level.code] for level in self.edition.levels)


class Grounds:
    """The editions that may answer, each opened at the first day that needs it. Threads may share it."""

    def __init__(self, editions: Iterable[EditionRef], opened: Callable[[EditionRef], EditionIndex]) -> None:
        self.editions = tuple(editions)
        self._opened = opened
        self._lock = Lock()
        self._together: dict[tuple[int, ...], tuple[Ground, ...]] = {}
        self.rolls: dict[tuple[str, str], Roll] = {}

    def on(self, day: date) -> tuple[Ground, ...]:
        """Return the ground of every net on a day; a net comes after the one it is drawn inside."""
        editions = sorted((each for each in self.editions if each.holds_on(day)), key=_parents_first)
        key = tuple(edition.id for edition in editions)
        with self._lock:
            if key not in self._together:
                self._together[key] = self._open(editions)
            return self._together[key]

    def nets(self) -> tuple[EditionRef, ...]:
        """Return one edition of each net that may answer, for its levels, in the order of the nets."""
        return tuple({edition.net: edition for edition in reversed(self.editions)}.values())[::-1]

    def _open(self, editions: Sequence[EditionRef]) -> tuple[Ground, ...]:
        made: dict[str, Ground] = {}
        for edition in editions:
            index = self._opened(edition)
            self._enrol(index)
            made[edition.net] = ground(index, made.get(edition.parent_net or ""))
        return tuple(made.values())

    def _enrol(self, index: EditionIndex) -> None:
        for level, units in index.levels.items():
            roll = self.rolls.setdefault((index.edition.net, level), Roll())
            if index.edition.id not in roll.starts:
                self.rolls[index.edition.net, level] = roll.with_edition(index.edition.id, units)


def ground(index: EditionIndex, outer: Ground | None) -> Ground:
    """Tabulate the parents of an edition's units. outer: what its parent net says on the day."""
    levels = [index.levels[level.code] for level in index.edition.levels]
    rows = tuple({code or "": row for row, code in enumerate(units.words("code"))} for units in levels)
    under = tuple(_parents(units, over) for units, over in zip(levels, ({}, *rows), strict=False))
    inside = index.edition.parent_level
    if outer is None or inside is None:
        return Ground(index, rows, under)
    at = outer.codes.index(inside)
    beneath = tuple(_parents(units, outer.rows[at]) for units in levels)
    # Of the net around, a unit that is not in force binds nobody.
    free = tuple(np.where(parents == UNKNOWN, np.int32(ANYWHERE), parents) for parents in beneath)
    return Ground(index, rows, under, outer, at, free)


def _parents(units: LevelIndex, above: Mapping[str, int]) -> Rows:
    parents = [ANYWHERE if code is None else above.get(code, UNKNOWN) for code in units.words("parent_code")]
    # Two more, so that what `only` says beside rows (-1, -2) looks up a parent that binds nothing.
    return np.array([*parents, ANYWHERE, ANYWHERE], dtype=np.int32)


def _parents_first(edition: EditionRef) -> bool:
    return edition.parent_net is not None

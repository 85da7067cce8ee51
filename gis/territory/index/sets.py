"""Sets of units by number, so that a pixel names what covers it in one word, however often ground is drawn twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.compiled import compiled
from gis.territory.index.shapes import NONE, Ints, Rows, Sets

FULL = -1


class Kept(NamedTuple):
    """Sets while they are gathered: a table from content to number, and how much of the room is used.

    units_n: an array of one; start, rows: as in Sets, with room; slots: number - first, NONE where empty; used: sets,
    rows; work: room for the set in hand.
    """

    units_n: int
    start: Rows
    rows: Rows
    slots: Rows
    used: Ints
    work: Rows


def empty(units_n: int, room: int = 1 << 10) -> Kept:
    """Make room for some sets of several units."""
    start = np.zeros(room + 1, dtype=np.int32)
    slots, used = np.full(4 * room, NONE, dtype=np.int32), np.zeros(2, dtype=np.int64)
    return Kept(units_n, start, np.empty(16 * room, np.int32), slots, used, np.empty(4 * room, np.int32))


def larger(kept: Kept) -> Kept:
    """Make more room, with nothing in it."""
    return empty(kept.units_n, 8 * (len(kept.start) - 1))


def finished(kept: Kept) -> Sets:
    """Give the sets without the room that was left."""
    sets_n, rows_n = (int(used) for used in kept.used)
    return Sets(kept.units_n + 1, kept.start[: sets_n + 1].copy(), kept.rows[:rows_n].copy())


@compiled
def content(kept: Kept, number: int) -> int:
    """Put a set into the work room; return how many units it has."""
    if number == 0:
        return 0
    if number <= kept.units_n:
        kept.work[0] = number - 1
        return 1
    at = number - kept.units_n - 1
    size = kept.start[at + 1] - kept.start[at]
    for nth in range(size):
        kept.work[nth] = kept.rows[kept.start[at] + nth]
    return size


@compiled
def toggle(work: Rows, size: int, unit: int) -> int:
    """Take a unit out of the set in the work room, or put it in; return its size, FULL if there is no room."""
    if unit == NONE or size == FULL:
        return size
    at = 0
    while at < size and work[at] < unit:
        at += 1
    if at < size and work[at] == unit:
        for place in range(at + 1, size):
            work[place - 1] = work[place]
        return size - 1
    if size == len(work):
        return FULL
    for place in range(size, at, -1):
        work[place] = work[place - 1]
    work[at] = unit
    return size + 1


@compiled
def number_of(kept: Kept, size: int) -> int:
    """Return the number of the set in the work room, a new one if need be, FULL if there is no room."""
    if size <= 0:
        return size
    if size == 1:
        return kept.work[0] + 1
    slot = _slot(kept, size)
    if kept.slots[slot] == NONE and not _keep(kept, slot, size):
        return FULL
    return kept.units_n + 1 + kept.slots[slot]


@compiled
def _slot(kept: Kept, size: int) -> int:
    mixed = size
    for nth in range(size):
        mixed = (mixed * 1000003) ^ kept.work[nth]
    slot = (mixed ^ (mixed >> 17)) & (len(kept.slots) - 1)
    while kept.slots[slot] != NONE and not _is(kept, kept.slots[slot], size):
        slot = (slot + 1) & (len(kept.slots) - 1)
    return slot


@compiled
def _is(kept: Kept, at: int, size: int) -> bool:
    first, same = kept.start[at], 0
    if kept.start[at + 1] - first != size:
        return False
    while same < size and kept.rows[first + same] == kept.work[same]:
        same += 1
    return same == size


@compiled
def _keep(kept: Kept, slot: int, size: int) -> bool:
    number, rows_n = kept.used[0], kept.used[1]
    if number + 1 == len(kept.start) or rows_n + size > len(kept.rows):
        return False
    for nth in range(size):
        kept.rows[rows_n + nth] = kept.work[nth]
    kept.start[number + 1] = rows_n + size
    kept.slots[slot] = number
    kept.used[0], kept.used[1] = number + 1, rows_n + size
    return True

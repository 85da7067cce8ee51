"""One chain of units for a place that touches several: the written rule of the primary.

A point on a shared edge or vertex is covered by every unit that touches it; all are listed, and one chain is primary:

1. A chain takes at most one unit from each level of the net, and a unit stands under another only as its child. So a
   chain never contradicts itself.
2. The chain with most levels is primary.
3. Among equals the coarsest level decides, then the next: the larger share goes first, then the lower code.
4. A net drawn inside another one (cells inside communities) starts from the unit primary there: units of other parents
   are listed, never primary, unless that parent is no unit of the edition in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from gis.territory.location import Standing, UnitRef

Chain = tuple[Standing | None, ...]


def primary(
    levels: Sequence[Sequence[Standing]], stands_under: Callable[[UnitRef], bool]
) -> tuple[UnitRef | None, ...]:
    """Choose the primary unit of each level, coarsest first. stands_under: may a unit start the chain in this net."""
    if all(len(level) <= 1 for level in levels) and _agrees(tuple(next(iter(level), None) for level in levels)):
        chosen: Chain = tuple(next(iter(level), None) for level in levels)
        first = next((standing for standing in chosen if standing), None)
        if first is None or stands_under(first.unit):
            return _units(chosen)
    # Fewest holes first: nearly always there is a chain without any, and the others need not be looked at.
    for holes in range(len(levels) + 1):
        chains = [chain for chain in _chains(levels, holes) if _starts(chain, stands_under)]
        if chains:
            return _units(min(chains, key=_order))
    return tuple(None for _ in levels)


def _units(chosen: Chain) -> tuple[UnitRef | None, ...]:
    return tuple(None if standing is None else standing.unit for standing in chosen)


def _starts(chain: Chain, stands_under: Callable[[UnitRef], bool]) -> bool:
    first = next((standing for standing in chain if standing), None)
    return first is None or stands_under(first.unit)


def _chains(levels: Sequence[Sequence[Standing]], holes: int) -> Iterator[Chain]:
    """Yield the chains that leave out so many of the levels that have a unit."""
    if not levels:
        yield from [()] * (holes == 0)
        return
    for above in _chains(levels[:-1], holes):
        yield from ((*above, here) for here in levels[-1] if _may_follow(above, here))
    if holes or not levels[-1]:
        yield from ((*above, None) for above in _chains(levels[:-1], holes - bool(levels[-1])))


def _may_follow(above: Chain, here: Standing) -> bool:
    over = above[-1] if above else None
    return over is None or here.unit.parent_code in (None, over.unit.code)


def _agrees(chain: Chain) -> bool:
    return all(low is None or _may_follow((high,), low) for high, low in pairwise(chain))


def _order(chain: Chain) -> tuple[int, list[tuple[bool, float, str]]]:
    missing = sum(standing is None for standing in chain)
    return missing, [(False, -(s.share or s.probability or 0.0), s.unit.code) if s else (True, 0.0, "") for s in chain]

"""What a person found out about a place near a line: on which side it is. Pure.

The coordinates stay as they were reported, with how exact they are; only what follows from them is narrowed to the
side that was found out: in its net above and below it, and in the nets that are drawn inside that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from gis.errors import Invalid
from gis.territory.location import (
    IN_GAP,
    IN_OVERLAP,
    NEAR_BOUNDARY,
    OUTSIDE,
    LevelAnswer,
    NetAnswer,
    Standing,
    UnitRef,
)

# What is settled once one unit is left.
SETTLED = {NEAR_BOUNDARY, IN_OVERLAP, IN_GAP, OUTSIDE}
Parent = tuple[str | None, str | None]


def narrow(nets: Sequence[NetAnswer], unit_key: str, drawn_in: Mapping[str, Parent]) -> tuple[NetAnswer, ...]:
    """Narrow what nets say of a place to one unit (net:level:code) and what fits it.

    drawn_in: the net and level each net is drawn inside of. Raise Invalid where the place cannot be in that unit, or
    where it has parts on several sides.
    """
    net_code, level_code, code = [*unit_key.split(":", 2), "", ""][:3]
    own = next((net for net in nets if net.net == net_code), None)
    level = next((each for each in own.levels if each.level == level_code), None) if own else None
    unit = next((each for each in candidates(level) if each.code == code), None) if level else None
    if own is None or level is None or unit is None:
        raise Invalid("sides.no_candidate", unit=unit_key[:120])
    if any(standing.share is not None for standing in level.units):
        raise Invalid("sides.has_parts", unit=unit_key)
    narrowed = {net_code: _own(own, unit)}
    for net in nets:
        above, at = drawn_in.get(net.net, (None, None))
        if net.net not in narrowed and above in narrowed:
            narrowed[net.net] = _inside(net, narrowed[above], at)
    return tuple(narrowed.get(net.net, net) for net in nets)


def candidates(level: LevelAnswer) -> tuple[UnitRef, ...]:
    """List the units of a level a place is or may be in, each once."""
    named = (*(each.unit for each in level.units), *(each.unit for each in level.probable), *level.close)
    return tuple({unit.code: unit for unit in named}.values())


def _own(net: NetAnswer, unit: UnitRef) -> NetAnswer:
    """Keep the unit, those above it, and those below it."""
    at = next(nth for nth, level in enumerate(net.levels) if level.level == unit.level)
    levels, below = list(net.levels), unit
    levels[at] = _kept(levels[at], lambda each: each.code == unit.code)
    for nth in reversed(range(at)):
        parent = next((each for each in candidates(levels[nth]) if each.code == below.parent_code), None)
        if parent is None:
            break
        levels[nth], below = _kept(levels[nth], _has_code({parent.code})), parent
    return replace(net, levels=_downwards(levels, at + 1))


def _inside(net: NetAnswer, above: NetAnswer, at: str | None) -> NetAnswer:
    """Keep of a net the units that stand in what was kept of the one it is drawn in."""
    parents = next((level for level in above.levels if level.level == at), None)
    if parents is None or not net.levels:
        return net
    levels = [_kept(net.levels[0], _stands_in(candidates(parents))), *net.levels[1:]]
    return replace(net, levels=_downwards(levels, 1))


def _downwards(levels: list[LevelAnswer], start: int) -> tuple[LevelAnswer, ...]:
    for nth in range(start, len(levels)):
        levels[nth] = _kept(levels[nth], _stands_in(candidates(levels[nth - 1])))
    return tuple(levels)


def _has_code(codes: set[str]) -> Callable[[UnitRef], bool]:
    return lambda unit: unit.code in codes


def _stands_in(parents: Iterable[UnitRef]) -> Callable[[UnitRef], bool]:
    codes = {parent.code for parent in parents}
    return lambda unit: unit.parent_code in codes


def _kept(level: LevelAnswer, fits: Callable[[UnitRef], bool]) -> LevelAnswer:
    left = tuple(unit for unit in candidates(level) if fits(unit))
    if len(left) == 1:
        certain = Standing(left[0], probability=1.0)
        flags = tuple(flag for flag in level.flags if flag not in SETTLED)
        return replace(
            level, primary=left[0], units=(certain,), probable=(certain,), close=(), nearest=None, nearest_m=None,
            flags=flags,
        )  # fmt: skip
    units = tuple(standing for standing in level.units if fits(standing.unit))
    held = level.primary if level.primary and fits(level.primary) else next((each.unit for each in units), None)
    return replace(
        level, primary=held, units=units, probable=_whole(level.probable, fits),
        close=tuple(unit for unit in level.close if fits(unit)),
    )  # fmt: skip


def _whole(probable: Iterable[Standing], fits: Callable[[UnitRef], bool]) -> tuple[Standing, ...]:
    """Give those that fit the whole probability, in the parts they had."""
    kept = [standing for standing in probable if fits(standing.unit)]
    total = sum(standing.probability or 0 for standing in kept)
    return tuple(replace(each, probability=(each.probability or 0) / total) for each in kept) if total else ()

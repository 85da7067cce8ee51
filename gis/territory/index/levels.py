"""An edition's units become levels of arrays, finest first; a level that nests stands on the grid of the finer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gis.territory.index import arcs, grid, near, nest
from gis.territory.index.arcs import Found, Table
from gis.territory.index.shapes import NONE, Arcs, Geometries, Grid, Level, Near, Rings, Rows, Units


@dataclass(frozen=True)
class _Base:
    """The finer level whose grid may be stood on."""

    arcs: Arcs
    table: Table
    grid: Grid


def build(drawn: Sequence[tuple[Units, Geometries]]) -> tuple[Level, ...]:
    """Build the levels of an edition, coarsest first in and out; raise Invalid for geometry that cannot be indexed."""
    made: list[Level] = []
    base: _Base | None = None
    unit_of = np.empty(0, np.int32)
    for units, geometries in reversed(drawn):
        rings = arcs.rings(geometries)
        if made and base:
            unit_of = _parents(unit_of, made[-1].units.parent)
        found = _stands_on(base, rings, unit_of) if made and base else None
        if base is None or found is None:
            base, found = _own(rings, len(geometries))
            unit_of = np.arange(len(geometries), dtype=np.int32)
        made.append(_level(base, rings, found, unit_of, units))
    return tuple(reversed(made))


def _parents(unit_of: Rows, parent: Rows) -> Rows:
    """Say for each unit of the grid whose it is one level up."""
    return np.where(unit_of == NONE, NONE, np.append(parent, NONE)[unit_of]).astype(np.int32)


def _sides(of: Arcs, unit_of: Rows) -> Rows:
    return np.ascontiguousarray(np.append(unit_of, np.int32(NONE))[of.sides])


def _stands_on(base: _Base, rings: Rings, unit_of: Rows) -> Found | None:
    return nest.found_in(rings, base.arcs, base.table, _sides(base.arcs, unit_of))


def _own(rings: Rings, units_n: int) -> tuple[_Base, Found]:
    drawn, found, table = arcs.draw(rings)
    return _Base(drawn, table, grid.lay(drawn, units_n)), found


def _level(base: _Base, rings: Rings, found: Found, unit_of: Rows, units: Units) -> Level:
    is_own = len(unit_of) == len(base.grid.unit_of) and (unit_of == base.grid.unit_of).all()
    laid = base.grid if is_own else base.grid._replace(sides=_sides(base.arcs, unit_of), unit_of=unit_of)
    busy, blocks = np.zeros(len(laid.tiles), np.uint8), np.zeros(near.blocks_n(laid), np.uint8)
    near.mark(laid, busy, blocks)
    return Level(Near(laid, busy, blocks), arcs.trail(rings, len(units.id), found), units)

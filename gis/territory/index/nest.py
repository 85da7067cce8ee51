"""Does a level nest: are its lines exactly those lines of the finer level that part units of different parents.

Then it needs no grid of its own. It is looked at edge by edge, and side by side; one fault anywhere, and the level gets
its own grid.
"""

from __future__ import annotations

import numpy as np

from gis.territory.index.arcs import Found, Table, place, same
from gis.territory.index.compiled import compiled
from gis.territory.index.shapes import NONE, Arcs, Bools, Bytes, Floats, Rings, Rows

LEFT, RIGHT = 1, 2


def found_in(drawn: Rings, arcs: Arcs, table: Table, sides: Rows) -> Found | None:
    """Find the half-edges of a level among the edges of a finer one, None if they are not just its lines.

    sides (arc, 2): units of the level left and right of the finer level's arcs.
    """
    edge, along = np.full(len(drawn.xy), NONE, dtype=np.int32), np.zeros(len(drawn.xy), dtype=np.bool_)
    used = np.zeros(len(arcs.vertices), dtype=np.uint8)
    arc_of = np.repeat(np.arange(len(sides), dtype=np.int32), np.diff(arcs.start))
    sides_of = np.where((sides[:, 0] != sides[:, 1])[:, None], sides, NONE)
    expected = int(((sides_of >= 0).sum(axis=1) * (np.diff(arcs.start) - 1)).sum())
    if len(drawn.xy) - len(drawn.unit) != expected:
        return None
    whole = _find(drawn, arcs.vertices, table, sides_of[arc_of], used, edge, along)
    return Found(edge, along) if whole else None


@compiled
def _find(
    drawn: Rings, vertices: Floats, table: Table, sides: Rows, used: Bytes, edge: Rows, along: Bools
) -> bool:
    bits = drawn.xy.view(np.uint64)
    drawn_bits = vertices.view(np.uint64)
    for ring in range(len(drawn.unit)):
        for half in range(drawn.start[ring], drawn.start[ring + 1] - 1):
            slot = place(bits, half, len(table.slots))
            while table.slots[slot] != NONE and edge[half] == NONE:
                here = table.edge[table.slots[slot]]
                way = same(bits, half, drawn_bits, here)
                left = way == drawn.inside[ring]
                side = LEFT if left else RIGHT
                if way != 0 and not used[here] & side and sides[here, 0 if left else 1] == drawn.unit[ring]:
                    used[here] |= side
                    edge[half], along[half] = here, way > 0
                slot = (slot + 1) & (len(table.slots) - 1)
            if edge[half] == NONE:
                return False
    return True

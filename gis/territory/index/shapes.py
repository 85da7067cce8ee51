"""Names of the arrays the index is made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[np.object_]

# What `only` answers instead of a row.
NONE, SEVERAL = -1, -2


class Rings(NamedTuple):
    """The rings of a level as they were drawn: closed, no vertex twice running.

    xy (vertex, 2) degrees; start (ring + 1) positions in xy; of_ring (vertex): its ring; unit (ring): whose ring it
    is; inside (ring): 1 where the unit lies left of its direction, -1 right; first (ring): begins a polygon.
    """

    xy: Floats
    start: Ints
    of_ring: Rows
    unit: Rows
    inside: npt.NDArray[np.int8]
    first: Bools


class Arcs(NamedTuple):
    """Lines between the same two neighbours, each drawn once, whatever the neighbours' rings did.

    vertices (vertex, 2): arc by arc; edge e goes from vertex e to e + 1. start (arc + 1): positions in vertices.
    sides (arc, 2): row of the unit left and right of it, NONE without. Where several units lie on one side, the arc
    stands again for each.
    """

    vertices: Floats
    start: Rows
    sides: Rows


class Trail(NamedTuple):
    """The units of a level as runs of edges, to draw them again as they were.

    first (run): its first edge; length (run): edges, negative where it goes against the arc; ring (ring + 1): positions
    in runs; part (polygon + 1): positions in rings; unit (unit + 1): positions in polygons.
    """

    first: Rows
    length: Rows
    ring: Rows
    part: Rows
    unit: Rows


class Frame(NamedTuple):
    """Where the tiles of a grid lie: degrees, tiles per degree, degrees per tile, and how many there are."""

    west: float
    south: float
    per_lon: float
    per_lat: float
    lon_step: float
    lat_step: float
    columns: int
    rows: int


class Sets(NamedTuple):
    """Sets of units by number: 0 is nobody, 1 + row one unit alone, and from `first` on those kept here.

    start (set + 1): positions in rows. first is a number of one, so that all sets can share it as an array.
    """

    first: int
    start: Rows
    rows: Rows


class Grid(NamedTuple):
    """The pixels of a level.

    tiles (row, column as one): not negative: position of its first label * 128 + pixels on a side; negative: the
    complement of the set that holds all of it. labels (pixel): a set that holds all of it, or the complement of a
    position in words. words: set at the pixel's reference point, number of runs, then for each run of edges that come
    into the pixel: first edge, then their arc and how many they are in one. start, sides: as in Arcs, of this level.

    A level may stand on the grid of a finer one: unit_of (row of the finer level): its row here.
    """

    frame: Frame
    tiles: Ints
    labels: Rows
    words: Rows
    vertices: Floats
    start: Rows
    sides: Rows
    sets: Sets
    unit_of: Rows


class Near(NamedTuple):
    """A grid, and where it has boundaries: busy (tile) and blocks (square of tiles) are 1 where there is one."""

    grid: Grid
    busy: Bytes
    blocks: Bytes


class Text(NamedTuple):
    """Words in UTF-8, one after the other: start (word + 1) are positions in letters."""

    start: Ints
    letters: Bytes


class Units(NamedTuple):
    """The units of a level by code, as they come from the record; parent (unit): row in the level above, or NONE."""

    id: Ints
    code: Text
    parent_code: Text
    name: Text
    name_en: Text
    parent: Rows


class Level(NamedTuple):
    """All that is kept of a level."""

    near: Near
    trail: Trail
    units: Units

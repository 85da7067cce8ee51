"""What a grid is made from, and what is being made."""

from __future__ import annotations

from typing import NamedTuple

from gis.territory.index.shapes import Floats, Frame, Ints, Rows

# A tile's word is the position of its first label times this, plus its pixels on a side.
TILE_WORD = 128
# Words of a border pixel before its runs, and of a run: its first edge, and its arc times LONGEST_RUN plus its length.
HEAD_WORDS, RUN_WORDS = 2, 2
LONGEST_RUN = 64


class Ground(NamedTuple):
    """Arcs in a frame. arc_of (vertex): the arc of the edge that begins there, NONE for the end of an arc.

    k (tile): its pixels on a side.
    """

    frame: Frame
    vertices: Floats
    sides: Rows
    arc_of: Rows
    k: Rows


class Lists(NamedTuple):
    """Edges by tile: start (tile + 1) positions in edge; pixel: where in the tile, for what needs it."""

    start: Ints
    edge: Rows
    pixel: Rows


class Pixels(NamedTuple):
    """The tiles, labels and words of a grid, as in Grid."""

    tiles: Ints
    labels: Rows
    words: Rows

"""Which units cover a point, what shares of a footprint lie in which, how far is the line: exact, from memory.

    ground = index.of(session, edition)
    rows = ground.levels["community"].only(lon, lat)
    names = [ground.levels["community"].refs[row].name for row in rows if row >= 0]

The index of an edition is made from the record in PostGIS and never changes, as a loaded edition never does. It answers
as ST_Covers does, to the last bit, for any polygons: what they cover once, twice or not at all.
"""

from gis.territory.index.cut import path_lengths_m
from gis.territory.index.edition import EditionIndex, asked, build, file_of, from_file, of, ready
from gis.territory.index.level import LevelIndex, Shares
from gis.territory.index.points import swept
from gis.territory.index.shapes import NONE, SEVERAL, Bools, Floats, Geometries, Ints, Rows
from gis.territory.index.store import DamagedError

__all__ = [
    "NONE",
    "SEVERAL",
    "Bools",
    "DamagedError",
    "EditionIndex",
    "Floats",
    "Geometries",
    "Ints",
    "LevelIndex",
    "Rows",
    "Shares",
    "asked",
    "build",
    "file_of",
    "from_file",
    "of",
    "path_lengths_m",
    "ready",
    "swept",
]

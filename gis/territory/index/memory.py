"""A level answered from memory: the grid's compiled code, in arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry.base import BaseGeometry

from gis.territory.index import clip, cover, draw, levels, meet, near, points, share
from gis.territory.index.level import LevelIndex, Refs, Shares
from gis.territory.index.near import Pairs
from gis.territory.index.shapes import NONE, SEVERAL, Bools, Floats, Geometries, Grid, Ints, Level, Near, Rows, Units
from gis.territory.index.store import frozen
from gis.territory.index.text import packed
from gis.territory.location import UnitRef
from gis.territory.units import EditionRef

PAIRS_AT_ONCE = 1 << 20
EDGES_AT_ONCE = 1 << 12
# So many points are worth putting in an order before the lines about each are looked for.
SWEPT_POINTS = 4_000


def grid_levels(edition: EditionRef, kept: Mapping[str, Level]) -> dict[str, LevelIndex]:
    """Give the levels of an edition that answer from memory, coarsest first."""
    made: dict[str, LevelIndex] = {}
    finest: Grid | None = None
    for code, level in reversed(list(kept.items())):
        whole: Level = frozen(level)
        if finest is None or not np.shares_memory(finest.tiles, whole.near.grid.tiles):
            finest = whole.near.grid
        made[code] = GridLevel(Refs(whole.units, edition.id, edition.net, code), whole, finest)
    return dict(reversed(list(made.items())))


def over(polygons: Sequence[BaseGeometry], codes: Sequence[str] = ()) -> LevelIndex:
    """Index polygons in degrees that are of no edition: a draft, or ground that is only tried; raise Invalid."""
    units = _without_record(codes or [str(row) for row in range(len(polygons))])
    shapes = np.empty(len(polygons), dtype=object)
    shapes[:] = list(polygons)
    level: Level = frozen(levels.build([(units, shapes)])[0])
    return GridLevel(Refs(level.units, 0, "", ""), level, level.near.grid)


def _without_record(codes: Sequence[str]) -> Units:
    words, none = packed(codes), packed([None] * len(codes))
    return Units(np.arange(len(codes)), words, none, words, words, np.full(len(codes), NONE, dtype=np.int32))


def warm() -> None:
    """Ask every question once, so that none waits for the compiler later."""
    # two that overlap, and one beside them: the common way and the rare ones
    square = shapely.box(120.0, 30.0, 121.0, 31.0)
    beside = shapely.box(121.0, 30.0, 122.0, 31.0)
    tried = over([square, square, beside])
    lon, lat = np.array([120.5, 121.0, 121.5]), np.array([30.5, 30.5, 30.5])
    point, row = tried.covering(lon, lat)
    tried.one(120.5, 30.5)
    tried.interior(row, lon[point], lat[point])
    tried.within(lon, lat, 10.0)
    tried.nearest(lon, lat)
    tried.is_near(lon, lat, 10.0)
    tried.shares(np.array([shapely.box(120.8, 30.2, 121.2, 30.8)], dtype=object))
    tried.nearest_to(square)
    tried.contiguity()
    city = _without_record(["0"]), np.array([square], dtype=object)
    levels.build([city, (city[0]._replace(parent=np.zeros(1, dtype=np.int32)), city[1])])


class GridLevel(LevelIndex):
    """A level with its grid, or on the grid of a finer level it nests with."""

    def __init__(self, refs: Sequence[UnitRef], kept: Level, finest: Grid) -> None:
        super().__init__(refs, kept.units)
        self._level = kept
        self._grid = kept.near.grid
        # The grid that answers for whole files: its own, or the finer one it stands on, untranslated.
        self._finest = finest

    def _draw(self, rows: Ints) -> Geometries:
        return draw.polygons(self._level.trail, self._grid.vertices, rows)

    def only(self, lon: ArrayLike, lat: ArrayLike) -> Rows:
        """Return for each point the row of the one unit that covers it; NONE without, SEVERAL on lines and overlaps."""
        x, y = points.columns(lon, lat)
        rows = np.empty(len(x), dtype=np.int32)
        points.check(cover.only(self._finest, x, y, rows), x, y)
        return rows if self._finest is self._grid else self.translated(x, y, rows)

    def one(self, lon: float, lat: float) -> int:
        """Return the row of the one unit that covers a point; NONE without, SEVERAL on lines and overlaps."""
        points.check_one(lon, lat)
        row = cover.one(self._finest, float(lon), float(lat))
        if self._finest is self._grid:
            return row
        row = int(self._row_of[row])
        return int(self.only([lon], [lat])[0]) if row == SEVERAL else row

    @cached_property
    def _row_of(self) -> Rows:
        # two more, for what is said beside rows
        return np.append(self._grid.unit_of, np.array([SEVERAL, NONE], np.int32))

    def stands_with(self, other: GridLevel) -> bool:
        """Say whether both answer from one grid: then the units of the coarser are made of those of the finer."""
        return self._finest is other._finest

    def translated(self, x: Floats, y: Floats, finest: Rows) -> Rows:
        """Turn rows of the finer level into rows of this one."""
        rows = self._row_of[finest]
        several = np.flatnonzero(rows == SEVERAL)
        count, covering = self._covering(x[several], y[several])
        rows[several[count == 0]] = NONE
        one = count == 1
        rows[several[one]] = covering[(np.cumsum(count) - count)[one]]
        return rows

    def _covering(self, x: Floats, y: Floats) -> tuple[Ints, Rows]:
        """Return how many units cover each point, and their rows one after the other."""
        x, y = points.columns(x, y)
        count = np.empty(len(x), dtype=np.int64)
        cover.covering(self._grid, x, y, count, np.empty(0, np.int32))
        rows = np.empty(int(count.sum()), dtype=np.int32)
        cover.covering(self._grid, x, y, count, rows)
        return count, rows

    def covering(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Ints, Rows]:
        """Return (point, row) of every unit that covers a point, edges and vertices included, by point then code."""
        x, y = points.columns(lon, lat)
        only = self.only(x, y)
        several = only == SEVERAL
        counts, rows = self._covering(x[several], y[several])
        count = (only >= 0).astype(np.int64)
        count[several] = counts
        point = np.repeat(np.arange(len(x)), count)
        row = only[point]
        row[row == SEVERAL] = rows
        return point, row

    def interior(self, rows: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> Bools:
        """Say pair by pair whether a point lies in the inside of a unit, not on its edge."""
        x, y = points.columns(lon, lat)
        points.check_all(x, y)
        inside = np.empty(len(x), dtype=np.bool_)
        cover.interior(self._grid, np.asarray(rows, dtype=np.int32), x, y, inside)
        return inside

    def within(self, lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike) -> tuple[Ints, Rows, Floats]:
        """Return (point, row, distance in metres) of every unit within a distance of a point; 0: it covers it.

        By point then code. Distances are of the tangent plane at the point; reach_m may differ from point to point.
        """
        fixes = points.fixes(lon, lat, reach_m)
        if len(fixes) < SWEPT_POINTS:
            return self.pairs(near.within, fixes)
        order = points.swept(fixes[:, 0], fixes[:, 1])
        at, row, distance_m = self.pairs(near.within, fixes[order])
        point = order[at]
        back = np.argsort(point, kind="stable")
        return point[back], row[back], distance_m[back]

    def meeting(self, bounds: Floats) -> tuple[Ints, Rows]:
        """Return (box, row) of every unit that may meet a box (west, south, east, north), by box then code."""
        box, row, _ = self.pairs(lambda kept, boxes, pairs: meet.meeting(kept.grid, boxes, pairs), bounds)
        return box, row

    def pairs(
        self, ask: Callable[[Near, Floats, Pairs], tuple[int, int]], asked: Floats
    ) -> tuple[Ints, Rows, Floats]:
        """Ask for pairs as often as it takes to have room for all."""
        place = np.zeros(len(self.refs), dtype=np.int64)
        found = [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0))]
        done = 0
        while done < len(asked):
            room = len(self.refs) + min(2 * (len(asked) - done), PAIRS_AT_ONCE)
            pairs = Pairs(np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room), place)
            answered, count = ask(self._level.near, asked[done:], pairs)
            found.append((pairs.fix[:count] + done, pairs.row[:count], pairs.distance_m[:count]))
            done += answered
        of, row, distance_m = (np.concatenate(column) for column in zip(*found, strict=True))
        return of, row, distance_m

    def nearest(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Rows]:
        """Return for each point the distance in metres to the nearest boundary, and a row that boundary is of.

        Without any boundary: infinite, and NONE.
        """
        fixes = points.fixes(lon, lat)
        distance_m, rows = np.empty(len(fixes)), np.empty(len(fixes), dtype=np.int32)
        if len(fixes) < SWEPT_POINTS:
            near.nearest(self._level.near, fixes, distance_m, rows)
            return distance_m, rows
        order = points.swept(fixes[:, 0], fixes[:, 1])
        near.nearest(self._level.near, fixes[order], distance_m, rows)
        back = np.argsort(order)
        return distance_m[back], rows[back]

    def is_near(self, lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike) -> Bools:
        """Say of each point whether a boundary comes within a distance; reach_m may differ from point to point."""
        fixes = points.fixes(lon, lat, reach_m)
        found = np.empty(len(fixes), dtype=np.bool_)
        near.is_near(self._level.near, fixes, found)
        return found

    def whole(self, footprints: Geometries) -> Rows:
        """Return for each footprint the row of a unit that holds all of it alone, NONE where nobody is, else SEVERAL.

        SEVERAL may also be said of one that a unit holds up to its edge.
        """
        boxes = np.ascontiguousarray(shapely.bounds(footprints).reshape(-1, 4))
        rows = self._boxed(boxes)
        entered = np.flatnonzero(rows == SEVERAL)
        rows[entered] = self._looked_into(footprints[entered], boxes[entered])
        # No edge comes to any of its parts, and yet each may lie in another unit.
        rows[entered[shapely.get_num_geometries(footprints[entered]) > 1]] = SEVERAL
        return rows

    def _boxed(self, boxes: Floats) -> Rows:
        """Answer for boxes, strip by strip; that of an empty footprint is no number."""
        order = points.swept(*np.nan_to_num(boxes[:, :2].T))
        found, rows = np.empty(len(boxes), dtype=np.int32), np.empty(len(boxes), dtype=np.int32)
        meet.whole(self._grid, boxes[order], found)
        rows[order] = found
        return rows

    def _looked_into(self, footprints: Geometries, boxes: Floats) -> Rows:
        """Look at the lines of footprints whose boxes an edge enters."""
        rows = np.empty(len(footprints), dtype=np.int32)
        outlined = np.where(shapely.get_dimensions(footprints) == 2, shapely.boundary(footprints), footprints)
        meet.looked_into(self._grid, _outlines(outlined, boxes), rows)
        return rows

    def _clipped(self, footprints: Geometries) -> tuple[Shares, Bools]:
        is_cut = shapely.get_dimensions(footprints) == 2
        areas = np.flatnonzero(is_cut)
        boxes = np.ascontiguousarray(shapely.bounds(footprints[areas]).reshape(-1, 4))
        outlines = _outlines(shapely.boundary(shapely.orient_polygons(footprints[areas])), boxes)
        done = np.zeros(len(areas), dtype=np.bool_)
        found = [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0))]
        begin = 0
        while begin < len(areas):
            room = clip.MOST_UNITS + min(3 * (len(areas) - begin), PAIRS_AT_ONCE)
            told = clip.Found(np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room), done)
            begin, count = clip.shares(self._grid, outlines, begin, told)
            found.append((areas[told.footprint[:count]], told.row[:count], told.share[:count]))
        is_cut[areas] = done
        return Shares(*(np.concatenate(column) for column in zip(*found, strict=True))), is_cut

    def contiguity(self) -> tuple[Rows, Rows, Floats]:
        """Return (row, row, metres) of every two units that share a line, the lower row first, in order."""
        return share.contiguity(self._grid)

    def edges_in(self, box: Floats) -> tuple[Floats, Rows]:
        """Return all edges of boundaries that may meet a box: (edge, end, 2) degrees, and a row each is of."""
        room = EDGES_AT_ONCE
        while True:
            found, rows = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int32)
            count = meet.edges(self._grid, self._level.near.busy, box, found, rows)
            if count <= room:
                edge, first = np.unique(found[:count], return_index=True)
                ends = np.stack([self._grid.vertices[edge], self._grid.vertices[edge + 1]], axis=1)
                return ends, rows[first]
            room = count


def _outlines(lines: Geometries, boxes: Floats) -> meet.Outlines:
    parts, owner = shapely.get_parts(lines, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    start = np.searchsorted(owner[part], np.arange(len(lines) + 1))
    return meet.Outlines(xy, start, np.append(part[1:] == part[:-1], False), boxes)

"""The units of one level of one edition, and what may be asked of them, whoever answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import overload

import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry.base import BaseGeometry

from gis.territory import coords
from gis.territory.index import cut, text
from gis.territory.index.shapes import NONE, SEVERAL, Bools, Floats, Geometries, Ints, Rows, Units
from gis.territory.location import UnitRef

# Units drawn are kept for the next question: most questions are asked about the same few.
KEPT_UNITS, FEW_UNITS = 512, 32
# What is left of a share after rounding is no ground.
NOISE_SHARE = 1e-12


@dataclass(frozen=True)
class Shares:
    """What footprints have in units: footprint and row are positions; share is of area, or of length for a line."""

    footprint: Ints
    row: Rows
    share: Floats


class Refs(Sequence[UnitRef]):
    """The units of a level by code, each named when it is asked for."""

    def __init__(self, units: Units, edition_id: int, net: str, level: str) -> None:
        self._edition_id, self._net, self._level, self._units = edition_id, net, level, units
        self._named: dict[int, UnitRef] = {}

    def __len__(self) -> int:
        return len(self._units.id)

    @overload
    def __getitem__(self, row: int) -> UnitRef: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[UnitRef, ...]: ...
    def __getitem__(self, row: int | slice) -> UnitRef | tuple[UnitRef, ...]:
        if isinstance(row, slice):
            return tuple(self[nth] for nth in range(*row.indices(len(self))))
        at = int(row) if row >= 0 else int(row) + len(self)
        if not 0 <= at < len(self):
            raise IndexError(row)
        return self._named.get(at) or self._named.setdefault(at, self._name(at))

    def __iter__(self) -> Iterator[UnitRef]:
        return (self[row] for row in range(len(self)))

    def _name(self, row: int) -> UnitRef:
        units = self._units
        return UnitRef(
            id=int(units.id[row]),
            edition_id=self._edition_id,
            net=self._net,
            level=self._level,
            code=text.word(units.code, row) or "",
            name=text.word(units.name, row) or "",
            name_en=text.word(units.name_en, row) or "",
            parent_code=text.word(units.parent_code, row),
        )


class LevelIndex(ABC):
    """The units of one level. Rows are positions in `refs`, which go by code.

    Points are columns of longitude and latitude in degrees (EPSG:4326), of any numeric kind. Every question raises
    Invalid for a column that is none, and for the first point that is not on earth.
    """

    def __init__(self, refs: Sequence[UnitRef], units: Units) -> None:
        self.refs = refs
        self._units = units
        self._unit: Callable[[int], BaseGeometry] = lru_cache(KEPT_UNITS)(self._prepared)

    @property
    def ids(self) -> Ints:
        """Give the record's number of each unit."""
        return self._units.id

    @property
    def parent(self) -> Rows:
        """Give for each unit the row of its parent in the level above, NONE without one."""
        return self._units.parent

    def words(self, column: str) -> list[str | None]:
        """Return what stands in a column of all units, by row: code, parent_code, name or name_en."""
        return text.words(getattr(self._units, column))

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of all units."""
        return frozenset(code or "" for code in self.words("code"))

    def geometry(self, rows: ArrayLike) -> Geometries:
        """Return units as multipolygons in degrees, as they were loaded."""
        asked, place = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
        return (self._kept(asked) if len(asked) <= FEW_UNITS else self._draw(asked))[place]

    def _kept(self, rows: Ints) -> Geometries:
        drawn = np.empty(len(rows), dtype=object)
        drawn[:] = [self._unit(row) for row in rows.tolist()]
        return drawn

    def _prepared(self, row: int) -> BaseGeometry:
        unit: BaseGeometry = self._draw(np.array([row]))[0]
        shapely.prepare(unit)
        return unit

    @abstractmethod
    def _draw(self, rows: Ints) -> Geometries: ...

    @abstractmethod
    def covering(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Ints, Rows]:
        """Return (point, row) of every unit that covers a point, edges and vertices included, by point then code."""

    @abstractmethod
    def within(self, lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike) -> tuple[Ints, Rows, Floats]:
        """Return (point, row, distance in metres) of every unit within a distance of a point; 0: it covers it.

        By point then code. Distances are of the tangent plane at the point; reach_m may differ from point to point.
        """

    @abstractmethod
    def nearest(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Rows]:
        """Return for each point the distance in metres to the nearest boundary, and a row that boundary is of.

        Without any boundary: infinite, and NONE.
        """

    @abstractmethod
    def is_near(self, lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike) -> Bools:
        """Say of each point whether a boundary comes within a distance; reach_m may differ from point to point."""

    @abstractmethod
    def interior(self, rows: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> Bools:
        """Say pair by pair whether a point lies in the inside of a unit, not on its edge."""

    @abstractmethod
    def meeting(self, bounds: Floats) -> tuple[Ints, Rows]:
        """Return (box, row) of every unit that may meet a box (west, south, east, north), by box then code."""

    @abstractmethod
    def edges_in(self, box: Floats) -> tuple[Floats, Rows]:
        """Return all edges of boundaries that may meet a box: (edge, end, 2) degrees, and a row each is of."""

    @abstractmethod
    def contiguity(self) -> tuple[Rows, Rows, Floats]:
        """Return (row, row, metres) of every two units that share a line, the lower row first, in order.

        Sharing is having a piece of boundary in common, whoever put vertices where; a common corner is not enough.
        """

    def only(self, lon: ArrayLike, lat: ArrayLike) -> Rows:
        """Return for each point the row of the one unit that covers it; NONE without, SEVERAL on lines and overlaps."""
        point, row = self.covering(lon, lat)
        count = np.bincount(point, minlength=np.size(lon))
        rows = np.where(count == 0, NONE, SEVERAL).astype(np.int32)
        one = count[point] == 1
        rows[point[one]] = row[one]
        return rows

    def one(self, lon: float, lat: float) -> int:
        """Return the row of the one unit that covers a point; NONE without, SEVERAL on lines and overlaps."""
        return int(self.only([lon], [lat])[0])

    def whole(self, footprints: Geometries) -> Rows:
        """Return for each footprint the row of a unit that holds all of it alone, NONE where nobody is, else SEVERAL.

        SEVERAL may also be said of one that a unit holds up to its edge.
        """
        return np.full(len(footprints), SEVERAL, dtype=np.int32)

    def shares(self, footprints: Geometries) -> Shares:
        """Return the exact share of each footprint in each unit it meets, of its planar area or of its length.

        By footprint then code. Where the units cover a footprint once its shares add up to 1 within 1e-9.
        """
        whole = self.whole(footprints)
        inside, parted = np.flatnonzero(whole >= 0), np.flatnonzero(whole == SEVERAL)
        clipped, is_cut = self._clipped(footprints[parted])
        left = parted[~is_cut]
        box, met = self.meeting(np.ascontiguousarray(shapely.bounds(footprints[left]).reshape(-1, 4)))
        cut_ = self._cut(footprints[left[box]], self.geometry(met))
        footprint = np.concatenate([inside, parted[clipped.footprint], left[box]])
        row = np.concatenate([whole[inside], clipped.row, met])
        share = np.concatenate([np.ones(len(inside)), clipped.share, cut_])
        order = np.lexsort((row, footprint))
        order = order[share[order] > NOISE_SHARE]
        return Shares(footprint[order], row[order].astype(np.int32), share[order])

    def _clipped(self, footprints: Geometries) -> tuple[Shares, Bools]:
        """Return the shares of those footprints that can be cut without drawing a unit, and which those are."""
        return Shares(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)), np.zeros(len(footprints), np.bool_)

    def _cut(self, footprints: Geometries, grounds: Geometries) -> Floats:
        share = np.asarray(shapely.covers(grounds, footprints), dtype=np.float64)
        parted = np.flatnonzero((share == 0) & shapely.intersects(grounds, footprints))
        share[parted] = cut.share(footprints[parted], grounds[parted])
        return share

    def uncovered(self, footprint: BaseGeometry, rows: ArrayLike) -> tuple[float, float]:
        """Return the shares of a footprint on nobody's ground and on ground covered more than once."""
        grounds = self.geometry(rows)
        held = np.full(len(grounds), footprint, dtype=object)
        ground = np.array([shapely.union_all(grounds)], dtype=object)
        own = float(cut.left_by(shapely.intersection, held, grounds).sum())
        once = float(cut.left_by(shapely.intersection, held[:1], ground)[0])
        bare = float(cut.left_by(shapely.difference, held[:1], ground)[0])
        size = float(cut.measure(held[:1])[0])
        return bare / size, (own - once) / size

    def nearest_to(self, extent: BaseGeometry) -> tuple[float, int]:
        """Return the distance in metres from a line or polygon to the nearest boundary, and a row it is of.

        In the tangent plane at its middle; without any boundary: infinite, and NONE.
        """
        middle = shapely.centroid(extent)
        plane = coords.Plane(middle.x, middle.y)
        near_m = float(self.nearest([middle.x], [middle.y])[0][0])
        if not np.isfinite(near_m):
            return near_m, NONE
        # No boundary is nearer than one that is near the middle; a little more than enough is looked through.
        box = coords.BBox(*extent.bounds).grown(1.01 * near_m + 1.0)
        edges, row = self.edges_in(np.array([box.west, box.south, box.east, box.north]))
        flat = np.stack(plane.xy(edges[..., 0], edges[..., 1]), axis=-1)
        distance_m = np.asarray(shapely.distance(plane.to_plane(extent), shapely.linestrings(flat)))
        nearest = int(np.argmin(distance_m))
        return float(distance_m[nearest]), int(row[nearest])

"""The lines that units of a level share: between whom, how long, where; and what comes near them.

Distances are of the plane that touches the earth at the issue, in which edges are straight as the record holds them:
right to 2 mm at 100 m and to 0.2 m at 1 km.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gis.territory import coords, index
from gis.territory.index import Bools, Floats, Geometries, Ints, LevelIndex, Rows
from gis.territory.location import UnitRef
from gis.territory.units import EditionRef

# Places are looked at so many at a time: each brings all edges within its reach.
AT_ONCE = 5_000
# What edges that fit do not explain of a shared length, beyond what rounding leaves, was drawn otherwise on each side.
ROUNDING, ROUNDING_M = 1e-6, 0.001


class Near(NamedTuple):
    """Pairs of a place and a line within reach of it, each once, by place then line: positions, and metres."""

    place: Ints
    line: Ints
    distance_m: Floats

    def only(self, kept: Ints | Bools) -> Near:
        """Keep some of the pairs."""
        return Near(self.place[kept], self.line[kept], self.distance_m[kept])


@dataclass(frozen=True, eq=False)
class Lines:
    """The shared lines of a level. a, b: rows of `units`, the lower first; geometry: multilines in EPSG:4326."""

    units: Sequence[UnitRef]
    a: Rows
    b: Rows
    length_m: Floats
    geometry: Geometries = field(repr=False)

    def __len__(self) -> int:
        return len(self.a)

    @cached_property
    def edges(self) -> tuple[Floats, Ints]:
        """Every edge as (edge, end, 2) degrees, and the line each is of."""
        parts, line = shapely.get_parts(self.geometry, return_index=True)
        xy, part = shapely.get_coordinates(parts, return_index=True)
        inside = part[1:] == part[:-1]
        return np.stack([xy[:-1][inside], xy[1:][inside]], axis=1), line[part[1:][inside]].astype(np.int64)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The edges by where they are."""
        return shapely.STRtree(_segments(self.edges[0]))

    def of_units(self, rows: Sequence[int]) -> Ints:
        """List the lines of some units."""
        return np.flatnonzero(np.isin(self.a, rows) | np.isin(self.b, rows)).astype(np.int64)

    def near(self, places: Geometries, reach_m: float) -> Near:
        """Find the lines within a distance of places (EPSG:4326), the distance itself included."""
        some = [self._near(places[first : first + AT_ONCE], first, reach_m) for first in range(0, len(places), AT_ONCE)]
        if not some or not len(self):
            return Near(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        return Near(*(np.concatenate(column) for column in zip(*some, strict=True)))

    def _near(self, places: Geometries, first: int, reach_m: float) -> Near:
        """Look at the edges whose boxes come near: at points by numbers alone, at footprints by their shape."""
        bounds = shapely.bounds(places)
        scale = np.stack(coords.metres_per_degree((bounds[:, 1] + bounds[:, 3]) / 2), axis=-1)
        # a hair more than asked for: the distance decides, not the box
        grown = 1.000001 * reach_m / scale
        boxes = shapely.box(*(bounds + np.concatenate([-grown, grown], axis=1)).T)
        place, edge = self.tree.query(boxes)
        ends, line = self.edges[0][edge], self.edges[1][edge]
        metres = _to_points(bounds[place, None, :2], ends, scale[place, None])
        shaped = np.flatnonzero(shapely.get_dimensions(places)[place] > 0)
        metres[shaped] = _to_shapes(places[place[shaped]], ends[shaped], scale[place[shaped]])
        kept = np.flatnonzero(metres <= reach_m)
        order = kept[np.lexsort((metres[kept], line[kept], place[kept]))]
        place, line = place[order], line[order]
        once = np.append(True, (place[1:] != place[:-1]) | (line[1:] != line[:-1]))[: len(order)]
        return Near(place[once] + first, line[once], metres[order][once])


def _to_points(at: Floats, ends: Floats, scale: Floats) -> Floats:
    """Measure from points to edges, in metres."""
    start, end = np.moveaxis((ends - at) * scale, 1, 0)
    along = end - start
    square = (along**2).sum(axis=1)
    part = np.clip(-(start * along).sum(axis=1) / np.where(square > 0, square, 1.0), 0.0, 1.0)
    nearest = start + part[:, None] * along
    return np.hypot(nearest[:, 0], nearest[:, 1])


def _to_shapes(shapes: Geometries, ends: Floats, scale: Floats) -> Floats:
    """Measure from footprints to edges, in metres; 0 where they meet."""
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    flat = shapely.set_coordinates(shapes.copy(), xy * scale[of])
    return np.asarray(shapely.distance(flat, _segments(ends * scale[:, None])), dtype=np.float64)


# As long as the index of an edition is kept, its lines are.
_drawn: WeakKeyDictionary[LevelIndex, Lines] = WeakKeyDictionary()


def of(session: Session, edition: EditionRef, level: str) -> Lines:
    """Return the shared lines of a level of an edition; a loaded edition never changes, so they are drawn once."""
    ground = index.ready(session, edition).levels[level]
    found = _drawn.get(ground)
    if found is None:
        _drawn[ground] = found = drawn(ground)
    return found


def drawn(ground: LevelIndex) -> Lines:
    """Draw the shared lines of a level: edge by edge, and by an overlay where neighbours put vertices differently."""
    a, b, length_m = ground.contiguity()
    shapes = ground.geometry(np.arange(len(ground.refs)))
    geometry = _edge_by_edge(shapes, a, b)
    lacking = np.flatnonzero(length_m - coords.lengths_m(geometry) > ROUNDING * length_m + ROUNDING_M)
    geometry[lacking] = _overlaid(shapes[a[lacking]], shapes[b[lacking]])
    return Lines(ground.refs, a, b, length_m, geometry)


def _edge_by_edge(shapes: Geometries, a: Rows, b: Rows) -> Geometries:
    """Join the edges that two units have in common, vertex for vertex."""
    ends, unit = _edges_of(shapes)
    turned = (ends[:, 0, 0] > ends[:, 1, 0]) | ((ends[:, 0, 0] == ends[:, 1, 0]) & (ends[:, 0, 1] > ends[:, 1, 1]))
    ends[turned] = ends[turned, ::-1]
    flat = ends.reshape(-1, 4)
    order = np.lexsort((unit, *flat.T))
    same = np.flatnonzero((flat[order[1:]] == flat[order[:-1]]).all(axis=1) & (unit[order[1:]] != unit[order[:-1]]))
    # of one edge the units stand in order, the lower first
    wanted = a.astype(np.int64) << 32 | b
    key = unit[order[same]] << 32 | unit[order[same + 1]]
    pair = np.searchsorted(wanted, key)
    known = (pair < len(wanted)) & (wanted[np.minimum(pair, len(wanted) - 1)] == key) if len(wanted) else pair < 0
    pair, edge = pair[known], order[same][known]
    by_pair = np.argsort(pair, kind="stable")
    joined = np.full(len(a), shapely.MultiLineString(), dtype=object)
    shapely.multilinestrings(_segments(ends[edge[by_pair]]), indices=pair[by_pair], out=joined)
    return np.asarray(shapely.line_merge(joined), dtype=object)


def _segments(ends: Floats) -> Geometries:
    return np.asarray(shapely.linestrings(ends), dtype=object)


def _edges_of(shapes: Geometries) -> tuple[Floats, Ints]:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inside = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    ends = np.stack([xy[:-1][inside], xy[1:][inside]], axis=1)
    return ends, owner[part[ring[1:][inside]]].astype(np.int64)


def _overlaid(ours: Geometries, theirs: Geometries) -> Geometries:
    """Cut the outlines of neighbours with one another; corners in common are left out."""
    found = np.empty(len(ours), dtype=object)
    found[:] = [_lines_of(each) for each in shapely.intersection(shapely.boundary(ours), shapely.boundary(theirs))]
    return found


def _lines_of(met: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(met)
    inner = shapely.get_parts(parts)
    return shapely.line_merge(shapely.multilinestrings(inner[shapely.get_dimensions(inner) == 1]))


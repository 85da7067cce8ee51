"""Carrying polygons from one coordinate system to another without moving their lines. Pure, vectorised.

An edge that is straight in the source is a curve in the target, by more than a metre on 10 km. So edges get more
vertices first, as few as keep every line within the tolerance. Two neighbours must come out with the same vertices:
what an edge gets depends only on its two ends, whichever way it is drawn, and where a neighbour has a vertex on an edge
that would bend, the edge takes that vertex first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.territory.coords import Floats, Geometries

# (n, 2) coordinates of the source -> (n, 2) degrees of WGS 84
Carry = Callable[[Floats], Floats]
Indices = NDArray[np.int64]

# The half of a centimetre; the other half is left for what lies between the three places looked at.
TOLERANCE_M = 0.005
# An edge that bends by less takes no vertices from its neighbours: nobody could see the difference.
UNBENT_M = 0.00005
# A vertex this close to a neighbour's edge is meant to lie on it.
ON_EDGE_M = 0.001
LOOKED_AT = (0.25, 0.5, 0.75)
PASSES = 20
# Vertices looked at in one go: a file of 300 MB holds ten million.
AT_ONCE = 500_000
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Carried:
    """Polygons in the target. unshared_m: the most by which a line of two neighbours may have come apart."""

    geometries: Geometries
    vertices: int
    added: int
    unshared_m: float


@dataclass(frozen=True)
class _Rings:
    """Every vertex of every ring, in order, and the ring each belongs to."""

    at: Floats
    ring: Indices

    @property
    def edges(self) -> Indices:
        """Positions of the vertices that an edge starts from."""
        return np.flatnonzero(self.ring[1:] == self.ring[:-1])

    def with_points(self, edges: Indices, points: Floats) -> _Rings:
        """Put points on edges; several on one edge in the order given."""
        return _Rings(np.insert(self.at, edges + 1, points, axis=0), np.insert(self.ring, edges + 1, self.ring[edges]))


def carry_polygons(polygons: Geometries, carry: Carry, metres_per_unit: float) -> Carried:
    """Carry multipolygons; no line moves by more than a centimetre. metres_per_unit: of the source's coordinates."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    outlines, part = shapely.get_rings(parts, return_index=True)
    rings = _Rings(*shapely.get_coordinates(outlines, return_index=True))
    bend = _bends(rings, rings.edges, carry)
    noded = _noded(rings, bend, ON_EDGE_M / metres_per_unit)
    dense = _densified(noded, carry)
    outlined = np.asarray(shapely.linearrings(carry(dense.at), indices=dense.ring), dtype=object)
    target = np.asarray(shapely.polygons(outlined, indices=part), dtype=object)
    return Carried(
        geometries=np.asarray(shapely.multipolygons(target, indices=owner), dtype=object),
        vertices=len(rings.at),
        added=len(dense.at) - len(rings.at),
        unshared_m=float(bend[bend <= UNBENT_M].max(initial=0.0)),
    )


def _ends(rings: _Rings, edges: Indices) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Give the ends of edges in an order that does not depend on the way they are drawn, and which are turned round."""
    start, end = rings.at[edges], rings.at[edges + 1]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    return np.where(turned[:, None], end, start), np.where(turned[:, None], start, end), turned


def _bends(rings: _Rings, edges: Indices, carry: Carry) -> Floats:
    """Measure in metres how far each edge, straight in the source, lies off the straight line in the target."""
    return np.concatenate([_bends_of(rings, some, carry) for some in np.array_split(edges, len(edges) // AT_ONCE + 1)])


def _bends_of(rings: _Rings, edges: Indices, carry: Carry) -> Floats:
    low, high, _ = _ends(rings, edges)
    from_, to = carry(low), carry(high)
    scale = np.column_stack((np.cos(np.radians(from_[:, 1])), np.ones(len(from_)))) * METRES_PER_DEGREE
    chord = (to - from_) * scale
    length = np.hypot(chord[:, 0], chord[:, 1])
    bend = np.zeros(len(edges))
    for part in LOOKED_AT:
        off = (carry(low + (high - low) * part) - from_) * scale
        across = np.abs(chord[:, 0] * off[:, 1] - chord[:, 1] * off[:, 0])
        bend = np.maximum(bend, np.divide(across, length, out=np.zeros_like(across), where=length > 0))
    return bend


def _noded(rings: _Rings, bend: Floats, on_edge: float) -> _Rings:
    """Give edges that bend the vertices of their neighbours that lie on them."""
    edges = rings.edges[bend > UNBENT_M]
    if not len(edges):
        return rings
    low, high, turned = _ends(rings, edges)
    ends, edge_of = np.unique(np.hstack((low, high)), axis=0, return_inverse=True)
    vertices = np.unique(rings.at, axis=0)
    tree = shapely.STRtree(np.asarray(shapely.linestrings(ends.reshape(-1, 2, 2)), dtype=object))
    near = [
        np.array([[start], [0]])
        + tree.query(shapely.points(vertices[start : start + AT_ONCE]), predicate="dwithin", distance=on_edge)
        for start in range(0, len(vertices), AT_ONCE)
    ]
    vertex, line = np.concatenate(near, axis=1)
    step = ends[line, 2:] - ends[line, :2]
    along = ((vertices[vertex] - ends[line, :2]) * step).sum(axis=1) / (step**2).sum(axis=1)
    margin = on_edge / np.hypot(step[:, 0], step[:, 1])
    within = (along > margin) & (along < 1 - margin)
    return _put(rings, (edges, turned, edge_of.ravel()), (line[within], vertices[vertex[within]], along[within]))


def _put(
    rings: _Rings, drawn: tuple[Indices, NDArray[np.bool_], Indices], found: tuple[Indices, Floats, Floats]
) -> _Rings:
    """Put each point found on a line on every edge drawn along that line, in the order the edge is drawn."""
    edges, turned, edge_of = drawn
    line, points, along = found
    by_line = np.argsort(line, kind="stable")
    first = np.searchsorted(line[by_line], edge_of, "left")
    count = np.searchsorted(line[by_line], edge_of, "right") - first
    on = np.repeat(np.arange(len(edges)), count)
    which = by_line[np.arange(len(on)) - np.repeat(np.cumsum(count) - count - first, count)]
    order = np.lexsort((np.where(turned[on], -along[which], along[which]), edges[on]))
    return rings.with_points(edges[on[order]], points[which[order]])


def _densified(rings: _Rings, carry: Carry) -> _Rings:
    """Split edges until none bends by more than the tolerance."""
    fresh = np.ones(len(rings.at), dtype=bool)
    for _ in range(PASSES):
        edges = rings.edges
        edges = edges[fresh[edges]]
        pieces = np.ceil(np.sqrt(_bends(rings, edges, carry) / TOLERANCE_M)).astype(np.int64)
        bent = pieces > 1
        if not bent.any():
            break
        at, points = _splits(rings, edges[bent], pieces[bent])
        fresh[:] = False
        fresh[edges[bent]] = True
        fresh = np.insert(fresh, at + 1, True)
        rings = rings.with_points(at, points)
    return rings


def _splits(rings: _Rings, edges: Indices, pieces: Indices) -> tuple[Indices, Floats]:
    """Give the points that part edges into equal pieces, the same points whichever way an edge is drawn."""
    low, high, turned = _ends(rings, edges)
    each = np.repeat(np.arange(len(edges)), pieces - 1)
    step = np.arange(len(each)) - np.repeat(np.cumsum(pieces - 1) - (pieces - 1), pieces - 1) + 1
    part = np.where(turned[each], pieces[each] - step, step) / pieces[each]
    return edges[each], low[each] + (high[each] - low[each]) * part[:, None]

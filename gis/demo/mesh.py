"""Faces of one arrangement of lines: who is whose neighbour along how many metres, and groups grown from them."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

# How finely the least size of a group is searched for: from 0.35 to 1 of the mean size.
STEPS = 14


@dataclass(frozen=True)
class Mesh:
    """Faces, and for each pair of neighbours (first < second) the length of the line they share in metres."""

    faces: np.ndarray
    first: np.ndarray
    second: np.ndarray
    shared_m: np.ndarray


def arrange(lines: Sequence[BaseGeometry] | np.ndarray, grid: float) -> np.ndarray:
    """Return the faces the lines enclose; every vertex lies on the grid and is shared by all faces that touch it."""
    return shapely.get_parts(shapely.polygonize([shapely.union_all(lines, grid_size=grid)]))


def mesh_of(faces: np.ndarray) -> Mesh:
    """Find the neighbours of faces that share edges vertex for vertex; metres."""
    keys, owners, lengths = _edges(faces)
    order = np.lexsort((owners, keys[:, 1], keys[:, 0]))
    keys, owners, lengths = keys[order], owners[order], lengths[order]
    twins = np.flatnonzero((keys[1:] == keys[:-1]).all(axis=1) & (owners[1:] != owners[:-1]))
    pairs = np.sort(np.column_stack([owners[twins], owners[twins + 1]]), axis=1)
    unique, where = np.unique(pairs, axis=0, return_inverse=True)
    return Mesh(faces, unique[:, 0], unique[:, 1], np.bincount(where.ravel(), weights=lengths[twins]))


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rings, owner = shapely.get_rings(faces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inside = np.flatnonzero(ring[1:] == ring[:-1])
    a, b = xy[inside], xy[inside + 1]
    codes = np.unique(np.round(np.vstack([a, b]), 2), axis=0, return_inverse=True)[1].ravel()
    ends = np.sort(np.column_stack([codes[: len(a)], codes[len(a) :]]), axis=1)
    return ends, owner[ring[inside]], np.hypot(*(b - a).T)


def owners_of(points: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Return for each point the index of the area that holds it, -1 for none."""
    found = np.full(len(points), -1)
    which, area = STRtree(areas).query(points, predicate="within")
    found[which] = area
    return found


def coarser(mesh: Mesh, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the neighbour pairs of groups of faces and the metres they share."""
    a, b = labels[mesh.first], labels[mesh.second]
    differ = (a != b) & (a >= 0) & (b >= 0)
    low, high = np.minimum(a, b)[differ], np.maximum(a, b)[differ]
    unique, where = np.unique(low * count + high, return_inverse=True)
    return unique // count, unique % count, np.bincount(where, weights=mesh.shared_m[differ])


def grow(
    sizes: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray], zones: np.ndarray, least: float
) -> np.ndarray:
    """Merge the smallest group into a neighbour of its zone until every group has the least size, where it can.

    The neighbour with much shared line and little size is taken, so groups stay compact. Returns labels 0..n-1.
    """
    touching: list[dict[int, float]] = [defaultdict(float) for _ in sizes]
    for a, b, metres in zip(*(column.tolist() for column in pairs), strict=True):
        if zones[a] == zones[b]:
            touching[a][b] = touching[b][a] = metres
    size, parent = sizes.astype(float).tolist(), list(range(len(sizes)))
    heap = [(s, i) for i, s in enumerate(size) if s < least]
    heapq.heapify(heap)
    while heap:
        s, i = heapq.heappop(heap)
        if parent[i] != i or s != size[i] or not touching[i]:
            continue
        j = max(touching[i], key=lambda k: (touching[i][k] / (size[i] + size[k] + least / 2), -k))
        _absorb(i, j, touching)
        parent[i], size[j] = j, size[j] + size[i]
        if size[j] < least:
            heapq.heappush(heap, (size[j], j))
    return np.unique([_root(parent, i) for i in range(len(parent))], return_inverse=True)[1]


def _absorb(i: int, j: int, touching: list[dict[int, float]]) -> None:
    for k, metres in touching[i].items():
        del touching[k][i]
        if k != j:
            touching[j][k] += metres
            touching[k][j] = touching[j][k]
    touching[i] = {}


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        i = parent[i]
    return i


def dissolve(faces: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return one geometry per label 0..n-1, made of its faces, every vertex kept."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    starts = np.searchsorted(labels[order], np.arange(1, labels.max() + 1))
    return np.array([shapely.coverage_union_all(part) for part in np.split(faces[order], starts)])


def grow_to(
    count: int, sizes: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray], zones: np.ndarray
) -> np.ndarray:
    """Grow groups as `grow` does, with the least size that gives the number of groups nearest to the count."""
    mean = sizes.sum() / count
    tried: dict[int, np.ndarray] = {}

    def surplus(step: int) -> int:
        tried[step] = grow(sizes, pairs, zones, mean * (0.35 + 0.05 * step))
        return int(tried[step].max()) + 1 - count

    bisect_left(range(STEPS), 0, key=lambda step: -surplus(step))  # a larger least size leaves fewer groups
    return min((tried[step] for step in sorted(tried)), key=lambda labels: abs(int(labels.max()) + 1 - count))

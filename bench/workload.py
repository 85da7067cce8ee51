"""A made-up region to measure on: many cells with crooked shared edges, their parents, points and footprints.

Deterministic from a seed. A cell is a Voronoi cell whose straight sides are replaced by crooked ones. A side may bulge
only within the triangle it spans with one of its two centres; those triangles are disjoint, so sides never meet but at
their ends, and neighbours share every vertex: the cells are a valid coverage by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi, cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]

SEED = 20_260_101
# Some 130 by 115 km: the size of a large city.
WEST, SOUTH, EAST, NORTH = 116.0, 39.4, 117.5, 40.45
# Units of each level for each unit of the finest: 70,000 cells have 7,000 communities, 330 subdistricts, 16 districts.
LEVELS = {"community": 10, "subdistrict": 212, "district": 4_375}
EDGES_PER_SIDE, OCTAVES = 25, 5
# How far a side may go towards a centre; a side that came to it would meet others there.
BULGE = 0.35
HOTSPOTS_N = 3_000
METRE = 1e-5


@dataclass(frozen=True)
class Region:
    """Units by level, finest first: polygons in degrees, and for each cell the row of its parent in every level."""

    units: dict[str, Geometries]
    parent: dict[str, Ints]


def region(cells_n: int, seed: int = SEED) -> Region:
    """Draw the cells and unite them into their parents."""
    chance = np.random.default_rng(seed)
    centres = _centres(cells_n, chance)
    cells = _cells(centres, chance)
    parent = _parents(centres, chance)
    units = {"cell": cells}
    for level, rows in parent.items():
        order = np.argsort(rows, kind="stable")
        groups = np.split(cells[order], np.flatnonzero(np.diff(rows[order])) + 1)
        units[level] = np.array([shapely.coverage_union_all(group) for group in groups], dtype=object)
    return Region(units, parent)


def points(ground: Region, points_n: int, seed: int = SEED) -> Floats:
    """Draw points, (n, 2) degrees, in random order: most where people are, some by lines and outside.

    One in a thousand lies on a vertex of a cell, one in a thousand on the middle of an edge as doubles can hold it.
    """
    chance = np.random.default_rng(seed + 1)
    vertices, starts = _edges(ground.units["cell"])
    exact_n = points_n // 1000
    by_lines_n, outside_n, anywhere_n = points_n // 20, points_n // 125, points_n // 5
    ends = chance.choice(starts, exact_n), chance.choice(starts, exact_n), chance.choice(starts, by_lines_n)
    crowds = vertices[chance.choice(starts, HOTSPOTS_N)]
    crowded_n = points_n - 2 * exact_n - by_lines_n - outside_n - anywhere_n
    drawn = np.concatenate(
        [
            vertices[ends[0]],
            (vertices[ends[1]] + vertices[ends[1] + 1]) / 2,
            _along(vertices, ends[2], chance) + chance.uniform(-20 * METRE, 20 * METRE, (by_lines_n, 2)),
            chance.uniform((WEST - 0.2, SOUTH - 0.2), (WEST - 0.05, NORTH + 0.2), (outside_n, 2)),
            chance.uniform((WEST, SOUTH), (EAST, NORTH), (anywhere_n, 2)),
            crowds[chance.integers(0, HOTSPOTS_N, crowded_n)] + chance.normal(0, 300 * METRE, (crowded_n, 2)),
        ]
    )
    return chance.permutation(drawn)


def footprints(ground: Region, footprints_n: int, seed: int = SEED) -> Geometries:
    """Draw buildings, rectangles and L-shapes 11 to 50 m wide, each within a cell but for one in fifty on an edge."""
    chance = np.random.default_rng(seed + 2)
    vertices, starts = _edges(ground.units["cell"])
    across_n = footprints_n // 50
    across = _buildings(_along(vertices, chance.choice(starts, across_n), chance), chance)
    tree = shapely.STRtree(ground.units["cell"])
    within = np.empty(0, dtype=object)
    while len(within) < footprints_n - across_n:
        tried = _buildings(chance.uniform((WEST, SOUTH), (EAST, NORTH), (footprints_n, 2)), chance)
        within = np.concatenate([within, tried[tree.query(tried, predicate="covered_by")[0]]])
    drawn = np.concatenate([across, within[: footprints_n - across_n]])
    return np.asarray(chance.permutation(drawn), dtype=object)


def _buildings(middle: Floats, chance: np.random.Generator) -> Geometries:
    count = len(middle)
    half = chance.uniform(5.5 * METRE, 25 * METRE, (count, 2))
    wing = np.where(chance.random((count, 1)) < 0.5, chance.uniform(0.2, 0.8, (count, 2)), 1.0)
    turn = chance.uniform(0, np.pi, count)
    corners = np.stack([_corner(half, wing, nth) for nth in range(7)], axis=1)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    turned = np.stack(
        [corners[..., 0] * cos - corners[..., 1] * sin, corners[..., 0] * sin + corners[..., 1] * cos], axis=-1
    )
    return np.asarray(shapely.polygons(middle[:, None] + turned), dtype=object)


def _corner(half: Floats, wing: Floats, nth: int) -> Floats:
    """Return a corner of an L inside the rectangle; a wing of 1 leaves the rectangle whole, two corners on one spot."""
    inner = 2 * wing * half - half
    columns = (
        (-half[:, 0], -half[:, 1]),
        (half[:, 0], -half[:, 1]),
        (half[:, 0], inner[:, 1]),
        (inner[:, 0], inner[:, 1]),
        (inner[:, 0], half[:, 1]),
        (-half[:, 0], half[:, 1]),
        (-half[:, 0], -half[:, 1]),
    )
    return np.stack(columns[nth], axis=-1)


def _centres(cells_n: int, chance: np.random.Generator) -> Floats:
    """Scatter centres, four fifths of them in towns: a region has small cells and large ones."""
    towns = chance.uniform((WEST, SOUTH), (EAST, NORTH), (max(cells_n // 1000, 4), 2))
    in_towns = towns[chance.integers(0, len(towns), cells_n * 4 // 5)]
    in_towns = in_towns + chance.normal(0, 0.04, in_towns.shape)
    spread = chance.uniform((WEST, SOUTH), (EAST, NORTH), (cells_n - len(in_towns), 2))
    drawn = np.concatenate([np.clip(in_towns, (WEST, SOUTH), (EAST, NORTH)), spread])
    # Those that were clipped stand in line on the frame: shaken apart, and inside again.
    shaken = drawn + chance.uniform(-0.002, 0.002, drawn.shape)
    low, high = np.array((WEST, SOUTH)), np.array((EAST, NORTH))
    return low + np.abs(shaken - low) - 2 * np.clip(shaken - high, 0, None)


def _cells(centres: Floats, chance: np.random.Generator) -> Geometries:
    """Cut the region into cells and make their sides crooked."""
    cut = Voronoi(np.concatenate([centres, *_mirrored(centres)]))
    pairs, ends = np.asarray(cut.ridge_points), np.asarray(cut.ridge_vertices)
    ours = (pairs < len(centres)).any(axis=1)
    pairs, ends = pairs[ours], ends[ours]
    on_frame = np.asarray((pairs >= len(centres)).any(axis=1))
    lines = _crooked(cut.vertices[ends], cut.points[pairs], chance, straight=on_frame)
    owner = np.concatenate([pairs[:, 0], pairs[:, 1]])
    side = np.tile(np.arange(len(pairs)), 2)
    inside = owner < len(centres)
    return _rings(centres, lines, owner[inside], side[inside])


def _mirrored(centres: Floats) -> list[Floats]:
    """Mirror the centres at the four sides of the region, so that its frame becomes sides of the outermost cells."""
    flipped = []
    for axis, at in ((0, WEST), (0, EAST), (1, SOUTH), (1, NORTH)):
        image = centres.copy()
        image[:, axis] = 2 * at - image[:, axis]
        flipped.append(image)
    return flipped


def _crooked(ends: Floats, centres: Floats, chance: np.random.Generator, *, straight: NDArray[np.bool_]) -> Floats:
    """Return (side, vertex, 2): each side from its first end to its second, bulging towards one of its centres."""
    along = np.linspace(0, 1, EDGES_PER_SIDE + 1)
    rough = np.zeros((len(ends), EDGES_PER_SIDE + 1))
    for octave in range(1, OCTAVES + 1):
        knots = chance.random((len(ends), 2**octave + 1)) / 2**octave
        left = np.minimum((along * 2**octave).astype(int), 2**octave - 1)
        part = along * 2**octave - left
        rough += knots[:, left] * (1 - part) + knots[:, left + 1] * part
    # Most at the middle, nothing at the ends: the next side begins there.
    height = BULGE * rough / rough.max(axis=1, keepdims=True) * 4 * along * (1 - along)
    height[straight] = 0.0
    base = ends[:, 0, None] * (1 - along)[None, :, None] + ends[:, 1, None] * along[None, :, None]
    towards = centres[np.arange(len(ends)), chance.integers(0, 2, len(ends))][:, None]
    lines = base + height[..., None] * (towards - base)
    # To the last bit, or neighbours would not meet at their corners.
    lines[:, 0], lines[:, -1] = ends[:, 0], ends[:, 1]
    return np.asarray(lines)


def _rings(centres: Floats, lines: Floats, owner: Ints, side: Ints) -> Geometries:
    """Join the sides of each cell, counterclockwise round its centre."""
    first, last = lines[side, 0] - centres[owner], lines[side, -1] - centres[owner]
    backwards = first[:, 0] * last[:, 1] - first[:, 1] * last[:, 0] < 0
    starts = np.where(backwards[:, None], last, first)
    order = np.lexsort((np.arctan2(starts[:, 1], starts[:, 0]), owner))
    way = np.where(backwards[order, None], np.arange(EDGES_PER_SIDE, 0, -1), np.arange(EDGES_PER_SIDE))
    vertices = lines[side[order][:, None], way].reshape(-1, 2)
    return np.asarray(shapely.polygons(shapely.linearrings(vertices, indices=np.repeat(owner[order], EDGES_PER_SIDE))))


def _parents(centres: Floats, chance: np.random.Generator) -> dict[str, Ints]:
    """Give every cell the nearest community, that the nearest subdistrict, and so on."""
    rows = np.arange(len(centres))
    below, parent = centres, {}
    for level, cells in LEVELS.items():
        seats = below[chance.choice(len(below), max(len(centres) // cells, 2), replace=False)]
        _, nearest = cKDTree(seats).query(below)
        # Rows without gaps: a seat may have lost all it had to its neighbours.
        _, nearest = np.unique(nearest, return_inverse=True)
        rows = nearest[rows]
        parent[level] = rows
        below = np.stack([np.bincount(rows, weights=centres[:, axis]) for axis in (0, 1)], axis=1)
        below /= np.bincount(rows)[:, None]
    return parent


def _edges(cells: Geometries) -> tuple[Floats, Ints]:
    """Return all vertices of the rings, and the positions at which an edge begins."""
    vertices, cell = shapely.get_coordinates(cells, return_index=True)
    return vertices, np.flatnonzero(cell[1:] == cell[:-1])


def _along(vertices: Floats, starts: Ints, chance: np.random.Generator) -> Floats:
    part = chance.random((len(starts), 1))
    return vertices[starts] * (1 - part) + vertices[starts + 1] * part

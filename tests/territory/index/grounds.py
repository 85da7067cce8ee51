"""Grounds to try the index on: coverages, and ground with gaps, overlaps, duplicates, holes, parts and slivers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Ground = list[BaseGeometry]

# Origin and step of whole numbers: exact in binary, as coordinates come, about zero, by the date line and by a pole.
SCALES = (
    (120.5, 30.25, 2**-7), (120.5, 30.25, 0.001), (-0.003, -0.002, 0.001), (179.99, -16.5, 0.001),
    (13.37, 89.99, 0.001), (116.3, 39.9, 1e-7),
)  # fmt: skip
CELLS = 5


@st.composite
def grounds(draw: st.DrawFn) -> Ground:
    """Draw units: up to a dozen of several kinds together, so that they cover, overlap and leave gaps."""
    west, south, step = draw(st.sampled_from(SCALES))
    kinds = draw(st.lists(st.sampled_from((coverage, cells, stars, splits)), min_size=1, max_size=3))
    units = [unit for kind in kinds for unit in draw(kind())]
    placed = [shapely.transform(unit, lambda at: at * step + [west, south]) for unit in units]
    if draw(st.booleans()) and placed:
        placed.append(draw(st.sampled_from(placed)))
    return [unit for unit in placed if shapely.is_valid(unit) and not shapely.is_empty(unit)]


@st.composite
def coverage(draw: st.DrawFn) -> Ground:
    """Part a square among cells about seeds: neighbours share every vertex."""
    seeds = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=8, unique=True))
    square = box(0, 0, CELLS, CELLS)
    around = shapely.voronoi_polygons(shapely.MultiPoint(np.array(seeds) / 8), extend_to=square)
    parts = [shapely.intersection(part, square) for part in shapely.get_parts(around)]
    return [part for part in parts if isinstance(part, Polygon)]


@st.composite
def cells(draw: st.DrawFn) -> Ground:
    """Put whole squares together: parts that touch in corners, holes, neighbours with vertices of their own."""
    owners = draw(st.lists(st.integers(-1, 3), min_size=CELLS**2, max_size=CELLS**2))
    squares: dict[int, list[Polygon]] = {}
    for at, owner in enumerate(owners):
        squares.setdefault(owner, []).append(box(at % CELLS, at // CELLS, at % CELLS + 1, at // CELLS + 1))
    merged = [shapely.union_all(parts) for owner, parts in squares.items() if owner >= 0]
    return [each for each in merged if isinstance(each, Polygon | MultiPolygon)]


@st.composite
def stars(draw: st.DrawFn) -> Ground:
    """Draw a star of many thin points over whatever lies there."""
    rays = np.array(draw(st.lists(st.floats(0.3, 3), min_size=3, max_size=12)))
    turn = np.linspace(0, 2 * np.pi, len(rays), endpoint=False)
    return [Polygon(np.column_stack([2.5 + rays * np.cos(turn), 2.5 + rays * np.sin(turn)]))]


@st.composite
def splits(draw: st.DrawFn) -> Ground:
    """Split a square by a line that both sides drew alone: slivers of overlap and of gap, an ulp wide."""
    heights = draw(st.lists(st.floats(1, 4), min_size=2, max_size=6))
    line = np.column_stack([np.linspace(0, CELLS, len(heights)), heights])
    moved = line.copy()
    moved[1:-1, 1] = np.nextafter(moved[1:-1, 1], draw(st.sampled_from([0.0, 9.0])))
    upper = Polygon([*line, (CELLS, CELLS), (0, CELLS)])
    return [Polygon([*moved, (CELLS, 0), (0, 0)]), upper]


def spots(ground: Ground, tried: npt.NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Give the points that tell: every vertex, the middle of every edge, one ulp beside both, and what is tried."""
    vertices = np.unique(shapely.get_coordinates(ground), axis=0)
    at, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(ground)), return_index=True)
    middles = ((at[:-1] + at[1:]) / 2)[ring[:-1] == ring[1:]]
    sharp = np.concatenate([vertices, middles])
    beside = [sharp]
    for axis in (0, 1):
        for towards in (-999.0, 999.0):
            moved = sharp.copy()
            moved[:, axis] = np.nextafter(moved[:, axis], towards)
            # One ulp beside zero GEOS itself loses the digits; that is tried where fractions are the judge.
            moved[np.abs(moved) < 1e-200] = 0.0
            beside.append(moved)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    every = np.concatenate([*beside, low + tried * (high - low)])
    on_earth = (np.abs(every) <= [180, 90]).all(axis=1)
    return every[on_earth, 0], every[on_earth, 1]

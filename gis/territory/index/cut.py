"""The exact cut: what part of a footprint lies in a unit, of its planar area, or of its length if it is a line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely

from gis.territory import coords
from gis.territory.index.shapes import Floats, Geometries, Ints

Cut = Callable[[Geometries, Geometries], Geometries]

# Coordinates near 114 degrees are rounded to 1.4e-14: worth 1e-9 of the area of a kiosk a metre wide. Footprints under
# this size are cut in coordinates counted from their own corner, where the rounding is a billion times finer.
SMALL_DEG = 1e-4


def share(footprints: Geometries, grounds: Geometries) -> Floats:
    """Return pair by pair the share of a footprint that lies in its ground, from 0 to 1."""
    return np.minimum(left_by(shapely.intersection, footprints, grounds) / measure(footprints), 1.0)


def measure(footprints: Geometries) -> Floats:
    """Return area (square degrees, planar) of polygons and length (metres on the ellipsoid) of lines."""
    is_line = shapely.get_dimensions(footprints) == 1
    size = np.asarray(shapely.area(_by_own_corner(footprints, footprints)), dtype=np.float64)
    if is_line.any():
        size[is_line] = path_lengths_m(footprints[is_line])
    return size


def left_by(cut: Cut, footprints: Geometries, grounds: Geometries) -> Floats:
    """Measure what a cut (intersection, difference) with its ground leaves of each footprint.

    Lines are cut edge by edge: a line that runs over itself would lose the repetition in one cut.
    """
    is_line = shapely.get_dimensions(footprints) == 1
    size = np.zeros(len(footprints))
    areas = footprints[~is_line]
    size[~is_line] = shapely.area(cut(_by_own_corner(areas, areas), _by_own_corner(grounds[~is_line], areas)))
    if is_line.any():
        edges, owner = _edges(footprints[is_line])
        lengths = path_lengths_m(cut(edges, grounds[is_line][owner]))
        size[is_line] = np.bincount(owner, weights=lengths, minlength=int(is_line.sum()))
    return size


def _by_own_corner(shapes: Geometries, footprints: Geometries) -> Geometries:
    """Count the coordinates of what belongs to a small footprint from the footprint's corner."""
    bounds = shapely.bounds(footprints).reshape(-1, 4)
    small = np.flatnonzero((bounds[:, 2:] - bounds[:, :2]).max(axis=1, initial=0) < SMALL_DEG)
    counted = shapes.copy()
    counted[small] = _shifted(shapes[small], bounds[small, :2])
    return counted


def _shifted(shapes: Geometries, origins: Floats) -> Geometries:
    """Count every shape's coordinates from its own origin; differences of near numbers are exact."""
    at, owner = shapely.get_coordinates(shapes, return_index=True)
    moved: Geometries = shapely.set_coordinates(shapes.copy(), at - origins[owner])
    return moved


def _edges(lines: Geometries) -> tuple[Geometries, Ints]:
    parts, owner = shapely.get_parts(lines, return_index=True)
    vertices, part = shapely.get_coordinates(parts, return_index=True)
    inside = part[1:] == part[:-1]
    ends = np.stack([vertices[:-1][inside], vertices[1:][inside]], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object), owner[part[1:][inside]]


def path_lengths_m(lines: Geometries) -> Floats:
    """Return the length on the ellipsoid of lines as they are stored: straight in degrees between vertices."""
    parts, owner = shapely.get_parts(lines, return_index=True)
    keep = shapely.get_dimensions(parts) == 1
    vertices, part = shapely.get_coordinates(parts[keep], return_index=True)
    inside = part[1:] == part[:-1]
    metres = edge_lengths_m(vertices[:-1][inside], vertices[1:][inside])
    return np.bincount(owner[keep][part[1:][inside]], weights=metres, minlength=len(lines)).astype(np.float64)


def edge_lengths_m(start: Floats, end: Floats) -> Floats:
    """Return the length on the ellipsoid of edges, (edge, 2) degrees, straight in degrees.

    Geodesics between the vertices would be shorter by some 1e-8 and not add up when a line is cut; this integral
    (Gauss, three points an edge) does, which shares need.
    """
    step = end - start
    metres = np.zeros(len(start))
    for node, weight in zip(*np.polynomial.legendre.leggauss(3), strict=True):
        east, north = coords.metres_per_degree(start[:, 1] + step[:, 1] * (1 + node) / 2)
        metres += weight / 2 * np.hypot(step[:, 0] * east, step[:, 1] * north)
    return metres

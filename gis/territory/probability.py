"""How probable it is that the true point lies in a polygon, when its fix has a normal error.

The mass of an isotropic normal distribution over a polygon is a sum over its edges (Green's theorem in polar form): an
edge at distance h seen under the angle from psi1 to psi2 adds (psi2 - psi1) / 2 pi - T(h, tan psi2) + T(h, tan psi1),
with Owen's T function. It is exact: on a straight edge it is Phi(d / sigma). An edge through the fix itself adds
nothing, as 1 - exp(0) does, so points on edges and vertices need no case of their own.
"""

from __future__ import annotations

from math import hypot

import numpy as np
import numpy.typing as npt
import shapely
from scipy.special import owens_t
from shapely.geometry.base import BaseGeometry

from gis.territory import coords

Floats = npt.NDArray[np.float64]

# Beyond this many standard deviations the mass is below 1e-15.
REACH_SIGMA = 8.5


def total_sigma_m(point_sigma_m: float, line_sigma_m: float) -> float:
    """Return sigma per axis of a fix against a line that has an error of its own, in metres."""
    return hypot(point_sigma_m, line_sigma_m)


def within(unit: BaseGeometry, lon: float, lat: float, sigma_m: float) -> float:
    """Return the probability that the true point of a fix lies in a polygon in EPSG:4326."""
    plane = coords.Plane(lon, lat)
    reach_m = REACH_SIGMA * sigma_m
    (west, east), (south, north) = plane.lonlat(np.array([-reach_m, reach_m]), np.array([-reach_m, reach_m]))
    near = shapely.clip_by_rect(unit, west, south, east, north)
    mass = sum(_polygon_mass(part, plane, sigma_m) for part in shapely.get_parts(near) if part.geom_type == "Polygon")
    return float(min(max(mass, 0.0), 1.0))


def _polygon_mass(polygon: BaseGeometry, plane: coords.Plane, sigma_m: float) -> float:
    shell, *holes = shapely.get_rings(polygon)
    return _ring_mass(shell, plane, sigma_m) - sum(_ring_mass(hole, plane, sigma_m) for hole in holes)


def _ring_mass(ring: BaseGeometry, plane: coords.Plane, sigma_m: float) -> float:
    lonlat = shapely.get_coordinates(ring)
    x, y = plane.xy(lonlat[:, 0], lonlat[:, 1])
    mass = edges_mass(np.column_stack([x, y]) / sigma_m).sum()
    return float(mass if shapely.is_ccw(ring) else -mass)


def edges_mass(ring: Floats) -> Floats:
    """Return what each edge adds. ring: (n + 1, 2) closed, counter-clockwise, in sigmas, the fix at the origin."""
    start, end = ring[:-1], ring[1:]
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    off = (length > 0) & (cross != 0)
    mass = np.zeros(len(length))
    length, along, start, end = length[off], along[off], start[off], end[off]
    height = np.abs(cross[off]) / length
    tan_start = (start * along).sum(axis=1) / length / height
    tan_end = (end * along).sum(axis=1) / length / height
    angle = (np.arctan(tan_end) - np.arctan(tan_start)) / (2 * np.pi)
    mass[off] = np.sign(cross[off]) * (angle - owens_t(height, tan_end) + owens_t(height, tan_start))
    return mass

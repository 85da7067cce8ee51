"""The demo city's own metres: a transverse Mercator round its centre, CGCS2000's ellipsoid, metres east and north."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import shapely
from pyproj import Transformer

CENTRE_LON, CENTRE_LAT = 118.8, 35.6
DECIMALS = 7
GRID_DEG = 1e-7
_METRES = f"+proj=tmerc +lat_0={CENTRE_LAT} +lon_0={CENTRE_LON} +ellps=GRS80 +units=m"
Shapes = TypeVar("Shapes", np.ndarray, shapely.Point)
_TO_DEGREES = Transformer.from_crs(_METRES, "EPSG:4490", always_xy=True)


def _degrees(xy: np.ndarray) -> np.ndarray:
    lon, lat = _TO_DEGREES.transform(xy[:, 0], xy[:, 1])
    return np.round(np.column_stack([lon, lat]), DECIMALS)


def _metres(lonlat: np.ndarray) -> np.ndarray:
    x, y = _TO_DEGREES.transform(lonlat[:, 0], lonlat[:, 1], direction="INVERSE")
    return np.column_stack([x, y])


def to_degrees(geoms: Shapes) -> Shapes:
    """Bring metres to degrees, rounded to 7 decimals: equal points stay equal."""
    return shapely.transform(geoms, _degrees)


def to_metres(geoms: Shapes) -> Shapes:
    """Bring degrees back to the city's metres."""
    return shapely.transform(geoms, _metres)

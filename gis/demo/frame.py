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


def _exact_degrees(xy: np.ndarray) -> np.ndarray:
    lon, lat = _TO_DEGREES.transform(xy[:, 0], xy[:, 1])
    return np.column_stack([lon, lat])


def _degrees(xy: np.ndarray) -> np.ndarray:
    return np.round(_exact_degrees(xy), DECIMALS)


def _metres(lonlat: np.ndarray) -> np.ndarray:
    x, y = _TO_DEGREES.transform(lonlat[:, 0], lonlat[:, 1], direction="INVERSE")
    return np.column_stack([x, y])


def to_degrees(geoms: Shapes) -> Shapes:
    """Bring metres to degrees, rounded to 7 decimals: equal points stay equal."""
    return shapely.transform(geoms, _degrees)


def to_sound_degrees(geoms: np.ndarray) -> np.ndarray:
    """Bring metres to degrees as `to_degrees` does; where a shape would then touch itself, leave out what is too thin.

    What streets leave of a block may hang together by a neck, or run out into a hair, of a millimetre. Rounded to a
    centimetre its two sides fall on one another, and the ring crosses itself there.
    """
    rounded: np.ndarray = to_degrees(geoms)
    crossed = ~shapely.is_valid(rounded)
    rounded[crossed] = shapely.set_precision(shapely.transform(geoms[crossed], _exact_degrees), GRID_DEG)
    return rounded


def to_metres(geoms: Shapes) -> Shapes:
    """Bring degrees back to the city's metres."""
    return shapely.transform(geoms, _metres)

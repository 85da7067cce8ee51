"""What may be asked: columns of longitudes and latitudes in degrees, and reaches in metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.index.shapes import NONE, Floats, Ints

# The farthest that may be asked for: half way round the earth.
FARTHEST_M = 20_100_000.0
MOST_STEPS = 65_535


def columns(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Make two columns of numbers of what was given; raise Invalid if they are none, or of different length."""
    x, y = _column(lon, "lon"), _column(lat, "lat")
    if len(x) != len(y):
        raise Invalid("index.columns_differ", lon=len(x), lat=len(y))
    return x, y


def _column(given: ArrayLike, name: str) -> Floats:
    try:
        values = np.asarray(given)
        if values.dtype.kind not in "iufO":
            raise Invalid("index.not_numbers", column=name, kind=str(values.dtype))
        if values.dtype.kind == "O" and any(isinstance(value, str | bytes | bool) for value in values.flat):
            raise Invalid("index.not_numbers", column=name, kind=str(values.dtype))
        numbers = np.ascontiguousarray(values, dtype=np.float64).view()
    except (TypeError, ValueError) as error:
        raise Invalid("index.not_numbers", column=name, kind=type(given).__name__) from error
    if values.ndim != 1:
        raise Invalid("index.not_a_column", column=name, dimensions=values.ndim)
    # One kind of array for the compiled code, whatever was given.
    numbers.flags.writeable = False
    return numbers


def swept(lon: Floats, lat: Floats) -> Ints:
    """Return an order of points, strip by strip, in which each is near the one before: what it needs is at hand then.

    In the order they come, most of the time of a large batch is waiting for memory.
    """
    # In whole numbers of two bytes, which numpy puts in order digit by digit.
    along = np.argsort(_steps(lon, MOST_STEPS), kind="stable")
    strips = _steps(lat, min(int(len(lat) ** 0.5) + 1, MOST_STEPS))
    return along[np.argsort(strips[along], kind="stable")]


def _steps(values: Floats, steps: int) -> NDArray[np.uint16]:
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    scale = steps / (high - low) if high > low else 0.0
    return ((values - low) * scale).astype(np.uint16)


def check(wrong: int, lon: Floats, lat: Floats) -> None:
    """Raise Invalid that names the first point that is none, if there is one."""
    if wrong != NONE:
        raise Invalid("index.not_on_earth", position=int(wrong), lon=float(lon[wrong]), lat=float(lat[wrong]))


def check_one(lon: float, lat: float) -> None:
    """Raise Invalid for a point without a longitude and a latitude."""
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise Invalid("index.not_on_earth", position=0, lon=float(lon), lat=float(lat))


def check_all(lon: Floats, lat: Floats) -> None:
    """Raise Invalid that names the first point without a longitude and a latitude."""
    wrong = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if wrong.any():
        check(int(np.argmax(wrong)), lon, lat)


def fixes(lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike = 0.0) -> Floats:
    """Put together what distances need: lon, lat, metres of a degree east and north, reach in metres."""
    x, y = columns(lon, lat)
    check_all(x, y)
    reach = np.asarray(reach_m, dtype=np.float64)
    if not ((reach >= 0) & (reach <= FARTHEST_M)).all() or reach.shape not in ((), x.shape):
        raise Invalid("index.no_reach", farthest_m=FARTHEST_M)
    table = np.empty((len(x), 5))
    table[:, 0], table[:, 1], table[:, 4] = x, y, reach
    table[:, 2], table[:, 3] = coords.metres_per_degree(y)
    return table

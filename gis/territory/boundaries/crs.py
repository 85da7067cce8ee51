"""The way from a file's coordinates to WGS 84: which operation PROJ takes is chosen here, checked and told."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.exceptions import CRSError, ProjError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined] # public, though not marked so
from pyproj.transformer import TransformerGroup

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.boundaries.densify import METRES_PER_DEGREE, Carry
from gis.territory.coords import Floats

# The same file must give the same boundaries on every machine, also on one that cannot fetch grids.
set_network_enabled(active=False)

WGS84 = CRS.from_epsg(4326)
# A coordinate system may be used somewhat beyond the area it is meant for, not on another continent.
MARGIN_DEG = 3.0
# CGCS2000 under the names that EPSG and Esri give its datum.
SAME_AS_WGS84 = frozenset({"china 2000", "china_2000", "d_china_2000", "cgcs2000", "world geodetic system 1984"})


@dataclass(frozen=True)
class Way:
    """How coordinates are carried. told: the operation, its accuracy and the datum, for the edition's report."""

    carry: Carry
    metres_per_unit: float
    told: dict[str, Any]


def named(text: str, **where: object) -> CRS:
    """Read a coordinate system from a manifest: EPSG:4548, a PROJ string or WKT; raise Invalid."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise Invalid("boundaries.unknown_crs", crs=text, reason=str(error), **where) from error


def way(crs: CRS, datum: str, at: Floats, **where: object) -> Way:
    """Choose the operation for coordinates; raise Invalid if they cannot be in that system, or it is tied to nothing.

    datum: GCJ02 or BD09 if the coordinates carry that shift whatever the file says of its system.
    """
    box = _range(crs, at, where)
    chosen, better = _operation(crs, box, where)
    metres = METRES_PER_DEGREE if crs.is_geographic else float(crs.axis_info[0].unit_conversion_factor)
    told = {
        "crs": ":".join(crs.to_authority() or ()) or crs.name,
        "datum": datum,
        "operation": chosen.description,
        "operation_accuracy_m": _accuracy_m(chosen),
        "better_operations_missing": better,
    }

    def carry(points: Floats) -> Floats:
        lon, lat = chosen.transform(points[:, 0], points[:, 1])
        return np.column_stack(coords.to_wgs84(lon, lat, datum))

    return Way(carry, metres, told)


def _range(crs: CRS, at: Floats, where: dict[str, object]) -> AreaOfInterest:
    """Give the box of the coordinates in degrees; raise Invalid if it is no place of the system's area."""
    rough = Transformer.from_crs(crs, WGS84, always_xy=True)
    corners = np.array([(x, y) for x in (at[:, 0].min(), at[:, 0].max()) for y in (at[:, 1].min(), at[:, 1].max())])
    try:
        lon, lat = rough.transform(corners[:, 0], corners[:, 1], errcheck=True)
    except ProjError:
        lon = lat = np.array([np.inf])
    area = crs.area_of_use
    known = (area.west, area.south, area.east, area.north) if area else (-180.0, -90.0, 180.0, 90.0)
    if not _is_within(np.asarray(lon), np.asarray(lat), known):
        x, y = at[0]
        limits = ", ".join(f"{side:g}" for side in known)
        raise Invalid("boundaries.outside_crs", crs=crs.name, x=f"{x:.6g}", y=f"{y:.6g}", area=limits, **where)
    return AreaOfInterest(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))


def _is_within(lon: Floats, lat: Floats, area: tuple[float, float, float, float]) -> bool:
    west, south, east, north = area
    if not (np.isfinite(lon).all() and np.abs(lon).max() <= 180 and np.abs(lat).max() <= 90):
        return False
    # An area across the date line has its west east of its east.
    across = (lon - west) % 360 if west > east else lon - west
    wide = (east - west) % 360 if west > east else east - west
    if wide == 0 or wide >= 360 - 2 * MARGIN_DEG:
        return bool(lat.min() >= south - MARGIN_DEG and lat.max() <= north + MARGIN_DEG)
    beside = across.min() < -MARGIN_DEG or across.max() > wide + MARGIN_DEG
    return not (beside or lat.min() < south - MARGIN_DEG or lat.max() > north + MARGIN_DEG)


def _operation(crs: CRS, box: AreaOfInterest, where: dict[str, object]) -> tuple[Transformer, list[str]]:
    """Take the best operation at hand for the box; one that merely pretends two datums are one is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a better one that needs a grid is told in the report
        group = TransformerGroup(crs, WGS84, always_xy=True, area_of_interest=box)  # type: ignore[arg-type] # two stubs
    chosen = group.transformers[0]
    if "Ballpark" in chosen.description and not _equals_wgs84(crs):
        raise Invalid("boundaries.unrelated_datum", crs=crs.name, **where)
    return chosen, [operation.name for operation in group.unavailable_operations]


def _accuracy_m(chosen: Transformer) -> float | None:
    # CGCS2000 is taken for WGS 84, as the house does everywhere: good to a metre.
    if "Ballpark" in chosen.description:
        return 1.0
    return chosen.accuracy if chosen.accuracy >= 0 else None


def _equals_wgs84(crs: CRS) -> bool:
    datum = (crs.geodetic_crs or crs).datum
    return datum is not None and datum.name.lower() in SAME_AS_WGS84

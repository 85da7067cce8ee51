"""Coordinates of a file in its own system -> degrees of longitude and latitude."""

from __future__ import annotations

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined] # public, though not marked so

from gis.errors import Invalid
from gis.territory.sheets.reading import Floats, Move

# The same file must give the same places on every machine, also on one that cannot fetch grids.
set_network_enabled(active=False)

LONLAT = CRS("OGC:CRS84")
# CGCS2000 in degrees: taken for WGS 84, as everywhere in the house.
CGCS2000 = CRS.from_epsg(4490)


def mover(named: object) -> Move | None:
    """Return what brings coordinates of a system to degrees, None where they are; raise Invalid if it is unknown."""
    if named in (None, ""):
        return None
    try:
        system = CRS.from_user_input(named)
        if any(system.equals(each, ignore_axis_order=True) for each in (LONLAT, CGCS2000)):
            return None
        change = Transformer.from_crs(system, LONLAT, always_xy=True)
    except CRSError as error:
        raise Invalid("sheet.unknown_crs", crs=str(named)[:80], reason=str(error)[:200]) from error

    def moved(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        lon, lat = change.transform(x, y)
        return lon, lat

    return moved

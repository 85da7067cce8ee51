"""Streets, buildings, estates, components, addresses and land: import, exact shares, what lies near and around."""

from gis.territory.places.nearby import around, nearest
from gis.territory.places.shares import Part, Sliver, Straddler, share_all, share_moved, straddlers

__all__ = ["Part", "Sliver", "Straddler", "around", "nearest", "share_all", "share_moved", "straddlers"]

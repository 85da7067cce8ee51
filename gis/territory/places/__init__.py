"""Streets, buildings, estates, components, addresses and land: import, exact shares, what lies near and around."""

from gis.territory.places.footprints import Reject
from gis.territory.places.loading import Report, Watch, load
from gis.territory.places.mapping import PlaceFile, read_mapping
from gis.territory.places.nearby import Surroundings, nearest, surroundings
from gis.territory.places.shares import (
    SHARED_KINDS,
    Part,
    Sliver,
    Straddler,
    share_all,
    share_moved,
    straddler,
    straddlers,
)

__all__ = [
    "SHARED_KINDS",
    "Part",
    "PlaceFile",
    "Reject",
    "Report",
    "Sliver",
    "Straddler",
    "Surroundings",
    "Watch",
    "load",
    "nearest",
    "read_mapping",
    "share_all",
    "share_moved",
    "straddler",
    "straddlers",
    "surroundings",
]

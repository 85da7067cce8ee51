"""Boundary files: read, checked, loaded as an inactive edition, activated from a date, withdrawn."""

from gis.territory.boundaries.draft import Draft, Ground, check, read
from gis.territory.boundaries.editions import activate, get, list_editions, retire
from gis.territory.boundaries.loading import FaultsFoundError, ground, load
from gis.territory.boundaries.manifest import Manifest, read_manifest

__all__ = [
    "Draft",
    "FaultsFoundError",
    "Ground",
    "Manifest",
    "activate",
    "check",
    "get",
    "ground",
    "list_editions",
    "load",
    "read",
    "read_manifest",
    "retire",
]

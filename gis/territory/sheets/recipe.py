"""Which column of a sheet holds what, and what is to be appended to it. Checked against the columns there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo

import pyarrow as pa

from gis.errors import Invalid
from gis.territory import said
from gis.territory.location import Rules
from gis.territory.said import Habits

# What longitude and latitude are called where nothing is said, in any case.
PAIRS = (("lon", "lat"), ("lng", "lat"), ("long", "lat"), ("longitude", "latitude"), ("经度", "纬度"), ("x", "y"))
COLUMNS = ("lon", "lat", "geometry", "accuracy", "datum", "date")


@dataclass(frozen=True)
class Recipe:
    """How a sheet is read and answered. The names of columns are None where there is none.

    on: the day of rows that say none; zone: of the city, for times. names: the language of the units' names to append,
    None for codes alone. detail: append each level's flags, number of units and candidates. prefix: before every name
    appended. nets: only these; all when empty.
    """

    on: date
    lon: str | None = None
    lat: str | None = None
    geometry: str | None = None
    accuracy: str | None = None
    datum: str | None = None
    date: str | None = None
    habits: Habits = said.UNKNOWN
    zone: tzinfo | None = None
    names: str | None = None
    detail: bool = False
    prefix: str = ""
    nets: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)

    @property
    def has_accuracy(self) -> bool:
        """Whether any row may say how accurate it is."""
        return self.accuracy is not None or self.habits.accuracy_m is not None


def checked(recipe: Recipe, schema: pa.Schema, geometry: str | None = None) -> Recipe:
    """Find the columns in a sheet; raise Invalid where one is lost. geometry: the column the file itself names."""
    for kind in COLUMNS:
        _known(getattr(recipe, kind), kind, schema.names)
    # What a row without a word of its own is read with is checked once, and not in the middle of a file.
    said.parse({"lon": 0.5, "lat": 0.5}, recipe.habits)
    if recipe.geometry or (recipe.lon and recipe.lat):
        return recipe
    if recipe.lon or recipe.lat:
        raise Invalid("sheet.half_a_pair", given=recipe.lon or recipe.lat)
    pair = _pair(schema.names)
    if pair:
        return replace(recipe, lon=pair[0], lat=pair[1])
    if geometry in schema.names:
        return replace(recipe, geometry=geometry)
    raise Invalid("sheet.no_place", columns=listed(schema.names))


def listed(names: Iterable[str], most: int = 30) -> str:
    """Write names for a sentence, not more than a reader takes in."""
    every = list(names)
    return ", ".join(every[:most]) + (", …" if len(every) > most else "")


def _known(column: str | None, kind: str, names: Sequence[str]) -> None:
    if column is not None and column not in names:
        raise Invalid("sheet.no_column", kind=kind, column=column[:80], columns=listed(names))


def _pair(names: Sequence[str]) -> tuple[str, str] | None:
    lower = {name.strip().lower(): name for name in names}
    return next(((lower[lon], lower[lat]) for lon, lat in PAIRS if lon in lower and lat in lower), None)

"""The small TOML file that says what a file of places holds: one [[places]] table for each file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Table

from gis.errors import Invalid
from gis.territory import coords, tables
from gis.territory.places.files import ROW_NUMBER, TableFile

# kind -> the table it is kept in
KINDS: Mapping[str, Table] = {
    name: kind.__table__  # type: ignore[misc]
    for name, kind in (
        ("building", tables.Building),
        ("street", tables.Street),
        ("estate", tables.Estate),
        ("component", tables.Component),
        ("address", tables.Address),
        ("land", tables.Land),
    )
}
CAPS = ("flat", "round")
# What the import works out itself: never read from a file's columns.
OWN_COLUMNS = frozenset({"id", "source", "geom", "centre_geom", "area_m2", "length_m", "attributes", "key"})


@dataclass(frozen=True, kw_only=True)
class PlaceFile(TableFile):
    """A file of places of one kind, and where in it things are.

    Attributes are kept beside the place, for duties. widths: scheme of data/streets/widths.csv; caps: how a street
    made from a line ends. repair: mend broken rings, and say so.
    """

    kind: str
    source: str
    licence: str = ""
    widths: str = "city"
    caps: Literal["flat", "round"] = "flat"
    repair: bool = False

    @property
    def table(self) -> Table:
        """The table these places are kept in."""
        return KINDS[self.kind]


def read_mapping(path: Path, root: Path | None = None) -> tuple[PlaceFile, ...]:
    """Read a mapping; its files are looked for under root, or beside it. Raise Invalid that says what is wrong."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("places.mapping_unreadable", path=str(path), reason=str(error)) from error
    entries = content.get("places")
    if not isinstance(entries, list) or not entries:
        raise Invalid("places.mapping_empty", path=str(path))
    return tuple(
        place_file(entry, f"{path.name} #{number}", root or path.parent) for number, entry in enumerate(entries, 1)
    )


def place_file(entry: Mapping[str, Any], where: str, root: Path) -> PlaceFile:
    """Check one entry; `where` names it in what is raised."""
    known = {each.name for each in fields(PlaceFile)} - {"path"} | {"file"}
    for name in entry:
        _must(name in known, "places.mapping_unknown_key", where, name=name, choices=", ".join(sorted(known)))
    for name in ("kind", "file", "source"):
        _must(bool(entry.get(name)), "places.mapping_missing_key", where, name=name)
    for name, choices in (("kind", KINDS), ("datum", coords.DATUMS), ("caps", CAPS)):
        value = entry.get(name, next(iter(choices)))
        _must(
            value in choices, "places.mapping_not_a_choice", where, name=name, value=value, choices=", ".join(choices)
        )
    made = PlaceFile(path=root / entry["file"], **{name: value for name, value in entry.items() if name != "file"})
    _check_columns(made, where)
    return made


def _check_columns(made: PlaceFile, where: str) -> None:
    ours = {column.name for column in made.table.columns} - OWN_COLUMNS
    for name in (*made.fields, *made.values):
        _must(name in ours, "places.mapping_unknown_field", where, name=name, choices=", ".join(sorted(ours)))
    _must("external_id" in made.fields, "places.mapping_no_id", where, row=ROW_NUMBER)
    _must((made.lon is None) == (made.lat is None), "places.mapping_half_a_point", where)


def _must(holds: bool, code: str, where: str, **params: object) -> None:
    if not holds:
        raise Invalid(code, where=where, **params)

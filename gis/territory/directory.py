"""What the ground keeps under a name or a number: houses, buildings, estates, land, streets, divisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.territory.address import keys

MOST_ROWS = 400


@dataclass(frozen=True)
class Hit:
    """A row of the ground an address may mean.

    alike 0..1: its name to the one said; level: of a division; block: which of the houses that share one number.
    """

    label: str
    geometry: BaseGeometry
    alike: float = 1.0
    ref_kind: str | None = None
    ref_id: int | None = None
    level: str | None = None
    block: str = ""


@dataclass(frozen=True)
class Neighbour:
    """The house on a street whose number is nearest to one that is not there."""

    label: str
    number: int
    geometry: BaseGeometry


def houses(session: Session, wanted: Sequence[str]) -> list[Hit]:
    """List the addresses of some keys (address.text_key)."""
    rows = session.execute(_HOUSES, {"keys": list(wanted), "most": MOST_ROWS})
    return [_house(row, _label(row)) for row in rows]


def blocks(session: Session, estate: str, number: str) -> list[Hit]:
    """List the houses of an estate that go by a number (5号楼, 阳光花园5幢 for 5), as addresses or as buildings."""
    wanted = keys.number(number)
    rows = session.execute(_BLOCKS, {"estate": estate})
    found = [_house(row, f"{estate}{row.building_number}") for row in rows]
    return [hit for hit in found if hit.block == wanted] or _named_blocks(session, estate, wanted)


def _named_blocks(session: Session, estate: str, wanted: str) -> list[Hit]:
    rows = session.execute(_NAMED_BLOCKS, {"estate": estate})
    named = [(row, row.name.removeprefix(estate)) for row in rows]
    chosen = [(row, name) for row, name in named if keys.number(name) == wanted]
    return [Hit(f"{estate}{name}", _shape(row), 1.0, "building", row.id) for row, name in chosen]


def standing(session: Session, hit: Hit) -> Hit:
    """Return the building an address stands on under the label of the address; the address where there is none."""
    row = session.execute(_STANDING, {"geom": shapely.to_wkb(hit.geometry, hex=True)}).first()
    return replace(hit, geometry=_shape(row), ref_kind="building", ref_id=row.id) if row else hit


def buildings_at(session: Session, street: str, number: str) -> list[Hit]:
    """List the buildings that carry a house number of a street, as it is stored there."""
    written = [number, f"{number}号", number.lower()]
    rows = session.execute(_BUILDINGS_AT, {"street": street, "numbers": written, "most": MOST_ROWS})
    return [Hit(_label(row), _shape(row), 1.0, "building", row.id) for row in rows]


def named_buildings(session: Session, names: Sequence[str]) -> list[Hit]:
    """List the buildings of some names, Chinese or English."""
    rows = session.execute(_NAMED_BUILDINGS, {"names": list(names), "most": MOST_ROWS})
    return [Hit(row.name, _shape(row), 1.0, "building", row.id) for row in rows]


def estates(session: Session, name: str) -> list[Hit]:
    """List the estates of a name."""
    return [Hit(row.name, _shape(row), 1.0, "estate", row.id) for row in session.execute(_ESTATES, {"name": name})]


def street(session: Session, name: str) -> BaseGeometry | None:
    """Return all of a street as one area, None when the ground has none of that name."""
    parts = [_shape(row) for row in session.execute(_STREET, {"name": name})]
    return shapely.union_all(parts) if parts else None


def land(session: Session, name: str) -> BaseGeometry | None:
    """Return all the land of a name (a park in pieces, a river) as one area, None when the ground has none."""
    parts = [_shape(row) for row in session.execute(_LAND, {"name": name})]
    return shapely.union_all(parts) if parts else None


def meetings(session: Session, one: str, other: str) -> list[BaseGeometry]:
    """List where the areas of two streets meet, one by one: a ring road meets a street twice."""
    rows = session.execute(_MEETINGS, {"one": one, "other": other, "most": MOST_ROWS})
    return [part for row in rows for part in shapely.get_parts(_shape(row))]


def nearest_number(session: Session, street_name: str, number: int, within: int) -> Neighbour | None:
    """Return the house of the nearest number on a street, on the same side where there is one."""
    row = session.execute(_NEAREST_NUMBER, {"street": street_name, "wanted": number, "most": within}).first()
    return Neighbour(_label(row), row.value, _shape(row)) if row else None


def divisions(session: Session, ids: Sequence[int]) -> list[Hit]:
    """List units by id."""
    rows = session.execute(_DIVISIONS, {"ids": list(ids)})
    return [Hit(row.name, _shape(row), 1.0, "unit", row.id, row.level) for row in rows]


def lies_in(session: Session, geometry: BaseGeometry, ids: Sequence[int]) -> bool:
    """Return whether a geometry meets one of some units."""
    inside = {"ids": list(ids), "geom": shapely.to_wkb(geometry, hex=True)}
    return bool(session.execute(_LIES_IN, inside).scalar())


def _shape(row: Row[tuple[object, ...]]) -> BaseGeometry:
    shape: BaseGeometry = shapely.from_wkb(row.geom)
    return shape


def _house(row: Row[tuple[object, ...]], label: str) -> Hit:
    return Hit(label, _shape(row), 1.0, "address", row.id, block=keys.number(row.building_number))


def _label(row: Row[tuple[object, ...]]) -> str:
    return f"{row.street_name}{' ' if row.street_name.isascii() else ''}{row.house_number}"


_HOUSES = text("""
    SELECT id, street_name, house_number, estate_name, building_number, geom::text AS geom
    FROM address WHERE key = ANY(:keys) ORDER BY id LIMIT :most
""")
_BUILDINGS_AT = text("""
    SELECT id, street_name, house_number, geom::text AS geom
    FROM building WHERE street_name = :street AND house_number = ANY(:numbers) ORDER BY id LIMIT :most
""")
_BLOCKS = text("""
    SELECT id, street_name, house_number, estate_name, building_number, geom::text AS geom
    FROM address WHERE estate_name = :estate AND estate_name <> '' AND building_number <> '' ORDER BY id
""")
_NAMED_BLOCKS = text("""
    SELECT id, name, geom::text AS geom FROM building
    WHERE estate_name = :estate AND estate_name <> '' AND name <> '' ORDER BY id
""")
_STANDING = text("""
    SELECT b.id, b.geom::text AS geom
    FROM building b, ST_SetSRID(CAST(:geom AS geometry), 4326) AS door
    WHERE b.geom && door AND ST_Covers(b.geom, door) ORDER BY b.id LIMIT 1
""")
_NAMED_BUILDINGS = text("""
    SELECT id, name, geom::text AS geom FROM building
    WHERE (name = ANY(:names) AND name <> '') OR (name_en = ANY(:names) AND name_en <> '') ORDER BY id LIMIT :most
""")
_ESTATES = text("SELECT id, name, geom::text AS geom FROM estate WHERE name = :name ORDER BY id")
_STREET = text("SELECT geom::text AS geom FROM street WHERE name = :name ORDER BY id")
_LAND = text("SELECT geom::text AS geom FROM land WHERE name = :name ORDER BY id")
_MEETINGS = text("""
    SELECT ST_Intersection(a.geom, b.geom)::text AS geom
    FROM street a JOIN street b ON a.geom && b.geom AND ST_Intersects(a.geom, b.geom)
    WHERE a.name = :one AND b.name = :other ORDER BY a.id, b.id LIMIT :most
""")
# Odd and even numbers stand on different sides of most streets: the same side first.
_NEAREST_NUMBER = text("""
    SELECT street_name, house_number, value, geom::text AS geom
    FROM (SELECT street_name, house_number, geom, substring(house_number FROM '^[0-9]{1,9}')::int AS value
          FROM address WHERE street_name = :street) AS house
    WHERE abs(value - :wanted) <= :most
    ORDER BY (value - :wanted) % 2 <> 0, abs(value - :wanted), value LIMIT 1
""")
_DIVISIONS = text("SELECT id, level, name, geom::text AS geom FROM unit WHERE id = ANY(:ids) ORDER BY id")
_LIES_IN = text("""
    SELECT EXISTS (SELECT FROM unit WHERE id = ANY(:ids)
                   AND ST_Intersects(geom, ST_SetSRID(CAST(:geom AS geometry), 4326)))
""")

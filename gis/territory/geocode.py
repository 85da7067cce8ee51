"""Address text -> candidate places of the product's own ground, best first, with match level and confidence.

Every way to find a place is asked in turn, the sharpest first; a coarser one is asked only while nothing sure is found.
What is not exact (a name that is only alike, a neighbour's number, "opposite", a whole street) answers with a polygon,
so that the locator can give each jurisdiction its probability.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from gis.territory import beside, coords, gazetteer
from gis.territory.address import Address, keys, parse_address, text_key
from gis.territory.gazetteer import Gazetteer
from gis.territory.location import Candidate

__all__ = ["DISPATCHABLE", "LEVELS", "find", "is_dispatchable", "text_key"]

# From the sharpest to the coarsest.
LEVELS = ("building", "house_number", "estate", "crossing", "street", "community", "subdistrict", "district", "city")
# Levels that may be dispatched without a person having looked, and how sure the best candidate must be.
DISPATCHABLE = frozenset({"building", "house_number", "estate"})
SURE = 0.75
BASE = {"building": 0.97, "house_number": 0.95, "estate": 0.9, "crossing": 0.85, "street": 0.5}
DIVISION = {"community": 0.35, "subdistrict": 0.25, "district": 0.15, "city": 0.1}

# Places of one name closer than this are one place.
SAME_PLACE_M = 150.0
# A house whose number is this close to the one asked for, on the same street, tells where to look.
NEAR_NUMBER = 20
METRES_PER_NUMBER = 8.0
CROSSING_DOUBT_M = 15.0
OTHER_DIVISION = 0.4
RELATED = 0.9
AFTER = 0.9
MOST_ROWS = 400


@dataclass(frozen=True)
class Asked:
    """What is asked for, and where it is looked up."""

    session: Session
    ground: Gazetteer
    said: Address
    on: date


@dataclass(frozen=True)
class Hit:
    """A row of the ground an address may mean. likeness 0..1: of its name to the one said."""

    label: str
    geometry: BaseGeometry
    likeness: float = 1.0
    ref_kind: str | None = None
    ref_id: int | None = None


def find(session: Session, text: str, on: date, limit: int = 10) -> list[Candidate]:
    """Return the places a text may mean, best first; a home is offered only where nothing else is said, and never sure."""
    ground = gazetteer.of(session, on)
    said = parse_address(text, ground.names)
    found = _placed(Asked(session, ground, said, on))
    if not found and said.home and said.home is not said:
        lived = _placed(Asked(session, ground, said.home, on))
        found = [replace(c, confidence=round(c.confidence * 0.2, 4), reason="address.home") for c in lived]
    return found[:limit]


def is_dispatchable(candidates: Sequence[Candidate]) -> bool:
    """Return whether the best candidate is sharp and sure enough to be acted on before a person has looked."""
    best = next(iter(candidates), None)
    return best is not None and best.match_level in DISPATCHABLE and best.confidence >= SURE


def _placed(asked: Asked) -> list[Candidate]:
    found: list[Candidate] = []
    for way in WAYS:
        if found and found[0].confidence >= SURE:
            break
        # What is found by a coarser way stands behind all that a sharper one has found.
        most = AFTER * found[-1].confidence if found else 1.0
        found.extend(replace(c, confidence=round(min(c.confidence, most), 4)) for c in way(asked))
        found.sort(key=lambda c: (-c.confidence, LEVELS.index(c.match_level), c.label))
    return found


def _estate_buildings(asked: Asked) -> list[Candidate]:
    """Find a numbered building of an estate."""
    said = asked.said
    if not (said.building and said.estates):
        return []
    hits = []
    for name, likeness in _estates(asked):
        wanted = keys.text_key("", "", name, said.building)
        hits += [replace(hit, likeness=likeness) for hit in _houses_by_key(asked, [wanted])]
        hits += [replace(hit, likeness=likeness) for hit in _buildings_of(asked, name, said.building)]
    return _candidates(asked, hits, "building")


def _house_numbers(asked: Asked) -> list[Candidate]:
    """Find a house number on a street, exactly; 12号之一 also as 12."""
    said = asked.said
    if not (said.number or said.lane):
        return []
    hits = []
    for name, likeness in _streets(asked):
        for number, doubt in _number_forms(said):
            found = _houses_by_key(asked, [f"{keys.street(name)}|{number}"]) or _buildings_at(asked, name, number)
            hits += [replace(hit, likeness=likeness * doubt) for hit in found]
            if found:
                break
    return _candidates(asked, hits, "house_number")


def _number_forms(said: Address) -> list[tuple[str, float]]:
    """Return the forms a house number may be kept under, with what each is worth."""
    number = keys.number(said.number or "")
    forms = [(f"{said.lane}弄{number}", 1.0), (said.lane, 0.9)] if said.lane else []
    forms += [(number, 0.8 if said.lane else 1.0)] if number else []
    whole = re.match(r"\d+", number)
    if whole and whole[0] != number:
        forms.append((whole[0], 0.85))
    return forms


def _near_numbers(asked: Asked) -> list[Candidate]:
    """Find the house of the nearest number on the street: the one asked for is about there."""
    number = re.match(r"\d+", asked.said.number or "")
    if not number:
        return []
    wanted = int(number[0])
    found = []
    for name, likeness in _streets(asked):
        row = asked.session.execute(_NEAREST_NUMBER, {"street": name, "wanted": wanted, "most": NEAR_NUMBER}).first()
        if row:
            reach = 30.0 + METRES_PER_NUMBER * abs(row.value - wanted)
            area = beside.around(shapely.from_wkb(row.geom), reach)
            found.append(_candidate(asked, Hit(f"{name} {row.house_number}", area, likeness), "street", 1.1))
    return [replace(candidate, reason="address.near_number") for candidate in found]


def _crossings(asked: Asked) -> list[Candidate]:
    """Find where two streets meet."""
    if asked.said.crossing is None:
        return []
    sides = [asked.ground.streets.find(keys.street(road)) for road in asked.said.crossing]
    hits = []
    for one, like_one in sides[0]:
        for other, like_other in sides[1]:
            rows = asked.session.execute(_MEETING, {"one": one, "other": other, "most": MOST_ROWS})
            met = [shapely.from_wkb(row.geom) for row in rows]
            places = [beside.around(place, CROSSING_DOUBT_M) for place in _apart(met)]
            hits += [Hit(f"{one} / {other}", place, like_one * like_other) for place in places]
    return _candidates(asked, hits, "crossing")


def _whole_estates(asked: Asked) -> list[Candidate]:
    hits = []
    for name, likeness in _estates(asked):
        rows = asked.session.execute(_ESTATE, {"name": name})
        hits += [Hit(row.name, shapely.from_wkb(row.geom), likeness, "estate", row.id) for row in rows]
    return _candidates(asked, hits, "estate")


def _named_buildings(asked: Asked) -> list[Candidate]:
    """Find a building by its own name."""
    wanted = [*asked.said.estates, *asked.said.names]
    if not wanted:
        return []
    rows = asked.session.execute(_NAMED_BUILDING, {"names": wanted, "most": MOST_ROWS})
    hits = [Hit(row.name, shapely.from_wkb(row.geom), 1.0, "building", row.id) for row in rows]
    return _candidates(asked, hits, "building")


def _whole_streets(asked: Asked) -> list[Candidate]:
    hits = []
    for name, likeness in _streets(asked):
        parts = [shapely.from_wkb(row.geom) for row in asked.session.execute(_STREET, {"name": name})]
        if parts:
            hits.append(Hit(name, shapely.union_all(parts), likeness, "street"))
    return _candidates(asked, hits, "street")


def _divisions(asked: Asked) -> list[Candidate]:
    """Find the smallest division the text names."""
    said = asked.said
    for name in (said.community, said.town, said.district, said.city, *said.names):
        ids = asked.ground.units.get((name or "").lower())
        if ids:
            return [_division(asked, row) for row in asked.session.execute(_UNIT, {"ids": list(ids)})]
    return []


def _division(asked: Asked, row: Any) -> Candidate:
    level = row.level if row.level in DIVISION else "district"
    geometry = _related(asked, shapely.from_wkb(row.geom))
    return Candidate(row.name, level, DIVISION[level], geometry, "address.division", "unit", row.id)


WAYS: tuple[Callable[[Asked], list[Candidate]], ...] = (
    _estate_buildings,
    _house_numbers,
    _crossings,
    _whole_estates,
    _named_buildings,
    _near_numbers,
    _whole_streets,
    _divisions,
)


def _streets(asked: Asked) -> list[tuple[str, float]]:
    """Return the streets the text may mean, the last one named first: a number belongs to the road before it."""
    found = [each for road in reversed(asked.said.roads) for each in asked.ground.streets.find(keys.street(road))]
    return list(dict.fromkeys(found))


def _estates(asked: Asked) -> list[tuple[str, float]]:
    """Return the estates the text may mean; of 阳光小区二期A区 also 阳光小区."""
    found: list[tuple[str, float]] = []
    for said in (*asked.said.estates, *asked.said.names):
        key = keys.estate(said)
        sharp = said in asked.said.estates
        starts = [key[:size] for size in range(len(key), 2, -1) if key[:size] in asked.ground.estates.by_key]
        wanted = starts[0] if starts else key
        if starts or sharp:
            found += asked.ground.estates.find(wanted)
    return list(dict.fromkeys(found))


def _houses_by_key(asked: Asked, wanted: list[str]) -> list[Hit]:
    rows = asked.session.execute(_HOUSE, {"keys": wanted, "most": MOST_ROWS})
    return [Hit(_label(row), shapely.from_wkb(row.geom), 1.0, "address", row.id) for row in rows]


def _buildings_at(asked: Asked, street: str, number: str) -> list[Hit]:
    written = [number, f"{number}号", number.lower()]
    rows = asked.session.execute(_HOUSE_BUILDING, {"street": street, "numbers": written, "most": MOST_ROWS})
    return [Hit(_label(row), shapely.from_wkb(row.geom), 1.0, "building", row.id) for row in rows]


def _buildings_of(asked: Asked, estate: str, number: str) -> list[Hit]:
    wanted = keys.number(number)
    rows = asked.session.execute(_ESTATE_BUILDING, {"estate": estate})
    return [
        Hit(f"{estate}{row.name}", shapely.from_wkb(row.geom), 1.0, "building", row.id)
        for row in rows
        if wanted in (keys.number(row.name), keys.number(row.name.removeprefix(estate)))
    ]


def _label(row: Any) -> str:
    joint = "" if row.street_name and not row.street_name.isascii() else " "
    return f"{row.street_name}{joint}{row.house_number}" if row.house_number else f"{row.estate_name}{row.number}"


def _candidates(asked: Asked, hits: Iterable[Hit], level: str) -> list[Candidate]:
    """Turn hits into candidates: one for each place, each the less sure the more places share the name."""
    single = _together(list(hits))
    if not single:
        return []
    fit = [OTHER_DIVISION if _elsewhere(asked, hit) else 1.0 for hit in single]
    share = [f * hit.likeness for f, hit in zip(fit, single, strict=True)]
    return [_candidate(asked, hit, level, s * s / sum(share)) for hit, s in zip(single, share, strict=True)]


def _candidate(asked: Asked, hit: Hit, level: str, worth: float) -> Candidate:
    related = asked.said.relation is not None
    reason = "address.beside" if related else f"address.{level}" if hit.likeness == 1.0 else "address.alike"
    return Candidate(
        label=hit.label,
        # What stands beside a building is not the building.
        match_level="house_number" if related and level == "building" else level,
        confidence=round(min(1.0, BASE[level] * worth * (RELATED if related else 1.0)), 4),
        geometry=_related(asked, hit.geometry),
        reason=reason,
        ref_kind=hit.ref_kind,
        ref_id=hit.ref_id,
    )


def _related(asked: Asked, geometry: BaseGeometry) -> BaseGeometry:
    return beside.area(geometry, asked.said.relation) if asked.said.relation else geometry


def _together(hits: list[Hit]) -> list[Hit]:
    """Keep one hit for each place: the best named, and of these a footprint before a point."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (-h.likeness, h.geometry.geom_type == "Point", h.label, h.ref_id or 0)):
        if all(_metres(hit.geometry, other.geometry) > SAME_PLACE_M for other in kept):
            kept.append(hit)
    return kept


def _apart(geometries: list[BaseGeometry]) -> list[BaseGeometry]:
    """Join the geometries that are one place."""
    groups: list[list[BaseGeometry]] = []
    for geometry in geometries:
        group = next((g for g in groups if _metres(g[0], geometry) <= SAME_PLACE_M), None)
        if group is None:
            groups.append([geometry])
        else:
            group.append(geometry)
    return [shapely.union_all(group) for group in groups]


def _metres(one: BaseGeometry, other: BaseGeometry) -> float:
    middle = one.centroid
    plane = coords.Plane(middle.x, middle.y)
    return float(plane.to_plane(one).distance(plane.to_plane(other)))


def _elsewhere(asked: Asked, hit: Hit) -> bool:
    """Return whether the text names a division the hit does not lie in."""
    for name in (asked.said.district, asked.said.town, asked.said.community):
        ids = asked.ground.units.get((name or "").lower())
        if ids:
            inside = {"ids": list(ids), "geom": shapely.to_wkb(hit.geometry, hex=True)}
            if not asked.session.execute(_INSIDE, inside).scalar():
                return True
    return False


_HOUSE = sql("""
    SELECT id, street_name, house_number, estate_name, building_number AS number, geom::text AS geom
    FROM address WHERE key = ANY(:keys) ORDER BY id LIMIT :most
""")
_HOUSE_BUILDING = sql("""
    SELECT id, street_name, house_number, estate_name, '' AS number, geom::text AS geom
    FROM building WHERE street_name = :street AND house_number = ANY(:numbers) ORDER BY id LIMIT :most
""")
_ESTATE_BUILDING = sql("SELECT id, name, geom::text AS geom FROM building WHERE estate_name = :estate")
_NAMED_BUILDING = sql("""
    SELECT id, name, geom::text AS geom FROM building
    WHERE name = ANY(:names) OR name_en = ANY(:names) ORDER BY id LIMIT :most
""")
_ESTATE = sql("SELECT id, name, geom::text AS geom FROM estate WHERE name = :name")
_STREET = sql("SELECT geom::text AS geom FROM street WHERE name = :name")
_UNIT = sql("SELECT id, level, name, geom::text AS geom FROM unit WHERE id = ANY(:ids)")
_INSIDE = sql("""
    SELECT EXISTS (SELECT FROM unit WHERE id = ANY(:ids) AND ST_Intersects(geom, ST_SetSRID(CAST(:geom AS geometry), 4326)))
""")
_MEETING = sql("""
    SELECT ST_Intersection(a.geom, b.geom)::text AS geom
    FROM street a JOIN street b ON a.geom && b.geom AND ST_Intersects(a.geom, b.geom)
    WHERE a.name = :one AND b.name = :other LIMIT :most
""")
# Odd and even numbers stand on different sides of most streets: the same side first.
_NEAREST_NUMBER = sql("""
    SELECT house_number, value, geom::text AS geom
    FROM (SELECT house_number, geom, substring(house_number FROM '^[0-9]{1,9}')::int AS value
          FROM address WHERE street_name = :street) AS house
    WHERE abs(value - :wanted) <= :most
    ORDER BY (value - :wanted) % 2 <> 0, abs(value - :wanted), value LIMIT 1
""")

"""Address text -> candidate places of the product's own ground, best first, with match level and confidence.

Every way to find a place is asked in turn, the sharpest first; a coarser one is asked only while nothing sure is found.
What is not exact (a neighbour's number, "opposite", a whole street) answers with an area, so that the locator can give
each jurisdiction its probability.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from gis.territory import beside, coords, directory, gazetteer
from gis.territory.address import Address, keys, likeness, parse_address, text_key
from gis.territory.directory import Hit
from gis.territory.gazetteer import Gazetteer
from gis.territory.location import Candidate

__all__ = ["DISPATCHABLE", "LEVELS", "find", "is_dispatchable", "text_key"]

# From the sharpest to the coarsest.
LEVELS = (
    "building", "house_number", "estate", "crossing", "land", "street", "community", "subdistrict", "district", "city",
)  # fmt: skip
# Levels that may be dispatched without a person having looked, and how sure the best candidate must be.
DISPATCHABLE = frozenset({"building", "house_number", "estate"})
SURE = 0.75
BASE = {"building": 0.97, "house_number": 0.95, "estate": 0.9, "crossing": 0.85, "land": 0.7, "street": 0.5}
DIVISION = {"community": 0.35, "subdistrict": 0.25, "district": 0.15, "city": 0.1}
# What each doubt leaves of the confidence.
RELATED = 0.9
AFTER = 0.9
HOME = 0.2
OTHER_DIVISION = 0.4
WITHOUT_LANE, LANE_ALONE, WHOLE_NUMBER = 0.8, 0.9, 0.85

# Places of one name closer than this are one place.
SAME_PLACE_M = 150.0
# Doors of one number this close are one door.
SAME_DOOR_M = 30.0
# Points of one address on a large site lie further apart, and are still one place.
SAME_SITE_M = 500.0
# A house whose number is this close to the one asked for, on the same street, tells where to look.
NEAR_NUMBER = 20
NEAR_NUMBER_M = 30.0
METRES_PER_NUMBER = 8.0
CROSSING_DOUBT_M = 15.0
# Fewer characters of a longer name are no name of an estate.
SHORTEST_START = 3


@dataclass(frozen=True)
class Asked:
    """What is asked for, and where it is looked up."""

    session: Session
    ground: Gazetteer
    said: Address


def find(session: Session, text: str, on: date, limit: int = 10) -> list[Candidate]:
    """Return the places a text may mean, best first. A home is offered only where nothing else is said; never sure."""
    ground = gazetteer.of(session, on)
    said = parse_address(text, ground.names)
    found = _placed(Asked(session, ground, said))
    if not found and said.home:
        lived = _placed(Asked(session, ground, said.home))
        found = [replace(c, confidence=round(c.confidence * HOME, 4), reason="address.home") for c in lived]
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
        found += [replace(c, confidence=round(min(c.confidence, most), 4)) for c in way(asked)]
        found.sort(key=lambda c: (-c.confidence, LEVELS.index(c.match_level), c.label))
    return found


def _estate_buildings(asked: Asked) -> list[Candidate]:
    """Find a numbered building of an estate: its footprint, where the ground has one."""
    if not asked.said.building:
        return []
    named = _estates(asked)
    hits = [(hit, alike) for name, alike in named for hit in directory.blocks(asked.session, name, asked.said.building)]
    return _candidates(asked, [replace(_standing(asked, hit), alike=alike) for hit, alike in hits], "building")


def _house_numbers(asked: Asked) -> list[Candidate]:
    """Find a house number on a street, exactly; 12号之一 also as 12. Of several blocks of one number, the one said."""
    hits: list[Hit] = []
    forms = _number_forms(asked.said)
    for name, alike in _streets(asked) if forms else ():
        hits += _numbered(asked, name, [(number, alike * worth) for number, worth in forms])
    block = keys.number(asked.said.building or "")
    blocks = [_standing(asked, hit) for hit in hits if block and hit.block == block]
    return _candidates(asked, blocks, "building") or _candidates(asked, hits, "house_number")


def _standing(asked: Asked, hit: Hit) -> Hit:
    return directory.standing(asked.session, hit) if hit.ref_kind == "address" else hit


def _numbered(asked: Asked, street: str, forms: list[tuple[str, float]]) -> list[Hit]:
    """Return the houses of the first form of the number that the street has."""
    for number, worth in forms:
        found = directory.houses(asked.session, [f"{keys.street(street)}|{number}"])
        found = found or directory.buildings_at(asked.session, street, number)
        if found:
            return [replace(hit, alike=worth) for hit in found]
    return []


def _number_forms(said: Address) -> list[tuple[str, float]]:
    """Return the forms a house number may be kept under, with what each is worth."""
    number = keys.number(said.number or "")
    forms = [(f"{said.lane}弄{number}", 1.0), (said.lane, LANE_ALONE)] if said.lane else []
    if number:
        forms.append((number, WITHOUT_LANE if said.lane else 1.0))
    whole = re.match(r"\d+", number)
    if whole and whole[0] != number:
        forms.append((whole[0], WHOLE_NUMBER))
    return forms


def _crossings(asked: Asked) -> list[Candidate]:
    """Find where two streets meet."""
    if asked.said.crossing is None:
        return []
    first, second = (asked.ground.streets.find(keys.street(road)) for road in asked.said.crossing)
    hits = []
    for one, like_one in first:
        for other, like_other in second:
            places = _joined(directory.meetings(asked.session, one, other))
            hits += [Hit(f"{one} / {other}", beside.around(p, CROSSING_DOUBT_M), like_one * like_other) for p in places]
    return _candidates(asked, hits, "crossing")


def _whole_estates(asked: Asked) -> list[Candidate]:
    named = _estates(asked)
    hits = [replace(hit, alike=alike) for name, alike in named for hit in directory.estates(asked.session, name)]
    return _candidates(asked, hits, "estate")


def _named_buildings(asked: Asked) -> list[Candidate]:
    """Find a building by its own name."""
    wanted = [*asked.said.estates, *asked.said.names]
    return _candidates(asked, directory.named_buildings(asked.session, wanted) if wanted else [], "building")


def _lands(asked: Asked) -> list[Candidate]:
    """Find a park, a square or a water by its name; a river is one place, however long."""
    # In Latin script a Park may be a street: what is no street of that name may be one after all.
    keyed = [keys.estate(said) for said in (*asked.said.estates, *asked.said.names, *asked.said.roads)]
    named = dict.fromkeys(name for key in keyed for name in asked.ground.lands.by_key.get(key, ()))
    hits = [Hit(name, area) for name in named if (area := directory.land(asked.session, name)) is not None]
    return _candidates(asked, hits, "land")


def _near_numbers(asked: Asked) -> list[Candidate]:
    """Find the house of the nearest number on the street: the one asked for is about there."""
    number = re.match(r"\d+", asked.said.number or "")
    hits = []
    for name, alike in _streets(asked) if number else ():
        wanted = int(number[0]) if number else 0
        near = directory.nearest_number(asked.session, name, wanted, NEAR_NUMBER)
        if near:
            reach_m = NEAR_NUMBER_M + METRES_PER_NUMBER * abs(near.number - wanted)
            hits.append(Hit(near.label, beside.around(near.geometry, reach_m), alike))
    return [replace(found, reason="address.near_number") for found in _candidates(asked, hits, "street")]


def _whole_streets(asked: Asked) -> list[Candidate]:
    areas = [(name, directory.street(asked.session, name), alike) for name, alike in _streets(asked)]
    return _candidates(asked, [Hit(name, area, alike, "street") for name, area, alike in areas if area], "street")


def _divisions(asked: Asked) -> list[Candidate]:
    """Find the smallest division the text names."""
    said = asked.said
    for name in (said.community, said.town, said.district, said.city, *said.names):
        ids = asked.ground.units.get((name or "").lower())
        if ids:
            return [_division(asked, hit) for hit in directory.divisions(asked.session, ids)]
    return []


def _division(asked: Asked, hit: Hit) -> Candidate:
    level = hit.level if hit.level in DIVISION else "district"
    geometry = _related(asked, hit.geometry)
    return Candidate(hit.label, level, DIVISION[level], geometry, "address.division", "unit", hit.ref_id)


WAYS: tuple[Callable[[Asked], list[Candidate]], ...] = (
    _estate_buildings,
    _house_numbers,
    _crossings,
    _whole_estates,
    _named_buildings,
    _near_numbers,
    _lands,
    _whole_streets,
    _divisions,
)


def _streets(asked: Asked) -> list[tuple[str, float]]:
    """Return the streets the text may mean, the last one named first: a number belongs to the road before it.

    A lane may go by its street's name and its own (振华街一巷), whether or not the text was cut there.
    """
    roads = asked.said.roads
    known = asked.ground.streets
    whole = [key for pair in pairwise(roads) if (key := keys.street("".join(pair))) in known.by_key]
    wanted = [*whole, *map(keys.street, reversed(roads))]
    return list(dict.fromkeys(each for key in wanted for each in known.find(key)))


def _estates(asked: Asked) -> list[tuple[str, float]]:
    """Return the estates the text may mean; of 阳光小区二期A区 also 阳光小区. A doubtful word must be a name."""
    found: list[tuple[str, float]] = []
    for said in (*asked.said.estates, *asked.said.names):
        key = keys.estate(said)
        starts = (key, *(key[:size] for size in range(len(key) - 1, SHORTEST_START - 1, -1)))
        known = (start for start in starts if start in asked.ground.estates.by_key)
        wanted = next(known, key if said in asked.said.estates else None)
        found += asked.ground.estates.find(wanted) if wanted else []
    return list(dict.fromkeys(found))


def _candidates(asked: Asked, hits: Iterable[Hit], level: str) -> list[Candidate]:
    """Turn hits into candidates: one for each place, each the less sure the more places share the name."""
    single = _together(hits)
    worth = [hit.alike * (OTHER_DIVISION if _is_elsewhere(asked, hit) else 1.0) for hit in single]
    return [_candidate(asked, hit, level, own * own / sum(worth)) for hit, own in zip(single, worth, strict=True)]


def _candidate(asked: Asked, hit: Hit, level: str, worth: float) -> Candidate:
    related = asked.said.relation is not None
    return Candidate(
        label=hit.label,
        # What stands beside a building is not the building.
        match_level="house_number" if related and level == "building" else level,
        confidence=round(BASE[level] * worth * (RELATED if related else 1.0), 4),
        geometry=_related(asked, hit.geometry),
        reason="address.beside" if related else f"address.{level}" if hit.alike == 1.0 else "address.alike",
        ref_kind=hit.ref_kind,
        ref_id=hit.ref_id,
    )


def _related(asked: Asked, geometry: BaseGeometry) -> BaseGeometry:
    return beside.area(geometry, asked.said.relation) if asked.said.relation else geometry


def _is_elsewhere(asked: Asked, hit: Hit) -> bool:
    """Return whether the text names a division the hit does not lie in."""
    named = (asked.said.district, asked.said.town, asked.said.community)
    known = [ids for name in named if (ids := asked.ground.units.get((name or "").lower()))]
    return any(not directory.lies_in(asked.session, hit.geometry, ids) for ids in known)


def _together(hits: Iterable[Hit]) -> list[Hit]:
    """Give one hit for each place: the best named, and of these a footprint before a point."""
    groups: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda h: (-h.alike, h.geometry.geom_type == "Point", h.label, h.ref_id or 0)):
        group = next((g for g in groups if any(_is_one_place(hit, other) for other in g)), None)
        if group is None:
            groups.append([hit])
        else:
            group.append(hit)
    return [_as_one(group) for group in groups]


def _as_one(group: list[Hit]) -> Hit:
    """Give the first hit of a place; where others as well named stand well apart from it, the area of them all."""
    first = group[0]
    others = [hit for hit in group[1:] if hit.alike == first.alike]
    if all(_metres(first.geometry, hit.geometry) <= SAME_DOOR_M for hit in others):
        return first
    area = shapely.MultiPoint([hit.geometry.centroid for hit in (first, *others)]).convex_hull
    return replace(first, geometry=beside.around(area, SAME_DOOR_M), ref_kind=None, ref_id=None)


def _is_one_place(one: Hit, other: Hit) -> bool:
    apart_m = _metres(one.geometry, other.geometry)
    if apart_m <= SAME_PLACE_M or apart_m > SAME_SITE_M:
        return apart_m <= SAME_PLACE_M
    return likeness.compare(parse_address(one.label), parse_address(other.label)) == likeness.SAME


def _joined(geometries: list[BaseGeometry]) -> list[BaseGeometry]:
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

"""Everything a step may look at: the case, its ground, what the lists say, and who holds the thing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from gis.issues import duties
from gis.issues.jurisdiction import grounds
from gis.issues.jurisdiction.practice import Practice
from gis.issues.jurisdiction.values import Case, Ground, Json, Pact
from gis.people.departments import DESK, Department, Register, kind_named, kinds
from gis.territory.location import Location, Nearby

# thing -> role -> the attribute that names who has it
HOLDS: Mapping[str, Mapping[str, str]] = {
    "building": {"maintainer": "maintainer", "owner": "owner"},
    "street": {"maintainer": "maintainer", "owner": "owner"},
    "estate": {"property": "property_company", "builder": "builder"},
}


@dataclass(frozen=True)
class Book:
    """What a city goes by: its departments, its responsibility lists with their dates, its practice."""

    register: Register
    sheets: tuple[duties.Sheet, ...]
    practice: Practice

    def in_force(self, on: date) -> tuple[duties.Sheet, ...]:
        """Return the lists in force on a day, in the order of their names."""
        return tuple(sorted((sheet for sheet in self.sheets if sheet.holds_on(on)), key=lambda sheet: sheet.name))


@dataclass(frozen=True)
class Held:
    """A name on record for a thing. owns_the_place: the issue is on that thing, not merely beside it."""

    thing: str
    role: str
    name: str
    owns_the_place: bool = True


@dataclass(frozen=True)
class View:
    """One case, looked at. match is None when no list is in force that day."""

    case: Case
    location: Location
    pacts: tuple[Pact, ...]
    book: Book
    terrain: grounds.Terrain
    match: duties.Match | None

    @property
    def practice(self) -> Practice:
        """The practice of the city."""
        return self.book.practice

    @property
    def desk(self) -> Department:
        """The general desk, by the register's name for it."""
        code, name = self.practice.general_desk, kind_name(DESK)
        return self.book.register.by_code.get(code) or Department(code, DESK, name["name"], name["name_en"])

    @property
    def rule(self) -> duties.Rule | None:
        """The duty that holds."""
        return self.match.rule if self.match else None

    @cached_property
    def holders(self) -> tuple[Held, ...]:
        """Whom the registers name for the thing or its place: component first, then building, street, estate."""
        return tuple(_holders(self.case, self.location, self.practice))

    def of_kind(self, kind: str, ladder: tuple[str, ...]) -> tuple[Department, ...]:
        """Return the departments of a kind for a ladder of grounds; a holder's kind is whom the register names."""
        role = self.practice.holders.get(kind)
        mine = (held for held in self.holders if held.role == role and held.owns_the_place)
        held = next(mine, None) if role else None
        named = self.department(held) if held else None
        return (named,) if named else self.book.register.nearest(kind, ladder)

    def department(self, held: Held) -> Department | None:
        """Find whom a record names: by code or name, or as the kind of department at work on this ground.

        A kind's name means nobody where the sides have different departments of it.
        """
        named, kind = self.book.register.named(held.name), kind_named(held.name)
        if named or kind is None:
            return named
        ladders = [side.ladder for side in self.terrain.sides] or [()]
        found = {self.book.register.nearest(kind, ladder) for ladder in ladders}
        only = found.pop() if len(found) == 1 else ()
        return only[0] if len(only) == 1 else None

    def side(self, ground: Ground) -> grounds.Side:
        """Stand on a unit: with the touched sides below it, if there are any."""
        for side in self.terrain.contenders + self.terrain.slight:
            if side.key == ground.key:
                return side
        below = [side for side in self.terrain.sides if ground.key in side.ground.above]
        within = tuple(key for side in below for key in (*side.within, side.key))
        return grounds.Side(ground, within=tuple(dict.fromkeys(within)))

    def side_of(self, key: str) -> grounds.Side:
        """Stand on the unit of a key."""
        for side in self.terrain.contenders + self.terrain.slight:
            ladder = side.ladder
            if key in ladder:
                above = ladder[ladder.index(key) + 1 :]
                break
        else:
            above = ()
        name = self.terrain.name(key)
        return self.side(Ground(key, name["name"], name["name_en"], above))


def look(case: Case, location: Location, pacts: tuple[Pact, ...], book: Book) -> View:
    """Look at a case."""
    sheets = book.in_force(location.on)
    asked = case.scheme, (case.category, case.parent)
    found = duties.match(sheets, asked, attributes(location, book.practice), location.on) if sheets else None
    return View(case, location, pacts, book, grounds.read(location, book.practice), found)


def kind_name(kind: str) -> Json:
    """Name a kind of department."""
    known = kinds().get(kind)
    return {"key": kind, "name": known.name_zh if known else kind, "name_en": known.name_en if known else kind}


def attributes(location: Location, practice: Practice) -> duties.Attributes:
    """Collect what a duty may ask of the place."""
    found: dict[str, set[str]] = {}
    for attribute, word in _attributes(location, practice):
        if word:
            found.setdefault(attribute, set()).add(word)
    found["unit"] = {unit.key for unit in location.touched()}
    return found


def _attributes(location: Location, practice: Practice) -> Iterator[tuple[str, str | None]]:
    street, building = _within(location.street, practice.street_reach_m), _building(location, practice)
    if street:
        yield "road_class", street.attributes.get("road_class")
        yield "handover", street.attributes.get("handover")
    if building:
        yield "building", building.attributes.get("kind")
    if location.land:
        yield "land", location.land.attributes.get("kind")
    if location.estate:
        said = location.estate.attributes
        yield "estate", said.get("kind")
        yield "handover", said.get("handover")
        yield "property", "company" if said.get("property_company") else "none"


def _holders(case: Case, location: Location, practice: Practice) -> Iterator[Held]:
    component = case.holder
    if component:
        told = {"maintainer": component.maintainer, "owner": component.owner, "authority": component.authority}
        yield from (Held("component", role, name) for role, name in told.items() if name)
    on_street = location.place.kind == "street"
    things = (
        ("building", _building(location, practice), True),
        ("street", _within(location.street, practice.street_reach_m), on_street),
        ("estate", location.estate, True),
    )
    for kind, thing, owns in things:
        for role in HOLDS[kind] if thing else ():
            name = thing and thing.attributes.get(HOLDS[kind][role])
            if name:
                yield Held(kind, role, name, owns and component is None)


def _building(location: Location, practice: Practice) -> Nearby | None:
    return None if location.place.kind == "street" else _within(location.building, practice.building_reach_m)


def _within(nearby: Nearby | None, reach_m: float) -> Nearby | None:
    return nearby if nearby and nearby.distance_m <= reach_m else None

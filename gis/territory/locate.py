"""Where is it: a place on a date -> what it stands on, in every net, by the editions in force that day.

The same answer whoever asks, one place or a hundred thousand: `at` is `at_many` of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import footing, geocode, index, places, testimony, units
from gis.territory.footing import Above
from gis.territory.location import (
    FLAGS,
    NEAR_BOUNDARY,
    OUTSIDE,
    STRADDLES,
    UNLOCATED,
    Candidate,
    Location,
    NetAnswer,
    Place,
    Rules,
)
from gis.territory.said import REFERENCES, UNKNOWN, Habits, parse

__all__ = ["UNKNOWN", "Habits", "at", "at_many", "on_side", "parse", "warm"]

# Flags that are raised for the whole place only by lines that part responsibility.
DIVIDING = {STRADDLES, NEAR_BOUNDARY}


@dataclass(frozen=True)
class _Settled:
    """A place brought to a geometry, or the candidates and the reason why not."""

    place: Place
    candidates: tuple[Candidate, ...] = ()


def at(session: Session, place: Place, on: date, rules: Rules | None = None) -> Location:
    """Find what a place stands on, on a date."""
    return at_many(session, [place], [on], rules)[0]


def at_many(
    session: Session, said: Sequence[Place], on: Sequence[date], rules: Rules | None = None
) -> list[Location]:
    """Find what many places stand on, each on its own date."""
    rules = rules or Rules()
    settled = [_settle(session, place, day) for place, day in zip(said, on, strict=True)]
    grounded = [nth for nth, each in enumerate(settled) if each.place.geometry is not None]
    nets = _nets(session, [settled[nth].place for nth in grounded], [on[nth] for nth in grounded], rules)
    around = _surroundings(session, [settled[nth].place for nth in grounded], rules)
    found = {nth: (nets[at_], around[at_]) for at_, nth in enumerate(grounded)}
    located = [
        _location(each, day, *found[nth]) if nth in found else _unlocated(each, day)
        for nth, (each, day) in enumerate(zip(settled, on, strict=True))
    ]
    return _unswapped(session, located, rules)


def on_side(session: Session, place: Place, unit_key: str, on: date, rules: Rules | None = None) -> Location:
    """Find what a place stands on when a person found out that it is in a unit (net:level:code).

    Raise Invalid where it cannot be there, or has parts on several sides.
    """
    found = at(session, place, on, rules)
    drawn_in = {edition.net: (edition.parent_net, edition.parent_level) for edition in units.in_force(session, on)}
    nets = testimony.narrow(found.nets, unit_key, drawn_in)
    return replace(found, nets=nets, flags=_flags(nets))


def warm(session: Session, on: date) -> None:
    """Ask about some place of the ground: who asks first waits neither for the index's code nor for its files then."""
    spot = session.execute(_SPOT).first()
    if spot:
        at(session, parse({"lon": spot.lon, "lat": spot.lat}), on)


_SPOT = text("SELECT ST_X(label_geom) AS lon, ST_Y(label_geom) AS lat FROM unit LIMIT 1")


def _settle(session: Session, place: Place, on: date) -> _Settled:
    if place.kind in REFERENCES and place.geometry is None:
        return _Settled(_of_reference(session, place))
    if place.kind != "text" or place.geometry is not None:
        return _Settled(place)
    candidates = tuple(geocode.find(session, place.text or "", on))
    best = next(iter(candidates), None)
    if best is None:
        return _Settled(replace(place, reason=place.reason or "locate.address_unknown"))
    if not geocode.is_dispatchable(candidates):
        return _Settled(replace(place, reason="locate.address_vague"), candidates)
    return _Settled(_of_candidate(place, best), candidates)


def _of_candidate(place: Place, best: Candidate) -> Place:
    """Stand an address on its best candidate: a footprint or point as it is, any other area as where it may be."""
    if best.geometry.geom_type == "Point":
        return replace(place, kind="point", geometry=best.geometry, reason=best.reason)
    if best.match_level == "building":
        return replace(place, kind="building", geometry=best.geometry, reason=best.reason)
    return replace(place, geometry=best.geometry, reason=best.reason)


def _of_reference(session: Session, place: Place) -> Place:
    """Stand a building or street named by its number or its source's number ("source:external id") on its footprint."""
    found = session.execute(
        text(
            f"SELECT ST_AsBinary(geom) FROM {place.kind}"
            " WHERE id::text = :name OR source || ':' || external_id = :name OR external_id = :name"
            " ORDER BY id::text = :name DESC, id LIMIT 1"
        ),
        {"name": str(place.raw[place.kind])},
    ).scalar()
    if found is None:
        return replace(place, reason=f"locate.{place.kind}_unknown")
    return replace(place, geometry=shapely.from_wkb(bytes(found)))


def _nets(
    session: Session, said: list[Place], on: list[date], rules: Rules
) -> list[tuple[NetAnswer, ...]]:
    editions = units.in_force_each(session, set(on))
    answers: list[tuple[NetAnswer, ...]] = [()] * len(said)
    for together in set(editions.values()):
        chosen = [nth for nth, day in enumerate(on) if editions[day] == together]
        found = _of_editions(session, together, [said[nth] for nth in chosen], rules)
        for nth, answer in zip(chosen, found, strict=True):
            answers[nth] = answer
    return answers


def _of_editions(
    session: Session, editions: tuple[units.EditionRef, ...], said: list[Place], rules: Rules
) -> list[tuple[NetAnswer, ...]]:
    grounds = {edition.net: index.of(session, edition) for edition in _parents_first(editions)}
    answered: dict[str, list[NetAnswer]] = {}
    for net, ground in grounds.items():
        answered[net] = footing.answers(ground, said, _above(ground, grounds, answered, len(said)), rules)
    return [tuple(answered[edition.net][nth] for edition in editions) for nth in range(len(said))]


def _parents_first(editions: tuple[units.EditionRef, ...]) -> list[units.EditionRef]:
    return sorted(editions, key=lambda edition: edition.parent_net is not None)


def _above(
    ground: index.EditionIndex,
    grounds: dict[str, index.EditionIndex],
    answered: dict[str, list[NetAnswer]],
    places_n: int,
) -> list[Above | None]:
    net, level = ground.edition.parent_net, ground.edition.parent_level
    if net is None or level is None or net not in answered:
        return [None] * places_n
    codes = grounds[net].codes[level]
    return [Above(next((ref for ref in answer.chain if ref.level == level), None), codes) for answer in answered[net]]


def _surroundings(session: Session, said: list[Place], rules: Rules) -> list[places.Surroundings]:
    return places.surroundings(session, [place.middle for place in said], rules.nearby_m) if said else []


def _location(settled: _Settled, on: date, nets: tuple[NetAnswer, ...], beside: places.Surroundings) -> Location:
    return Location(
        place=settled.place,
        on=on,
        nets=nets,
        building=beside.building,
        street=beside.street,
        estate=beside.estate,
        land=beside.land,
        candidates=settled.candidates,
        flags=_flags(nets),
        reason=settled.place.reason,
    )


def _flags(nets: tuple[NetAnswer, ...]) -> tuple[str, ...]:
    raised: set[str] = set()
    for net in nets:
        for level in net.levels:
            raised.update(flag for flag in level.flags if level.divides or flag not in DIVIDING)
    if nets and any(level.units for net in nets for level in net.levels):
        raised.discard(OUTSIDE)
    elif nets:
        raised = {OUTSIDE}
    return tuple(flag for flag in FLAGS if flag in raised)


def _unlocated(settled: _Settled, on: date) -> Location:
    return Location(
        settled.place, on, candidates=settled.candidates, flags=(UNLOCATED,), reason=settled.place.reason
    )


def _unswapped(session: Session, located: list[Location], rules: Rules) -> list[Location]:
    """Take back the places outside every net whose coordinates, exchanged, lie inside one: they were swapped."""
    suspects = [nth for nth, found in enumerate(located) if OUTSIDE in found.flags and _could_be_swapped(found.place)]
    if not suspects:
        return located
    turned = [replace(located[nth].place, geometry=_turned(located[nth].place)) for nth in suspects]
    nets = _nets(session, turned, [located[nth].on for nth in suspects], rules)
    for nth, answer in zip(suspects, nets, strict=True):
        if OUTSIDE not in _flags(answer):
            place = replace(located[nth].place, kind="nowhere", geometry=None, reason="locate.swapped")
            located[nth] = _unlocated(_Settled(place), located[nth].on)
    return located


def _could_be_swapped(place: Place) -> bool:
    return place.kind == "point" and abs(place.middle[0]) <= 90


def _turned(place: Place) -> shapely.Point:
    lon, lat = place.middle
    return shapely.Point(lat, lon)

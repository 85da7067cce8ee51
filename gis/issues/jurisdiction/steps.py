"""The steps of a choice, one function each: it settles the lead, or says with its evidence why it does not.

A department counts as the same on all sides when each side would call it first; then the line changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.issues.jurisdiction import grounds
from gis.issues.jurisdiction.values import Pact, Reason
from gis.issues.jurisdiction.view import Held, View
from gis.people.departments import CITY, Department


@dataclass(frozen=True)
class Outcome:
    """What a step says. Settled when it names a side or a department.

    unit_was_named: the unit itself was agreed on or designated. convened: the department calls the sides together.
    also: sides to call beside those the place touches.
    """

    reason: Reason
    side: grounds.Side | None = None
    department: Department | None = None
    unit_was_named: bool = False
    convened: bool = False
    provisional: bool = False
    suggested: str | None = None
    also: tuple[grounds.Side, ...] = ()

    @property
    def settled(self) -> bool:
        """Say whether it names who leads."""
        return self.side is not None or self.department is not None


Step = Callable[[View], Outcome]


def designation(view: View) -> Outcome:
    """A superior has named who leads: that ends the dispute."""
    if view.case.designated is None:
        return _no("designation.none")
    side = view.side_of(view.case.designated)
    return Outcome(_reason("designation.applied", unit=side.ground.as_dict()), side, unit_was_named=True)


def agreement(view: View) -> Outcome:
    """Neighbours have agreed who leads here; the one on fewest categories, then on the smaller ground, goes first."""
    if not view.pacts:
        return _no("agreement.none")
    fitting = sorted((pact for pact in view.pacts if pact.covers(view.case, view.location.on)), key=_narrowest_first)
    if not fitting:
        return _no("agreement.other", agreements=sorted(pact.code for pact in view.pacts))
    first, others = fitting[0], [pact.code for pact in fitting[1:]]
    evidence = {"agreement": first.code, "title": first.title, "unit": first.lead.as_dict()}
    code = "agreement.first_of_several" if others else "agreement.applied"
    reason = _reason(code, **evidence, **({"others": others} if others else {}))
    also = tuple(view.side(ground) for ground in sorted(first.parties, key=lambda ground: ground.key))
    return Outcome(reason, view.side(first.lead), unit_was_named=True, also=also)


def owner(view: View) -> Outcome:
    """Whoever owns or keeps the thing leads, wherever the line runs, if the duty is about the thing."""
    if not view.holders:
        return _no("owner.none")
    for held in view.holders:
        department = view.department(held)
        if department and _answers(view, held, department):
            evidence = {"role": f"role.{held.role}", "thing": held.thing, "department": department.as_dict()}
            return Outcome(_reason("owner.applied", **evidence), _side_served(view, department), department)
    unknown = [held.name for held in view.holders if not view.department(held)]
    if unknown:
        return _no("owner.no_department", names=sorted(set(unknown)))
    return _no("owner.not_asked", names=sorted({held.name for held in view.holders}))


def incident(view: View) -> Outcome:
    """The side where it happened leads, if the place lies there by more than its uncertainty."""
    sides = view.terrain.sides
    if not sides:
        return _no("incident.nowhere")
    first = max(sides, key=lambda side: (side.probability or 0, side is sides[0]))
    if len(sides) > 1 and view.location.place.kind != grounds.TEXT:
        return _no("incident.several", sides=[side.as_dict() for side in sides])
    return _settle_by_odds(view, first) if first.probability is not None else _settle_by_distance(view, first)


def first_filed(view: View) -> Outcome:
    """The side that filed it first, on its own, leads."""
    filed = view.case.filed_by
    if filed is None:
        return _no("first_filed.none")
    named = [side for side in view.terrain.contenders if filed in side.ladder]
    if len(named) == 1:
        return Outcome(_reason("first_filed.applied", unit=named[0].ground.as_dict()), named[0])
    return _no("first_filed.both_below" if named else "first_filed.elsewhere", unit=view.terrain.name(filed))


def common(view: View) -> Outcome:
    """One department would lead on every side: it leads."""
    leads = {_first_lead(view, side) for side in view.terrain.contenders}
    only = leads.pop() if len(leads) == 1 else None
    if only is None:
        return _no("common.differ") if view.terrain.contenders else _no("common.nowhere")
    if len(view.terrain.contenders) == 1 and only.ground != CITY:
        return _no("common.neighbour_unknown")
    return Outcome(_reason("common.applied", department=only.as_dict()), _side_above(view, only), only)


def area(view: View) -> Outcome:
    """Share of area never decides; a city may have it shown to the dispatcher."""
    if not view.practice.area_suggestion:
        return _no("area.off")
    sides = [side for side in view.terrain.sides if side.share is not None]
    largest = max(sides, key=lambda side: (side.share or 0, side.key), default=None)
    if largest is None or (largest.share or 0) < view.practice.area_threshold:
        return _no("area.below", threshold=view.practice.area_threshold)
    return Outcome(_reason("area.suggested", side=largest.as_dict()), suggested=largest.key)


def consultation(view: View) -> Outcome:
    """The sides meet; until they agree somebody acts: the side that holds the point, or who convenes them."""
    sides, days = view.terrain.sides, view.practice.consultation_days
    if not sides:
        return _no("consultation.nobody")
    above = grounds.lowest_common(view.terrain.contenders) if len(view.terrain.contenders) > 1 else None
    evidence: dict[str, Any] = {"days": days, "superior": above and view.terrain.name(above)}
    if len(sides) == 1:
        code = "consultation.holder_acts" if above else "consultation.neighbour_unknown"
        return Outcome(_reason(code, unit=sides[0].ground.as_dict(), **evidence), sides[0], provisional=True)
    convenor = _convenor(view, above) or view.desk
    names = [side.ground.as_dict() for side in sides]
    code = "consultation.convened" if above else "consultation.convened_without_superior"
    reason = _reason(code, sides=names, department=convenor.as_dict(), **evidence)
    return Outcome(reason, view.side_of(above) if above else None, convenor, convened=True, provisional=True)


BY_NAME: Mapping[str, Step] = {
    "designation": designation,
    "agreement": agreement,
    "owner": owner,
    "incident": incident,
    "first_filed": first_filed,
    "common": common,
    "area": area,
    "consultation": consultation,
}


def _reason(code: str, **evidence: object) -> Reason:
    return Reason(f"decision.{code}", evidence)


def _no(code: str, **evidence: object) -> Outcome:
    return Outcome(_reason(code, **evidence))


def _narrowest_first(pact: Pact) -> tuple[bool, int, float, int, str]:
    return not pact.categories, len(pact.categories), pact.area_m2, -pact.valid_from.toordinal(), pact.code


def _answers(view: View, held: Held, department: Department) -> bool:
    """Is this holder asked? A component's always; otherwise the duty must name its kind, or the holder's, as a lead."""
    if held.thing == "component":
        return held.role != "authority"
    leads = view.rule.leads if view.rule else ()
    stands_for = [kind for kind, role in view.practice.holders.items() if role == held.role]
    return department.kind in leads or (held.owns_the_place and any(kind in leads[:1] for kind in stands_for))


def _side_served(view: View, department: Department) -> grounds.Side | None:
    """Return the side the department serves; the common superior or nobody for one that serves them all."""
    serving = [side for side in view.terrain.sides if department.ground in side.ladder]
    return serving[0] if len(serving) == 1 else _side_above(view, department)


def _side_above(view: View, department: Department) -> grounds.Side | None:
    sides = view.terrain.contenders
    above = department.ground if department.ground != CITY else grounds.lowest_common(sides)
    return view.side_of(above) if above else None


def _settle_by_odds(view: View, side: grounds.Side) -> Outcome:
    odds = {"unit": side.ground.as_dict(), "probability": side.probability, "least": view.practice.min_probability}
    if (side.probability or 0) >= view.practice.min_probability:
        return Outcome(_reason("incident.probable", **odds), side)
    return _no("incident.uncertain", **odds)


def _settle_by_distance(view: View, side: grounds.Side) -> Outcome:
    distance_m, tolerance_m = view.terrain.boundary_m, view.practice.near_boundary_m
    unit = side.ground.as_dict()
    if side.share is not None:
        return Outcome(_reason("incident.wholly_inside", unit=unit), side)
    if distance_m is None:
        return Outcome(_reason("incident.far_inside", unit=unit), side)
    if distance_m > tolerance_m:
        return Outcome(_reason("incident.inside", unit=unit, distance_m=distance_m, tolerance_m=tolerance_m), side)
    return _no("incident.too_near", unit=unit, distance_m=distance_m, tolerance_m=tolerance_m)


def _first_lead(view: View, side: grounds.Side) -> Department | None:
    for kind in view.rule.leads if view.rule else ():
        found = view.of_kind(kind, side.ladder)
        if found:
            return found[0]
    return None


def _convenor(view: View, above: str | None) -> Department | None:
    """Who calls the sides together: the duty's lead above them, or the city's usual convenor there."""
    if above is None or view.rule is None:
        return None
    superior = view.side_of(above)
    ladder = (superior.key, *superior.ground.above)
    for kind in (*view.rule.leads, *view.practice.convenors):
        found = view.book.register.nearest(kind, ladder)
        if found:
            return found[0]
    return None

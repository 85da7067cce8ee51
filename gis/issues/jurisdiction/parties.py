"""Who is called: the lead side's departments, the other sides' as assistants, neighbours informed, the desk at last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gis.issues import duties
from gis.issues.delegations import Delegation
from gis.issues.jurisdiction.grounds import Side
from gis.issues.jurisdiction.steps import Outcome
from gis.issues.jurisdiction.values import Json, PartyCall, Reason
from gis.issues.jurisdiction.view import Held, View, kind_name
from gis.people.departments import Department

LEAD, ASSIST = "lead", "assist"


@dataclass(frozen=True)
class Called:
    """The parties, the lead first. by_desk: nobody else could be named to lead."""

    parties: tuple[PartyCall, ...]
    lead: str
    by_desk: bool
    reasons: tuple[Reason, ...]


class _Roll:
    """The calls so far; a department is called once, for all the jurisdictions that need it."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Department, str, str, list[str]]] = {}
        self.missing: list[Reason] = []

    def call(self, department: Department, why: str, key: str | None, role: str = ASSIST) -> None:
        _, _, _, keys = self._calls.setdefault(department.code, (department, why, role, []))
        if key and key not in keys:
            keys.append(key)

    def is_called_for(self, key: str) -> bool:
        return any(key in keys for _, _, _, keys in self._calls.values())

    def parties(self) -> tuple[PartyCall, ...]:
        return tuple(
            PartyCall(department.code, department.kind, role, tuple(keys), f"party.{why}")
            for department, why, role, keys in self._calls.values()
        )


def call(view: View, settled: Outcome) -> Called:
    """Call everybody a settled choice (or its lack) asks for."""
    lead = _lead(view, settled)
    by_desk = lead is None or (lead == view.desk and view.rule is None)
    roll = _Roll()
    roll.call(lead or view.desk, _why_lead(settled, by_desk=by_desk), settled.side.key if settled.side else None, LEAD)
    _call_sides(view, settled, roll, by_desk=by_desk)
    for held in view.holders:
        _call_holder(view, held, roll)
    for side in settled.also:
        _call_office(view, side, roll, "agreed")
    _inform(view, roll)
    to_desk = [Reason("decision.general_desk", {"department": view.desk.as_dict()})] if by_desk else []
    return Called(roll.parties(), (lead or view.desk).code, by_desk, (*roll.missing, *to_desk))


def of_ground(view: View) -> Iterator[Reason]:
    """Tell what the place stands on, and every way in which that is not plain."""
    terrain = view.terrain
    if not terrain.known:
        yield Reason("decision.ground.no_net", {"net": view.practice.net, "on": view.location.on.isoformat()})
    if terrain.sides:
        yield Reason("decision.ground.sides", {"sides": [side.as_dict() for side in terrain.sides]})
    if terrain.overlap:
        yield Reason("decision.ground.overlap")
    if terrain.slight:
        yield Reason("decision.ground.slight", {"sides": [side.as_dict() for side in terrain.slight]})
    if terrain.near:
        yield Reason("decision.ground.near", {"sides": [side.as_dict() for side in terrain.near]})
    if terrain.sides and terrain.uncovered > 0:
        yield Reason("decision.ground.uncovered", {"share": terrain.uncovered})
    if terrain.known and not terrain.sides:
        yield _nobody(view)


def of_duty(view: View) -> Iterator[Reason]:
    """Tell which row of the list holds, or that none does; and every rule that could not be read."""
    found = view.match
    if found is None:
        yield Reason("decision.duty.no_list", {"on": view.location.on.isoformat()})
        return
    for sheet, rule, problem in found.failed:
        evidence = {"row": rule.row, "list": sheet.name, "version": sheet.version}
        yield Reason("decision.duty.failed", evidence | {"problem": {"code": problem.code, "params": problem.params}})
    if found.rule is None or found.sheet is None:
        lists = [f"{sheet.name} {sheet.version}" for sheet in view.book.in_force(view.location.on)]
        yield Reason("decision.duty.none", {"category": view.case.category, "lists": lists})
        return
    yield _held(found.rule, found.sheet)
    if found.rule.delegation:
        yield _delegated(found.rule.leads, found.rule.delegation)


def _held(rule: duties.Rule, sheet: duties.Sheet) -> Reason:
    evidence: Json = {
        "row": rule.row,
        "list": sheet.name,
        "version": sheet.version,
        "leads": [kind_name(kind) for kind in rule.leads],
        "assists": [kind_name(kind) for kind in rule.assists],
    }
    if rule.condition:
        evidence |= {"condition": dict(rule.condition)}
    return Reason("decision.duty.conditional" if rule.condition else "decision.duty.plain", evidence)


def _delegated(leads: tuple[str, ...], power: Delegation) -> Reason:
    evidence: Json = {
        "leads": [kind_name(kind) for kind in leads],
        "by": kind_name(power.by),
        "document": power.document,
        "valid_from": power.valid_from.isoformat(),
        "valid_to": power.valid_to.isoformat() if power.valid_to else None,
    }
    return Reason("decision.duty.delegated" if power.valid_to else "decision.duty.delegated_open", evidence)


def _nobody(view: View) -> Reason:
    terrain = view.terrain
    if terrain.gap and terrain.nearest:
        evidence = {"unit": terrain.nearest.ground.as_dict(), "distance_m": terrain.nearest_m}
        return Reason("decision.ground.gap", evidence)
    return Reason("decision.ground.outside")


def _lead(view: View, settled: Outcome) -> Department | None:
    """Name the department that leads: the one settled on, or the first of the duty's kinds the side has."""
    if settled.department or settled.side is None:
        return settled.department
    # A unit that was named by its neighbours or its superior leads through its office where no duty says more.
    office = (view.practice.office,) if settled.unit_was_named else ()
    for kind in (*(view.rule.leads if view.rule else ()), *office):
        found = view.of_kind(kind, settled.side.ladder)
        if found:
            return found[0]
    return None


def _why_lead(settled: Outcome, *, by_desk: bool) -> str:
    if by_desk:
        return "desk"
    return "convenor" if settled.convened else "lead"


def _call_sides(view: View, settled: Outcome, roll: _Roll, *, by_desk: bool) -> None:
    """Call the departments of the lead's own ground first, then those of the other sides."""
    lead, sides = settled.side, view.terrain.sides
    below = [side for side in sides if lead and side.key in lead.within]
    own = [] if lead is None or settled.convened else (below or [lead])
    for side in own:
        _call_kinds(view, side, roll, own=True)
        if by_desk or below:
            _call_for_itself(view, side, roll)
    for side in sides:
        if side not in own:
            _call_kinds(view, side, roll, own=False)
            _call_for_itself(view, side, roll)


def _call_kinds(view: View, side: Side, roll: _Roll, *, own: bool) -> None:
    """Call every kind the duty names for a side, and note the kinds nobody has there."""
    missing = []
    for kinds, why in ((view.rule.leads, "co_lead"), (view.rule.assists, "assist")) if view.rule else ():
        for kind in kinds:
            found = view.of_kind(kind, side.ladder)
            for department in found:
                roll.call(department, why if own else "side", side.key)
            if not found:
                missing.append(kind_name(kind))
    if missing:
        roll.missing.append(Reason("decision.duty.kinds_missing", {"unit": side.ground.as_dict(), "kinds": missing}))


def _call_for_itself(view: View, side: Side, roll: _Roll) -> None:
    """Call the office that speaks for a side; the general desk stands in for a side nobody answers for."""
    _call_office(view, side, roll, "office")
    if not roll.is_called_for(side.key):
        roll.call(view.desk, "stands_in", side.key)


def _call_holder(view: View, held: Held, roll: _Roll) -> None:
    department = view.department(held) if held.thing == "component" else None
    if department:
        roll.call(department, "holder", None)


def _inform(view: View, roll: _Roll) -> None:
    """Tell the neighbours who may be concerned: a slight touch, a likely place, the nearest ground to a gap."""
    terrain = view.terrain
    for side in terrain.slight + terrain.near:
        _call_office(view, side, roll, "informed")
    if terrain.gap and terrain.nearest and not terrain.sides:
        _call_office(view, terrain.nearest, roll, "nearest")


def _call_office(view: View, side: Side, roll: _Roll, why: str) -> None:
    for department in view.of_kind(view.practice.office, side.ladder):
        roll.call(department, why, side.key)

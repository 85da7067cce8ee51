"""What goes beside a decision and without prejudice to it: make-safe orders, lines, consultations, joint records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text

from gis.errors import Conflict, Invalid, Word
from gis.issues import agreements, consequences, deadlines, errands, sides
from gis.issues.consequences import Consequence, Outcome
from gis.issues.errands import Errand, Order
from gis.issues.guards import DANGER, DEADLOCK
from gis.issues.jurisdiction import practice
from gis.issues.matter import Matter, Said
from gis.issues.moves import DISPATCHED, FILED, RETURNED
from gis.issues.whistle_acts.guards import all_sides, errands_of, line_units, own_sides, unsigned, waiting
from gis.issues.whistles import levels, lists
from gis.issues.worktime import WORK_DAY, Limit
from gis.people import departments
from gis.territory import coords


def _make_safe(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Send the department that is named, or the nearest that can, at once; nobody's jurisdiction is settled by it."""
    danger = lists.dangers().get(matter.row.category) or lists.dangers()[lists.ANY]
    named = said.fields.get("department")
    found = (named, None) if named else errands.nearest(matter.session, matter.id, danger.kinds, matter.today)
    if found is None:
        raise Conflict("errands.nobody", kinds=", ".join(danger.kinds))
    code, distance_m = found
    known = departments.register(matter.session).by_code
    if named and named not in known:
        raise Invalid("dispatch.no_department", department=named)
    if any(each.department == code for each in unsafe(matter)):
        raise Conflict("errands.sent_already", department=known[str(code)].name)
    due_at = deadlines.after(matter.session, said.now, danger.limit, matter.settings)
    order = Order(errands.MAKE_SAFE, str(code), str(said.fields["reason"]), due_at, distance_m)
    errands.send(matter.session, matter.id, order, by=said.by.username, now=said.now)
    return replace(outcome, put=frozenset({DANGER}))


def _made_safe(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    mine = errands_of(matter, said.by, errands.MAKE_SAFE)
    spot = said.fields["position"]
    for each in mine:
        told = {"by": said.by.username, "at": said.at, "done": said.fields["done"]}
        errands.finish(matter.session, each, told | {"point": f"POINT({spot['lon']} {spot['lat']})"})
    return outcome if len(unsafe(matter)) > len(mine) else replace(outcome, taken=frozenset({DANGER}))


def unsafe(matter: Matter) -> list[Errand]:
    """List the orders to make safe that nobody has carried out."""
    return [each for each in matter.errands if each.kind == errands.MAKE_SAFE and each.done_at is None]


def _ask_line(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Ask civil affairs of each side to confirm their line; communities' lines are their subdistrict's."""
    going_by, keys = practice.load(matter.settings), line_units(matter)
    kind = going_by.surveyor if keys[0].split(":")[1] in going_by.levels else going_by.office
    register = departments.register(matter.session)
    steps = [levels.ladder(matter.session, key, matter.today) for key in keys]
    asked = dict.fromkeys(each.code for ladder in steps for each in register.nearest(kind, ladder))
    if not asked:
        raise Conflict("errands.no_surveyor", kind=kind)
    for code in asked:
        order = Order(errands.LINE, code, str(said.fields["reason"]), units=keys)
        errands.send(matter.session, matter.id, order, by=said.by.username, now=said.now)
    return outcome


def _confirm_line(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Write what the authority for the line found; who leads is not changed by it."""
    [errand, *_] = errands_of(matter, said.by, errands.LINE)
    result = said.fields["result"]
    if result not in {sides.ON_LINE, *errand.units}:
        raise Invalid("errands.bad_result", result=result, units=", ".join((sides.ON_LINE, *errand.units)))
    words = str(said.fields.get("note", ""))
    told = {
        "version": matter.row.version + 1, "units": list(errand.units), "result": result, "words": words,
        "document": said.fields["document"], "department": errand.department, "by": said.by.username, "at": said.at,
    }  # fmt: skip
    sides.confirm(matter.session, matter.id, told, matter.today)
    done = {"by": said.by.username, "at": said.at, "done": words, "point": None}
    errands.finish(matter.session, errand, done)
    return outcome


def _convene(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Call the parties to a consultation with a day by which it decides."""
    days = practice.load(matter.settings).consultation_days
    usual = deadlines.after(matter.session, said.now, Limit(Fraction(days), WORK_DAY), matter.settings)
    wanted = said.fields.get("due")
    due_at = datetime.fromisoformat(wanted) if wanted else usual or said.now + timedelta(days=days)
    if due_at <= said.at:
        raise Invalid("whistles.time_past", field=Word("need.due"), at=due_at.isoformat(timespec="minutes"))
    told = {"reason": said.fields["reason"], "by": said.by.username, "at": said.now, "due_at": due_at}
    sides.convene(matter.session, matter.id, told)
    return outcome


def _undecided(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """What a consultation did not decide in time is a superior's matter."""
    held = waiting(matter)
    assert held is not None  # noqa: S101 -- its guard has looked
    sides.ran_out(matter.session, matter.id, held.number, said.now)
    return replace(outcome, put=frozenset({DEADLOCK}))


def _conclude(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Put the minutes on record; what they say of the lead holds at once, and for the ground if it shall stand."""
    held = waiting(matter)
    assert held is not None  # noqa: S101 -- its guard has looked
    lead = said.fields.get("lead")
    if lead or matter.state in {FILED, RETURNED}:
        if not lead:
            raise Invalid("workflow.no_lead")
        evidence = {"document": str(said.fields["document"])}
        outcome = consequences.sent(matter, said, replace(outcome, to=DISPATCHED), "consultation", evidence)
        outcome = replace(outcome, to=outcome.to if lead != matter.row.lead else _going_on(matter, outcome))
        outcome = replace(outcome, taken=outcome.taken | {DEADLOCK})
    agreement = _stand(matter, said) if said.fields.get("standing") == "yes" else None
    told = {"number": held.number, "by": said.by.username, "at": said.now, "agreement": agreement, "lead": lead}
    sides.conclude(matter.session, matter.id, told | {name: said.fields[name] for name in ("minutes", "document")})
    return outcome


def _going_on(matter: Matter, outcome: Outcome) -> str:
    """Leave it where it is, if who leads already goes on."""
    return outcome.to if matter.state in {FILED, RETURNED} else matter.state


def _stand(matter: Matter, said: Said) -> str:
    """Make the minutes a standing agreement for the ground of the issue and its category; return its code."""
    row = matter.session.execute(_GROUND, {"issue_id": matter.id}).one()
    parties, lead = all_sides(matter), str(row.lead_side or "")
    if len(parties) < 2:
        raise Conflict("sides.one_side")
    until = said.fields.get("valid_to")
    draft = agreements.Draft(
        title=f"{row.name} · {said.fields['document']}", geometry=_area(row.geom, matter.settings.near_boundary_m),
        parties=parties, lead=lead if lead in parties else parties[0], valid_from=matter.today,
        valid_to=date.fromisoformat(until) if until else None, categories=(matter.row.category,),
        document=str(said.fields["document"]),
    )  # fmt: skip
    if draft.valid_to and draft.valid_to <= draft.valid_from:
        raise Invalid("agreements.dates", valid_from=draft.valid_from, valid_to=draft.valid_to)
    return agreements.add(matter.session, draft, by=said.by.username, now=said.now)


def _area(written: str, reach_m: float) -> BaseGeometry:
    """Take a footprint as it is, and the neighbourhood of a point or line."""
    geometry: BaseGeometry = shapely.from_wkb(written)
    if shapely.get_dimensions(geometry) == 2:
        return geometry
    plane = coords.Plane(geometry.centroid.x, geometry.centroid.y)
    return plane.from_plane(plane.to_plane(geometry).buffer(reach_m))


def _record_jointly(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Write what was found together; who writes it has signed for its sides."""
    told = {"words": said.fields["found"], "sides": list(all_sides(matter)), "by": said.by.username, "at": said.at}
    number = sides.record_jointly(matter.session, matter.id, told)
    _sign(matter, said, number)
    return outcome


def _countersign(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    joint = unsigned(matter)
    assert joint is not None  # noqa: S101 -- its guard has looked
    _sign(matter, said, joint.number)
    return outcome


def _sign(matter: Matter, said: Said, number: int) -> None:
    mine = {"sides": own_sides(matter, said.by), "department": said.by.department}
    sides.sign(matter.session, matter.id, number, mine | {"by": said.by.username, "at": said.at})


# The footprint where one was sent or found, else the point; the side of whoever leads.
_GROUND = text("""
SELECT CAST(issue.geom AS text) AS geom, coalesce(category.name_zh, issue.category) AS name,
       (SELECT split_part(jurisdiction, ' ', 1) FROM party WHERE issue_id = issue.id AND role = 'lead'
        ORDER BY version DESC LIMIT 1) AS lead_side
FROM issue LEFT JOIN category ON (category.scheme, category.version, category.code)
                               = (issue.scheme, issue.scheme_version, issue.category)
WHERE issue.id = :issue_id
""")
BY_NAME: Mapping[str, Consequence] = {
    "make_safe": _make_safe,
    "made_safe": _made_safe,
    "ask_line": _ask_line,
    "confirm_line": _confirm_line,
    "convene": _convene,
    "undecided": _undecided,
    "conclude": _conclude,
    "record_jointly": _record_jointly,
    "countersign": _countersign,
}

"""Whose is it, and who must come: a location, standing agreements and duties -> a Decision that explains itself.

Pure: the same question has the same answer, in whatever order the inputs come. The steps are asked in the order of the
city's practice until one settles the lead; each leaves its reason, whether it applied or not. Every jurisdiction the
place touches is a party. Whatever is not settled or not listed goes to the general desk: nothing floats.
"""

from __future__ import annotations

from collections.abc import Iterable

from gis.issues.jurisdiction import grounds, parties, steps
from gis.issues.jurisdiction.practice import STEPS, Practice
from gis.issues.jurisdiction.values import WHISTLE, Case, Decision, Ground, Holder, Pact, PartyCall, Reason
from gis.issues.jurisdiction.view import Book, View, attributes, look
from gis.territory.location import Location

__all__ = [
    "STEPS",
    "WHISTLE",
    "Book",
    "Case",
    "Decision",
    "Ground",
    "Holder",
    "Pact",
    "PartyCall",
    "Practice",
    "Reason",
    "attributes",
    "decide",
]

UNLOCATED, DESK = "unlocated", "general_desk"


def decide(case: Case, location: Location, pacts: Iterable[Pact], book: Book) -> Decision:
    """Decide whose an issue is and who must come. pacts: the agreements at its place, of any category or date."""
    if not location.located:
        return Decision(UNLOCATED, reasons=(Reason("decision.unlocated", {"reason": location.reason}),))
    view = look(case, location, tuple(pacts), book)
    asked = _ask(view)
    name, settled = asked[-1]
    called = parties.call(view, settled)
    basis = name if settled.settled and not called.by_desk else DESK
    return Decision(
        basis=basis,
        lead_jurisdiction=settled.side.key if settled.side else None,
        lead_department=called.lead,
        parties=called.parties,
        superior=_superior(view),
        provisional=settled.provisional,
        suggested=_suggested(view, [outcome for _, outcome in asked]),
        reasons=(*_evidence(view), *(outcome.reason for _, outcome in asked), *_rest(view, asked), *called.reasons),
        shares=tuple(side.as_dict() for side in view.terrain.sides + view.terrain.slight + view.terrain.near),
    )


def _ask(view: View) -> list[tuple[str, steps.Outcome]]:
    """Ask step after step until one settles it."""
    asked: list[tuple[str, steps.Outcome]] = []
    for name in view.practice.steps:
        outcome = steps.BY_NAME[name](view)
        asked.append((name, outcome))
        if outcome.settled:
            break
    return asked


def _rest(view: View, asked: list[tuple[str, steps.Outcome]]) -> tuple[Reason, ...]:
    left = view.practice.steps[len(asked) :]
    return (Reason("decision.rest", {"steps": [f"decision.step.{name}" for name in left]}),) if left else ()


def _superior(view: View) -> str | None:
    contenders = view.terrain.contenders
    return grounds.lowest_common(contenders) if len(contenders) > 1 else None


def _suggested(view: View, outcomes: list[steps.Outcome]) -> str | None:
    said = next((outcome.suggested for outcome in outcomes if outcome.suggested), None)
    nearest = view.terrain.nearest
    return said or (nearest.key if nearest and view.terrain.gap and not view.terrain.sides else None)


def _evidence(view: View) -> list[Reason]:
    """Tell what was found before anything is chosen: the ground, then what the list says."""
    return [*parties.of_ground(view), *parties.of_duty(view)]

"""What the moves of whistles bring with them, and what stands in their way."""

from __future__ import annotations

from dataclasses import replace

from gis.issues import consequences
from gis.issues.consequences import Outcome
from gis.issues.guards import DANGER
from gis.issues.matter import Matter, Said
from gis.issues.moves import ENDS, Move
from gis.issues.whistle_acts import acts, beside, guards

__all__ = ["GUARDS", "of"]

GUARDS = guards.BY_NAME
BY_NAME = {**acts.BY_NAME, **beside.BY_NAME}


def of(matter: Matter, move: Move, said: Said) -> Outcome:
    """Do what a move brings with it, and return what follows."""
    follows = BY_NAME.get(move.name)
    outcome = follows(matter, said, Outcome(matter.state)) if follows else consequences.of(matter, move, said)
    return _of_danger(matter, outcome)


def _of_danger(matter: Matter, outcome: Outcome) -> Outcome:
    """Let an order to make safe call nobody while its issue is at an end; it calls again when that is opened anew."""
    if outcome.to in ENDS:
        return replace(outcome, taken=outcome.taken | {DANGER})
    if matter.state in ENDS and beside.unsafe(matter):
        return replace(outcome, put=outcome.put | {DANGER})
    return outcome

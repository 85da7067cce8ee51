"""What the moves of whistles bring with them, and what stands in their way."""

from __future__ import annotations

from gis.issues import consequences
from gis.issues.consequences import Outcome
from gis.issues.matter import Matter, Said
from gis.issues.moves import Move
from gis.issues.whistle_acts import acts, beside, guards

__all__ = ["GUARDS", "of"]

GUARDS = guards.BY_NAME
BY_NAME = {**acts.BY_NAME, **beside.BY_NAME}


def of(matter: Matter, move: Move, said: Said) -> Outcome:
    """Do what a move brings with it, and return what follows."""
    follows = BY_NAME.get(move.name)
    return follows(matter, said, Outcome(matter.state)) if follows else consequences.of(matter, move, said)

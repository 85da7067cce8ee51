"""Whose numbers an account may see: its own units with what lies in them, or its own department; never half a number.

Who sees everything sees everybody's. A unit's number is complete for who answers for a unit it lies in, and so it is
shown to them; a department's is complete for that department. To others a department's number over the ground they see
is shown as that: a part.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.db import Scope
from gis.errors import Forbidden
from gis.issues.evaluation.facts import Question
from gis.territory import units


def narrow(session: Session, question: Question, scope: Scope, on: date) -> Question:
    """Narrow a question to what an account may see; raise Forbidden if that is nothing of it."""
    if scope.all:
        return question
    if scope.department:
        return replace(question, only=_own(question, scope))
    within = tuple(scope.ground.split())
    if not question.level:
        return replace(question, within=within)
    inside = [key for key in _inside(session, within, on) if key.startswith(f"{question.level}:")]
    if not inside:
        raise Forbidden("evaluation.beyond", level=question.level)
    return replace(question, within=within, only=tuple(inside))


def is_partial(question: Question) -> bool:
    """Say whether the numbers are those of a part of the ground only."""
    return bool(question.within) and not question.level


def levels(session: Session, scope: Scope, on: date) -> list[str]:
    """List the levels "net:level" somebody may ask for, coarsest first."""
    every = [f"{edition.net}:{level.code}" for edition in units.in_force(session, on) for level in edition.levels]
    if scope.all:
        return every
    if scope.department:
        return []
    inside = {key.rpartition(":")[0] for key in _inside(session, tuple(scope.ground.split()), on)}
    return [level for level in every if level in inside]


def _own(question: Question, scope: Scope) -> tuple[str, ...]:
    if question.level:
        raise Forbidden("evaluation.own_department_only")
    return (scope.department,)


def _inside(session: Session, keys: tuple[str, ...], on: date) -> list[str]:
    """List units with all that lies in them, in every net that nests in theirs."""
    return list(session.scalars(_INSIDE, {"keys": list(keys), "on": on}))


_INSIDE = text(f"""
WITH RECURSIVE placed AS (
    SELECT u.net, u.level, u.code, u.parent_code, l.rank, n.parent_net, n.parent_level
    FROM unit u JOIN edition e ON e.id = u.edition_id JOIN net n ON n.code = u.net
    JOIN level l ON l.net = u.net AND l.code = u.level
    WHERE {units.IN_FORCE}
), inside AS (
    SELECT * FROM placed WHERE net || ':' || level || ':' || code = ANY(:keys)
    UNION
    SELECT below.* FROM placed AS below JOIN inside AS above ON below.parent_code = above.code
     AND ((below.net = above.net AND below.rank = above.rank + 1)
          OR (below.rank = 0 AND below.parent_net = above.net AND below.parent_level = above.level))
)
SELECT net || ':' || level || ':' || code FROM inside
""")

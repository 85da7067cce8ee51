"""Whose centre answers a whistle: the lowest level above the caller that stands over everybody who is called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory.units import IN_FORCE


def ladder(session: Session, key: str, on: date) -> tuple[str, ...]:
    """List a unit and what stands above it on a day, as net:level:code, the lowest first; no unit: itself."""
    net, level, code = key.split(":", 2)
    found = session.scalars(_LADDER, {"net": net, "level": level, "code": code, "on": on}).all()
    return tuple(found) or (key,)


def holder(steps: Sequence[str], called: Iterable[Collection[str]], answering: Iterable[str]) -> str | None:
    """Choose who answers a whistle of the unit the ladder begins with; None where nobody stands above it.

    called: the ladder of what each called department serves; of the whole city: none. answering: the levels that answer
    for issues; a unit below them, a community, goes through the one above it first, whoever is called.
    """
    above = steps[1:]
    if not above:
        return None
    if steps[0].split(":")[1] not in set(answering):
        return above[0]
    ladders = list(called)
    return next((key for key in above if all(key in each for each in ladders)), above[-1])


def above(session: Session, key: str, on: date) -> str | None:
    """Return the unit just above; None at the top."""
    steps = ladder(session, key, on)
    return steps[1] if len(steps) > 1 else None


_LADDER = text(f"""
WITH RECURSIVE up AS (
    SELECT u.edition_id, u.net, u.level, u.code, u.parent_code, l.rank
    FROM unit u JOIN edition e ON e.id = u.edition_id JOIN level l ON l.net = u.net AND l.code = u.level
    WHERE u.net = :net AND u.level = :level AND u.code = :code AND {IN_FORCE}
    UNION ALL
    SELECT p.edition_id, p.net, p.level, p.code, p.parent_code, l.rank
    FROM up JOIN level l ON l.net = up.net AND l.rank = up.rank - 1
    JOIN unit p ON p.edition_id = up.edition_id AND p.level = l.code AND p.code = up.parent_code
)
SELECT net || ':' || level || ':' || code FROM up ORDER BY rank DESC
""")

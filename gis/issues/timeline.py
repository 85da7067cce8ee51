"""Issues as they stood at any moment of a stretch of time, read from the record: for the map to be played back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import listing
from gis.issues.listing import Filters
from gis.issues.moves import STATES, TO_LOCATE

Json = dict[str, Any]

ISSUES_MOST = 10_000
# A state is said by its place in STATES: a name for each step would be most of what is sent.
NUMBERS = {state: nth for nth, state in enumerate(STATES)}


@dataclass(frozen=True)
class Past:
    """One issue's way. steps: (seconds since 1970, number of the state from then on), first things first."""

    code: str
    lon: float
    lat: float
    steps: tuple[tuple[int, int], ...]

    def as_list(self) -> list[Any]:
        """Render it as short as it can be: code, lon, lat, then seconds and state in turn."""
        return [self.code, self.lon, self.lat, *(number for step in self.steps for number in step)]


def find(session: Session, filters: Filters, start: datetime, end: datetime) -> list[Past]:
    """List the issues that were there and not over at some moment from start to end; how each stood, step by step.

    Where an issue is drawn is where it is known to be today; filters by state or due time do not count, for those are
    of today too.
    """
    asked = replace(filters, since=None, until=None, states=(), dues=())
    condition, values = listing.condition(asked)
    rows = session.execute(
        text(_WAYS.format(where=condition)), values | {"start": start, "end": end, "most": ISSUES_MOST}
    )
    return [Past(row.code, row.lon, row.lat, _steps(row)) for row in rows]


def _steps(row: Any) -> tuple[tuple[int, int], ...]:  # noqa: ANN401 -- a row of what is selected below
    """Put moves and the placing in order. What stood between two moves is what the later one started from."""
    moves: list[tuple[int, str, str]] = [(at, left, to) for at, left, to in row.moves]
    before = moves[0][1] if moves else row.state
    steps = [(row.received_s, TO_LOCATE if row.placed_s is not None else before)]
    if row.placed_s is not None:
        after = next((left for at, left, _ in moves if at > row.placed_s), row.state)
        steps.append((row.placed_s, after))
    steps += [(at, to) for at, _, to in moves if row.placed_s is None or at > row.placed_s]
    return tuple((at, NUMBERS[state]) for at, state in steps)


# An issue begins to be placed with its first finding that is not the one it came in with.
_WAYS = """
SELECT issue.code, issue.state, round(CAST(ST_X(issue.point_geom) AS numeric), 6)::float AS lon,
       round(CAST(ST_Y(issue.point_geom) AS numeric), 6)::float AS lat,
       CAST(extract(epoch FROM issue.received_at) AS bigint) AS received_s,
       (SELECT coalesce(json_agg(json_build_array(CAST(extract(epoch FROM move.at) AS bigint), move.from_state,
                                                  move.to_state) ORDER BY move.version), '[]')
        FROM move WHERE move.issue_id = issue.id AND move.from_state <> move.to_state) AS moves,
       (SELECT CAST(extract(epoch FROM min(later.found_at)) AS bigint)
        FROM finding AS first JOIN finding AS later ON later.issue_id = first.issue_id AND later.version > 1
        WHERE first.issue_id = issue.id AND first.version = 1 AND first.location -> 'flags' ? 'unlocated') AS placed_s
FROM issue
WHERE {where} AND issue.point_geom IS NOT NULL AND issue.received_at <= :end
  AND (issue.closed_at IS NULL OR issue.closed_at >= :start)
ORDER BY issue.received_at DESC, issue.id DESC LIMIT :most
"""

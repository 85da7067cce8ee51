"""Points a source gives when it does not know: a city hall that carries thousands of unrelated records.

A machine cannot tell such a point from a large building with honest reports, so it only counts and proposes: how many
issues share one pair of coordinates, and how different they are. A person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg2.extras import Json as AsJson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound
from gis.issues import journal
from gis.issues.jurisdiction.values import Decision
from gis.issues.tables import DefaultPoint
from gis.territory.location import UNLOCATED

Json = dict[str, Any]

# Fewer issues than this on one point are no reason to ask a person.
WORTH_ASKING = 50
REASON = "locate.default_point"
# What a finding becomes when its coordinates turn out to say nothing.
NOWHERE: Json = {"flags": [UNLOCATED], "reason": REASON}


def propose(session: Session, source: str, *, at_least: int = WORTH_ASKING) -> Sequence[DefaultPoint]:
    """Count issues on identical coordinates and propose the crowded points; return all points of the source."""
    session.execute(
        text("""
        INSERT INTO default_point (source, lon, lat, issues_n, texts_n, categories_n, addresses_n, state)
        SELECT source, ST_X(point_geom), ST_Y(point_geom), count(*), count(DISTINCT text), count(DISTINCT category),
               count(DISTINCT place ->> 'text'), 'proposed'
        FROM issue
        -- Only fixes as they were sent: a building's or a polygon's middle is nobody's default.
        WHERE source = :source AND place ? 'lon' AND point_geom IS NOT NULL
        GROUP BY source, ST_X(point_geom), ST_Y(point_geom) HAVING count(*) >= :at_least
        ON CONFLICT (source, lon, lat) DO UPDATE
        SET issues_n = EXCLUDED.issues_n, texts_n = EXCLUDED.texts_n, categories_n = EXCLUDED.categories_n,
            addresses_n = EXCLUDED.addresses_n
        """),
        {"source": source, "at_least": at_least},
    )
    return of_source(session, source)


def of_source(session: Session, source: str) -> Sequence[DefaultPoint]:
    """List the points of a source, the most crowded first."""
    points = select(DefaultPoint).where(DefaultPoint.source == source)
    ordered = points.order_by(DefaultPoint.issues_n.desc(), DefaultPoint.id)
    return session.scalars(ordered.execution_options(populate_existing=True)).all()


def accept(session: Session, point_id: int, *, by: str, now: datetime) -> int:
    """Settle that a point says nothing; its issues go back to the list of those to locate. Return how many."""
    point = _decide(session, point_id, "accepted", by, now)
    return _unlocate(session, point, by=by, now=now)


def reject(session: Session, point_id: int, *, by: str, now: datetime) -> None:
    """Settle that the reports on a point are honest."""
    _decide(session, point_id, "rejected", by, now)


def _decide(session: Session, point_id: int, state: str, by: str, now: datetime) -> DefaultPoint:
    point = session.get(DefaultPoint, point_id, with_for_update=True)
    if point is None:
        raise NotFound("default_point.not_found", id=point_id)
    if point.state == "accepted" and state == "rejected":
        raise Conflict("default_point.already_accepted", by=point.decided_by)
    point.state, point.decided_by, point.decided_at = state, by, now
    session.flush()
    return point


def _unlocate(session: Session, point: DefaultPoint, *, by: str, now: datetime) -> int:
    """Append to each issue of the point that its place is not known; what a person placed, or took up, stays."""
    marked = session.execute(
        text("""
        SELECT id, ground FROM issue
        WHERE source = :source AND located AND place ? 'lon' AND NOT place ? 'placed_by'
          AND state IN ('filed', 'dispatched')
          AND geom && ST_Expand(ST_Point(:lon, :lat, 4326), 1e-7)
          AND abs(ST_X(point_geom) - :lon) <= 1e-7 AND abs(ST_Y(point_geom) - :lat) <= 1e-7
        ORDER BY id FOR UPDATE
        """),
        {"source": point.source, "lon": point.lon, "lat": point.lat},
    ).all()
    if not marked:
        return 0
    ids = {"ids": [row.id for row in marked], "by": by, "now": now}
    for statement, more in _APPENDED:
        session.execute(text(statement), ids | more)
    lines = [journal.Line("unlocated", row.id, {"reason": REASON}, tuple(row.ground)) for row in marked]
    journal.append_all(session, lines, by=by, now=now)
    return len(marked)


_LAST_FINDING = """
SELECT DISTINCT ON (issue_id) issue_id, version, location FROM finding WHERE issue_id = ANY(:ids)
ORDER BY issue_id, version DESC
"""
_LAST_DECISION = "SELECT issue_id, max(version) AS version FROM decision WHERE issue_id = ANY(:ids) GROUP BY issue_id"
_APPENDED: tuple[tuple[str, Json], ...] = (
    (
        f"""
        INSERT INTO finding (issue_id, version, location, found_at, found_by)
        SELECT issue_id, version + 1,
               jsonb_build_object('on', location -> 'on', 'place', location -> 'place' || :place) || :nowhere, :now, :by
        FROM ({_LAST_FINDING}) AS last
        """,
        {"nowhere": AsJson(NOWHERE), "place": AsJson({"geometry": None, "kind": "nowhere"})},
    ),
    (
        f"""
        INSERT INTO decision (issue_id, version, basis, lead, answer, decided_at, decided_by)
        SELECT issue_id, version + 1, 'unlocated', NULL, :answer, :now, :by FROM ({_LAST_DECISION}) AS last
        """,
        {"answer": AsJson(Decision("unlocated").as_dict())},
    ),
    (
        """
        UPDATE issue SET located = false, state = 'to_locate', flags = :flags, ground = '{}', departments = '{}',
                         lead = NULL, geom = NULL, point_geom = NULL
        WHERE id = ANY(:ids)
        """,
        {"flags": [UNLOCATED]},
    ),
)

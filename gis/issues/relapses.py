"""Relapses (回头看): the same thing at the same place soon after it was closed. Both histories say so."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import journal
from gis.issues.clerk import Clerk

RELAPSE = "relapse"
OVER = ("closed", "evaluated", "self_handled")


def mark(session: Session, issue_ids: Sequence[int], clerk: Clerk) -> int:
    """Find for new issues what was closed of the same category near by, note it on both, and return how many relapsed.

    How near and how soon are settings; of several the nearest counts.
    """
    settings = clerk.settings
    asked = {"ids": list(issue_ids), "over": list(OVER), "days": settings.relapse_days}
    if not session.scalar(_ANY_CLOSED, asked):
        return 0
    found = session.execute(_MARK, asked | {"reach_m": settings.relapse_m, "mark": RELAPSE}).all()
    lines = [
        line
        for row in found
        for line in (
            journal.Line("relapse", row.id, {"code": row.past_code}, tuple(row.ground)),
            journal.Line("relapsed", row.past_id, {"code": row.code}, tuple(row.past_ground)),
        )
    ]
    journal.append_all(session, lines, by=clerk.by, now=clerk.now)
    return len(found)


# A load of history closes nothing: this is asked of an index before any ground is.
_ANY_CLOSED = text("""
SELECT EXISTS (SELECT FROM issue WHERE closed_at >=
    (SELECT min(reported_at) FROM issue WHERE id = ANY(:ids)) - make_interval(days => :days))
""")
# The box is drawn in degrees around the point, generously; the distance is geodesic.
_MARK = text("""
WITH near AS (
    SELECT DISTINCT ON (fresh.id) fresh.id, fresh.code, fresh.ground, past.id AS past_id, past.code AS past_code,
           past.ground AS past_ground
    FROM issue AS fresh
    JOIN issue AS past ON past.point_geom && ST_Expand(fresh.point_geom,
         :reach_m / 110000 / greatest(cos(radians(ST_Y(fresh.point_geom))), 0.01), :reach_m / 110000)
     AND (past.scheme, past.category) = (fresh.scheme, fresh.category)
     AND past.state = ANY(:over)
     AND past.closed_at > fresh.reported_at - make_interval(days => :days) AND past.closed_at <= fresh.reported_at
     AND ST_Distance(CAST(past.point_geom AS geography), CAST(fresh.point_geom AS geography)) <= :reach_m
    WHERE fresh.id = ANY(:ids) AND fresh.point_geom IS NOT NULL
    ORDER BY fresh.id, ST_Distance(CAST(past.point_geom AS geography), CAST(fresh.point_geom AS geography)), past.id
)
UPDATE issue SET relapse_of = near.past_id, marks = issue.marks || ARRAY[CAST(:mark AS text)]
FROM near WHERE issue.id = near.id
RETURNING issue.id, near.code, near.ground, near.past_id, near.past_code, near.past_ground
""")

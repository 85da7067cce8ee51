"""Issues on the small town's lines, standing on the units that PostGIS says they touch; and what PostGIS counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.evaluation import Period
from gis.planning.borders import Question
from tests import town
from tests.issues import filed

ZONE = ZoneInfo("Asia/Shanghai")
MAY = Period(datetime(2024, 5, 1, tzinfo=ZONE), datetime(2024, 6, 1, tzinfo=ZONE))
DISTRICT, COMMUNITY = "admin:district", "admin:community"
W, E = "990101", "990102"


def asked(level: str = DISTRICT, width_m: float = 50.0, **more: Any) -> Question:
    """Ask for May."""
    return replace(Question(MAY, level, width_m, ZONE), **more)


def metres(x_m: float, y_m: float = 0.0, *, x: float = 2.0, y: float = 1.0) -> tuple[float, float]:
    """Give the town's coordinates of a place so many metres east and north of one: at 30.25 a degree is known."""
    east, north = 96_251.6, 110_856.0
    return x + x_m / east * 100, y + y_m / north * 100


def put(session: Session, nth: int, x: float, y: float, **changes: Any) -> int:
    """File an issue and stand it on every unit in force that it touches that day."""
    issue_id = filed.issue(session, nth, x, y, **changes)
    session.execute(
        text("""
        UPDATE issue SET ground = ARRAY(
            SELECT u.net || ':' || u.level || ':' || u.code FROM unit u JOIN edition e ON e.id = u.edition_id
            WHERE e.state = 'active' AND ST_Intersects(u.geom, issue.geom)
              AND e.valid_from <= CAST(reported_at AT TIME ZONE 'Asia/Shanghai' AS date)
              AND (e.valid_to IS NULL OR CAST(reported_at AT TIME ZONE 'Asia/Shanghai' AS date) < e.valid_to)
        ) WHERE id = :id
        """),
        {"id": issue_id},
    )
    return issue_id


def by_postgis(session: Session, level: str, width_m: float) -> dict[str, tuple[int, float]]:
    """Count by the plainest SQL there is: {strip: (issues, metres of line)}."""
    rows = session.execute(
        text("""
        WITH line AS (
            SELECT a.code AS a, b.code AS b, a.geom AS one, b.geom AS other,
                   ST_CollectionExtract(ST_Intersection(ST_Boundary(a.geom), ST_Boundary(b.geom)), 2) AS geom
            FROM unit a JOIN unit b ON a.code < b.code AND a.level = b.level AND a.edition_id = b.edition_id
            WHERE a.net || ':' || a.level = :level AND ST_Relate(a.geom, b.geom, '****1****')
        )
        SELECT line.a || '|' || line.b AS key, ST_Length(CAST(line.geom AS geography)) AS length_m,
               (SELECT count(*) FROM issue
                WHERE ST_DWithin(CAST(issue.geom AS geography), CAST(line.geom AS geography), :width)
                  AND (ST_Intersects(line.one, issue.geom) OR ST_Intersects(line.other, issue.geom))) AS n
        FROM line
        """),
        {"level": level, "width": width_m},
    )
    return {row.key: (row.n, row.length_m) for row in rows}


def at(day: date) -> datetime:
    """Give noon of a day in the city."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def build(session: Session) -> None:
    """Put the town and its people there."""
    town.build(session)
    filed.people(session)

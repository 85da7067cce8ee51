"""Issues put straight into the tables, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import town

AT = datetime(2024, 5, 6, 8, tzinfo=UTC)


def people(session: Session) -> None:
    """Name a source, a category and two departments."""
    session.execute(text("INSERT INTO source VALUES ('12345', '热线', 'Hotline', 'WGS84', NULL, NULL)"))
    session.execute(text("INSERT INTO category VALUES ('gb', '1', '0501', NULL, '井盖', 'Manhole', NULL, 1)"))
    session.execute(
        text(
            "INSERT INTO department (code, kind, name_zh, name_en)"
            " VALUES ('cg', 'CG', '城管局', 'Urban management'), ('sw', 'SW', '水务局', 'Water')"
        )
    )


def issue(session: Session, nth: int, x: float = 1.0, y: float = 0.5, **changes: Any) -> int:
    """Put an issue on the town's ground at (x, y); return its id."""
    lon, lat = town.lonlat(x, y)
    row = {
        "code": f"990101{nth:06}",
        "external_id": str(nth),
        "category": "0501",
        "text": f"issue {nth}",
        "state": "filed",
        "reported_at": AT,
        "located": True,
        "flags": [],
        "ground": ["admin:district:990101"],
        "departments": ["cg"],
        "lead": "cg",
        "created_by": None,
        "reporter": None,
        "point": f"POINT({lon} {lat})",
        "place": Json({"lon": lon, "lat": lat}),
        "at": AT,
    } | changes
    return session.execute(
        text("""
        INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at,
                           received_at, place, located, flags, ground, departments, lead, created_by, reporter, geom,
                           point_geom)
        VALUES (:code, '12345', :external_id, 'gb', '1', :category, :text, :state, :reported_at, :at, :place, :located,
                :flags, :ground, :departments, :lead, :created_by, :reporter, ST_GeomFromText(:point, 4326),
                ST_PointOnSurface(ST_GeomFromText(:point, 4326)))
        RETURNING id
        """),
        row,
    ).scalar_one()


def issues(session: Session, spots: Sequence[tuple[float, float]]) -> list[int]:
    """Put issues on several spots."""
    return [issue(session, nth, x, y) for nth, (x, y) in enumerate(spots, start=1)]

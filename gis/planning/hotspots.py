"""Where issues gather: named places with their counts and the departments called there.

An issue counts for one place alone: the estate it lies in, else the street it stands on, else its grid cell. So the
counts add up, and no place is listed twice under two names. Whether a gathering is more than chance is not asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import listing
from gis.issues.listing import Filters
from gis.territory import units

Json = dict[str, Any]

# Farther from a street than this an issue is not on it.
ON_STREET_M = 30.0
DEPARTMENTS_SHOWN = 4


@dataclass(frozen=True)
class Hotspot:
    """A named place where issues gather. box: west, south, east, north in degrees; departments: code -> issues."""

    kind: str
    key: str
    name: str
    name_en: str
    issues_n: int
    departments: tuple[tuple[str, int], ...]
    box: tuple[float, float, float, float]

    def as_dict(self) -> Json:
        """Render for HTTP."""
        return {
            "kind": self.kind,
            "key": self.key,
            "name": self.name,
            "name_en": self.name_en,
            "issues_n": self.issues_n,
            "departments": [{"code": code, "issues_n": n} for code, n in self.departments],
            "box": list(self.box),
        }


def find(session: Session, filters: Filters, *, on: date, limit: int = 12, least: int = 2) -> list[Hotspot]:
    """List the places with the most issues, at least `least`, most first."""
    condition, values = listing.condition(filters)
    level = finest_level(session, on)
    rows = session.execute(
        text(f"""
        WITH hit AS (
            SELECT issue.id, issue.departments, issue.geom,
                   CASE WHEN estate->>'id' IS NOT NULL THEN 'estate'
                        WHEN (street->>'distance_m')::float <= :on_street_m THEN 'street'
                        ELSE 'cell' END AS kind,
                   estate, street, cell
            FROM issue
            JOIN LATERAL (
                SELECT location->'estate' AS estate, location->'street' AS street,
                       jsonb_path_query_first(
                           location,
                           '$.nets[*] ? (@.net == $net).levels[*] ? (@.level == $level && exists(@.primary)).units[0]',
                           jsonb_build_object('net', CAST(:net AS text), 'level', CAST(:level AS text))
                       ) AS cell
                FROM finding WHERE issue_id = issue.id ORDER BY version DESC LIMIT 1
            ) AS found ON true
            WHERE {condition} AND issue.located
        ), placed AS (
            SELECT id, departments, geom, kind,
                   CASE kind WHEN 'estate' THEN estate WHEN 'street' THEN street ELSE cell END AS place
            FROM hit
        ), gathered AS (
            SELECT kind, coalesce(place->>'id', place->>'code') AS key, min(place->>'name') AS name,
                   min(coalesce(place->>'name_en', place->>'name')) AS name_en, count(*) AS issues_n,
                   ST_Extent(geom) AS box, array_agg(id) AS ids
            FROM placed WHERE place IS NOT NULL AND jsonb_typeof(place) = 'object'
            GROUP BY 1, 2 HAVING count(*) >= :least ORDER BY issues_n DESC, kind, key LIMIT :limit
        )
        SELECT kind, key, name, name_en, issues_n,
               ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north,
               (SELECT jsonb_agg(jsonb_build_array(code, n) ORDER BY n DESC, code) FROM (
                    SELECT code, count(*) AS n FROM placed, unnest(placed.departments) AS code
                    WHERE placed.id = ANY(gathered.ids) GROUP BY code ORDER BY n DESC, code LIMIT :shown
                ) AS called) AS departments
        FROM gathered ORDER BY issues_n DESC, kind, key
        """),
        {
            **values,
            "net": level[0],
            "level": level[1],
            "on_street_m": ON_STREET_M,
            "least": least,
            "limit": limit,
            "shown": DEPARTMENTS_SHOWN,
        },
    )
    return [
        Hotspot(
            kind=row.kind,
            key=row.key,
            name=row.name,
            name_en=row.name_en,
            issues_n=row.issues_n,
            departments=tuple((code, n) for code, n in row.departments or []),
            box=(row.west, row.south, row.east, row.north),
        )
        for row in rows
    ]


def finest_level(session: Session, on: date) -> tuple[str, str]:
    """Return the net and level with the smallest units in force on a day, empty when there is no ground yet."""
    in_force = [edition.id for edition in units.in_force(session, on)]
    found = session.execute(
        text("""
        SELECT net, level FROM unit WHERE edition_id = ANY(:editions)
        GROUP BY net, level ORDER BY avg(area_m2), net, level LIMIT 1
        """),
        {"editions": in_force},
    ).one_or_none()
    return (found.net, found.level) if found else ("", "")

"""What lies nearest to a point, and what a point lies in. Distances in metres of the tangent plane at the point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.location import Nearby

Floats = NDArray[np.float64]

# What duties may ask of a place, as a JSON object, over the row `p`.
ATTRIBUTES = {
    "building": """p.attributes || jsonb_strip_nulls(jsonb_build_object('kind', p.kind, 'owner', p.owner,
        'height_m', p.height_m, 'area_m2', p.area_m2, 'house_number', nullif(p.house_number, ''),
        'street_name', nullif(p.street_name, ''), 'estate_name', nullif(p.estate_name, '')))""",
    "street": """p.attributes || jsonb_strip_nulls(jsonb_build_object('road_class', p.road_class, 'owner', p.owner,
        'width_m', p.width_m))""",
    "estate": """p.attributes || jsonb_strip_nulls(jsonb_build_object('kind', p.kind,
        'property_company', p.property_company, 'handover', p.handover))""",
    "land": "jsonb_build_object('kind', p.kind)",
}
# What a place is called, over the row `p`: most buildings have no name, and are known by street and number.
CALLED = {
    "building": """CASE WHEN p.name <> '' THEN p.name WHEN p.street_name ~ '[!-~]$'
        THEN p.street_name || ' ' || p.house_number ELSE p.street_name || p.house_number END""",
    "street": "p.name",
    "estate": "p.name",
}
# The points asked about: longitude, latitude, and the metres of a degree there.
POINTS = """unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:east AS float8[]), CAST(:north AS float8[]))
             WITH ORDINALITY AS q(lon, lat, east, north, row)
        CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(q.lon, q.lat), 4326) AS at) AS here"""
NEARBY_KINDS = ("building", "street")
AROUND_KINDS = ("estate", "land")
# One statement holds this many points: enough to forget the cost of a statement, small enough to stay in memory.
CHUNK_POINTS = 5_000
# Most points lie on a street or by a house: a small box first, a wider one for those that found nothing.
FIRST_RADIUS_M = 16.0
WIDER = 8.0


@dataclass(frozen=True)
class Surroundings:
    """What lies by a point."""

    building: Nearby | None
    street: Nearby | None
    estate: Nearby | None
    land: Nearby | None


def nearest(session: Session, kind: str, points: ArrayLike, within_m: float) -> list[Nearby | None]:
    """Find the nearest building or street to each point: 0 m inside, None when nothing lies within the distance.

    points: (n, 2) degrees, longitude first. Of several at the same distance the one with the lowest id is taken.
    """
    if kind not in NEARBY_KINDS:
        raise Invalid("places.unknown_kind", kind=kind, choices=", ".join(NEARBY_KINDS))
    at = _degrees(points)
    found: list[Nearby | None] = [None] * len(at)
    _search(session, kind, at, found, _radii_m(within_m))
    return found


def surroundings(session: Session, points: ArrayLike, within_m: float) -> list[Surroundings]:
    """Name what lies by each point: the nearest building and street, and the estate and the land it lies in.

    points: (n, 2) degrees, longitude first. Of several estates the smallest is named, then the one with the lowest id.
    """
    at = _degrees(points)
    found: dict[str, list[Nearby | None]] = {kind: [None] * len(at) for kind in (*NEARBY_KINDS, *AROUND_KINDS)}
    first_m, *wider_m = _radii_m(within_m)
    for row, near in _asked(session, _surroundings_sql(), at, radius=first_m):
        found[near.kind][row] = near
    for kind in NEARBY_KINDS:
        _search(session, kind, at, found[kind], wider_m)
    return [Surroundings(*each) for each in zip(*found.values(), strict=True)]


def _radii_m(within_m: float) -> list[float]:
    radii_m = [min(FIRST_RADIUS_M, float(within_m))]
    while radii_m[-1] < within_m:
        radii_m.append(min(radii_m[-1] * WIDER, float(within_m)))
    return radii_m


def _search(session: Session, kind: str, at: Floats, found: list[Nearby | None], radii_m: Iterable[float]) -> None:
    """Look for those that found nothing yet, farther and farther."""
    for radius_m in radii_m:
        missing = [row for row, near in enumerate(found) if near is None]
        for row, near in _asked(session, _nearest_sql(kind), at[missing], radius=radius_m):
            found[missing[row]] = near


@cache
def _surroundings_sql() -> TextClause:
    """Ask four questions at once: for one place the way to the database is most of the time."""
    return text(" UNION ALL ".join([*map(_nearest, NEARBY_KINDS), *map(_around, AROUND_KINDS)]))


@cache
def _nearest_sql(kind: str) -> TextClause:
    return text(_nearest(kind))


def _nearest(kind: str) -> str:
    # What is nearer than the radius meets the box; of what else meets it, nothing is taken. Scaling by the metres of
    # a degree at the point makes ST_Distance the distance of the tangent plane. No search by <->: it orders by
    # degrees, and where nothing is near it costs three times as much as a box.
    return f"""
        SELECT q.row, '{kind}' AS kind, p.id, {CALLED[kind]} AS name, p.name_en, near.distance_m,
               {ATTRIBUTES[kind]} AS attributes
        FROM {POINTS}
        CROSS JOIN LATERAL (
            SELECT b.id,
                   ST_Distance(ST_Scale(b.geom, q.east, q.north), ST_Scale(here.at, q.east, q.north)) AS distance_m
            FROM {kind} b
            WHERE b.geom && ST_Expand(here.at, :radius * 1.000001 / q.east, :radius * 1.000001 / q.north)
            ORDER BY distance_m, b.id LIMIT 1
        ) AS near
        JOIN {kind} p ON p.id = near.id
        WHERE near.distance_m <= :radius
    """


def _around(kind: str) -> str:
    return f"""
        SELECT q.row, '{kind}' AS kind, p.id, p.name, p.name_en, CAST(0 AS float8) AS distance_m,
               {ATTRIBUTES[kind]} AS attributes
        FROM {POINTS}
        CROSS JOIN LATERAL (
            SELECT * FROM {kind} e WHERE ST_Covers(e.geom, here.at) ORDER BY ST_Area(e.geom), e.id LIMIT 1
        ) AS p
    """


def _degrees(points: ArrayLike) -> Floats:
    return np.asarray(points, dtype=float).reshape(-1, 2)


def _asked(session: Session, statement: TextClause, points: Floats, **params: float) -> Iterator[tuple[int, Nearby]]:
    """Ask a statement about many points in a few round trips: (row of the point, what was found)."""
    for start in range(0, len(points), CHUNK_POINTS):
        for row in session.execute(statement, params | _arrays(points[start : start + CHUNK_POINTS])):
            near = Nearby(row.kind, row.id, row.name, row.name_en, row.distance_m, row.attributes)
            yield start + row.row - 1, near


def _arrays(points: Floats) -> dict[str, Any]:
    east, north = coords.metres_per_degree(points[:, 1])
    columns = {"lon": points[:, 0], "lat": points[:, 1], "east": east, "north": north}
    return {name: np.asarray(column).tolist() for name, column in columns.items()}

"""Standing agreements between neighbours (边界协议): ground, categories, parties, lead, dates. Added without code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound, Problems, ShaotuError
from gis.issues.drafts import HALF, Draft, parse, speaks_for
from gis.issues.jurisdiction import Ground, Pact
from gis.territory import coords
from gis.territory.units import IN_FORCE

__all__ = [
    "Agreement",
    "Draft",
    "add",
    "at",
    "at_many",
    "find",
    "pact",
    "parse",
    "speaks_for",
    "withdraw",
]

# One number for "giving the next code", so that two operators get two.
NUMBERING = 0x5AA2


@dataclass(frozen=True)
class Agreement:
    """An agreement on record. geometry: GeoJSON text."""

    code: str
    title: str
    categories: tuple[str, ...]
    parties: tuple[str, ...]
    lead: str
    document: str
    valid_from: date
    valid_to: date | None
    created_by: str
    created_at: datetime
    withdrawn_at: datetime | None
    area_m2: float
    geometry: str


def add(session: Session, draft: Draft, *, by: str, now: datetime) -> str:
    """Put an agreement on record; return its code. Raise Problems if it names units or categories that are none."""
    problems = [*_unknown_units(session, draft), *_unknown_categories(session, draft)]
    if problems:
        raise Problems(problems)
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING})
    code: str = session.execute(
        _INSERT,
        {
            "start": f"XY{draft.valid_from.year}-",
            "title": draft.title,
            "categories": list(draft.categories),
            "parties": list(draft.parties),
            "lead": draft.lead,
            "document": draft.document,
            "valid_from": draft.valid_from,
            "valid_to": draft.valid_to,
            "by": by,
            "now": now,
            "geom": draft.geometry.wkb,
        },
    ).scalar_one()
    return code


def withdraw(session: Session, code: str, *, now: datetime) -> None:
    """End an agreement for issues to come; it stays on record. Raise NotFound or Conflict."""
    asked = text("SELECT withdrawn_at FROM agreement WHERE code = :code FOR UPDATE")
    known = session.execute(asked, {"code": code}).first()
    if known is None:
        raise NotFound("agreements.not_found", code=code)
    if known.withdrawn_at:
        raise Conflict("agreements.already_withdrawn", code=code, at=known.withdrawn_at.isoformat())
    session.execute(text("UPDATE agreement SET withdrawn_at = :now WHERE code = :code"), {"code": code, "now": now})


def find(session: Session, on: date | None = None) -> list[Agreement]:
    """List the agreements, the newest first; those that hold on a day, if one is said."""
    condition = f"(CAST(:on AS date) IS NULL OR ({_HOLDS}))"
    rows = session.execute(text(_SELECT.format(condition=condition)), {"on": on}).mappings()
    return [_agreement(row) for row in rows]


def at(session: Session, geometry: BaseGeometry | None, on: date) -> tuple[Pact, ...]:
    """Return the agreements that speak for a place on a day, of whatever category."""
    return at_many(session, [geometry], [on])[0]


def at_many(session: Session, geometries: Sequence[BaseGeometry | None], on: Sequence[date]) -> list[tuple[Pact, ...]]:
    """Answer `at` for many places with a few questions, in their order."""
    answers: list[tuple[Pact, ...]] = [()] * len(geometries)
    near = _near_any(session, geometries)
    if not near:
        return answers
    rows = session.execute(
        _AT,
        {
            "rows": near,
            "geoms": [shapely.to_wkb(geometries[row], hex=True) for row in near],
            "days": [on[row] for row in near],
            "half": HALF,
        },
    ).mappings()
    found = [(row["row"], on[row["row"]], _agreement(row)) for row in rows]
    named = grounds(session, {(key, day) for _, day, each in found for key in (each.lead, *each.parties)})
    for row, day, each in found:
        answers[row] = (*answers[row], _pact(each, lambda key, day=day: named[key, day]))  # type: ignore[misc]
    return answers


def pact(session: Session, draft: Draft, on: date) -> Pact:
    """See a draft as it would be asked on a day: for a dry run."""
    named = grounds(session, {(key, on) for key in (draft.lead, *draft.parties)})
    lead, parties = named[draft.lead, on], tuple(named[key, on] for key in draft.parties)
    area_m2 = coords.area_m2(draft.geometry)
    return Pact("draft", draft.title, draft.categories, parties, lead, draft.valid_from, draft.valid_to, area_m2)


def _pact(each: Agreement, name: Callable[[str], Ground]) -> Pact:
    parties = tuple(name(key) for key in each.parties)
    return Pact(
        each.code, each.title, each.categories, parties, name(each.lead), each.valid_from, each.valid_to, each.area_m2
    )


def _near_any(session: Session, geometries: Sequence[BaseGeometry | None]) -> list[int]:
    """Return the numbers of the places whose box meets an agreement's: most of a bulk load is far from any."""
    boxes = session.execute(_BOXES).all()
    if not boxes:
        return []
    places = shapely.bounds(np.array(geometries, dtype=object))
    met = np.zeros(len(places), dtype=bool)
    for west, south, east, north in boxes:
        met |= (places[:, 0] <= east) & (places[:, 2] >= west) & (places[:, 1] <= north) & (places[:, 3] >= south)
    return [int(row) for row in np.flatnonzero(met)]


def grounds(session: Session, wanted: set[tuple[str, date]]) -> dict[tuple[str, date], Ground]:
    """Name units on days, with what stands above them; a unit that day does not know stands alone under its code."""
    named = {(key, day): Ground(key, key.rsplit(":", 1)[-1], key.rsplit(":", 1)[-1]) for key, day in wanted}
    for day in {day for _, day in wanted}:
        keys = [key for key, at_day in wanted if at_day == day]
        for row in session.execute(_CLIMB, _split(keys) | {"on": day}).mappings():
            named[row["key"], day] = Ground(row["key"], row["name"], row["name_en"], tuple(row["above"] or ()))
    return named


def _split(keys: Sequence[str]) -> dict[str, list[str]]:
    parts = [key.split(":", 2) for key in keys]
    return {name: [part[place] for part in parts] for place, name in enumerate(("nets", "levels", "codes"))}


def _unknown_units(session: Session, draft: Draft) -> list[ShaotuError]:
    known = set(session.scalars(_KNOWN, _split(draft.parties)))
    return [Invalid("agreements.unknown_unit", key=key) for key in draft.parties if key not in known]


def _unknown_categories(session: Session, draft: Draft) -> list[ShaotuError]:
    asked = text("SELECT DISTINCT code FROM category WHERE code = ANY(:codes)")
    known = set(session.scalars(asked, {"codes": list(draft.categories)}))
    return [Invalid("agreements.unknown_category", category=code) for code in draft.categories if code not in known]


def _agreement(row: RowMapping) -> Agreement:
    said = {name: row[name] for name in Agreement.__dataclass_fields__}
    return Agreement(**(said | {"categories": tuple(row["categories"]), "parties": tuple(row["parties"])}))


_HOLDS = """
    a.withdrawn_at IS NULL AND a.valid_from <= :on AND (a.valid_to IS NULL OR :on < a.valid_to)
"""
_FIELDS = """
    a.code, a.title, a.categories, a.parties, a.lead, a.document, a.valid_from, a.valid_to, a.created_by, a.created_at,
    a.withdrawn_at, ST_Area(a.geom::geography) AS area_m2, ST_AsGeoJSON(a.geom, 7) AS geometry
"""
_SELECT = f"SELECT {_FIELDS} FROM agreement a WHERE {{condition}} ORDER BY a.created_at DESC, a.id DESC"
_BOXES = text("""
SELECT ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom) FROM agreement WHERE withdrawn_at IS NULL
""")
# A footprint's share is planar, as every share of area here; of lines too: both lengths shrink alike.
_AT = text(f"""
SELECT q.row, {_FIELDS}
FROM unnest(CAST(:rows AS int[]), CAST(:geoms AS text[]), CAST(:days AS date[])) AS q(row, hex, day)
CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_GeomFromWKB(decode(q.hex, 'hex')), 4326) AS geom) AS p
JOIN agreement a ON a.geom && p.geom AND ST_Intersects(a.geom, p.geom)
WHERE {_HOLDS.replace(":on", "q.day")} AND CASE ST_Dimension(p.geom)
    WHEN 0 THEN true
    WHEN 1 THEN ST_Length(ST_Intersection(a.geom, p.geom)) >= :half * ST_Length(p.geom)
    ELSE ST_Area(ST_Intersection(a.geom, p.geom)) >= :half * ST_Area(p.geom) END
ORDER BY q.row, a.code
""")
_KNOWN = text("""
SELECT DISTINCT concat_ws(':', k.net, k.level, k.code)
FROM unnest(CAST(:nets AS text[]), CAST(:levels AS text[]), CAST(:codes AS text[])) AS k(net, level, code)
JOIN unit u ON (u.net, u.level, u.code) = (k.net, k.level, k.code)
""")
_CLIMB = text(f"""
WITH RECURSIVE up AS (
    SELECT concat_ws(':', u.net, u.level, u.code) AS key, u.name, u.name_en, 0 AS height, u.edition_id, u.net,
           u.parent_code, l.rank, CAST(NULL AS text) AS over
    FROM unnest(CAST(:nets AS text[]), CAST(:levels AS text[]), CAST(:codes AS text[])) AS k(net, level, code)
    JOIN unit u ON (u.net, u.level, u.code) = (k.net, k.level, k.code)
    JOIN edition e ON e.id = u.edition_id
    JOIN level l ON l.net = u.net AND l.code = u.level
    WHERE {IN_FORCE}
    UNION ALL
    SELECT up.key, up.name, up.name_en, up.height + 1, p.edition_id, p.net, p.parent_code, l.rank,
           concat_ws(':', p.net, p.level, p.code)
    FROM up JOIN level l ON l.net = up.net AND l.rank = up.rank - 1
    JOIN unit p ON p.edition_id = up.edition_id AND p.level = l.code AND p.code = up.parent_code
)
SELECT key, name, name_en, array_agg(over ORDER BY height) FILTER (WHERE height > 0) AS above
FROM up GROUP BY key, name, name_en
""")
_INSERT = text("""
INSERT INTO agreement (code, title, categories, parties, lead, document, valid_from, valid_to, created_by, created_at,
                       geom)
SELECT :start || lpad(CAST(1 + count(*) AS text), 3, '0'), :title, :categories, :parties, :lead, :document, :valid_from,
       :valid_to, :by, :now, ST_GeomFromWKB(:geom, 4326)
FROM agreement WHERE starts_with(code, :start)
RETURNING code
""")

"""Lists of issues: filters in; rows, map features and counts out. Row-level security decides what is seen at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import moments
from gis.errors import Invalid, NotFound
from gis.issues.moves import STATES
from gis.territory import location

Json = dict[str, Any]

# How an issue stands to its due time; "unset": no clock runs towards an end.
DUES = ("overdue", "soon", "later", "unset")
ORDERS = {"reported": "issue.reported_at DESC, issue.id DESC", "due": "issue.due_at, issue.id"}
PAGE_ROWS = 50
PAGE_ROWS_MOST = 500
FEATURES_MOST = 50_000


@dataclass(frozen=True)
class Filters:
    """What to list: all named conditions hold, an empty one does not count. Times are half-open [since, until).

    at: the moment for which `dues` is asked; None: now.
    """

    since: datetime | None = None
    until: datetime | None = None
    categories: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    # Units as net:level:code.
    units: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    # What the loop has to say beside the state.
    marks: tuple[str, ...] = ()
    text: str = ""
    # west, south, east, north in degrees.
    bbox: tuple[float, float, float, float] | None = None
    dues: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """An issue as the live stream needs it: its map feature as JSON text, and what decides who may see it."""

    feature: str
    ground: tuple[str, ...]
    created_by: str | None
    departments: tuple[str, ...] = ()


# A CASE, for what is folded away: under row-level security no index is used beside a COALESCE.
_AT = "(CASE WHEN CAST(:at AS timestamptz) IS NULL THEN now() ELSE CAST(:at AS timestamptz) END)"
_DUE = f"""CASE WHEN issue.due_at IS NULL THEN 'unset' WHEN issue.due_at < {_AT} THEN 'overdue'
    WHEN issue.warn_at <= {_AT} THEN 'soon' ELSE 'later' END"""
_PAIRED = "issue.pairs @> sign_pairs(CAST(:text AS text), char_length(CAST(:text AS text)) = 1)"
_NAMED = "issue.code = :text OR issue.external_id = :text"
_CONDITIONS: Mapping[str, str] = {
    "since": "issue.reported_at >= :since",
    "until": "issue.reported_at < :until",
    "categories": "issue.category = ANY(:categories)",
    "departments": "issue.departments && CAST(:departments AS text[])",
    "states": "issue.state = ANY(:states)",
    "flags": "issue.flags && CAST(:flags AS text[])",
    "units": "issue.ground && CAST(:units AS text[])",
    "sources": "issue.source = ANY(:sources)",
    # The index holds the few that have any.
    "marks": "issue.marks && CAST(:marks AS text[]) AND issue.marks <> '{}'",
    # Its pairs of signs first, which an index knows even under row-level security; then the words as they are written.
    "text": f"({_PAIRED} OR {_NAMED}) AND (issue.text ILIKE :pattern OR {_NAMED})",
    # The box alone first: under row-level security only that operator, marked leakproof, may use the index.
    "bbox": "issue.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
    " AND ST_Intersects(issue.geom, ST_MakeEnvelope(:west, :south, :east, :north, 4326))",
    # Written out, and not as one word for each row: so the index on the due time is used.
    "dues": f"""(('overdue' = ANY(:dues) AND issue.due_at < {_AT})
        OR ('soon' = ANY(:dues) AND issue.warn_at <= {_AT} AND issue.due_at >= {_AT})
        OR ('later' = ANY(:dues) AND issue.warn_at > {_AT}) OR ('unset' = ANY(:dues) AND issue.due_at IS NULL))""",
}

# One value alone is written as equal to it: then an index gives the rows in the list's order too.
_ALONE: Mapping[str, str] = {
    "categories": "issue.category = :categories",
    "states": "issue.state = :states",
    "sources": "issue.source = :sources",
}

# No words of the reporter and nothing about who reported: this goes to every screen that may see the issue.
_FEATURE = """
json_build_object('type', 'Feature', 'id', issue.code,
  'geometry', CAST(ST_AsGeoJSON(issue.point_geom, 7) AS json),
  'properties', json_build_object(
    'code', issue.code, 'state', issue.state, 'version', issue.version, 'marks', issue.marks,
    'source', issue.source, 'located', issue.located,
    'reported_at', issue.reported_at, 'due_at', issue.due_at, 'warn_at', issue.warn_at, 'flags', issue.flags,
    'category', json_build_object('scheme', issue.scheme, 'version', issue.scheme_version, 'code', issue.category,
                                  'name_zh', category.name_zh, 'name_en', category.name_en),
    'lead', (SELECT json_build_object('code', code, 'name_zh', name_zh, 'name_en', name_en)
             FROM department WHERE code = issue.lead),
    'departments', coalesce((
      SELECT json_agg(json_build_object('code', code, 'name_zh', name_zh, 'name_en', name_en)
                      ORDER BY array_position(issue.departments, code))
      FROM department WHERE code = ANY(issue.departments)), '[]'),
    'footprint', CASE WHEN ST_Dimension(issue.geom) > 0 THEN CAST(ST_AsGeoJSON(issue.geom, 7) AS json) END))
"""
# Seconds are as fine as a pin tells time.
_PINS = """
WITH listed AS MATERIALIZED (
    SELECT code, point_geom, geom, state, version, marks, source, located, flags, reported_at, due_at, warn_at,
           scheme, scheme_version, category, lead, departments, concat_ws(':', scheme, scheme_version, category) AS kind
    FROM issue
    WHERE {where} AND issue.point_geom IS NOT NULL ORDER BY issue.reported_at DESC, issue.id DESC LIMIT :limit
), pin AS (
    SELECT json_build_object(
        'id', code, 'geometry', CAST(ST_AsGeoJSON(point_geom, 7) AS json), 'state', state, 'version', version,
        'marks', marks, 'source', source, 'located', located, 'flags', flags,
        'reported_at', date_trunc('second', reported_at), 'due_at', date_trunc('second', due_at),
        'warn_at', date_trunc('second', warn_at), 'category', kind, 'lead', lead, 'departments', departments,
        'footprint', CASE WHEN ST_Dimension(geom) > 0 THEN CAST(ST_AsGeoJSON(geom, 7) AS json) END) AS pin
    FROM listed
)
SELECT CAST(json_build_object(
    'pins', (SELECT coalesce(json_agg(pin), '[]') FROM pin),
    'categories', (SELECT coalesce(json_object_agg(concat_ws(':', scheme, version, code), json_build_object(
            'scheme', scheme, 'version', version, 'code', code, 'name_zh', name_zh, 'name_en', name_en)), '{{}}')
        FROM category WHERE (scheme, version, code) IN (SELECT scheme, scheme_version, category FROM listed)),
    'departments', (SELECT coalesce(json_object_agg(code, json_build_object(
            'code', code, 'name_zh', name_zh, 'name_en', name_en)), '{{}}')
        FROM department WHERE code IN (SELECT unnest(departments || lead) FROM listed))) AS text)
"""
_FROM = """
issue LEFT JOIN category ON (category.scheme, category.version, category.code)
                          = (issue.scheme, issue.scheme_version, issue.category)
"""


def parse_filters(given: Mapping[str, str]) -> Filters:
    """Read filters from text; raise Invalid that names the field. Several values are separated by commas."""
    values: dict[str, Any] = {}
    for field in fields(Filters):
        said = given.get(field.name, "").strip()
        if said and field.name != "at":
            values[field.name] = _read_filter(field.name, said)
    return Filters(**values)


def parse_order(given: Mapping[str, str]) -> str:
    """Read the order of a list from text: the latest report first, or what is due first; raise Invalid."""
    said = given.get("order", "").strip() or "reported"
    if said not in ORDERS:
        raise Invalid("listing.unknown_value", field="order", value=said, choices=", ".join(ORDERS))
    return said


def rows(
    session: Session, filters: Filters, *, page: int = 1, per_page: int = PAGE_ROWS, order: str = "reported"
) -> list[Json]:
    """List one page of issues in one of the ORDERS; what has no due time comes last by it."""
    where, values = _where(filters)
    found = session.execute(
        text(f"""
        SELECT {_FEATURE} AS feature, issue.external_id, issue.text, issue.received_at, issue.reporter
        FROM {_FROM} WHERE {where} ORDER BY {ORDERS[order]} LIMIT :limit OFFSET :offset
        """),
        values | {"limit": min(per_page, PAGE_ROWS_MOST), "offset": (page - 1) * per_page},
    )
    return [_as_row(row.feature, row) for row in found]


def of_ids(session: Session, ids: Sequence[int]) -> list[Json]:
    """List issues by their numbers, in that order; what may not be seen is left out."""
    found = session.execute(
        text(f"""
        SELECT {_FEATURE} AS feature, issue.external_id, issue.text, issue.received_at, issue.reporter
        FROM {_FROM} WHERE issue.id = ANY(:ids) ORDER BY array_position(CAST(:ids AS bigint[]), issue.id)
        """),
        {"ids": list(ids)},
    )
    return [_as_row(row.feature, row) for row in found]


def total(session: Session, filters: Filters, most: int | None = None) -> int:
    """Count the issues; most: no further than one more than so many."""
    where, values = _where(filters)
    found = f"SELECT 1 FROM issue WHERE {where}" + (f" LIMIT {most + 1}" if most else "")
    return session.execute(text(f"SELECT count(*) FROM ({found}) AS hit"), values).scalar_one()


def counts(session: Session, filters: Filters) -> dict[str, dict[str, int]]:
    """Count the issues by state, category, department, flag and due time."""
    where, values = _where(filters)
    found = session.execute(
        text(f"""
        WITH hit AS MATERIALIZED (
            SELECT state, category, departments, flags, {_DUE} AS due FROM issue WHERE {where})
        SELECT 'state' AS facet, state AS value, count(*) AS n FROM hit GROUP BY state
        UNION ALL SELECT 'category', category, count(*) FROM hit GROUP BY category
        UNION ALL SELECT 'department', department, count(*) FROM hit, unnest(departments) department GROUP BY department
        UNION ALL SELECT 'flag', flag, count(*) FROM hit, unnest(flags) flag GROUP BY flag
        UNION ALL SELECT 'due', due, count(*) FROM hit GROUP BY due
        ORDER BY n DESC, value
        """),
        values,
    )
    counted: dict[str, dict[str, int]] = {"state": {}, "category": {}, "department": {}, "flag": {}, "due": {}}
    for row in found:
        counted[row.facet][row.value] = row.n
    return counted


def geojson(session: Session, filters: Filters, *, seq: int, limit: int = FEATURES_MOST) -> str:
    """Render the located issues as a FeatureCollection, as text: PostgreSQL writes it, nobody reads it in between.

    seq: the journal's number from which the live stream goes on.
    """
    where, values = _where(filters)
    return session.execute(
        text(f"""
        SELECT CAST(json_build_object('type', 'FeatureCollection', 'seq', CAST(:seq AS bigint),
                                      'features', coalesce(json_agg(feature), '[]')) AS text)
        FROM (SELECT {_FEATURE} AS feature FROM {_FROM}
              WHERE {where} AND issue.point_geom IS NOT NULL
              ORDER BY issue.reported_at DESC, issue.id DESC LIMIT :limit) AS listed
        """),
        values | {"limit": min(limit, FEATURES_MOST), "seq": seq},
    ).scalar_one()


def pins(session: Session, filters: Filters, *, limit: int = FEATURES_MOST) -> str:
    """Render the located issues as features that name departments and categories by code, and say each name once.

    Text, as of `geojson`; it is a fifth of that one's length.
    """
    where, values = _where(filters)
    return session.execute(text(_PINS.format(where=where)), values | {"limit": min(limit, FEATURES_MOST)}).scalar_one()


def seen(session: Session, issue_ids: Iterable[int]) -> dict[int, Seen]:
    """Render issues by id for the live stream."""
    found = session.execute(
        text(f"""
        SELECT issue.id, CAST({_FEATURE} AS text) AS feature, issue.ground, issue.created_by, issue.departments
        FROM {_FROM} WHERE issue.id = ANY(:ids)
        """),
        {"ids": sorted(set(issue_ids))},
    )
    return {row.id: Seen(row.feature, tuple(row.ground), row.created_by, tuple(row.departments)) for row in found}


def get(session: Session, code: str) -> Json:
    """Return an issue by its code with what was sent; raise NotFound, also when the asker may not see it."""
    row = session.execute(
        text(f"""
        SELECT {_FEATURE} AS feature, issue.id, issue.external_id, issue.text, issue.received_at, issue.reporter,
               issue.place, issue.ground, issue.condition, issue.work_order
        FROM {_FROM} WHERE issue.code = :code
        """),
        {"code": code},
    ).one_or_none()
    if row is None:
        raise NotFound("issue.not_found", code=code)
    named = {name: getattr(row, name) for name in ("id", "place", "ground", "condition", "work_order")}
    return _as_row(row.feature, row) | named


def condition(filters: Filters) -> tuple[str, Json]:
    """Write filters as a condition on `issue` with its values, for other questions about the same issues."""
    return _where(filters)


def masked(reporter: Json | None) -> Json | None:
    """Hide a reporter from who need not know: the first sign of each field stays, and the last two of long ones."""
    if reporter is None:
        return None
    return {name: _mask(str(value)) for name, value in reporter.items() if value is not None}


def _mask(value: str) -> str:
    return value[:1] + "***" + (value[-2:] if len(value) >= 7 else "")


def _as_row(feature: Json, row: Any) -> Json:  # noqa: ANN401 -- a row of whatever was selected
    return feature["properties"] | {
        "point": feature["geometry"],
        "external_id": row.external_id,
        "text": row.text,
        "received_at": row.received_at.isoformat(),
        "reporter": row.reporter,
    }


def _where(filters: Filters) -> tuple[str, Json]:
    named = {field.name: getattr(filters, field.name) for field in fields(Filters)}
    used = {name: list(value) if isinstance(value, tuple) else value for name, value in named.items() if value}
    used["at"] = filters.at
    if filters.bbox:
        used |= dict(zip(("west", "south", "east", "north"), filters.bbox, strict=True))
    if filters.text:
        used["pattern"] = f"%{_unpatterned(filters.text)}%"
    alone = {name for name in _ALONE if len(used.get(name, ())) == 1}
    used |= {name: used[name][0] for name in alone}
    conditions = [_ALONE[name] if name in alone else sql for name, sql in _CONDITIONS.items() if name in used]
    return " AND ".join(conditions) or "true", {name: value for name, value in used.items() if name != "bbox"}


def _unpatterned(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _read_filter(name: str, said: str) -> object:
    if name in {"since", "until"}:
        return moments.parse(said, "listing.bad_time", field=name)
    if name == "text":
        return said
    parts = tuple(part.strip() for part in said.split(",") if part.strip())
    if name == "bbox":
        return _read_box(parts, said)
    allowed = {"states": STATES, "flags": location.FLAGS, "dues": DUES}.get(name, parts)
    unknown = [part for part in parts if part not in allowed]
    if unknown:
        raise Invalid("listing.unknown_value", field=name, value=unknown[0], choices=", ".join(allowed))
    return parts


def _read_box(parts: tuple[str, ...], said: str) -> tuple[float, ...]:
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        raise Invalid("listing.bad_bbox", value=said) from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid("listing.bad_bbox", value=said)
    return west, south, east, north

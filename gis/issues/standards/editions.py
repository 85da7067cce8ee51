"""Versions of a city's standards: loaded as drafts side by side, in force from a date, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from psycopg2.extras import Json
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound
from gis.issues.standards.values import Condition, Key, Listed, Notice, OrderLimit, Reading, Standing
from gis.issues.worktime import Limit

FILING, ORDER = "filing", "order"


@dataclass(frozen=True)
class Title:
    """What a version is called, which scheme its classes are of, and where it comes from."""

    name: str
    version: str
    scheme: str
    scheme_version: str
    source: str = ""


def load(session: Session, title: Title, reading: Reading, *, by: str, now: datetime) -> None:
    """Keep what was read of a filing standard as a draft; raise Conflict if the version is there already."""
    kept = _new(session, title, {"kind": FILING, "rows_n": reading.rows_n, "by": by, "now": now})
    if reading.conditions:
        session.execute(_CONDITION, [_columns(each) | {"id": kept} for each in reading.conditions])
    if reading.notices:
        session.execute(_NOTICE, [_told(each) | {"id": kept} for each in reading.notices])


def load_orders(session: Session, title: Title, limits: Sequence[OrderLimit], *, by: str, now: datetime) -> None:
    """Keep limits of work orders as a draft; raise Conflict if the version is there already."""
    rows_n = len({each.row for each in limits})
    kept = _new(session, title, {"kind": ORDER, "rows_n": rows_n, "by": by, "now": now})
    session.execute(_ORDER, [_columns(each) | {"id": kept} for each in limits])


def activate(session: Session, name: str, version: str, start: date) -> None:
    """Put a draft in force from a date; the version in force until then ends that day.

    Raise NotFound, or Conflict: no draft, a later version, or another standard in force for the same classes.
    """
    listed = get(session, name, version)
    if listed.state != "draft":
        raise Conflict("standards.not_a_draft", state=listed.state, **listed.as_key())
    later = session.scalar(_LATER, {"name": name, "start": start})
    if later:
        raise Conflict("standards.later_version", standard=name, version=later, start=start)
    other = session.execute(_RIVAL, {"name": name, "version": version, "start": start}).first()
    if other:
        raise Conflict("standards.rival", standard=other.name, version=other.version, what=other.what, start=start)
    session.execute(_END, {"name": name, "start": start})
    session.execute(_BEGIN, {"name": name, "version": version, "start": start})


def get(session: Session, name: str, version: str) -> Listed:
    """Return a version's entry in the overview; raise NotFound."""
    found = [listed for listed in find(session) if (listed.name, listed.version) == (name, version)]
    if not found:
        raise NotFound("standards.none", standard=name, version=version)
    return found[0]


def find(session: Session) -> list[Listed]:
    """List all versions of all standards, by name, the newest first."""
    return [Listed(**row) for row in session.execute(_OVERVIEW).mappings()]


def notices(session: Session, name: str, version: str) -> list[Notice]:
    """List what was told of the rows of a version, in the order of its file."""
    rows = session.execute(_NOTICES, {"name": name, "version": version}).mappings()
    return [Notice(**row) for row in rows]


def in_force(session: Session, keys: Iterable[Key], day: date) -> dict[Key, Standing]:
    """Find the conditions in force on a day for classes; a class that no standard names is left out."""
    asked = sorted(set(keys))
    schemes, versions, codes = ([key[part] for key in asked] for part in range(3))
    found: dict[Key, tuple[tuple[str, str], list[Condition]]] = {}
    rows = session.execute(_IN_FORCE, {"schemes": schemes, "versions": versions, "codes": codes, "day": day})
    for row in rows:
        key = row.scheme, row.scheme_version, row.category
        found.setdefault(key, ((row.standard, row.version), []))[1].append(_condition(row))
    return {key: Standing(*said, key, tuple(conditions)) for key, (said, conditions) in found.items()}


def orders_in_force(session: Session, city: str, day: date) -> list[tuple[Mapping[str, str], OrderLimit]]:
    """List the limits of work orders in force in a city on a day, each with the standard that says it."""
    rows = session.execute(_ORDERS, {"city": city, "day": day})
    return [({"standard": row.standard, "version": row.version}, _order(row)) for row in rows]


def as_limit(value: Decimal | None, unit: str | None) -> Limit | None:
    """Read a limit from two columns."""
    return None if value is None or unit is None else Limit(Fraction(value), unit)


def limit_columns(limit: Limit | None) -> dict[str, Any]:
    """Write a limit into two columns."""
    if limit is None:
        return {"limit_value": None, "limit_unit": None}
    return {"limit_value": Decimal(limit.value.numerator) / limit.value.denominator, "limit_unit": limit.unit}


def _new(session: Session, title: Title, said: Mapping[str, Any]) -> int:
    if session.scalar(_ID, {"name": title.name, "version": title.version}):
        raise Conflict("standards.version_exists", standard=title.name, version=title.version)
    return session.execute(_NEW, {**asdict(title), **said}).scalar_one()


def _columns(each: Condition | OrderLimit) -> dict[str, Any]:
    return {name: value for name, value in vars(each).items() if name != "limit"} | limit_columns(each.limit)


def _told(notice: Notice) -> dict[str, Any]:
    return vars(notice) | {"params": Json(notice.params), "columns": Json(notice.columns)}


def _condition(row: Row[Any]) -> Condition:
    said = row._mapping  # noqa: SLF001 -- the documented way to a row's names
    names = Condition.__dataclass_fields__.keys() - {"limit"}
    return Condition(**{name: said[name] for name in names}, limit=as_limit(row.limit_value, row.limit_unit))


def _order(row: Row[Any]) -> OrderLimit:
    limit = Limit(Fraction(row.limit_value), row.limit_unit)
    return OrderLimit(row.city, row.request_type, row.urgency, row.clock, limit, row.limit_said, row.row)


_ID = text("SELECT id FROM standard WHERE name = :name AND version = :version")
_NEW = text("""
INSERT INTO standard (kind, name, version, scheme, scheme_version, state, source, rows_n, loaded_at, loaded_by)
VALUES (:kind, :name, :version, :scheme, :scheme_version, 'draft', :source, :rows_n, :now, :by) RETURNING id
""")
_CONDITION = text("""
INSERT INTO filing_condition (standard_id, category, number, sheet, row, text_zh, text_en, limit_value, limit_unit,
    limit_said, closing_zh, closing_en, law, article, supervising, responsible, collecting)
VALUES (:id, :category, :number, :sheet, :row, :text_zh, :text_en, :limit_value, :limit_unit,
    :limit_said, :closing_zh, :closing_en, :law, :article, :supervising, :responsible, :collecting)
""")
_NOTICE = text("""
INSERT INTO standard_notice (standard_id, sheet, row, code, params, columns)
VALUES (:id, :sheet, :row, :code, :params, :columns)
""")
_ORDER = text("""
INSERT INTO order_limit (standard_id, row, city, request_type, urgency, clock, limit_value, limit_unit, limit_said)
VALUES (:id, :row, :city, :request_type, :urgency, :clock, :limit_value, :limit_unit, :limit_said)
""")
_LATER = text("SELECT version FROM standard WHERE name = :name AND state = 'active' AND valid_from >= :start LIMIT 1")
# One class has one standard on any day, and so has one type of request in a city.
_RIVAL = text("""
WITH said AS (
    SELECT standard.id, name, version, state, valid_from, valid_to, scheme, scheme_version, category AS what
    FROM standard JOIN filing_condition ON standard_id = standard.id
    UNION ALL
    SELECT standard.id, name, version, state, valid_from, valid_to, 'order', city, request_type
    FROM standard JOIN order_limit ON standard_id = standard.id
)
SELECT other.name, other.version, other.what FROM said
JOIN said AS other ON (other.scheme, other.scheme_version, other.what) = (said.scheme, said.scheme_version, said.what)
WHERE said.name = :name AND said.version = :version AND other.name <> :name AND other.state = 'active'
  AND (other.valid_to IS NULL OR other.valid_to > :start)
ORDER BY other.name, other.what LIMIT 1
""")
_END = text("""
UPDATE standard SET valid_to = :start
WHERE name = :name AND state = 'active' AND (valid_to IS NULL OR valid_to > :start)
""")
_BEGIN = text("UPDATE standard SET state = 'active', valid_from = :start WHERE name = :name AND version = :version")
_OVERVIEW = text("""
SELECT kind, name, version, scheme, scheme_version, state, valid_from, valid_to, source, rows_n, loaded_at, loaded_by,
       (SELECT count(*) FROM filing_condition WHERE standard_id = standard.id)
       + (SELECT count(*) FROM order_limit WHERE standard_id = standard.id) AS conditions_n,
       (SELECT count(*) FROM filing_condition WHERE standard_id = standard.id AND limit_value IS NULL) AS untimed_n,
       (SELECT count(*) FROM standard_notice WHERE standard_id = standard.id) AS notices_n
FROM standard ORDER BY name, valid_from DESC NULLS FIRST, loaded_at DESC, id DESC
""")
_NOTICES = text("""
SELECT sheet, row, code, params, columns FROM standard_notice JOIN standard ON standard.id = standard_id
WHERE name = :name AND version = :version ORDER BY sheet, row, code
""")
_HOLDS = "state = 'active' AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)"
_IN_FORCE = text(f"""
SELECT standard.name AS standard, standard.version, standard.scheme, standard.scheme_version, filing_condition.*
FROM standard JOIN filing_condition ON standard_id = standard.id
JOIN unnest(CAST(:schemes AS text[]), CAST(:versions AS text[]), CAST(:codes AS text[]))
     AS asked (scheme, scheme_version, category) USING (scheme, scheme_version, category)
WHERE {_HOLDS} ORDER BY standard.id, category, number
""")
_ORDERS = text(f"""
SELECT standard.name AS standard, standard.version, order_limit.*
FROM standard JOIN order_limit ON standard_id = standard.id WHERE city = :city AND {_HOLDS}
""")

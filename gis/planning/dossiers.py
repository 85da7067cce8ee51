"""The dossier of a grid (一图一表一册): line, people in charge, houses, streets, open issues, months, neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.db import Scope
from gis.errors import Forbidden, Invalid, NotFound
from gis.issues import listing
from gis.issues.evaluation import Period, Question, scoping
from gis.issues.moves import ENDS
from gis.people.accounts import ADMINISTRATOR, LEADER, OPERATOR
from gis.territory import units
from gis.territory.location import UnitRef

Json = dict[str, Any]

MONTHS = 12
ROWS_MOST = 400
# Those who have to call them read names and numbers in full: the centre, and the leader of the grid itself.
IN_FULL = frozenset({OPERATOR, ADMINISTRATOR})


@dataclass(frozen=True)
class Asker:
    """Who asks, on which day of which city."""

    scope: Scope
    on: date
    zone: ZoneInfo

    def reads_in_full(self, unit: UnitRef) -> bool:
        """Say whether personal data of a unit's people is shown unmasked."""
        own = (unit.net, unit.level, unit.code) in self.scope.units
        return self.scope.role in IN_FULL or (self.scope.role == LEADER and own)


@dataclass(frozen=True)
class Neighbour:
    """A unit beside it, and the metres of their line."""

    unit: UnitRef
    length_m: float


@dataclass(frozen=True)
class Dossier:
    """All of it. rows: dictionaries as a table shows them; geometry in EPSG:4326; months: the last one last."""

    unit: UnitRef
    edition: Json
    above: tuple[Json, ...]
    area_m2: float
    outline_m: float
    geometry: BaseGeometry
    people: tuple[Json, ...]
    buildings: tuple[Json, ...]
    streets: tuple[Json, ...]
    issues: tuple[Json, ...]
    months: tuple[Json, ...]
    neighbours: tuple[Neighbour, ...]
    on: date


def parse_key(key: str) -> tuple[str, str, str]:
    """Read "net:level:code"; raise NotFound."""
    net, level, code = [*key.split(":", 2), "", ""][:3]
    if not code:
        raise NotFound("places.no_unit", key=key[:100], on="")
    return net, level, code


def of(session: Session, key: str, asker: Asker) -> Dossier:
    """Put a grid's dossier together; raise NotFound, Invalid for a unit that is no grid, Forbidden beyond the scope."""
    unit = units.get(session, *parse_key(key), asker.on)
    check(session, unit, asker)
    if units.children(session, unit, asker.on):
        raise Invalid("dossier.no_grid", key=key)
    about = session.execute(_ABOUT, {"id": unit.id}).mappings().one()
    asked = {"id": unit.id, "key": unit.key, "on": asker.on, "most": ROWS_MOST, "ends": list(ENDS), "months": MONTHS,
             "zone": asker.zone.key, "now": datetime.now(UTC), "level": unit.level}  # fmt: skip
    rows = {name: _rows(session, sql, asked) for name, sql in _LISTS.items()}
    people = rows["people"] if asker.reads_in_full(unit) else tuple(map(_masked, rows["people"]))
    return Dossier(
        unit=unit,
        edition={name: about[name] for name in ("edition", "valid_from", "source")},
        above=_above(session, unit, asker.on),
        area_m2=about["area_m2"],
        outline_m=about["outline_m"],
        geometry=shapely.from_wkb(about["geom"]),
        people=people,
        buildings=rows["buildings"],
        streets=rows["streets"],
        issues=rows["issues"],
        months=rows["months"],
        neighbours=_neighbours(session, unit),
        on=asker.on,
    )


def check(session: Session, unit: UnitRef, asker: Asker) -> None:
    """Refuse who sees no more than a part of a unit; raise Forbidden."""
    now = datetime.now(UTC)
    question = Question(Period(now, now), f"{unit.net}:{unit.level}")
    only = scoping.narrow(session, question, asker.scope, asker.on).only
    if only is not None and unit.key not in only:
        raise Forbidden("dossier.beyond", key=unit.key)


def grids_in(session: Session, unit: UnitRef, on: date) -> dict[str, list[UnitRef]]:
    """List the grids just below a unit by their level "net:level": units that have no units below."""
    found: dict[str, list[UnitRef]] = {}
    for child in units.children(session, unit, on):
        found.setdefault(f"{child.net}:{child.level}", []).append(child)
    return {level: below for level, below in found.items() if not units.children(session, below[0], on)}


def _above(session: Session, unit: UnitRef, on: date) -> tuple[Json, ...]:
    found = session.execute(text(_ABOVE), {"id": unit.id, "on": on}).mappings()
    return tuple(dict(row) for row in found)


def _neighbours(session: Session, unit: UnitRef) -> tuple[Neighbour, ...]:
    found = session.execute(text(_NEIGHBOURS), {"id": unit.id}).mappings()
    return tuple(Neighbour(units.ref(row), row["length_m"]) for row in found)


def _rows(session: Session, sql: str, asked: Json) -> tuple[Json, ...]:
    return tuple(dict(row) for row in session.execute(text(sql), asked).mappings())


def _masked(person: Json) -> Json:
    return person | (listing.masked({"person": person["person"], "phone": person["phone"]}) or {})


def counted(months: Sequence[Json]) -> Json:
    """Add up the months."""
    return {name: sum(month[name] for month in months) for name in ("reported_n", "closed_n")}


_ABOUT = text("""
SELECT unit.area_m2, ST_Perimeter(CAST(unit.geom AS geography)) AS outline_m, CAST(unit.geom AS text) AS geom,
       edition.name AS edition, edition.valid_from, edition.source
FROM unit JOIN edition ON edition.id = unit.edition_id WHERE unit.id = :id
""")
_ABOVE = f"""
WITH RECURSIVE up AS (
    SELECT {units.REF}, l.rank, 0 AS step
    FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level WHERE u.id = :id
    UNION ALL
    SELECT {units.REF}, l.rank, up.step + 1
    FROM up JOIN net n ON n.code = up.net JOIN edition e ON {units.IN_FORCE}
    JOIN unit u ON u.edition_id = e.id AND u.code = up.parent_code JOIN level l ON l.net = u.net AND l.code = u.level
    WHERE (u.net = up.net AND l.rank = up.rank - 1)
       OR (up.rank = 0 AND u.net = n.parent_net AND u.level = n.parent_level)
)
SELECT name, name_en FROM up WHERE step BETWEEN 1 AND 20 ORDER BY step DESC
"""
_NEIGHBOURS = f"""
SELECT {units.REF}, ST_Length(CAST(ST_CollectionExtract(
           ST_Intersection(ST_Boundary(u.geom), ST_Boundary(own.geom)), 2) AS geography)) AS length_m
FROM unit own JOIN unit u ON u.edition_id = own.edition_id AND u.level = own.level AND u.id <> own.id
     AND u.geom && own.geom AND ST_Relate(u.geom, own.geom, '****1****')
WHERE own.id = :id ORDER BY length_m DESC, u.code
"""
_LISTS = {
    "people": """
        SELECT a.role, a.name, a.name_en, a.person, a.phone
        FROM responsibility_area a JOIN unit u ON u.id = :id
        WHERE a.geom && u.geom AND ST_Intersects(a.geom, u.geom) AND NOT ST_Touches(a.geom, u.geom)
          AND a.valid_from <= :on AND (a.valid_to IS NULL OR :on < a.valid_to)
        ORDER BY (a.net = u.net AND a.unit_code = u.code) DESC NULLS LAST, a.role, a.name, a.id LIMIT :most""",
    "buildings": """
        SELECT p.id, p.name, p.name_en, p.street_name, p.house_number, p.estate_name, p.kind, p.area_m2, s.share,
               CAST(p.geom AS text) AS geom
        FROM place_share s JOIN building p ON p.id = s.place_id
        WHERE s.kind = 'building' AND s.unit_id = :id AND s.share > 0.01
        ORDER BY p.estate_name, p.street_name, length(p.house_number), p.house_number, p.id LIMIT :most""",
    "streets": """
        SELECT p.id, p.name, p.name_en, p.road_class, p.width_m, s.share,
               coalesce(ST_Length(CAST(ST_Intersection(p.centre_geom, u.geom) AS geography)), 0) AS length_m
        FROM place_share s JOIN street p ON p.id = s.place_id JOIN unit u ON u.id = s.unit_id
        WHERE s.kind = 'street' AND s.unit_id = :id AND s.share > 0.01
        ORDER BY length_m DESC, p.name, p.id LIMIT :most""",
    "issues": """
        SELECT issue.code, issue.state, issue.reported_at, issue.due_at, issue.due_at < :now AS is_late,
               coalesce(category.name_zh, issue.category) AS category_zh,
               coalesce(nullif(category.name_en, ''), category.name_zh, issue.category) AS category_en,
               lead.name_zh AS lead_zh, coalesce(nullif(lead.name_en, ''), lead.name_zh) AS lead_en,
               ST_X(issue.point_geom) AS lon, ST_Y(issue.point_geom) AS lat
        FROM issue
        LEFT JOIN category ON (category.scheme, category.version, category.code)
                            = (issue.scheme, issue.scheme_version, issue.category)
        LEFT JOIN department AS lead ON lead.code = issue.lead
        WHERE issue.ground && ARRAY[CAST(:key AS text)] AND issue.state <> ALL(:ends) AND issue.point_geom IS NOT NULL
        ORDER BY issue.due_at NULLS LAST, issue.reported_at, issue.id LIMIT :most""",
    "months": """
        WITH month AS (
            SELECT CAST(date_trunc('month', CAST(:on AS date)) AS date) - make_interval(months => n) AS first
            FROM generate_series(CAST(:months AS int) - 1, 0, -1) AS n
        ), told AS (
            SELECT date_trunc('month', reported_at AT TIME ZONE :zone) AS reported,
                   date_trunc('month', closed_at AT TIME ZONE :zone) AS closed
            FROM issue
            WHERE ground && ARRAY[CAST(:key AS text)] AND state <> ALL(ARRAY['rejected', 'voided', 'merged'])
        )
        SELECT to_char(first, 'YYYY-MM') AS month, (SELECT count(*) FROM told WHERE reported = first) AS reported_n,
               (SELECT count(*) FROM told WHERE closed = first) AS closed_n
        FROM month ORDER BY first""",
}

"""Responsibility areas: lines, sections and grounds that people answer for, with dates."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, Invalid, NotFound
from gis.territory import coords
from gis.territory.places import Reject, files, footprints, records

# A street or river chief answers for a line: what happens on the carriageway or the bank lies beside it.
BESIDE_M = 30.0
# A post on an area instead of a unit: (NET, role, id).
NET = "area"
COLUMNS = ("role", "name", "name_en", "person", "phone", "net", "unit_code", "valid_from", "valid_to")
NEEDED = ("role", "person", "valid_from")
KEY = ("role", "name", "person", "valid_from")


@dataclass(frozen=True)
class Area:
    """Somebody's ground near a place. distance_m: 0 where the place lies on it."""

    role: str
    name: str
    name_en: str
    person: str
    phone: str | None
    net: str | None
    unit_code: str | None
    distance_m: float


@dataclass(frozen=True, kw_only=True)
class AreaFile(files.TableFile):
    """A file of areas. A row without a shape takes that of its unit (net, level, unit_code) on its first day."""

    level: str | None = None


@dataclass(frozen=True)
class Report:
    """What an import did. rows = added + changed + rejected."""

    path: Path
    rows: int
    added: int
    changed: int
    rejected: int


def at(session: Session, geometry: BaseGeometry, on: date, beside_m: float = BESIDE_M) -> tuple[Area, ...]:
    """List the areas a place lies on, or beside when they are lines, nearest first. geometry: EPSG:4326."""
    middle = shapely.point_on_surface(geometry)
    east, north = (float(each) for each in coords.metres_per_degree(middle.y))
    rows = session.execute(
        text("""
            SELECT a.role, a.name, a.name_en, a.person, a.phone, a.net, a.unit_code, d.distance_m
            FROM responsibility_area a
            CROSS JOIN LATERAL (SELECT ST_Distance(ST_Scale(a.geom, :east, :north),
                ST_Scale(ST_GeomFromWKB(:place, 4326), :east, :north)) AS distance_m) AS d
            WHERE a.geom && ST_Expand(ST_GeomFromWKB(:place, 4326), :beside / :east, :beside / :north)
              AND d.distance_m <= CASE WHEN ST_Dimension(a.geom) = 2 THEN 0 ELSE :beside END
              AND a.valid_from <= :on AND (a.valid_to IS NULL OR :on < a.valid_to)
            ORDER BY d.distance_m, a.role, a.id
        """),
        {"place": geometry.wkb, "east": east, "north": north, "beside": float(beside_m), "on": on},
    ).mappings()
    return tuple(Area(**row) for row in rows)


def cells(session: Session, ids: Sequence[int], on: date) -> tuple[tuple[str, str, str], ...]:
    """List the smallest units (net, level, code) that areas lie in, or beside: what is seen of the ground of a line."""
    return tuple(session.execute(_CELLS, {"ids": list(ids), "on": on, "beside": BESIDE_M}).tuples())


def find(session: Session, role: str, said: str, on: date) -> int:
    """Find the one area of a role by its name, or by its id; raise NotFound, or Conflict that names several."""
    rows = session.execute(_FIND, {"role": role, "said": said, "on": on}).all()
    if not rows:
        raise NotFound("areas.unknown", role=role, name=said)
    if len(rows) > 1:
        raise Conflict("areas.several", name=said, areas=", ".join(f"{row.id} ({row.person})" for row in rows[:20]))
    return int(rows[0].id)


def of_account(session: Session, username: str, on: date) -> list[dict[str, Any]]:
    """List the areas an account answers for by its posts: id, role, names and the shape as GeoJSON text."""
    rows = session.execute(_OF_ACCOUNT, {"username": username, "net": NET, "on": on})
    return [dict(row) for row in rows.mappings()]


def read_mapping(path: Path, root: Path | None = None) -> tuple[AreaFile, ...]:
    """Read a mapping: one [[areas]] table for each file, under root or beside it; raise Invalid."""
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("areas", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("places.mapping_unreadable", path=str(path), reason=str(error)) from error
    if not entries:
        raise Invalid("areas.mapping_empty", path=str(path))
    return tuple(_area_file(entry, f"{path.name} #{n}", root or path.parent) for n, entry in enumerate(entries, 1))


def _area_file(entry: Mapping[str, Any], where: str, root: Path) -> AreaFile:
    known = {each.name for each in fields(AreaFile)} - {"path"} | {"file"}
    for name in set(entry) - known:
        raise Invalid("places.mapping_unknown_key", where=where, name=name, choices=", ".join(sorted(known)))
    for name in {"file", "fields"} - set(entry):
        raise Invalid("places.mapping_missing_key", where=where, name=name)
    ours = {**entry["fields"], **entry.get("values", {})}
    for name in set(ours) - set(COLUMNS):
        raise Invalid("places.mapping_unknown_field", where=where, name=name, choices=", ".join(COLUMNS))
    for name in set(NEEDED) - set(ours):
        raise Invalid("places.mapping_missing_key", where=where, name=f"fields.{name}")
    # A table that names units has no coordinates, and so no system of them.
    said: dict[str, Any] = {"crs": "EPSG:4326"} if entry["file"].endswith(".csv") else {}
    return AreaFile(path=root / entry["file"], **(said | {name: entry[name] for name in entry if name != "file"}))


def load(session: Session, file: AreaFile, reject: Callable[[Reject], None]) -> Report:
    """Import areas; one is known by its role, name, person and first day, and brought up to date. None is deleted.

    Of rows that are the same by these the last one counts.
    """
    session.execute(text("DROP TABLE IF EXISTS incoming_area"))
    session.execute(text("CREATE TEMP TABLE incoming_area (LIKE responsibility_area) ON COMMIT DROP"))
    session.execute(text("ALTER TABLE incoming_area DROP COLUMN id, ADD COLUMN row bigint"))
    rows = rejected = 0
    for chunk in files.open_file(file).chunks:
        taken, rejects = _taken(session, file, chunk)
        _copy(session, taken)
        for each in rejects:
            reject(each)
        rows, rejected = rows + len(chunk.rows), rejected + len(rejects)
    added = _merge(session)
    return Report(file.path, rows, added, rows - added - rejected, rejected)


def _taken(session: Session, file: AreaFile, chunk: files.Chunk) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Read a chunk: the rows that can be used, and why the others cannot."""
    taken, rejects = [], []
    for row, said, shape in zip(chunk.rows, _said(file, chunk), chunk.geometry, strict=True):
        try:
            taken.append(_read(session, file, said, shape) | {"row": row})
        except Invalid as error:
            rejects.append(Reject(row, said["name"] or said["person"], error.code, error.params))
    return taken, rejects


def _said(file: AreaFile, chunk: files.Chunk) -> list[dict[str, str]]:
    columns = {
        name: records.texts(chunk.table[str(file.fields[name])])
        if name in file.fields
        else [str(file.values.get(name, ""))] * len(chunk.table)
        for name in COLUMNS
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _read(session: Session, file: AreaFile, said: dict[str, str], shape: BaseGeometry | None) -> dict[str, Any]:
    """Read the values of one area; raise Invalid."""
    for name in NEEDED:
        if not said[name]:
            raise Invalid("areas.missing", field=name)
    values: dict[str, Any] = {
        "role": said["role"],
        "name": said["name"],
        "name_en": said["name_en"] or said["name"],
        "person": said["person"],
        "valid_from": _day("valid_from", said["valid_from"]),
        "valid_to": _day("valid_to", said["valid_to"]) if said["valid_to"] else None,
        "phone": said["phone"] or None,
        "net": said["net"] or None,
        "unit_code": said["unit_code"] or None,
    }
    if values["valid_to"] and values["valid_to"] <= values["valid_from"]:
        raise Invalid("areas.ends_before_it_begins", valid_from=values["valid_from"], valid_to=values["valid_to"])
    values["geom"] = _shape(shape) if shape is not None else _unit_shape(session, file, values)
    return values


def _copy(session: Session, taken: list[dict[str, Any]]) -> None:
    names = (*COLUMNS, "geom", "row")
    lines = ("\t".join(records.as_copy(values[name]) for name in names) + "\n" for values in taken)
    with db.driver_cursor(session) as cursor:
        cursor.copy_expert(f"COPY incoming_area ({', '.join(names)}) FROM STDIN", io.StringIO("".join(lines)))


def _merge(session: Session) -> int:
    """Put what came in into its table; return how many are new."""
    values = ", ".join((*COLUMNS, "geom"))
    same = " AND ".join(f"a.{name} = i.{name}" for name in KEY)
    # A city has a million stairwells: each step is one join, whatever the number of rows.
    session.execute(text("ANALYZE incoming_area"))
    session.execute(text(f"DELETE FROM incoming_area a USING incoming_area i WHERE {same} AND a.row < i.row"))
    session.execute(
        text(f"""
            UPDATE responsibility_area a SET name_en = i.name_en, phone = i.phone, net = i.net, unit_code = i.unit_code,
                   valid_to = i.valid_to, geom = i.geom
            FROM incoming_area i WHERE {same}
        """)
    )
    added = session.execute(
        text(f"""
            INSERT INTO responsibility_area ({values})
            SELECT {values} FROM incoming_area i
            WHERE NOT EXISTS (SELECT FROM responsibility_area a WHERE {same}) ORDER BY i.row
        """)
    )
    return int(added.rowcount)  # type: ignore[attr-defined]


def _day(name: str, said: str) -> date:
    try:
        return date.fromisoformat(said[:10])
    except ValueError as error:
        raise Invalid("areas.not_a_day", field=name, value=said[:40]) from error


def _shape(shape: BaseGeometry) -> str:
    fault = footprints.fault_of(shape)
    if fault:
        raise Invalid(fault.code, **fault.params)
    return str(shapely.to_wkb(shapely.set_srid(shape, 4326), hex=True, include_srid=True))


def _unit_shape(session: Session, file: AreaFile, values: dict[str, Any]) -> str:
    found = session.scalar(
        text("""
            SELECT CAST(u.geom AS text) FROM unit u JOIN edition e ON e.id = u.edition_id
            WHERE u.net = :net AND u.level = :level AND u.code = :unit_code AND e.state = 'active'
              AND e.valid_from <= :valid_from AND (e.valid_to IS NULL OR :valid_from < e.valid_to)
        """),
        values | {"level": file.level},
    )
    if found is None:
        raise Invalid("areas.no_ground", net=values["net"], level=file.level, unit_code=values["unit_code"])
    return str(found)


# Boxes tell which units are the smallest, and only those are measured: a district has too many corners. A degree counts
# for the metres that lie in it towards the east; towards the north a little more than asked for is seen.
_CELLS = text("""
WITH line AS MATERIALIZED (
    SELECT geom, :beside / (111320 * cos(radians(ST_YMax(geom)))) AS beside_deg FROM responsibility_area
    WHERE id = ANY(:ids) AND valid_from <= :on AND (valid_to IS NULL OR :on < valid_to)
), near AS MATERIALIZED (
    SELECT u.id, u.net, u.level, u.code, u.area_m2, line.geom, line.beside_deg
    FROM line JOIN unit u ON u.geom && ST_Expand(line.geom, line.beside_deg) JOIN edition e ON e.id = u.edition_id
    WHERE e.state = 'active' AND e.valid_from <= :on AND (e.valid_to IS NULL OR :on < e.valid_to)
), finest AS (SELECT net, level FROM near GROUP BY net, level ORDER BY avg(area_m2), net, level LIMIT 1)
SELECT DISTINCT near.net, near.level, near.code
FROM near JOIN finest USING (net, level) JOIN unit u ON u.id = near.id
WHERE ST_DWithin(u.geom, near.geom, near.beside_deg) ORDER BY near.code
""")
_FIND = text("""
SELECT id, person FROM responsibility_area
WHERE role = :role AND (name = :said OR name_en = :said OR CAST(id AS text) = :said)
  AND valid_from <= :on AND (valid_to IS NULL OR :on < valid_to) ORDER BY id
""")
_OF_ACCOUNT = text("""
SELECT a.id, a.role, a.name, a.name_en, ST_AsGeoJSON(a.geom, 6) AS geometry
FROM post JOIN account ON account.id = post.account_id
JOIN responsibility_area a ON a.role = post.level AND CAST(a.id AS text) = post.unit_code
WHERE account.username = :username AND post.net = :net
  AND post.valid_from <= :on AND (post.valid_to IS NULL OR :on < post.valid_to)
  AND a.valid_from <= :on AND (a.valid_to IS NULL OR :on < a.valid_to)
ORDER BY post.id
""")

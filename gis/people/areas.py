"""Responsibility areas: lines, sections and grounds that people answer for, with dates."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.places import Reject, files, footprints, records

# A street or river chief answers for a line: what happens on the carriageway or the bank lies beside it.
BESIDE_M = 30.0
COLUMNS = ("role", "name", "name_en", "person", "phone", "net", "unit_code", "valid_from", "valid_to")
NEEDED = ("role", "person", "valid_from")


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
    """Import areas; one is known by its role, name, person and first day, and brought up to date. None is deleted."""
    rows = added = rejected = 0
    for chunk in files.open_file(file).chunks:
        said = _said(file, chunk)
        for row, values, shape in zip(chunk.rows, said, chunk.geometry, strict=True):
            rows += 1
            try:
                added += _put(session, file, values, shape)
            except Invalid as error:
                rejected += 1
                reject(Reject(row, values["name"] or values["person"], error.code, error.params))
    return Report(file.path, rows, added, rows - added - rejected, rejected)


def _said(file: AreaFile, chunk: files.Chunk) -> list[dict[str, str]]:
    columns = {
        name: records.texts(chunk.table[str(file.fields[name])])
        if name in file.fields
        else [str(file.values.get(name, ""))] * len(chunk.table)
        for name in COLUMNS
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _put(session: Session, file: AreaFile, said: dict[str, str], shape: BaseGeometry | None) -> bool:
    """Write one area; say whether it is new."""
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
    return _upsert(session, values)


def _upsert(session: Session, values: dict[str, Any]) -> bool:
    key = "role = :role AND name = :name AND person = :person AND valid_from = :valid_from"
    changed = session.execute(
        text(f"""
            UPDATE responsibility_area SET name_en = :name_en, phone = :phone, net = :net, unit_code = :unit_code,
                   valid_to = :valid_to, geom = ST_GeomFromWKB(:geom, 4326)
            WHERE {key} RETURNING id
        """),
        values,
    ).first()
    if changed is None:
        session.execute(
            text("""
                INSERT INTO responsibility_area
                    (role, name, name_en, person, phone, net, unit_code, valid_from, valid_to, geom)
                VALUES (:role, :name, :name_en, :person, :phone, :net, :unit_code, :valid_from, :valid_to,
                        ST_GeomFromWKB(:geom, 4326))
            """),
            values,
        )
    return changed is None


def _day(name: str, said: str) -> date:
    try:
        return date.fromisoformat(said[:10])
    except ValueError as error:
        raise Invalid("areas.not_a_day", field=name, value=said[:40]) from error


def _shape(shape: BaseGeometry) -> bytes:
    fault = footprints.fault_of(shape)
    if fault:
        raise Invalid(fault.code, **fault.params)
    return bytes(shape.wkb)


def _unit_shape(session: Session, file: AreaFile, values: dict[str, Any]) -> bytes:
    found = session.scalar(
        text("""
            SELECT ST_AsBinary(u.geom) FROM unit u JOIN edition e ON e.id = u.edition_id
            WHERE u.net = :net AND u.level = :level AND u.code = :unit_code AND e.state = 'active'
              AND e.valid_from <= :valid_from AND (e.valid_to IS NULL OR :valid_from < e.valid_to)
        """),
        values | {"level": file.level},
    )
    if found is None:
        raise Invalid("areas.no_ground", net=values["net"], level=file.level, unit_code=values["unit_code"])
    return bytes(found)

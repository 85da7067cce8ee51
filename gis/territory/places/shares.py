"""Exact shares of buildings, streets and estates in the units of editions, and what lies across a line."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Invalid, NotFound
from gis.territory import index, units
from gis.territory.index import EditionIndex
from gis.territory.location import UnitRef
from gis.territory.places.nearby import CALLED

Geometries = NDArray[np.object_]
Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

# In Latin script a house without a name of its own goes by its street's, where the ground has that.
CALLED_EN = {
    "building": """CASE WHEN p.name_en <> '' OR p.name <> '' THEN p.name_en ELSE coalesce(
        (SELECT min(s.name_en) FROM street s WHERE s.name = p.street_name AND s.name_en <> '')
        || ', No. ' || rtrim(p.house_number, '号'), '') END""",
    "street": "p.name_en",
    "estate": "p.name_en",
}
SHARED_KINDS = ("building", "street", "estate")
CHUNK_ROWS = 20_000


@dataclass(frozen=True)
class Sliver:
    """A part of a place counts when its share or its area is above one of these: less is survey noise."""

    share: float = 0.01
    area_m2: float = 5.0


@dataclass(frozen=True)
class Part:
    """The share of a place that lies in a unit."""

    unit: UnitRef
    share: float


@dataclass(frozen=True)
class Straddler:
    """A place that lies across a line of a level. parts: two or more, largest first; geometry in EPSG:4326."""

    kind: str
    id: int
    external_id: str
    name: str
    name_en: str
    area_m2: float
    parts: tuple[Part, ...]
    geometry: BaseGeometry


def share_all(session: Session, edition_ids: Sequence[int]) -> int:
    """Compute the shares of every building, street and estate in these editions anew; return the number of shares."""
    session.execute(
        text("DELETE FROM place_share WHERE unit_id IN (SELECT id FROM unit WHERE edition_id = ANY(:editions))"),
        {"editions": list(edition_ids)},
    )
    grounds = _grounds(session, edition_ids)
    return sum(_share_kind(session, grounds, kind, moved=False) for kind in SHARED_KINDS)


def share_moved(session: Session, kind: str) -> int:
    """Compute the shares of the places named in the table `moved` anew, in every edition that was ever active."""
    if not session.scalar(text("SELECT EXISTS (SELECT FROM moved)")):
        return 0
    session.execute(
        text("DELETE FROM place_share WHERE kind = :kind AND place_id IN (SELECT place_id FROM moved)"), {"kind": kind}
    )
    active = session.scalars(text("SELECT id FROM edition WHERE state = 'active' ORDER BY id")).all()
    return _share_kind(session, _grounds(session, active), kind, moved=True)


def _grounds(session: Session, edition_ids: Sequence[int]) -> list[EditionIndex]:
    return [index.ready(session, units.edition(session, edition_id)) for edition_id in edition_ids]


def _share_kind(session: Session, grounds: list[EditionIndex], kind: str, *, moved: bool) -> int:
    written = 0
    for ids, places in _chunks(session, kind, moved=moved):
        for ground in grounds:
            for level in ground.levels.values():
                held = level.shares(places)
                _copy(session, kind, ground.edition.id, (ids[held.footprint], level.ids[held.row], held.share))
                written += len(held.share)
    return written


def _chunks(session: Session, kind: str, *, moved: bool) -> Iterator[tuple[Ids, Geometries]]:
    """Read places in the order of their ids, so that memory stays the same however many there are."""
    if kind not in SHARED_KINDS:
        raise Invalid("places.unknown_kind", kind=kind, choices=", ".join(SHARED_KINDS))
    only = "AND id IN (SELECT place_id FROM moved)" if moved else ""
    asked = f"SELECT id, geom::text FROM {kind} WHERE id > %s {only} ORDER BY id LIMIT %s"
    last = 0
    while True:
        with db.driver_cursor(session) as cursor:
            cursor.execute(asked, (last, CHUNK_ROWS))
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        ids, shapes = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=object)
        yield ids, shapely.from_wkb(shapes)


def _copy(session: Session, kind: str, edition_id: int, columns: tuple[Ids, Ids, Floats]) -> None:
    lines = (
        f"{kind}\t{place}\t{unit}\t{edition_id}\t{share!r}\n"
        for place, unit, share in zip(*(column.tolist() for column in columns), strict=True)
    )
    with db.driver_cursor(session) as cursor:
        cursor.copy_expert(
            "COPY place_share (kind, place_id, unit_id, edition_id, share) FROM STDIN", io.StringIO("".join(lines))
        )


def straddlers(
    session: Session, edition_id: int, level: str, kind: str, sliver: Sliver = Sliver()
) -> tuple[Straddler, ...]:
    """List the places of a kind that lie across a line of a level, the most evenly divided first."""
    return _across(session, kind, _asked(edition_id, level, sliver))


def straddler(
    session: Session, edition_id: int, level: str, place: tuple[str, int], sliver: Sliver = Sliver()
) -> Straddler:
    """Return one place (kind, id) that lies across a line of a level; raise NotFound if it does not."""
    kind, place_id = place
    found = _across(session, kind, _asked(edition_id, level, sliver) | {"place": place_id})
    if not found:
        raise NotFound("places.not_across", kind=kind, id=place_id, level=level)
    return found[0]


def _asked(edition_id: int, level: str, sliver: Sliver) -> dict[str, Any]:
    return {"edition": edition_id, "level": level, "share": sliver.share, "area_m2": sliver.area_m2, "place": None}


def _across(session: Session, kind: str, asked: dict[str, Any]) -> tuple[Straddler, ...]:
    if kind not in SHARED_KINDS:
        raise Invalid("places.unknown_kind", kind=kind, choices=", ".join(SHARED_KINDS))
    rows = session.execute(
        text(f"""
            SELECT p.id AS place_id, p.external_id, {CALLED[kind]} AS place_name, {CALLED_EN[kind]} AS place_name_en,
                   p.area_m2, p.geom::text AS geom, s.share, {units.REF}
            FROM (
                SELECT s.place_id, max(s.share) AS largest
                FROM place_share s JOIN unit u ON u.id = s.unit_id JOIN {kind} p ON p.id = s.place_id
                WHERE s.edition_id = :edition AND s.kind = :kind AND u.level = :level
                  AND (CAST(:place AS bigint) IS NULL OR s.place_id = :place)
                  -- only what is parted somewhere can lie across a line; this much is read from a small index
                  AND s.place_id IN (SELECT place_id FROM place_share
                                     WHERE edition_id = :edition AND kind = :kind AND share < 0.999999)
                  AND (s.share > :share OR s.share * p.area_m2 > :area_m2)
                GROUP BY s.place_id HAVING count(*) > 1 AND bool_or(s.share < 0.999999)
            ) AS across
            JOIN {kind} p ON p.id = across.place_id
            JOIN place_share s ON s.kind = :kind AND s.place_id = across.place_id AND s.edition_id = :edition
            JOIN unit u ON u.id = s.unit_id AND u.level = :level
            WHERE s.share > :share OR s.share * p.area_m2 > :area_m2
            ORDER BY across.largest, p.id, s.share DESC, u.code
        """),
        asked | {"kind": kind},
    ).mappings()
    return tuple(_straddler(kind, list(parts)) for _, parts in groupby(rows, key=lambda row: row["place_id"]))


def _straddler(kind: str, rows: list[RowMapping]) -> Straddler:
    first = rows[0]
    return Straddler(
        kind=kind,
        id=first["place_id"],
        external_id=first["external_id"],
        name=first["place_name"],
        name_en=first["place_name_en"],
        area_m2=first["area_m2"],
        parts=tuple(Part(units.ref(row), row["share"]) for row in rows),
        geometry=shapely.from_wkb(first["geom"]),
    )

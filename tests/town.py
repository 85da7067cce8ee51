"""A small town of whole numbers: two districts, one border, at longitude 120.5 + x / 100, latitude 30.25 + y / 100.

    y=2 +-------+-------+-------+-------+
        |   north (..002)|  north (..002)|        city 9901: x 0..4, y 0..2
    y=1 +  a 990101      +   b 990102    +        districts: the border is x = 2
        |   south (..001)|  south (..001)|        subdistricts: split at y = 1
    y=0 +-------+-------+-------+-------+        communities: each subdistrict split in two, west ..001, east ..002
       x=0      1       2       3       4        unit grid cells: each community split in two by x; governance: one each
                                                 police: p1 x 0..1.5, p2 x 1.5..4, nests with nothing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import coords

LOADED = datetime(2024, 1, 1, tzinfo=UTC)
SINCE = date(2024, 1, 1)
NETS = (
    # code, rank, parent_net, parent_level, levels (code, divides)
    ("admin", 0, None, None, (("city", True), ("district", True), ("subdistrict", True), ("community", False))),
    ("unit_grid", 1, "admin", "community", (("cell", False),)),
    ("governance", 2, "admin", "community", (("grid", False),)),
    ("police", 3, None, None, (("precinct", True),)),
)


@dataclass(frozen=True)
class Lot:
    """A unit to be put on the ground."""

    level: str
    code: str
    geometry: BaseGeometry
    parent_code: str | None = None


def at(x: float, y: float) -> Point:
    """Give the point of the town at whole-number coordinates."""
    return Point(lonlat(x, y))


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Give longitude and latitude of a place in the town."""
    return 120.5 + x / 100, 30.25 + y / 100


def field(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Give a rectangle of the town."""
    return box(*lonlat(west, south), *lonlat(east, north))


def admin() -> list[Lot]:
    """List the districts and what lies in them."""
    lots = [Lot("city", "9901", field(0, 0, 4, 2))]
    for district, west in (("990101", 0), ("990102", 2)):
        lots.append(Lot("district", district, field(west, 0, west + 2, 2), "9901"))
        for nth, south in ((1, 0), (2, 1)):
            code = f"{district}{nth:03}"
            lots.append(Lot("subdistrict", code, field(west, south, west + 2, south + 1), district))
            lots += [
                Lot("community", f"{code}{1 + east:03}", field(west + east, south, west + east + 1, south + 1), code)
                for east in (0, 1)
            ]
    return lots


def cells() -> list[Lot]:
    """List two unit grid cells in each community, west and east."""
    return [
        Lot("cell", f"{lot.code}{1 + half:03}", _half(lot.geometry, half), lot.code)
        for lot in admin()
        if lot.level == "community"
        for half in (0, 1)
    ]


def _half(geometry: BaseGeometry, half: int) -> BaseGeometry:
    west, south, east, north = geometry.bounds
    # from whole numbers, so that halves of neighbours meet to the last bit
    middle = lonlat((round((west - 120.5) * 100) + round((east - 120.5) * 100)) / 2, 0)[0]
    return box(middle, south, east, north) if half else box(west, south, middle, north)


def grids() -> list[Lot]:
    """List one governance grid for each community."""
    return [Lot("grid", f"{lot.code}001", lot.geometry, lot.code) for lot in admin() if lot.level == "community"]


def precincts() -> list[Lot]:
    """List two police precincts that nest with nothing."""
    return [Lot("precinct", "p1", field(0, 0, 1.5, 2)), Lot("precinct", "p2", field(1.5, 0, 4, 2))]


def build(session: Session) -> None:
    """Put the whole town on the ground: four nets, each with an edition in force since 2024."""
    nets(session)
    for net, lots in (("admin", admin()), ("unit_grid", cells()), ("governance", grids()), ("police", precincts())):
        edition(session, net, "2024", lots)


def nets(session: Session) -> None:
    """Name the nets and their levels."""
    for code, rank, parent_net, parent_level, levels in NETS:
        session.execute(
            text("INSERT INTO net VALUES (:code, :code, :code, :rank, :parent_net, :parent_level)"),
            {"code": code, "rank": rank, "parent_net": parent_net, "parent_level": parent_level},
        )
        for nth, (level, divides) in enumerate(levels):
            session.execute(
                text(
                    "INSERT INTO level (net, code, rank, name_zh, name_en, colour, divides)"
                    " VALUES (:net, :code, :rank, :code, :code, '#555555', :divides)"
                ),
                {"net": code, "code": level, "rank": nth, "divides": divides},
            )


def edition(
    session: Session,
    net: str,
    name: str,
    lots: Iterable[Lot],
    **more: Any,
) -> int:
    """Put an edition in force from a date (valid_from), ending the one before; return its id. More: line_sigma_m."""
    valid_from = more.get("valid_from", SINCE)
    session.execute(
        text("UPDATE edition SET valid_to = :day WHERE net = :net AND state = 'active' AND valid_to IS NULL"),
        {"net": net, "day": valid_from},
    )
    edition_id: int = session.execute(
        text(
            "INSERT INTO edition (net, name, state, valid_from, source, licence, crs, datum, line_sigma_m, report,"
            " loaded_at, loaded_by) VALUES (:net, :name, 'active', :day, 'town', 'ours', 'EPSG:4326', 'WGS84', :sigma,"
            " '{}', :at, 'test') RETURNING id"
        ),
        {"net": net, "name": name, "day": valid_from, "sigma": more.get("line_sigma_m", 0.0), "at": LOADED},
    ).scalar_one()
    for lot in lots:
        _unit(session, edition_id, net, lot)
    return edition_id


def _unit(session: Session, edition_id: int, net: str, lot: Lot) -> None:
    many = MultiPolygon(shapely.get_parts(lot.geometry).tolist())
    session.execute(
        text(
            "INSERT INTO unit (edition_id, net, level, code, name, name_en, aliases, parent_code, area_m2, attributes,"
            " label_geom, geom) VALUES (:edition, :net, :level, :code, :name, :name, '{}', :parent, :area, '{}',"
            " ST_GeomFromText(:label, 4326), ST_GeomFromWKB(:geom, 4326))"
        ),
        {
            "edition": edition_id,
            "net": net,
            "level": lot.level,
            "code": lot.code,
            "name": f"{lot.level} {lot.code}",
            "parent": lot.parent_code,
            "area": coords.area_m2(many),
            "label": many.representative_point().wkt,
            "geom": many.wkb,
        },
    )


def fault(session: Session, edition_id: int, kind: str, level: str, geometry: BaseGeometry) -> None:
    """Record a fault that was accepted when an edition was loaded."""
    session.execute(
        text(
            "INSERT INTO fault (edition_id, kind, level, codes, geom)"
            " VALUES (:edition, :kind, :level, '{}', ST_GeomFromText(:geom, 4326))"
        ),
        {"edition": edition_id, "kind": kind, "level": level, "geom": geometry.wkt},
    )

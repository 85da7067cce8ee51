"""Plots of ground in whole numbers of a thousandth of a degree, written straight into the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime

import shapely
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon, Polygon, box
from sqlalchemy.orm import Session

from gis.territory import tables

# Away from (0, 0) and from whole degrees, so that nothing is right by accident.
EAST, NORTH, STEP = 114.0, 30.0, 0.001
NOON = datetime(2024, 1, 1, 4, tzinfo=UTC)


def plot(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return box(EAST + x0 * STEP, NORTH + y0 * STEP, EAST + x1 * STEP, NORTH + y1 * STEP)


def spot(x: float, y: float) -> tuple[float, float]:
    return EAST + x * STEP, NORTH + y * STEP


def add_net(session: Session, code: str, *levels: str, rank: int = 0, inside: tuple[str, str] | None = None) -> None:
    parent_net, parent_level = inside or (None, None)
    session.add(
        tables.Net(code=code, name_zh=code, name_en=code, rank=rank, parent_net=parent_net, parent_level=parent_level)
    )
    session.flush()
    session.add_all(
        tables.Level(net=code, code=level, rank=place, name_zh=level, name_en=level, colour="#888888", divides=True)
        for place, level in enumerate(levels)
    )
    session.flush()


def add_edition(
    session: Session, net: str, name: str, valid_from: date | None, valid_to: date | None = None
) -> tables.Edition:
    made = tables.Edition(
        net=net,
        name=name,
        state="active" if valid_from else "dark",
        valid_from=valid_from,
        valid_to=valid_to,
        source="test",
        licence="",
        crs="EPSG:4326",
        datum="WGS84",
        line_sigma_m=1.0,
        report={},
        loaded_at=NOON,
        loaded_by="test",
    )
    session.add(made)
    session.flush()
    return made


def add_unit(
    session: Session, edition: tables.Edition, level: str, code: str, ground: Polygon, **more: object
) -> tables.Unit:
    values: dict[str, object] = {"name": code, "name_en": code, "aliases": [], "parent_code": None} | more
    made = tables.Unit(
        edition_id=edition.id,
        net=edition.net,
        level=level,
        code=code,
        area_m2=1.0,
        attributes={},
        label_geom=from_shape(ground.representative_point(), srid=4326),
        geom=from_shape(MultiPolygon([ground]), srid=4326),
        **values,
    )
    session.add(made)
    session.flush()
    return made


def add_building(session: Session, external_id: str, ground: Polygon | MultiPolygon, **more: object) -> tables.Building:
    values: dict[str, object] = {
        "source": "test", "name": external_id, "name_en": external_id, "kind": "house", "house_number": "",
        "street_name": "", "estate_name": "", "owner": None, "height_m": None, "area_m2": 1.0, "attributes": {},
    } | more  # fmt: skip
    shape = ground if isinstance(ground, MultiPolygon) else MultiPolygon([ground])
    made = tables.Building(external_id=external_id, geom=from_shape(shapely.normalize(shape), srid=4326), **values)
    session.add(made)
    session.flush()
    return made

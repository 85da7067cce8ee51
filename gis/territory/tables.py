"""Tables of the ground. Geometry is EPSG:4326 (WGS 84 = CGCS2000 within a metre), longitude first."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from gis.db import Base

Json = dict[str, Any]


def _geom(kind: str) -> Geometry:
    # The migrations write the GiST indexes by hand, so that they stand beside the policies they serve.
    return Geometry(kind, srid=4326, spatial_index=False)


class Net(Base):
    """One system of grids or districts; nets need not nest and their codes are never compared."""

    __tablename__ = "net"
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    rank: Mapped[int]
    # A net may be drawn inside a level of another one (unit grid cells inside communities).
    parent_net: Mapped[str | None] = mapped_column(ForeignKey("net.code"))
    parent_level: Mapped[str | None]


class Level(Base):
    """A level of a net: rank 0 is the coarsest. Its names and colour are data.

    `divides` says that its lines part responsibility: only such lines make a place "near" or "across" a boundary.
    """

    __tablename__ = "level"
    net: Mapped[str] = mapped_column(ForeignKey("net.code"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    colour: Mapped[str]
    divides: Mapped[bool]


class Edition(Base):
    """A dated set of boundaries of one net.

    It is loaded `dark`, then `active` from a date; the earlier edition keeps answering for the dates before.
    `retired` means withdrawn: it answers for no date, and stays as a record. Nothing is ever deleted. The idea falls
    down a bit where one unit changes on its own: a whole new edition of the net is loaded for it.
    """

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("net", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    net: Mapped[str] = mapped_column(ForeignKey("net.code"))
    name: Mapped[str]
    state: Mapped[str]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    source: Mapped[str]
    licence: Mapped[str]
    crs: Mapped[str]
    datum: Mapped[str]
    line_sigma_m: Mapped[float]
    report: Mapped[Json] = mapped_column(JSONB)
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str]
    activated_at: Mapped[datetime | None]
    activated_by: Mapped[str | None]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]


class Unit(Base):
    """A polygon with authority: district, subdistrict, community, grid cell, precinct."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("edition_id", "level", "code"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    net: Mapped[str] = mapped_column(ForeignKey("net.code"))
    level: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # The code of the unit above: in this net, or for the top level in the net's parent net.
    parent_code: Mapped[str | None]
    area_m2: Mapped[float]
    attributes: Mapped[Json] = mapped_column(JSONB)
    label_geom: Mapped[WKBElement] = mapped_column(_geom("POINT"))
    geom: Mapped[WKBElement] = mapped_column(_geom("MULTIPOLYGON"))


class NetShare(Base):
    """How much of a unit's area lies in a unit of another net (both editions named by their units)."""

    __tablename__ = "net_share"
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    share: Mapped[float]


class Fault(Base):
    """A gap, overlap or other fault of an edition that was accepted at its load: a fact of the ground."""

    __tablename__ = "fault"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    kind: Mapped[str]
    level: Mapped[str]
    codes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    area_m2: Mapped[float | None]
    length_m: Mapped[float | None]
    geom: Mapped[WKBElement | None] = mapped_column(_geom("GEOMETRY"))


class Estate(Base):
    """A housing estate, courtyard or compound (小区, 院落, 单位大院)."""

    __tablename__ = "estate"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    kind: Mapped[str]
    property_company: Mapped[str | None]
    handover: Mapped[str | None]
    area_m2: Mapped[float]
    attributes: Mapped[Json] = mapped_column(JSONB)
    geom: Mapped[WKBElement] = mapped_column(_geom("MULTIPOLYGON"))


class Building(Base):
    """A building footprint, as imported."""

    __tablename__ = "building"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    house_number: Mapped[str]
    street_name: Mapped[str]
    estate_name: Mapped[str]
    owner: Mapped[str | None]
    height_m: Mapped[float | None]
    area_m2: Mapped[float]
    attributes: Mapped[Json] = mapped_column(JSONB)
    geom: Mapped[WKBElement] = mapped_column(_geom("MULTIPOLYGON"))


class Street(Base):
    """A carriageway as a polygon, with the centre line it came from when it came as a line."""

    __tablename__ = "street"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    road_class: Mapped[str]
    owner: Mapped[str | None]
    width_m: Mapped[float | None]
    length_m: Mapped[float]
    area_m2: Mapped[float]
    attributes: Mapped[Json] = mapped_column(JSONB)
    centre_geom: Mapped[WKBElement | None] = mapped_column(_geom("MULTILINESTRING"))
    geom: Mapped[WKBElement] = mapped_column(_geom("MULTIPOLYGON"))


class Component(Base):
    """A managed object (部件) with three organisations: authority 主管, owner 权属, maintainer 养护."""

    __tablename__ = "component"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    category: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    authority: Mapped[str | None]
    owner: Mapped[str | None]
    maintainer: Mapped[str | None]
    state: Mapped[str]
    position_class: Mapped[str | None]
    attributes: Mapped[Json] = mapped_column(JSONB)
    geom: Mapped[WKBElement] = mapped_column(_geom("POINT"))


class Address(Base):
    """A house number on the ground. `key` is its normalised text, the thing the geocoder looks up."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    street_name: Mapped[str]
    house_number: Mapped[str]
    estate_name: Mapped[str]
    building_number: Mapped[str]
    key: Mapped[str]
    geom: Mapped[WKBElement] = mapped_column(_geom("POINT"))


class Land(Base):
    """Land of one kind (water, park, square ...): base map, and an attribute of places for duties."""

    __tablename__ = "land"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    geom: Mapped[WKBElement] = mapped_column(_geom("MULTIPOLYGON"))


class PlaceShare(Base):
    """The exact share of a street, building or estate that lies in a unit. Planar, as areas in EPSG:4326 are."""

    __tablename__ = "place_share"
    kind: Mapped[str] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    share: Mapped[float]


class GroundVersion(Base):
    """A number that grows whenever a layer of the base map changes, so that tile addresses can be immutable."""

    __tablename__ = "ground_version"
    layer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())

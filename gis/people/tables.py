"""Tables of the people: departments, accounts and the areas somebody answers for."""

from __future__ import annotations

from datetime import date, datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from gis.db import Base


class Department(Base):
    """An office that can be called: a kind (DOMAIN's codes, e.g. CG, ZF, HW) at work on the ground of a unit."""

    __tablename__ = "department"
    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    # The unit whose ground it serves; all three empty: the whole city.
    net: Mapped[str | None]
    level: Mapped[str | None]
    unit_code: Mapped[str | None]
    # From then on nobody is sent to it; its name stays where it stands.
    closed_on: Mapped[date | None]
    # Its two masters: whose it is (区属), and whose orders it takes (街管).
    belongs_to: Mapped[str | None] = mapped_column(ForeignKey("department.code", deferrable=True, initially="DEFERRED"))
    managed_by: Mapped[str | None] = mapped_column(ForeignKey("department.code", deferrable=True, initially="DEFERRED"))


class Account(Base):
    """Somebody who signs in. department: the one a department's account acts for."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    locale: Mapped[str]
    active: Mapped[bool]
    created_at: Mapped[datetime]
    department: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    closed_at: Mapped[datetime | None]


class Post(Base):
    """A unit an account answers for, with dates: the scope of a grid leader."""

    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    net: Mapped[str]
    level: Mapped[str]
    unit_code: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Token(Base):
    """A program's key, kept as a SHA-256 only."""

    __tablename__ = "token"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SignIn(Base):
    """One attempt to sign in, kept to slow down guessing."""

    __tablename__ = "sign_in"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    username: Mapped[str]
    address: Mapped[str]
    succeeded: Mapped[bool]
    at: Mapped[datetime]


class ResponsibilityArea(Base):
    """Ground of any geometry somebody answers for: a street, a lane, a river section, a grid."""

    __tablename__ = "responsibility_area"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    role: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    person: Mapped[str]
    phone: Mapped[str | None]
    net: Mapped[str | None]
    unit_code: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    geom: Mapped[WKBElement] = mapped_column(Geometry("GEOMETRY", srid=4326, spatial_index=False))


class StaffPosition(Base):
    """Where somebody on duty is: the last place told, and none once the duty is over. ground: as that of issues."""

    __tablename__ = "staff_position"
    username: Mapped[str] = mapped_column(ForeignKey("account.username"), primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    department: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    at: Mapped[datetime]
    accuracy_m: Mapped[float | None]
    ground: Mapped[list[str]] = mapped_column(ARRAY(Text))
    geom: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))

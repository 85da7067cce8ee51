"""Tables of the issues. What was found and decided is appended, never rewritten; `Issue` holds the present state."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from gis.db import Base

Json = dict[str, Any]


class Source(Base):
    """Where reports come from, with the datum and accuracy to assume when a report says none."""

    __tablename__ = "source"
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    datum: Mapped[str]
    accuracy_m: Mapped[float | None]
    accuracy_kind: Mapped[str | None]
    # What comes from it is looked at on the spot before it is filed.
    verify: Mapped[bool] = mapped_column(default=False)


class DefaultPoint(Base):
    """A point a source gives when it does not know (a city hall). Proposed by counting, decided by a person."""

    __tablename__ = "default_point"
    __table_args__ = (UniqueConstraint("source", "lon", "lat"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(ForeignKey("source.code"))
    lon: Mapped[float]
    lat: Mapped[float]
    issues_n: Mapped[int]
    texts_n: Mapped[int]
    categories_n: Mapped[int]
    addresses_n: Mapped[int]
    state: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class Category(Base):
    """A category of one version of a scheme. `parent` is the major class."""

    __tablename__ = "category"
    scheme: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str | None]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    urgency: Mapped[str | None]
    boundary_risk: Mapped[int]


class DutyList(Base):
    """A version of a city's responsibility list: draft, then active from a date."""

    __tablename__ = "duty_list"
    __table_args__ = (UniqueConstraint("name", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[str]
    state: Mapped[str]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str]
    # Never who loaded it.
    activated_by: Mapped[str | None]
    activated_at: Mapped[datetime | None]


class Duty(Base):
    """One row of a list: category and attributes of the place -> kinds of department, in order."""

    __tablename__ = "duty"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("duty_list.id"))
    row: Mapped[int]
    scheme: Mapped[str]
    category: Mapped[str]
    # Attributes that must hold: {"land": "water", "road_class": "highway", "unit": "admin:110102", ...}
    condition: Mapped[Json] = mapped_column(JSONB)
    leads: Mapped[list[str]] = mapped_column(ARRAY(Text))
    assists: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # The kind of department whose power it is, where it was handed down, by which document, and its days.
    delegated_by: Mapped[str | None]
    document: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class Agreement(Base):
    """What neighbours agreed for a piece of ground: categories, parties, lead, dates (边界协议)."""

    __tablename__ = "agreement"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Units as "net:level:code".
    parties: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lead: Mapped[str]
    document: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    geom: Mapped[WKBElement] = mapped_column(Geometry("GEOMETRY", srid=4326, spatial_index=False))


class Issue(Base):
    """A report that became an issue, as it stands now."""

    __tablename__ = "issue"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str] = mapped_column(ForeignKey("source.code"))
    external_id: Mapped[str]
    scheme: Mapped[str]
    scheme_version: Mapped[str]
    category: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    reported_at: Mapped[datetime]
    received_at: Mapped[datetime]
    # The place exactly as it was sent: raw coordinates, their datum, accuracy and its meaning, or the words.
    place: Mapped[Json] = mapped_column(JSONB)
    located: Mapped[bool]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Units it touches as "net:level:code": filters and row-level security read it.
    ground: Mapped[list[str]] = mapped_column(ARRAY(Text))
    departments: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lead: Mapped[str | None]
    created_by: Mapped[str | None]
    # name, phone ...; shown in full to operators and administrators only.
    reporter: Mapped[Json | None] = mapped_column(JSONB)
    geom: Mapped[WKBElement | None] = mapped_column(Geometry("GEOMETRY", srid=4326, spatial_index=False))
    point_geom: Mapped[WKBElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    # How many moves it has made; the workflow alone writes it, and the state.
    version: Mapped[int] = mapped_column(default=0)
    # What the loop has to say of it beside its state: deadlock, relapse, reworked, reopened ...
    marks: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    closed_at: Mapped[datetime | None]
    relapse_of: Mapped[int | None] = mapped_column(ForeignKey("issue.id"))
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("issue.id"))


class Finding(Base):
    """What a place was found to stand on, with its editions. Appended at filing and at each placing by a person."""

    __tablename__ = "finding"
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    location: Mapped[Json] = mapped_column(JSONB)
    found_at: Mapped[datetime]
    found_by: Mapped[str]


class Decision(Base):
    """Whose it is and why: jurisdiction's answer as reason codes with parameters, appended at each decision."""

    __tablename__ = "decision"
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    basis: Mapped[str]
    lead: Mapped[str | None]
    answer: Mapped[Json] = mapped_column(JSONB)
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]


class Party(Base):
    """A department called to an issue: lead or assisting, for one jurisdiction. The last version is the one called."""

    __tablename__ = "party"
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(ForeignKey("department.code"), primary_key=True)
    role: Mapped[str]
    jurisdiction: Mapped[str]
    called_at: Mapped[datetime]
    # The issue is not done before this one has fed back.
    mandatory: Mapped[bool]


class Move(Base):
    """One move of an issue: from which state to which, by whom, and what was said with it. Appended."""

    __tablename__ = "move"
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    actor: Mapped[str]
    role: Mapped[str]
    department: Mapped[str | None]
    at: Mapped[datetime]
    # Earlier than `at` when a phone had no line.
    said_at: Mapped[datetime]
    fields: Mapped[Json] = mapped_column(JSONB)


class PartyStep(Base):
    """One step of a department on an issue: called, signed, refused, arrived, fed_back, passed, failed. Appended."""

    __tablename__ = "party_step"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    # Of the move it was taken with.
    version: Mapped[int]
    department: Mapped[str] = mapped_column(ForeignKey("department.code"))
    step: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    said_at: Mapped[datetime]
    fields: Mapped[Json] = mapped_column(JSONB)


class Handoff(Base):
    """An issue that went from one department to another, and the line between their units near it."""

    __tablename__ = "handoff"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    move_version: Mapped[int]
    from_department: Mapped[str] = mapped_column(ForeignKey("department.code"))
    to_department: Mapped[str] = mapped_column(ForeignKey("department.code"))
    from_unit: Mapped[str | None]
    to_unit: Mapped[str | None]
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    geom: Mapped[WKBElement | None] = mapped_column(Geometry("MULTILINESTRING", srid=4326, spatial_index=False))


class Photo(Base):
    """A photo, re-encoded and kept by the hash of its bytes."""

    __tablename__ = "photo"
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    width_px: Mapped[int]
    height_px: Mapped[int]
    added_at: Mapped[datetime]


class Entry(Base):
    """One line of the journal. Appended with the change it tells of; never updated, never deleted."""

    __tablename__ = "entry"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id"))
    kind: Mapped[str]
    params: Mapped[Json] = mapped_column(JSONB)
    ground: Mapped[list[str]] = mapped_column(ARRAY(Text))
    actor: Mapped[str]
    at: Mapped[datetime]


class Unsealed(Base):
    """Entries that no number was given yet. The sealer empties it."""

    __tablename__ = "unsealed"
    entry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("entry.id"), primary_key=True)


class Seal(Base):
    """A link of the chain: the number an entry has in the live stream, dense and in commit order, and its digests.

    salt: of the digest of words; None once they were erased by law.
    """

    __tablename__ = "seal"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("entry.id"), unique=True)
    facts: Mapped[bytes]
    words: Mapped[bytes]
    salt: Mapped[bytes | None]
    hash: Mapped[bytes]


class Load(Base):
    """A bulk load of reports, so that one broken off can go on: rows done, accepted, known, rejected."""

    __tablename__ = "load"
    id: Mapped[int] = mapped_column(primary_key=True)
    # SHA-256 of the file and of the mapping it is read by.
    file_sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    rows_done: Mapped[int]
    accepted: Mapped[int]
    known: Mapped[int]
    rejected: Mapped[int]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Reject(Base):
    """A row of a load that was refused, as it stood in the file, with the reason as a code and its parameters."""

    __tablename__ = "reject"
    load_id: Mapped[int] = mapped_column(ForeignKey("load.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    params: Mapped[Json] = mapped_column(JSONB)
    columns: Mapped[Json] = mapped_column(JSONB)

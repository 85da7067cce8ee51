"""Tables of the ledgers: saved views, hand-overs of shifts, one move on many issues."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from gis.db import Base

Json = dict[str, Any]


class SavedView(Base):
    """A list somebody keeps: what is asked as the arguments of its address; shared: everybody finds it."""

    __tablename__ = "saved_view"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    query: Mapped[dict[str, str]] = mapped_column(JSONB)
    shared: Mapped[bool]
    saved_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ShiftHandover(Base):
    """What a shift leader hands over: the figures of the moment, issues to watch, and words."""

    __tablename__ = "shift_handover"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    giver: Mapped[str]
    taker: Mapped[str]
    ground: Mapped[list[str]] = mapped_column(ARRAY(Text))
    figures: Mapped[Json] = mapped_column(JSONB)
    issues: Mapped[list[str]] = mapped_column(ARRAY(Text))
    notes: Mapped[str]
    at: Mapped[datetime]


class ShiftSignature(Base):
    """The taker's word that the shift was taken over."""

    __tablename__ = "shift_signature"
    handover_id: Mapped[int] = mapped_column(ForeignKey("shift_handover.id"), primary_key=True)
    by: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime]


class Sweep(Base):
    """One move on many issues. undoes: the sweep it takes back."""

    __tablename__ = "sweep"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    move: Mapped[str]
    fields: Mapped[Json] = mapped_column(JSONB)
    by: Mapped[str]
    at: Mapped[datetime]
    undoes: Mapped[int | None] = mapped_column(ForeignKey("sweep.id"))


class SweepIssue(Base):
    """An issue that was chosen for a sweep, as it stood when it was chosen."""

    __tablename__ = "sweep_issue"
    __table_args__ = (UniqueConstraint("sweep_id", "code"),)
    sweep_id: Mapped[int] = mapped_column(ForeignKey("sweep.id"), primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    version: Mapped[int]


class SweepOutcome(Base):
    """How one issue of a sweep came out; written with its move, or with its refusal."""

    __tablename__ = "sweep_outcome"
    sweep_id: Mapped[int] = mapped_column(primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True)
    moved: Mapped[bool]
    version: Mapped[int | None]
    code: Mapped[str]
    params: Mapped[Json] = mapped_column(JSONB)
    at: Mapped[datetime]

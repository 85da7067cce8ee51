"""The table of papers: numbered by kind and year."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from gis.db import Base
from gis.issues.tables import Issue

Json = dict[str, Any]


class Paper(Base):
    """An official paper with its number: what it says as plain values, so that it can be written out again."""

    __tablename__ = "paper"
    __table_args__ = (UniqueConstraint("kind", "year", "number"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    issue_id: Mapped[int | None] = mapped_column(ForeignKey(Issue.id))
    ground: Mapped[list[str]] = mapped_column(ARRAY(Text))
    said: Mapped[Json] = mapped_column(JSONB)
    by: Mapped[str]
    at: Mapped[datetime]

"""Tables of call-backs. What was answered are moves of the issue; here are the links by which it can be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base


class AnswerLink(Base):
    """A link by which somebody who reported answers once, without signing in. Only its token's digest is kept."""

    __tablename__ = "answer_link"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    sha256: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AnswerTry(Base):
    """One try to open a link that was none, kept to slow down guessing."""

    __tablename__ = "answer_try"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    address: Mapped[str]
    at: Mapped[datetime]

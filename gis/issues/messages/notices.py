"""Notices on the page: what concerns somebody's department, role or account, and up to which one it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.people.accounts import Who

Json = dict[str, Any]
NOTICES_MOST = 30


def of(session: Session, who: Who) -> list[Json]:
    """List the last notices of somebody, the last first, with whether each was read."""
    asked = {"mine": _recipients(who), "username": who.username, "most": NOTICES_MOST}
    return [_told(dict(row)) for row in session.execute(_OF, asked).mappings()]


def unread(session: Session, who: Who) -> int:
    """Count what somebody has not read."""
    return int(session.scalar(_UNREAD, {"mine": _recipients(who), "username": who.username}) or 0)


def read_up_to(session: Session, who: Who, message_id: int) -> None:
    """Note that somebody has read up to a notice; never back behind an earlier one."""
    session.execute(_READ, {"username": who.username, "message_id": message_id})


def read_by_all(session: Session) -> None:
    """Note that everybody has read what there is by now."""
    session.execute(_READ_BY_ALL)


def _recipients(who: Who) -> Sequence[str]:
    department = [f"department:{who.department}"] if who.department else []
    return [f"account:{who.username}", f"role:{who.role}", *department]


def _told(row: Json) -> Json:
    at: datetime = row["at"]
    return row | {"at": at.isoformat()}


_UP_TO = "coalesce((SELECT message_id FROM notice_read WHERE username = :username), 0)"
_OF = text(f"""
SELECT id, event, params, at, id <= {_UP_TO} AS read FROM message
WHERE channel = 'notice' AND recipient = ANY(:mine) ORDER BY id DESC LIMIT :most
""")
_UNREAD = text(f"""
SELECT count(*) FROM message WHERE channel = 'notice' AND recipient = ANY(:mine) AND id > {_UP_TO}
""")
_READ = text("""
INSERT INTO notice_read (username, message_id) VALUES (:username, :message_id)
ON CONFLICT (username) DO UPDATE SET message_id = greatest(notice_read.message_id, excluded.message_id)
""")
_READ_BY_ALL = text("""
INSERT INTO notice_read (username, message_id)
SELECT account.username, last.id FROM account, (SELECT max(id) AS id FROM message) AS last WHERE last.id IS NOT NULL
ON CONFLICT (username) DO UPDATE SET message_id = greatest(notice_read.message_id, excluded.message_id)
""")

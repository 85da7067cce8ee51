"""Who waits to be called back: closed issues whose reporter can be called, those not tried yet first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound
from gis.issues import journal
from gis.issues.clerk import Clerk
from gis.issues.moves import CLOSED

Json = dict[str, Any]
ROWS = 50


@dataclass(frozen=True)
class Waiting:
    """An issue that waits for its call-back. missed_n: calls without an answer since it was closed."""

    code: str
    version: int
    category_zh: str
    category_en: str
    reported_at: datetime
    closed_at: datetime
    reporter: Json
    missed_n: int
    missed_at: datetime | None
    outcome: str | None
    links_n: int

    def reopen_until(self, days: int) -> datetime:
        """Return until when it may be taken up again."""
        return self.closed_at + timedelta(days=days)


def waiting(session: Session, *, now: datetime, page: int = 1, per_page: int = ROWS) -> list[Waiting]:
    """List one page: never called before called, and of each the one closed first."""
    asked = {"state": CLOSED, "code": None, "now": now, "limit": per_page, "offset": (page - 1) * per_page}
    return [Waiting(**row) for row in session.execute(_WAITING, asked).mappings()]


def get(session: Session, code: str, *, now: datetime) -> Waiting:
    """Return one that waits; raise Conflict if it does not, or not any more."""
    asked = {"state": CLOSED, "code": code, "now": now, "limit": 1, "offset": 0}
    row = session.execute(_WAITING, asked).mappings().one_or_none()
    if row is None:
        raise Conflict("call_backs.not_waiting", code=code)
    return Waiting(**row)


def waiting_n(session: Session) -> int:
    """Count them."""
    return session.execute(_WAITING_N, {"state": CLOSED}).scalar_one()


def reveal(session: Session, code: str, clerk: Clerk) -> Json:
    """Return who reported an issue, unmasked, and write into its history who looked; raise NotFound."""
    row = session.execute(_REPORTER, {"code": code}).one_or_none()
    if row is None or not row.reporter:
        raise NotFound("call_backs.nobody", code=code)
    journal.append(session, journal.Line("revealed", row.id, {}, tuple(row.ground)), by=clerk.by, now=clerk.now)
    return dict(row.reporter)


_CAN_BE_CALLED = "issue.state = :state AND coalesce(issue.reporter ->> 'phone', '') <> ''"
_WAITING = text(f"""
SELECT issue.code, issue.version, coalesce(category.name_zh, issue.category) AS category_zh,
       coalesce(nullif(category.name_en, ''), category.name_zh, issue.category) AS category_en,
       issue.reported_at, issue.closed_at, issue.reporter, missed.missed_n, missed.missed_at, missed.outcome,
       (SELECT count(*) FROM answer_link AS link
        WHERE link.issue_id = issue.id AND link.used_at IS NULL AND link.expires_at > :now) AS links_n
FROM issue
LEFT JOIN category ON (category.scheme, category.version, category.code)
                    = (issue.scheme, issue.scheme_version, issue.category)
CROSS JOIN LATERAL (
    SELECT count(*) AS missed_n, max(at) AS missed_at,
           (array_agg(fields ->> 'outcome' ORDER BY version DESC))[1] AS outcome
    FROM move WHERE move.issue_id = issue.id AND move.name = 'miss_call' AND move.at >= issue.closed_at
) AS missed
WHERE {_CAN_BE_CALLED} AND (CAST(:code AS text) IS NULL OR issue.code = :code)
ORDER BY missed.missed_at NULLS FIRST, issue.closed_at, issue.id LIMIT :limit OFFSET :offset
""")
_WAITING_N = text(f"SELECT count(*) FROM issue WHERE {_CAN_BE_CALLED}")
_REPORTER = text("SELECT id, ground, reporter FROM issue WHERE code = :code")

"""How often one address may ask or report without signing in: the number of a street door, not of a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import TooMany

STATUS, REPORT, ME_TOO, SEARCH = "status", "report", "me_too", "search"
# In an hour; a whole office, a school or a mobile network may stand behind one address.
FREE: Mapping[str, int] = {STATUS: 40, REPORT: 10, ME_TOO: 20, SEARCH: 120}
MEMORY, KEPT = timedelta(hours=1), timedelta(days=1)


def count(session: Session, kind: str, address: str, now: datetime) -> None:
    """Note a try of an address; raise TooMany when it had enough in this hour. The caller commits in either case."""
    # One at a time for each address: a hundred at once would all see the same count.
    session.execute(_LOCK, {"address": address})
    session.execute(_FORGET, {"before": now - KEPT})
    asked = {"address": address, "kind": kind, "after": now - MEMORY, "nth": FREE[kind] - 1}
    oldest = session.scalar(_OLDEST, asked)
    if oldest is not None:
        wait = oldest + MEMORY - now
        raise TooMany("public.wait", retry_after_s=max(1, int(wait.total_seconds())), minutes=_minutes(wait))
    session.execute(_NOTE, {"address": address, "kind": kind, "now": now})


def _minutes(wait: timedelta) -> int:
    return max(1, -int(-wait.total_seconds() // 60))


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:address, 14))")
_FORGET = text("DELETE FROM public_try WHERE at < :before")
_OLDEST = text("""
SELECT at FROM public_try WHERE address = :address AND kind = :kind AND at > :after
ORDER BY at DESC OFFSET :nth LIMIT 1
""")
_NOTE = text("INSERT INTO public_try (address, kind, at) VALUES (:address, :kind, :now)")

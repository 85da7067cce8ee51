"""A moment, and a day, as programs say it: ISO 8601; a moment with its zone."""

from __future__ import annotations

from datetime import date, datetime

from gis.errors import Invalid

SAID_MOST = 40
# At the ends of the calendar a day has none before it or behind it, and no midnight in UTC.
FIRST_YEAR, LAST_YEAR = 1900, 2999


def parse(said: object, code: str = "report.bad_time", **about: object) -> datetime:
    """Read a moment; raise Invalid under a code if it is none, or says no zone: nobody's zone is guessed."""
    try:
        read = datetime.fromisoformat(str(said))
    except ValueError:
        raise Invalid(code, value=str(said)[:SAID_MOST], **about) from None
    if read.tzinfo is None:
        raise Invalid(code, value=str(said)[:SAID_MOST], **about)
    return read


def parse_day(said: object, code: str = "api.bad_date", **about: object) -> date:
    """Read a day; raise Invalid under a code if it is none, or one that nobody can mean."""
    try:
        read = date.fromisoformat(str(said))
    except ValueError:
        raise Invalid(code, value=str(said)[:SAID_MOST], **about) from None
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise Invalid(code, value=str(said)[:SAID_MOST], **about)
    return read

"""A moment as programs say it: ISO 8601, with its zone."""

from __future__ import annotations

from datetime import datetime

from gis.errors import Invalid

SAID_MOST = 40


def parse(said: object, code: str = "report.bad_time", **about: object) -> datetime:
    """Read a moment; raise Invalid under a code if it is none, or says no zone: nobody's zone is guessed."""
    try:
        read = datetime.fromisoformat(str(said))
    except ValueError:
        raise Invalid(code, value=str(said)[:SAID_MOST], **about) from None
    if read.tzinfo is None:
        raise Invalid(code, value=str(said)[:SAID_MOST], **about)
    return read

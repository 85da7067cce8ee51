"""What the public says: reports that are looked at before they are filed, and "me too".

A report is filed under a name made of a key that nobody but its reporter holds. The key is the address of a page; with
it the database shows that one issue and no other, so the page needs no account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Invalid, NotFound
from gis.issues import call_backs, intake, journal, photos, sent
from gis.issues.citizens.shown import OPEN, Choice
from gis.issues.clerk import Clerk
from gis.issues.photos import Picture

SOURCE = "public"
ME_TOO = "me_too"
KEY_LEAST = 20
WORDS_LEAST, WORDS_MOST = 4, 2000


@dataclass(frozen=True)
class Contribution:
    """A report of somebody who did not sign in. place: as `locate.parse` reads it; reporter: phone, name; may be {}."""

    key: str
    choice: Choice
    words: str
    place: dict[str, Any]
    reporter: dict[str, str] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Follow:
    """The issue a key belongs to."""

    number: str
    waits_for_answer: bool


def report(session: Session, said: Contribution, clerk: Clerk) -> str:
    """Take a report in, to be verified before it is filed, and return its number; the same key twice is one report."""
    if not WORDS_LEAST <= len(said.words.strip()) <= WORDS_MOST:
        raise Invalid("public.words", least=WORDS_LEAST, most=WORDS_MOST)
    session.execute(_SOURCE, {"code": SOURCE})
    # Relapses are found among issues of others; what is answered is the number alone.
    eyes = session.info["scope"]
    db.see_as(session, db.EVERYTHING)
    name = _name(said.key)
    accepted = intake.accept(session, _report(said, name, clerk), by=name, now=clerk.now, settings=clerk.settings)
    if not accepted.known:
        for picture in said.pictures:
            photos.add(session, accepted.id, picture, clerk.settings.var_dir, now=clerk.now)
    db.see_as(session, eyes)
    return accepted.code


def me_too(session: Session, issue_id: int, once: str, now: datetime) -> None:
    """Count one more person who saw the same; nothing of the person is kept. Raise NotFound if it is over meanwhile.

    once: drawn anew whenever somebody is asked, so that an answer that is sent twice is one.
    """
    eyes = session.info["scope"]
    db.see_as(session, replace(db.EVERYTHING, username=SOURCE))
    issue = session.execute(_OPEN, {"id": issue_id, "states": list(OPEN)}).one_or_none()
    if issue is None:
        raise NotFound("public.over")
    if sent.first_time(session, SOURCE, once, issue.code, now):
        journal.append(session, journal.Line(ME_TOO, issue_id, {}, tuple(issue.ground)), by=SOURCE, now=now)
    db.see_as(session, eyes)


def follow(session: Session, key: str) -> Follow:
    """Open the issue a key belongs to, and let the session see it and nothing else; raise NotFound."""
    db.see_as(session, Scope(username=_name(key)))
    issue = session.execute(_MINE, {"name": _name(key)}).one_or_none()
    if issue is None:
        raise NotFound("public.no_link")
    return Follow(issue.code, issue.state == "closed")


def ask_answer(session: Session, key: str, clerk: Clerk) -> str:
    """Make the link by which who holds the key answers once; raise Conflict while it is not closed."""
    return call_backs.make(session, follow(session, key).number, clerk)


def _report(said: Contribution, name: str, clerk: Clerk) -> intake.Report:
    choice = said.choice
    return intake.parse_report(
        {
            "source": SOURCE, "external_id": name, "text": said.words, "place": said.place, "reporter": said.reporter,
            "category": {"scheme": choice.scheme, "version": choice.version, "code": choice.code},
            "reported_at": clerk.now.isoformat(),
        },
        now=clerk.now, zone=clerk.zone,
    )  # fmt: skip


def _name(key: str) -> str:
    if len(key) < KEY_LEAST:
        raise NotFound("public.no_link")
    return f"{SOURCE}:{hashlib.sha256(key.encode()).hexdigest()[:24]}"


# Its fixes come from maps and phones that say how exact they are; what it says is looked at on the spot first.
_SOURCE = text("""
INSERT INTO source (code, name_zh, name_en, datum, verify) VALUES (:code, '公众上报', 'The public', 'WGS84', true)
ON CONFLICT (code) DO NOTHING
""")
_OPEN = text("SELECT code, ground FROM issue WHERE id = :id AND state = ANY(:states)")
_MINE = text("SELECT code, state FROM issue WHERE created_by = :name")

"""Links by which somebody who reported answers once, without signing in; the database shows them that one issue.

A token is drawn at random and kept as a digest. Whoever guesses is slowed down by address, like one who signs in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound, TooMany
from gis.issues import answer_links, workflow
from gis.issues.call_backs.tables import AnswerLink, AnswerTry
from gis.issues.clerk import Clerk
from gis.issues.matter import Actor, Said
from gis.issues.moves import CLOSED, REPORTER
from gis.issues.workflow import Loop

Json = dict[str, Any]
BY_LINK = Actor("reporter", REPORTER)
# Wrong links from one address that cost nothing in an hour: a whole office may be behind it.
FREE, MEMORY = 20, timedelta(hours=1)


@dataclass(frozen=True)
class Link:
    """What a link shows: no words of anybody, no place, no name."""

    issue_code: str
    category_zh: str
    category_en: str
    reported_at: datetime
    closed_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Bearer:
    """Who comes with a token, from where, and when."""

    token: str
    address: str
    now: datetime


@dataclass(frozen=True)
class Answer:
    """What was answered. fields: of the move `evaluate`; reason: why to take it up again; empty: it shall not."""

    fields: Json
    reason: str = ""


def make(session: Session, code: str, clerk: Clerk) -> str:
    """Make a link for a closed issue and return its token: this is the one time it is seen.

    Raise NotFound; raise Conflict if it does not wait for an answer.
    """
    issue = session.execute(_ISSUE, {"code": code}).one_or_none()
    if issue is None:
        raise NotFound("issue.not_found", code=code)
    if issue.state != CLOSED:
        raise Conflict("call_backs.not_waiting", code=code)
    token = secrets.token_urlsafe(24)
    until = clerk.now + timedelta(days=clerk.settings.answer_days)
    made = {"issue_id": issue.id, "sha256": answer_links.digest(token), "made_at": clerk.now, "made_by": clerk.by}
    session.add(AnswerLink(**made, expires_at=until))
    session.flush()
    return token


def find(session: Session, bearer: Bearer) -> Link | None:
    """Open a link; None if it is none, was used or has run out. Raise TooMany if somebody is guessing.

    The caller commits also when the answer is None, so that a wrong try counts.
    """
    link = _open(session, bearer)
    return _shown(link) if link else None


def answer(session: Session, bearer: Bearer, said: Answer, loop: Loop) -> bool:
    """Write down an answer, take the issue up again if that is asked for, and spend the link; False as for `find`."""
    link = _open(session, bearer)
    if link is None:
        return False
    workflow.advance(session, link.code, "evaluate", Said(BY_LINK, bearer.now, said.fields), loop)
    if said.reason:
        workflow.advance(session, link.code, "reopen", Said(BY_LINK, bearer.now, {"reason": said.reason}), loop)
    session.execute(_SPEND, {"id": link.id, "now": bearer.now})
    return True


def _open(session: Session, bearer: Bearer) -> Row[Any] | None:
    """Find a link, hold it, and let the session see its issue to the end of the transaction."""
    tried_n = session.execute(_TRIES, {"address": bearer.address, "after": bearer.now - MEMORY}).scalar_one()
    if tried_n > FREE:
        raise TooMany("account.wait", retry_after_s=int(MEMORY.total_seconds()))
    digest = answer_links.digest(bearer.token)
    session.execute(text("SELECT set_config('shaotu.link', :digest, true)"), {"digest": digest})
    link = session.execute(_LINK, {"digest": digest, "now": bearer.now}).one_or_none()
    if link is None:
        session.add(AnswerTry(address=bearer.address, at=bearer.now))
        session.flush()
    return link


def _shown(link: Row[Any]) -> Link:
    names = ("category_zh", "category_en", "reported_at", "closed_at", "expires_at")
    return Link(link.code, *(getattr(link, name) for name in names))


_ISSUE = text("SELECT id, state FROM issue WHERE code = :code")
_TRIES = text("SELECT count(*) FROM answer_try WHERE address = :address AND at > :after")
# Closed anew since then: what the link asked about is not what happened last, but the answer is still asked for.
_LINK = text("""
SELECT link.id, link.expires_at, issue.code, issue.reported_at, issue.closed_at,
       coalesce(category.name_zh, issue.category) AS category_zh,
       coalesce(nullif(category.name_en, ''), category.name_zh, issue.category) AS category_en
FROM answer_link AS link JOIN issue ON issue.id = link.issue_id
LEFT JOIN category ON (category.scheme, category.version, category.code)
                    = (issue.scheme, issue.scheme_version, issue.category)
WHERE link.sha256 = :digest AND link.used_at IS NULL AND link.expires_at > :now AND issue.state = 'closed'
FOR UPDATE OF link
""")
_SPEND = text("UPDATE answer_link SET used_at = :now WHERE id = :id")

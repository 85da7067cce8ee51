"""What a phone sends is taken once: it may not hear the answer, and sends again under the same number."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound
from gis.issues import journal, matter
from gis.issues.matter import Actor, Matter
from gis.issues.moves import ENDS

LONGEST = 80
# Somebody else met with the same thing and said so.
SECONDED = "seconded"


def first_time(session: Session, account: str, client_id: object, code: str, now: datetime) -> bool:
    """Note that something came in about an issue, and say whether it is new.

    Asked first in the transaction that does it: who sends the same at once waits here, and is then told that it is
    known. Raise NotFound for an issue the account does not see, Invalid for a number that is none.
    """
    if not isinstance(client_id, str) or not 1 <= len(client_id) <= LONGEST:
        raise Invalid("sent.no_number", most=LONGEST)
    issue_id = session.scalar(text("SELECT id FROM issue WHERE code = :code"), {"code": code})
    if issue_id is None:
        raise NotFound("issue.not_found", code=code)
    said = {"account": account, "client_id": client_id, "issue_id": issue_id, "now": now}
    return session.execute(_NOTE, said).one_or_none() is not None


def second(about: Matter, by: Actor, now: datetime) -> int:
    """Put on record that somebody met with the same; return by how many that was said. Raise Conflict if it is over."""
    if about.state in ENDS:
        raise Conflict("sent.over", code=about.row.code)
    line = journal.Line(SECONDED, about.id, {}, tuple(about.row.ground))
    journal.append(about.session, line, by=by.username, now=now)
    return seconds(about)


def seconds(about: matter.Matter) -> int:
    """Count by how many people it was said that they met with the same."""
    return int(about.session.scalar(_SECONDS, {"issue_id": about.id, "kind": SECONDED}) or 0)


_NOTE = text("""
INSERT INTO sent_once (account, client_id, issue_id, at) VALUES (:account, :client_id, :issue_id, :now)
ON CONFLICT DO NOTHING RETURNING client_id
""")
_SECONDS = text("SELECT count(DISTINCT actor) FROM entry WHERE issue_id = :issue_id AND kind = :kind")

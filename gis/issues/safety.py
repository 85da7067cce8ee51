"""Safety first (先处置后确权): a report of a danger sends the nearest unit, before it is settled whose it is.

And who was called by a whistle stays called, wherever a person puts the issue.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gis.errors import Conflict
from gis.issues import workflow
from gis.issues.clerk import Clerk
from gis.issues.matter import Actor, Said
from gis.issues.moves import SYSTEM
from gis.issues.whistle_acts import acts
from gis.issues.whistles import lists
from gis.issues.workflow import Loop

# What is told of later than this is history: nobody is sent out for it.
FRESH = timedelta(days=1)
# The reason the system gives, said in the reader's language.
BY_CATEGORY = "errands.auto.category"


def is_dangerous(category: str, reported_at: datetime, now: datetime) -> bool:
    """Say whether a report sends somebody at once: by its category, and only while it is news."""
    return category != lists.ANY and category in lists.dangers() and now - reported_at <= FRESH


def call_again(session: Session, code: str, clerk: Clerk) -> None:
    """Keep whoever a whistle called on an issue that was put elsewhere and decided anew."""
    about = Loop(clerk.settings).look(session, code, clerk.now)
    acts.call_again(about, Said(Actor(clerk.by, SYSTEM), clerk.now))


def order(session: Session, codes: Iterable[str], clerk: Clerk) -> None:
    """Send the nearest unit to each of these issues; where nobody can be sent, a person has to."""
    for code in codes:
        said = Said(Actor(SYSTEM, SYSTEM), clerk.now, {"reason": BY_CATEGORY})
        try:
            with session.begin_nested():
                workflow.advance(session, code, "make_safe", said, Loop(clerk.settings))
        except Conflict:
            continue

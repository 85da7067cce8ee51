"""Saved views: a list somebody keeps under a name, for themselves or for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues.ledgers import asking
from gis.issues.ledgers.asking import Moment
from gis.issues.ledgers.tables import SavedView
from gis.issues.matter import Actor
from gis.issues.moves import SEATS
from gis.people.accounts import ADMINISTRATOR, SHIFT_LEADER

NAME_MOST = 60
VIEWS_MOST = 100


@dataclass(frozen=True)
class View:
    """A saved view as its reader sees it."""

    id: int
    name: str
    query: dict[str, str]
    shared: bool
    owner: str


def of(session: Session) -> list[View]:
    """List the views the asker may see: the own ones and the shared ones; row-level security knows which."""
    kept = select(SavedView).where(SavedView.removed_at.is_(None)).order_by(SavedView.shared, SavedView.name)
    return [View(each.id, each.name, each.query, each.shared, each.owner) for each in session.scalars(kept)]


def may_share(role: str) -> bool:
    """Say whether a role may share a view with everybody: a shift leader's seat, or an administrator."""
    return role == ADMINISTRATOR or SHIFT_LEADER in SEATS.get(role, {role})


@dataclass(frozen=True)
class Wish:
    """A view to be kept: its name, the arguments of its address, and whether everybody is to find it."""

    name: str
    query: Mapping[str, str]
    shared: bool = False


def save(session: Session, wish: Wish, actor: Actor, moment: Moment) -> int:
    """Keep a view under a name of the asker's own; raise Invalid, Conflict for a name in use, Forbidden."""
    name = wish.name.strip()
    if not 0 < len(name) <= NAME_MOST:
        raise Invalid("ledger.view_name", most=NAME_MOST)
    if wish.shared and not may_share(actor.role):
        raise Forbidden("ledger.may_not_share")
    asking.read(wish.query, moment)
    mine = [view for view in of(session) if view.owner == actor.username]
    if name in {view.name for view in mine}:
        raise Conflict("ledger.view_exists", name=name)
    if len(mine) >= VIEWS_MOST:
        raise Invalid("ledger.too_many_views", most=VIEWS_MOST)
    kept = SavedView(
        owner=actor.username,
        name=name,
        query=asking.plain(wish.query),
        shared=wish.shared,
        saved_at=moment.now,
    )
    session.add(kept)
    session.flush()
    return kept.id


def remove(session: Session, view_id: int, *, by: str, now: datetime) -> None:
    """Take a view of one's own away; raise NotFound."""
    mine = (SavedView.id == view_id, SavedView.owner == by, SavedView.removed_at.is_(None))
    if session.scalars(update(SavedView).where(*mine).values(removed_at=now).returning(SavedView.id)).all() == []:
        raise NotFound("ledger.no_view", id=view_id)


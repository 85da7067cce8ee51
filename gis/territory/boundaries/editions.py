"""Editions in time: one is activated from a date, ends the one before, and can be withdrawn again."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound
from gis.territory import places, tables
from gis.territory.boundaries import crosswalk

Edition = tables.Edition


def get(session: Session, net: str, name: str) -> Edition:
    """Return an edition; raise NotFound."""
    found = session.scalar(select(Edition).where(Edition.net == net, Edition.name == name))
    if found is None:
        raise NotFound("boundaries.no_edition", net=net, edition=name)
    return found


def list_editions(session: Session) -> list[Edition]:
    """List every edition, net by net in their ranks, oldest first; dark ones last."""
    by_net = (tables.Net.rank, tables.Net.code, Edition.valid_from.asc().nulls_last(), Edition.id)
    return list(session.scalars(select(Edition).join(tables.Net, tables.Net.code == Edition.net).order_by(*by_net)))


def activate(  # noqa: PLR0913 - who and when are told at every writing door
    session: Session, net: str, name: str, from_date: date | None, *, by: str, now: datetime
) -> Edition:
    """Let an edition answer from a date (its manifest's when None); the one that answered ends that day.

    It ends in turn where a later edition begins. Shares of places and of other nets' units are computed. Raise Conflict
    if it is active already or another edition begins on that very day.
    """
    edition = get(session, net, name)
    start = from_date or edition.valid_from
    if start is None:
        raise Invalid("boundaries.no_date", net=net, edition=name)
    if edition.state == "active":
        raise Conflict("boundaries.already_active", net=net, edition=name, start=edition.valid_from)
    end = _make_room(session, edition, start)
    edition.state, edition.valid_from, edition.valid_to = "active", start, end
    edition.activated_at, edition.activated_by = now, by
    edition.retired_at, edition.retired_by = None, None
    session.flush()
    places.share_all(session, [edition.id])
    crosswalk.share_nets(session, edition.id)
    return edition


def _make_room(session: Session, edition: Edition, start: date) -> date | None:
    """End the edition in force on the day; give the day on which the next one begins."""
    active = select(Edition).where(Edition.net == edition.net, Edition.state == "active")
    before = session.scalar(
        active.where(Edition.valid_from <= start, or_(Edition.valid_to.is_(None), Edition.valid_to > start))
    )
    if before is not None and before.valid_from == start:
        raise Conflict("boundaries.same_day", net=edition.net, edition=before.name, start=start)
    after = session.scalar(active.where(Edition.valid_from > start).order_by(Edition.valid_from).limit(1))
    if before is not None:
        before.valid_to = start
        # One net has one edition on any day, at every moment: the earlier one ends first.
        session.flush()
    return after.valid_from if after else None


def retire(session: Session, net: str, name: str, *, by: str, now: datetime) -> Edition:
    """Withdraw an edition: it answers for no date, its record stays, and the one before it answers on."""
    edition = get(session, net, name)
    if edition.state == "retired":
        raise Conflict("boundaries.already_retired", net=net, edition=name)
    was_active, start, end = edition.state == "active", edition.valid_from, edition.valid_to
    edition.state, edition.retired_at, edition.retired_by = "retired", now, by
    session.flush()
    if was_active:
        before = session.scalar(
            select(Edition).where(Edition.net == net, Edition.state == "active", Edition.valid_to == start)
        )
        if before is not None:
            before.valid_to = end
            session.flush()
            crosswalk.share_nets(session, before.id)
    return edition

"""Hand-over of shifts: what is open and late goes from one shift leader to the next, who signs. Only appended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.db import Scope
from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues.ledgers import asking
from gis.issues.ledgers.tables import ShiftHandover, ShiftSignature
from gis.issues.matter import Actor
from gis.issues.moves import SEATS
from gis.people import accounts
from gis.people.accounts import ADMINISTRATOR, SHIFT_LEADER

NOTES_MOST = 5000
WATCHED_MOST = 50
PAGE_ROWS = 30


@dataclass(frozen=True)
class Figures:
    """What a shift leaves behind, counted at a moment. whistles: issues whose whistle is not agreed to have ended."""

    open: int
    overdue: int
    soon: int
    inspected: int
    asked: int
    deadlock: int
    whistles: int

    def as_dict(self) -> dict[str, int]:
        """Render it as JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Watch:
    """A hand-over to be written: to whom, in which words, and the issues to keep an eye on."""

    taker: str
    notes: str
    issues: Sequence[str] = ()


@dataclass(frozen=True)
class Handover:
    """A hand-over as the log shows it."""

    id: int
    giver: str
    taker: str
    figures: Mapping[str, int]
    issues: tuple[str, ...]
    notes: str
    at: datetime
    signed_at: datetime | None
    signed_note: str


def may_hand_over(role: str) -> bool:
    """Say whether a role leads shifts."""
    return SHIFT_LEADER in SEATS.get(role, {role})


def may_read(role: str) -> bool:
    """Say whether a role reads the log."""
    return may_hand_over(role) or role == ADMINISTRATOR


def count(session: Session, now: datetime) -> Figures:
    """Count what is open in the asker's scope."""
    row = session.execute(_COUNTED, {"now": now, "open": list(asking.OPEN)}).mappings().one()
    return Figures(**row)


def first_overdue(session: Session, now: datetime) -> list[str]:
    """Name the open issues that are late, the latest first of all."""
    return list(session.scalars(_OVERDUE, {"now": now, "open": list(asking.OPEN), "most": WATCHED_MOST}))


def takers(session: Session, giver: str) -> list[tuple[str, str]]:
    """List who may take a shift over: name to sign in by, and name."""
    roles = [role for role in accounts.ROLES if may_hand_over(role)]
    found = session.execute(_TAKERS, {"roles": roles, "giver": giver})
    return [(row.username, row.name) for row in found]


def hand_over(session: Session, watch: Watch, by: Actor, now: datetime) -> int:
    """Write a hand-over; raise Forbidden, or Invalid for a taker who leads no shift, or issues nobody sees."""
    if not may_hand_over(by.role):
        raise Forbidden("shift.not_yours")
    if watch.taker not in {username for username, _ in takers(session, by.username)}:
        raise Invalid("shift.no_taker", taker=watch.taker or "—")
    if len(watch.notes) > NOTES_MOST:
        raise Invalid("report.too_long", field="notes", length=len(watch.notes), most=NOTES_MOST)
    codes = list(dict.fromkeys(watch.issues))
    unknown = sorted(set(codes) - set(session.scalars(_KNOWN, {"codes": codes})))
    if unknown:
        raise Invalid("issue.not_found", code=unknown[0])
    scope: Scope = session.info["scope"]
    kept = ShiftHandover(
        giver=by.username, taker=watch.taker, ground=[] if scope.all else scope.ground.split(),
        figures=count(session, now).as_dict(), issues=codes, notes=watch.notes.strip(), at=now,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    return kept.id


def sign(session: Session, handover_id: int, note: str, by: Actor, now: datetime) -> None:
    """Take a shift over; raise NotFound, Forbidden for anybody else, Conflict when it is signed."""
    found = log(session, only=handover_id)
    if not found:
        raise NotFound("shift.unknown", id=handover_id)
    if found[0].taker != by.username:
        raise Forbidden("shift.not_the_taker", taker=found[0].taker)
    if found[0].signed_at:
        raise Conflict("shift.signed_already", at=found[0].signed_at.isoformat(timespec="minutes"))
    session.add(ShiftSignature(handover_id=handover_id, by=by.username, note=note.strip()[:NOTES_MOST], at=now))
    session.flush()


def log(session: Session, *, before: int | None = None, only: int | None = None) -> list[Handover]:
    """Read the log, the latest first: a page that begins behind a number."""
    rows = session.execute(_LOG, {"before": before, "only": only, "rows": PAGE_ROWS})
    return [
        Handover(**{**row, "issues": tuple(row["issues"]), "signed_note": row["signed_note"] or ""})
        for row in rows.mappings()
    ]


_COUNTED = text("""
SELECT count(*) AS open,
       count(*) FILTER (WHERE due_at < :now) AS overdue,
       count(*) FILTER (WHERE warn_at <= :now AND due_at >= :now) AS soon,
       count(*) FILTER (WHERE state = 'inspected') AS inspected,
       count(*) FILTER (WHERE marks && '{asked}') AS asked,
       count(*) FILTER (WHERE marks && '{deadlock}') AS deadlock,
       count(*) FILTER (WHERE marks && '{whistled}') AS whistles
FROM issue WHERE state = ANY(:open)
""")
_OVERDUE = text("""
SELECT code FROM issue WHERE due_at < :now AND state = ANY(:open) ORDER BY due_at, id LIMIT :most
""")
_TAKERS = text("""
SELECT username, name FROM account WHERE active AND role = ANY(:roles) AND username <> :giver ORDER BY role, username
""")
_KNOWN = text("SELECT code FROM issue WHERE code = ANY(:codes)")
_LOG = text("""
SELECT handed.id, handed.giver, handed.taker, handed.figures, handed.issues, handed.notes, handed.at,
       signed.at AS signed_at, signed.note AS signed_note
FROM shift_handover AS handed LEFT JOIN shift_signature AS signed ON signed.handover_id = handed.id
WHERE (CAST(:before AS bigint) IS NULL OR handed.id < :before) AND (CAST(:only AS bigint) IS NULL OR handed.id = :only)
ORDER BY handed.id DESC LIMIT :rows
""")

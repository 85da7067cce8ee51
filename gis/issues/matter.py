"""An issue as a move meets it: its row, held; who is called and how each stands; what it went through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues import errands, parties
from gis.issues.errands import Errand
from gis.issues.moves import ASSIST, ERRAND, LEAD, REPORTER, SEATS, SYSTEM
from gis.issues.parties import Standing
from gis.issues.whistles import record
from gis.issues.whistles.record import Whistle
from gis.people.accounts import DEPARTMENT, Who
from gis.settings import Settings

Json = dict[str, Any]


@dataclass(frozen=True)
class Actor:
    """Who moves: an account's name and role, the department it acts for, and its ground: * or net:level:code ..."""

    username: str
    role: str
    department: str | None = None
    ground: str = "*"

    @classmethod
    def of(cls, who: Who) -> Actor:
        """Take somebody who signed in."""
        return cls(who.username, who.role, who.department, who.scope.ground)

    @property
    def units(self) -> tuple[str, ...]:
        """The units it is bound to; none for who sees the whole city."""
        return () if self.ground == "*" else tuple(self.ground.split())


@dataclass(frozen=True)
class Said:
    """What came with a move.

    said_at: when it was said, where a phone had no line; None: now. version: of the issue as the mover saw it; None:
    whatever it is by now.
    """

    by: Actor
    now: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)
    said_at: datetime | None = None
    version: int | None = None

    @property
    def at(self) -> datetime:
        """When it was said."""
        return self.said_at or self.now


@dataclass(frozen=True)
class Matter:
    """An issue on its way through the loop. today: the city's date."""

    session: Session
    row: Row[Any]
    settings: Settings
    today: date

    @property
    def id(self) -> int:
        """The issue's number."""
        return int(self.row.id)

    @property
    def state(self) -> str:
        """The state it is in."""
        return str(self.row.state)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """The departments called, and how each stands."""
        return parties.of_issue(self.session, self.id)

    @cached_property
    def whistles(self) -> tuple[Whistle, ...]:
        """The whistles blown for it, the first first."""
        return record.of_issue(self.session, self.id)

    @cached_property
    def errands(self) -> tuple[Errand, ...]:
        """What departments were sent to do beside the decision."""
        return errands.of_issue(self.session, self.id)

    @cached_property
    def past(self) -> Sequence[Row[Any]]:
        """The moves it made, first things first."""
        return self.session.execute(_PAST, {"issue_id": self.id}).all()

    def standing_of(self, actor: Actor) -> Standing | None:
        """Find how the mover's own department stands; None if it is not called."""
        if actor.role != DEPARTMENT:
            return None
        return next((each for each in self.standings if each.department == actor.department), None)

    def stage_of(self, actor: Actor) -> str | None:
        """Name the stage the mover's own department is at."""
        standing = self.standing_of(actor)
        return standing.stage if standing else None

    def relations(self, actor: Actor) -> frozenset[str]:
        """Name what somebody is to the issue: their seats, and lead, assist, sent on an errand, or reporter."""
        standing = self.standing_of(actor)
        seats = SEATS.get(actor.role, frozenset({actor.role}))
        if actor.role == DEPARTMENT:
            seats = frozenset() if standing is None else frozenset({LEAD if standing.role == LEAD else ASSIST})
        sent = (each.department for each in self.errands if each.done_at is None) if actor.department else ()
        if actor.department in sent:
            seats |= {ERRAND}
        reported = actor.role != SYSTEM and actor.username == self.row.created_by
        return seats | ({REPORTER} if reported else frozenset())

    def since_opened(self) -> list[Row[Any]]:
        """List the moves since it was filed or reopened."""
        opened = max((nth for nth, move in enumerate(self.past) if move.name == "reopen"), default=-1)
        return list(self.past[opened + 1 :])


def get(session: Session, code: str, settings: Settings, today: date, *, hold: bool = False) -> Matter:
    """Read an issue, and hold its row to the end of the transaction if asked; raise NotFound."""
    sql = text(_SELECT + (" FOR UPDATE" if hold else ""))
    row = session.execute(sql, {"code": code}).one_or_none()
    if row is None:
        raise NotFound("issue.not_found", code=code)
    return Matter(session, row, settings, today)


_SELECT = """
SELECT id, code, state, version, scheme, category, lead, departments, ground, marks, created_by, closed_at, merged_into,
       due_at, located, work_order, coalesce(reporter ->> 'phone', '') <> '' AS can_be_called
FROM issue WHERE code = :code
"""
_PAST = text("""
SELECT version, name, from_state, to_state, actor, role, department, at, said_at, fields
FROM move WHERE issue_id = :issue_id ORDER BY version
""")

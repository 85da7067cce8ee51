"""A clock of an issue as a value: what it is for, its limit, what happened to it, and when it runs out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from gis.errors import Invalid
from gis.issues import calendars, worktime
from gis.issues.worktime import Calendar, Limit, Pause

Json = dict[str, Any]

# What the clocks are for: to be handled; to be signed for, contacted and answered as a work order; to keep a deadline
# that was set outside.
HANDLE, SIGN, CONTACT, REPLY, OUTSIDE = "handle", "sign", "contact", "reply", "outside"
NAMES = (HANDLE, SIGN, CONTACT, REPLY, OUTSIDE)
# Those by which the issue itself must be done.
ENDS = (HANDLE, REPLY, OUTSIDE)
STARTED, UNSET, SUSPENDED, RESUMED, EXTENDED, SET_ANEW, STOPPED = EVENTS = (
    "started", "unset", "suspended", "resumed", "extended", "set_anew", "stopped",
)  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """Why a clock stands as it does: a code and its parameters."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> Json:
        """Render for the record."""
        return {"code": self.code, "params": dict(self.params)}


@dataclass(frozen=True)
class Clock:
    """A clock as it stands. started_at is None while nothing sets it going, due_at while it has no end.

    reason: why it has this limit, or none. lacking: why a limit could not be set on the calendar. calendar: by which
    parts of it, in which versions, it was set. warn_at: when it is said to be due soon. extensions: by how many times
    its limit it was prolonged.
    """

    name: str
    reason: Reason
    lacking: Reason | None = None
    calendar: Mapping[str, Any] | None = None
    started_at: datetime | None = None
    limit: Limit | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    extensions: int = 0
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None

    @property
    def runs(self) -> bool:
        """Say whether it still runs towards an end."""
        return self.due_at is not None and self.stopped_at is None

    @property
    def whole(self) -> Limit | None:
        """The limit with its extensions."""
        return self.limit and self.limit.times(1 + self.extensions)

    def state(self, now: datetime) -> str:
        """Name how it stands: unset, suspended, stopped (in time or late), running, soon, overdue."""
        if self.stopped_at is not None:
            return "late" if self.due_at is not None and self.stopped_at > self.due_at else "stopped"
        if any(pause.start <= now and (pause.end is None or now < pause.end) for pause in self.pauses):
            return "suspended"
        if self.due_at is None:
            return "unset"
        if now > self.due_at:
            return "overdue"
        return "soon" if self.warn_at is not None and now >= self.warn_at else "running"


@dataclass(frozen=True)
class Setting:
    """What a clock is set by: the calendar, and the part of a limit that is left when it is said to be due soon."""

    calendar: Calendar
    soon_share: float

    def set(self, clock: Clock) -> Clock:
        """Return the clock with its due time; without one, and why, where the calendar does not reach."""
        start, whole = clock.started_at, clock.whole
        if start is None or whole is None:
            return clock
        part = whole.times(1 - Fraction(str(self.soon_share)))
        try:
            due_at = worktime.due(start, whole, self.calendar, clock.pauses)
            warn_at = worktime.due(start, part, self.calendar, clock.pauses) if part.value else start
        except Invalid as problem:
            lacking = Reason(problem.code, problem.params)
            return replace(clock, due_at=None, warn_at=None, calendar=None, lacking=lacking)
        by = self._used(whole.unit, start, due_at) if due_at else clock.calendar
        return replace(clock, due_at=due_at, warn_at=due_at and warn_at, calendar=by, lacking=None)

    def _used(self, unit: str, start: datetime, due_at: datetime) -> Json:
        """Name the parts of the calendar that a due time rests on; time round the clock rests on none."""
        if unit in {worktime.URGENT_HOUR, worktime.URGENT_DAY}:
            return {"code": self.calendar.code, "parts": {}}
        years = range(self.calendar.day_of(start).year, self.calendar.day_of(due_at).year + 1)
        parts = [*map(str, years), calendars.SHIFTS]
        return {"code": self.calendar.code, "parts": {part: self.calendar.parts.get(part) for part in parts}}

"""Working time: limits in four kinds of unit, run on a calendar of working days and day shifts in a time zone.

- urgent_hour 紧急工作时: hours round the clock, nights and holidays too;
- work_hour 工作时: hours inside the shifts of working days, and no others;
- work_day 工作日: a working day counts one, however long its shifts are, and runs off in step with them. So one working
  day from Friday 16:00 ends on Monday 16:00, and one from Saturday ends when the last shift of Monday ends;
- urgent_day 紧急工作日: a day of the calendar counts one, holidays too; it ends at the same time by the clock on the
  wall, also where a day has 23 or 25 hours.

Every unit is thus a measure of time that grows, stands still, and never falls; a limit is due at the first moment at
which so much of it has passed. Time that was suspended is not measured. Moments are exact to the microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from gis.errors import Invalid

URGENT_HOUR, WORK_HOUR, WORK_DAY, URGENT_DAY = "urgent_hour", "work_hour", "work_day", "urgent_day"
UNITS = (URGENT_HOUR, WORK_HOUR, WORK_DAY, URGENT_DAY)
MINUTES_OF_DAY = 24 * 60
HOUR_US = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# A stretch of time, [start, end) in microseconds since 1970; and one with how many of its microseconds make one unit.
Stretch = tuple[int, int]
Counted = tuple[int, int, int]


@dataclass(frozen=True)
class Limit:
    """How long something may take: a positive number of one of the UNITS."""

    value: Fraction
    unit: str

    def times(self, factor: Fraction | int) -> Limit:
        """Return a part or a multiple of this limit: an extension by one more of it is `times(2)`."""
        return Limit(self.value * factor, self.unit)


@dataclass(frozen=True)
class Pause:
    """Time that does not count (挂账). end: None while nobody knows when it goes on."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class Shifts:
    """The shifts of every working day from a day on. weekdays: 1 Monday to 7 Sunday. spans: minutes from midnight."""

    start: date
    weekdays: frozenset[int]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Calendar:
    """A working calendar. years: those whose holidays are known, no other is ever assumed to be like them.

    changed: days that are worked or not, whatever their weekday (make-up workdays 调休, holidays).
    shifts: by their first day. parts: the version of each part it was read from, for the record.
    """

    code: str
    zone: ZoneInfo
    years: frozenset[int]
    changed: Mapping[date, bool]
    shifts: tuple[Shifts, ...]
    parts: Mapping[str, int] = field(default_factory=dict, compare=False)
    _seen: dict[tuple[date, str], tuple[Counted, ...]] = field(default_factory=dict, compare=False, repr=False)

    def works(self, day: date) -> bool:
        """Say whether a day is worked; raise Invalid where the calendar does not know."""
        return bool(self.worked(day))

    def counted(self, day: date, unit: str) -> tuple[Counted, ...]:
        """Return what counts of a day in a unit; raise Invalid where the calendar does not know."""
        if (day, unit) not in self._seen:
            stretches = self.worked(day) if unit in {WORK_HOUR, WORK_DAY} else (self.whole(day),)
            size = HOUR_US if unit in {URGENT_HOUR, WORK_HOUR} else sum(end - start for start, end in stretches)
            self._seen[day, unit] = tuple((start, end, size) for start, end in stretches)
        return self._seen[day, unit]

    def whole(self, day: date) -> Stretch:
        """Return a day from midnight to midnight."""
        return self._at(day, 0), self._at(day, MINUTES_OF_DAY)

    def day_of(self, at: datetime) -> date:
        """Return the date of a moment."""
        return at.astimezone(self.zone).date()

    def worked(self, day: date) -> tuple[Stretch, ...]:
        """Return the shifts of a day, none on a day off; raise Invalid where the calendar does not know."""
        if day.year not in self.years:
            raise Invalid("worktime.no_year", calendar=self.code, year=day.year)
        in_force = [shifts for shifts in self.shifts if shifts.start <= day]
        if not in_force:
            raise Invalid("worktime.no_shifts", calendar=self.code, day=day.isoformat())
        if not self.changed.get(day, day.isoweekday() in in_force[-1].weekdays):
            return ()
        stretches: list[Stretch] = []
        for start, end in in_force[-1].spans:
            # Where clocks skip an hour, a shift may begin before the one before it has ended, or be empty.
            begun = max(self._at(day, start), stretches[-1][1] if stretches else 0)
            if begun < self._at(day, end):
                stretches.append((begun, self._at(day, end)))
        return tuple(stretches)

    def _at(self, day: date, minute: int) -> int:
        days, rest = divmod(minute, MINUTES_OF_DAY)
        hour, minute = divmod(rest, 60)
        that = day + timedelta(days)
        return _since_epoch(datetime(that.year, that.month, that.day, hour, minute, tzinfo=self.zone))


def due(start: datetime, limit: Limit, calendar: Calendar, pauses: Sequence[Pause] = ()) -> datetime | None:
    """Return the first moment at which a limit has passed; None while it is suspended without an end.

    Raise Invalid where that moment lies in a year, or before the first shift, that the calendar does not know.
    """
    left: Fraction | int = limit.value
    last = 1
    for begun, ended, size in _counted(start, limit.unit, calendar, pauses):
        # In microseconds of this day; mostly whole ones, and those are quick.
        left, last = (left if size == last else _whole(Fraction(left) * size / last)), size
        if ended - begun >= left:
            # Upwards: at the moment that is named the limit has passed.
            return EPOCH + (begun - (-left // 1)) * MICROSECOND
        left -= ended - begun
    return None


def elapsed(
    start: datetime, at: datetime, unit: str, calendar: Calendar, pauses: Sequence[Pause] = ()
) -> Fraction:
    """Return how much of a unit has passed from start until a moment, 0 before it; raise Invalid as `due` does."""
    counted = _counted(start, unit, calendar, (*pauses, Pause(at)))
    return sum((Fraction(ended - begun, size) for begun, ended, size in counted), Fraction(0))


def _counted(start: datetime, unit: str, calendar: Calendar, pauses: Sequence[Pause]) -> Iterator[Counted]:
    """Yield what counts from start on, in order; without end, unless a pause has none."""
    since = _since_epoch(start)
    stop = min((_since_epoch(pause.start) for pause in pauses if pause.end is None), default=None)
    rests = sorted((_since_epoch(pause.start), _since_epoch(pause.end)) for pause in pauses if pause.end is not None)
    day = calendar.day_of(start)
    while stop is None or calendar.whole(day)[0] < stop:
        for opened, closed, size in calendar.counted(day, unit):
            for begun, ended in _outside((opened, closed), rests):
                first, last = max(begun, since), ended if stop is None else min(ended, stop)
                if first < last:
                    yield first, last, size
        day += timedelta(1)


def _whole(number: Fraction) -> Fraction | int:
    return number.numerator if number.denominator == 1 else number


def _outside(stretch: Stretch, rests: Iterable[Stretch]) -> Iterator[Stretch]:
    """Cut pauses, in the order of their starts, out of a stretch."""
    begun, ended = stretch
    for rest_begun, rest_ended in rests:
        if rest_begun < ended and rest_ended > begun:
            if begun < rest_begun:
                yield begun, rest_begun
            begun = rest_ended
    if begun < ended:
        yield begun, ended


def _since_epoch(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND

"""Limits run on a calendar: the four units, holidays, shifts, suspension, and the laws they keep."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gis.errors import Invalid
from gis.issues import worktime
from gis.issues.worktime import URGENT_DAY, URGENT_HOUR, WORK_DAY, WORK_HOUR, Calendar, Limit, Pause, Shifts

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
WEEK = frozenset(range(1, 6))
# 08:00-12:00 and 14:00-18:00: eight hours of whole numbers.
EIGHT = Shifts(date(2026, 1, 1), WEEK, ((480, 720), (840, 1080)))
# The Spring Festival of 2026: off from Sunday 15 to Monday 23 February, worked on two Saturdays.
FESTIVAL = {date(2026, 2, day): False for day in range(15, 24)} | {date(2026, 2, 14): True, date(2026, 2, 28): True}
CHINA = Calendar("CN", SHANGHAI, frozenset({2026}), FESTIVAL, (EIGHT,))
CALENDARS = (
    CHINA,
    Calendar("DE", BERLIN, frozenset({2026}), {date(2026, 3, 30): False}, (EIGHT,)),
    # nights, and from July on two hours a day
    Calendar(
        "night",
        ZoneInfo("America/Havana"),
        frozenset({2026}),
        {},
        (
            Shifts(date(2026, 1, 1), frozenset({1, 3, 6, 7}), ((0, 150), (165, 400), (1320, 1440))),
            Shifts(date(2026, 7, 1), WEEK, ((1, 121),)),
        ),
    ),
)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=zone)


def due(start: str, value: float, unit: str, *pauses: Pause, calendar: Calendar = CHINA) -> str:
    found = worktime.due(at(start, calendar.zone), Limit(Fraction(value), unit), calendar, pauses)
    return "" if found is None else f"{found.astimezone(calendar.zone):%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("start", "value", "unit", "expected"),
    [
        # Thursday 5 March to Tuesday 10 March 2026
        ("03-05T15:00", 2, URGENT_HOUR, "03-05T17:00"),
        ("03-05T23:00", 2, URGENT_HOUR, "03-06T01:00"),
        ("03-05T15:00", 2, WORK_HOUR, "03-05T17:00"),
        ("03-05T17:00", 2, WORK_HOUR, "03-06T09:00"),
        ("03-06T17:00", 2, WORK_HOUR, "03-09T09:00"),
        ("03-05T11:00", 4, WORK_HOUR, "03-05T17:00"),
        ("03-05T08:00", 4, WORK_HOUR, "03-05T12:00"),
        ("03-05T12:30", 4, WORK_HOUR, "03-05T18:00"),
        ("03-05T07:00", 8, WORK_HOUR, "03-05T18:00"),
        ("03-06T16:00", 1, WORK_DAY, "03-09T16:00"),
        ("03-05T15:00", 2, WORK_DAY, "03-09T15:00"),
        ("03-07T10:00", 1, WORK_DAY, "03-09T18:00"),
        ("03-05T20:00", 1, WORK_DAY, "03-06T18:00"),
        ("03-05T08:00", 1, WORK_DAY, "03-05T18:00"),
        ("03-06T16:00", 1, URGENT_DAY, "03-07T16:00"),
        ("03-06T16:00", 0.5, WORK_DAY, "03-09T10:00"),
    ],
)
def test_each_unit_counts_its_own_time(start: str, value: float, unit: str, expected: str) -> None:
    assert due(start, value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        # from the last working Saturday before the holiday, at 17:00
        (2, URGENT_HOUR, "02-14T19:00"),
        (24, URGENT_HOUR, "02-15T17:00"),
        (2, URGENT_DAY, "02-16T17:00"),
        (2, WORK_HOUR, "02-24T09:00"),
        (2, WORK_DAY, "02-25T17:00"),
        # 25 to 27 February are three days, the make-up Saturday is the next
        (5, WORK_DAY, "02-28T17:00"),
    ],
)
def test_the_spring_festival_stops_working_time_and_not_urgent_time(value: int, unit: str, expected: str) -> None:
    assert due("02-14T17:00", value, unit) == expected


def test_a_year_whose_holidays_are_unknown_is_not_assumed() -> None:
    with pytest.raises(Invalid) as refused:
        due("12-31T17:00", 2, WORK_HOUR)
    assert (refused.value.code, refused.value.params["year"]) == ("worktime.no_year", 2027)


def test_time_round_the_clock_needs_no_calendar() -> None:
    found = worktime.due(at("12-31T23:00"), Limit(Fraction(2), URGENT_HOUR), CHINA)
    assert found == datetime(2026, 12, 31, 17, tzinfo=UTC)


def test_what_ends_with_the_last_shift_of_a_known_year_is_known() -> None:
    assert due("12-31T17:00", 1, WORK_HOUR) == "12-31T18:00"
    passed = worktime.elapsed(at("12-31T17:00"), at("12-31T23:00"), WORK_HOUR, CHINA)
    assert passed == 1


def test_a_day_before_the_first_shifts_is_not_assumed() -> None:
    bare = Calendar("CN", SHANGHAI, frozenset({2026}), {}, ())
    with pytest.raises(Invalid) as refused:
        due("03-05T15:00", 2, WORK_HOUR, calendar=bare)
    assert refused.value.code == "worktime.no_shifts"


def test_shifts_change_on_their_day() -> None:
    summer = Shifts(date(2026, 6, 1), WEEK, ((480, 720), (900, 1140)))
    calendar = Calendar("CN", SHANGHAI, frozenset({2026}), {}, (EIGHT, summer))
    assert due("05-29T17:30", 6, WORK_HOUR, calendar=calendar) == "06-01T16:30"


@pytest.mark.parametrize(
    ("start", "value", "unit", "expected"),
    [
        # In the night to 29 March 2026 Berlin's clocks skip an hour, in the night to 25 October they repeat one.
        ("03-28T20:00", 24, URGENT_HOUR, "03-29T21:00"),
        ("10-24T20:00", 24, URGENT_HOUR, "10-25T19:00"),
        ("03-27T15:00", 3, URGENT_DAY, "03-30T15:00"),
        ("10-23T15:00", 3, URGENT_DAY, "10-26T15:00"),
        ("10-23T17:00", 2, WORK_HOUR, "10-26T09:00"),
    ],
)
def test_clocks_that_jump_change_hours_and_not_days(start: str, value: int, unit: str, expected: str) -> None:
    assert due(start, value, unit, calendar=CALENDARS[1] if unit != WORK_HOUR else _berlin()) == expected


def _berlin() -> Calendar:
    return Calendar("DE", BERLIN, frozenset({2026}), {}, (EIGHT,))


def test_a_suspension_of_two_days_moves_the_due_time_by_two_days() -> None:
    held = Pause(at("03-05T16:00"), at("03-07T16:00"))
    assert due("03-05T15:00", 24, URGENT_HOUR, held) == "03-08T15:00"


def test_a_suspension_over_a_weekend_costs_working_time_nothing() -> None:
    assert due("03-06T16:00", 1, WORK_DAY, Pause(at("03-06T18:00"), at("03-09T08:00"))) == "03-09T16:00"


def test_while_nobody_knows_the_end_of_a_suspension_nothing_is_due() -> None:
    assert due("03-05T15:00", 4, URGENT_HOUR, Pause(at("03-05T16:00"))) == ""


def test_what_was_due_before_a_suspension_stays_due() -> None:
    assert due("03-05T15:00", 1, URGENT_HOUR, Pause(at("03-05T16:00"))) == "03-05T16:00"


def test_suspensions_that_overlap_count_once() -> None:
    pauses = Pause(at("03-05T16:00"), at("03-05T18:00")), Pause(at("03-05T17:00"), at("03-05T19:00"))
    assert due("03-05T15:00", 2, URGENT_HOUR, *pauses) == "03-05T20:00"


moments = st.datetimes(datetime(2026, 1, 2), datetime(2026, 9, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds
limits = st.builds(
    Limit,
    st.one_of(st.integers(1, 30).map(Fraction), st.fractions(Fraction(1, 10), 20, max_denominator=60)),
    st.sampled_from(worktime.UNITS),
)
calendars = st.sampled_from(CALENDARS)
# What one microsecond is worth at most, in hours; days run off more slowly.
GRAIN = Fraction(1, 3_600_000_000)


@given(moments, limits, calendars)
def test_as_much_has_passed_when_it_is_due_as_was_allowed(start: datetime, limit: Limit, calendar: Calendar) -> None:
    end = worktime.due(start, limit, calendar)
    assert end is not None
    passed = worktime.elapsed(start, end, limit.unit, calendar)
    assert limit.value <= passed < limit.value + GRAIN
    assert worktime.elapsed(start, end - worktime.MICROSECOND, limit.unit, calendar) < limit.value


@given(moments, st.timedeltas(timedelta(0), timedelta(60)), limits, calendars)
def test_who_starts_later_is_due_no_earlier(start: datetime, wait: timedelta, limit: Limit, calendar: Calendar) -> None:
    first, second = (worktime.due(begun, limit, calendar) for begun in (start, start + wait))
    assert first is not None
    assert second is not None
    assert first <= second


@given(moments, limits, limits, calendars)
def test_who_is_allowed_more_is_due_later(start: datetime, one: Limit, other: Limit, calendar: Calendar) -> None:
    longer = Limit(one.value + other.value, one.unit)
    first, second = (worktime.due(start, limit, calendar) for limit in (one, longer))
    assert first is not None
    assert second is not None
    assert first < second


@given(moments, st.timedeltas(timedelta(0), timedelta(20)), st.timedeltas(timedelta(0), timedelta(20)), calendars)
def test_time_passed_adds_up(start: datetime, one: timedelta, other: timedelta, calendar: Calendar) -> None:
    middle, end = start + one, start + one + other
    for unit in worktime.UNITS:
        parts = worktime.elapsed(start, middle, unit, calendar) + worktime.elapsed(middle, end, unit, calendar)
        assert parts == worktime.elapsed(start, end, unit, calendar)


@given(
    moments, limits, st.timedeltas(timedelta(0), timedelta(10)), st.timedeltas(timedelta(0), timedelta(30)), calendars
)
def test_suspended_time_moves_the_due_time_by_just_what_it_took(
    start: datetime, limit: Limit, after: timedelta, length: timedelta, calendar: Calendar
) -> None:
    held = Pause(start + after, start + after + length)
    left = limit.value - worktime.elapsed(start, held.start, limit.unit, calendar)
    assume(left > 0)
    # What was left at the suspension is what is left when it goes on.
    rest = worktime.due(start + after + length, Limit(left, limit.unit), calendar)
    assert worktime.due(start, limit, calendar, (held,)) == rest
    if limit.unit == URGENT_HOUR:
        without = worktime.due(start, limit, calendar)
        assert without is not None
        assert rest is not None
        assert abs(rest - without - length) <= worktime.MICROSECOND

"""What is asked of a ledger, as the arguments of its address say it: so a link, a saved view and an export are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gis import moments
from gis.errors import Invalid
from gis.issues import listing, paging
from gis.issues.moves import (
    CLOSED,
    COLLECTED,
    DISPATCHED,
    EVALUATED,
    FED_BACK,
    FILED,
    HANDLING,
    INSPECTED,
    MERGED,
    REJECTED,
    RETURNED,
    SELF_HANDLED,
    STATES,
    SUSPENDED,
    TO_LOCATE,
    VOIDED,
)
from gis.issues.paging import Asked

# The seven steps, as far as an issue can rest in one.
STAGES: Mapping[str, tuple[str, ...]] = {
    "collecting": (COLLECTED, TO_LOCATE),
    "filing": (FILED, RETURNED),
    "handling": (DISPATCHED, HANDLING, SUSPENDED),
    "inspecting": (FED_BACK, INSPECTED),
    "closing": (CLOSED, EVALUATED, SELF_HANDLED),
    "dropped": (REJECTED, VOIDED, MERGED),
}
OPEN = tuple(state for stage in ("collecting", "filing", "handling", "inspecting") for state in STAGES[stage])
PERIODS = ("today", "week", "month", "last_month", "year")
STRUCK = ("yes", "no")
# What a link carries; anything else in an address is no part of a view.
ARGUMENTS = (
    "states", "stage", "categories", "departments", "units", "period", "from", "to", "flags", "dues", "sources",
    "marks", "struck", "text", "order",
)  # fmt: skip
VALUE_MOST = 500


@dataclass(frozen=True)
class Moment:
    """When and where it is asked: what "this month" means."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The city's date."""
        return self.now.astimezone(self.zone).date()

    def begin(self, day: date) -> datetime:
        """Return the first moment of a day in the city."""
        return datetime.combine(day, time(), self.zone)


def plain(given: Mapping[str, str]) -> dict[str, str]:
    """Keep what belongs to a view, said as plainly as it can be."""
    said = {name: given.get(name, "").strip() for name in ARGUMENTS}
    long = [name for name, value in said.items() if len(value) > VALUE_MOST]
    if long:
        raise Invalid("report.too_long", field=long[0], length=len(said[long[0]]), most=VALUE_MOST)
    return {name: value for name, value in said.items() if value}


def read(given: Mapping[str, str], moment: Moment) -> Asked:
    """Read what is asked; raise Invalid that names the argument."""
    said = plain(given)
    since, until = _period(said, moment)
    filters = listing.parse_filters({name: value for name, value in said.items() if name not in {"since", "until"}})
    filters = replace(filters, since=since, until=until, states=_states(said.get("stage", ""), filters.states))
    order = _one_of("order", said.get("order", "reported"), tuple(paging.ORDERS))
    struck = said.get("struck") and _one_of("struck", said["struck"], STRUCK)
    if struck == "yes":
        filters = replace(filters, marks=("struck",))
    return Asked(filters, order, paging.parse_place(given.get("place", "")), unstruck=struck == "no")


def _states(stage: str, states: tuple[str, ...]) -> tuple[str, ...]:
    """Join a stage with single states: both are asked for; raise Invalid where they shut each other out."""
    if not stage:
        return states
    of_stage = OPEN if stage == "open" else STAGES[_one_of("stage", stage, ("open", *STAGES))]
    both = tuple(state for state in STATES if state in of_stage and (not states or state in states))
    if not both:
        raise Invalid("ledger.nothing_left", stage=stage, states=", ".join(states))
    return both


def _period(said: Mapping[str, str], moment: Moment) -> tuple[datetime | None, datetime | None]:
    """Return [since, until) of what was reported: named, or from one day to another with both."""
    named = said.get("period")
    first, last = _day("from", said.get("from")), _day("to", said.get("to"))
    if named:
        first, last = _named(_one_of("period", named, PERIODS), moment.today)
    if first and last and last < first:
        raise Invalid("ledger.period_backwards", first=first, last=last)
    since = moment.begin(first) if first else None
    return since, moment.begin(last + timedelta(days=1)) if last else None


def _named(period: str, today: date) -> tuple[date, date]:
    first_of_month = today.replace(day=1)
    before = first_of_month - timedelta(days=1)
    return {
        "today": (today, today),
        "week": (today - timedelta(days=today.weekday()), today),
        "month": (first_of_month, today),
        "last_month": (before.replace(day=1), before),
        "year": (today.replace(month=1, day=1), today),
    }[period]


def _day(name: str, said: str | None) -> date | None:
    return moments.parse_day(said, "ledger.bad_day", field=name) if said else None


def _one_of(name: str, said: str, choices: tuple[str, ...]) -> str:
    if said not in choices:
        raise Invalid("listing.unknown_value", field=name, value=said[:40], choices=", ".join(choices))
    return said

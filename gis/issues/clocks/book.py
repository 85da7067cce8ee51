"""What clocks an issue gets: by the condition it is filed under, and the work order it came as. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.issues import calendars, standards
from gis.issues.clerk import Clerk
from gis.issues.clocks.values import CONTACT, HANDLE, OUTSIDE, REPLY, SIGN, Clock, Json, Reason, Setting
from gis.issues.reports import Report, WorkOrder
from gis.issues.standards import Condition, Key, OrderLimit, Standing, crosswalk, orders
from gis.issues.worktime import Calendar
from gis.settings import Settings

# The clocks a work order runs on, in the order of its life.
OF_ORDERS = (SIGN, CONTACT, REPLY)


@dataclass(frozen=True)
class Book:
    """What the city goes by on a day: conditions by class, limits of work orders, and the calendar.

    walked: classes of an old scheme, to which the standard of the class that came after them applies.
    """

    setting: Setting
    standing: Mapping[Key, Standing]
    walked: Mapping[Key, Key]
    orders: Mapping[tuple[str, str, str], tuple[Mapping[str, str], OrderLimit]]

    def find(self, key: Key) -> Standing | None:
        """Return the conditions in force for a class, its own or those of the class it became."""
        return self.standing.get(key) or self.standing.get(self.walked.get(key, key))

    def check(self, key: Key, condition: int | None) -> None:
        """Raise Invalid if the standard in force for a class does not have this condition."""
        found = self.find(key)
        if found and condition is not None and found.get(condition) is None:
            known = ", ".join(str(each.number) for each in found.conditions)
            raise Invalid("clock.unknown_condition", condition=condition, category=key[2], known=known)

    def begin(self, report: Report, *, now: datetime, located: bool) -> tuple[Clock, ...]:
        """Return the clocks of a report that is filed now. One that has no place yet is handled by nobody: it waits."""
        handling = self.handling(key_of(report), report.condition, now if located else None)
        order = () if report.work_order is None else self._of_order(report.work_order, now)
        return handling, *order

    def handling(self, key: Key, condition: int | None, started_at: datetime | None) -> Clock:
        """Return the clock for handling an issue. started_at: None while it waits for its place."""
        found = self.find(key)
        if found is None:
            return Clock(HANDLE, Reason("clock.no_standard", {"category": key[2], "scheme": f"{key[0]} {key[1]}"}))
        told: Json = {"standard": found.standard, "version": found.version, "category": found.category[2]}
        if found.category != key:
            told["walked"] = " ".join(key)
        if condition is None:
            return Clock(HANDLE, Reason("clock.no_condition", told | {"conditions": len(found.conditions)}))
        chosen = found.get(condition)
        if chosen is None:
            return Clock(HANDLE, Reason("clock.condition_gone", told | {"condition": condition}))
        return self._by_condition(chosen, told | _as_told(chosen), started_at)

    def _by_condition(self, chosen: Condition, told: Json, started_at: datetime | None) -> Clock:
        if chosen.limit is None:
            return Clock(HANDLE, Reason("clock.limit_unread", told))
        if started_at is None:
            return Clock(HANDLE, Reason("clock.waits_for_place", told), limit=chosen.limit)
        reason = Reason("clock.by_condition", told)
        return self.setting.set(Clock(HANDLE, reason, started_at=started_at, limit=chosen.limit))

    def _of_order(self, order: WorkOrder, now: datetime) -> Iterable[Clock]:
        """Yield the clocks of a work order. A deadline set outside is kept as it is, beside our own."""
        kind, urgency = orders.type_code(order.type), orders.urgency_code(order.urgency)
        asked = {"request_type": kind, "urgency": urgency}
        for name in OF_ORDERS:
            found = self.orders.get((kind, urgency, name)) or self.orders.get((kind, "", name))
            if found is not None:
                said, limit = found
                told = {**asked, **said, "limit_said": limit.limit_said}
                yield self.setting.set(Clock(name, Reason("clock.by_order", told), started_at=now, limit=limit.limit))
        if not any(known == kind and within in {urgency, ""} for known, within, _ in self.orders):
            yield Clock(REPLY, Reason("clock.no_order_limit", asked))
        if order.due_at is not None:
            yield self._outside(order.due_at, now)

    def _outside(self, due_at: datetime, now: datetime) -> Clock:
        warn_at = min(due_at, max(now, due_at - (due_at - now) * self.setting.soon_share))
        return Clock(OUTSIDE, Reason("clock.outside"), started_at=now, due_at=due_at, warn_at=warn_at)


def read(
    session: Session, keys: Iterable[Key], clerk: Clerk, *, timed: bool = False, city: str | None = None
) -> Book:
    """Read what the city goes by now for these classes.

    timed: whether a clock will run; else the calendar is spared. city: its division code, if there are work orders.
    """
    asked, day = set(keys), clerk.day(clerk.now)
    walked = crosswalk.same(session, asked)
    found = standards.in_force(session, {*asked, *walked.values()}, day)
    ordered = {} if city is None else _orders(session, city, day)
    return Book(read_setting(session, clerk.settings) if timed else _timeless(clerk), found, walked, ordered)


def read_for(session: Session, reports: Sequence[Report], clerk: Clerk, city: str | None) -> Book:
    """Read what the city goes by for reports that come in."""
    timed = city is not None or any(report.condition is not None for report in reports)
    return read(session, map(key_of, reports), clerk, timed=timed, city=city)


def read_setting(session: Session, settings: Settings) -> Setting:
    """Read the calendar the city's clocks run on."""
    calendar = calendars.read(session, settings.work_calendar, ZoneInfo(settings.time_zone))
    return Setting(calendar, settings.due_soon_share)


def key_of(report: Report) -> Key:
    """Return the class a report names."""
    return report.category.scheme, report.category.version, report.category.code


def _timeless(clerk: Clerk) -> Setting:
    calendar = Calendar(clerk.settings.work_calendar, clerk.zone, frozenset(), {}, ())
    return Setting(calendar, clerk.settings.due_soon_share)


def _orders(
    session: Session, city: str, day: date
) -> dict[tuple[str, str, str], tuple[Mapping[str, str], OrderLimit]]:
    found = standards.orders_in_force(session, city, day)
    return {(limit.request_type, limit.urgency, limit.clock): (said, limit) for said, limit in found}


def _as_told(chosen: Condition) -> Json:
    """Keep the condition as it was, so that the record can be read without the standard."""
    return {
        "condition": chosen.number,
        "text_zh": chosen.text_zh,
        "text_en": chosen.text_en or chosen.text_zh,
        "closing_zh": chosen.closing_zh,
        "closing_en": chosen.closing_en or chosen.closing_zh,
        "limit_said": chosen.limit_said,
        "law": chosen.law,
        "article": chosen.article,
    }

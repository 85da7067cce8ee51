"""By when something beside the clocks of an issue has to be done: a whistle answered, a danger made safe."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.issues import calendars, worktime
from gis.issues.worktime import Limit
from gis.settings import Settings


def after(session: Session, start: datetime, limit: Limit, settings: Settings) -> datetime | None:
    """Return when a limit has passed; None where it reaches into a year the calendar does not know."""
    calendar = calendars.read(session, settings.work_calendar, ZoneInfo(settings.time_zone))
    try:
        return worktime.due(start, limit, calendar)
    except Invalid:
        return None

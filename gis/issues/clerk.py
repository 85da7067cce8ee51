"""Who takes reports in and moves issues, when, and by which settings: one value, so that clocks can be tested."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from gis.settings import Settings
from gis.territory.location import Rules

DEFAULTS = Settings()


@dataclass(frozen=True)
class Clerk:
    """Who takes reports in, when, and by which settings."""

    by: str
    now: datetime
    settings: Settings = DEFAULTS
    # What is taken in is history: nobody is told of it.
    quiet: bool = False

    @cached_property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.settings.time_zone)

    @property
    def rules(self) -> Rules:
        """What counts as near a line, and what as a sliver."""
        settings = self.settings
        return Rules(settings.near_boundary_m, settings.sliver_share, settings.sliver_m2)

    def day(self, at: datetime) -> date:
        """Return the city's date of a moment: editions, agreements and standards are asked for it."""
        return at.astimezone(self.zone).date()

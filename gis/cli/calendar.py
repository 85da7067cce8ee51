"""gis calendar: the working calendar that limits run on."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gis import language
from gis import settings as product
from gis.cli.context import cli_session, locale, recorded
from gis.cli.duties import DAY
from gis.issues import calendars, clocks
from gis.issues.clerk import Clerk

# Limits filed today may reach this far.
AHEAD = timedelta(days=60)


@click.group()
def calendar() -> None:
    """Holidays, make-up workdays and shifts, year by year."""


@calendar.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
def load(files: tuple[Path, ...]) -> None:
    """Take in files named CALENDAR-YEAR (day, kind, name_zh, source) or CALENDAR-shifts (from, weekdays, spans).

    Clocks that run, or that waited for the year, are set by it at once; how they stood before stays on record.
    """
    clerk = Clerk(getpass.getuser(), datetime.now(UTC), product.load())
    with recorded() as session:
        for path in files:
            part = calendars.load(session, path, by=clerk.by, now=clerk.now)
            said = "calendar.cli.known" if part.known else "calendar.cli.loaded"
            _tell(said, calendar=part.calendar, part=_part(part.part), version=part.version, rows=part.rows_n)
        moved = clocks.set_anew(session, clerk)
    _tell("calendar.cli.moved", clocks=moved)


@calendar.command()
@click.option("--from", "start", type=DAY, help="First day that must be known; today when left out.")
@click.option("--to", "end", type=DAY, help="Last day that must be known; 60 days on when left out.")
def check(start: datetime | None, end: datetime | None) -> None:
    """Say which parts of the city's calendar lack for the days to come. Ends with 1 if one does."""
    settings = product.load()
    today = datetime.now(ZoneInfo(settings.time_zone)).date()
    first = start.date() if start else today
    last = end.date() if end else first + AHEAD
    with cli_session() as session:
        lacking = calendars.lacking(session, settings.work_calendar, first, last)
    for part in lacking:
        _tell("calendar.cli.lacking", calendar=settings.work_calendar, part=_part(part), file=part)
    if lacking:
        raise SystemExit(1)
    _tell("calendar.cli.complete", calendar=settings.work_calendar, start=first, end=last)


@calendar.command(name="list")
def list_all() -> None:
    """Show the parts that answer now."""
    with cli_session() as session:
        found = calendars.find(session)
    for part in found:
        told = {"calendar": part.calendar, "part": _part(part.part), "version": part.version, "rows": part.rows_n}
        _tell("calendar.cli.listed", **told, at=part.loaded_at.date(), by=part.loaded_by)


def _part(part: str) -> str:
    return language.say("calendar.cli.shifts", locale()) if part == calendars.SHIFTS else part


def _tell(code: str, **params: object) -> None:
    click.echo(language.say(code, locale(), **params))

"""gis rosters: who is resident and who is on call on a subdistrict's standing platform."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gis import language
from gis import settings as product
from gis.cli.context import cli_session, locale
from gis.issues import files
from gis.people import rosters as duty


@click.group()
def rosters() -> None:
    """Who is on duty on the platforms of subdistricts."""


@rosters.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Take in rosters from CSV or XLSX: net, level, unit_code, department, person, standing, valid_from ..."""
    with cli_session() as session:
        loaded = duty.load(session, files.open_table(file).rows, by="gis rosters", now=datetime.now(UTC))
    click.echo(language.say("rosters.cli.loaded", locale(), n=loaded))


@rosters.command(name="list")
@click.option("--unit", help="Only the platform of this unit (net:level:code).")
def list_rosters(unit: str | None) -> None:
    """Show who is on duty today; * marks who can be had now."""
    now = duty.city_time(datetime.now(UTC), product.load().time_zone)
    with cli_session() as session:
        for each in duty.find(session, [unit] if unit else None, now.date()):
            sign = "*" if each.is_reachable(now) else " "
            who = f"{each.person} {each.rank}  {each.phone}"
            click.echo(f"{sign} {each.unit}  {each.department}  {each.standing}  {who}")

"""gis clocks: what is overdue and what is due soon."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from gis import language
from gis.cli.context import cli_session, locale
from gis.issues import clocks as watch


@click.group()
def clocks() -> None:
    """The clocks of open issues."""


@clocks.command()
@click.option("--soon", is_flag=True, help="Also those that are due soon.")
def due(*, soon: bool) -> None:
    """List open issues that are overdue, the longest first."""
    now = datetime.now(UTC)
    with cli_session() as session:
        found = watch.scan(session, now=now, soon=soon)
    for each in found:
        state = language.say("clock.state.overdue" if each.due_at < now else "clock.state.soon", locale())
        click.echo(f"{each.code}  {each.due_at.isoformat(timespec='minutes')}  {state}  {each.lead or '—'}")
    click.echo(language.say("clock.cli.scanned", locale(), n=len(found)))

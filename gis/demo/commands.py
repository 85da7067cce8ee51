"""gis demo: draw the made-up city, found it in the database, let its day go on."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gis import db, language
from gis import settings as product
from gis.cli.context import cli_engine, locale
from gis.demo import city as cities
from gis.demo import day, founding, platforms, roster

_SEED = click.option("--seed", default=cities.SEED, show_default=True, help="Another seed draws another city.")
_CELLS = click.option(
    "--cells",
    type=click.IntRange(*cities.SIZES),
    default=cities.CELLS,
    show_default=True,
    help="About how many grid cells it shall have.",
)


@click.group()
def demo() -> None:
    """A made-up city to look at, learn with and measure by."""


@demo.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_SEED
@_CELLS
def write(folder: Path, seed: int, cells: int) -> None:
    """Write the city's files: boundaries/ and places/, each with the file that says what they hold."""
    founding.write(cities.make(seed, cells), folder)
    click.echo(language.say("demo.written", locale(), folder=folder))


@demo.command()
@_SEED
@_CELLS
def build(seed: int, cells: int) -> None:
    """Found the city in the database; what is there already stays as it is."""
    settings = product.load()
    work = founding.Founding(settings, datetime.now(UTC), (seed, cells))
    with cli_engine() as engine:
        for step in work.steps():
            with db.session(engine, db.EVERYTHING) as session:
                if step.is_done(session):
                    continue
                click.echo(language.say(step.code, settings.language))
                step.do(session)
                session.commit()
    names = [each.username for each in (*roster.STAFF, *(chief for chief, _ in roster.CHIEFS))]
    names += [username for username, _ in roster.SIDES.values()]
    names += [username for username, _, _ in platforms.CALLERS]
    who = ", ".join(names)
    click.echo(language.say("demo.ready", settings.language, who=who, password=roster.PASSWORD))


@demo.command()
@click.option(
    "--speed", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="2: twice as many reports."
)
@click.option(
    "--reports", "reports_n", type=click.IntRange(min=1), help="Stop after so many; go on until stopped if not given."
)
@_SEED
@_CELLS
def live(speed: float, reports_n: int | None, seed: int, cells: int) -> None:
    """Let reports come in as people's days go, until stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = product.load()
    with cli_engine() as engine:
        for accepted in day.live(cities.make(seed, cells), day.Feed(engine, settings, speed), reports_n):
            click.echo(accepted.code)

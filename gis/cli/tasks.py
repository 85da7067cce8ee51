"""gis tasks: long work that was asked for on a page: what there is, and carrying one out."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from gis import db
from gis import settings as product
from gis.cli.context import cli_session
from gis.tasks import queue, running

COLUMNS = ("id", "kind", "state", "by", "asked", "ended")


@click.group()
def tasks() -> None:
    """Long work asked for on a page."""


@tasks.command(name="list")
@click.option("--most", default=50, show_default=True)
def show(most: int) -> None:
    """List tasks, the last asked for first."""
    with cli_session() as session:
        found = queue.find(session, most=most)
    table = Table(*COLUMNS)
    for each in found:
        ended = each.ended_at.isoformat(timespec="seconds") if each.ended_at else ""
        asked = each.asked_at.isoformat(timespec="seconds")
        table.add_row(str(each.id), each.kind, each.state, each.asked_by, asked, ended)
    Console().print(table)


@tasks.command()
@click.argument("task", type=int)
def run(task: int) -> None:
    """Carry a task out now; the worker does it by itself."""
    settings = product.load()
    engine = db.connect(settings)
    click.echo(running.run(engine, settings, task) or "—")
    engine.dispose()

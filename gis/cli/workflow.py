"""gis workflow: the table of the loop as this installation goes by it, and a look at a city's own rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gis import language
from gis import settings as product
from gis.cli.context import cli_session, locale
from gis.issues import escalations, moves, rules
from gis.issues import workflow as advancing
from gis.issues.moves import Move
from gis.issues.workflow import Loop


@click.group()
def workflow() -> None:
    """The moves of an issue: who, from where, to where, with what."""


@workflow.command()
@click.option("--lang", type=click.Choice(language.LOCALES), help="Language; the installation's if not given.")
def show(lang: str | None) -> None:
    """Print the table."""
    path, speaks = product.load().workflow_rules, lang or locale()
    table = Table("move", "from", "who", "needs", "to", "guards")
    for move in rules.table(path):
        table.add_row(*_row(move, speaks, path))
    Console(width=160).print(table)


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a city's rules before they are set; nothing is changed."""
    changed = rules.read(file)
    left = moves.names(moves.apply(changed, rules.TABLE))
    click.echo(language.say("workflow.rules_good", locale(), rules=len(changed), moves=len(left)))


@workflow.command()
def due() -> None:
    """Take up the suspended issues whose day has come, and send up what nobody answered; safe to run at any time."""
    now, loop = datetime.now(UTC), Loop(product.load())
    with cli_session() as session:
        moved = advancing.resume_due(session, now, loop)
        risen = escalations.due(session, now, loop)
    for each in moved:
        click.echo(each.code)
    for one in risen:
        what = language.say(f"whistles.risen.{one.kind}", locale())
        click.echo(language.say("whistles.cli.risen", locale(), issue=one.issue, what=what, number=one.number))


def _row(move: Move, speaks: str, path: Path | None) -> tuple[str, ...]:
    name = rules.name(move.name, speaks, path) or language.say(f"move.{move.name}", speaks)
    needs = ", ".join(f"{need.name}{'' if need.required else '?'}" for need in move.needs)
    states = ", ".join(state for state in moves.STATES if state in move.of)
    return f"{move.name} {name}", states, ", ".join(sorted(move.who)), needs, move.to or "", ", ".join(move.guards)

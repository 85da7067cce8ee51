"""gis workflow: the table of the loop as this installation goes by it, and a look at a city's own rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gis import language
from gis import settings as product
from gis.cli.context import cli_session, locale, signer
from gis.issues import moves, rules
from gis.issues.moves import Move


@click.group()
def workflow() -> None:
    """The moves of an issue: who, from where, to where, with what."""


@workflow.command()
@click.option("--lang", type=click.Choice(language.LOCALES), help="Language; the installation's if not given.")
def show(lang: str | None) -> None:
    """Print the table as it holds now."""
    speaks = lang or locale()
    with cli_session() as session:
        book = rules.current(session, product.load().workflow_rules)
    table = Table("move", "from", "who", "needs", "to", "guards")
    for move in book.moves:
        table.add_row(*_row(move, speaks, book))
    Console(width=160).print(table)


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a city's rules before they are loaded; nothing is changed."""
    changed = rules.parse(rules.read(file))
    left = moves.names(moves.apply(changed, rules.TABLE))
    click.echo(language.say("workflow.rules_good", locale(), rules=len(changed), moves=len(left)))


@workflow.group(name="rules")
def rules_() -> None:
    """A city's own rules, version by version: one person loads them, another puts them in force."""


@rules_.command(name="load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", required=True, help="The account that answers for it.")
def load_rules(file: Path, by: str) -> None:
    """Keep rules as the next version; they are not in force yet."""
    with cli_session() as session:
        version = rules.load(session, rules.read(file), by=signer(session, by), now=datetime.now(UTC))
    click.echo(language.say("workflow.rules_loaded", locale(), version=version))


@rules_.command(name="activate")
@click.argument("version", type=int)
@click.option("--by", required=True, help="Another account than the one that loaded it.")
def activate_rules(version: int, by: str) -> None:
    """Put version VERSION in force, from now on."""
    with cli_session() as session:
        rules.activate(session, version, by=signer(session, by), now=datetime.now(UTC))
    click.echo(language.say("workflow.rules_activated", locale(), version=version))


@rules_.command(name="list")
def list_rules() -> None:
    """Show every version: who loaded it, who put it in force, until when."""
    with cli_session() as session:
        found = rules.find(session)
    table = Table("version", "sha256", "loaded", "by", "in force", "by", "until")
    for each in found:
        told = (each.loaded_at, each.loaded_by, each.activated_at, each.activated_by, each.retired_at)
        table.add_row(str(each.version), each.sha256[:12], *map(_plain, told))
    Console(width=160).print(table)


def _plain(said: object) -> str:
    if isinstance(said, datetime):
        return said.isoformat(timespec="minutes")
    return str(said or "—")


def _row(move: Move, speaks: str, book: rules.Book) -> tuple[str, ...]:
    name = book.name(move.name, speaks) or language.say(f"move.{move.name}", speaks)
    needs = ", ".join(f"{need.name}{'' if need.required else '?'}" for need in move.needs)
    states = ", ".join(state for state in moves.STATES if state in move.of)
    return f"{move.name} {name}", states, ", ".join(sorted(move.who)), needs, move.to or "", ", ".join(move.guards)

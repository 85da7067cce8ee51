"""gis messages: what went out, what is stuck, where people are reached, and a test of a channel."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gis import language
from gis import settings as product
from gis.cli.context import cli_session, locale, recorded
from gis.errors import NotFound
from gis.issues.messages import channels, contacts, outbox, senders
from gis.issues.messages.channels import Channel
from gis.issues.messages.outbox import Letter

COLUMNS = ("id", "at", "event", "channel", "to", "issue", "state", "attempts", "fault")


@click.group()
def messages() -> None:
    """Messages to people and systems."""


@messages.command(name="list")
@click.option("--all", "every", is_flag=True, help="Those that wait and those that were sent, too.")
@click.option("--most", default=100, show_default=True)
def show(every: bool, most: int) -> None:
    """List messages that are stuck: given up, or sent or not, nobody knows. No address is shown."""
    states = (outbox.UNSURE, outbox.DEAD, *((outbox.WAITING, outbox.SENT) if every else ()))
    table = Table(*COLUMNS)
    with cli_session() as session:
        for row in outbox.stuck(session, states=states, most=most):
            fault = row["fault"]
            said = language.say(fault["code"], locale(), **fault["params"]) if fault else ""
            at, code = row["at"].isoformat(timespec="seconds"), row["code"] or ""
            told = (at, row["event"], row["channel"], row["recipient"], code, row["state"])
            table.add_row(str(row["id"]), *told, str(row["attempts_n"]), said)
        counted = outbox.counts(session)
    Console().print(table)
    click.echo(", ".join(f"{channel} {state} {count}" for (channel, state), count in sorted(counted.items())))


@messages.command()
@click.argument("ids", type=int, nargs=-1, required=True)
def retry(ids: tuple[int, ...]) -> None:
    """Send messages again that are stuck."""
    with cli_session() as session:
        count = outbox.retry(session, ids, datetime.now(UTC))
    click.echo(language.say("messages.retried", locale(), count=count))


@messages.command()
@click.argument("channel")
@click.argument("address", default="")
def test(channel: str, address: str) -> None:
    """Send a test message by a channel now, past the queue. ADDRESS: whom; nothing for a webhook."""
    settings = product.load()
    way = _find(channel, channels.table(settings.channels))
    number = secrets.token_hex(4)
    now = datetime.now(UTC)
    letter = Letter(0, f"test:{number}", "test", address, {"code": number}, now, 1)
    outcome = senders.send(senders.Sending(way, letter, now, settings.language))
    if outcome.fault is not None:
        raise outcome.fault
    click.echo(language.say("messages.tested", locale(), channel=channel))


@messages.command(name="contacts")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Take in where people are reached: a CSV file with owner, channel and address. What it does not name, ends."""
    with recorded() as session:
        added, ended = contacts.load(session, file)
    click.echo(language.say("messages.contacts", locale(), added=added, ended=ended))


def _find(code: str, ways: tuple[Channel, ...]) -> Channel:
    for way in ways:
        if way.code == code:
            return way
    raise NotFound("channels.unknown", channel=code, channels=", ".join(way.code for way in ways) or "—")

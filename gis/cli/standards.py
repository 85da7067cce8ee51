"""gis standards: filing conditions with their limits, limits of work orders, and old codes beside new ones."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from gis import language
from gis.cli.context import cli_session, locale, recorded
from gis.cli.duties import DAY
from gis.errors import NotFound
from gis.issues import categories, standards
from gis.issues.standards import Reader, Reading, Title, crosswalk, orders

SHOWN = 60
Command = Callable[..., Any]


def _said_of_file(command: Command) -> Command:
    """Add what a file of conditions does not say itself."""
    for option in (
        click.option("--plain", type=click.Choice(list(standards.PLAIN)), default=standards.WORKING, show_default=True,
                     help="What bare hours and days (小时, 天) are: of working time, or of the clock."),
        click.option("--kind", type=click.Choice(list(standards.LETTERS)), help="Of sheets that do not say it."),
        click.option("--scheme-version", default="2013", show_default=True, help="Version of the category scheme."),
        click.option("--scheme", default="cg", show_default=True, help="Category scheme of its classes."),
        click.argument("file", type=click.Path(path_type=Path)),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(name="standards")
def standards_() -> None:
    """How long an issue may take, by the condition it is filed under."""


@standards_.command()
@_said_of_file
def check(file: Path, scheme: str, scheme_version: str, kind: str | None, plain: str) -> None:
    """Read a table of conditions and tell every row that is not taken as it stands; write nothing."""
    with cli_session() as session:
        reading = Reader(_names(session, scheme, scheme_version), kind, plain).read(file)
    _tell_reading(reading)


@standards_.command()
@_said_of_file
@click.option("--name", required=True, help="The standard's name.")
@click.option("--version", required=True, help="A version it does not have yet.")
@click.option("--source", default="", help="Where it comes from.")
def load(file: Path, scheme: str, scheme_version: str, kind: str | None, plain: str, **said: str) -> None:
    """Keep a table of conditions as a draft, beside all versions before it; every row that is not taken is told."""
    title = Title(said["name"], said["version"], scheme, scheme_version, said["source"])
    with recorded() as session:
        reading = Reader(_names(session, scheme, scheme_version), kind, plain).read(file)
        standards.load(session, title, reading, by=getpass.getuser(), now=datetime.now(UTC))
    _tell_reading(reading)
    _tell("standards.cli.loaded", standard=title.name, version=title.version)


@standards_.command(name="orders")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Its name.")
@click.option("--version", required=True, help="A version it does not have yet.")
@click.option("--source", default="", help="Where it comes from.")
@click.option("--plain", type=click.Choice(list(standards.PLAIN)), default=standards.WORKING, show_default=True)
def load_orders(file: Path, name: str, version: str, source: str, plain: str) -> None:
    """Keep limits of work orders as a draft: city, request_type, urgency, sign, contact, reply."""
    with recorded() as session:
        limits = orders.read(file, plain)
        title = Title(name, version, "", "", source)
        standards.load_orders(session, title, limits, by=getpass.getuser(), now=datetime.now(UTC))
    _tell("standards.cli.orders", limits=len(limits), cities=len({each.city for each in limits}))
    _tell("standards.cli.loaded", standard=name, version=version)


@standards_.command()
@click.argument("name")
@click.argument("version")
@click.option("--from", "start", type=DAY, required=True, help="The first day it holds.")
def activate(name: str, version: str, start: datetime) -> None:
    """Put version VERSION of standard NAME in force from a day, for issues filed from then on."""
    with recorded() as session:
        standards.activate(session, name, version, start.date())
    _tell("standards.cli.activated", standard=name, version=version, start=start.date())


@standards_.command(name="list")
def list_all() -> None:
    """Show every version of every standard."""
    with cli_session() as session:
        found = standards.find(session)
    for each in found:
        _tell(
            f"standards.cli.listed.{each.kind}",
            **each.as_key(),
            scheme=f"{each.scheme} {each.scheme_version}",
            state=language.say(f"duties.state.{each.state}", locale()),
            valid_from=each.valid_from or "—",
            valid_to=each.valid_to or language.say("duties.cli.open_end", locale()),
            rows=each.rows_n,
            conditions=each.conditions_n,
            untimed=each.untimed_n,
            notices=each.notices_n,
        )


@standards_.command(name="notices")
@click.argument("name")
@click.argument("version")
def list_notices(name: str, version: str) -> None:
    """Show what was told of the rows of a version when it was loaded."""
    with cli_session() as session:
        standards.get(session, name, version)
        found = standards.notices(session, name, version)
    for notice in found:
        _tell_notice(notice)


@standards_.command(name="crosswalk")
@click.argument("file", type=click.Path(path_type=Path))
def load_crosswalk(file: Path) -> None:
    """Take in classes of one scheme beside those of another, with what the one is to the other."""
    with recorded() as session:
        loaded = crosswalk.load(session, file)
    _tell("standards.cli.crosswalk", pairs=loaded)


def _names(session: Session, scheme: str, version: str) -> dict[str, str]:
    known = categories.find(session, scheme)
    names = {each.code: each.name_zh for each in known if each.version == version}
    if not names:
        raise NotFound("standards.no_scheme", scheme=scheme, version=version)
    return names


def _tell_reading(reading: Reading) -> None:
    for notice in reading.notices[:SHOWN]:
        _tell_notice(notice)
    if len(reading.notices) > SHOWN:
        _tell("standards.cli.more", n=len(reading.notices) - SHOWN)
    untimed = len(reading.conditions) - reading.timed_n
    left = reading.rows_n - len(reading.conditions)
    _tell("standards.cli.read", rows=reading.rows_n, timed=reading.timed_n, untimed=untimed, left=left)
    if reading.plain_n:
        _tell("standards.cli.plain", n=reading.plain_n)


def _tell_notice(notice: standards.Notice) -> None:
    why = language.say(notice.code, locale(), **notice.params)
    _tell("standards.cli.notice", sheet=notice.sheet or "—", row=notice.row, why=why)


def _tell(code: str, **params: object) -> None:
    click.echo(language.say(code, locale(), **params))

"""gis departments, gis categories: who can be called, and what an issue can be about."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from gis import language
from gis.cli.context import cli_session, locale, recorded
from gis.cli.duties import DAY
from gis.issues import categories as schemes
from gis.issues import files
from gis.people import departments as offices
from gis.territory import units


@click.group()
def departments() -> None:
    """The departments that can be called."""


@departments.command(name="load")
@click.argument("file", type=click.Path(path_type=Path))
def load_departments(file: Path) -> None:
    """Take in departments from CSV or XLSX: code, kind, name_zh, name_en, net, level, unit_code.

    Where a department has two masters: belongs_to and managed_by, by their codes.
    """
    with recorded() as session:
        loaded = offices.load(session, [row for _, row in files.open_table(file).rows])
    _tell("departments.cli.loaded", n=loaded)


@departments.command()
@click.option("--net", default="admin", show_default=True, help="The net whose units get departments.")
@click.option("--on", type=DAY, required=True, help="The day whose units count.")
@click.option("--kinds", help="Only these kinds, separated by spaces.")
def establish(net: str, on: datetime, kinds: str | None) -> None:
    """Open one department of each kind for each unit of the level it serves, where there is none yet."""
    with recorded() as session:
        table = units.load_units(session, units.of_net(session, net, on.date()).id)
        served = [table.ref(row) for row in range(len(table))]
        opened = offices.establish(session, served, kinds.split() if kinds else None)
    _tell("departments.cli.established", n=opened)


@departments.command(name="close")
@click.argument("code")
@click.option("--on", type=DAY, required=True, help="The day from which on nobody is sent to it; not one to come.")
def close_department(code: str, on: datetime) -> None:
    """Close a department; its name stays in history, and a person sends on what it still has."""
    with cli_session() as session:
        offices.close(session, code, on=on.date(), today=date.today())  # noqa: DTZ011 -- of whoever types
    _tell("departments.cli.closed", department=code, on=on.date())


@departments.command(name="list")
@click.option("--kind", help="Only of this kind.")
@click.option("--unit", help="Only those that serve this unit (net:level:code).")
def list_departments(kind: str | None, unit: str | None) -> None:
    """Show departments by code."""
    with cli_session() as session:
        for each in offices.find(session, kind=kind, ground=unit):
            named = f"{each.code}  {each.kind}  {each.name_zh}  {each.name_en}  {each.ground or '*'}"
            click.echo(named + _masters(each))


def _masters(department: offices.Department) -> str:
    said = {"departments.belongs_to": department.belongs_to, "departments.managed_by": department.managed_by}
    return "".join(f"  {language.say(code, locale(), master=master)}" for code, master in said.items() if master)


@departments.command(name="kinds")
def list_kinds() -> None:
    """Show the kinds of department there are."""
    for kind in offices.kinds().values():
        click.echo(f"{kind.code}  {kind.name_zh}  {kind.name_en}")


@click.group()
def categories() -> None:
    """What an issue can be about: schemes, by version."""


@categories.command(name="load")
@click.argument("file", type=click.Path(path_type=Path))
def load_categories(file: Path) -> None:
    """Take in a scheme from CSV or XLSX: scheme, version, code, parent, name_zh, name_en, urgency, boundary_risk."""
    with recorded() as session:
        loaded = schemes.load(session, file)
    _tell("categories.cli.loaded", n=loaded)


@categories.command(name="list")
@click.argument("words", default="")
@click.option("--scheme", help="Only of this scheme.")
def list_categories(words: str, scheme: str | None) -> None:
    """Show categories; WORDS: part of a code or a name."""
    with cli_session() as session:
        for each in schemes.find(session, scheme, words):
            click.echo(f"{each.scheme} {each.version}  {each.code}  {each.name_zh}  {each.name_en}")


def _tell(code: str, **params: object) -> None:
    click.echo(language.say(code, locale(), **params))

"""gis agreements: what neighbours have agreed for a piece of ground."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gis import language
from gis.cli.context import cli_session, locale, recorded
from gis.cli.duties import DAY, read_json
from gis.issues import agreements as pacts
from gis.issues import drafts


@click.group()
def agreements() -> None:
    """Standing agreements between neighbours (边界协议)."""


@agreements.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", default="gis agreements add", show_default=True, help="Who puts it on record.")
def add(file: Path, by: str) -> None:
    """Put an agreement on record from JSON: title, geometry (GeoJSON; a line with width_m), parties, lead, valid_from.

    categories, valid_to and document may be said too. Units are written net:level:code.
    """
    draft = drafts.parse(read_json(file))
    with recorded() as session:
        code = pacts.add(session, draft, by=by, now=datetime.now(UTC))
    click.echo(language.say("agreements.cli.added", locale(), code=code))


@agreements.command()
@click.argument("code")
def withdraw(code: str) -> None:
    """End agreement CODE for issues to come; it stays on record."""
    with recorded() as session:
        pacts.withdraw(session, code, now=datetime.now(UTC))
    click.echo(language.say("agreements.cli.withdrawn", locale(), code=code))


@agreements.command(name="list")
@click.option("--on", type=DAY, help="Only those that hold on this day.")
def list_all(on: datetime | None) -> None:
    """Show the agreements, the newest first."""
    with cli_session() as session:
        found = pacts.find(session, on.date() if on else None)
    for each in found:
        click.echo(_line(each))


def _line(each: pacts.Agreement) -> str:
    open_end = language.say("duties.cli.open_end", locale())
    return language.say(
        "agreements.cli.listed",
        locale(),
        code=each.code,
        title=each.title,
        lead=each.lead,
        parties=" ".join(each.parties),
        valid_from=each.valid_from,
        valid_to=each.valid_to or open_end,
        area_m2=each.area_m2,
        state=language.say("agreements.cli.gone", locale()) if each.withdrawn_at else "",
    )

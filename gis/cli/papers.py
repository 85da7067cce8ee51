"""gis papers: the Word forms of official papers, written out so that a city can make them its own."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gis import language
from gis import settings as product
from gis.cli.context import locale
from gis.issues.papers import forms, values
from gis.issues.papers.forms import Press


@click.group()
def papers() -> None:
    """Daily reports, supervision letters and consultation minutes."""


@papers.command(name="forms")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def write_forms(folder: Path) -> None:
    """Write our forms into a folder; what is there stays. SHAOTU_PAPER_FORMS names it for the product."""
    folder.mkdir(parents=True, exist_ok=True)
    zone = ZoneInfo(product.load().time_zone)
    for kind in values.KINDS:
        for spoken in language.LOCALES:
            path = folder / f"{kind}.{spoken}.docx"
            if path.exists():
                continue
            path.write_bytes(forms.made(kind, Press(spoken, zone)))
            click.echo(language.say("paper.cli.written", locale(), path=path))

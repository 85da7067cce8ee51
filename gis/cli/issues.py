"""gis issues: load files of reports, register sources, decide on their default points."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from gis import language
from gis import settings as product
from gis.cli import loading
from gis.cli.context import cli_engine, cli_session
from gis.issues import bulk, default_points, intake, sources
from gis.issues.tables import DefaultPoint, Load, Source
from gis.territory import coords

FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.group()
def issues() -> None:
    """Reports and the issues they become."""


@issues.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_path", type=click.Path(path_type=Path), required=True, help="Field -> column.")
@click.option("--rejects", "rejects_path", type=click.Path(path_type=Path), help="FILE.rejects.csv when left out.")
@click.option("--by", default="gis issues load", show_default=True, help="Who takes the reports in.")
def load(file: Path, mapping_path: Path, rejects_path: Path | None, by: str) -> None:
    """File every report of a CSV, XLSX, GeoParquet or GeoJSON file; go on where an earlier run broke off."""
    clerk = intake.Clerk(by, datetime.now(UTC), product.load(), quiet=True)
    rejects_path = rejects_path or file.with_name(f"{file.name}.rejects.csv")
    with cli_engine() as engine:
        done = loading.load_file(engine, file, mapping_path, clerk)
        loading.in_transaction(engine, lambda session: _write_rejects(session, done, rejects_path, clerk))
    code = "issues.loaded" if done.rejected else "issues.loaded_all"
    click.echo(language.say(code, clerk.settings.language, **_counted(done), rejects=rejects_path))


@issues.group()
def source() -> None:
    """Where reports come from."""


@source.command(name="add")
@click.argument("code")
@click.option("--zh", "name_zh", required=True, help="Its Chinese name.")
@click.option("--en", "name_en", required=True, help="Its English name.")
@click.option("--datum", type=click.Choice(coords.DATUMS), default="WGS84", show_default=True)
@click.option("--accuracy-m", type=float, help="Of its coordinates; left out: unknown.")
@click.option("--accuracy-kind", default=None, help="Its meaning: sigma, radius95, radius68, radius50, max.")
def add_source(  # noqa: PLR0913, PLR0917 -- one for each option
    code: str, name_zh: str, name_en: str, datum: str, accuracy_m: float | None, accuracy_kind: str | None
) -> None:
    """Register a source with the datum and accuracy to assume when a report says none."""
    named = {"code": code, "name_zh": name_zh, "name_en": name_en}
    with cli_session() as session:
        sources.add(session, Source(**named, datum=datum, accuracy_m=accuracy_m, accuracy_kind=accuracy_kind))


@source.command(name="list")
def list_sources() -> None:
    """List the sources."""
    with cli_session() as session:
        for code in sources.names(session):
            click.echo(code)


@issues.group(name="default-points")
def points() -> None:
    """Points a source gives when it does not know."""


@points.command()
@click.argument("source_code", metavar="SOURCE")
@click.option("--at-least", type=click.IntRange(2), default=default_points.WORTH_ASKING, show_default=True)
def propose(source_code: str, at_least: int) -> None:
    """Count the issues on identical coordinates and propose the crowded points."""
    table = Table("id", "longitude", "latitude", "issues", "texts", "categories", "addresses", "state")
    with cli_session() as session:
        for point in default_points.propose(session, source_code, at_least=at_least):
            table.add_row(*_cells(point))
    Console().print(table)


@points.command(name="accept")
@click.argument("point_id", type=int)
@click.option("--by", required=True, help="Who decides.")
def accept_point(point_id: int, by: str) -> None:
    """Settle that a point says nothing; its issues are to be located again."""
    with cli_session() as session:
        click.echo(default_points.accept(session, point_id, by=by, now=datetime.now(UTC)))


@points.command(name="reject")
@click.argument("point_id", type=int)
@click.option("--by", required=True, help="Who decides.")
def reject_point(point_id: int, by: str) -> None:
    """Settle that the reports on a point are honest."""
    with cli_session() as session:
        default_points.reject(session, point_id, by=by, now=datetime.now(UTC))


def _write_rejects(session: Session, done: Load, path: Path, clerk: intake.Clerk) -> None:
    """Write the rejected rows with row number, code and sentence, then the columns as they were."""
    if not done.rejected:
        return
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for nth, reject in enumerate(bulk.rejects(session, done.id)):
            if nth == 0:
                writer.writerow(["row", "code", "reason", *reject.columns])
            sentence = language.say(reject.code, clerk.settings.language, **reject.params)
            writer.writerow([reject.row, reject.code, sentence, *map(_harmless, reject.columns.values())])


def _harmless(cell: object) -> str:
    """Keep a spreadsheet from taking a stranger's text for a formula."""
    written = "" if cell is None else str(cell)
    return f"'{written}" if written.startswith(FORMULA) and not _is_number(written) else written


def _is_number(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True


def _cells(point: DefaultPoint) -> list[str]:
    counts = (point.issues_n, point.texts_n, point.categories_n, point.addresses_n)
    return [str(point.id), f"{point.lon:.6f}", f"{point.lat:.6f}", *map(str, counts), point.state]


def _counted(done: Load) -> dict[str, object]:
    counts = {"rows": done.rows_done, "accepted": done.accepted, "known": done.known, "rejected": done.rejected}
    return counts | {"name": done.name}

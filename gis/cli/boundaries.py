"""gis boundaries: check boundary files, load them as editions, let an edition answer from a date, withdraw it."""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.orm import Session

from gis import language
from gis import settings as product
from gis.cli import index as indexes
from gis.cli.context import cli_session, recorded
from gis.errors import Invalid
from gis.territory import boundaries as ground
from gis.territory import faults
from gis.territory.boundaries import Draft, Manifest
from gis.territory.faults import Fault

SHOWN = 50
MANIFEST = click.argument("manifest", type=click.Path(path_type=Path))
DATA = click.option("--data", type=click.Path(path_type=Path), help="Where the files are, if not beside the manifest.")
GEOJSON = click.option("--geojson", type=click.Path(path_type=Path), help="Write the faults to this GeoJSON file.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Do all of it, then undo it and say what would have been.")


@click.group()
def boundaries() -> None:
    """Boundaries in dated editions."""


@boundaries.command()
@MANIFEST
@DATA
@GEOJSON
def check(manifest: Path, data: Path | None, geojson: Path | None) -> None:
    """Read the files of a manifest and tell their faults; write nothing. Ends with 1 if a load would be refused."""
    said = ground.read_manifest(manifest, folder=data)
    with _ground(said) as session:
        drafts = _read(said, session)
    found = [(draft, ground.check(draft)) for draft in drafts]
    for draft, faults_found in found:
        _tell_draft(draft)
        _tell_faults(faults_found)
    _write(geojson, (fault for _, faults_found in found for fault in faults_found))
    above = sum(fault.is_above(draft.edition.tolerance) for draft, faults_found in found for fault in faults_found)
    click.echo(_say("cli.boundaries.checked", count=sum(len(each) for _, each in found), above=above))
    if above:
        raise SystemExit(1)


@boundaries.command()
@MANIFEST
@DATA
@GEOJSON
@click.option("--accept", is_flag=True, help="Load in spite of faults above the tolerance, and store them.")
@DRY_RUN
def load(manifest: Path, data: Path | None, geojson: Path | None, accept: bool, dry_run: bool) -> None:
    """Load the editions of a manifest, dark: they answer for no date before they are activated. All of them or none."""
    said = ground.read_manifest(manifest, folder=data)
    now = datetime.now(UTC)
    with recorded() as session, _progress() as progress:
        drafts = _read(said, session)
        task = progress.add_task(_say("cli.boundaries.writing"), total=len(drafts))
        try:
            for draft in drafts:
                edition = ground.load(session, draft, accept=accept, by=_who(), now=now)
                told = {"net": edition.net, "edition": edition.name, "units": len(draft.units)}
                progress.console.print(_say("cli.boundaries.loaded", **told, faults=_counted(edition.report["faults"])))
                progress.advance(task)
        except ground.FaultsFoundError as error:
            _write(geojson, error.faults)
            raise
        _finish(session, dry_run=dry_run)
    if not dry_run:
        # only now do other connections see the editions, and only now can another process have begun
        with cli_session() as session:
            indexes.build_missing(session)


@boundaries.command()
@click.argument("net")
@click.argument("edition")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="The manifest's date when left out.")
@DRY_RUN
def activate(net: str, edition: str, start: datetime | None, dry_run: bool) -> None:
    """Let an edition answer from a date; the one before it answers until then."""
    with recorded() as session:
        day = start.date() if start else None
        made = ground.activate(session, net, edition, day, by=_who(), now=datetime.now(UTC))
        click.echo(
            _say("cli.boundaries.activated", net=net, edition=edition, start=made.valid_from, end=made.valid_to or "…")
        )
        _finish(session, dry_run=dry_run)


@boundaries.command()
@click.argument("net")
@click.argument("edition")
@DRY_RUN
def retire(net: str, edition: str, dry_run: bool) -> None:
    """Withdraw an edition: it answers for no date any more, its record stays, the one before it answers on."""
    with recorded() as session:
        ground.retire(session, net, edition, by=_who(), now=datetime.now(UTC))
        click.echo(_say("cli.boundaries.retired", net=net, edition=edition))
        _finish(session, dry_run=dry_run)


@boundaries.command(name="list")
def show() -> None:
    """List every edition of every net."""
    table = Table(
        *(
            _say(f"cli.boundaries.column.{name}")
            for name in ("net", "edition", "state", "from", "to", "faults", "source")
        )
    )
    with cli_session() as session:
        for edition in ground.list_editions(session):
            state = _say(f"cli.boundaries.state.{edition.state}")
            dates = (str(edition.valid_from or ""), str(edition.valid_to or ""))
            table.add_row(
                edition.net, edition.name, state, *dates, _counted(edition.report.get("faults", {})), edition.source
            )
    Console().print(table)


def _read(manifest: Manifest, session: Session | None) -> Sequence[Draft]:
    with _progress() as progress:
        progress.add_task(_say("cli.boundaries.reading"), total=None)
        return ground.read(manifest, ground.ground(session)) if session else ground.read(manifest)


@contextmanager
def _ground(manifest: Manifest) -> Iterator[Session | None]:
    """Open the database only for a manifest that stands on what is in it."""
    if manifest.needs_database:
        with cli_session() as session:
            yield session
    else:
        yield None


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
    )


def _tell_draft(draft: Draft) -> None:
    report = draft.report
    sizes = {"units": len(draft.units), "vertices": report["vertices"], "added": report["vertices_added"]}
    click.echo(_say("cli.boundaries.draft", net=draft.net.code, edition=draft.edition.name, **sizes))
    for file in report["files"]:
        accuracy = "?" if file["operation_accuracy_m"] is None else f"{file['operation_accuracy_m']:g}"
        click.echo("  " + _say("cli.boundaries.file", **(file | {"operation_accuracy_m": accuracy})))
        for what in ("heights_dropped", "lines_or_points_dropped", "curves_made_straight"):
            if what in file:
                click.echo("    " + _say(f"cli.boundaries.{what}", rows=file[what]))
        if file["better_operations_missing"]:
            click.echo(
                "    " + _say("cli.boundaries.better_missing", names="; ".join(file["better_operations_missing"]))
            )


def _tell_faults(found: Sequence[Fault]) -> None:
    for fault in found[:SHOWN]:
        click.echo("  " + _say(fault.sentence, **fault.told))
    if len(found) > SHOWN:
        click.echo("  " + _say("cli.boundaries.more_faults", count=len(found) - SHOWN))


def _write(path: Path | None, found: Iterable[Fault]) -> None:
    if path is None:
        return
    try:
        path.write_text(json.dumps(faults.as_geojson(found), ensure_ascii=False), "utf-8")
    except OSError as error:
        raise Invalid("boundaries.not_writable", path=str(path), reason=str(error)) from error


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(counts).items())) or "-"


def _finish(session: Session, *, dry_run: bool) -> None:
    if dry_run:
        session.rollback()
        click.echo(_say("cli.boundaries.dry"))


def _who() -> str:
    return getpass.getuser()


def _say(code: str, **params: object) -> str:
    return language.say(code, product.load().language, **params)

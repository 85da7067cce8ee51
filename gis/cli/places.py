"""gis places: import buildings, streets, estates, components, addresses and land; shares; what lies across a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from shapely.geometry import mapping as as_geojson

from gis import language
from gis import settings as product
from gis.cli.context import cli_session
from gis.people import areas
from gis.territory import places as ground
from gis.territory import units
from gis.territory.places import PlaceFile, Reject, Report, Sliver, Straddler, Watch

REJECTS = click.option(
    "--rejects", type=click.Path(path_type=Path), help="Where rows left out go; a file in var/rejects else."
)
DATA = click.option("--data", type=click.Path(path_type=Path), help="Where the files are, if not beside the mapping.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Do all of it, then undo it and say what would have been.")
ON = click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day asked about; today when left out.")


@click.group()
def places() -> None:
    """Buildings, streets, estates, components, addresses and land."""


@places.command()
@click.argument("mapping", type=click.Path(path_type=Path))
@DATA
@REJECTS
@DRY_RUN
def load(mapping: Path, data: Path | None, rejects: Path | None, dry_run: bool) -> None:
    """Import the files of a mapping. A row that is known already is brought up to date; nothing is deleted."""
    files = ground.read_mapping(mapping, data)
    left_out: list[Reject] = []
    with cli_session() as session:
        for file in files:
            with _watched(file, left_out) as watch:
                report = ground.load(session, file, watch, now=datetime.now(UTC), dry_run=dry_run)
            _tell(report)
        _write(rejects or _default_rejects(mapping), left_out)
        if dry_run:
            click.echo(_say("cli.places.dry_run"))


@places.command(name="areas")
@click.argument("mapping", type=click.Path(path_type=Path))
@DATA
@REJECTS
def load_areas(mapping: Path, data: Path | None, rejects: Path | None) -> None:
    """Import responsibility areas: the ground a street, lane or river chief or a grid leader answers for."""
    left_out: list[Reject] = []
    with cli_session() as session:
        for file in areas.read_mapping(mapping, data):
            report = areas.load(session, file, left_out.append)
            click.echo(_say("cli.places.areas", **(vars(report) | {"file": report.path.name})))
        _write(rejects or _default_rejects(mapping), left_out)


@places.command()
@click.argument("net")
@click.argument("level")
@click.option("--kind", type=click.Choice(ground.SHARED_KINDS), default="building", show_default=True)
@click.option("--geojson", type=click.Path(path_type=Path), help="Write the shapes to this GeoJSON file.")
@ON
def straddlers(net: str, level: str, kind: str, geojson: Path | None, on: datetime | None) -> None:
    """List what lies across a line of a level, the most evenly divided first."""
    settings = product.load()
    with cli_session() as session:
        edition = units.of_net(session, net, on.date() if on else date.today())  # noqa: DTZ011 -- the user's own day
        sliver = Sliver(settings.sliver_share, settings.sliver_m2)
        found = ground.straddlers(session, edition.id, level, kind, sliver)
    for each in found:
        parts = " · ".join(f"{part.unit.name} {part.share:.1%}" for part in each.parts)
        click.echo(f"{each.external_id}\t{each.name}\t{each.area_m2:.0f} m2\t{parts}")
    click.echo(_say("cli.places.straddlers", count=len(found), net=net, level=level, edition=edition.name))
    if geojson:
        features = [_feature(each) for each in found]
        geojson.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8")


def _feature(each: Straddler) -> dict[str, object]:
    parts = [part.unit.as_dict() | {"share": part.share} for part in each.parts]
    properties = {"kind": each.kind, "id": each.external_id, "name": each.name, "area_m2": each.area_m2, "parts": parts}
    return {"type": "Feature", "geometry": as_geojson(each.geometry), "properties": properties}


@contextmanager
def _watched(file: PlaceFile, left_out: list[Reject]) -> Iterator[Watch]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(file.path.name, total=None)
        yield Watch(lambda done, rows_n: progress.update(task, completed=done, total=rows_n), left_out.append)


def _default_rejects(mapping: Path) -> Path:
    return product.load().var_dir / "rejects" / f"{mapping.stem}.csv"


def _write(path: Path, left_out: list[Reject]) -> None:
    """Write the rows left out, each with its reason; no file when there are none."""
    if not left_out:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("row", "external_id", "code", "reason"))
        writer.writerows((each.row, each.external_id, each.code, _say(each.code, **each.params)) for each in left_out)
    click.echo(_say("cli.places.rejects", path=path, count=len(left_out)))


def _tell(report: Report) -> None:
    click.echo(_say("cli.places.loaded", **(vars(report) | {"file": report.path.name})))
    for name in ("repaired", "flattened"):
        if getattr(report, name):
            click.echo("  " + _say(f"cli.places.{name}", count=getattr(report, name)))


def _say(code: str, **params: object) -> str:
    return language.say(code, product.load().language, **params)

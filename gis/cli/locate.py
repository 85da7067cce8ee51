"""gis locate: whose ground is it, from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import language
from gis import settings as product
from gis.cli import context, locating
from gis.cli.locating import Crew, Errand, by_threads
from gis.cli.parts import Parts
from gis.errors import Invalid
from gis.territory import locate as locator
from gis.territory import sheets
from gis.territory.location import LevelAnswer, Location, Nearby, Rules
from gis.territory.said import UNKNOWN, Habits
from gis.territory.sheets import COLUMNS, Recipe


@click.command()
@click.argument("place", nargs=-1)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day whose boundaries answer; today if not given.")
@click.option("--datum", help="Datum of the coordinates: WGS84, CGCS2000, GCJ02, BD09.")
@click.option("--accuracy", type=float, help="Accuracy of the coordinates in metres.")
@click.option("--accuracy-kind", help="Its meaning: radius95 (default), radius68, radius50, sigma, max.")
@click.option("--geometry", help="A GeoJSON geometry instead of a point.")
@click.option("--building", help="A building, by its number or its source's number.")
@click.option("--street", help="A street, by its number or its source's number.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON, the same HTTP gives.")
@locating.options
def locate(place: tuple[str, ...], out: Path | None, **said: Any) -> None:  # noqa: ANN401
    """Say what PLACE stands on: "LON LAT" or an address. With -o: every place of the file PLACE.

    A file is CSV, Parquet, GeoParquet (or a folder of them), GeoJSON, FlatGeobuf, GeoPackage or Shapefile; OUT is CSV,
    Parquet, GeoJSON, or a folder for Parquet in parts. Killed and started again, the same command goes on.
    """
    if out:
        _of_file(place, out, said)
    else:
        _of_place(place, said)


def _of_place(place: tuple[str, ...], said: Mapping[str, Any]) -> None:
    with context.cli_session() as session:
        found = locator.at(session, locator.parse(_said(place, said)), _day(said))
        words = Words(context.locale(), _names(session, context.locale()))
    if said["as_json"]:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_lines(found, words)))


def _of_file(place: tuple[str, ...], out: Path, said: Mapping[str, Any]) -> None:
    if len(place) != 1 or (said["on"] and said["date_column"]):
        raise click.UsageError("FILE -o OUT, with --on or --date-column")
    say = Words(context.locale(), {}).say
    errand = Errand(Path(place[0]), out, _recipe(said), part_rows=said["part_rows"], overwrite=said["overwrite"])
    with context.cli_engine() as engine:
        crew = _on_cluster(engine, errand, said["scheduler"]) if said["scheduler"] else by_threads(said["threads"])
        whole = locating.run(errand, locating.opened(engine), crew, say)
    click.echo("\n".join(locating.told(whole, out, say)))


def _on_cluster(engine: Engine, errand: Errand, address: str) -> Crew:
    # Dask comes with its first errand, not with every place.
    from gis.cli import crew  # noqa: PLC0415

    if sheets.kind_of(errand.file) != "parquet" or errand.kind != "parquet":
        raise Invalid("crew.parquet_only", file=errand.file.name, out=errand.out.name)
    work = crew.Work(errand.file.resolve(), errand.recipe, Parts(errand.out.resolve(), errand.kind))
    return crew.on(address, locating.carried(engine, errand.recipe), work)


def _recipe(said: Mapping[str, Any]) -> Recipe:
    settings = product.load()
    habits = Habits(said["datum"] or UNKNOWN.datum, said["accuracy"], said["accuracy_kind"])
    columns = {kind: said[f"{kind}_column"] for kind in COLUMNS}
    return Recipe(
        on=_day(said),
        **columns,
        habits=habits,
        zone=ZoneInfo(settings.time_zone),
        names=context.locale() if said["names"] else None,
        detail=said["detail"],
        prefix=said["prefix"],
        nets=said["net"],
        rules=Rules(settings.near_boundary_m, settings.sliver_share, settings.sliver_m2),
    )


def _day(said: Mapping[str, Any]) -> date:
    on: datetime | None = said["on"]
    return on.date() if on else date.today()  # noqa: DTZ011 - the day on the operator's own clock


@dataclass(frozen=True)
class Words:
    """The reader's language, and what nets ("net") and levels ("net:level") are called in it."""

    locale: str
    names: Mapping[str, str]

    def say(self, code: str, **params: object) -> str:
        """Render a sentence."""
        return language.say(code, self.locale, **params)


def _names(session: Session, locale: str) -> dict[str, str]:
    name = "name_en" if locale == "en" else "name_zh"
    asked = text(f"SELECT code, {name} FROM net UNION ALL SELECT net || ':' || code, {name} FROM level")
    return {row.code: row[1] for row in session.execute(asked)}


def _said(words: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    said = {"accuracy_m": options["accuracy"]} | {name: options[name] for name in ("datum", "accuracy_kind")}
    if options["geometry"]:
        return said | {"geometry": _geojson(str(options["geometry"]))}
    if options["building"] or options["street"]:
        return said | {"building": options["building"], "street": options["street"]}
    numbers = " ".join(words).replace(",", " ").split()
    if len(numbers) == 2 and all(_is_number(word) for word in numbers):
        return said | dict(zip(("lon", "lat"), numbers, strict=True))
    return said | {"text": " ".join(words)}


def _geojson(written: str) -> object:
    try:
        return json.loads(written)
    except json.JSONDecodeError as error:
        raise Invalid("locate.geometry_unreadable", why=str(error)) from error


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _lines(found: Location, words: Words) -> Iterator[str]:
    yield words.say("locate.said_on", on=found.on)
    if found.flags:
        yield words.say("locate.said_flags", flags=", ".join(words.say(f"flag.{flag}") for flag in found.flags))
    if found.reason:
        yield words.say("locate.said_reason", reason=words.say(found.reason))
    for net in found.nets:
        units = " > ".join(f"{unit.name} {unit.code}" for unit in net.chain) or "-"
        yield words.say("locate.said_chain", net=words.names.get(net.net, net.net), edition=net.edition, chain=units)
        for level in net.levels:
            yield from _level_lines(level, words.names.get(f"{net.net}:{level.level}", level.level), words)
    yield from (_beside(place, words) for place in (found.building, found.street) if place and place.name)
    yield from (f"? {candidate.label} ({candidate.match_level})" for candidate in found.candidates)


def _beside(place: Nearby, words: Words) -> str:
    return words.say("locate.said_beside", name=place.name, metres=f"{place.distance_m:.1f}")


def _level_lines(level: LevelAnswer, called: str, words: Words) -> Iterator[str]:
    if level.boundary_m is not None and level.units:
        yield words.say("locate.said_boundary", level=called, metres=f"{level.boundary_m:.1f}")
    for standing in level.probable:
        yield _part(words, "locate.said_probable", standing.unit.name, standing.probability)
    for standing in level.units:
        if standing.share is not None:
            yield _part(words, "locate.said_share", standing.unit.name, standing.share)


def _part(words: Words, code: str, unit: str, part: float | None) -> str:
    return words.say(code, unit=unit, percent=f"{100 * (part or 0):.1f}")

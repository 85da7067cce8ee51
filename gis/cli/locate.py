"""gis locate: whose ground is it, from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import click

from gis import language
from gis.cli import context
from gis.territory import locate as locator
from gis.territory.location import LevelAnswer, Location, Nearby


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
def locate(place: tuple[str, ...], on: datetime | None, as_json: bool, **said: object) -> None:
    """Say what PLACE stands on: "LON LAT" or an address."""
    day = on.date() if on else date.today()  # noqa: DTZ011 - the day on the operator's own clock
    with context.cli_session() as session:
        found = locator.at(session, locator.parse(_said(place, said)), day)
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_lines(found, context.locale())))


def _said(words: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    said = {"accuracy_m": options["accuracy"]} | {name: options[name] for name in ("datum", "accuracy_kind")}
    if options["geometry"]:
        return said | {"geometry": json.loads(options["geometry"])}
    if options["building"] or options["street"]:
        return said | {"building": options["building"], "street": options["street"]}
    numbers = " ".join(words).replace(",", " ").split()
    if len(numbers) == 2 and all(_is_number(word) for word in numbers):
        return said | dict(zip(("lon", "lat"), numbers, strict=True))
    return said | {"text": " ".join(words)}


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _lines(found: Location, locale: str) -> Iterator[str]:
    yield language.say("locate.said_on", locale, on=found.on)
    if found.flags:
        flags = ", ".join(language.say(f"flag.{flag}", locale) for flag in found.flags)
        yield language.say("locate.said_flags", locale, flags=flags)
    if found.reason:
        yield language.say("locate.said_reason", locale, reason=language.say(found.reason, locale))
    for net in found.nets:
        units = " > ".join(f"{unit.name} {unit.code}" for unit in net.chain) or "-"
        yield language.say("locate.said_chain", locale, net=net.net, edition=net.edition, chain=units)
        for level in net.levels:
            yield from _level_lines(level, locale)
    yield from (_beside(place, locale) for place in (found.building, found.street) if place and place.name)
    yield from (f"? {candidate.label} ({candidate.match_level})" for candidate in found.candidates)


def _beside(place: Nearby, locale: str) -> str:
    return language.say("locate.said_beside", locale, name=place.name, metres=f"{place.distance_m:.1f}")


def _level_lines(level: LevelAnswer, locale: str) -> Iterator[str]:
    if level.boundary_m is not None and level.units:
        yield language.say("locate.said_boundary", locale, level=level.level, metres=f"{level.boundary_m:.1f}")
    for standing in level.probable:
        yield _part("locate.said_probable", locale, standing.unit.name, standing.probability)
    for standing in level.units:
        if standing.share is not None:
            yield _part("locate.said_share", locale, standing.unit.name, standing.share)


def _part(code: str, locale: str, unit: str, part: float | None) -> str:
    return language.say(code, locale, unit=unit, percent=f"{100 * (part or 0):.1f}")

"""gis index: what answers which unit a point lies in, kept in files: list them, build what is missing, verify them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from gis import language
from gis.cli.context import cli_session, locale
from gis.territory import boundaries, tables, units
from gis.territory import index as ground
from gis.territory.index import LevelIndex, memory, record, shelf
from gis.territory.units import EditionRef

COLUMNS = ("net", "edition", "state", "megabytes", "file")
# Points asked of every level when it is verified: vertices of its lines, and places between.
TRIED = 2_000


@click.group()
def index() -> None:
    """The index files of the boundaries: made anew whenever one is missing, and safe to delete."""


@index.command(name="list")
def show() -> None:
    """List every edition that may answer, and whether its file is there and sound."""
    table = Table(*(_say(f"cli.index.column.{name}") for name in COLUMNS))
    with cli_session() as session:
        for edition, state in _editions(session):
            path = _path(session, edition)
            size = f"{path.stat().st_size / 1e6:.1f}" if path and path.exists() else "-"
            known = _say(f"cli.index.state.{_state(session, edition)}")
            table.add_row(edition.net, edition.name, _say(f"cli.boundaries.state.{state}"), size, known)
    Console().print(table)


@index.command()
@click.option("--if-free", is_flag=True, help="Leave it to another process that is building now.")
def build(if_free: bool) -> None:
    """Build the files that are missing or unsound, and remove those of editions that are no more."""
    with cli_session() as session:
        folder = _folder(session)
        with shelf.sole_builder(folder, wait=not if_free) as is_ours:
            if is_ours:
                build_missing(session)
                gone = shelf.clear(folder, [edition.digest or "" for edition, _ in _editions(session)])
                click.echo(_say("cli.index.cleared", count=len(gone)))
            else:
                click.echo(_say("cli.index.busy"))


@index.command()
def warm() -> None:
    """Compile the code that answers, so that no first question waits for it. Part of set-up."""
    memory.warm()


@index.command()
def verify() -> None:
    """Compare every file with the record in PostGIS. Ends with 1 if one is missing, unsound or answers otherwise."""
    wrong = 0
    with cli_session() as session:
        for edition, _ in _editions(session):
            state = _state(session, edition)
            differing = _differing(session, edition) if state == "sound" else 0
            told = {"net": edition.net, "edition": edition.name, "state": _say(f"cli.index.state.{state}")}
            click.echo(_say("cli.index.verified", **told, count=differing))
            wrong += state != "sound" or differing > 0
    if wrong:
        raise SystemExit(1)


def build_missing(session: Session) -> None:
    """Build the files that are missing, one edition after the other, each kept as soon as it is done."""
    for edition, _ in list(_editions(session)):
        named = _with_digest(session, edition)
        if _state(session, named) == "sound":
            continue
        start = time.monotonic()
        path = ground.file_of(session, named)
        told = {"net": named.net, "edition": named.name, "seconds": f"{time.monotonic() - start:.1f}"}
        click.echo(_say("cli.index.built", **told, megabytes=f"{path.stat().st_size / 1e6:.1f}"))


def _with_digest(session: Session, edition: EditionRef) -> EditionRef:
    """Give an edition that was loaded without a digest the one it should have had."""
    if edition.digest is None:
        found = record.digest(session, edition.id)
        made = session.get_one(tables.Edition, edition.id)
        made.report = made.report | {"digest": found}
        session.commit()
    return units.edition(session, edition.id)


def _editions(session: Session) -> Iterator[tuple[EditionRef, str]]:
    """List the editions that answer or may yet do so, with their state."""
    for each in boundaries.list_editions(session):
        if each.state != "retired":
            yield units.edition(session, each.id), each.state


def _folder(session: Session) -> Path:
    folder = shelf.folder(session)
    if folder is None:
        raise LookupError("var_dir")
    return folder


def _path(session: Session, edition: EditionRef) -> Path | None:
    return shelf.path(_folder(session), edition.digest) if edition.digest else None


def _state(session: Session, edition: EditionRef) -> str:
    path = _path(session, edition)
    if path is None or edition.digest is None or not path.exists():
        return "missing"
    if shelf.take(_folder(session), edition.digest) is None:
        return "unsound"
    return "sound"


def _differing(session: Session, edition: EditionRef) -> int:
    """Count the points that file and record answer differently; all of them if the units are not those of the file."""
    if record.digest(session, edition.id) != edition.digest:
        return sum(len(level.refs) for level in ground.asked(session, edition).levels.values())
    kept = ground.from_file(_folder(session) / f"{edition.digest}.index", edition, {})
    asked = ground.asked(session, edition)
    return sum(_differ(level, asked.levels[code]) for code, level in kept.levels.items())


def _differ(level: LevelIndex, asked: LevelIndex) -> int:
    if not len(level.refs):
        return 0
    chance = np.random.default_rng(0)
    rows = chance.integers(0, len(level.refs), min(TRIED // 20, len(level.refs)))
    vertices = np.concatenate([_some_vertices(level, int(row), chance) for row in rows])
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    tried = np.concatenate([vertices, chance.uniform(low, high, (TRIED, 2))])
    return len({point for point, _ in _pairs(level, tried) ^ _pairs(asked, tried)})


def _pairs(level: LevelIndex, tried: ground.Floats) -> set[tuple[int, int]]:
    point, row = level.covering(tried[:, 0], tried[:, 1])
    return set(zip(point.tolist(), row.tolist(), strict=True))


def _some_vertices(level: LevelIndex, row: int, chance: np.random.Generator) -> ground.Floats:
    at: ground.Floats = shapely.get_coordinates(level.geometry([row])[0])
    return chance.choice(at, 20)


def _say(code: str, **params: object) -> str:
    return language.say(code, locale(), **params)

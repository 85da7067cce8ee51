"""gis tiles: the tiles of the whole city cut ahead, so that nobody waits for the first look at a place.

What is asked for and was not cut is drawn then and kept, so nothing here has to be complete.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import click
from flask import Flask
from rich.progress import Progress
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db, language
from gis import settings as product
from gis.language import LOCALES
from gis.settings import Settings
from gis.territory import units
from gis.territory.coords import BBox, Tile
from gis.web import auth, drawing, online, tiles
from gis.web.tiles import Shown

# From the whole city on a screen to the last zoom that is drawn.
FIRST_Z = 8
# From this zoom on every layer that fills ground is drawn: below a tile with nothing on it there is nothing.
FILLED_Z = 14
# A piece of work is a tile before this zoom, and from it on a tile with all that lie below it: 85 of them.
PIECE_Z = 13
# Stands in a folder whose tiles were all cut.
WHOLE = ".whole"
# What a cutting process needs: it is made once and used for every piece of work.
_mine: list[tuple[Flask, Session]] = []


@click.group(name="tiles")
def tiles_() -> None:
    """The tiles of the map, kept under var/tiles: safe to delete."""


@tiles_.command()
@click.option("--language", "langs", type=click.Choice(LOCALES), multiple=True, help="The city's own when left out.")
@click.option("--processes", "processes_n", type=click.IntRange(1), default=lambda: os.cpu_count() or 1)
@click.option("--quiet", is_flag=True, help="No progress bar, and only what nobody else wants of the processor.")
def cut(langs: Sequence[str], processes_n: int, quiet: bool) -> None:
    """Cut the base map and the units in force for the whole city, and drop the tiles of versions that are past."""
    settings = product.load()
    if quiet:
        os.nice(10)
    with _product(settings) as session:
        kinds = [kind for lang in langs or [settings.language] for kind in _kinds(session, lang)]
        waiting = [folder for folder in kinds if not (tiles.kept_under(folder) / WHOLE).exists()]
        box = _box(session) if waiting else None
        dropped_n = _drop_past(session)
    cut_n = _cut(settings, waiting, box, processes_n, quiet) if box else 0
    click.echo(language.say("cli.tiles.cut", settings.language, count=cut_n, dropped=dropped_n))


@contextmanager
def _product(settings: Settings) -> Iterator[Session]:
    """Give what drawing needs of the product, without its doors."""
    app = _app(settings)
    with app.app_context(), db.session(app.extensions["engine"], db.EVERYTHING) as session:
        yield session
    app.extensions["engine"].dispose()


def _app(settings: Settings) -> Flask:
    app = Flask(__name__)
    app.extensions["settings"], app.extensions["engine"] = settings, db.connect(settings)
    return app


def _kinds(session: Session, lang: str) -> list[str]:
    """List the folders of what is cut in a language: the base map, and each edition in force."""
    base = f"{tiles.base_shown(session, lang).name}/{tiles.base_version(session)}"
    editions = units.in_force(session, auth.today())
    return [base, *(tiles.units_shown(session, edition.id, lang).name for edition in editions)]


def _shown(session: Session, folder: str) -> Shown:
    """Find what the tiles of a folder show."""
    kind, part, *rest = folder.split("/")
    if kind == "units":
        return tiles.units_shown(session, int(part.split("-")[0]), rest[0])
    return tiles.base_shown(session, kind.removeprefix("base-"))


def _box(session: Session) -> BBox | None:
    """Return the box of all ground that is drawn."""
    asked = text("""
        SELECT min(ST_XMin(box)), min(ST_YMin(box)), max(ST_XMax(box)), max(ST_YMax(box))
        FROM (SELECT CAST(ST_Extent(unit.geom) AS geometry) AS box
              FROM unit WHERE edition_id = ANY(:editions)) AS every
    """)
    editions = [edition.id for edition in units.in_force(session, auth.today())]
    west, south, east, north = session.execute(asked, {"editions": editions}).one()
    return None if west is None else BBox(west, south, east, north)


def _drop_past(session: Session) -> int:
    """Remove the folders of base maps and editions that are asked for no more; return how many there were.

    What other hosts drew has no version of ours: their tiles go one by one, when they are too old to be shown.
    """
    root = tiles.kept_under("")
    online.forget(root)
    version = tiles.base_version(session)
    known = set(session.scalars(text("SELECT id FROM edition WHERE state <> 'retired'")))
    drawn = {f"{edition}-{drawing.DRAWING}" for edition in known}
    ours = [each for each in root.glob("*/*") if each.parent.name != online.FOLDER]
    past = [each for each in ours if each.name not in drawn and each.name != version]
    for folder in past:
        shutil.rmtree(folder, ignore_errors=True)
    return len(past)


def _cut(settings: Settings, folders: Sequence[str], box: BBox, processes_n: int, quiet: bool) -> int:
    """Cut piece by piece, in several processes; return how many tiles have something on them."""
    count, pieces = 0, list(_pieces(box))
    how = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(processes_n, how, _begin, (settings,)) as pool,
        Progress(disable=quiet) as progress,
    ):
        cutting = [(folder, pool.map(_cut_piece, repeat(folder), pieces)) for folder in folders]
        for folder, done in cutting:
            for filled_n in progress.track(done, total=len(pieces), description=folder):
                count += filled_n
            _mark(settings, folder)
    return count


def _mark(settings: Settings, folder: str) -> None:
    path = settings.var_dir / "tiles" / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / WHOLE).touch()


def _pieces(box: BBox) -> Iterator[Tile]:
    """List the tiles over a box that pieces of work begin with, the largest pieces first."""
    for z in range(PIECE_Z, FIRST_Z - 1, -1):
        first, last = Tile.at(box.west, box.north, z), Tile.at(box.east, box.south, z)
        yield from (Tile(z, x, y) for x in range(first.x, last.x + 1) for y in range(first.y, last.y + 1))


def _below(tile: Tile) -> Iterator[Tile]:
    for part in range(4):
        yield Tile(tile.z + 1, 2 * tile.x + part % 2, 2 * tile.y + part // 2)


def _begin(settings: Settings) -> None:
    """Make what a process draws with."""
    app = _app(settings)
    _mine.append((app, db.ScopedSession(app.extensions["engine"], scope=db.EVERYTHING)))


def _cut_piece(folder: str, tile: Tile) -> int:
    """Cut a piece of work; return how many of its tiles have something on them."""
    app, session = _mine[0]
    with app.app_context():
        filled_n = _cut_below(session, _shown(session, folder), tiles.kept_under(folder), tile)
        session.rollback()
    return filled_n


def _cut_below(session: Session, shown: Shown, under: Path, tile: Tile) -> int:
    filled = _cut_one(session, shown, under, tile)
    deeper = PIECE_Z <= tile.z < drawing.LAST_Z and (filled or tile.z < FILLED_Z)
    return filled + (sum(_cut_below(session, shown, under, part) for part in _below(tile)) if deeper else 0)


def _cut_one(session: Session, shown: Shown, under: Path, tile: Tile) -> bool:
    path = under / str(tile.z) / str(tile.x) / f"{tile.y}.mvt.gz"
    if path.exists():
        return True
    drawn = drawing.draw(session, tile, shown.layers, shown.params(tile))
    if drawn:
        tiles.write(path, gzip.compress(drawn, 6))
    return bool(drawn)

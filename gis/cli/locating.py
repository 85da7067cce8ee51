"""gis locate FILE -o OUT: every place of a file, in constant memory, by several threads or on a cluster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from gis import db
from gis.cli import parts as kept
from gis.cli.parts import Parts
from gis.errors import Conflict, Invalid
from gis.territory import columns, index, sheets, units
from gis.territory.columns import Carried, Grounds
from gis.territory.sheets import Recipe, Sheets, Span, Tally
from gis.territory.units import EditionRef

# Enough that making one is worth the while, few enough that the last ones keep every thread busy.
PART_ROWS = 500_000
OPTIONS = (
    click.option("-o", "--out", type=click.Path(path_type=Path), help="Locate every place of a file, into this one."),
    *(
        click.option(f"--{kind}-column", help=f"The column that holds {what}.")
        for kind, what in (
            ("lon", "the longitude; found by itself if it is called so"),
            ("lat", "the latitude"),
            ("geometry", "points as well-known binary; that of a GeoParquet file is found by itself"),
            ("accuracy", "the accuracy in metres"),
            ("datum", "the datum"),
            ("date", "the day or time; each row is answered by the boundaries of its day"),
        )
    ),
    click.option("--net", multiple=True, help="Append this net only; may be given again."),
    click.option("--names", is_flag=True, help="Append the units' names too."),
    click.option("--detail", is_flag=True, help="Append each level's flags, number of units and candidates too."),
    click.option("--prefix", default="", help="Put this before the name of every column appended."),
    click.option("--overwrite", is_flag=True, help="Take the place of an OUT that is there."),
    click.option("--part-rows", type=click.IntRange(1), default=PART_ROWS, show_default=True, help="Rows of a part."),
    click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster that does it; Parquet in and out."),
    click.option("--threads", type=click.IntRange(1, 64), default=os.cpu_count() or 1, help="One for each core else."),
)
OUTPUTS = {"": "parquet", ".parquet": "parquet", ".geoparquet": "parquet", ".csv": "csv", ".geojson": "geojson"}
Task = tuple[int, Span]
# Yields each part's counts as it is done, in any order.
Crew = Callable[[Sheets, Parts, Iterator[Task]], Iterator[tuple[Task, Tally]]]


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a whole file."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Errand:
    """What is to be located, and where the answer goes."""

    file: Path
    out: Path
    recipe: Recipe
    part_rows: int = PART_ROWS
    overwrite: bool = False

    @property
    def kind(self) -> str:
        """What the answer is written as; raise Invalid for a name that does not say it."""
        kind = OUTPUTS.get(self.out.suffix.lower())
        if kind is None:
            raise Invalid("sheet.output_kind", path=self.out.name, kinds=", ".join(filter(None, OUTPUTS)))
        return kind

    def asked(self, ground: Grounds) -> dict[str, Any]:
        """Say all that the answer depends on, so that parts of another question are not taken for its own."""
        files = sorted(self.file.glob("*.parquet")) if self.file.is_dir() else [self.file]
        stated = [(str(each.resolve()), each.stat().st_size, each.stat().st_mtime_ns) for each in files]
        return {"files": stated, "recipe": asdict(self.recipe), "kind": self.kind, "editions": ground.editions}


def opened(engine: Engine) -> Grounds:
    """Return the ground; each index is opened in a session of its own, so that none stays open for hours."""

    def index_of(edition: EditionRef) -> index.EditionIndex:
        with db.session(engine, db.EVERYTHING) as session:
            return index.ready(session, edition)

    with db.session(engine, db.EVERYTHING) as session:
        return Grounds(units.active(session), index_of)


def carried(engine: Engine, recipe: Recipe) -> tuple[Carried, ...]:
    """Take the ground along that a recipe needs: the editions of its day, or all where rows have days of their own."""
    with db.session(engine, db.EVERYTHING) as session:
        every = units.active(session)
        needed = (each for each in every if recipe.date is not None or each.holds_on(recipe.on))
        return columns.carry(session, needed)


def run(errand: Errand, ground: Grounds, crew: Crew, say: Callable[..., str]) -> Tally:
    """Answer a file; go on where an earlier run broke off."""
    _check_out(errand)
    kind = sheets.kind_of(errand.file)
    asked = sheets.answer(errand.file, kind, errand.recipe, ground, errand.kind)
    parts = Parts(errand.out, errand.kind)
    with kept.claimed(parts, errand.asked(ground)) as goes_on, _progress() as progress:
        bar = progress.add_task(errand.file.name, total=asked.source.size)
        if goes_on:
            progress.console.print(say("sheet.cli.goes_on", path=parts.folder))
        whole = Tally()
        with parts.joined(asked) as done:
            for (nth, span), tally in _every(asked, parts, asked.source.spans(errand.part_rows), crew):
                done(nth)
                whole += tally
                progress.advance(bar, span.weight)
    return whole


def by_threads(threads: int) -> Crew:
    """Make a crew of threads: reading, locating and writing let go of the interpreter's lock."""

    def work(asked: Sheets, parts: Parts, tasks: Iterator[Task]) -> Iterator[tuple[Task, Tally]]:
        with ThreadPoolExecutor(threads) as pool:
            under_way: deque[tuple[Task, Future[Tally]]] = deque()
            try:
                for task in tasks:
                    under_way.append((task, pool.submit(parts.make, *task, asked)))
                    if len(under_way) > threads:
                        yield _next(under_way)
                while under_way:
                    yield _next(under_way)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    return work


def told(whole: Tally, out: Path, say: Callable[..., str]) -> Iterator[str]:
    """Say what was found, in counts that add up."""
    counts = {"rows": whole.rows_n, "located": whole.located_n, "outside": whole.outside_n}
    yield say("sheet.cli.counts", **counts, unlocated=whole.unlocated_n, no_edition=whole.no_edition_n)
    for flag, count in whole.flags.items():
        if flag not in {"outside", "unlocated"}:
            yield say("sheet.cli.count", what=say(f"flag.{flag}"), count=count)
    for reason, count in sorted(whole.reasons.items(), key=lambda each: -each[1]):
        yield say("sheet.cli.count", what=say(reason), count=count)
    yield say("sheet.cli.written", path=out)


def _every(asked: Sheets, parts: Parts, spans: Iterator[Span], crew: Crew) -> Iterator[tuple[Task, Tally]]:
    """Yield the counts of every part, those of an earlier run too."""
    before: deque[tuple[Task, Tally]] = deque()

    def left() -> Iterator[Task]:
        for task in enumerate(spans):
            done = parts.done(*task)
            if done is None:
                yield task
            else:
                before.append((task, done))

    for made in crew(asked, parts, left()):
        yield made
        while before:
            yield before.popleft()
    yield from before


def _next(under_way: deque[tuple[Task, Future[Tally]]]) -> tuple[Task, Tally]:
    task, made = under_way.popleft()
    return task, made.result()


def _check_out(errand: Errand) -> None:
    if errand.out.exists() and not errand.overwrite:
        raise Conflict("sheet.exists", path=str(errand.out))
    if errand.out.resolve() == errand.file.resolve():
        raise Conflict("sheet.same_file", path=str(errand.out))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

"""The figures of speed: ratios in one run where there is a peer, times beside their goals elsewhere.

python -m bench.speed --data DATA --report var/bench.md
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from bench import (
    proof,
    speed_evaluation,
    speed_http,
    speed_limits,
    speed_lists,
    speed_locator,
    speed_moves,
    speed_page,
    speed_stream,
    speed_tiles,
)
from bench.figures import Row

PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "The index: 70,000 cells, its peers in the same run": speed_locator.measure,
    "New York: loads, and one place over HTTP": speed_http.measure,
    "Due times of 100,000 open issues": speed_limits.measure,
    "Moves with journal and outbox, due times, and the chain of a million entries": speed_moves.measure,
    "The evaluation of a month with a million issues": speed_evaluation.measure,
    "Lists of a million issues": speed_lists.measure,
    "The page with 70,000 cells": speed_page.measure,
    "The tiles of a whole city": speed_tiles.measure,
    "The live stream: 2,000 viewers, a screen, and a storm": speed_stream.measure,
}


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--report", type=click.Path(path_type=Path), required=True)
@click.option("--only", type=click.Choice(list(PARTS)), multiple=True, help="These parts; all when left out.")
def main(data: Path, report: Path, only: tuple[str, ...]) -> None:
    """Measure and write the report."""
    proof.write("# Speed", {name: part for name, part in PARTS.items() if not only or name in only}, data, report)


if __name__ == "__main__":
    main()

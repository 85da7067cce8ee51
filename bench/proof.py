"""The proof on real data: every figure with its target, as Markdown; the exit status says whether all were reached.

python -m bench.proof --data DATA --report var/proof.md
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from bench import proof_addresses, proof_boston, proof_coords, proof_newyork, proof_standards
from bench.figures import Row

# What each part shows, in the order of the report.
PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "Coordinates": proof_coords.measure,
    "Addresses": proof_addresses.measure,
    "New York": proof_newyork.measure,
    "Boston": proof_boston.measure,
    "Filing standards": proof_standards.measure,
}


VERDICTS = {True: "reached", False: "**missed**", None: "slower than the goal"}


@dataclass(frozen=True)
class Part:
    """A part of the proof and its figures."""

    name: str
    rows: list[Row]

    def lines(self) -> Iterator[str]:
        """Render as Markdown."""
        yield f"## {self.name}\n"
        yield "| what | measured | target | |"
        yield "|---|---|---|---|"
        for name, value, target, passed in self.rows:
            yield f"| {name} | {_figure(value)} | {_figure(target)} | {VERDICTS[passed]} |"
        yield ""


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def write(title: str, parts: dict[str, Callable[[Path], list[Row]]], data: Path, report: Path) -> int:
    """Measure part by part, each written to the report and printed when it is done; return how many targets failed."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(f"{title}\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_machine()}\n\n", encoding="utf-8")
    rows: list[Row] = []
    for name, measure in parts.items():
        part = Part(name, measure(data))
        told = "\n".join(part.lines())
        click.echo(told)
        with report.open("a", encoding="utf-8") as file:
            file.write(f"{told}\n")
        rows += part.rows
    missed = sum(row[3] is False for row in rows)
    click.echo(f"{len(rows) - missed} passed, {missed} failed")
    return missed


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--report", type=click.Path(path_type=Path), required=True)
@click.option("--only", type=click.Choice(list(PARTS)), multiple=True, help="These parts; all when left out.")
def main(data: Path, report: Path, only: tuple[str, ...]) -> None:
    """Measure, write the report, and fail where a target was missed."""
    parts = {name: part for name, part in PARTS.items() if not only or name in only}
    sys.exit(1 if write("# Proof on real data", parts, data, report) else 0)


if __name__ == "__main__":
    main()

"""One sheet with its recipe and the ground it is asked about: span after span is read, answered and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from gis.errors import Invalid
from gis.territory import columns
from gis.territory.columns import Grounds
from gis.territory.sheets import opening, reading, recipe, tally
from gis.territory.sheets.answers import Appender
from gis.territory.sheets.reading import Sheet
from gis.territory.sheets.recipe import Recipe
from gis.territory.sheets.source import Source, Span
from gis.territory.sheets.tally import Tally
from gis.territory.sheets.writing import WRITERS, Answered

# What a recipe may ask of the properties of a feature.
BESIDE = ("accuracy", "datum", "date")


@dataclass(frozen=True)
class Sheets:
    """A file that was opened, and what is asked of it. Threads may share it."""

    source: Source
    recipe: Recipe
    ground: Grounds
    appender: Appender

    @property
    def schema(self) -> pa.Schema:
        """The columns with their answers."""
        return self.appender.schema

    def answered(self, span: Span) -> Iterator[tuple[Answered, Tally]]:
        """Answer a span batch by batch."""
        for sheet in opening.sheets(self.source, span):
            yield self._answered(sheet)

    def _answered(self, sheet: Sheet) -> tuple[Answered, Tally]:
        fixes = reading.fixes(sheet, self.recipe)
        found = columns.at(self.ground, fixes, self.recipe.rules, detail=self.recipe.detail)
        batch = self.appender.appended(sheet.batch, found)
        return Answered(batch, fixes, sheet.batch.num_columns, sheet.features), tally.of_columns(found)


def answer(path: Path, kind: str, asked: Recipe, ground: Grounds, into: str) -> Sheets:
    """Open a file to be answered as a file of the kind `into`; raise Invalid that says what is wrong with either."""
    beside = [name for name in (getattr(asked, each) for each in BESIDE) if name]
    source = opening.opened(path, kind, beside if into == "geojson" else None)
    if asked.date is None and not ground.on(asked.on):
        raise Invalid("sheet.no_edition", on=asked.on)
    settled = asked if source.has_points else recipe.checked(asked, source.schema, source.geometry)
    return Sheets(source, settled, ground, Appender(ground, settled, source.schema))


def write(sheets: Sheets, spans: Iterator[Span], kind: str, out: BinaryIO) -> Iterator[Tally]:
    """Answer spans into one file; yield the counts of each batch as it is written."""
    writer = WRITERS[kind](out, sheets.schema)
    for span in spans:
        for answered, counted in sheets.answered(span):
            writer.write(answered)
            yield counted
    writer.close()

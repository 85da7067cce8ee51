"""Sheets of places, files or streams of any size -> the same sheets with what each place stands on appended."""

from gis.territory.sheets.answering import Sheets, answer, write
from gis.territory.sheets.opening import KINDS, kind_of, told
from gis.territory.sheets.recipe import COLUMNS, Recipe
from gis.territory.sheets.source import Source, Span
from gis.territory.sheets.tally import Tally, of_dict
from gis.territory.sheets.writing import WRITERS, join

__all__ = [
    "COLUMNS",
    "KINDS",
    "WRITERS",
    "Recipe",
    "Sheets",
    "Source",
    "Span",
    "Tally",
    "answer",
    "join",
    "kind_of",
    "of_dict",
    "told",
    "write",
]

"""Evaluation: what happened in a period by unit and department, the rates and scores of it, and the issues behind."""

from gis.issues.evaluation.facts import ALL, COUNTS, Period, Question, listed
from gis.issues.evaluation.formulas import DEPARTMENT, KINDS, UNIT, Formulas, Part, Rate, Result, Score, evaluate, shown
from gis.issues.evaluation.reading import read
from gis.issues.evaluation.standings import Standing, Standings, of

__all__ = [
    "ALL",
    "COUNTS",
    "DEPARTMENT",
    "KINDS",
    "UNIT",
    "Formulas",
    "Part",
    "Period",
    "Question",
    "Rate",
    "Result",
    "Score",
    "Standing",
    "Standings",
    "evaluate",
    "listed",
    "of",
    "read",
    "shown",
]

"""Rates, scores and grades over counts: exact, and by a city's own formulas. Pure.

A rate without a base has no value, and so has a score with such a part: nobody is first, or last, for having had
nothing to do. Values are fractions; they are rounded where they are shown, and never up into a better grade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

Counts = Mapping[str, int]
UNIT, DEPARTMENT = KINDS = ("unit", "department")
GROUPS = ("three", "gb", "orders", "apart", "posts")
# Of what goes around the handling; each may have a limit in minutes.
STAGES = ("verify", "file", "dispatch", "inspect")
WHOLE = 100


@dataclass(frozen=True)
class Rate:
    """A share: what is counted, each with its weight, of a base. of_kinds: whose it is, units' or departments'."""

    code: str
    group: str
    name_zh: str
    name_en: str
    counted: Mapping[str, Fraction]
    of: str
    of_kinds: tuple[str, ...] = KINDS

    def value(self, counts: Counts) -> Fraction | None:
        """Return the share; None where the base is empty."""
        if not counts[self.of]:
            return None
        return sum((weight * counts[name] for name, weight in self.counted.items()), Fraction()) / counts[self.of]


@dataclass(frozen=True)
class Part:
    """A part of a score. rate: a rate's code, which counts 100 when it is whole, or, falling, when it is nothing.

    count: a count's code, with up_to: (so many, points), rising; more than the last of them gives none.
    """

    weight: Fraction
    rate: str = ""
    falling: bool = False
    count: str = ""
    up_to: tuple[tuple[int, int], ...] = ()

    def points(self, counts: Counts, rates: Mapping[str, Fraction | None]) -> Fraction | None:
        """Return the points, of 100; None where its rate has no base."""
        if self.count:
            return Fraction(next((points for most, points in self.up_to if counts[self.count] <= most), 0))
        rate = rates[self.rate]
        return None if rate is None else WHOLE * (1 - rate if self.falling else rate)


@dataclass(frozen=True)
class Score:
    """A weighted sum of parts. levels: of the units it is for; empty: of all that have no score of this code."""

    code: str
    name_zh: str
    name_en: str
    of_kinds: tuple[str, ...]
    levels: tuple[str, ...]
    parts: tuple[Part, ...]
    graded: bool = False
    # Shown with the rates of this group alone; empty: with all.
    group: str = ""

    def value(self, counts: Counts, rates: Mapping[str, Fraction | None]) -> Fraction | None:
        """Return the score, of 100; None where a part has none."""
        points = [part.points(counts, rates) for part in self.parts]
        if any(each is None for each in points):
            return None
        pairs = zip(self.parts, points, strict=True)
        return sum((part.weight * (each or 0) for part, each in pairs), Fraction()) / WHOLE


@dataclass(frozen=True)
class Formulas:
    """What a city evaluates by. grades: best first, each with the least score; digest: of the file.

    inspection_sources: of reports of what no collector had found; stage_minutes: the limits of stages that have one.
    """

    version: str
    note_zh: str
    note_en: str
    public_sources: tuple[str, ...]
    excluded: tuple[str, ...]
    few: int
    # Of a department's graded score, the part of the reviews of its whistles, in percent, where there are any.
    review_weight: Fraction
    grades: tuple[tuple[str, Fraction], ...]
    rates: tuple[Rate, ...]
    scores: tuple[Score, ...]
    digest: str = ""
    inspection_sources: tuple[str, ...] = ()
    stage_minutes: Mapping[str, int] = field(default_factory=dict)

    def rates_of(self, kind: str) -> tuple[Rate, ...]:
        """List the rates of units or departments."""
        return tuple(rate for rate in self.rates if kind in rate.of_kinds)

    def scores_of(self, kind: str, level: str) -> tuple[Score, ...]:
        """List the scores of a level of units, or of departments: one for each code, the level's own before others."""
        kinds = [score for score in self.scores if kind in score.of_kinds]
        own = {score.code for score in kinds if level in score.levels}
        return tuple(score for score in kinds if level in score.levels or not (score.levels or score.code in own))

    def grade(self, score: Fraction | None) -> str | None:
        """Name the grade of a score; None has none."""
        if score is None:
            return None
        return next((name for name, least in self.grades if score >= least), self.grades[-1][0])


@dataclass(frozen=True)
class Result:
    """What counts come to. rates and scores by code; score: the one that is graded."""

    rates: Mapping[str, Fraction | None]
    scores: Mapping[str, Fraction | None]
    score: Fraction | None
    grade: str | None


def evaluate(
    formulas: Formulas, kind: str, level: str, counts: Counts, review: Fraction | None = None
) -> Result:
    """Work out every rate and score of a unit of a level, or of a department.

    review: the mean of a department's reviews, of 100; it makes up its weight of the graded score, if there is one.
    """
    rates = {rate.code: rate.value(counts) for rate in formulas.rates_of(kind)}
    scores = {score.code: score.value(counts, rates) for score in formulas.scores_of(kind, level)}
    graded = next((score.code for score in formulas.scores_of(kind, level) if score.graded), None)
    score = scores[graded] if graded else None
    if graded and score is not None and review is not None:
        score = (score * (WHOLE - formulas.review_weight) + review * formulas.review_weight) / WHOLE
        scores[graded] = score
    return Result(rates, scores, score, formulas.grade(score))


def ranked(values: Mapping[str, Fraction | None]) -> dict[str, int | None]:
    """Rank keys by their values, the highest first; equal values share a rank, and None has none."""
    known = sorted((value for value in values.values() if value is not None), reverse=True)
    first = {value: nth for nth, value in reversed(list(enumerate(known, start=1)))}
    return {key: None if value is None else first[value] for key, value in values.items()}


def shown(value: Fraction, digits: int = 1) -> str:
    """Write a score or a percentage with some digits, cut off: 89.96 is not shown as 90."""
    scaled = int(value * 10**digits)
    return f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}d}"

"""How the units of a level, or the departments, stand in a period: named, counted, scored, graded and ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.evaluation import facts
from gis.issues.evaluation.facts import ALL, COUNTS, Question
from gis.issues.evaluation.formulas import Formulas, Result, evaluate, ranked
from gis.territory import units

# Of a level with more units than this only those are listed that have something to count.
LISTED_MOST = 500
Names = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Standing:
    """One line: a unit's key or a department's code, its names, what was counted, what it comes to, its rank."""

    subject: str
    name_zh: str
    name_en: str
    counts: Mapping[str, int]
    result: Result
    rank: int | None = None


@dataclass(frozen=True)
class Standings:
    """All lines, the best first, and what all issues come to together, each counted once."""

    rows: tuple[Standing, ...]
    together: Standing


def of(session: Session, question: Question, formulas: Formulas, *, on: date) -> Standings:
    """Evaluate; on: the day by whose boundaries units are named."""
    counted = facts.count(session, question, formulas)
    named = _names(session, question, on, [*counted])
    kind, level = question.kind, question.level.rpartition(":")[2]

    def stand(subject: str, rank: int | None = None) -> Standing:
        counts = counted.get(subject, NOTHING)
        names = named.get(subject, (subject.rpartition(":")[2], ""))
        return Standing(subject, *names, counts, evaluate(formulas, kind, level, counts), rank)

    listed = [stand(subject) for subject in {**named, **counted} if subject != ALL]
    ranks = ranked({each.subject: each.result.score for each in listed})
    rows = [stand(each.subject, ranks[each.subject]) for each in listed]
    return Standings(tuple(sorted(rows, key=_best_first)), stand(ALL))


def _best_first(standing: Standing) -> tuple[bool, int, int, str]:
    """Put who has no rank last; of those, who had most to do first."""
    return standing.rank is None, standing.rank or 0, -standing.counts["filed"], standing.subject


def _names(session: Session, question: Question, on: date, counted: list[str]) -> Names:
    """Name who was counted, and at a level of few units all of them."""
    if not question.level:
        rows = session.execute(_DEPARTMENTS, {"codes": counted})
        return {row.code: (row.name_zh, row.name_en) for row in rows}
    net, _, level = question.level.partition(":")
    only = None if question.only is None else [key.rpartition(":")[2] for key in question.only]
    codes = [key.rpartition(":")[2] for key in counted]
    asked = {"net": net, "level": level, "on": on, "only": only, "codes": codes, "most": LISTED_MOST}
    return {row.key: (row.name, row.name_en) for row in session.execute(_UNITS, asked)}


NOTHING = dict.fromkeys(COUNTS, 0)
_DEPARTMENTS = text("SELECT code, name_zh, name_en FROM department WHERE code = ANY(:codes)")
_UNITS = text(f"""
WITH every AS (
    SELECT u.net || ':' || u.level || ':' || u.code AS key, u.code, u.name, u.name_en
    FROM unit u JOIN edition e ON e.id = u.edition_id
    WHERE u.net = :net AND u.level = :level AND {units.IN_FORCE}
      AND (CAST(:only AS text[]) IS NULL OR u.code = ANY(:only))
)
SELECT * FROM every WHERE code = ANY(:codes) OR (SELECT count(*) FROM every) <= :most
""")

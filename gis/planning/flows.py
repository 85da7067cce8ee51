"""Hand-offs between the units of a level: a matrix that adds up to all that are on record.

A hand-off goes from one department to another. Each stands for the unit it serves, or for the one above that is of the
level asked for; who serves more than such a unit, or the whole city, is ELSEWHERE. So nothing falls out of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.planning.borders import BETWEEN, Question

ELSEWHERE = ""
Pair = tuple[str, str]


@dataclass(frozen=True)
class Flow:
    """What two units, by their keys in order, handed to one another."""

    a: str
    b: str
    to_b_n: int
    to_a_n: int

    @property
    def total_n(self) -> int:
        """Count both ways."""
        return self.to_b_n + self.to_a_n

    @property
    def key(self) -> str:
        """Name it as the strip of the same two units."""
        return BETWEEN.join(each.rpartition(":")[2] for each in (self.a, self.b))


@dataclass(frozen=True)
class Matrix:
    """Hand-offs by (from, to), units as "net:level:code"; names: of the units, Chinese and English."""

    cells: Mapping[Pair, int]
    names: Mapping[str, tuple[str, str]]

    @cached_property
    def total_n(self) -> int:
        """Count all."""
        return sum(self.cells.values())

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """List who hands over or is handed to, by code; ELSEWHERE last."""
        return tuple(sorted({key for pair in self.cells for key in pair}, key=lambda key: (key == ELSEWHERE, key)))

    def given_n(self, key: str) -> int:
        """Sum a row."""
        return sum(n for (giver, _), n in self.cells.items() if giver == key)

    def taken_n(self, key: str) -> int:
        """Sum a column."""
        return sum(n for (_, taker), n in self.cells.items() if taker == key)

    def flows(self) -> list[Flow]:
        """List the pairs of different units, most hand-offs first."""
        pairs = {(min(pair), max(pair)) for pair in self.cells if pair[0] != pair[1] and ELSEWHERE not in pair}
        found = [Flow(a, b, self.cells.get((a, b), 0), self.cells.get((b, a), 0)) for a, b in pairs]
        return sorted(found, key=lambda flow: (-flow.total_n, flow.a, flow.b))

    def between(self, a: str, b: str) -> Flow:
        """Give what two units handed to one another."""
        return Flow(a, b, self.cells.get((a, b), 0), self.cells.get((b, a), 0))


def matrix(session: Session, question: Question) -> Matrix:
    """Count the hand-offs of the period by the units of the level, each by the edition of its day."""
    rows = session.execute(text(_MATRIX), _asked(question)).all()
    cells: dict[Pair, int] = {}
    names: dict[str, tuple[str, str]] = {}
    for row in rows:
        pair = (row.giver or ELSEWHERE, row.taker or ELSEWHERE)
        cells[pair] = cells.get(pair, 0) + row.n
        for key, name, name_en in ((row.giver, row.giver_zh, row.giver_en), (row.taker, row.taker_zh, row.taker_en)):
            if key:
                names[key] = (name, name_en)
    return Matrix(cells, names)


def issues(session: Session, question: Question, a: str, b: str) -> list[int]:
    """List the issues that two units handed to one another, the latest hand-off first."""
    found = session.execute(text(_ISSUES), _asked(question) | {"a": a, "b": b})
    return list(dict.fromkeys(found.scalars()))


def _asked(question: Question) -> dict[str, Any]:
    return {
        "since": question.period.since, "until": question.period.until, "level": question.level,
        "categories": list(question.categories), "zone": question.zone.key,
    }  # fmt: skip


# `up` climbs from the unit of a department, in its net and in the one that net is drawn in, by the editions of the day.
_HOPS = """
WITH RECURSIVE hop AS (
    SELECT handoff.id, handoff.issue_id, handoff.from_unit, handoff.to_unit, handoff.at,
           CAST(handoff.at AT TIME ZONE :zone AS date) AS day
    FROM handoff JOIN issue ON issue.id = handoff.issue_id
    WHERE handoff.at >= :since AND handoff.at < :until
      AND (cardinality(CAST(:categories AS text[])) = 0 OR issue.category = ANY(:categories))
), said AS (
    SELECT DISTINCT from_unit AS said, day FROM hop UNION SELECT DISTINCT to_unit, day FROM hop
), up AS (
    SELECT said.said, said.day, u.net, u.level, u.code, u.parent_code, u.name, u.name_en, l.rank
    FROM said
    JOIN edition e ON e.net = split_part(said.said, ':', 1) AND e.state = 'active'
         AND e.valid_from <= said.day AND (e.valid_to IS NULL OR said.day < e.valid_to)
    JOIN unit u ON u.edition_id = e.id AND u.level = split_part(said.said, ':', 2)
         AND u.code = split_part(said.said, ':', 3)
    JOIN level l ON l.net = u.net AND l.code = u.level
    UNION ALL
    SELECT up.said, up.day, u.net, u.level, u.code, u.parent_code, u.name, u.name_en, l.rank
    FROM up JOIN net n ON n.code = up.net
    JOIN edition e ON e.net IN (up.net, n.parent_net) AND e.state = 'active'
         AND e.valid_from <= up.day AND (e.valid_to IS NULL OR up.day < e.valid_to)
    JOIN unit u ON u.edition_id = e.id AND u.code = up.parent_code
    JOIN level l ON l.net = u.net AND l.code = u.level
    WHERE (u.net = up.net AND l.rank = up.rank - 1)
       OR (up.rank = 0 AND u.net = n.parent_net AND u.level = n.parent_level)
), of_level AS (
    SELECT DISTINCT ON (said, day) said, day, net || ':' || level || ':' || code AS key, name, name_en
    FROM up WHERE net || ':' || level = :level
), went AS (
    SELECT hop.id, hop.issue_id, hop.at, giver.key AS giver, giver.name AS giver_zh, giver.name_en AS giver_en,
           taker.key AS taker, taker.name AS taker_zh, taker.name_en AS taker_en
    FROM hop
    LEFT JOIN of_level AS giver ON giver.said = hop.from_unit AND giver.day = hop.day
    LEFT JOIN of_level AS taker ON taker.said = hop.to_unit AND taker.day = hop.day
)"""
_MATRIX = f"""{_HOPS}
SELECT giver, taker, min(giver_zh) AS giver_zh, min(giver_en) AS giver_en, min(taker_zh) AS taker_zh,
       min(taker_en) AS taker_en, count(*) AS n
FROM went GROUP BY giver, taker"""
_ISSUES = f"""{_HOPS}
SELECT issue_id FROM went WHERE (giver, taker) IN ((:a, :b), (:b, :a)) ORDER BY at DESC, id DESC"""

"""Drafting papers from the record: the report of a day, a letter that presses a department to act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound
from gis.issues.moves import ENDS, STATES
from gis.issues.papers.values import Daily, Named, Supervision

TOP_N = 10
WORDS_MOST = 2000
OPEN = tuple(state for state in STATES if state not in ENDS)


@dataclass(frozen=True)
class Demand:
    """What a letter demands: until when to answer, in which words, and whose name is under it."""

    words: str
    answer_by: date
    signed_by: str


def daily(session: Session, day: date, zone: ZoneInfo, now: datetime) -> Daily:
    """Count a day in the asker's scope; what is open and late is as it was at its end, or is now, if it goes on."""
    since = datetime.combine(day, time(), zone)
    if since > now:
        raise Invalid("paper.day_to_come", day=day)
    until = since + timedelta(days=1)
    asked = {"since": since, "until": until, "at": min(until, now), "open": list(OPEN), "top": TOP_N}
    counted = session.execute(_COUNTED, asked).mappings().one()
    place = session.execute(_PLACE, {"ground": session.info["scope"].ground.split()}).one_or_none()
    said: dict[str, Any] = {**counted, **{name: _named(session, sql, asked) for name, sql in _TOPS.items()}}
    return Daily(day.isoformat(), place.name if place else "", place.name_en if place else "", **said)


def supervision(session: Session, code: str, demand: Demand, now: datetime) -> tuple[int, Supervision]:
    """Draft a letter to an issue's lead; return the issue's number and the letter.

    Raise NotFound, Conflict where nobody leads or the issue is over, Invalid for what is demanded.
    """
    row = session.execute(_ISSUE, {"code": code}).one_or_none()
    if row is None:
        raise NotFound("issue.not_found", code=code)
    if row.department_zh is None or row.state in ENDS:
        raise Conflict("paper.nobody_to_press", code=code)
    words = demand.words.strip()
    if not 0 < len(words) <= WORDS_MOST:
        raise Invalid("paper.no_demand", most=WORDS_MOST)
    if demand.answer_by < now.date() - timedelta(days=1):
        raise Invalid("paper.answer_in_the_past", day=demand.answer_by)
    return row.id, Supervision(
        issue=code, category_zh=row.category_zh or row.category, category_en=row.category_en or row.category,
        matter=row.text, place=str(row.address or ""), department_zh=row.department_zh,
        department_en=row.department_en or row.department_zh, reported_at=row.reported_at.isoformat(),
        due_at=row.due_at and row.due_at.isoformat(), demand=words, answer_by=demand.answer_by.isoformat(),
        signed_by=demand.signed_by,
    )  # fmt: skip


def _named(session: Session, sql: str, asked: dict[str, object]) -> tuple[Named, ...]:
    return tuple(Named(row.name_zh, row.name_en or row.name_zh, row.n) for row in session.execute(text(sql), asked))


# An issue was open at a moment if it had come and was not closed; the state of then is not asked for, only that of now.
_STILL_OPEN = "reported_at < :at AND state = ANY(:open)"
_LATE = f"{_STILL_OPEN} AND due_at < :at"
_COUNTED = text(f"""
SELECT (SELECT count(*) FROM issue WHERE reported_at >= :since AND reported_at < :until) AS received,
       (SELECT count(*) FROM issue WHERE closed_at >= :since AND closed_at < :until) AS closed,
       (SELECT count(*) FROM move JOIN issue ON issue.id = move.issue_id
        WHERE move.name = 'strike' AND move.at >= :since AND move.at < :until) AS struck,
       (SELECT count(*) FROM issue WHERE closed_at >= :since AND closed_at < :until AND state = 'self_handled')
           AS self_handled,
       (SELECT count(*) FROM issue WHERE reported_at >= :since AND reported_at < :until AND flags && '{{straddles}}')
           AS across,
       (SELECT count(*) FROM issue WHERE reported_at >= :since AND reported_at < :until AND marks && '{{relapse}}')
           AS relapsed,
       (SELECT count(*) FROM issue WHERE {_STILL_OPEN}) AS open,
       (SELECT count(*) FROM issue WHERE {_LATE}) AS overdue
""")
_OF_DAY = "issue.reported_at >= :since AND issue.reported_at < :until"
_TOPS = {
    "categories": f"""
        SELECT coalesce(category.name_zh, issue.category) AS name_zh, category.name_en, count(*) AS n
        FROM issue LEFT JOIN category ON (category.scheme, category.version, category.code)
             = (issue.scheme, issue.scheme_version, issue.category)
        WHERE {_OF_DAY} GROUP BY 1, 2 ORDER BY n DESC, name_zh LIMIT :top""",
    "departments": f"""
        SELECT department.name_zh, department.name_en, count(*) AS n
        FROM issue JOIN department ON department.code = issue.lead
        WHERE {_OF_DAY} GROUP BY 1, 2 ORDER BY n DESC, name_zh LIMIT :top""",
    "overdue_departments": f"""
        SELECT department.name_zh, department.name_en, count(*) AS n
        FROM issue JOIN department ON department.code = issue.lead
        WHERE {_LATE} GROUP BY 1, 2 ORDER BY n DESC, name_zh LIMIT :top""",
}
_PLACE = text("""
SELECT string_agg(DISTINCT unit.name, '、') AS name, string_agg(DISTINCT unit.name_en, ', ') AS name_en
FROM edition JOIN net ON net.code = edition.net JOIN unit ON unit.edition_id = edition.id
JOIN level ON level.net = unit.net AND level.code = unit.level
WHERE edition.state = 'active' AND edition.valid_to IS NULL
  AND CASE WHEN '*' = ANY(:ground) THEN net.rank = 0 AND level.rank = 0
           ELSE unit.net || ':' || unit.level || ':' || unit.code = ANY(:ground) END
HAVING count(*) > 0
""")
_ISSUE = text("""
SELECT issue.id, issue.state, issue.category, issue.text, issue.reported_at, issue.due_at,
       coalesce(issue.place ->> 'address', found.building, found.street) AS address,
       category.name_zh AS category_zh, category.name_en AS category_en,
       department.name_zh AS department_zh, department.name_en AS department_en
FROM issue LEFT JOIN department ON department.code = issue.lead
LEFT JOIN category ON (category.scheme, category.version, category.code)
     = (issue.scheme, issue.scheme_version, issue.category)
LEFT JOIN LATERAL (
    SELECT location #>> '{building,name}' AS building, location #>> '{street,name}' AS street FROM finding
    WHERE finding.issue_id = issue.id ORDER BY version DESC LIMIT 1
) AS found ON true
WHERE issue.code = :code
""")

"""The figures of a city at a moment: open, new that day, overdue, closed. What was is counted in the words of what is.

At the present moment each number is the total of a ledger, whose link stands beside it. For an earlier one an issue is
taken back to how it stood: by the first move behind that moment, and by the clocks as they were on record. Where this
fails: what was changed without a move (by a bulk load, or a merge of data) counts as if it had always been so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.clocks.values import ENDS
from gis.issues.ledgers.asking import OPEN, STAGES, Moment

Json = dict[str, Any]

# The share of closed ones is of what was reported in so many days, today with them.
WINDOW_DAYS = 30
UNITS_SHOWN = 12


@dataclass(frozen=True)
class Figures:
    """What is counted. new: reported that day; closed: of `counted`, reported in WINDOW_DAYS days and not dropped."""

    open: int
    new: int
    overdue: int
    closed: int
    counted: int


NOTHING = Figures(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Late:
    """A unit with its overdue issues; first_due_at: of the one that is late the longest."""

    key: str
    name: str
    name_en: str
    overdue: int
    first_due_at: datetime


def ledgers(moment: Moment) -> dict[str, dict[str, str]]:
    """Name the ledger that lists what each number counts, as its address asks."""
    window = {"from": (moment.today - timedelta(days=WINDOW_DAYS - 1)).isoformat(), "to": moment.today.isoformat()}
    return {
        "open": {"stage": "open", "order": "due"},
        "new": {"period": "today"},
        "overdue": {"stage": "open", "dues": "overdue", "order": "due"},
        "closed": {"stage": "closing", **window},
    }


def at(session: Session, moment: Moment) -> Figures | None:
    """Count what the asker may see as it stood; None where nothing had been received by then."""
    row = session.execute(_COUNTED, _values(moment)).mappings().one()
    known = row["known"]
    return Figures(**{name: row[name] for name in Figures.__dataclass_fields__}) if known else None


def yesterday(moment: Moment) -> Moment:
    """Return the same time of the day before, by the city's clock."""
    return replace(moment, now=moment.now.astimezone(moment.zone) - timedelta(days=1))


def overdue_by_unit(session: Session, moment: Moment, level: tuple[str, str]) -> list[Late]:
    """List the units of a level (net, level) with the most overdue issues; one across a line counts on both sides."""
    values = {"now": moment.now, "open": list(OPEN), "prefix": f"{level[0]}:{level[1]}:", "most": UNITS_SHOWN}
    return [Late(**row) for row in session.execute(_LATE, values).mappings()]


def overdue_nowhere(session: Session, moment: Moment, level: tuple[str, str]) -> Late | None:
    """Count the overdue issues that lie in no unit of a level: those that wait for their place, those in gaps."""
    values = {"now": moment.now, "open": list(OPEN), "prefix": f"{level[0]}:{level[1]}:"}
    overdue, first_due_at = session.execute(_NOWHERE, values).one()
    return Late("", "", "", overdue, first_due_at) if overdue else None


def _values(moment: Moment) -> Json:
    today = moment.today
    return {
        "at": moment.now, "midnight": moment.begin(today), "next_midnight": moment.begin(today + timedelta(days=1)),
        "window": moment.begin(today - timedelta(days=WINDOW_DAYS - 1)), "open": list(OPEN), "ends": list(ENDS),
        "closing": list(STAGES["closing"]), "dropped": list(STAGES["dropped"]),
    }  # fmt: skip


_COUNTED = text("""
WITH moved AS (
    SELECT DISTINCT ON (issue_id) issue_id, from_state FROM move WHERE at > :at ORDER BY issue_id, version
), timed AS (
    SELECT DISTINCT issue_id FROM clock WHERE at > :at AND department = '' AND name = ANY(:ends)
), was AS (
    SELECT coalesce(moved.from_state, issue.state) AS state, issue.reported_at,
           CASE WHEN timed.issue_id IS NULL THEN issue.due_at ELSE (
               SELECT min(due_at) FROM (
                   SELECT DISTINCT ON (name) due_at, stopped_at FROM clock
                   WHERE clock.issue_id = issue.id AND department = '' AND name = ANY(:ends) AND at <= :at
                   ORDER BY name, version DESC
               ) AS clock WHERE stopped_at IS NULL
           ) END AS due_at
    FROM issue LEFT JOIN moved ON moved.issue_id = issue.id LEFT JOIN timed ON timed.issue_id = issue.id
    WHERE issue.received_at <= :at
      AND (issue.state = ANY(:open) OR moved.issue_id IS NOT NULL OR issue.reported_at >= :window)
)
SELECT EXISTS (SELECT FROM issue WHERE received_at <= :at) AS known,
       count(*) FILTER (WHERE state = ANY(:open)) AS open,
       count(*) FILTER (WHERE reported_at >= :midnight AND reported_at < :next_midnight) AS new,
       count(*) FILTER (WHERE state = ANY(:open) AND due_at < :at) AS overdue,
       count(*) FILTER (WHERE state = ANY(:closing) AND reported_at >= :window AND reported_at < :next_midnight)
           AS closed,
       count(*) FILTER (WHERE state <> ALL(:dropped) AND reported_at >= :window AND reported_at < :next_midnight)
           AS counted
FROM was
""")
_LATE = text("""
WITH late AS (
    SELECT key, count(*) AS overdue, min(due_at) AS first_due_at FROM issue, unnest(issue.ground) AS key
    WHERE due_at < :now AND state = ANY(:open) AND starts_with(key, :prefix)
    GROUP BY key ORDER BY overdue DESC, first_due_at, key LIMIT :most
)
SELECT late.key, coalesce(unit.name, split_part(late.key, ':', 3)) AS name,
       coalesce(nullif(unit.name_en, ''), unit.name, split_part(late.key, ':', 3)) AS name_en,
       late.overdue, late.first_due_at
FROM late LEFT JOIN LATERAL (
    SELECT unit.name, unit.name_en FROM unit JOIN edition ON edition.id = unit.edition_id AND edition.state = 'active'
    WHERE unit.net = split_part(late.key, ':', 1) AND unit.level = split_part(late.key, ':', 2)
      AND unit.code = split_part(late.key, ':', 3)
    ORDER BY edition.valid_from DESC LIMIT 1
) AS unit ON true
ORDER BY overdue DESC, first_due_at, key
""")
_NOWHERE = text("""
SELECT count(*), min(due_at) FROM issue
WHERE due_at < :now AND state = ANY(:open)
AND NOT EXISTS (SELECT FROM unnest(ground) AS key WHERE starts_with(key, :prefix))
""")

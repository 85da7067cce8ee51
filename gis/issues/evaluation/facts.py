"""What happened in a period, counted by unit or by department; and the issues behind each count. One question, in SQL.

A count and its list are asked of the same rows by the same condition: so they cannot differ. Each base has its own
date: reports count in the period they were made in, limits in the one they end in, answers in the one they are given
in. What happened after the end of the period does not count in it, whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.evaluation.formulas import DEPARTMENT, Formulas

Json = dict[str, Any]
# Stands for everything the asker sees together, each issue once.
ALL = ""
# A month of a large city is sorted in memory, and under row-level security its lists of issues are kept there.
WORK_MEM = "256MB"

# What a count holds, over the columns below. A rate's base and what is counted of it are nested, so no rate passes one.
COUNTS: Mapping[str, str] = {
    "reported": "reported", "valid": "valid", "filed": "filed", "public": "filed AND is_public",
    "no_limit": "filed AND due_at IS NULL AND NOT self_handled", "relapses": "filed AND is_relapse",
    "sent": "sent", "sent_right": "sent AND NOT sent_wrong",
    "due": "due", "handled": "due AND handled_at IS NOT NULL", "handled_on_time": "on_time",
    "late": "due AND NOT on_time", "closed": "due AND is_closed", "closed_on_time": "on_time AND is_closed",
    "closed_late": "due AND is_closed AND NOT on_time", "reworked": "due AND reworked", "forced": "due AND forced",
    "self_handled": "filed AND self_handled", "sample_inspected": "filed AND sample_inspected",
    "sample_passed": "filed AND sample_inspected AND sample_passed",
    "call_backs": "counts OR unreachable", "unreachable": "unreachable", "answers": "counts",
    "excluded": "answered AND NOT counts",
    "asked_response": "counts AND contacted IS NOT NULL", "responded": "counts AND contacted = 'yes'",
    "asked_solved": "counts AND solved IS NOT NULL", "solved": "counts AND solved = 'yes'",
    "unsolved": "counts AND solved = 'no'",
    "rated": "counts AND satisfied IS NOT NULL", "satisfied": "counts AND satisfied = 'yes'",
    "partly": "counts AND satisfied = 'partly'", "dissatisfied": "counts AND satisfied = 'no'",
}  # fmt: skip
# Why an answer may be left out of the rates.
EXCLUSIONS: Mapping[str, str] = {
    "forced": "forced", "suspended": "suspended", "answered": "answered_at_once", "returned": "returned",
}  # fmt: skip


@dataclass(frozen=True)
class Period:
    """Half-open: [since, until)."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Question:
    """Who is evaluated for when. level: of units as "net:level"; empty: departments.

    only: the units (keys) or departments (codes) asked for; None: all there are. within: units whose issues together
    make the sum of all; empty: everything the asker sees.
    """

    period: Period
    level: str = ""
    only: tuple[str, ...] | None = None
    within: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Say whether units or departments are evaluated."""
        return "unit" if self.level else DEPARTMENT


def count(session: Session, question: Question, formulas: Formulas) -> dict[str, dict[str, int]]:
    """Count for every unit or department that has anything to count, and for ALL: {subject: {count: n}}."""
    counted = ", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in COUNTS.items())
    sql = f"{_facts(question, formulas)} SELECT subject, {counted} FROM fact GROUP BY subject"
    rows = _ask(session, sql, _values(question, formulas)).mappings()
    found = {row["subject"]: {name: row[name] for name in COUNTS} for row in rows}
    return {ALL: dict.fromkeys(COUNTS, 0)} | found


def listed(session: Session, question: Question, formulas: Formulas, subject: str, name: str) -> list[int]:
    """List the issues a count counts, the latest report first; as many as it says."""
    sql = f"""{_facts(question, formulas)}
    SELECT id FROM fact WHERE subject = :subject AND ({COUNTS[name]}) ORDER BY reported_at DESC, id DESC"""
    return list(_ask(session, sql, _values(question, formulas) | {"subject": subject}).scalars())


def _ask(session: Session, sql: str, values: Json) -> Any:  # noqa: ANN401 -- rows of whatever was selected
    session.execute(text("SELECT set_config('work_mem', :most, true)"), {"most": WORK_MEM})
    return session.execute(text(sql), values)


def _values(question: Question, formulas: Formulas) -> Json:
    return {
        "since": question.period.since, "until": question.period.until, "level": f"{question.level}:",
        "only": None if question.only is None else list(question.only),
        "within": list(question.within), "public": list(formulas.public_sources),
    }  # fmt: skip


def _facts(question: Question, formulas: Formulas) -> str:
    """Write the question up to `fact`: a row for each issue of each subject, with what the counts look at."""
    left_out = " OR ".join(EXCLUSIONS[name] for name in formulas.excluded) or "false"
    subjects = _UNITS if question.level else _DEPARTMENTS
    return f"{_TOLD}, subject AS ({subjects}), {_FACT.format(left_out=left_out)}"


# `moved` looks at all moves of an issue, and counts what was made before the end of the period.
_TOLD = """
WITH touched AS MATERIALIZED (
    SELECT id FROM issue WHERE reported_at >= :since AND reported_at < :until
    UNION SELECT issue_id FROM clock
    WHERE name = 'handle' AND due_at >= :since AND due_at < :until AND at < :until
    UNION SELECT issue_id FROM move WHERE at >= :since AND at < :until AND name IN ('evaluate', 'miss_call')
), moved AS (
    SELECT issue_id, min(at) FILTER (WHERE name = 'verify') AS verified_at,
           coalesce(bool_or(name IN ('reject', 'void')) FILTER (WHERE past), false) AS refused,
           coalesce(bool_or(name = 'merge') FILTER (WHERE past), false) AS merged,
           coalesce(bool_or(name = 'return') FILTER (WHERE past), false) AS returned,
           coalesce(bool_or(name = 'answer') FILTER (WHERE past), false) AS answered_at_once,
           coalesce(bool_or(to_state = 'suspended') FILTER (WHERE past), false) AS suspended,
           coalesce(bool_or(name = 'grant' AND to_state = 'closed') FILTER (WHERE past), false) AS forced,
           coalesce(bool_or(name = 'rework' AND from_state <> 'self_handled') FILTER (WHERE past), false) AS reworked,
           coalesce(bool_or(name = 'self_handle') FILTER (WHERE past), false) AS self_handled,
           max(version) FILTER (WHERE past AND name = 'self_handle') AS fixed_by,
           max(version) FILTER (WHERE past AND name = 'rework' AND from_state = 'self_handled') AS failed_by,
           coalesce(bool_or(from_state = 'self_handled') FILTER (WHERE past), false) AS sample_inspected,
           coalesce(bool_or(name = 'pass' AND from_state = 'self_handled') FILTER (WHERE past), false)
               AS sample_passed,
           max(version) FILTER (WHERE past AND to_state = 'closed' AND from_state <> 'closed') AS closed_by,
           max(version) FILTER (WHERE past AND name = 'reopen') AS reopened_by,
           max(version) FILTER (WHERE past AND name = 'evaluate' AND at >= :since) AS answered_by,
           coalesce(bool_or(name = 'miss_call' AND to_state = 'evaluated' AND at >= :since) FILTER (WHERE past), false)
               AS unreachable
    FROM (SELECT *, at < :until AS past FROM move WHERE issue_id IN (SELECT id FROM touched)) AS made
    GROUP BY issue_id
), clocked AS (
    SELECT DISTINCT ON (issue_id, department) issue_id, department, due_at, stopped_at
    FROM clock WHERE name = 'handle' AND at < :until AND issue_id IN (SELECT id FROM touched)
    ORDER BY issue_id, department, version DESC
), told AS (
    SELECT issue.id, issue.reported_at, issue.ground, issue.lead, own.due_at, own.stopped_at AS handled_at,
           issue.reported_at >= :since AND issue.reported_at < :until AS reported,
           issue.located AND issue.state <> 'collected' AND coalesce(moved.verified_at < :until, true) AS is_filed,
           issue.source = ANY(:public) AS is_public, issue.relapse_of IS NOT NULL AS is_relapse,
           issue.lead IS NOT NULL AND issue.state <> 'filed' AS is_sent,
           moved.closed_by > coalesce(moved.reopened_by, 0) AS is_closed,
           coalesce(moved.refused, false) AS refused, coalesce(moved.merged, false) AS merged,
           coalesce(moved.returned, false) AS returned, coalesce(moved.suspended, false) AS suspended,
           coalesce(moved.forced, false) AS forced, coalesce(moved.reworked, false) AS reworked,
           coalesce(moved.answered_at_once, false) AS answered_at_once,
           coalesce(moved.self_handled, false) AS self_handled,
           coalesce(moved.fixed_by > coalesce(moved.failed_by, 0), false) AS is_the_grids,
           coalesce(moved.sample_inspected, false) AS sample_inspected,
           coalesce(moved.sample_passed, false) AS sample_passed, moved.answered_by IS NOT NULL AS answered,
           coalesce(moved.unreachable, false) AND moved.answered_by IS NULL AS unreachable,
           said.fields ->> 'contacted' AS contacted, said.fields ->> 'solved' AS solved,
           said.fields ->> 'satisfied' AS satisfied
    FROM touched JOIN issue ON issue.id = touched.id
    LEFT JOIN moved ON moved.issue_id = issue.id
    LEFT JOIN clocked AS own ON own.issue_id = issue.id AND own.department = ''
    LEFT JOIN move AS said ON said.issue_id = issue.id AND said.version = moved.answered_by
)"""
# An issue on several units of a level counts in each of them, and once in all.
_UNITS = """
    SELECT told.id, key AS subject, told.due_at, told.handled_at, told.reworked, told.returned AS sent_wrong,
           false AS left_it
    FROM told, unnest(told.ground) AS key
    WHERE starts_with(key, :level) AND (CAST(:only AS text[]) IS NULL OR key = ANY(:only))
    UNION ALL
    SELECT id, '', due_at, handled_at, reworked, returned, false FROM told
    WHERE CAST(:within AS text[]) = '{}' OR ground && CAST(:within AS text[])"""
# Each by its own clock and its own steps: a late lead does not make a punctual party late. Who need not come, and who
# refused, is not evaluated.
_DEPARTMENTS = """
    SELECT told.id, party.department AS subject, coalesce(own.due_at, told.due_at) AS due_at,
           CASE WHEN stepped.fed_back_at > coalesce(stepped.sent_back_at, '-infinity') THEN stepped.fed_back_at END
               AS handled_at,
           coalesce(stepped.failed, false) AS reworked, coalesce(stepped.refused, false) AS sent_wrong,
           coalesce(stepped.refused_at > stepped.called_at, false) AS left_it
    FROM told
    JOIN (SELECT *, max(version) OVER (PARTITION BY issue_id) AS last FROM party
          WHERE issue_id IN (SELECT id FROM touched)) AS party
      ON party.issue_id = told.id AND party.version = party.last AND (party.mandatory OR party.role = 'lead')
    LEFT JOIN clocked AS own ON own.issue_id = told.id AND own.department = party.department
    LEFT JOIN (
        SELECT issue_id, department, max(said_at) FILTER (WHERE step = 'fed_back') AS fed_back_at,
               max(said_at) FILTER (WHERE step IN ('failed', 'called')) AS sent_back_at,
               max(at) FILTER (WHERE step = 'refused') AS refused_at,
               coalesce(max(at) FILTER (WHERE step = 'called'), '-infinity') AS called_at,
               bool_or(step = 'failed') AS failed, bool_or(step = 'refused') AS refused
        FROM party_step WHERE at < :until AND issue_id IN (SELECT id FROM touched) GROUP BY issue_id, department
    ) AS stepped ON stepped.issue_id = told.id AND stepped.department = party.department
    WHERE CAST(:only AS text[]) IS NULL OR party.department = ANY(:only)
    UNION ALL
    SELECT id, '', due_at, handled_at, reworked, returned, false FROM told
    WHERE CAST(:within AS text[]) = '{}' OR ground && CAST(:within AS text[])"""
_FACT = """
base AS (
    SELECT subject.*, told.reported_at, told.reported, told.is_public, told.is_relapse,
           coalesce(told.is_closed, false) AS is_closed, told.forced, told.self_handled, told.sample_inspected,
           told.sample_passed, told.answered, told.unreachable, told.contacted, told.solved, told.satisfied,
           told.reported AND NOT told.refused AS valid,
           told.reported AND told.is_filed AND NOT (told.refused OR told.merged) AS filed,
           told.is_sent AND NOT (told.is_the_grids OR told.answered_at_once) AS is_sent,
           coalesce(subject.due_at >= :since AND subject.due_at < :until, false)
               AND NOT (told.refused OR told.merged OR told.is_the_grids OR subject.left_it) AS due,
           told.answered AND NOT ({left_out}) AS counts
    FROM subject JOIN told ON told.id = subject.id
), fact AS (
    SELECT base.*, filed AND is_sent AS sent, due AND coalesce(handled_at <= due_at, false) AS on_time FROM base
)"""

"""What happened in a period, counted by unit or by department; and the issues behind each count. One question, in SQL.

A count and its list are asked of the same rows by the same condition: so they cannot differ. Each base has its own
date: reports count in the period they were made in, limits in the one they end in, answers in the one they are given
in. What happened after the end of the period does not count in it, whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.issues.evaluation import signs, stages
from gis.issues.evaluation.formulas import DEPARTMENT, UNIT, Formulas

Json = dict[str, Any]
# Stands for everything the asker sees together, each issue once.
ALL = ""
# A month of a large city is sorted in memory, and under row-level security its lists of issues are kept there.
LISTED: Mapping[str, str] = {"work_mem": "256MB", "jit": "off"}
# Under row-level security PostgreSQL expects one row where a whole month comes, and may then walk a list once for each
# row of another.
COUNTED = {**LISTED, "enable_nestloop": "off"}

# What a count holds, over the columns below. A rate's base and what is counted of it are nested, so no rate passes one.
COUNTS: Mapping[str, str] = {
    "reported": "reported", "valid": "valid", "filed": "filed", "public": "filed AND is_public",
    "no_limit": "filed AND limit_at IS NULL AND NOT self_handled", "relapses": "filed AND is_relapse",
    "sent": "sent", "sent_right": "sent AND NOT sent_wrong",
    "due": "due", "handled": "due AND handled_at IS NOT NULL", "handled_on_time": "on_time",
    "late": "due AND NOT on_time AND NOT exempt",
    "exempted": "due AND exempt AND coalesce(handled_at > limit_at, true)", "closed": "due AND is_closed",
    "closed_on_time": "on_time AND is_closed",
    "closed_late": "due AND is_closed AND NOT on_time", "reworked": "due AND reworked", "forced": "due AND forced",
    "self_handled": "filed AND self_handled", "sample_inspected": "filed AND sample_inspected",
    "sample_passed": "filed AND sample_inspected AND sample_passed",
    "sign_due": "sign_due AND is_valid", "signed_on_time": "signed_on_time AND is_valid",
    "contact_due": "contact_due AND is_valid", "contacted_on_time": "contacted_on_time AND is_valid",
    "reply_due": "reply_due AND is_valid", "replied_on_time": "replied_on_time AND is_valid",
    "reviewed": "review IS NOT NULL",
    "call_backs": "counts OR unreachable", "unreachable": "unreachable", "answers": "counts",
    "excluded": "answered AND NOT counts",
    "asked_response": "counts AND contacted IS NOT NULL", "responded": "counts AND contacted = 'yes'",
    "asked_solved": "counts AND solved IS NOT NULL", "solved": "counts AND solved = 'yes'",
    "unsolved": "counts AND solved = 'no'",
    "rated": "counts AND satisfied IS NOT NULL", "satisfied": "counts AND satisfied = 'yes'",
    "partly": "counts AND satisfied = 'partly'", "dissatisfied": "counts AND satisfied = 'no'",
    **stages.COUNTS,
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
class Measured:
    """What was counted of a unit or department. review: the mean of its whistles' reviews, of 100; None: none."""

    counts: dict[str, int]
    review: Fraction | None = None


@dataclass(frozen=True)
class Question:
    """Who is evaluated for when. level: of units as "net:level"; empty: departments.

    only: the units (keys) or departments (codes) asked for; None: all there are. within: units whose issues together
    make the sum of all; empty: everything the asker sees. No other issues are looked at than those of the categories,
    on the units `touching`, and with the numbers `issues`, where these are named.
    """

    period: Period
    level: str = ""
    only: tuple[str, ...] | None = None
    within: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    touching: tuple[str, ...] | None = None
    issues: tuple[int, ...] | None = None

    @property
    def kind(self) -> str:
        """Say whether units or departments are evaluated."""
        return UNIT if self.level else DEPARTMENT


def count(session: Session, question: Question, formulas: Formulas) -> dict[str, dict[str, int]]:
    """Count for every unit or department that has anything to count, and for ALL: {subject: {count: n}}."""
    return {subject: measured.counts for subject, measured in measure(session, question, formulas).items()}


def measure(session: Session, question: Question, formulas: Formulas) -> dict[str, Measured]:
    """Count as `count` does, and take the mean of what whistles were reviewed with, each issue once."""
    whose, each = _WHOSE[question.kind]
    sql = f"""{_facts(question, formulas)}
    SELECT subject, counted, count(*) AS n, sum(review) AS review, count(review) AS reviewed
    FROM (SELECT {whose}, review, {_COUNTED} AS counted FROM fact OFFSET 0) AS fact {each} GROUP BY subject, counted"""
    found = {ALL: _Sum()}
    for row in _ask(session, sql, _values(question, formulas), COUNTED):
        found.setdefault(row.subject, _Sum()).add(row)
    return {subject: added.measured() for subject, added in found.items()}


class _Sum:
    """What is added up of a subject; issues that count in the same counts come together."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.review, self.reviewed = Fraction(), 0

    def add(self, row: Row[Any]) -> None:
        for name, bit in _BITS.items():
            if row.counted & bit:
                self.counts[name] += row.n
        self.review += Fraction(row.review or 0)
        self.reviewed += row.reviewed

    def measured(self) -> Measured:
        return Measured(self.counts, self.review / self.reviewed if self.reviewed else None)


# A bit for each count: a million issues are of some hundreds of patterns, which are grouped without being sorted.
_BITS = {name: 1 << nth for nth, name in enumerate(COUNTS)}
_COUNTED = " | ".join(f"CASE WHEN {COUNTS[name]} THEN CAST({bit} AS bigint) ELSE 0 END" for name, bit in _BITS.items())


def listed(session: Session, question: Question, formulas: Formulas, subject: str, name: str) -> list[int]:
    """List the issues a count counts, the latest report first; as many as it says."""
    narrowed = () if subject == ALL else (_NARROWED["ground" if question.level else "departments"],)
    sql = f"""{_facts(question, formulas, narrowed)}
    SELECT id FROM fact {_WHOSE[question.kind][1]} AND subject = :subject AND ({COUNTS[name]})
    ORDER BY reported_at DESC, id DESC"""
    return list(_ask(session, sql, _values(question, formulas) | {"subject": subject}, LISTED).scalars())


def _ask(session: Session, sql: str, values: Json, settings: Mapping[str, str]) -> Any:  # noqa: ANN401 -- rows
    before = {name: session.execute(text(f"SHOW {name}")).scalar_one() for name in settings}
    _set(session, settings)
    found = session.execute(text(sql), values)
    _set(session, before)
    return found


def _set(session: Session, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        session.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})


def _values(question: Question, formulas: Formulas) -> Json:
    return {
        "since": question.period.since, "until": question.period.until, "level": f"{question.level}:",
        "only": None if question.only is None else list(question.only),
        "within": list(question.within), "telling": list(signs.TELLING), "public": list(formulas.public_sources),
        "categories": list(question.categories or ()), "touching": list(question.touching or ()),
        "issues": list(question.issues or ()), **stages.values(formulas),
    }  # fmt: skip


def _facts(question: Question, formulas: Formulas, narrowed: Sequence[str] = ()) -> str:
    """Write the question up to `fact`: a row for each issue of each subject, with what the counts look at."""
    left_out = " OR ".join(EXCLUSIONS[name] for name in formulas.excluded) or "false"
    subjects = _UNITS if question.level else _DEPARTMENTS
    conditions = [*narrowed, *(sql for name, sql in _ONLY.items() if getattr(question, name) is not None)]
    looked_at = f"JOIN issue USING (id) WHERE {' AND '.join(conditions)}" if conditions else ""
    told = _TOLD.replace("{narrowed}", looked_at)
    return f"{told}, own AS ({subjects}), {_FACT.format(left_out=left_out, stages=stages.FACT)}"


# Of one subject nobody else's issues need be looked at.
_NARROWED = {
    column: f"issue.{column} && ARRAY[CAST(:subject AS text)]" for column in ("ground", "departments")
}
# Of a question that names the issues it is about no others need be looked at either.
_ONLY = {
    "categories": "issue.category = ANY(:categories)",
    "touching": "issue.ground && CAST(:touching AS text[])",
    "issues": "issue.id = ANY(CAST(:issues AS bigint[]))",
}
# `touched` names each issue once: what it is joined to is planned by its number. `moved` looks at all that was made of
# an issue, and counts what was made before the end of the period.
_TOLD = f"""
WITH reported AS MATERIALIZED (
    SELECT id FROM issue WHERE reported_at >= :since AND reported_at < :until
), touched AS MATERIALIZED (
    SELECT id FROM (
        SELECT id FROM reported
        UNION ALL SELECT DISTINCT issue_id FROM (
            SELECT issue_id FROM clock
            WHERE name IN ('handle', 'sign', 'contact', 'reply')
              AND due_at >= :since AND due_at < :until AND at < :until
            UNION ALL SELECT issue_id FROM move
            WHERE at >= :since AND at < :until AND name IN ('evaluate', 'miss_call')
            UNION ALL SELECT whistle.issue_id
            FROM whistle_review AS review JOIN whistle ON whistle.id = review.whistle_id
            WHERE review.at >= :since AND review.at < :until
        ) AS earlier WHERE NOT EXISTS (SELECT FROM reported WHERE reported.id = earlier.issue_id)
    ) AS any_of {{narrowed}}
), moved AS (
    SELECT issue_id, bit_or(signs) AS signs, min(at) FILTER (WHERE {signs.has("verified")}) AS verified_at,
           min(at) FILTER (WHERE {signs.has("looked_at")}) AS looked_at,
           min(at) FILTER (WHERE {signs.has("sent")}) AS sent_at,
           max(at) FILTER (WHERE {signs.has("inspected")}) AS inspected_at,
           max(version) FILTER (WHERE {signs.has("self_handled")}) AS fixed_by,
           max(version) FILTER (WHERE {signs.has("failed")}) AS failed_by,
           max(version) FILTER (WHERE {signs.has("closed")}) AS closed_by,
           max(version) FILTER (WHERE {signs.has("reopened")}) AS reopened_by,
           max(version) FILTER (WHERE {signs.has("answered")}) AS answered_by
    FROM (SELECT issue_id, version, at, {signs.SAID} AS signs
          FROM touched JOIN move ON move.issue_id = touched.id WHERE move.name = ANY(:telling) OFFSET 0) AS made
    GROUP BY issue_id
), clocked AS (
    SELECT DISTINCT ON (issue_id, name, department) issue_id, name, department, due_at, stopped_at
    FROM touched JOIN clock ON clock.issue_id = touched.id
    WHERE clock.name IN ('handle', 'sign', 'contact', 'reply') AND clock.at < :until
    ORDER BY issue_id, name, department, version DESC
), exempted AS (
    SELECT DISTINCT appeal.issue_id, appeal.department, appeal.due_at
    FROM touched JOIN appeal ON appeal.issue_id = touched.id AND appeal.clock = 'handle'
    JOIN appeal_answer AS answer ON answer.appeal_id = appeal.id AND answer.granted
), reviewed AS (
    SELECT whistle.issue_id, review.department, avg(review.score) AS review
    FROM touched JOIN whistle ON whistle.issue_id = touched.id
    JOIN whistle_review AS review ON review.whistle_id = whistle.id
    WHERE review.at >= :since AND review.at < :until GROUP BY whistle.issue_id, review.department
), ordered AS (
    SELECT issue_id, bool_or(name = 'sign') AS sign_due, bool_or(name = 'contact') AS contact_due,
           bool_or(name = 'reply') AS reply_due, bool_or(name = 'sign' AND stopped_at <= due_at) AS signed_on_time,
           bool_or(name = 'contact' AND stopped_at <= due_at) AS contacted_on_time,
           bool_or(name = 'reply' AND stopped_at <= due_at) AS replied_on_time
    FROM clocked WHERE name <> 'handle' AND due_at >= :since AND due_at < :until GROUP BY issue_id
){stages.PLACED}, told AS (
    SELECT issue.id,{stages.TOLD}
           issue.reported_at, issue.ground, own.due_at, own.stopped_at,
           issue.reported_at >= :since AND issue.reported_at < :until AS reported,
           issue.located AND issue.state <> 'collected' AND coalesce(moved.verified_at < :until, true) AS is_filed,
           issue.source = ANY(:public) AS is_public, issue.relapse_of IS NOT NULL AS is_relapse,
           issue.lead IS NOT NULL AND issue.state <> 'filed' AS is_sent,
           coalesce(moved.closed_by > coalesce(moved.reopened_by, 0), false) AS is_closed,
           {signs.of_issue("refused")} AS refused, {signs.of_issue("merged")} AS merged,
           {signs.of_issue("returned")} AS returned, {signs.of_issue("suspended")} AS suspended,
           {signs.of_issue("forced")} AS forced, {signs.of_issue("reworked")} AS failed,
           {signs.of_issue("answered_at_once")} AS answered_at_once,
           {signs.of_issue("self_handled")} AS self_handled,
           coalesce(moved.fixed_by > coalesce(moved.failed_by, 0), false) AS is_the_grids,
           {signs.of_issue("sample_inspected")} AS sample_inspected,
           {signs.of_issue("sample_passed")} AS sample_passed, moved.answered_by IS NOT NULL AS answered,
           {signs.of_issue("unreached")} AND moved.answered_by IS NULL AS unreachable,
           said.fields ->> 'contacted' AS contacted, said.fields ->> 'solved' AS solved,
           said.fields ->> 'satisfied' AS satisfied, ordered.sign_due, ordered.contact_due, ordered.reply_due,
           ordered.signed_on_time, ordered.contacted_on_time, ordered.replied_on_time,
           free.issue_id IS NOT NULL AS is_exempt
    FROM touched JOIN issue ON issue.id = touched.id
    LEFT JOIN moved ON moved.issue_id = issue.id
    {stages.TOLD_FROM}
    LEFT JOIN clocked AS own ON own.issue_id = issue.id AND own.department = '' AND own.name = 'handle'
    LEFT JOIN ordered ON ordered.issue_id = issue.id
    LEFT JOIN exempted AS free ON free.issue_id = issue.id AND free.department = '' AND free.due_at = own.due_at
    LEFT JOIN move AS said
      ON said.issue_id = issue.id AND said.version = moved.answered_by AND said.name = 'evaluate'
    OFFSET 0
)"""
# Whose each fact is, and what makes a row of it for each subject. An issue on several units of a level counts in each
# of them, and once in all.
_SEEN = "(cardinality(CAST(:within AS text[])) = 0 OR ground && CAST(:within AS text[]))"
_WHOSE = {
    UNIT: ("ground", f""", unnest(CAST('{{""}}' AS text[]) || fact.ground) AS subject
        WHERE (subject = '' AND {_SEEN}
               OR starts_with(subject, :level) AND (CAST(:only AS text[]) IS NULL OR subject = ANY(:only)))"""),
    DEPARTMENT: ("subject", "WHERE true"),
}  # fmt: skip
# What is each subject's own: its limit, when it was done, whether it had to be done again, was wrongly sent there, or
# left. Units share those of the issue.
_UNITS = """
    SELECT told.due_at AS limit_at, told.stopped_at AS handled_at, told.failed AS reworked, told.returned AS sent_wrong,
           false AS left_it, told.is_exempt AS exempt, CAST(NULL AS numeric) AS review, told.*
    FROM told"""
# Each by its own clock and its own steps: a late lead does not make a punctual party late. Who need not come, and who
# refused, is not evaluated.
_DEPARTMENTS = f"""
    SELECT its.department AS subject, coalesce(its.due_at, told.due_at) AS limit_at,
           CASE WHEN its.department = '' THEN told.stopped_at ELSE its.handled_at END AS handled_at,
           CASE WHEN its.department = '' THEN told.failed ELSE its.failed END AS reworked,
           CASE WHEN its.department = '' THEN told.returned ELSE its.refused END AS sent_wrong, its.left_it,
           CASE WHEN its.due_at IS NULL THEN told.is_exempt ELSE its.exempt END AS exempt, its.review, told.*
    FROM told JOIN (
        SELECT party.issue_id, party.department, own.due_at,
               CASE WHEN stepped.fed_back_at > coalesce(stepped.sent_back_at, '-infinity') THEN stepped.fed_back_at END
                   AS handled_at,
               coalesce(stepped.failed, false) AS failed, coalesce(stepped.refused, false) AS refused,
               coalesce(stepped.refused_at > stepped.called_at, false) AS left_it,
               free.issue_id IS NOT NULL AS exempt, reviewed.review
        FROM (SELECT party.*, max(version) OVER (PARTITION BY issue_id) AS last
              FROM touched JOIN party ON party.issue_id = touched.id) AS party
        LEFT JOIN clocked AS own
          ON own.issue_id = party.issue_id AND own.department = party.department AND own.name = 'handle'
        LEFT JOIN (
            SELECT issue_id, department, max(said_at) FILTER (WHERE step = 'fed_back') AS fed_back_at,
                   max(said_at) FILTER (WHERE step IN ('failed', 'called')) AS sent_back_at,
                   max(at) FILTER (WHERE step = 'refused') AS refused_at,
                   coalesce(max(at) FILTER (WHERE step = 'called'), '-infinity') AS called_at,
                   bool_or(step = 'failed') AS failed, bool_or(step = 'refused') AS refused
            FROM touched JOIN party_step ON party_step.issue_id = touched.id
            WHERE party_step.at < :until AND step IN ('fed_back', 'failed', 'called', 'refused')
            GROUP BY issue_id, department
        ) AS stepped ON stepped.issue_id = party.issue_id AND stepped.department = party.department
        LEFT JOIN exempted AS free ON free.issue_id = party.issue_id AND free.department = party.department
         AND free.due_at = own.due_at
        LEFT JOIN reviewed ON reviewed.issue_id = party.issue_id AND reviewed.department = party.department
        WHERE party.version = party.last AND (party.mandatory OR party.role = 'lead')
          AND (CAST(:only AS text[]) IS NULL OR party.department = ANY(:only))
        UNION ALL SELECT id, '', NULL, NULL, false, false, false, false, NULL FROM touched
    ) AS its ON its.issue_id = told.id
    WHERE its.department <> '' OR {_SEEN}"""
# OFFSET 0: what is asked here is worked out once for each row. Left to itself the planner writes it out anew in each of
# the counts, and half of the time went there.
_FACT = """
base AS (
    SELECT *, reported AND NOT refused AS valid, NOT (refused OR merged OR left_it) AS is_valid,
           reported AND is_filed AND NOT (refused OR merged) AS filed,
           NOT (refused OR merged OR is_the_grids OR left_it)
               AND coalesce(limit_at >= :since AND limit_at < :until, false) AS due,
           answered AND NOT ({left_out}) AS counts
    FROM own OFFSET 0
), fact AS (
    SELECT *, filed AND is_sent AND NOT (is_the_grids OR answered_at_once) AS sent,
           due AND coalesce(handled_at <= limit_at OR handled_at IS NOT NULL AND exempt, false) AS on_time{stages}
    FROM base OFFSET 0
)"""

"""The evaluation of a month with a million issues: by subdistrict and by department, and the list behind one number.

python -m bench.speed_evaluation --issues 50000 runs it small.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import click
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import fresh
from bench.figures import Row, equal, timed
from gis import db
from gis.issues import evaluation
from gis.issues.evaluation import Formulas, Period, Question, facts
from gis.settings import Settings

ISSUES, OFFICES = 1_000_000, 400
MONTH = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
LEVEL = "admin:subdistrict"
GOAL_S = 30.0
# Each issue is filed, signed for, handled (a fifth of them late), inspected and closed; every eleventh is done again,
# every third is called back. All within the month.
_OFFICES = """
INSERT INTO department (code, kind, name_zh, name_en)
SELECT 'd' || n, 'JD', '街道 ' || n, 'Office ' || n FROM generate_series(0, :offices - 1) AS n
"""
_ISSUES = """
INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at, received_at,
                   place, located, flags, ground, departments, lead, closed_at, version, marks)
SELECT 'x' || n, 'bench', 'x' || n, 'gb', '1', '0501', 'issue', CASE WHEN n % 3 = 0 THEN 'evaluated' ELSE 'closed' END,
       at, at, '{}', true, '{}',
       ARRAY['admin:city:1', 'admin:district:' || n % :offices / 20, 'admin:subdistrict:' || n % :offices,
             'admin:community:' || n % (:offices * 10), 'unit_grid:cell:' || n % (:offices * 150)],
       ARRAY['d' || n % :offices], 'd' || n % :offices, at + interval '40 hours', 6, '{}'
FROM generate_series(1, :issues) AS n, LATERAL (SELECT CAST(:since AS timestamptz)
     + (n % 39000) * interval '1 minute' AS at) AS made
"""
_MOVES = """
INSERT INTO move (issue_id, version, name, from_state, to_state, actor, role, department, at, said_at, fields)
SELECT issue.id, step.version, step.name, step.was, step.became, 'bench', 'clerk', NULL, reported_at + step.after,
       reported_at + step.after, CAST(step.fields AS jsonb)
FROM issue CROSS JOIN (VALUES
    (1, 'sign', 'dispatched', 'handling', interval '1 hour', '{}'),
    (2, 'feed_back', 'handling', 'fed_back', interval '20 hours', '{"done": "done"}'),
    (3, 'pass', 'fed_back', 'inspected', interval '30 hours', '{}'),
    (4, 'close', 'inspected', 'closed', interval '40 hours', '{}'),
    (5, 'rework', 'fed_back', 'handling', interval '25 hours', '{"reason": "again"}'),
    (6, 'evaluate', 'closed', 'evaluated', interval '60 hours',
     '{"contacted": "yes", "solved": "yes", "satisfied": "partly"}')
) AS step (version, name, was, became, after, fields)
WHERE (step.version <> 5 OR issue.id % 11 = 0) AND (step.version <> 6 OR issue.id % 3 = 0)
"""
_CLOCKS = """
INSERT INTO clock (issue_id, name, department, version, event, started_at, limit_value, limit_unit, extensions, pauses,
                   due_at, warn_at, stopped_at, reason, at, by)
SELECT id, 'handle', '', event.version, event.name, reported_at, 1, 'work_day', 0, '[]',
       reported_at + CASE WHEN id % 5 = 0 THEN interval '10 hours' ELSE interval '24 hours' END, NULL,
       CASE WHEN event.version = 2 THEN reported_at + interval '20 hours' END, '{}',
       reported_at + CASE WHEN event.version = 2 THEN interval '20 hours' ELSE interval '0' END, 'bench'
FROM issue CROSS JOIN (VALUES (1, 'started'), (2, 'stopped')) AS event (version, name)
"""
_PARTIES = """
INSERT INTO party (issue_id, version, department, role, jurisdiction, called_at, mandatory)
SELECT id, 1, lead, 'lead', '', reported_at, true FROM issue
"""
_DECISIONS = """
INSERT INTO decision (issue_id, version, basis, lead, answer, decided_at, decided_by)
SELECT id, 1, 'incident', NULL, '{}', reported_at, 'bench' FROM issue
"""
_STEPS = """
INSERT INTO party_step (issue_id, version, department, step, by, at, said_at, fields)
SELECT issue.id, step.version, lead, step.name, 'bench', reported_at + step.after, reported_at + step.after, '{}'
FROM issue CROSS JOIN (VALUES
    (1, 'signed', interval '1 hour'), (2, 'fed_back', interval '20 hours'), (3, 'passed', interval '30 hours')
) AS step (version, name, after)
"""
FILLED = (_OFFICES, _ISSUES, _DECISIONS, _MOVES, _CLOCKS, _PARTIES, _STEPS)


def measure(_data: Path, issues: int = ISSUES) -> list[Row]:
    """Fill a database with a month and evaluate it."""
    with fresh.settings("shaotu_bench_evaluation") as settings, fresh.engine(settings) as engine:
        _fill(settings, issues)
        formulas = evaluation.read()
        units, departments = Question(MONTH, LEVEL), Question(MONTH)
        rows = [
            timed(f"{issues:,} issues by subdistrict, s", _seconds(engine, partial(_stand, units, formulas)), GOAL_S),
            timed(f"{issues:,} by department, s", _seconds(engine, partial(_stand, departments, formulas)), GOAL_S),
            timed("the issues behind one number, s", _seconds(engine, partial(_listed, units, formulas)), GOAL_S),
        ]
        with db.session(engine, db.EVERYTHING) as session:
            counted = facts.count(session, units, formulas)[evaluation.ALL]
        return [*rows, equal("filed", counted["filed"], issues), equal("late", counted["late"], issues // 5)]


def _stand(question: Question, formulas: Formulas, session: Session) -> None:
    evaluation.of(session, question, formulas, on=date(2026, 5, 31))


def _listed(question: Question, formulas: Formulas, session: Session) -> None:
    evaluation.listed(session, question, formulas, f"{LEVEL}:7", "handled_on_time")


def _seconds(engine: Engine, ask: Callable[[Session], None]) -> float:
    with db.session(engine, db.EVERYTHING) as session:
        start = time.perf_counter()
        ask(session)
        return round(time.perf_counter() - start, 2)


def _fill(settings: Settings, issues: int) -> None:
    """Fill as the owner, whose rows no policy looks at one by one; ask as the application."""
    values = {"issues": issues, "offices": OFFICES, "since": MONTH.since + timedelta(hours=1)}
    owner = db.connect_owner(settings)
    with owner.begin() as connection:
        connection.execute(text("INSERT INTO source VALUES ('bench', '来源', 'Source', 'WGS84', NULL, NULL)"))
        connection.execute(text("INSERT INTO category VALUES ('gb', '1', '0501', NULL, '井盖', 'Manhole', NULL, 1)"))
        for statement in FILLED:
            connection.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    owner.dispose()


@click.command()
@click.option("--issues", type=click.IntRange(1000), default=ISSUES, show_default=True)
def main(issues: int) -> None:
    """Measure and print."""
    for row in measure(Path(), issues):
        click.echo(" | ".join(map(str, row)))


if __name__ == "__main__":
    main()

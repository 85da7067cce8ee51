"""What ends the loop: clocks that end nothing are scanned too; whistles and what goes beside a decision are bound.

Their rows are held against the last line about each issue (gis/issues/asides.py). For what is there already such a line
is written here, and sealed behind what was sealed before: no link is made anew.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

INDEXES = """
CREATE INDEX clock_beside ON clock (due_at)
    WHERE department = '' AND name IN ('sign', 'contact') AND stopped_at IS NULL;
-- An evaluation asks when what had to be placed was: little of all there is.
CREATE INDEX finding_later ON finding (issue_id) WHERE version > 1;
"""

FACTS = {
    "whistle": "code, number, split_from, type, by_unit, by, blown_at, departments, report_by, item, held_by,"
    " answer_due_at, state, answered_by, called_at, called_version, ended_at, ended_version",
    "whistle_review": "whistle_id, department, by_unit, score, by, at",
    "escalation": "id, move_version, whistle_id, from_unit, to_unit, by, at, due_at",
    "errand": "number, kind, department, units, by, at, due_at, late_at, done_at, done_by",
    "consultation": "number, by, at, due_at, late_at, held_at, held_by, lead, agreement",
    "joint_record": "number, sides, by, at",
    "joint_signature": "number, side, department, by, at",
    "line_confirmation": "id, move_version, units, result, department, by, at, geom",
}
TIMES = {
    "blown_at", "report_by", "answer_due_at", "called_at", "ended_at", "at", "due_at", "late_at", "done_at", "held_at",
}  # fmt: skip


def facts(table: str, names: str) -> str:
    columns = (f"{table}.{name}" for name in names.split(", "))
    said = (
        f"{each} AT TIME ZONE 'UTC'" if each.split(".")[1] in TIMES else f"CAST({each} AS text)" for each in columns
    )
    review = table == "whistle_review"
    source = "whistle_review JOIN whistle ON whistle.id = whistle_review.whistle_id" if review else table
    issue_id = "whistle.issue_id" if review else f"{table}.issue_id"
    return f"""
    SELECT {issue_id} AS issue_id, '{table}' AS name, CAST(jsonb_build_array({", ".join(said)}) AS text) AS facts
    FROM {source}"""


BOUND = f"""
WITH of_table AS (
    SELECT issue_id, name, encode(sha256(convert_to(
               string_agg(facts, E'\\n' ORDER BY facts COLLATE "C"), 'UTF8')), 'hex') AS digest
    FROM ({" UNION ALL ".join(facts(table, names) for table, names in FACTS.items())}) AS row_of
    GROUP BY issue_id, name
), written AS (
    INSERT INTO entry (issue_id, kind, params, ground, actor, at)
    SELECT issue.id, 'bound', jsonb_build_object('beside', jsonb_object_agg(name, digest)), issue.ground, 'system',
           now()
    FROM of_table JOIN issue ON issue.id = of_table.issue_id GROUP BY issue.id ORDER BY issue.id
    RETURNING id
)
INSERT INTO unsealed SELECT id FROM written;
"""


def upgrade() -> None:
    op.execute(INDEXES)
    op.execute(BOUND)


def downgrade() -> None:
    raise NotImplementedError("history is not rewritten")

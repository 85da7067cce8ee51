"""A role for the wall: it reads the issues of the whole city as far as the wall shows them, and writes nothing.

The scope of a screen is the word 'screen'. With it the database shows what the wall is drawn from: issues, where they
were found and whose they are, their moves and clocks, and the entries about them. Everything else that hangs on an
issue or on an account is shut to it, here by name; what comes later has to be shut, or opened, by its own migration.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

ROLES = (
    "operator", "leader", "planner", "administrator", "clerk", "dispatcher", "shift_leader", "inspector", "department",
    "caller", "screen",
)  # fmt: skip
SCOPE = "(SELECT current_setting('shaotu.scope', true))"
SEEN = f"""
    {SCOPE} IN ('*', 'screen')
    OR ground && ARRAY(SELECT unnest(string_to_array(current_setting('shaotu.scope', true), ' ')))
    OR departments && ARRAY(SELECT unnest(string_to_array(current_setting('shaotu.department', true), ' ')))
    OR created_by = (SELECT nullif(current_setting('shaotu.account', true), ''))
"""
SHUT = (
    "party", "party_step", "photo", "handoff", "lateness", "appeal", "appeal_answer", "message",
    "whistle", "whistle_review", "roster_entry", "escalation", "errand", "consultation", "joint_record",
    "joint_signature", "line_confirmation", "saved_view", "paper", "shift_handover", "shift_signature", "sweep",
    "sweep_issue", "sweep_outcome", "sent_once", "patrol", "patrol_fix", "staff_position", "task",
)  # fmt: skip


def upgrade() -> None:
    op.execute("ALTER TABLE account DROP CONSTRAINT account_role_check")
    named = ", ".join(f"'{role}'" for role in ROLES)
    op.execute(f"ALTER TABLE account ADD CONSTRAINT account_role_check CHECK (role IN ({named}))")
    op.execute(f"ALTER POLICY issue_seen ON issue USING ({SEEN})")
    for table in ("move", "clock"):
        op.execute(f"ALTER POLICY {table}_whole ON {table} USING ({SCOPE} IN ('*', 'screen'))")
    for table in SHUT:
        op.execute(
            f"CREATE POLICY {table}_off_the_wall ON {table} AS RESTRICTIVE USING ({SCOPE} IS DISTINCT FROM 'screen')"
        )


def downgrade() -> None:
    raise NotImplementedError("an account may be a screen's by now")

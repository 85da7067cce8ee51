"""Booklets become long work like any other: one table, with whose it is held by the database, and with an end.

Booklets that waited or were ready are not carried over: who asked for one asks again, and gets one of today. Their
files lay in the table and go with it; who took one stays in the journal.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0010"

# own: what comes of it is for who asked alone. The rest is administrators' work.
TABLES = """
DROP TABLE booklet;
DELETE FROM job WHERE name = 'booklets';
ALTER TABLE task ADD COLUMN own boolean NOT NULL DEFAULT false;
ALTER TABLE task ENABLE ROW LEVEL SECURITY;
GRANT DELETE ON task TO shaotu_app;
"""
ACCOUNT = "(SELECT current_setting('shaotu.account', true))"
ASKED = f"asked_by = {ACCOUNT}"
ADMINISTRATOR = f"EXISTS (SELECT FROM account WHERE username = {ACCOUNT} AND role = 'administrator')"
# The worker and the commands, which are nobody's account.
SYSTEM = f"((SELECT current_setting('shaotu.scope', true)) = '*' AND coalesce({ACCOUNT}, '') = '')"
SCOPE = f"""
CREATE POLICY task_seen ON task
    USING ({SYSTEM} OR {ASKED} OR NOT own AND {ADMINISTRATOR})
    WITH CHECK ({SYSTEM} OR {ASKED} AND (own OR {ADMINISTRATOR}));
CREATE POLICY task_removed ON task AS RESTRICTIVE FOR DELETE USING ({SYSTEM} OR {ASKED});
"""
BEFORE = """
DROP POLICY task_seen ON task;
DROP POLICY task_removed ON task;
ALTER TABLE task DISABLE ROW LEVEL SECURITY;
REVOKE DELETE ON task FROM shaotu_app;
DELETE FROM task WHERE own;
ALTER TABLE task DROP COLUMN own;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(SCOPE)


def downgrade() -> None:
    op.execute(BEFORE)
    script = op.get_context().script
    assert script is not None  # noqa: S101 -- alembic reads us from it
    # as it was made
    script.get_revision("0016").module.upgrade()

"""Where staff on duty are now: one row for each account, never a track."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0014"

TABLE = """
CREATE TABLE staff_position (
    username text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    department text,
    at timestamptz NOT NULL,
    accuracy_m double precision,
    ground text[] NOT NULL,
    geom geometry(POINT, 4326) NOT NULL,
    PRIMARY KEY (username),
    FOREIGN KEY(username) REFERENCES account (username),
    FOREIGN KEY(department) REFERENCES department (code)
);
CREATE INDEX staff_position_geom ON staff_position USING gist (geom);
"""
ME = "(SELECT nullif(current_setting('shaotu.account', true), ''))"
# Who sees the whole city sees everybody; a leader who is on the own ground; a department its own people.
SCOPE = f"""
ALTER TABLE staff_position ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff_position_seen ON staff_position FOR SELECT USING (
    (SELECT current_setting('shaotu.scope', true)) = '*'
    OR ground && ARRAY(SELECT unnest(string_to_array(current_setting('shaotu.scope', true), ' ')))
    OR department = ANY(ARRAY(SELECT unnest(string_to_array(current_setting('shaotu.department', true), ' '))))
    OR username = {ME});
CREATE POLICY staff_position_told ON staff_position FOR INSERT WITH CHECK (username = {ME});
CREATE POLICY staff_position_moved ON staff_position FOR UPDATE USING (username = {ME}) WITH CHECK (username = {ME});
-- What is too old to be of use is forgotten, whoever it was.
CREATE POLICY staff_position_left ON staff_position FOR DELETE USING (
    username = {ME} OR (SELECT current_setting('shaotu.scope', true)) = '*');
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SCOPE)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON staff_position TO shaotu_app")


def downgrade() -> None:
    op.execute("DROP TABLE staff_position")

"""Powers that are handed down with dates, in the rows of responsibility lists; the two masters of a department."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

# What belongs to the district (区属) may be managed by a subdistrict (街管); a file names its rows in any order.
POWERS = """
ALTER TABLE duty
    ADD COLUMN delegated_by text,
    ADD COLUMN document text,
    ADD COLUMN valid_from date,
    ADD COLUMN valid_to date,
    ADD CHECK ((delegated_by IS NULL) = (document IS NULL) AND (delegated_by IS NULL) = (valid_from IS NULL)),
    ADD CHECK (valid_to IS NULL OR valid_from < valid_to);
ALTER TABLE department
    ADD COLUMN belongs_to text REFERENCES department (code) DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN managed_by text REFERENCES department (code) DEFERRABLE INITIALLY DEFERRED,
    ADD CHECK (code NOT IN (belongs_to, managed_by));
"""


def upgrade() -> None:
    op.execute(POWERS)


def downgrade() -> None:
    op.execute("""
    ALTER TABLE department DROP COLUMN belongs_to, DROP COLUMN managed_by;
    ALTER TABLE duty DROP COLUMN delegated_by, DROP COLUMN document, DROP COLUMN valid_from, DROP COLUMN valid_to;
    """)

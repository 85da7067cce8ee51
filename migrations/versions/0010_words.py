"""Words in the text of a million issues are found by an index: the pairs of neighbouring signs each text has.

Two Chinese signs make no trigram, and what asks for one is not leakproof. Numbers of pairs are, and the server keeps
them with the text: what is erased there is gone from them in the same statement.

And what was closed before a danger had to be made safe first no longer says that it waits for that.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0016"

# A pair is its two code points, sixteen bits of each: what two share by that is told apart by the text itself. With
# `alone` every sign also stands by itself. Letters are lowered as ILIKE lowers them.
PAIRS = """
CREATE FUNCTION sign_pairs(said text, alone boolean) RETURNS integer[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce((
    WITH sign AS MATERIALIZED (
        SELECT ascii(sign) & 65535 AS this, lead(ascii(sign) & 65535) OVER (ORDER BY n) AS next
        FROM unnest(string_to_array(lower(said), NULL)) WITH ORDINALITY AS sign (sign, n)
    )
    SELECT array_agg(DISTINCT pair) FROM (
        SELECT this << 16 | next AS pair FROM sign WHERE next IS NOT NULL
        UNION ALL SELECT this FROM sign WHERE alone
    ) AS of_text
), '{}');
ALTER TABLE issue ADD COLUMN pairs integer[] NOT NULL GENERATED ALWAYS AS (sign_pairs(text, true)) STORED;
"""
# Every move writes a row anew: its pairs wait in a list, which is kept short, for every question reads it.
INDEXES = """
CREATE INDEX issue_pairs ON issue USING gin (pairs) WITH (gin_pending_list_limit = 1024);
CREATE INDEX issue_external ON issue (external_id);
-- What was closed waits for nothing: this says at once that there is nearly none with a time to be done by.
CREATE INDEX issue_closed_due ON issue (due_at) WHERE closed_at IS NOT NULL AND due_at IS NOT NULL;
"""


MARKS = """
UPDATE issue SET marks = array_remove(marks, 'danger')
WHERE marks @> '{danger}' AND state IN ('closed', 'evaluated', 'rejected', 'voided', 'merged', 'self_handled')
"""


def upgrade() -> None:
    op.execute(MARKS)
    op.execute(PAIRS)
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("ALTER TABLE issue DROP COLUMN pairs")
    op.execute("DROP INDEX issue_external, issue_closed_due")
    op.execute("DROP FUNCTION sign_pairs(text, boolean)")

"""Classes of one scheme beside those of another: an old city's codes and the ones that came after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems, ShaotuError
from gis.issues import categories
from gis.issues.standards.reading import rows_of
from gis.issues.standards.values import Key

# What the first class is to the other.
SAME, RELATIONS = "same", ("same", "wider", "narrower", "overlaps", "none")
COLUMNS = ("scheme", "version", "code", "other_scheme", "other_version", "other_code", "relation", "note")


def load(session: Session, path: Path) -> int:
    """Take in pairs of classes; a pair that is known is mended. Raise Problems with every row that names none."""
    known = categories.known(session)
    problems: list[ShaotuError] = []
    rows = []
    for number, row in rows_of(path):
        missing = [name for name in COLUMNS if name not in row]
        if missing:
            raise Invalid("standards.missing_column", columns=", ".join(missing))
        problems += _wrong(number, row, known)
        rows.append({name: row[name] for name in COLUMNS})
    if problems:
        raise Problems(problems)
    if rows:
        session.execute(_KEEP, rows)
    return len(rows)


def same(session: Session, keys: Iterable[Key]) -> dict[Key, Key]:
    """Find for each class the one class of another scheme that is the same; none where that is not one."""
    asked = list(keys)
    schemes, versions, codes = ([key[part] for key in asked] for part in range(3))
    found = session.execute(_SAME, {"schemes": schemes, "versions": versions, "codes": codes})
    return {(row.scheme, row.version, row.code): tuple(row.others[0]) for row in found if len(row.others) == 1}


def _wrong(number: int, row: Mapping[str, str], known: Iterable[Key]) -> list[ShaotuError]:
    one = row["scheme"], row["version"], row["code"]
    other = row["other_scheme"], row["other_version"], row["other_code"]
    if row["relation"] not in RELATIONS:
        return [Invalid("standards.relation", row=number, said=row["relation"], choices=", ".join(RELATIONS))]
    named = [one] if row["relation"] == "none" and not row["other_code"] else [one, other]
    return [Invalid("standards.crosswalk_unknown", row=number, key=" ".join(key)) for key in named if key not in known]


_KEEP = text("""
INSERT INTO crosswalk (scheme, version, code, other_scheme, other_version, other_code, relation, note)
VALUES (:scheme, :version, :code, :other_scheme, :other_version, :other_code, :relation, :note)
ON CONFLICT (scheme, version, code, other_scheme, other_version, other_code)
DO UPDATE SET relation = excluded.relation, note = excluded.note
""")
# A pair is the same read from either side.
_SAME = text("""
WITH pair AS (
    SELECT scheme, version, code, other_scheme, other_version, other_code FROM crosswalk WHERE relation = 'same'
    UNION
    SELECT other_scheme, other_version, other_code, scheme, version, code FROM crosswalk WHERE relation = 'same'
)
SELECT scheme, version, code, json_agg(json_build_array(other_scheme, other_version, other_code)) AS others
FROM pair JOIN unnest(CAST(:schemes AS text[]), CAST(:versions AS text[]), CAST(:codes AS text[]))
     AS asked (scheme, version, code) USING (scheme, version, code)
GROUP BY scheme, version, code
""")

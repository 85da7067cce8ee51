"""Where departments, accounts and roles are reached outside the page: by which channel, at which address."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems, ShaotuError

COLUMNS = ("owner", "channel", "address")
OWNER = re.compile(r"(department|account|role):\S+")


def load(session: Session, file: Path) -> tuple[int, int]:
    """Take in a whole book of addresses; return how many were added and how many end. Raise Problems with every row.

    Nothing is deleted: messages name the contact they went to.
    """
    rows = _read(file)
    said = {name: [row[name] for row in rows] for name in COLUMNS}
    ended = session.scalars(_END, said).all()
    added = session.scalars(_ADD, said).all()
    return len(added), len(ended)


def _read(file: Path) -> list[dict[str, str]]:
    problems: list[ShaotuError] = []
    rows = []
    with file.open(encoding="utf-8-sig", newline="") as opened:
        for number, row in enumerate(csv.DictReader(opened), 2):
            if _is_good(row):
                rows.append({name: row[name].strip() for name in COLUMNS})
            else:
                problems.append(Invalid("messages.bad_contact", row=number))
    if problems:
        raise Problems(problems)
    return rows


def _is_good(row: Mapping[str, str | None]) -> bool:
    said = [(row.get(name) or "").strip() for name in COLUMNS]
    return all(said) and OWNER.fullmatch(said[0]) is not None


_SAID = """
SELECT DISTINCT owner, channel, address
FROM unnest(CAST(:owner AS text[]), CAST(:channel AS text[]), CAST(:address AS text[]))
     AS said (owner, channel, address)
"""
_END = text(f"""
UPDATE contact SET active = false
WHERE active AND (owner, channel, address) NOT IN ({_SAID}) RETURNING id
""")
_ADD = text(f"""
INSERT INTO contact (owner, channel, address, active) SELECT owner, channel, address, true FROM ({_SAID}) AS said
ON CONFLICT (owner, channel, address) DO UPDATE SET active = true WHERE NOT contact.active
RETURNING id
""")

"""Shares between nets: how much of a unit lies in each unit of another net."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import index, units
from gis.territory.index import EditionIndex

# Below this a share is what rounding leaves along lines that two nets share.
NOISE_SHARE = 1e-9


def share_nets(session: Session, edition_id: int) -> int:
    """Compute the shares between an edition and those in force beside it, both ways; return how many.

    Beside it are nets drawn inside the same net, and nets that its manifest, or theirs, names in `crosswalk`.
    """
    session.execute(
        text("""
            DELETE FROM net_share
            WHERE unit_id IN (SELECT id FROM unit WHERE edition_id = :edition)
               OR other_id IN (SELECT id FROM unit WHERE edition_id = :edition)
        """),
        {"edition": edition_id},
    )
    others = _beside(session, edition_id)
    if not others:
        return 0
    own = index.ready(session, units.edition(session, edition_id))
    return sum(_share(session, own, index.ready(session, units.edition(session, other))) for other in others)


def _beside(session: Session, edition_id: int) -> Sequence[int]:
    return session.scalars(
        text("""
            SELECT o.id
            FROM edition e JOIN net n ON n.code = e.net
            JOIN edition o ON o.net <> e.net AND o.state = 'active'
                 AND daterange(o.valid_from, o.valid_to) && daterange(e.valid_from, e.valid_to)
            JOIN net m ON m.code = o.net
            WHERE e.id = :edition
              AND (m.parent_net = n.parent_net OR e.report->'crosswalk' ? o.net OR o.report->'crosswalk' ? e.net)
            ORDER BY o.id
        """),
        {"edition": edition_id},
    ).all()


def _share(session: Session, one: EditionIndex, other: EditionIndex) -> int:
    written = 0
    for held, holding in ((one, other), (other, one)):
        for level, over in product(held.levels.values(), holding.levels.values()):
            shares = over.shares(level.geometry(range(len(level.refs))))
            kept = shares.share > NOISE_SHARE
            ids = level.ids[shares.footprint[kept]], over.ids[shares.row[kept]]
            lines = "".join(_lines(*ids, shares.share[kept]))
            cursor = session.connection().connection.cursor()
            cursor.copy_expert("COPY net_share (unit_id, other_id, share) FROM STDIN", io.StringIO(lines))
            written += int(kept.sum())
    return written


def _lines(*columns: np.ndarray) -> Iterator[str]:
    for unit, other, share in zip(*(column.tolist() for column in columns), strict=True):
        yield f"{unit}\t{other}\t{share!r}\n"

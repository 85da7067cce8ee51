"""The units of the editions in force: get, find, children, neighbours, patch; and all of an edition for the index."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import NotFound
from gis.territory.location import UnitRef


@dataclass(frozen=True)
class LevelRef:
    """A level of a net. divides: its lines part responsibility."""

    code: str
    rank: int
    divides: bool
    name_zh: str
    name_en: str
    colour: str


@dataclass(frozen=True)
class EditionRef:
    """An edition as the index needs it. rank: of its net; levels: coarsest first; dates are half-open.

    digest: of its units, None if it was not computed when they were written.
    """

    id: int
    net: str
    name: str
    rank: int
    valid_from: date
    valid_to: date | None
    line_sigma_m: float
    levels: tuple[LevelRef, ...]
    parent_net: str | None
    parent_level: str | None
    digest: str | None = None

    def holds_on(self, day: date) -> bool:
        """Say whether a day lies in its dates."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True)
class UnitTable:
    """All units of an edition, column by column, coarsest level first, then by code.

    id is int64, geometry holds shapely MultiPolygons (EPSG:4326), every other column holds str (parent_code: or None).
    """

    edition_id: int
    id: NDArray[np.int64]
    net: str
    level: NDArray[np.object_]
    code: NDArray[np.object_]
    parent_code: NDArray[np.object_]
    name: NDArray[np.object_]
    name_en: NDArray[np.object_]
    geometry: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.id)

    def ref(self, row: int) -> UnitRef:
        """Name the unit of a row."""
        return UnitRef(
            id=int(self.id[row]),
            edition_id=self.edition_id,
            net=self.net,
            level=self.level[row],
            code=self.code[row],
            name=self.name[row],
            name_en=self.name_en[row],
            parent_code=self.parent_code[row],
        )


IN_FORCE = "e.state = 'active' AND e.valid_from <= :on AND (e.valid_to IS NULL OR :on < e.valid_to)"
REF = "u.id, u.edition_id, u.net, u.level, u.code, u.name, u.name_en, u.parent_code"


def in_force(session: Session, on: date) -> tuple[EditionRef, ...]:
    """List the editions that answer for a day, one for each net that has one, in the order of the nets' ranks."""
    return _editions(session, IN_FORCE, on=on)


def in_force_each(session: Session, days: Iterable[date]) -> dict[date, tuple[EditionRef, ...]]:
    """Answer `in_force` for several days with one question."""
    every = active(session)
    return {day: tuple(each for each in every if each.holds_on(day)) for day in days}


def active(session: Session) -> tuple[EditionRef, ...]:
    """List the editions that answer for any day, in the order of the nets' ranks."""
    return _editions(session, "e.state = 'active'")


def edition(session: Session, edition_id: int) -> EditionRef:
    """Return an edition in whatever state; a dark one without a date counts from date.max. Raise NotFound."""
    found = _editions(session, "e.id = :edition_id", edition_id=edition_id)
    if not found:
        raise NotFound("places.no_edition", edition=edition_id)
    return found[0]


def of_net(session: Session, net: str, on: date) -> EditionRef:
    """Return the edition of a net that answers for a day; raise NotFound."""
    found = _editions(session, f"e.net = :net AND {IN_FORCE}", net=net, on=on)
    if not found:
        raise NotFound("places.no_edition_on", net=net, on=on)
    return found[0]


def _editions(session: Session, condition: str, **params: object) -> tuple[EditionRef, ...]:
    rows = session.execute(
        text(f"""
            SELECT (SELECT coalesce(jsonb_agg(to_jsonb(l) - 'net' ORDER BY l.rank), '[]')
                    FROM level l WHERE l.net = e.net)::text AS levels,
                   e.id, e.net, e.name, n.rank, coalesce(e.valid_from, 'infinity'::date) AS valid_from, e.valid_to,
                   e.line_sigma_m, n.parent_net, n.parent_level, e.report->>'digest' AS digest
            FROM edition e JOIN net n ON n.code = e.net
            WHERE {condition}
            ORDER BY n.rank, n.code
        """),
        params,
    ).mappings()
    return tuple(_edition_ref(**row) for row in rows)


@lru_cache(maxsize=256)
def _edition_ref(*, levels: str, **row: Any) -> EditionRef:  # noqa: ANN401 -- the columns of a query, by name
    """Put an edition together; the same row is asked for at every question."""
    return EditionRef(levels=tuple(LevelRef(**level) for level in json.loads(levels)), **row)


def load_units(session: Session, edition_id: int) -> UnitTable:
    """Read all units of an edition with their geometry."""
    named = edition(session, edition_id)
    # The driver's own cursor: hexadecimal geometry as text goes straight to GEOS, half the time of ORM values.
    with db.driver_cursor(session) as cursor:
        cursor.execute(
            "SELECT u.id, u.level, u.code, u.parent_code, u.name, u.name_en, u.geom::text"
            " FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level"
            " WHERE u.edition_id = %s ORDER BY l.rank, u.code",
            (edition_id,),
        )
        rows = cursor.fetchall()
    ids, level, code, parent_code, name, name_en, geometry = _columns(rows, 7)
    return UnitTable(
        edition_id=edition_id,
        net=named.net,
        id=ids.astype(np.int64),
        level=level,
        code=code,
        parent_code=parent_code,
        name=name,
        name_en=name_en,
        geometry=shapely.from_wkb(geometry),
    )


def _columns(rows: Sequence[Any], width: int) -> list[NDArray[np.object_]]:
    table = np.empty((len(rows), width), dtype=object)
    if rows:
        table[:] = rows
    return [table[:, column].copy() for column in range(width)]


def get(session: Session, net: str, level: str, code: str, on: date) -> UnitRef:
    """Return the unit of a code on a day; raise NotFound."""
    found = _refs(
        session,
        f"u.net = :net AND u.level = :level AND u.code = :code AND {IN_FORCE}",
        {"net": net, "level": level, "code": code, "on": on},
    )
    if not found:
        raise NotFound("places.no_unit", key=f"{net}:{level}:{code}", on=on)
    return found[0]


def find(session: Session, wanted: str, on: date, limit: int = 20) -> list[UnitRef]:
    """Find units by code, name or alias, best first: equal, then beginning alike, then holding the words.

    Full-width and half-width, upper and lower case are the same.
    """
    key = normal(wanted)
    if not key:
        return []
    rows = session.execute(
        text(f"""
            SELECT {REF}, min(CASE WHEN k.word = :key THEN k.rank WHEN starts_with(k.word, :key) THEN 10 ELSE 20 END)
                AS fit
            FROM unit u JOIN edition e ON e.id = u.edition_id JOIN net n ON n.code = u.net
            JOIN level l ON l.net = u.net AND l.code = u.level
            CROSS JOIN LATERAL (
                SELECT rank, lower(normalize(word, NFKC)) AS word
                FROM (SELECT 0 AS rank, u.code AS word UNION ALL SELECT 1, u.name UNION ALL SELECT 2, u.name_en
                      UNION ALL SELECT 3, unnest(u.aliases)) AS words
            ) AS k
            WHERE {IN_FORCE} AND strpos(k.word, :key) > 0
            GROUP BY u.id, n.rank, l.rank
            ORDER BY fit, n.rank, l.rank, u.code LIMIT :limit
        """),
        {"key": key, "on": on, "limit": limit},
    ).mappings()
    return [ref(row) for row in rows]


def normal(words: str) -> str:
    """Write words the one way they are compared in: half-width, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", words).lower().split())


def children(session: Session, unit: UnitRef, on: date) -> tuple[UnitRef, ...]:
    """List the units just below: in its own edition, and the top units of nets drawn inside its level."""
    return _refs(
        session,
        f"""u.parent_code = :code AND (
            (u.edition_id = :edition_id AND l.rank =
                (SELECT rank + 1 FROM level WHERE net = :net AND code = :level))
            OR (n.parent_net = :net AND n.parent_level = :level AND l.rank = 0 AND {IN_FORCE}))""",
        {"code": unit.code, "edition_id": unit.edition_id, "net": unit.net, "level": unit.level, "on": on},
    )


def neighbours(session: Session, unit: UnitRef) -> tuple[UnitRef, ...]:
    """List the units of its level that share a length of border with it; a common corner is not enough."""
    # Relating the borders alone keeps neighbours that overlap by a sliver elsewhere, which ST_Touches would lose.
    return _refs(
        session,
        """u.edition_id = :edition_id AND u.level = :level AND u.id <> :id AND EXISTS (
            SELECT FROM unit self WHERE self.id = :id AND u.geom && self.geom
            AND ST_Relate(u.geom, self.geom, '****1****'))""",
        {"edition_id": unit.edition_id, "level": unit.level, "id": unit.id},
    )


def patch(session: Session, keys: Iterable[str], on: date) -> tuple[UnitRef, ...]:
    """List the units a leader answers for, by keys "net:level:code"; keys that name no unit that day are left out."""
    return _refs(
        session,
        f"u.net || ':' || u.level || ':' || u.code = ANY(:keys) AND u.code = ANY(:codes) AND {IN_FORCE}",
        {"keys": list(keys), "codes": [key.rsplit(":", 1)[-1] for key in keys], "on": on},
    )


def _refs(session: Session, condition: str, params: dict[str, object]) -> tuple[UnitRef, ...]:
    rows = session.execute(
        text(f"""
            SELECT {REF} FROM unit u JOIN edition e ON e.id = u.edition_id JOIN net n ON n.code = u.net
            JOIN level l ON l.net = u.net AND l.code = u.level
            WHERE {condition} ORDER BY n.rank, l.rank, u.code
        """),
        params,
    ).mappings()
    return tuple(ref(row) for row in rows)


def ref(row: RowMapping) -> UnitRef:
    """Name the unit of a row that was selected with REF."""
    return UnitRef(**{column: row[column] for column in UnitRef.__dataclass_fields__})

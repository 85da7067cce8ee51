"""The record in PostGIS: where an index is read from, and who answers while there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.territory.index import cut, points
from gis.territory.index.level import LevelIndex
from gis.territory.index.shapes import NONE, Bools, Floats, Geometries, Ints, Rows, Units
from gis.territory.index.text import packed
from gis.territory.location import UnitRef
from gis.territory.units import EditionRef

FaultKey = tuple[str, str]
Drawn = dict[str, tuple[Units, Geometries]]

FIRST_REACH_M, REACH_GROWS = 100.0, 8.0
# What an index is made of, in one order: the same digest, the same index.
DIGEST = """
SELECT md5(string_agg(md5(concat_ws('|', id, level, code, coalesce(parent_code, chr(1)), name, name_en,
                                    md5(ST_AsBinary(geom)))), '' ORDER BY id))
FROM unit WHERE edition_id = :edition
"""


def digest(session: Session, edition_id: int) -> str:
    """Compute the digest of an edition's units: it reads all of them."""
    return str(session.scalar(text(DIGEST), {"edition": edition_id}))


def size_bytes(session: Session, edition_id: int) -> int:
    """Return about how much the geometry of an edition is, without reading it."""
    asked = text("SELECT coalesce(sum(pg_column_size(geom)), 0) FROM unit WHERE edition_id = :edition")
    return int(session.scalar(asked, {"edition": edition_id}) or 0)


def units_of(session: Session, edition: EditionRef) -> dict[str, Units]:
    """Read the units of an edition level by level, coarsest first, without their geometry."""
    rows = session.execute(
        text(
            "SELECT level, id, code, parent_code, name, name_en FROM unit"
            ' WHERE edition_id = :edition ORDER BY code COLLATE "C"'
        ),
        {"edition": edition.id},
    ).all()
    by_level: dict[str, list[Any]] = {level.code: [] for level in edition.levels}
    for level, *row in rows:
        by_level[level].append(row)
    read: dict[str, Units] = {}
    above: dict[str, int] = {}
    for level, found in by_level.items():
        ids, code, parent_code, name, name_en = zip(*found, strict=True) if found else ((),) * 5
        parent = np.array([above.get(each or "", NONE) for each in parent_code], dtype=np.int32)
        words = [packed(column) for column in (code, parent_code, name, name_en)]
        read[level] = Units(np.array(ids, dtype=np.int64), words[0], words[1], words[2], words[3], parent)
        above = {each: row for row, each in enumerate(code)}
    return read


def drawn(session: Session, edition: EditionRef) -> Drawn:
    """Read the units of an edition with their geometry, level by level, coarsest first."""
    read = units_of(session, edition)
    return {level: (units, _geometries(session, edition.id, level, units)) for level, units in read.items()}


def _geometries(session: Session, edition_id: int, level: str, units: Units) -> Geometries:
    # The driver's own cursor: hexadecimal geometry as text goes straight to GEOS, half the time of ORM values.
    with db.driver_cursor(session) as cursor:
        cursor.execute("SELECT id, geom::text FROM unit WHERE edition_id = %s AND level = %s", (edition_id, level))
        found = dict(cursor.fetchall())
    return np.asarray(shapely.from_wkb(np.array([found[key] for key in units.id.tolist()], dtype=object)))


def faults(session: Session, edition_id: int) -> dict[FaultKey, Geometries]:
    """Read the gaps and exclaves that were accepted when an edition was loaded."""
    rows = session.execute(
        text(
            "SELECT kind, level, ST_AsBinary(geom) FROM fault"
            " WHERE edition_id = :id AND kind IN ('gap', 'exclave') AND geom IS NOT NULL"
        ),
        {"id": edition_id},
    )
    found: dict[FaultKey, list[bytes]] = defaultdict(list)
    for kind, level, geom in rows:
        found[kind, level].append(bytes(geom))
    return {key: np.asarray(shapely.from_wkb(np.array(geoms, dtype=object))) for key, geoms in found.items()}


class RecordLevel(LevelIndex):
    """A level answered by PostGIS, in the session of the one who asks: slower, and the same."""

    def __init__(self, refs: Sequence[UnitRef], units: Units, session: Session, named: tuple[int, str]) -> None:
        super().__init__(refs, units)
        self._session = session
        self._level = dict(zip(("edition", "level"), named, strict=True))
        self._row = {key: row for row, key in enumerate(units.id.tolist())}

    def _ask(self, wanted: str, said: dict[str, object]) -> tuple[Ints, Rows, Floats]:
        """Ask for (n, id, number) triples; return them as columns with rows for ids, in order."""
        found = self._session.execute(text(wanted), self._level | said).all()
        triples = sorted((int(n) - 1, self._row[key], float(number)) for n, key, number in found)
        of, row, number = zip(*triples, strict=True) if triples else ((), (), ())
        return np.array(of, np.int64), np.array(row, np.int32), np.array(number, np.float64)

    def _draw(self, rows: Ints) -> Geometries:
        asked = text("SELECT id, ST_AsBinary(geom) FROM unit WHERE id = ANY(:ids)")
        ids = self._units.id[rows].tolist()
        found = {key: bytes(shape) for key, shape in self._session.execute(asked, {"ids": ids})}
        return np.asarray(shapely.from_wkb(np.array([found[key] for key in ids], dtype=object)), dtype=object)

    def covering(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Ints, Rows]:
        """Return (point, row) of every unit that covers a point, edges and vertices included, by point then code."""
        x, y = points.columns(lon, lat)
        points.check_all(x, y)
        of, row, _ = self._ask(f"SELECT n, u.id, 0 FROM {POINTS} {UNITS} AND ST_Covers(u.geom, p.geom)", _said(x, y))
        return of, row

    def interior(self, rows: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> Bools:
        """Say pair by pair whether a point lies in the inside of a unit, not on its edge."""
        x, y = points.columns(lon, lat)
        points.check_all(x, y)
        wanted = f"SELECT n, u.id, 0 FROM {POINTS} {UNITS} AND ST_ContainsProperly(u.geom, p.geom)"
        of, row, _ = self._ask(wanted, _said(x, y))
        inside = set(zip(of.tolist(), row.tolist(), strict=True))
        return np.array([pair in inside for pair in enumerate(np.asarray(rows).tolist())], dtype=np.bool_)

    def within(self, lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike) -> tuple[Ints, Rows, Floats]:
        """Return (point, row, distance in metres) of every unit within a distance of a point; 0: it covers it."""
        of, row, metres = self._lines(points.fixes(lon, lat, reach_m))
        covered, covering = self.covering(lon, lat)
        every = np.concatenate([np.column_stack([covered, covering]), np.column_stack([of, row])])
        pairs, first = np.unique(every, axis=0, return_index=True)
        distance_m = np.concatenate([np.zeros(len(covered)), metres])[first]
        return pairs[:, 0], pairs[:, 1].astype(np.int32), distance_m

    def nearest(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Rows]:
        """Return for each point the distance in metres to the nearest boundary, and a row that boundary is of."""
        fixes = points.fixes(lon, lat, FIRST_REACH_M)
        distance_m, rows = np.full(len(fixes), np.inf), np.full(len(fixes), NONE, dtype=np.int32)
        open_ = np.arange(len(fixes))
        while len(open_) and len(self.refs):
            of, row, metres = self._lines(fixes[open_])
            for nth, key, metre in zip(open_[of].tolist(), row.tolist(), metres.tolist(), strict=True):
                if metre < distance_m[nth]:
                    distance_m[nth], rows[nth] = metre, key
            if fixes[0, 4] > points.FARTHEST_M:
                break
            open_ = np.flatnonzero(np.isinf(distance_m))
            fixes[:, 4] *= REACH_GROWS
        return distance_m, rows

    def is_near(self, lon: ArrayLike, lat: ArrayLike, reach_m: ArrayLike) -> Bools:
        """Say of each point whether a boundary comes within a distance; reach_m may differ from point to point."""
        fixes = points.fixes(lon, lat, reach_m)
        near = np.zeros(len(fixes), dtype=np.bool_)
        near[self._lines(fixes)[0]] = True
        return near

    def _lines(self, fixes: Floats) -> tuple[Ints, Rows, Floats]:
        """Return (point, row, distance in metres) of every boundary within reach of a fix."""
        columns = zip(("lon", "lat", "east", "north", "reach"), fixes.T.tolist(), strict=True)
        return self._ask(LINES, dict(columns))

    def meeting(self, bounds: Floats) -> tuple[Ints, Rows, Bools]:
        """Return (box, row, once) of every unit that may meet a box (west, south, east, north), by box then code.

        once: whether all ground of the box is one unit's each; not looked for here.
        """
        said = dict(zip(("west", "south", "east", "north"), bounds.T.tolist(), strict=True))
        of, row, _ = self._ask(f"SELECT n, u.id, 0 FROM {BOXES} {UNITS} AND u.geom && p.geom", said)
        return of, row, np.zeros(len(of), dtype=np.bool_)

    def contiguity(self) -> tuple[Rows, Rows, Floats]:
        """Return (row, row, metres) of every two units that share a line, the lower row first, in order."""
        found = sorted(
            (min(self._row[a], self._row[b]), max(self._row[a], self._row[b]), bytes(line))
            for a, b, line in self._session.execute(text(SHARED), self._level)
        )
        a, b, line = zip(*found, strict=True) if found else ((), (), ())
        metres = cut.path_lengths_m(np.asarray(shapely.from_wkb(np.array(line, dtype=object)), dtype=object))
        return np.array(a, np.int32), np.array(b, np.int32), metres

    def edges_in(self, box: Floats) -> tuple[Floats, Rows]:
        """Return all edges of boundaries that may meet a box: (edge, end, 2) degrees, and a row each is of."""
        _, rows, _ = self.meeting(box[None, :])
        parts, owner = shapely.get_parts(shapely.boundary(self.geometry(rows)), return_index=True)
        at, part = shapely.get_coordinates(parts, return_index=True)
        inside = part[1:] == part[:-1]
        return np.stack([at[:-1][inside], at[1:][inside]], axis=1), rows[owner[part[1:][inside]]]


def _said(lon: Floats, lat: Floats) -> dict[str, object]:
    return {"lon": lon.tolist(), "lat": lat.tolist()}


UNITS = "JOIN unit u ON u.edition_id = :edition AND u.level = :level"
POINTS = """(
    SELECT n, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom
    FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) WITH ORDINALITY AS said(lon, lat, n)
) AS p"""
BOXES = """(
    SELECT n, ST_MakeEnvelope(west, south, east, north, 4326) AS geom
    FROM unnest(CAST(:west AS float8[]), CAST(:south AS float8[]), CAST(:east AS float8[]), CAST(:north AS float8[]))
        WITH ORDINALITY AS said(west, south, east, north, n)
) AS p"""
# Boundaries in the tangent plane of the fix, cut to its reach. Near a pole a reach goes round the earth.
LINES = """
SELECT n, id, metres
FROM (
    SELECT *, greatest(-1000, lon - reach / east) AS west, least(1000, lon + reach / east) AS east_end,
           lat - reach / north AS south, lat + reach / north AS north_end
    FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:east AS float8[]), CAST(:north AS float8[]),
                CAST(:reach AS float8[])) WITH ORDINALITY AS said(lon, lat, east, north, reach, n)
) AS p
JOIN unit u ON u.edition_id = :edition AND u.level = :level
    AND u.geom && ST_MakeEnvelope(west, south, east_end, north_end, 4326)
CROSS JOIN LATERAL (
    SELECT ST_Distance(ST_MakePoint(0, 0), ST_Scale(ST_Translate(ST_SetSRID(ST_ClipByBox2D(ST_Boundary(u.geom),
        ST_MakeEnvelope(west - 0.000001, south - 0.000001, east_end + 0.000001, north_end + 0.000001, 4326)), 0),
        -lon, -lat), east, north)) AS metres
) AS measured
WHERE metres <= reach
"""
SHARED = """
SELECT a.id, b.id, ST_AsBinary(ST_CollectionExtract(ST_Intersection(ST_Boundary(a.geom), ST_Boundary(b.geom)), 2))
FROM unit a JOIN unit b ON b.edition_id = a.edition_id AND b.level = a.level AND b.id > a.id AND a.geom && b.geom
WHERE a.edition_id = :edition AND a.level = :level AND ST_Relate(a.geom, b.geom, '****1****')
"""

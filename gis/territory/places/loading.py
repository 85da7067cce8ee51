"""Import of places: every row goes in, was known, or is rejected with a reason; nothing is deleted."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.territory import coords
from gis.territory.places import files, footprints, records, shares, streets
from gis.territory.places.footprints import Fault, Reject
from gis.territory.places.mapping import PlaceFile

Geometries = NDArray[np.object_]
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Report:
    """What an import did. rows = added + changed + same + rejected; repaired ones are among the first three."""

    kind: str
    path: Path
    rows: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    rejected: int = 0
    repaired: int = 0
    flattened: int = 0
    shares: int = 0


@dataclass(frozen=True)
class Watch:
    """Who looks on: progress is told the rows done and all rows (None: not known), reject each row left out."""

    progress: Callable[[int, int | None], None] = lambda _done, _all: None
    reject: Callable[[Reject], None] = lambda _reject: None


@dataclass
class _Tally:
    """Counts that grow while a file is read."""

    rows: int = 0
    rejected: int = 0
    repaired: int = 0
    flattened: int = 0
    ids: dict[str, int] = field(default_factory=dict)


def load(session: Session, file: PlaceFile, watch: Watch, *, now: datetime, dry_run: bool = False) -> Report:
    """Import a file of places, in one piece: a second import of the same file changes nothing.

    A row is known by its source and external id. Shares of what is new or moved are computed for every active
    edition. A dry run does everything but the shares, and undoes it. Raise Invalid when the file cannot be read.
    """
    opened = files.open_file(file)
    with session.begin_nested() as undone:
        report = _load(session, file, opened, watch)
        if dry_run:
            undone.rollback()
            return report
    if report.added + report.changed:
        _grow_version(session, file.kind, now)
    if file.kind in shares.SHARED_KINDS:
        report = replace(report, shares=shares.share_moved(session, file.kind))
    return report


def _load(session: Session, file: PlaceFile, opened: files.Opened, watch: Watch) -> Report:
    session.execute(text("DROP TABLE IF EXISTS incoming, moved"))
    session.execute(text(f"CREATE TEMP TABLE incoming (LIKE {file.kind}) ON COMMIT DROP"))
    session.execute(text("ALTER TABLE incoming DROP COLUMN id"))
    tally = _Tally()
    for chunk in opened.chunks:
        made, rejects = _made(file, chunk, tally)
        _copy(session, made)
        for reject in rejects:
            watch.reject(reject)
        tally.rows += len(chunk.rows)
        tally.rejected += len(rejects)
        watch.progress(tally.rows, opened.rows_n)
    added, changed = _merge(session, file)
    return Report(
        kind=file.kind,
        path=file.path,
        rows=tally.rows,
        added=added,
        changed=changed,
        same=tally.rows - tally.rejected - added - changed,
        rejected=tally.rejected,
        repaired=tally.repaired,
        flattened=tally.flattened,
    )


def _made(file: PlaceFile, chunk: files.Chunk, tally: _Tally) -> tuple[Columns, list[Reject]]:
    """Turn a chunk into columns of the table, and the rows left out."""
    made, faults = records.columns(file, chunk.table, chunk.rows)
    shapes, broken, repaired = footprints.settled(file.kind, chunk.geometry, repair=file.repair)
    faults += broken
    if file.kind == "street":
        drawn = streets.drawn(shapes, made["road_class"], made["width_m"], file.widths, file.caps)
        made |= {"road_class": drawn.road_class, "width_m": drawn.width_m, "centre_geom": list(drawn.centre)}
        shapes, faults = drawn.polygons, faults + drawn.faults
    rejects = _rejects(chunk, made["external_id"], faults, tally)
    tally.repaired += repaired
    tally.flattened += chunk.flattened
    left_out = {reject.row - chunk.first_row for reject in rejects}
    kept = [at for at in range(len(chunk.rows)) if at not in left_out]
    taken = {name: [values[at] for at in kept] for name, values in made.items()}
    return taken | _measured(file, taken, shapes[kept]), rejects


def _rejects(chunk: files.Chunk, ids: Sequence[str], faults: list[Fault], tally: _Tally) -> list[Reject]:
    """Name each row that cannot be taken, with the first reason; an id seen before in the file is one."""
    first: dict[int, Fault] = {}
    for fault in faults:
        first.setdefault(fault.position, fault)
    for at, row in enumerate(chunk.rows):
        if at not in first and tally.ids.setdefault(ids[at], row) != row:
            first[at] = Fault(at, "places.duplicate_id", {"first_row": tally.ids[ids[at]]})
    return [Reject(chunk.rows[at], ids[at], first[at].code, first[at].params) for at in sorted(first)]


def _measured(file: PlaceFile, taken: Columns, shapes: Geometries) -> Columns:
    """Add what is worked out from the shape."""
    ours = file.table.columns
    made: Columns = {"geom": _hex(shapes)}
    if "area_m2" in ours:
        area_m2 = coords.areas_m2(shapes)
        made["area_m2"] = area_m2.tolist()
    if file.kind == "street":
        centre = np.array([*taken["centre_geom"], None], dtype=object)[:-1]
        line = shapely.get_dimensions(centre) == 1
        length_m = streets.lengths_m(shapes, area_m2)
        length_m[line] = coords.lengths_m(centre[line])
        made |= {"length_m": length_m.tolist(), "centre_geom": _hex(centre)}
    return made


def _hex(shapes: Geometries) -> list[str | None]:
    return list(shapely.to_wkb(shapely.set_srid(shapes, 4326), hex=True, include_srid=True))


def _copy(session: Session, made: Columns) -> None:
    names = list(made)
    lines = ("\t".join(map(records.as_copy, row)) + "\n" for row in zip(*(made[name] for name in names), strict=True))
    with db.driver_cursor(session) as cursor:
        cursor.copy_expert(f"COPY incoming ({', '.join(names)}) FROM STDIN", io.StringIO("".join(lines)))


def _merge(session: Session, file: PlaceFile) -> tuple[int, int]:
    """Put what came in into its table; return how many are new and how many changed."""
    names = [column.name for column in file.table.columns if column.name != "id"]
    differ = f"({_each(names, 'p')}) IS DISTINCT FROM ({_each(names, '{other}')})"
    session.execute(text("ANALYZE incoming"))
    counts = session.execute(
        text(f"""
            SELECT count(*) FILTER (WHERE p.id IS NULL) AS added,
                   count(*) FILTER (WHERE p.id IS NOT NULL AND {differ.format(other="i")}) AS changed
            FROM incoming i LEFT JOIN {file.kind} p USING (source, external_id)
        """)
    ).one()
    _note_moved(session, file.kind)
    session.execute(
        text(f"""
            INSERT INTO {file.kind} AS p ({", ".join(names)}) SELECT {", ".join(names)} FROM incoming
            ON CONFLICT (source, external_id) DO UPDATE SET ({", ".join(names)}) = ROW ({_each(names, "excluded")})
            WHERE {differ.format(other="excluded")}
        """)
    )
    session.execute(
        text(f"""
            UPDATE moved SET place_id = p.id FROM {file.kind} p
            WHERE p.source = moved.source AND p.external_id = moved.external_id
        """)
    )
    return counts.added, counts.changed


def _each(names: Sequence[str], table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


def _note_moved(session: Session, kind: str) -> None:
    """Keep in `moved` what is new or has another shape than before: its shares are out of date."""
    session.execute(
        text(f"""
            CREATE TEMP TABLE moved ON COMMIT DROP AS
            SELECT source, external_id, CAST(NULL AS bigint) AS place_id
            FROM incoming i LEFT JOIN {kind} p USING (source, external_id)
            WHERE p.id IS NULL OR ST_AsBinary(p.geom) <> ST_AsBinary(i.geom)
        """)
    )


def _grow_version(session: Session, kind: str, now: datetime) -> None:
    session.execute(
        text("""
            INSERT INTO ground_version (layer, version, changed_at) VALUES (:layer, 1, :now)
            ON CONFLICT (layer) DO UPDATE SET version = ground_version.version + 1, changed_at = excluded.changed_at
        """),
        {"layer": kind, "now": now},
    )

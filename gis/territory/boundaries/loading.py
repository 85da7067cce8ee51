"""Writing a draft into the database as a dark edition, in one piece."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import geopandas as gpd
import numpy as np
import shapely
from geoalchemy2.shape import from_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, Problems
from gis.territory import coords, faults, tables
from gis.territory.boundaries import draft as drafts
from gis.territory.boundaries.draft import Draft, Ground
from gis.territory.boundaries.manifest import Net
from gis.territory.coords import Geometries
from gis.territory.faults import FATAL, Fault
from gis.territory.index import record

SHOWN_FAULTS = 20
UNIT_COLUMNS = (
    "edition_id, net, level, code, name, name_en, aliases, parent_code, area_m2, attributes, label_geom, geom"
)
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class FaultsFoundError(Problems):
    """A load is refused for these faults; `faults` holds all of them, the sentences tell the first few."""

    code = "boundaries.refused"

    def __init__(self, draft: Draft, refused: Sequence[Fault]) -> None:
        self.faults = tuple(refused)
        super().__init__(Invalid(fault.sentence, **fault.told) for fault in refused[:SHOWN_FAULTS])
        self.problems = (Invalid(self.code, **_summary(draft, refused)), *self.problems)


def _summary(draft: Draft, refused: Sequence[Fault]) -> dict[str, object]:
    fatal = sum(fault.kind in FATAL for fault in refused)
    named = {"net": draft.net.code, "edition": draft.edition.name}
    return named | {"count": len(refused), "shown": min(len(refused), SHOWN_FAULTS), "fatal": fatal}


def ground(session: Session) -> Ground:
    """Give drafts the ground of the database: the newest edition's units, and every unit that ever had a code."""

    def parents(net: str, level: str) -> gpd.GeoDataFrame:
        newest = """SELECT id FROM edition WHERE net = :net AND state <> 'retired'
                    ORDER BY state = 'active' DESC, valid_from DESC NULLS LAST, id DESC LIMIT 1"""
        return _units(session, f"edition_id = ({newest})", net, level)

    def known(net: str, level: str) -> gpd.GeoDataFrame:
        return _units(session, "true", net, level)

    return Ground(parents, known)


def _units(session: Session, condition: str, net: str, level: str) -> gpd.GeoDataFrame:
    rows = session.execute(
        text(f"""
            SELECT code, ST_AsBinary(geom) AS shape FROM unit
            WHERE net = :net AND level = :level AND {condition} ORDER BY edition_id, code
        """),
        {"net": net, "level": level},
    ).all()
    found = drafts.no_units(net, level)
    if rows:
        shapes = shapely.from_wkb([bytes(row.shape) for row in rows])
        found = gpd.GeoDataFrame({"code": [row.code for row in rows]}, geometry=shapes, crs=found.crs)
    return found


def load(session: Session, draft: Draft, *, accept: bool, by: str, now: datetime) -> tables.Edition:
    """Write a draft as a dark edition; nothing is written if anything fails.

    Raise FaultsFoundError for faults above the manifest's tolerance, unless accepted: then they are stored with the
    edition, and crossed rings are stored as the area they enclose, named in its report. Raise Conflict if the net has
    an edition of this name.
    """
    found = drafts.check(draft)
    above = [fault for fault in found if fault.is_above(draft.edition.tolerance)]
    refused = [fault for fault in above if fault.kind in FATAL] if accept else above
    if refused:
        raise FaultsFoundError(draft, refused)
    with session.begin_nested():
        _write_net(session, draft.net)
        edition = _write_edition(session, draft, found, by=by, now=now)
        mended = _write_units(session, draft.units, edition)
        digest = record.digest(session, edition.id)
        edition.report = edition.report | {"mended": mended, "accepted": len(above), "digest": digest}
        session.add_all(_row(edition.id, fault) for fault in found if fault.kind != "mismatch")
        session.flush()
    return edition


def _write_net(session: Session, net: Net) -> None:
    """Write a net and its levels; names, colours and ranks are data and follow the newest manifest."""
    if net.parent_net and session.get(tables.Net, net.parent_net) is None:
        raise Invalid("boundaries.no_parent_net", net=net.code, parent=net.parent_net)
    named = {"code": net.code, "name_zh": net.name_zh, "name_en": net.name_en, "rank": net.rank}
    _upsert(session, tables.Net, ("code",), named | {"parent_net": net.parent_net, "parent_level": net.parent_level})
    for level in net.levels:
        said = {"rank": level.rank, "name_zh": level.name_zh, "name_en": level.name_en}
        told = said | {"net": net.code, "code": level.code, "colour": level.colour, "divides": level.divides}
        _upsert(session, tables.Level, ("net", "code"), told)


def _upsert(
    session: Session, table: type[tables.Net | tables.Level], key: tuple[str, ...], row: dict[str, object]
) -> None:
    changed = {name: value for name, value in row.items() if name not in key}
    session.execute(insert(table).values(row).on_conflict_do_update(index_elements=key, set_=changed))


def _write_edition(session: Session, draft: Draft, found: Sequence[Fault], *, by: str, now: datetime) -> tables.Edition:
    said = draft.edition
    same = select(tables.Edition.id).where(tables.Edition.net == said.net, tables.Edition.name == said.name)
    if session.scalar(same) is not None:
        raise Conflict("boundaries.edition_exists", net=said.net, edition=said.name)
    mismatch = max((float(fault.params["width_mm"]) for fault in found if fault.kind == "mismatch"), default=0.0)
    edition = tables.Edition(
        net=said.net,
        name=said.name,
        state="dark",
        valid_from=said.valid_from,
        source=said.source,
        licence=said.licence,
        crs=_joined(draft, "crs"),
        datum=_joined(draft, "datum"),
        line_sigma_m=said.line_sigma_m,
        report=draft.report
        | {"mismatch_mm": mismatch, "faults": dict(Counter(fault.kind for fault in found if fault.kind != "mismatch"))}
        | {"crosswalk": list(said.crosswalk)},
        loaded_at=now,
        loaded_by=by,
    )
    session.add(edition)
    session.flush()
    return edition


def _joined(draft: Draft, key: str) -> str:
    return ", ".join(dict.fromkeys(file[key] for file in draft.report["files"]))


def _write_units(session: Session, units: gpd.GeoDataFrame, edition: tables.Edition) -> list[str]:
    """Copy the units in; give the codes of those whose crossed rings were stored as the area they enclose."""
    claimed = np.asarray(units.geometry.array, dtype=object)
    shapes = faults.areal(claimed)
    lines = _lines(units, shapes, f"{edition.id}\t{_escaped(edition.net)}")
    cursor = session.connection().connection.cursor()
    cursor.copy_expert(f"COPY unit ({UNIT_COLUMNS}) FROM STDIN", _Lines(lines))
    return [str(code) for code in units["code"].to_numpy()[~shapely.is_valid(claimed)]]


def _lines(units: gpd.GeoDataFrame, shapes: Geometries, head: str) -> Iterator[str]:
    """Write units as COPY reads them."""
    area_m2 = coords.areas_m2(shapes)
    labels = _hex(shapely.point_on_surface(shapes))
    for at, unit in enumerate(units.itertuples(index=False)):
        told = "\t".join(map(_escaped, (unit.level, unit.code, unit.name, unit.name_en)))
        # A table put together from several layers holds NaN where a layer had None.
        parent = _escaped(unit.parent_code) if isinstance(unit.parent_code, str) and unit.parent_code else r"\N"
        attributes = _escaped(json.dumps(unit.attributes, ensure_ascii=False))
        shape = _hex(shapes[at : at + 1])[0]
        more = f"{_array(unit.aliases)}\t{parent}\t{float(area_m2[at])!r}\t{attributes}\t{labels[at]}\t{shape}"
        yield f"{head}\t{told}\t{more}\n"


def _hex(shapes: Geometries) -> list[str]:
    return list(shapely.to_wkb(shapely.set_srid(shapes, 4326), hex=True, include_srid=True))


def _escaped(value: str) -> str:
    return value.translate(COPY_ESCAPES)


def _array(values: Iterable[str]) -> str:
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return _escaped("{" + ",".join(f'"{value}"' for value in quoted) + "}")


class _Lines(io.TextIOBase):
    """Lines made while the database reads them, so that a large file is never in memory twice."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._rest = ""

    def read(self, size: int | None = -1) -> str:
        """Give the next piece of about the size asked for, '' at the end."""
        wanted = float("inf") if size is None or size < 0 else size
        pieces, length = [self._rest], len(self._rest)
        for line in self._lines:
            pieces.append(line)
            length += len(line)
            if length >= wanted:
                break
        whole = "".join(pieces)
        cut = len(whole) if wanted == float("inf") else int(wanted)
        self._rest = whole[cut:]
        return whole[:cut]


def _row(edition_id: int, fault: Fault) -> tables.Fault:
    return tables.Fault(
        edition_id=edition_id,
        kind=fault.kind,
        level=fault.level,
        codes=list(fault.codes),
        area_m2=fault.area_m2,
        length_m=fault.length_m,
        geom=_stored(fault.geometry),
    )


def _stored(geometry: BaseGeometry | None) -> object:
    return None if geometry is None or geometry.is_empty else from_shape(geometry, srid=4326)

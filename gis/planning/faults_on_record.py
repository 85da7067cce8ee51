"""Gaps, overlaps and other faults of an edition that were accepted when it was loaded: facts of the ground."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class OnRecord:
    """A fault with the units beside it, by code and names. geometry: EPSG:4326, None for one without a place."""

    id: int
    kind: str
    level: str
    codes: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    area_m2: float | None
    length_m: float | None
    geometry: BaseGeometry | None

    @property
    def key(self) -> str:
        """Name it in an address."""
        return str(self.id)


def of(session: Session, edition_id: int, level: str) -> list[OnRecord]:
    """List the faults of a level of an edition, the largest first."""
    rows = session.execute(_FAULTS, {"edition": edition_id, "level": level})
    return [
        OnRecord(
            row.id, row.kind, row.level, tuple(row.codes), tuple((zh, en) for zh, en in row.names or ()), row.area_m2,
            row.length_m, shapely.from_wkb(row.geom) if row.geom else None,
        )
        for row in rows
    ]  # fmt: skip


_FAULTS = text("""
SELECT f.id, f.kind, f.level, f.codes, f.area_m2, f.length_m, CAST(f.geom AS text) AS geom,
       (SELECT jsonb_agg(jsonb_build_array(u.name, u.name_en) ORDER BY u.code) FROM unit u
        WHERE u.edition_id = f.edition_id AND u.level = f.level AND u.code = ANY(f.codes)) AS names
FROM fault f WHERE f.edition_id = :edition AND f.level = :level
ORDER BY f.area_m2 DESC NULLS LAST, f.length_m DESC NULLS LAST, f.id
""")

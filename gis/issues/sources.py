"""Where reports come from, what a source leaves unsaid, and the points it gives when it does not know."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid
from gis.issues.tables import DefaultPoint, Source
from gis.territory import coords, locate
from gis.territory.location import Place

# Two roundings of one point still are that point: about a centimetre.
SAME_POINT_DEG = 1e-7


@dataclass(frozen=True)
class Sender:
    """A source as intake needs it."""

    code: str
    habits: locate.Habits
    # (lon, lat) in WGS 84 of its accepted default points, on a raster of SAME_POINT_DEG.
    default_points: frozenset[tuple[int, int]] = frozenset()
    verify: bool = False

    def is_default(self, place: Place) -> bool:
        """Say whether the place is a point this source gives when it does not know."""
        return place.kind == "point" and place.geometry is not None and _raster(*place.middle) in self.default_points


def add(session: Session, source: Source) -> None:
    """Register a source; raise Conflict if its code is taken, Invalid if its datum or accuracy is none of ours."""
    if source.datum not in coords.DATUMS:
        raise Invalid("coords.unknown_datum", datum=source.datum, choices=", ".join(coords.DATUMS))
    if source.accuracy_m is not None:
        coords.sigma_m(source.accuracy_m, source.accuracy_kind or "")
    if session.get(Source, source.code):
        raise Conflict("source.exists", code=source.code)
    session.add(source)
    session.flush()


def get(session: Session, code: str) -> Sender:
    """Return a source by its code; raise Invalid unknown_source."""
    source = session.get(Source, code)
    if source is None:
        raise Invalid("source.unknown", code=code)
    points = session.execute(
        select(DefaultPoint.lon, DefaultPoint.lat).where(DefaultPoint.source == code, DefaultPoint.state == "accepted")
    )
    habits = locate.Habits(source.datum, source.accuracy_m, source.accuracy_kind)
    return Sender(code, habits, frozenset(_raster(lon, lat) for lon, lat in points), source.verify)


def names(session: Session) -> list[str]:
    """List the codes of all sources."""
    return list(session.scalars(text("SELECT code FROM source ORDER BY code")))


def _raster(lon: float, lat: float) -> tuple[int, int]:
    return round(lon / SAME_POINT_DEG), round(lat / SAME_POINT_DEG)

"""Booklets: the dossiers of all grids of a unit, in one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues.ledgers.lines import Reader
from gis.planning import dossier_paper, dossiers
from gis.planning.dossiers import Asker
from gis.territory import units
from gis.territory.location import UnitRef


@dataclass(frozen=True)
class Contents:
    """What goes into one: the unit, and the grids below it."""

    unit: UnitRef
    grids: tuple[UnitRef, ...]


def contents(session: Session, key: str, level: str, asker: Asker) -> Contents:
    """Find the grids of a level "net:level" below a unit; raise NotFound without any, Forbidden beyond the scope."""
    unit = units.get(session, *dossiers.parse_key(key), asker.on)
    dossiers.check(session, unit, asker)
    grids = dossiers.grids_in(session, unit, asker.on).get(level)
    if not grids:
        raise NotFound("dossier.no_grids", key=key, level=level)
    return Contents(unit, tuple(grids))


def make(session: Session, within: Contents, asker: Asker, reader: Reader, tell: Callable[[int], None]) -> bytes:
    """Put one together with the eyes of who asks, as PDF. tell: how many grids are done."""
    told = []
    for nth, grid in enumerate(within.grids):
        tell(nth)
        told.append(dossier_paper.told(session, dossiers.of(session, grid.key, asker), reader))
    tell(len(told))
    unit = within.unit
    name = reader.name({"name_zh": unit.name, "name_en": unit.name_en, "code": unit.code})
    return dossier_paper.setting(reader.say("dossier.booklet_of", name=name), told, reader)

"""Ground carried to where there is no database: editions with their index files, to be opened on any machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gis.territory import index
from gis.territory.columns.nesting import Grounds
from gis.territory.index import DamagedError, EditionIndex
from gis.territory.units import EditionRef

Faults = Mapping[tuple[str, str], tuple[bytes, ...]]


@dataclass(frozen=True)
class Laid:
    """A carried edition laid down on a disk."""

    edition: EditionRef
    path: Path
    faults: Faults

    def opened(self) -> EditionIndex:
        """Map it into memory; raise DamagedError if it is not what was sent."""
        faults = {key: np.asarray(shapely.from_wkb(np.array(kept, object))) for key, kept in self.faults.items()}
        return index.from_file(self.path, self.edition, faults)


@dataclass(frozen=True)
class Carried:
    """One edition: what it is, its index file by name and byte for byte, and its faults as well-known binary."""

    edition: EditionRef
    name: str
    content: bytes
    faults: Faults

    def laid(self, folder: Path) -> Laid:
        """Lay it down in a folder; processes of one machine share the file, and so its memory."""
        laid = Laid(self.edition, folder / self.name, self.faults)
        with suppress(DamagedError, OSError):
            laid.opened()
            return laid
        # Several may do it at once, each its own copy; the last one stays.
        draft = laid.path.with_name(f".{self.name}.{uuid4().hex}")
        draft.write_bytes(self.content)
        draft.replace(laid.path)
        return laid


def carry(session: Session, editions: Iterable[EditionRef]) -> tuple[Carried, ...]:
    """Take editions along; raise Unavailable where the file of an index cannot be written."""
    return tuple(_carried(session, edition) for edition in editions)


def unpacked(kit: Iterable[Carried], folder: Path) -> Grounds:
    """Lay down what was carried and return it as ground, each edition opened when it is asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    laid = {each.edition.id: each.laid(folder) for each in kit}
    return Grounds((each.edition for each in laid.values()), lambda edition: laid[edition.id].opened())


def _carried(session: Session, edition: EditionRef) -> Carried:
    path = index.file_of(session, edition)
    faults = index.ready(session, edition).faults.items()
    kept = {key: tuple(shapely.to_wkb(shapes).tolist()) for key, shapes in faults}
    return Carried(edition, path.name, path.read_bytes(), kept)

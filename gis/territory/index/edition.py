"""The index of an edition: from its file if there is a sound one; built; or, for the time being, asked of PostGIS."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import shapely
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis.errors import Unavailable
from gis.settings import ROOT
from gis.territory.index import record, shelf, store
from gis.territory.index.level import LevelIndex, Refs
from gis.territory.index.record import FaultKey, RecordLevel
from gis.territory.index.shapes import Bools, Floats, Geometries, Level
from gis.territory.units import EditionRef

# Indexes open in a process; the least lately asked is dropped first.
KEPT_EDITIONS = 48
# An edition with less geometry than this is built where it is asked for, in well under a second.
SMALL_BYTES = 3_000_000


Key = tuple[str, int, str | None]


class EditionIndex:
    """All levels of an edition, with the gaps and exclaves that were accepted at its load."""

    def __init__(
        self, edition: EditionRef, levels: Mapping[str, LevelIndex], faults: Mapping[FaultKey, Geometries]
    ) -> None:
        self.edition = edition
        self.levels = levels
        self.faults = faults
        self.divides = {level.code: level.divides for level in edition.levels}

    @cached_property
    def codes(self) -> dict[str, frozenset[str]]:
        """The codes of all units, level by level."""
        return {level: index.codes for level, index in self.levels.items()}

    def in_gap(self, level: str, geometry: shapely.Geometry) -> bool:
        """Say whether a place meets a known gap of a level."""
        return bool(shapely.intersects(self._of_kind("gap", level), geometry).any())

    def in_exclave(self, level: str, lon: Floats, lat: Floats) -> Bools:
        """Say of each point whether it lies in a part of its unit that is cut off from the rest."""
        inside = np.zeros(len(lon), dtype=np.bool_)
        for exclave in self._of_kind("exclave", level):
            inside |= shapely.intersects_xy(exclave, lon, lat)
        return inside

    def _of_kind(self, kind: str, level: str) -> Geometries:
        return self.faults.get((kind, level), np.empty(0, dtype=object))


_kept: OrderedDict[Key, EditionIndex] = OrderedDict()
_asked: set[Key] = set()
_lock = Lock()


def of(session: Session, edition: EditionRef) -> EditionIndex:
    """Return what answers for an edition now: its index, or PostGIS in this session while the index is being built."""
    found = _at_hand(session, edition)
    if found is not None:
        return found
    if record.size_bytes(session, edition.id) <= SMALL_BYTES:
        return ready(session, edition)
    _ask_for(session, edition)
    return asked(session, edition)


def ready(session: Session, edition: EditionRef) -> EditionIndex:
    """Return the index of an edition, built here if there is none yet: for whole files, and for those who build."""
    return _at_hand(session, edition) or _keep(session, edition, _built(session, edition))


def build(session: Session, edition: EditionRef) -> EditionIndex:
    """Build the index of an edition from its record, and keep nothing."""
    return _whole(session, edition, _built(session, edition, stored=False))


def file_of(session: Session, edition: EditionRef) -> Path:
    """Return the file of an edition's index, for processes without a database; it is written if it is not there.

    Raise Unavailable if it cannot be.
    """
    folder = shelf.folder(session) or Path(tempfile.mkdtemp())
    digest = edition.digest or record.digest(session, edition.id)
    if shelf.take(folder, digest) is None:
        built = _built(session, edition, stored=False)
        try:
            store.write(shelf.path(folder, digest), digest, built)
        except OSError as error:
            raise Unavailable("index.not_kept", path=str(folder), reason=str(error)) from error
    return shelf.path(folder, digest)


def from_file(path: Path, edition: EditionRef, faults: Mapping[FaultKey, Geometries]) -> EditionIndex:
    """Open a file of an index, or a copy under the same name; raise DamagedError, or OSError.

    faults: those of the edition's index, which are no part of the file.
    """
    from gis.territory.index.memory import grid_levels  # noqa: PLC0415 - as below

    return EditionIndex(edition, grid_levels(edition, store.read(path, path.stem)), faults)


def asked(session: Session, edition: EditionRef) -> EditionIndex:
    """Return an index in name: PostGIS answers each question."""
    units = record.units_of(session, edition)
    levels = {
        level: RecordLevel(Refs(each, edition.id, edition.net, level), each, session, (edition.id, level))
        for level, each in units.items()
    }
    return EditionIndex(edition, levels, record.faults(session, edition.id))


def _at_hand(session: Session, edition: EditionRef) -> EditionIndex | None:
    """Return the index that is open, or whose file is there and sound."""
    key = _key(session, edition)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    folder = shelf.folder(session)
    levels = shelf.take(folder, edition.digest) if folder and edition.digest else None
    return _keep(session, edition, levels) if levels is not None else None


def _key(session: Session, edition: EditionRef) -> Key:
    # With the digest: a database that was emptied and filled again under the same name numbers its editions anew.
    return str(session.connection().engine.url), edition.id, edition.digest


def _keep(session: Session, edition: EditionRef, levels: dict[str, Level]) -> EditionIndex:
    found = _whole(session, edition, levels)
    with _lock:
        _kept[_key(session, edition)] = found
        while len(_kept) > KEPT_EDITIONS:
            _kept.popitem(last=False)
    return found


def _whole(session: Session, edition: EditionRef, levels: dict[str, Level]) -> EditionIndex:
    # numba comes with the first index, not with every command
    from gis.territory.index.memory import grid_levels  # noqa: PLC0415

    return EditionIndex(edition, grid_levels(edition, levels), record.faults(session, edition.id))


def _built(session: Session, edition: EditionRef, *, stored: bool = True) -> dict[str, Level]:
    from gis.territory.index import levels  # noqa: PLC0415 - as above

    drawn = record.drawn(session, edition)
    built = dict(zip(drawn, levels.build(list(drawn.values())), strict=True))
    folder = shelf.folder(session)
    if stored and folder and edition.digest:
        shelf.put(folder, edition.digest, built)
    return built


def _ask_for(session: Session, edition: EditionRef) -> None:
    """Have the index built by a process beside this one, once; it is no matter if others ask as well."""
    engine, folder = session.connection().engine, shelf.folder(session)
    with _lock:
        if folder is None or _key(session, edition) in _asked:
            return
        _asked.add(_key(session, edition))
    _begin(engine, folder.parent)


def _begin(engine: Engine, var_dir: Path) -> subprocess.Popen[bytes]:
    url = engine.url.render_as_string(hide_password=False)
    where = {"SHAOTU_DATABASE_URL": url, "SHAOTU_VAR_DIR": str(var_dir)}
    command = [sys.executable, "-m", "gis", "index", "build", "--if-free"]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | where, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip

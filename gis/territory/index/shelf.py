"""The folder of index files: one for each edition, named by the digest of its units."""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from gis.territory.index import store
from gis.territory.index.shapes import Level
from gis.territory.index.store import SUFFIX, DamagedError

LOCK = "building.lock"
log = structlog.get_logger()


def folder(session: Session) -> Path | None:
    """Name the folder of the installation a session belongs to; None if it has none."""
    var_dir = session.connection().engine.get_execution_options().get("var_dir")
    return None if var_dir is None else Path(var_dir, "index")


def path(shelf: Path, digest: str) -> Path:
    """Name the file of an edition."""
    return shelf / f"{digest}{SUFFIX}"


def take(shelf: Path, digest: str) -> dict[str, Level] | None:
    """Open the index of an edition; None if there is none, or none that is sound: then the log says why."""
    try:
        return store.read(path(shelf, digest), digest)
    except FileNotFoundError:
        return None
    except (DamagedError, OSError, ValueError, KeyError) as error:
        log.warning("index unsound", path=str(path(shelf, digest)), reason=str(error))
        return None


def put(shelf: Path, digest: str, levels: dict[str, Level]) -> None:
    """Keep the index of an edition; without room for it the log says so, and it is built anew next time."""
    try:
        store.write(path(shelf, digest), digest, levels)
    except OSError as error:
        log.warning("index not kept", path=str(path(shelf, digest)), reason=str(error))


def clear(shelf: Path, digests: Collection[str]) -> list[Path]:
    """Remove the files of editions that are no more, and what broken builds left; return what is gone."""
    kept = {path(shelf, digest) for digest in digests}
    gone = [each for each in (*shelf.glob(f"*{SUFFIX}"), *shelf.glob("*.part")) if each not in kept]
    for each in gone:
        each.unlink(missing_ok=True)
    return gone


@contextmanager
def sole_builder(shelf: Path, *, wait: bool) -> Iterator[bool]:
    """Say whether this process is the one that builds; the system ends the right to with the process."""
    shelf.mkdir(parents=True, exist_ok=True)
    with (shelf / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True

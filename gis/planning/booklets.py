"""Booklets: the dossiers of all grids of a unit, put together by the worker while who asked does something else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, NotFound, ShaotuError
from gis.issues.ledgers.lines import Reader
from gis.people import accounts
from gis.planning import dossier_paper, dossiers
from gis.planning.dossiers import Asker
from gis.territory import units
from gis.territory.location import UnitRef

Json = dict[str, Any]

KEPT_MOST = 20
# More of them wait for nobody at once.
WAITING_MOST = 3


@dataclass(frozen=True)
class Booklet:
    """One that was asked for. level: "net:level" of its grids; fault: the code of what stopped it."""

    id: int
    unit: str
    level: str
    locale: str
    by: str
    asked_at: datetime
    done_n: int
    total_n: int
    finished_at: datetime | None
    fault: str | None

    @property
    def state(self) -> str:
        """Say in a word how it stands: waiting, going, ready or failed."""
        if self.finished_at is not None:
            return "failed" if self.fault else "ready"
        return "going" if self.done_n else "waiting"


def ask(session: Session, unit: UnitRef, level: str, reader: Reader, *, by: str) -> int:
    """Ask for a booklet; raise NotFound for a level without grids, Conflict when enough are waiting."""
    below = _grids(session, unit.key, level, reader.now.astimezone(reader.zone).date())
    if sum(each.finished_at is None for each in of(session)) >= WAITING_MOST:
        raise Conflict("dossier.enough_waiting", most=WAITING_MOST)
    row = {"unit": unit.key, "level": level, "locale": reader.locale, "by": by, "now": reader.now, "n": len(below)}
    return int(session.execute(_ASK, row).scalar_one())


def of(session: Session) -> list[Booklet]:
    """List the asker's booklets, the latest first; row-level security knows whose they are."""
    return [Booklet(**row) for row in session.execute(_LIST, {"most": KEPT_MOST}).mappings()]


def get(session: Session, booklet_id: int) -> Booklet:
    """Return a booklet of the asker's; raise NotFound."""
    row = session.execute(_GET, {"id": booklet_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("dossier.no_booklet", id=booklet_id)
    return Booklet(**row)


def content(session: Session, booklet_id: int) -> bytes:
    """Return the file of a booklet that is ready; raise NotFound."""
    found = session.scalar(text("SELECT pdf FROM booklet WHERE id = :id AND pdf IS NOT NULL"), {"id": booklet_id})
    if found is None:
        raise NotFound("dossier.no_booklet", id=booklet_id)
    return bytes(found)


def waiting(session: Session) -> Booklet | None:
    """Return the one that waits longest."""
    row = session.execute(_WAITING).mappings().one_or_none()
    return None if row is None else Booklet(**row)


class Work(Protocol):
    """What the worker does it with. session: sees everything, and is committed at its end."""

    @property
    def engine(self) -> Engine:
        """The database."""

    @property
    def now(self) -> datetime:
        """The moment."""

    def session(self) -> AbstractContextManager[Session]:
        """Open a session."""


def make_next(work: Work, zone: ZoneInfo) -> bool:
    """Put the one together that waits longest, with the eyes of who asked for it; say whether there was one."""
    on = work.now.astimezone(zone).date()
    with work.session() as session:
        booklet = waiting(session)
        account = accounts.find(session, booklet.by) if booklet else None
        scope = accounts.who(session, account, on).scope if account else db.NOTHING
    if booklet is None:
        return False

    def tell(done_n: int) -> None:
        with work.session() as session:
            progress(session, booklet.id, done_n)

    done: Json = {}
    try:
        with db.session(work.engine, scope) as eyes:
            done["pdf"] = make(eyes, booklet, Asker(scope, on, zone), Reader(booklet.locale, zone, work.now), tell)
    except ShaotuError as refused:
        done["fault"] = refused.code
    with work.session() as session:
        finish(session, booklet.id, datetime.now(UTC), **done)
    return True


def make(
    session: Session, booklet: Booklet, asker: Asker, reader: Reader, tell: Callable[[int], None]
) -> bytes:
    """Put a booklet together with the eyes of who asked; tell: how many grids are done."""
    unit = units.get(session, *dossiers.parse_key(booklet.unit), asker.on)
    dossiers.check(session, unit, asker)
    told: list[Json] = []
    for grid in _grids(session, booklet.unit, booklet.level, asker.on):
        told.append(dossier_paper.told(session, dossiers.of(session, grid.key, asker), reader))
        tell(min(len(told), booklet.total_n))
    name = reader.name({"name_zh": unit.name, "name_en": unit.name_en, "code": unit.code})
    return dossier_paper.setting(reader.say("dossier.booklet_of", name=name), told, reader)


def progress(session: Session, booklet_id: int, done_n: int) -> None:
    """Write down how far it is."""
    session.execute(text("UPDATE booklet SET done_n = :n WHERE id = :id"), {"id": booklet_id, "n": done_n})


def finish(session: Session, booklet_id: int, now: datetime, *, pdf: bytes | None = None, fault: str = "") -> None:
    """Put the file with it, or what stopped it."""
    session.execute(_FINISH, {"id": booklet_id, "now": now, "pdf": pdf, "fault": fault or None})


def _grids(session: Session, key: str, level: str, on: date) -> list[UnitRef]:
    unit = units.get(session, *dossiers.parse_key(key), on)
    below = dossiers.grids_in(session, unit, on).get(level)
    if not below:
        raise NotFound("dossier.no_grids", key=key, level=level)
    return below


_COLUMNS = "id, unit, level, locale, by, asked_at, done_n, total_n, finished_at, fault"
_ASK = text("""
INSERT INTO booklet (unit, level, locale, by, asked_at, total_n) VALUES (:unit, :level, :locale, :by, :now, :n)
RETURNING id
""")
_LIST = text(f"SELECT {_COLUMNS} FROM booklet ORDER BY id DESC LIMIT :most")
_GET = text(f"SELECT {_COLUMNS} FROM booklet WHERE id = :id")
_WAITING = text(f"SELECT {_COLUMNS} FROM booklet WHERE finished_at IS NULL ORDER BY id LIMIT 1")
_FINISH = text("""
UPDATE booklet SET finished_at = :now, pdf = :pdf, fault = :fault,
       done_n = CASE WHEN CAST(:fault AS text) IS NULL THEN total_n ELSE done_n END
WHERE id = :id
""")

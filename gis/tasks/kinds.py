"""What long work there is: boundaries checked, loaded, activated, retired; lists tried on what was; booklets made."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry import mapping
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import calendars, clocks, duty_lists, journal, replay
from gis.issues.clerk import Clerk
from gis.issues.ledgers.lines import Reader
from gis.people import accounts
from gis.planning import booklets
from gis.planning.dossiers import Asker
from gis.settings import Settings
from gis.tasks import queue, uploads
from gis.tasks.queue import Task
from gis.territory import boundaries, faults
from gis.territory.boundaries import Draft
from gis.territory.faults import FATAL, Fault

Json = dict[str, Any]

FAULTS, CHANGES, BOOKLET = "faults.geojson", "changes.csv", "booklet.pdf"
SHOWN, OUTLINES = 500, 1500


@dataclass(frozen=True)
class Work:
    """A task on its way: what it stands on, and how it says how far it is."""

    engine: Engine
    settings: Settings
    task: Task

    @property
    def params(self) -> Json:
        """What was asked for."""
        return self.task.params

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session that sees everything; committed if all went well."""
        with db.session(self.engine, db.EVERYTHING) as opened:
            yield opened
            opened.commit()

    def tell(self, step: str, done_n: int = 0, total_n: int = 0) -> None:
        """Say how far it is, in a transaction of its own: what is being done is not seen before it is done."""
        with self.session() as session:
            queue.tell(session, self.task.id, f"tasks.step.{step}", done_n, total_n)

    def asker(self, now: datetime) -> Asker:
        """Return who asked, with what they may see now: nothing, where there is no such account."""
        zone = ZoneInfo(self.settings.time_zone)
        on = now.astimezone(zone).date()
        with self.session() as session:
            account = accounts.find(session, self.task.asked_by)
            scope = accounts.scope_of(session, account, on) if account and account.active else db.NOTHING
        return Asker(scope, on, zone)

    def record(self, session: Session, what: str) -> None:
        """Put what was changed on record, under the name of who asked."""
        line = journal.Line(journal.RULES_CHANGED, None, {"what": what})
        journal.append(session, line, by=self.task.asked_by, now=datetime.now(UTC))

    @property
    def folder(self) -> Path:
        """Where it keeps what is too much for a table."""
        return uploads.results(self.settings, self.task.id)


def check(work: Work) -> Json:
    """Read the files of a manifest and find their faults; nothing is written but what was found."""
    with work.session() as session:
        drafts = _read(work, session)
    found: list[tuple[Draft, list[Fault]]] = []
    for nth, draft in enumerate(drafts):
        work.tell("checking", nth, len(drafts))
        found.append((draft, list(boundaries.check(draft))))
    every = [(fault, fault.is_above(draft.edition.tolerance)) for draft, faults_ in found for fault in faults_]
    every.sort(key=lambda pair: not pair[1])
    features = [*_outlines(drafts), *_features(every)]
    collection = {"type": "FeatureCollection", "features": features}
    (work.folder / FAULTS).write_text(json.dumps(collection, ensure_ascii=False, default=str), "utf-8")
    return {
        "drafts": [_told(draft, faults_) for draft, faults_ in found],
        "faults": [_said(fault, above=above) for fault, above in every[:SHOWN]],
        "faults_n": len(every), "above_n": sum(above for _, above in every),
        "fatal_n": sum(fault.kind in FATAL for fault, _ in every),
    }  # fmt: skip


def load(work: Work) -> Json:
    """Load the editions of a manifest, dark: all of them or none. Their index files are built next."""
    loaded = []
    with work.session() as session:
        drafts = _read(work, session)
        for nth, draft in enumerate(drafts):
            work.tell("writing", nth, len(drafts))
            accept, now = bool(work.params.get("accept")), datetime.now(UTC)
            edition = boundaries.load(session, draft, accept=accept, by=work.task.asked_by, now=now)
            loaded.append({"net": edition.net, "edition": edition.name, "units": len(draft.units)})
            work.record(session, f"boundaries load {edition.net} {edition.name}{' accept' if accept else ''}")
        _index_soon(session)
    return {"editions": loaded}


def activate(work: Work) -> Json:
    """Let an edition answer from a date, with the shares of every place and net on it."""
    net, name = work.params["net"], work.params["edition"]
    start = date.fromisoformat(work.params["start"]) if work.params.get("start") else None
    work.tell("sharing")
    with work.session() as session:
        made = boundaries.activate(session, net, name, start, by=work.task.asked_by, now=datetime.now(UTC))
        told = {"net": net, "edition": name, "start": made.valid_from, "end": made.valid_to}
        work.record(session, f"boundaries activate {net} {name} from {made.valid_from}")
        _index_soon(session)
    return told


def retire(work: Work) -> Json:
    """Withdraw an edition; the one before it answers on."""
    net, name = work.params["net"], work.params["edition"]
    work.tell("sharing")
    with work.session() as session:
        boundaries.retire(session, net, name, by=work.task.asked_by, now=datetime.now(UTC))
        work.record(session, f"boundaries retire {net} {name}")
    return {"net": net, "edition": name}


def dry_run(work: Work) -> Json:
    """Ask the issues of a period again by a draft list, and keep what would change."""
    name, version = work.params["list"], work.params["version"]
    work.tell("replaying")
    with work.session() as session:
        sheet = duty_lists.sheet(session, name, version)
        start, end = (_midnight(work.params[side], work.settings.time_zone) for side in ("start", "end"))
        outcome = replay.run(session, replay.Question(start, end, sheet=sheet), work.settings)
    rows = [_row(change) for change in outcome.changes]
    _write(work.folder / CHANGES, rows)
    return {
        "list": name, "version": version, "issues_n": outcome.issues_n, "changes_n": len(rows),
        "leads_n": outcome.leads_changed_n, "desk_n": outcome.to_desk_n, "changes": rows[:SHOWN],
        "failed": [{"row": row, "issues_n": n} for row, n in sorted(outcome.failed.items())],
    }  # fmt: skip


def calendar(work: Work) -> Json:
    """Take in a part of the working calendar, and set the clocks that run by it anew."""
    path = uploads.file(work.settings, work.params["upload"], work.params["name"])
    clerk = Clerk(work.task.asked_by, datetime.now(UTC), work.settings)
    work.tell("calendar")
    with work.session() as session:
        part = calendars.load(session, path, by=clerk.by, now=clerk.now)
        moved = clocks.set_anew(session, clerk)
        work.record(session, f"calendar load {path.name} version {part.version}")
    told = {"calendar": part.calendar, "part": part.part, "version": part.version, "rows_n": part.rows_n}
    return told | {"known": part.known, "clocks_n": moved}


def booklet(work: Work) -> Json:
    """Put the dossiers of all grids of a unit into one file, with the eyes of who asked for it."""
    now = datetime.now(UTC)
    asker = work.asker(now)
    with db.session(work.engine, asker.scope) as session:
        within = booklets.contents(session, work.params["unit"], work.params["level"], asker)
        grids_n, reader = len(within.grids), Reader(work.params["locale"], asker.zone, now)
        pdf = booklets.make(session, within, asker, reader, lambda done_n: work.tell("dossiers", done_n, grids_n))
    (work.folder / BOOKLET).write_bytes(pdf)
    return {"grids_n": grids_n}


KINDS: Mapping[str, Callable[[Work], Json]] = {
    "check": check, "load": load, "activate": activate, "retire": retire, "dry_run": dry_run, "calendar": calendar,
    queue.BOOKLET: booklet,
}  # fmt: skip


def _read(work: Work, session: Session) -> list[Draft]:
    work.tell("reading")
    said = uploads.manifest(work.settings, work.params["manifest"])
    return list(boundaries.read(said, boundaries.ground(session)))


def _index_soon(session: Session) -> None:
    """Let the worker build the index files now and not within the hour."""
    session.execute(text("UPDATE job SET next_at = :now WHERE name = 'index'"), {"now": datetime.now(UTC)})


def _told(draft: Draft, found: list[Fault]) -> Json:
    return {
        "net": draft.net.code, "net_zh": draft.net.name_zh, "net_en": draft.net.name_en, "edition": draft.edition.name,
        "units_n": len(draft.units), "vertices_n": draft.report["vertices"], "files": draft.report["files"],
        "kinds": dict(Counter(fault.kind for fault in found)),
    }  # fmt: skip


def _said(fault: Fault, *, above: bool) -> Json:
    return {"code": fault.sentence, "params": fault.told, "above": above, "at": fault.lonlat}


def _features(every: list[tuple[Fault, bool]]) -> Iterator[Json]:
    """Draw the faults that are listed, in the order of the list."""
    drawn = faults.as_geojson(fault for fault, _ in every[:SHOWN])["features"]
    for nth, (feature, (_, above)) in enumerate(zip(drawn, every, strict=False)):
        told = {"kind": feature["properties"]["kind"], "nth": nth, "above": above}
        yield feature | {"properties": told}


def _outlines(drafts: list[Draft]) -> Iterator[Json]:
    """Draw the ground below the faults: as many of the coarsest units as a map can show, without their last bends."""
    for draft in drafts:
        shapes = list(draft.units.geometry.dropna())[:OUTLINES]
        for shape in shapes:
            west, south, east, north = shape.bounds
            plain = shapely.simplify(shape, max(east - west, north - south) / 1000)
            yield {"type": "Feature", "geometry": mapping(plain), "properties": {"kind": "outline"}}


def _midnight(day: str, zone: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone))


def _row(change: replay.Change) -> dict[str, str]:
    return {
        "issue": change.issue, "category": change.category, "before": change.before.lead_department or "",
        "after": change.after.lead_department or "", "joining": " ".join(change.joining),
        "leaving": " ".join(change.leaving),
    }  # fmt: skip


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["issue", "category", "before", "after", "joining", "leaving"])
        writer.writeheader()
        writer.writerows(rows)

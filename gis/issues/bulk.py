"""Files of reports become issues, batch by batch, so that a load that breaks off goes on where it stopped.

A load is known by the hash of its file and of the mapping it is read by. Each batch is one transaction: its issues, its
rejected rows and the counters are there together or not at all.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.errors import Invalid, ShaotuError, Unavailable
from gis.issues import files, intake
from gis.issues.tables import Load, Reject

Json = dict[str, Any]

BATCH_ROWS = 2000
SECTIONS = ("constants", "columns", "time")
# Between the parts of a text that stands in several columns.
SEPARATOR = " · "


@dataclass(frozen=True)
class FileMapping:
    """Which column holds which field of a report. Fields are dotted paths: "place.lon", "category.code".

    formats: how the file writes times, besides ISO 8601. zone: where a time without a zone was; None: the city's.
    """

    constants: Mapping[str, object]
    columns: Mapping[str, tuple[str, ...]]
    formats: tuple[str, ...] = ()
    zone: tzinfo | None = None

    def as_report(self, row: Mapping[str, Any]) -> Json:
        """Build what `parse_report` reads from a row; empty cells are left out."""
        said: Json = {}
        for field, value in self.constants.items():
            _put(said, field, value)
        for field, columns in self.columns.items():
            cells = [row[name] for name in columns if not _is_empty(row.get(name))]
            if cells:
                _put(said, field, cells[0] if len(columns) == 1 else SEPARATOR.join(map(str, cells)))
        if "reported_at" in said:
            said["reported_at"] = self._time(said["reported_at"])
        return said

    def _time(self, value: object) -> object:
        read = value if isinstance(value, datetime) else _read_time(str(value).strip(), self.formats)
        if read is None or read.tzinfo is not None:
            return read or value
        return read.replace(tzinfo=self.zone)


@dataclass(frozen=True)
class Job:
    """A load under way. rows_done: rows of earlier runs, they are passed over."""

    load_id: int
    rows_done: int
    mapping: FileMapping
    batch_rows: int


def read_mapping(path: Path) -> FileMapping:
    """Read a mapping file; raise Invalid that says what is wrong in it."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("mapping.unreadable", path=str(path), reason=str(error)) from error
    unknown = sorted(set(said) - set(SECTIONS))
    if unknown or not said.get("columns"):
        raise Invalid("mapping.sections", path=str(path), unknown=", ".join(unknown), sections=", ".join(SECTIONS))
    time = said.get("time", {})
    return FileMapping(
        constants=said.get("constants", {}),
        columns={field: _listed(columns) for field, columns in said["columns"].items()},
        formats=_listed(time.get("format", ())),
        zone=_zone(time.get("zone"), path),
    )


def begin(session: Session, path: Path, mapping_path: Path, *, now: datetime) -> Job:
    """Open the load of a file, or take up the one that was broken off."""
    mapping = read_mapping(mapping_path)
    row = {"rows_done": 0, "accepted": 0, "known": 0, "rejected": 0, "name": path.name, "started_at": now}
    sha256 = files.digest(path, mapping_path)
    session.execute(insert(Load).values(file_sha256=sha256, **row).on_conflict_do_nothing())
    load = session.scalars(select(Load).where(Load.file_sha256 == sha256)).one()
    return Job(load.id, load.rows_done, mapping, BATCH_ROWS)


def batches(job: Job, rows: Iterator[files.Row]) -> Iterator[tuple[int, list[files.Row]]]:
    """Cut the rows that remain into batches, each with the number of rows before it; raise Invalid on a lost column."""
    done = sum(1 for _ in islice(rows, job.rows_done))
    while batch := list(islice(rows, job.batch_rows)):
        _check_columns(job.mapping, batch[0][1])
        yield done, batch
        done += len(batch)


def take(session: Session, job: Job, done: int, batch: Sequence[files.Row], clerk: intake.Clerk) -> Load:
    """Accept a batch that begins after `done` rows; what was already taken is passed over.

    Batches may be taken at once in several processes, and are counted in the order of the file: a batch waits at its
    end for the one before it. Raise Unavailable if that one was not taken; it will be, and this one after it.
    """
    _queue_up(session, job, done)
    load = session.get_one(Load, job.load_id, populate_existing=True)
    if load.rows_done >= done + len(batch):
        # The commit arrived and its answer got lost.
        return load
    read = [_report(job.mapping, row, clerk) for _, row in batch]
    good = [each for each in read if isinstance(each, intake.Report)]
    answers = iter(intake.accept_many(session, good, clerk))
    outcomes = [next(answers) if isinstance(each, intake.Report) else each for each in read]
    _keep_rejects(session, load.id, zip(batch, outcomes, strict=True))
    _queue_up(session, job, done - job.batch_rows)
    _count(session, load, done, outcomes)
    return load


def finish(session: Session, job: Job, *, now: datetime) -> Load:
    """Close a load whose last batch was taken."""
    load = session.get_one(Load, job.load_id, populate_existing=True)
    load.finished_at = load.finished_at or now
    session.flush()
    return load


def rejects(session: Session, load_id: int) -> Iterator[Reject]:
    """Read the rejected rows of a load, in the order of the file."""
    found = select(Reject).where(Reject.load_id == load_id).order_by(Reject.row)
    yield from session.scalars(found.execution_options(yield_per=BATCH_ROWS))


def _report(mapping: FileMapping, row: Json, clerk: intake.Clerk) -> intake.Report | Invalid:
    try:
        return intake.parse_report(mapping.as_report(row), now=clerk.now, zone=clerk.zone)
    except Invalid as error:
        return error


def _queue_up(session: Session, job: Job, done: int) -> None:
    """Hold the place of a batch to the end of this transaction; wait for whoever holds it."""
    # A lock of the database, and not a question asked again and again: so it sees a deadlock and breaks it.
    session.execute(text("SELECT pg_advisory_xact_lock(:load, :done)"), {"load": job.load_id, "done": done})


def _count(session: Session, load: Load, done: int, outcomes: Sequence[object]) -> None:
    session.refresh(load, with_for_update=True)
    if load.rows_done != done:
        raise Unavailable("load.moved", rows_done=load.rows_done, expected=done)
    rejected_n = sum(isinstance(each, ShaotuError) for each in outcomes)
    known_n = sum(isinstance(each, intake.Accepted) and each.known for each in outcomes)
    load.rows_done += len(outcomes)
    load.rejected += rejected_n
    load.known += known_n
    load.accepted += len(outcomes) - rejected_n - known_n
    session.flush()


def _keep_rejects(session: Session, load_id: int, outcomes: Iterable[tuple[files.Row, object]]) -> None:
    kept = [
        {
            "load_id": load_id,
            "row": number,
            "code": error.code,
            "params": _as_json(error.params),
            "columns": _as_json(row),
        }
        for (number, row), error in outcomes
        if isinstance(error, ShaotuError)
    ]
    if kept:
        session.execute(insert(Reject), kept)


def _check_columns(mapping: FileMapping, row: Json) -> None:
    for field, columns in mapping.columns.items():
        lost = next((name for name in columns if name not in row), None)
        # A geometry is not a column: rows without one have none.
        if lost and lost != files.GEOMETRY:
            raise Invalid("mapping.column_missing", field=field, column=lost, columns=", ".join(map(str, row)))


def _put(said: Json, field: str, value: object) -> None:
    *above, name = field.split(".")
    for step in above:
        said = said.setdefault(step, {})
    said[name] = value


def _is_empty(value: object) -> bool:
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )


def _read_time(written: str, formats: Iterable[str]) -> datetime | None:
    readers: list[Callable[[str], datetime]] = [datetime.fromisoformat]
    readers += [partial(_by_format, form) for form in formats]
    for read in readers:
        with suppress(ValueError):
            return read(written)
    return None


def _by_format(form: str, written: str) -> datetime:
    return datetime.strptime(written, form)  # noqa: DTZ007 -- the mapping's zone is put on it


def _listed(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _zone(name: str | None, path: Path) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, KeyError, OSError):
        raise Invalid("mapping.zone", path=str(path), zone=name) from None


def _as_json(values: Mapping[str, Any]) -> Json:
    """Keep a row as JSON can hold it; what JSON has no word for is kept as its text."""
    return {str(name): _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return _as_json(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value).replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()

"""The programs' door for places by the million: a sheet comes in as a stream, and goes out with its answers.

The body is laid down on the disk before anything is answered, and so is the answer: a fault in the last row is then
still told with a status of its own, memory stays flat, and nobody waits for somebody who waits in turn.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from gis.errors import Invalid, TooMany, Unavailable
from gis.territory import columns, sheets
from gis.territory.said import UNKNOWN, Habits
from gis.territory.sheets import COLUMNS, Recipe, Tally
from gis.web import asked, auth

blueprint = Blueprint("batch", __name__, url_prefix="/api/v1")

ROWS_MOST = 1_000_000
BODY_MOST_BYTES = 1_000_000_000
# More at once would each be slower, and hold up the pages.
AT_ONCE, RETRY_S = 2, 5
BLOCK_BYTES = 1 << 18
# No answer takes so long.
LEFT_S = 6 * 3600

KINDS: Mapping[str, str] = {
    "application/geo+json": "geojson",
    "application/json": "geojson",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrows",
}
MIMETYPES: Mapping[str, str] = {kind: mimetype for mimetype, kind in KINDS.items() if mimetype != "application/json"}
COLUMN_ARGUMENTS = {kind: f"{kind}_column" for kind in COLUMNS}
ARGUMENTS = {*COLUMN_ARGUMENTS.values(), "on", "datum", "accuracy_m", "accuracy_kind", "net", "names", "detail"}
BESIDE = {"prefix", "format", "lang"}
YES, NO = {"1", "true", "yes"}, {"", "0", "false", "no"}

_desks = BoundedSemaphore(AT_ONCE)


@blueprint.post("/locate/batch")
@auth.require()
def locate_batch() -> ResponseReturnValue:
    """Answer up to a million points: GeoJSON, CSV or an Arrow stream in, the same or ?format= out.

    ?on= or ?date_column=, ?datum=, ?accuracy_m=, ?accuracy_kind=, ?lon_column= and so on, ?net=, ?names=, ?detail=.
    """
    request.max_content_length = BODY_MOST_BYTES
    kind, recipe = _kind(), _recipe()
    into = request.args.get("format") or kind
    if into not in MIMETYPES:
        raise Invalid("batch.unknown_format", format=into[:40], formats=", ".join(MIMETYPES))
    with _desk(), _folder() as folder:
        body = folder / f"body.{kind}"
        _lay_down(body)
        whole = _answer(body, kind, recipe, folder / "answer", into)
        # Still there for who has it open, when the folder is gone.
        answer = (folder / "answer").open("rb")
    response = Response(iter(partial(answer.read, BLOCK_BYTES), b""), mimetype=MIMETYPES[into])
    response.content_length = os.fstat(answer.fileno()).st_size
    response.headers["X-Shaotu-Counts"] = json.dumps(whole.as_dict())
    response.call_on_close(answer.close)
    return response


def _answer(body: Path, kind: str, recipe: Recipe, out: Path, into: str) -> Tally:
    asked_for = sheets.answer(body, kind, recipe, columns.grounds(auth.session()), into)
    whole = Tally()
    with out.open("wb") as file:
        for counted in sheets.write(asked_for, asked_for.source.spans(ROWS_MOST), into, file):
            whole += counted
            if whole.rows_n > ROWS_MOST:
                raise Invalid("batch.too_many_rows", most=ROWS_MOST)
    return whole


def _kind() -> str:
    kind = KINDS.get(request.mimetype)
    if kind is None or request.headers.get("Content-Encoding"):
        raise Invalid("batch.unknown_kind", kind=request.mimetype[:80], kinds=", ".join(KINDS))
    return kind


def _recipe() -> Recipe:
    arguments, clerk = request.args, asked.clerk()
    unknown = next((name for name in arguments if name not in ARGUMENTS | BESIDE), None)
    if unknown:
        raise Invalid("batch.unknown_argument", name=unknown[:60], names=", ".join(sorted(ARGUMENTS | BESIDE)))
    if arguments.get("on") and arguments.get("date_column"):
        raise Invalid("batch.two_dates")
    return Recipe(
        on=asked.day(arguments.get("on")),
        **{kind: arguments.get(name) or None for kind, name in COLUMN_ARGUMENTS.items()},
        habits=_habits(),
        zone=ZoneInfo(clerk.settings.time_zone),
        names=auth.locale() if _flag("names") else None,
        detail=_flag("detail"),
        prefix=arguments.get("prefix", ""),
        nets=tuple(arguments.getlist("net")),
        rules=clerk.rules,
    )


def _habits() -> Habits:
    stated = request.args.get("accuracy_m")
    try:
        accuracy_m = float(stated) if stated else None
    except ValueError:
        raise Invalid("locate.not_a_number", field="accuracy_m", value=str(stated)[:80]) from None
    return Habits(request.args.get("datum") or UNKNOWN.datum, accuracy_m, request.args.get("accuracy_kind") or None)


def _flag(name: str) -> bool:
    said = request.args.get(name, "").lower()
    if said not in YES | NO:
        raise Invalid("batch.not_yes_or_no", name=name, value=said[:40])
    return said in YES


def _lay_down(path: Path) -> None:
    """Write the body to the disk, block by block."""
    with path.open("wb") as file:
        shutil.copyfileobj(request.stream, file, BLOCK_BYTES)
    if not path.stat().st_size:
        raise Invalid("batch.no_body")


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that only this process reads, on the disk of the installation: /tmp may be memory."""
    parent = asked.settings().var_dir / "batch"
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _clear(parent)
        folder = Path(tempfile.mkdtemp(dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise Unavailable("sheet.not_writable", path="batch", reason=error.strerror or str(error)) from error


def _clear(parent: Path) -> None:
    """Clear away what a process left that was killed."""
    for folder in parent.iterdir():
        if time.time() - folder.stat().st_mtime > LEFT_S:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _desk() -> Iterator[None]:
    """Take one of the few places; raise TooMany when all are taken."""
    if not _desks.acquire(blocking=False):
        raise TooMany("batch.busy", retry_after_s=RETRY_S)
    try:
        yield
    finally:
        _desks.release()

"""A long answer made part by part: what is done stays done when the run is killed; OUT is there whole or not at all.

Beside OUT stands a folder OUT.parts: what was asked, and each finished part with its counts. A part is finished when
its counts stand there; both are written under another name first. Whoever asks the same again goes on from there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO
from uuid import uuid4

from gis.errors import Conflict, Unavailable
from gis.territory import sheets as paper
from gis.territory.sheets import Sheets, Span, Tally

Json = dict[str, Any]


# What is told in place of a part: that there are no more, or that there will be none.
END, BROKEN = -1, -2


class _Broken(Exception):
    """The run broke off: what was joined so far is thrown away."""


@dataclass(frozen=True)
class Parts:
    """The parts of one answer. folder: OUT.parts; kind: what the parts are written as."""

    out: Path
    kind: str

    @property
    def folder(self) -> Path:
        """Where everything is kept until it is whole."""
        return self.out.with_name(f"{self.out.name}.parts")

    @property
    def rows(self) -> Path:
        """Where the parts themselves are."""
        return self.folder / "rows"

    def path(self, nth: int) -> Path:
        """Name a part."""
        return self.rows / f"part-{nth:06}.{self.kind}"

    def counts(self, nth: int) -> Path:
        """Name the counts of a part."""
        return self.folder / f"part-{nth:06}.json"

    def done(self, nth: int, span: Span) -> Tally | None:
        """Return the counts of a part of an earlier run, None if there is none of this span."""
        try:
            told = json.loads(self.counts(nth).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        fits = told["span"] == _as_json(span) and self.path(nth).exists()
        return paper.of_dict(told["tally"]) if fits else None

    def make(self, nth: int, span: Span, sheets: Sheets) -> Tally:
        """Answer a span into a part; done twice, it is the same part."""
        whole = Tally()
        with written(self.path(nth), self.folder) as file:
            for counted in paper.write(sheets, iter([span]), self.kind, file):
                whole += counted
        with written(self.counts(nth), self.folder) as file:
            file.write(json.dumps({"span": _as_json(span), "tally": whole.as_dict()}).encode())
        return whole

    @contextmanager
    def joined(self, sheets: Sheets) -> Iterator[Callable[[int], None]]:
        """Give what is to be told of each part that is done; at the end all stand in order under the name asked for.

        One file grows while further parts are made, for copying takes its time too; a folder of files is only renamed.
        """
        told: SimpleQueue[int] = SimpleQueue()
        with ThreadPoolExecutor(1) as beside:
            joining = beside.submit(self._join if self.out.suffix else self._rename, told, sheets)
            try:
                yield told.put
            except BaseException:
                told.put(BROKEN)
                raise
            told.put(END)
            joining.result()
        shutil.rmtree(self.folder)

    def _join(self, told: SimpleQueue[int], sheets: Sheets) -> None:
        with written(self.out, self.folder) as file:
            paper.join(self.kind, sheets.schema, self._in_order(told, sheets), file)

    def _rename(self, told: SimpleQueue[int], sheets: Sheets) -> None:
        for _ in self._in_order(told, sheets):
            pass
        if self.out.exists():
            self.out.rename(self.folder / "before")
        self.rows.rename(self.out)

    def _in_order(self, told: SimpleQueue[int], sheets: Sheets) -> Iterator[Path]:
        """Yield the parts in their order as they are told of; without any, one that has no rows."""
        following, ahead = 0, set[int]()
        while (nth := told.get()) != END:
            if nth == BROKEN:
                raise _Broken
            ahead.add(nth)
            while following in ahead:
                ahead.remove(following)
                yield self.path(following)
                following += 1
        if following == 0:
            yield self._nothing(sheets)

    def _nothing(self, sheets: Sheets) -> Path:
        """Write a part of no rows: its columns alone."""
        with written(self.path(0), self.folder) as file:
            for _ in paper.write(sheets, iter(()), self.kind, file):
                pass
        return self.path(0)


@contextmanager
def claimed(parts: Parts, asked: Json) -> Iterator[bool]:
    """Hold the folder of the parts; say whether an earlier run of the same question left it. Raise Conflict."""
    try:
        parts.rows.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable("sheet.not_writable", path=str(parts.folder), reason=error.strerror or str(error)) from error
    with (parts.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("sheet.held", path=str(parts.folder)) from None
        yield _same(parts, hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest())


def _same(parts: Parts, digest: str) -> bool:
    """Say whether the parts there are of this question; those of another one are cleared away."""
    manifest = parts.folder / "asked"
    if manifest.exists() and manifest.read_text() == digest:
        return True
    for path in (*parts.folder.glob("part-*"), *parts.rows.iterdir()):
        path.unlink()
    with written(manifest, parts.folder) as file:
        file.write(digest.encode())
    return False


@contextmanager
def written(path: Path, aside: Path) -> Iterator[BinaryIO]:
    """Write a file that is there whole or not at all; raise Unavailable where the disk will not have it.

    aside: where it is drafted; what a killed process leaves there goes with the folder.
    """
    draft = aside / f"{path.name}.{uuid4().hex}"
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Unavailable("sheet.not_writable", path=str(path), reason=error.strerror or str(error)) from error
    finally:
        draft.unlink(missing_ok=True)


def _as_json(span: Span) -> Json:
    return asdict(span) | {"path": str(span.path)}

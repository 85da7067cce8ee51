"""Cutting text files where one record ends and the next begins, without reading them into memory.

Quotes and brackets are followed byte by byte, so a line break in a quoted cell or a bracket in a text cuts nothing.
Both encodings of tables (UTF-8, GB 18030) keep the bytes looked for here out of their longer characters.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from gis.errors import Invalid

Bytes = npt.NDArray[np.uint8]
Cut = tuple[int, int]

PIECE_BYTES = 1 << 23
# JSON is read in one go that nothing can come between: short, so that other threads do not wait.
FEATURES_BYTES = 1 << 20
# One record alone longer than this is no record of a place.
RECORD_MOST_BYTES = 1 << 27
# What may stand before the features of a collection and behind them: its name, its coordinate system.
AROUND_MOST_BYTES = 1 << 20


def records(path: Path, delimiter: str, start: int, end: int) -> Iterator[Cut]:
    """Yield (start, end) of pieces of whole records of a table; raise Invalid where a quoted cell never ends."""
    with path.open("rb") as file:
        while start < end:
            ends = _grown(file, (start, end), partial(_records, ord(delimiter), path), PIECE_BYTES)
            yield start, start + ends
            start += ends


def features(path: Path, start: int, end: int | None = None) -> Iterator[Cut]:
    """Yield (start, end) of pieces of whole features; without an end, to that of the collection. Raise Invalid."""
    with path.open("rb") as file:
        last = file.seek(0, io.SEEK_END) if end is None else end
        while start < last:
            ends = _grown(file, (start, last), partial(_features, path, end is None), FEATURES_BYTES)
            if not ends:
                break
            yield start, start + ends
            start += ends
        if end is None:
            _check_tail(file, start, path)


def _grown(file: BinaryIO, within: Cut, cut: Callable[[Bytes, bool], int | None], length: int) -> int:
    """Read more and more until a cut is found. cut(data, is_last) -> where, None: not in these bytes."""
    start, end = within
    while True:
        data = _read(file, start, min(length, end - start))
        ends = cut(data, len(data) < length or start + length >= end)
        if ends is not None:
            return ends
        if length >= RECORD_MOST_BYTES:
            raise Invalid("sheet.record_too_long", path=Path(file.name).name, most_mb=RECORD_MOST_BYTES >> 20)
        length *= 2


def _records(delimiter: int, path: Path, data: Bytes, is_last: bool) -> int | None:
    # numba comes with the first table, not with every command
    from gis.territory.sheets import scanning  # noqa: PLC0415

    ends, state = scanning.records_end(data, delimiter)
    if is_last and state == scanning.IN_QUOTED:
        raise Invalid("sheet.open_quote", path=path.name)
    return len(data) if is_last else ends or None


def _features(path: Path, to_the_end: bool, data: Bytes, is_last: bool) -> int | None:
    from gis.territory.sheets import scanning  # noqa: PLC0415 - as above

    ends, closed = scanning.features_end(data)
    if is_last and to_the_end and not closed:
        raise Invalid("sheet.ends_early", path=path.name)
    return ends if closed or is_last else ends or None


def features_start(path: Path) -> tuple[dict[str, object], int]:
    """Return what stands before the features of a collection, and where they begin; raise Invalid if it is none."""
    with path.open("rb") as file:
        raw = file.read(AROUND_MOST_BYTES)
    mark = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    head = raw[mark:].decode("utf-8", "surrogateescape")
    try:
        members, at = _features_in(head)
    except (ValueError, IndexError, RecursionError) as error:
        raise Invalid("sheet.no_collection", path=path.name) from error
    return members, mark + len(head[:at].encode("utf-8", "surrogateescape"))


def _features_in(head: str) -> tuple[dict[str, object], int]:
    """Read a JSON object up to the list called features; raise ValueError or IndexError if it does not come."""
    reader = json.JSONDecoder()
    members: dict[str, object] = {}
    at = _next(head, 0, "{")
    while True:
        name, at = reader.raw_decode(head, _blank(head, at))
        at = _next(head, at, ":")
        if name == "features":
            return members, _next(head, at, "[")
        members[name], at = reader.raw_decode(head, _blank(head, at))
        at = _next(head, at, ",")


def _next(head: str, at: int, sign: str) -> int:
    """Return the place behind a sign that must come next."""
    at = _blank(head, at)
    if head[at] != sign:
        raise ValueError(head[at])
    return at + 1


def _blank(head: str, at: int) -> int:
    while head[at] in " \t\r\n":
        at += 1
    return at


def _check_tail(file: BinaryIO, start: int, path: Path) -> None:
    """Raise Invalid unless what follows the last feature ends the list and the object."""
    file.seek(start)
    try:
        json.loads(b'{"features":[' + file.read(AROUND_MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise Invalid("sheet.ends_early", path=path.name) from error


def _read(file: BinaryIO, start: int, length: int) -> Bytes:
    file.seek(start)
    return np.frombuffer(file.read(length), dtype=np.uint8)

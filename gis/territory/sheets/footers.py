"""Parquet files joined into one without decoding them: their row groups copied, their footers made one.

A Parquet file is row groups and then a footer that says where they are (Thrift's compact protocol). A row group moved
as it is needs new places in the footer and nothing else. Both formats are public and do not change under us: the
fields moved here are those of the Parquet format's parquet.thrift, any other is carried as it is.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from gis.errors import Invalid

MAGIC = b"PAR1"
TAIL_BYTES = 8
# Kinds of values in the compact protocol.
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
NUMBERS = (I16, I32, I64)

# Numbers of fields: of a file, a row group, a chunk of a column, and what is said of the chunk.
FILE_ROWS, FILE_GROUPS = 3, 4
GROUP_CHUNKS, GROUP_OFFSET, GROUP_ORDINAL = 1, 5, 7
CHUNK_OFFSET, CHUNK_TOLD, CHUNK_INDEXES = 2, 3, (4, 6)
TOLD_OFFSETS = (9, 10, 11, 14)


@dataclass
class Value:
    """A value of a kind: an int, bytes (binary, doubles), a list of values, or a struct's fields by number."""

    kind: int
    it: int | bytes | list[Value] | dict[int, Value] = 0
    # Of a list the kind of its items.
    of: int = field(default=0)

    def fields(self) -> dict[int, Value]:
        """Return a struct's fields."""
        return self.it if isinstance(self.it, dict) else {}

    def items(self) -> list[Value]:
        """Return a list's items."""
        return self.it if isinstance(self.it, list) else []

    def add(self, number: int, more: int) -> None:
        """Add to a number in a struct, where it is said."""
        value = self.fields().get(number)
        if value is not None and isinstance(value.it, int):
            value.it += more


def join(parts: Iterable[Path], out: BinaryIO) -> None:
    """Write Parquet files of the same columns as one."""
    out.write(MAGIC)
    whole: Value | None = None
    for part in parts:
        with part.open("rb") as file:
            footer, end = _footer(file, part)
            _move(footer, out.tell() - len(MAGIC), 0 if whole is None else len(whole.fields()[FILE_GROUPS].items()))
            file.seek(len(MAGIC))
            _copy(file, out, end - len(MAGIC))
        whole = footer if whole is None else _added(whole, footer)
    if whole is not None:
        told = b"".join(_written(whole))
        out.write(told + struct.pack("<I", len(told)) + MAGIC)


def _footer(file: BinaryIO, path: Path) -> tuple[Value, int]:
    """Return a file's footer and where it begins; raise Invalid if it is no Parquet file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read(TAIL_BYTES)
    if tail[4:] != MAGIC:
        raise Invalid("file.unreadable", path=path.name, reason="PAR1")
    begin = size - TAIL_BYTES - struct.unpack("<I", tail[:4])[0]
    file.seek(begin)
    return _Reader(file.read(size - TAIL_BYTES - begin)).struct(), begin


def _move(footer: Value, by: int, groups_before: int) -> None:
    """Move every place a footer names."""
    for nth, group in enumerate(footer.fields()[FILE_GROUPS].items()):
        group.add(GROUP_OFFSET, by)
        if GROUP_ORDINAL in group.fields():
            group.fields()[GROUP_ORDINAL].it = groups_before + nth
        for chunk in group.fields()[GROUP_CHUNKS].items():
            # The place of the chunk itself is out of use, and 0 where it is not said.
            for number in (CHUNK_OFFSET, *CHUNK_INDEXES):
                if chunk.fields().get(number, Value(I64)).it:
                    chunk.add(number, by)
            for number in TOLD_OFFSETS:
                chunk.fields()[CHUNK_TOLD].add(number, by)


def _added(whole: Value, more: Value) -> Value:
    rows_n = more.fields()[FILE_ROWS].it
    whole.add(FILE_ROWS, rows_n if isinstance(rows_n, int) else 0)
    whole.fields()[FILE_GROUPS].items().extend(more.fields()[FILE_GROUPS].items())
    return whole


def _copy(file: BinaryIO, out: BinaryIO, length: int) -> None:
    while length:
        data = file.read(min(length, 1 << 22))
        out.write(data)
        length -= len(data)


class _Reader:
    """Reads the compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> Value:
        """Read a struct."""
        fields: dict[int, Value] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            fields[number] = self._value(head & 15)
        return Value(STRUCT, fields)

    def _value(self, kind: int) -> Value:
        if kind in (TRUE, FALSE):
            return Value(kind)
        if kind in NUMBERS:
            return Value(kind, _signed(self._varint()))
        if kind in (LIST, SET):
            return self._list(kind)
        if kind == STRUCT:
            return self.struct()
        if kind == MAP:
            raise Invalid("file.unreadable", path="", reason="Thrift map")
        return Value(kind, self._bytes({BYTE: 1, DOUBLE: 8}.get(kind) or self._varint()))

    def _list(self, kind: int) -> Value:
        head = self._byte()
        length = self._varint() if head >> 4 == 15 else head >> 4
        of = head & 15
        # In a list a truth value is a byte of its own, and not part of a field's head.
        items = [Value(BYTE, self._bytes(1)) if of in (TRUE, FALSE) else self._value(of) for _ in range(length)]
        return Value(kind, items, of)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]

    def _varint(self) -> int:
        value, shift = 0, 0
        while (byte := self._byte()) & 0x80:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
        return value | byte << shift


def _written(value: Value) -> Iterator[bytes]:
    """Write a value in the compact protocol."""
    if isinstance(value.it, dict):
        last = 0
        for number, each in value.it.items():
            close = 0 < number - last < 16
            yield bytes([(number - last) << 4 | each.kind]) if close else bytes([each.kind]) + _varint(number << 1)
            yield from _written(each)
            last = number
        yield b"\0"
    elif isinstance(value.it, list):
        length = len(value.it)
        yield bytes([length << 4 | value.of]) if length < 15 else bytes([0xF0 | value.of]) + _varint(length)
        for each in value.it:
            yield from _written(each)
    elif isinstance(value.it, bytes):
        yield value.it if value.kind in (BYTE, DOUBLE) else _varint(len(value.it)) + value.it
    elif value.kind in NUMBERS:
        yield _varint(value.it << 1 ^ value.it >> 63)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _signed(value: int) -> int:
    return value >> 1 ^ -(value & 1)

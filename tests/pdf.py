"""What a PDF of ours says: its words in the order they were set, and whether every font is inside."""

from __future__ import annotations

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
SHOWN = re.compile(rb"/(f\d+) [\d.]+ Tf|<([0-9A-Fa-f\s]*)>|\(((?:\\.|[^\\()])*)\)|(BT)", re.DOTALL)
ESCAPED = re.compile(rb"\\(\d{1,3}|.|\n)", re.DOTALL)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def words(pdf: bytes) -> str:
    """Read the words of all pages; a new line for each text object."""
    objects = {int(number): body for number, body in OBJECT.findall(pdf)}
    pages = [body for body in objects.values() if b"/Type/Page/" in body or body.endswith(b"/Type/Page>>")]
    return "\n".join(_page(body, objects) for body in pages)


def fonts(pdf: bytes) -> tuple[int, int]:
    """Count the fonts, and those whose letters are inside."""
    described = re.findall(rb"/Type/FontDescriptor[^>]*", pdf)
    return len(described), sum(b"/FontFile" in each for each in described)


def _page(body: bytes, objects: dict[int, bytes]) -> str:
    resources = _meant(body, b"Resources", objects)
    named = re.findall(rb"/(f\d+) (\d+) 0 R", resources)
    maps = {name: _map(objects[int(number)], objects) for name, number in named}
    contents = re.findall(rb"(\d+) 0 R", (re.search(rb"/Contents[ \[]*((?:\d+ 0 R ?)+)", body) or [b"", b""])[1])
    said, font = [], b""
    for number in contents:
        for name, written, literal, begins in SHOWN.findall(_stream(objects[int(number)])):
            font = name or font
            said.append("\n" if begins else "")
            codes = bytes.fromhex(written.decode()) if written else _unescaped(literal)
            said.append("".join(maps.get(font, {}).get(codes[at : at + 2], "") for at in range(0, len(codes), 2)))
    return "".join(said)


def _meant(body: bytes, name: bytes, objects: dict[int, bytes]) -> bytes:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    return objects[int(found[1])] if found else body


def _map(font: bytes, objects: dict[int, bytes]) -> dict[bytes, str]:
    table = _stream(_meant(font, b"ToUnicode", objects))
    pairs = re.findall(rb"<([0-9a-fA-F]{4})>\s*<([0-9a-fA-F]+)>\n", table)
    return {bytes.fromhex(code.decode()): bytes.fromhex(said.decode()).decode("utf-16-be") for code, said in pairs}


def _stream(body: bytes) -> bytes:
    found = STREAM.search(body)
    content = found[1] if found else b""
    return zlib.decompress(content) if b"FlateDecode" in body else content


def _unescaped(literal: bytes) -> bytes:
    def meant(found: re.Match[bytes]) -> bytes:
        return bytes([int(found[1], 8)]) if found[1].isdigit() else LETTERS.get(found[1], found[1])

    return ESCAPED.sub(meant, literal)

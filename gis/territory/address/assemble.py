"""Pieces of a Chinese address put together: what a number counts depends on what stands before it."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from gis.territory.address import normal, words
from gis.territory.address.chinese import Piece
from gis.territory.address.parts import Address, Relation

_SPLIT = re.compile(r"[-/#、,\\.至到]")
_SUFFIX = re.compile(
    r"(?:号楼|\#楼|幢楼?|栋楼?|座|塔楼?|号?排|高楼|单元|梯|楼|层|F|室|房间?|号房|号?商?铺|号?店面|号店|号?商位|号?摊位|号?包厢|号?档口?|号?门市|户|号|\#|弄|巷)$"
)
# A stall of a market is a room of it; a number right after any other estate is a house number.
_STALLS = re.compile(r"(?:市场|[商贸服装纺革金材配车饰居器具子宝码品电鞋毛衫]城|广场|大厦|中心|商场)$")
_STAIRS = tuple("下上道顶前后")
_METRES = re.compile(r"(?P<far>\d+(?:\.\d+)?|[一二三四五六七八九十百两]+)(?P<scale>米|公里|千米|km|m)")
_PLACE_KINDS = ("estate", "name", "part")
_ADMIN = ("province", "city", "district", "town", "community", "group")


def address(text: str, pieces: Sequence[Piece]) -> Address:
    """Return the address the pieces of `text` make."""
    reader = _Reader(text, pieces)
    for at, piece in enumerate(pieces):
        reader.read(at, piece)
    return reader.result()


class _Reader:
    """Reads pieces in order and remembers what was said so far."""

    def __init__(self, text: str, pieces: Sequence[Piece]) -> None:
        self._text = text
        self._pieces = pieces
        self._said: dict[str, Any] = {}
        self._roads: list[str] = []
        self._places: list[tuple[str, bool]] = []
        self._near: list[str] = []
        self._before = ""
        self._read: dict[str, Callable[[Piece], None]] = {
            "street": self._street,
            "number": self._number,
            "building": self._building,
            "lane": lambda p: self._say("lane", _bare(p.text)),
            "unit": self._unit,
            "floor": self._floor,
            "room": lambda p: self._chain(_parts(p.text)),
            "chain": lambda p: self._chain(_parts(p.text)),
            "bare": self._bare_number,
            "near": lambda p: self._near.append(p.text),
            "stretch": lambda p: self._near.append(p.text),
            "distance": lambda p: self._near.append(p.text),
            "crossing": self._crossing,
        }

    def read(self, at: int, piece: Piece) -> None:
        if piece.kind in _ADMIN:
            self._say(piece.kind, piece.text)
        elif piece.kind in _PLACE_KINDS:
            self._place(at, piece)
        elif piece.kind in self._read:
            self._read[piece.kind](piece)
        if piece.kind == "join" and self._before == "street":
            return
        self._before = piece.kind

    def result(self) -> Address:
        estates = tuple(name for name, sure in self._places if sure)
        names = tuple(name for name, sure in self._places if not sure)
        return Address(
            self._text,
            roads=tuple(self._roads),
            estates=estates,
            names=names,
            relation=_relation(self._near),
            **self._said,
        )

    def _say(self, part: str, value: str) -> None:
        if value:
            self._said.setdefault(part, value)

    def _street(self, piece: Piece) -> None:
        self._roads.append(piece.text)
        previous = self._text[: piece.start][-1:]
        if self._before == "street" and len(self._roads) > 1 and previous in words.JOINS:
            self._say_crossing()

    def _say_crossing(self) -> None:
        self._said.setdefault("crossing", (self._roads[-2], self._roads[-1]))

    def _crossing(self, piece: Piece) -> None:
        if len(self._roads) > 1:
            self._say_crossing()
        else:
            self._near.append(piece.text)

    def _place(self, at: int, piece: Piece) -> None:
        after = self._pieces[at + 1].kind if at + 1 < len(self._pieces) else ""
        sure = piece.kind != "name" or after in ("building", "chain", "part", "unit", "number")
        if self._before in _PLACE_KINDS and self._pieces[at - 1].end == piece.start:
            name, was_sure = self._places[-1]
            self._places[-1] = (name + piece.text, sure or was_sure)
        else:
            self._places.append((piece.text, sure))

    def _number(self, piece: Piece) -> None:
        inside = "building" in self._said or "floor" in self._said or "number" in self._said
        stall = self._before in _PLACE_KINDS and not self._roads and _STALLS.search(self._places[-1][0])
        self._say("room" if inside or stall else "number", _bare(piece.text))

    def _building(self, piece: Piece) -> None:
        # 长宁路12号楼下: the house is 12, and it happens downstairs.
        cut = self._text[piece.end : piece.end + 1] in _STAIRS and piece.text.endswith("号楼")
        of_street = self._before in ("street", "lane") and "number" not in self._said
        self._say("number" if cut and of_street else "building", _bare(piece.text))

    def _unit(self, piece: Piece) -> None:
        *above, unit = _parts(piece.text)
        if above:
            self._say("building", above[0])
        self._say("unit", unit)

    def _floor(self, piece: Piece) -> None:
        parts = _parts(piece.text)
        if len(parts) > 2 or (len(parts) == 2 and parts[0].isalpha()):
            self._say("building", parts[0])
            parts = parts[-1:]
        self._say("floor", "-".join(parts))

    def _chain(self, parts: list[str]) -> None:
        if self._before in ("street", "lane") and "number" not in self._said:
            kept = 1 if len(parts) > 2 else len(parts)
            self._say("number", "-".join(parts[:kept]))
            parts = parts[kept:]
        if len(parts) > 1 and "building" not in self._said:
            self._say("building", parts.pop(0))
        if len(parts) > 1:
            self._say("unit", parts.pop(0))
        if parts:
            self._say("room", "-".join(parts))

    def _bare_number(self, piece: Piece) -> None:
        word = normal.digits(piece.text)
        if self._before in ("street", "lane") and "number" not in self._said:
            self._say("number", word)
        elif len(word) > 3 and word[0].isalpha() and word[1:].isdigit() and "building" not in self._said:
            self._say("building", word[0])
            self._say("room", word[1:])
        elif self._before in _PLACE_KINDS and len(word) < 3 and "building" not in self._said and word[-1].isdigit():
            self._say("building", word)
        elif self._before in ("building", "unit", "floor", "number", *_PLACE_KINDS):
            self._say("room", word)


def _bare(word: str) -> str:
    """Return a number without the word that counts it: 第3号楼 -> 3."""
    plain = normal.digits(word.removeprefix("第"))
    while (shorter := _SUFFIX.sub("", plain)) and shorter != plain:
        plain = shorter
    return re.sub(r"[、,/~至到\\.]", "-", plain.replace("号", ""))


def _parts(word: str) -> list[str]:
    return [part for part in _SPLIT.split(_bare(word).replace("一", "-")) if part]


def _relation(near: Sequence[str]) -> Relation | None:
    if not near:
        return None
    said = "".join(near)
    bearing = next((deg for word, deg in words.BEARINGS.items() if word in said), None)
    far = _METRES.search(said)
    return Relation(said, None if bearing is None else float(bearing), _metres(far) if far else None)


def _metres(far: re.Match[str]) -> float:
    amount = float(far["far"]) if far["far"][0].isdigit() else float(normal.numeral(far["far"]) or 0)
    return amount * (1000.0 if far["scale"] in ("公里", "千米", "km") else 1.0)

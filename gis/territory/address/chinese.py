"""Chinese address text cut into pieces: numbers by their pattern, names by the cheapest reading.

A name's end is told by its suffix; its beginning is not marked, so each reading has a cost (how common are names of that
kind and length) and the cheapest cut of a stretch is taken. A city's own names, when given, cost next to nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gis.territory.address import normal, words
from gis.territory.address.names import Names

_C = f"[{normal.NUMERAL}]"
_ID = r"(?:[A-Za-z]{0,2}\d+[A-Za-z]{0,2}(?![A-Za-z])|(?<![A-Za-z])[A-Za-z](?![A-Za-z]))"
_LINK = r"(?:[-、,/\\.至到]|一(?=\d))"
_CHAIN = rf"{_ID}(?:{_LINK}{_ID})*"
_DIR = "(?:东北|东南|西北|西南|东|南|西|北)"

_TOKENS = (
    (
        "street",
        rf"(?:\d+|{_C}{{1,3}}(?=号))(?:号大街|号大道|号街|号公路|号支路|号路|大街|街|公路|支路|路|胡同)(?![口道])"
        r"|[GSXY]?\d{2,4}(?:国道|省道|县道|乡道)|[GSXY]\d{2,4}(?:高速)?(?![\d室])",
    ),
    ("lane", rf"(?:{_CHAIN}|[东南西北]?{_C}+)(?:弄|巷(?!口))"),
    (
        "building",
        rf"第?(?:{_CHAIN}|{_C}+)(?:号楼|\#楼|\#|幢楼?|栋楼?|座|塔楼?|号?排|高楼)|第?{_ID}(?:号)(?=[幢栋])"
        rf"|[A-Z]楼|[东南西北中前后主副左右][楼座幢栋](?=\d|$|[-A-Z]|[一二三四五六七八九十]+[楼层])",
    ),
    ("unit", rf"第?(?:{_CHAIN}|{_C}+)(?:单元|梯(?!\w))|[东西中左右]单元"),
    (
        "floor",
        rf"(?:负|地下|第)?(?:{_CHAIN}|{_C}+)(?:楼|层)|\d+F(?![A-Za-z])|架空层|地下室|底商|首层|顶楼|顶层|底楼|底层",
    ),
    (
        "part",
        rf"(?:{_CHAIN}|{_C}+)(?:号地块|号门(?![口前面市外牌店])|号院|号库|号馆|号仓库?|号厂房|号车间|号线|号桥|号井|号会所|标段|地块|期|区(?!\w路))"
        r"|\d+苑|[A-Z]\d*区",
    ),
    (
        "room",
        rf"(?:{_CHAIN}|{_C}{{3,}})(?:室|房间?(?!产|地)|号房|号?商?铺|号?店面|号店|号?商位|号?摊位|号?包厢|号?档口?|号?门市|户)",
    ),
    (
        "number",
        rf"(?:附|甲|乙|丙|新|老|临)?(?:{_CHAIN}|[甲乙丙]?{_C}+)号"
        rf"(?:之[一二三四五六七八九\d]+|(?:-\d+)(?![\d幢栋室])|附{_ID}号)?",
    ),
    ("group", rf"第?(?:\d+|{_C}+)(?:村民小?组|居民小?组|小组|组(?!团)|社(?!区)|生产队|大队|队)"),
    (
        "distance",
        rf"(?:(?:往|向|以)?{_DIR}(?:侧|面|边|方向|行|走)?|约|的|处|第)*"
        r"(?:\d+(?:\.\d+)?|[一二三四五六七八九十百两]+)(?:米|公里|千米|km|m)(?:处|左右|远)*",
    ),
    ("chain", rf"{_ID}(?:[-#/]{_ID})+"),
    ("bare", _ID),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _TOKENS))
_MARK = re.compile(r"[-\s,.;:!?()'\"、/\\|·+#*&@]+")


@dataclass(frozen=True)
class Piece:
    """A part of an address text: its kind, its words and where they begin and end."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Context:
    """What stands around a stretch of words: the city's names, how deep the address already is, the next token."""

    names: Names
    rank: int
    after: str | None


def pieces(text: str, names: Names) -> list[Piece]:
    """Return the pieces of a normalised text, left to right; marks are left out."""
    found: list[Piece] = []
    for kind, start, end in _stretches(text):
        if kind != "name":
            found.append(Piece(kind, text[start:end], start, end))
            continue
        rank = max((_RANK.get(p.kind, 0) for p in found), default=0)
        found.extend(_named(text, start, end, Context(names, rank, _kind_at(text, end))))
    return found


def _stretches(text: str) -> Iterator[tuple[str, int, int]]:
    at = 0
    for match in _TOKEN.finditer(text):
        yield from _words_between(text, at, match.start())
        yield str(match.lastgroup), match.start(), match.end()
        at = match.end()
    yield from _words_between(text, at, len(text))


def _words_between(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    at = start
    for mark in _MARK.finditer(text, start, end):
        if mark.start() > at:
            yield "name", at, mark.start()
        at = mark.end()
    if end > at:
        yield "name", at, end


def _kind_at(text: str, at: int) -> str | None:
    match = _TOKEN.match(text, at)
    return match.lastgroup if match else None


# How deep a kind stands in an address; a step back up costs.
_RANK = {"province": 0, "city": 1, "district": 2, "town": 3, "community": 4, "group": 4, "estate": 5, "street": 5, "number": 6, "building": 7}
_STEP_BACK = 3.5
_SWALLOWED = 2.0
_LONGEST = 16

# Cost of a name by the number of characters before its suffix.
_BODY: dict[str, tuple[float, ...]] = {
    "street": (9, 3.4, 0.2, 2.3, 4.0, 6.0, 8.0),
    "directed": (9, 2.4, 1.8, 0.5, 3.0, 5.0, 7.0),
    "district": (9, 1.5, 0.3, 1.2, 3.0, 5.0, 6.0),
    "town": (9, 1.6, 0.3, 0.9, 2.4, 4.5, 6.0),
    "community": (9, 1.6, 0.5, 1.2, 2.4, 4.0, 5.5),
}
_DIRECTED = frozenset("东南西北中一二三四五六七八九十前后")
# A suffix that the next character turns into another word (市 of 市场) ends nothing.
_BLOCK = {"市": "场政民心中", "镇": "政海江", "村": "委口部民", "县": "城医", "街": "道", "区": "域间政", "乡": "政", "店": "面", "楼": "下上", "厂": "房"}
# A short form is not meant where its full form follows.
_FULL = {"city": "市", "district": "区县市", "town": "镇乡"}
# Characters that end the name before rather than begin the name of a street.
_ENDERS = frozenset("区市县镇局店厂所场房")
_INNER = re.compile(r"路|街道|大道|大街|街(?!道)|[省市区县镇乡](?!场)|公司|社区|村(?!路|街)")


@cache
def _suffixes() -> tuple[dict[str, str], ...]:
    """Return the suffixes of divisions and streets, and those of estates: each group is asked on its own."""
    lines: dict[str, str] = {}
    for kind, suffixes in words.LINES_AND_DIVISIONS.items():
        lines.update(dict.fromkeys(suffixes, kind))
    return lines, dict.fromkeys(words.ESTATE, "estate")


@cache
def _fixed() -> dict[str, tuple[str, float]]:
    table: dict[str, tuple[str, float]] = {}
    for short, full in words.PROVINCES.items():
        table[short], table[full], table[short + "省"] = ("province", 0.8), ("province", 0.2), ("province", 0.4)
    for city in words.CITIES:
        table[city] = ("city", 1.2)
        table[city + "市"] = ("city", 0.2)
    for word in words.NOISE:
        table[word] = ("noise", 0.6)
    for word in words.NEAR:
        table[word] = ("near", 0.6 if len(word) > 1 or word == "旁" else 1.5)
    for direction in words.BEARINGS:
        for side in words.SIDES:
            table[direction + side] = ("near", 0.8)
        table["以" + direction] = ("near", 0.4)
        table["往" + direction] = ("near", 0.4)
        table[direction] = ("near", 2.4)
        table[direction + "段"] = ("stretch", 0.3)
    table["中段"] = ("stretch", 0.3)
    for word in words.CROSSING:
        table[word] = ("crossing", 0.4 if len(word) > 1 else 1.2)
    for word in words.JOINS:
        table[word] = ("join", 1.2)
    for word in words.PLAIN_STREETS:
        table[word] = ("street", 2.4)
    return table


Best = list[tuple[float, int, str, int]]


def _named(text: str, start: int, end: int, context: Context) -> list[Piece]:
    """Cut text[start:end] the cheapest way."""
    best: Best = [(0.0, -1, "", context.rank)]
    for stop in range(start + 1, end + 1):
        options = []
        for begin in range(max(start, stop - _LONGEST), stop):
            cost, _, before, rank = best[begin - start]
            for kind, own in _readings(text, begin, stop, context):
                total = cost + own + _turn(kind, before, rank) + (_last(kind, context.after) if stop == end else 0)
                options.append((total, begin, kind, max(rank, _RANK.get(kind, 0))))
        best.append(min(options))
    return list(reversed(list(_trace(text, start, end, best))))


def _trace(text: str, start: int, end: int, best: Best) -> Iterator[Piece]:
    while end > start:
        _, begin, kind, _ = best[end - start]
        yield Piece(kind, text[begin:end], begin, end)
        end = begin


def _turn(kind: str, before: str, rank: int) -> float:
    """Cost of reading `kind` after what came before."""
    cost = _STEP_BACK if _RANK.get(kind, 9) < min(rank, 5) else 0.0
    if kind == "crossing" and before != "street":
        cost += 4
    if kind == "join" and before not in ("street", "estate", "name"):
        cost += 4
    return cost


def _last(kind: str, after: str | None) -> float:
    """Cost of reading `kind` right before the token that follows the stretch."""
    if after == "number" and kind == "street":
        return -0.8
    if after in ("building", "unit") and kind in ("name", "estate"):
        return -1.0
    return 0.0


def _readings(text: str, begin: int, stop: int, context: Context) -> Iterator[tuple[str, float]]:
    """Yield each kind text[begin:stop] may be, with its cost."""
    word = text[begin:stop]
    size = stop - begin
    inner = 1.8 * len(_INNER.findall(word, 0, size - 1))
    swallowed = _swallowed(word, context)
    yield "name", 2.6 + 0.6 * size + 1.8 * len(_INNER.findall(word)) + swallowed
    if word in context.names:
        kind, cost = context.names[word]
        yield kind, cost + (3.0 if text[stop : stop + 1] in _FULL.get(kind, ()) else 0.0)
    if word in _fixed():
        yield _fixed()[word]
    blocked = 3.0 if text[stop : stop + 1] in _BLOCK.get(word[-1], ()) else 0.0
    for table in _suffixes():
        long = next((long for long in (6, 5, 4, 3, 2, 1) if long <= size and word[-long:] in table), 0)
        if long:
            kind = table[word[-long:]]
            yield kind, _suffix_cost(kind, word, long) + inner + blocked + swallowed


def _swallowed(word: str, context: Context) -> float:
    """Cost of a name that begins with a division's name, where the address has not come to its town yet."""
    if context.rank > _RANK["district"] or len(word) < 6:
        return 0.0
    for size in (4, 3, 2):
        known = context.names.get(word[:size]) or _fixed().get(word[:size])
        if known and known[0] in ("city", "district", "town") and len(word) - size > 3:
            return _SWALLOWED
    return 0.0


def _suffix_cost(kind: str, word: str, long: int) -> float:
    body = len(word) - long
    if kind == "estate":
        return (1.4 if long > 1 else 2.1) + 0.3 * abs(body - 2) + (1.5 if body == 0 else 0) + 0.2 * body
    table = _BODY["directed" if kind == "street" and body > 1 and word[body - 1] in _DIRECTED else kind]
    torn = 2.0 if kind == "street" and body > 2 and word[0] in _ENDERS else 0.0
    return 0.8 + table[min(body, len(table) - 1)] + 2 * max(0, body - len(table) + 1) + torn

"""The numbered parts of a Chinese address, told by their pattern: 12号, 3号楼, 2单元, 320国道, 以北50米."""

import re
from collections.abc import Iterator

from gis.territory.address import normal

# A Chinese numeral; a number with at most two letters on either side, or a letter alone; several of these in a row.
_C = f"[{normal.NUMERAL}]"
_ID = r"(?:[A-Za-z]{0,2}\d+[A-Za-z]{0,2}(?![A-Za-z])|(?<![A-Za-z])[A-Za-z](?![A-Za-z]))"
_LINK = r"(?:[-、,/\\.至到]|一(?=\d))"
_IDS = rf"{_ID}(?:{_LINK}{_ID})*"
_ANY = rf"(?:{_IDS}|{_C}+)"
_BEARING = "(?:东北|东南|西北|西南|东|南|西|北)"

# In the order they are tried.
PATTERNS = {
    "street": (
        rf"(?:\d+|{_C}{{1,3}}(?=号))(?:号大街|号大道|号街|号公路|号支路|号路|大街|街|公路|支路|路|胡同|巷)(?![口道面边灯沿上旁])"
        r"|[GSXY]?\d{2,4}(?:国道|省道|县道|乡道)|[GSXY]\d{2,4}(?:高速)?(?![\d室])"
    ),
    "lane": rf"{_ANY}弄",
    "building": (
        rf"第?{_ANY}(?:号楼|\#楼|\#|幢楼?|栋楼?|座|塔楼?|号?排|高楼)|第?{_ID}(?:号)(?=[幢栋])"
        rf"|[A-Z]楼|[东南西北中前后主副左右][楼座幢栋](?=\d|$|[-A-Z]|{_C}+[楼层])"
    ),
    "unit": rf"第?{_ANY}(?:单元|梯(?!\w))|[东西中左右]单元",
    "floor": (
        rf"(?:负|地下|第)?{_ANY}(?:楼|层)|\d+F(?![A-Za-z])|架空层|地下室|底商|首层|顶楼|顶层|底楼|底层"
    ),
    "part": (
        rf"(?:{_IDS}|[东南西北中]?{_C}+)(?:号地块|号门(?![口前面市外牌店])|号院|号库|号馆|号仓库?|号厂房|号车间|号线|号桥|号井(?!盖)"
        r"|号会所|标段|地块|期|区(?!\w路))|\d+苑|[A-Z]\d*区"
    ),
    "room": (
        rf"(?:{_IDS}|{_C}{{3,}})"
        r"(?:室|房间?(?!产|地)|号房|号?商?铺|号?店面|号店|号?商位|号?摊位|号?包厢|号?档口?|号?门市|户)"
    ),
    "number": (
        rf"(?:附|甲|乙|丙|新|老|临)?(?:{_IDS}|[甲乙丙]?{_C}+)号"
        rf"(?:之[一二三四五六七八九\d]+|(?:-\d+)(?![\d幢栋室])|附{_ID}号)?"
    ),
    "group": rf"第?(?:\d+|{_C}+)(?:村民小?组|居民小?组|小组|组(?!团)|社(?!区)|生产队|大队|队)",
    "distance": (
        rf"(?:(?:往|向|以)?{_BEARING}(?:侧|面|边|方向|行|走)?|约|的|处|第)*"
        rf"(?:\d+(?:\.\d+)?|{_C}+)(?:米|公里|千米|km|m)(?:处|左右|远)*"
    ),
    "chain": rf"{_ID}(?:[-#/]{_ID})+",
    "bare": _ID,
}
_PART = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in PATTERNS.items()))
_MARK = re.compile(r"[-\s,.;:!?()'\"、/\\|·+#*&@]+")

Stretch = tuple[str, int, int]


def stretches(text: str) -> Iterator[Stretch]:
    """Yield (kind, start, end): the numbered parts, and as "name" the words between them; marks are left out."""
    at = 0
    for match in _PART.finditer(text):
        yield from _words(text, at, match.start())
        yield str(match.lastgroup), match.start(), match.end()
        at = match.end()
    yield from _words(text, at, len(text))


def kind_at(text: str, at: int) -> str | None:
    """Return the kind of the numbered part that begins at a place, if one does."""
    match = _PART.match(text, at)
    return match.lastgroup if match else None


def _words(text: str, start: int, end: int) -> Iterator[Stretch]:
    at = start
    for mark in _MARK.finditer(text, start, end):
        if mark.start() > at:
            yield "name", at, mark.start()
        at = mark.end()
    if end > at:
        yield "name", at, end

"""What a reading of some words as a name costs: the rarer names of that kind and length are, the more.

The figures are natural logarithms of how rare a thing is, rounded, and weighed against one another by trial.
"""

import re
from functools import cache, lru_cache

from gis.territory.address import words

# How deep a kind stands in an address: a step back up costs, and so does a second district.
RANK = {
    "province": 0,
    "city": 1,
    "district": 2,
    "town": 3,
    "community": 4,
    "group": 4,
    "estate": 5,
    "street": 5,
    "number": 6,
    "building": 7,
}
STEP_BACK, AGAIN = 3.5, 1.0
OUT_OF_PLACE = 4.0
# A name that holds what ends another name; one that begins with a division's name, by the kind of division.
INNER = 2.4
SWALLOW = {"city": 1.0, "district": 1.0, "town": 0.5}
# A suffix that the next character turns into another word (市 of 市场) ends nothing.
BLOCKED = 3.0
# Words torn off the name before them.
TORN = 2.0

# Cost of a division's or a street's name by the number of characters before its suffix.
_BODY: dict[str, tuple[float, ...]] = {
    "street": (9, 3.4, 0.2, 2.3, 4.0, 6.0, 8.0),
    "directed": (9, 2.4, 1.8, 0.5, 3.0, 5.0, 7.0),
    "district": (9, 1.5, 0.3, 1.2, 3.0, 5.0, 6.0),
    "town": (9, 1.6, 0.3, 0.9, 2.4, 4.5, 6.0),
    "community": (9, 1.6, 0.5, 1.2, 2.4, 4.0, 5.5),
}
# 中山北路, 文一路: streets told from their sisters by a direction or a number.
_DIRECTED = frozenset("东南西北中一二三四五六七八九十前后")
_BLOCK = {
    "市": "场政民心中",
    "镇": "政海江",
    "村": "委口部民",
    "县": "城医",
    "街": "道",
    "区": "域间政",
    "乡": "政",
    "店": "面",
    "楼": "下上",
    "厂": "房",
}
# A short form is not meant where its full form follows.
_FULL = {"city": "市", "district": "区县市", "town": "镇乡"}
# Institutions carry the name of their city: 浙江大学, 北京银行.
_TORN = ("大学", "银行", "中医院", "人民医院")
# Characters that end the name before rather than begin the name of a street.
_ENDERS = frozenset("区市县镇局店厂所场房")
_INNER = re.compile(
    r"路|街道|大道|大街|街(?!道)|[省市区县镇乡](?!场)|公司|社区|村(?!路|街)|对面|旁边|后面|隔壁|附近|交叉口"
)
_LONGEST_SUFFIX = 6
# Addresses of a city repeat their words.
REMEMBERED = 1 << 16


@lru_cache(REMEMBERED)
def unnamed(word: str) -> float:
    """Return the cost of words that name something without saying what."""
    return 2.6 + 0.6 * len(word) + INNER * len(_INNER.findall(word))


def known(kind: str, cost: float, following: str) -> float:
    """Return the cost of a name the city knows, with the character that follows it."""
    return cost + (BLOCKED if following and following in _FULL.get(kind, "") else 0.0)


@lru_cache(REMEMBERED)
def ended(word: str, following: str) -> tuple[tuple[str, float], ...]:
    """Return (kind, cost) of what the end of a word may make of it."""
    blocked = BLOCKED if following and following in _BLOCK.get(word[-1], "") else 0.0
    found = []
    for table in _suffixes():
        size = next((size for size in range(_LONGEST_SUFFIX, 0, -1) if word[-size:] in table and size <= len(word)), 0)
        kind = table.get(word[-size:], "") if size else ""
        if kind and not (kind == "community" and word.endswith("新村")):
            found.append((kind, _own(kind, word, size) + _inner(kind, word, size) + blocked))
    return tuple(found)


def _inner(kind: str, word: str, size: int) -> float:
    # A town may be named after its street (舜华路街道); what is named after a town or a company may not.
    end = len(word) - size - 1 if kind == "town" else len(word) - 1
    return INNER * len(_INNER.findall(word, 0, end))


def _own(kind: str, word: str, size: int) -> float:
    body = len(word) - size
    if kind == "estate":
        torn = TORN if word.startswith(_TORN) else 0.0
        return torn + (1.4 if size > 1 else 2.1) + 0.3 * abs(body - 2) + (1.5 if body == 0 else 0.0) + 0.2 * body
    table = _BODY["directed" if kind == "street" and body > 1 and word[body - 1] in _DIRECTED else kind]
    torn = TORN if kind == "street" and body > 2 and word[0] in _ENDERS else 0.0
    return 0.8 + table[min(body, len(table) - 1)] + 2 * max(0, body - len(table) + 1) + torn


@cache
def _suffixes() -> tuple[dict[str, str], dict[str, str]]:
    """Return the suffixes of divisions and streets, and those of estates: each group is asked on its own."""
    lines = {suffix: kind for kind, suffixes in words.LINES_AND_DIVISIONS.items() for suffix in suffixes}
    return lines, dict.fromkeys(words.ESTATE, "estate")


@cache
def fixed() -> dict[str, tuple[str, float]]:
    """Return the words that are one thing wherever they stand: (kind, cost)."""
    return _divisions() | _listed() | _bearings()


def _divisions() -> dict[str, tuple[str, float]]:
    table = dict.fromkeys(words.CITIES, ("city", 1.2)) | {f"{city}市": ("city", 0.2) for city in words.CITIES}
    for short, full in words.PROVINCES.items():
        table |= {short: ("province", 0.8), f"{short}省": ("province", 0.4), full: ("province", 0.2)}
    return table | dict.fromkeys(words.NEW_AREAS, ("district", 0.2))


def _listed() -> dict[str, tuple[str, float]]:
    table = dict.fromkeys(words.NOISE, ("noise", 0.6)) | dict.fromkeys(words.PLAIN_STREETS, ("street", 2.4))
    table |= {word: ("near", 0.6 if len(word) > 1 or word == "旁" else 1.5) for word in words.NEAR}
    return table | {word: ("crossing", 0.4 if len(word) > 1 else 1.2) for word in words.CROSSING}


def _bearings() -> dict[str, tuple[str, float]]:
    table = dict.fromkeys(words.JOINS, ("join", 1.2)) | {"中段": ("stretch", 0.3)}
    for bearing in words.BEARINGS:
        table |= {f"{bearing}{side}": ("near", 0.8) for side in words.SIDES}
        table |= {f"以{bearing}": ("near", 0.4), f"往{bearing}": ("near", 0.4)}
        table |= {bearing: ("near", 2.4), f"{bearing}段": ("stretch", 0.3)}
    return table

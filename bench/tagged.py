"""Chinese addresses tagged by hand, brought to the parts the product reads: road, number, estate, building.

A tag means what its words say: a house number is a number wherever it was tagged, a numbered building a building.
Groups of a village and stretches of a road are none of the four. Neighbouring tags of named places are one name; it
counts as an estate when its last word says so (小区, 大厦, 市场, 工业区 ...); so does a community named like one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pandas as pd

from gis.territory.address import normal

PARTS = ("road", "number", "estate", "building")
NAMED = frozenset({"poi", "subpoi", "devzone"})
# The tagger counted a run of digits or of letters as one token; where the counts differ the tags are no use.
TOKEN = re.compile(r"\d+|[A-Za-z]+|.", re.DOTALL)
ESTATE = re.compile(
    r"(小区|花园|[一-鿿]苑|家园|公寓|大厦|广场|新村|公馆|院|宿舍|山庄|别墅|[名华豪雅庭]邸|庭|府|国际|人家|商厦|大楼|中心|写字楼|商务楼"
    r"|工业区|工业城|开发区|新区|高新区|园区?|市场|商场|[一-鿿]城|湾|轩|阁|居|[A-Z\d一二三四五六七八九十东南西北]+[区期])$"
)
GROUP = re.compile(r"(?:\d+|[一二三四五六七八九十]+)[组社队]|[东南西北中]段")
COUNTED = re.compile(r"号楼|[幢栋]楼?|座|楼|#|号|第|排|高楼")
COMMUNITY = re.compile(r"(?<!新)村$|社区$")

Element = tuple[str, str]


@dataclass(frozen=True)
class Tagged:
    """An address and what it holds of each part, in one writing. joined: its roads are written as one word."""

    text: str
    joined: bool
    parts: dict[str, frozenset[str]]
    names: frozenset[str]


def read(folder: Path) -> Iterator[tuple[str, list[Tagged], int]]:
    """Yield each set: its name, its addresses, and how many could not be read for broken tags."""
    tokens = [_by_token(*row) for row in _columns(folder / "naacl2019_address_train.parquet", "address", "bio_tags")]
    yield "naacl2019", [_tagged(*row) for row in tokens if row], sum(row is None for row in tokens)
    marked = _columns(folder / "ccks2021_address_elements.parquet", "address", "tagged")
    # This set has one element of each tag: two roads of an address stand in it as one.
    yield "ccks2021", [_tagged(text, re.findall(r"<(\w+)>(.*?)</\1>", said), joined=True) for text, said in marked], 0


def _columns(path: Path, text: str, tags: str) -> Iterator[tuple[str, str]]:
    table = pd.read_parquet(path, columns=[text, tags])
    return zip(table[text].astype(str), table[tags].astype(str), strict=True)


def _by_token(text: str, said: str) -> tuple[str, list[Element]] | None:
    tags, tokens = said.split(), TOKEN.findall(text)
    if len(tags) != len(tokens):
        return None
    elements: list[Element] = []
    for token, tag in zip(tokens, tags, strict=True):
        if tag.startswith("I-") and elements and elements[-1][0] == tag[2:]:
            elements[-1] = (tag[2:], elements[-1][1] + token)
        else:
            elements.append((tag[2:], token))
    return text, elements


def _tagged(text: str, elements: list[Element], *, joined: bool = False) -> Tagged:
    lower = [(tag.lower(), words) for tag, words in _hyphened(elements)]
    names = _names(lower)
    parts = {
        "road": frozenset(_roads(lower)),
        "number": frozenset(_numbers(lower)),
        "estate": frozenset(filter(ESTATE.search, names)),
        "building": frozenset(counted(words) for tag, words in lower if tag == "houseno" and not words.endswith("号")),
    }
    return Tagged(text, joined, parts, frozenset(names))


def _hyphened(elements: list[Element]) -> list[Element]:
    """Join a number that was tagged in two about its hyphen (127-25号)."""
    joined: list[Element] = []
    for tag, words in elements:
        cut = len(joined) > 1 and joined[-1][1] == "-" and joined[-2][0] == "roadno"
        if cut and tag in {"roadno", "houseno", "subroadno"} and words.endswith("号"):
            joined.pop()
            joined[-1] = ("roadno", f"{joined[-1][1]}-{words}")
        else:
            joined.append((tag, words))
    return joined


def _roads(elements: list[Element]) -> Iterator[str]:
    for tag, words in elements:
        road = re.sub(r"\d+弄$", "", words)
        if tag in {"road", "subroad"} and road and not GROUP.fullmatch(words):
            yield written(road)


def _numbers(elements: list[Element]) -> Iterator[str]:
    for tag, words in elements:
        lane = re.search(r"\d+弄$", words) if tag in {"road", "subroad"} else None
        if lane:
            yield counted(lane[0])
        elif tag in {"roadno", "subroadno"} or (tag == "houseno" and words.endswith("号")):
            yield counted(words)


def _names(elements: list[Element]) -> list[str]:
    runs = groupby(elements, key=_is_named)
    return [written("".join(words for _, words in run)) for named, run in runs if named]


def _is_named(element: Element) -> bool:
    tag, words = element
    return tag in NAMED or (tag == "community" and bool(ESTATE.search(words)) and not COMMUNITY.search(words))


def written(words: str) -> str:
    """Write words in one width and numerals in digits."""
    return normal.digits(normal.text(words))


def counted(words: str) -> str:
    """Write a number without what it counts."""
    return re.sub(r"[、,/~至]", "-", COUNTED.sub("", written(words))).removesuffix("弄").replace("好", "")

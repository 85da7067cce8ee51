"""The names a city knows of its own ground, which make its addresses easier to read."""

import re
from collections.abc import Iterable, Mapping

# A name, the kind it names, and what it costs to read it so: short forms are read with more doubt.
Names = Mapping[str, tuple[str, float]]

NO_NAMES: Names = {}

_OFFICE = re.compile(r"(?:办事处|(?:居民|村民)?委员会|居委会|村委会)$")
_SUFFIX = {
    "province": re.compile(r"(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区|特别行政区)$"),
    "city": re.compile(r"(?:市|地区|盟|自治州)$"),
    "district": re.compile(r"(?:新区|区|县|市|旗)$"),
    "town": re.compile(r"(?:街道|镇|乡)$"),
    "community": re.compile(r"(?:社区|村)$"),
}
_SHORT_COST = {"province": 0.8, "city": 1.2, "district": 1.2, "town": 1.6}


def of(named: Iterable[tuple[str, str]]) -> Names:
    """Return the names of (kind, name) pairs; kinds: province, city, district, town, community, street, estate.

    Divisions are also known by their short form (义乌 for 义乌市), where that leaves two characters or more.
    """
    known: dict[str, tuple[str, float]] = {}
    for kind, full in named:
        name = _OFFICE.sub("", full)
        short = _SUFFIX[kind].sub("", name) if kind in _SUFFIX else name
        # A division's name without its suffix is a word like any other: too little to go by.
        if kind not in _SUFFIX or short != name:
            _learn(known, name, kind, 0.3 if len(name) > 2 else 0.8)
        if kind in _SHORT_COST and len(short) > 1:
            _learn(known, short, kind, _SHORT_COST[kind])
    return known


def _learn(known: dict[str, tuple[str, float]], name: str, kind: str, cost: float) -> None:
    if name and (name not in known or known[name][1] > cost):
        known[name] = (kind, cost)

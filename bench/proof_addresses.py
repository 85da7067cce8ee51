"""Chinese addresses: parts read, against tags set by hand; and pairs of addresses judged, against labels.

The words and costs of the reader were weighed on the even rows of each set; all figures are of the odd rows.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd

from bench.figures import Row, at_least, told
from bench.tagged import ESTATE, PARTS, Tagged, counted, read, written
from gis.territory.address import Address, Names, likeness, names, parse_address

LEAST_F1 = 0.85
LEAST_PAIRS = 0.70
# The province most of the tagged addresses are of: the ground a product there would know.
PROVINCE = "33"
LABELS = {likeness.DIFFERENT: "0", likeness.PART: "1", likeness.SAME: "2"}
DIVISIONS = frozenset({"city", "district", "town"})


def measure(data: Path) -> list[Row]:
    """Measure extraction and comparison; data: the folder of the real data."""
    known = _divisions(data / "cn_division_codes")
    rows: list[Row] = []
    for name, tagged, unread in read(data / "cn_address"):
        rows += _extraction(name, tagged[1::2], known)
        rows.append(told(f"{name}: left out for broken tags", unread))
    return rows + list(_pairs(data / "cn_address" / "ccks2021_track3_kfold_dev.txt.gz"))


def _divisions(folder: Path) -> Names:
    districts, towns, villages = (
        table.loc[table["provinceCode"].astype(str) == PROVINCE, "name"]
        for table in (pd.read_parquet(folder / f"{level}.parquet") for level in ("areas", "streets", "villages"))
    )
    levels = {"district": districts, "town": towns, "community": villages}
    return names.of((kind, name) for kind, listed in levels.items() for name in listed if name != "市辖区")


def _extraction(name: str, tagged: list[Tagged], known: Names) -> Iterator[Row]:
    parsed = [parse_address(each.text, known) for each in tagged]
    for part in PARTS:
        wanted = [frozenset(_without_divisions(word, known) for word in each.parts[part]) for each in tagged]
        found = [_found(part, each, address, known) for each, address in zip(tagged, parsed, strict=True)]
        count = sum(map(len, wanted))
        yield at_least(f"{name}: {part}, F1 ({count} tagged, {len(tagged)} addresses)", _f1(wanted, found), LEAST_F1)
    strict = _f1([each.names for each in tagged], [frozenset(_names(address)) for address in parsed])
    yield told(f"{name}: named places of any kind (shops, companies), letter for letter, F1", strict)


def _found(part: str, tagged: Tagged, address: Address, known: Names) -> frozenset[str]:
    said = ["".join(map(written, address.roads))] if part == "road" and tagged.joined else FOUND[part](address)
    return frozenset(_without_divisions(word, known) for word in said if word)


def _numbers(address: Address) -> Iterator[str]:
    yield from (counted(number) for number in (address.number, address.lane) if number)


def _names(address: Address) -> Iterator[str]:
    yield from (written(name) for name in (*address.estates, *address.names))


FOUND: dict[str, Callable[[Address], frozenset[str]]] = {
    "road": lambda address: frozenset(map(written, address.roads)),
    "number": lambda address: frozenset(_numbers(address)),
    "estate": lambda address: frozenset(filter(ESTATE.search, _names(address))),
    "building": lambda address: frozenset([address.building] if address.building else []),
}


def _without_divisions(word: str, known: Names) -> str:
    """Leave out the divisions a name begins with: an estate with its town's name and without is one estate."""
    for size in range(6, 1, -1):
        kind = known.get(word[:size], ("", 0.0))[0]
        if kind in DIVISIONS and len(word) - size >= 2:
            return _without_divisions(word[size:], known)
    return word


def _f1(wanted: list[frozenset[str]], found: list[frozenset[str]]) -> float:
    both = sum(len(one & other) for one, other in zip(wanted, found, strict=True))
    return 2 * both / (sum(map(len, wanted)) + sum(map(len, found)))


def _pairs(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pairs = [fields for line in lines if len(fields := line.rstrip("\n").split("\t")) == 3]
    # Pairs of one query stand on one side, or its wording would be known before.
    held_out = [pair for pair in pairs if zlib.crc32(pair[0].encode()) % 2]
    remembered = cache(parse_address)
    judged = Counter((label, LABELS[likeness.compare(remembered(a), remembered(b))]) for a, b, label in held_out)
    right = sum(count for (label, said), count in judged.items() if label == said)
    linked = sum(count for (label, said), count in judged.items() if (label == "0") == (said == "0"))
    most = max(Counter(label for *_, label in held_out).values())
    yield at_least(f"pairs judged same, part or different ({len(held_out)})", right / len(held_out), LEAST_PAIRS)
    yield told("pairs judged related or not", linked / len(held_out))
    yield told("pairs, always guessing the commonest label", most / len(held_out))

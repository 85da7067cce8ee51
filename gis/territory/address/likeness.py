"""Whether two addresses may mean the same place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from gis.territory.address import keys, words
from gis.territory.address.parts import Address

SAME, PART, DIFFERENT = "same", "part", "different"
# Names this alike are spellings of one name.
ALIKE = 0.9
# A name this short, held in a longer one, says little: chains and towns share such names.
SHORT = 3
_SIDE = re.compile(r"(?:[东南西北中]?\d*[东南西北]?\d*(?:大门|门|区|期|苑)|分?店|社区|小区)+$")
_DWELLING = re.compile(
    r"(?:花园|苑|园|公寓|大厦|广场|新村|庭|城|府|国际|人家|中心|湾|里|居|院|大学|学院|中学|小学|医院|村)$"
)


@dataclass(frozen=True)
class _Shared:
    """The names two addresses share best: whether they are one word for word, and the shorter of them."""

    equal: bool
    name: str

    @property
    def telling(self) -> bool:
        """Whether the name stands for one place by itself."""
        if self.equal:
            return _DWELLING.search(self.name) is not None or len(self.name) > 5
        return len(self.name) > 5


def compare(a: Address, b: Address) -> str:
    """Return SAME for one place, PART where one holds the other or both share a house or an estate, else DIFFERENT."""
    if _apart(a, b):
        return DIFFERENT
    one_street = bool(_streets(a) & _streets(b))
    shared = _shared(a, b)
    if one_street and _house(a) and _house(a) == _house(b):
        return _in_one_house(a, b)
    if shared:
        return _in_one_estate(a, b, shared, one_street)
    if one_street:
        return DIFFERENT if _names(a) and _names(b) else PART
    return PART if _areas(a) & _areas(b) else DIFFERENT


def _apart(a: Address, b: Address) -> bool:
    """Return whether both name a city or district, and not the same one."""
    return any(_differ(_stem(one), _stem(other)) for one, other in ((a.city, b.city), (a.district, b.district)))


def _stem(name: str | None) -> str | None:
    return re.sub(r"[省市区县]$", "", name) if name else None


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other and one != other)


def _house(address: Address) -> str:
    return keys.number(address.number or address.lane or "")


def _in_one_house(a: Address, b: Address) -> str:
    """Compare two addresses of one house number: what else they say must agree too."""
    inside = all(getattr(a, part) == getattr(b, part) for part in ("building", "unit", "floor", "room"))
    return SAME if inside and set(_names(a)) == set(_names(b)) else PART


def _in_one_estate(a: Address, b: Address, shared: _Shared, one_street: bool) -> str:
    """Compare two addresses that share a name, which may be of one estate or only alike."""
    far = bool(a.roads and b.roads) and not one_street
    if _differ(a.building, b.building):
        return PART
    if a.building and a.building == b.building:
        return DIFFERENT if far and len(shared.name) <= SHORT else SAME
    if one_street or shared.telling:
        return PART
    held = bool(a.building or b.building) and not far
    return PART if held and (shared.equal or len(shared.name) > SHORT) else DIFFERENT


def _shared(a: Address, b: Address) -> _Shared | None:
    found = [pair for one in _names(a) for other in _names(b) if (pair := _alike(one, other))]
    return max(found, key=lambda pair: (pair.equal, len(pair.name)), default=None)


def _alike(one: str, other: str) -> _Shared | None:
    short, long = sorted((one, other), key=len)
    if short == long or SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE:
        return _Shared(short == long, short)
    held = len(short) >= SHORT and short in long and short not in words.ESTATE
    return _Shared(equal=False, name=short) if held else None


def _names(address: Address) -> list[str]:
    return [core for name in (*address.estates, *address.names) if len(core := _core(name)) > 1]


@lru_cache(4096)
def _core(name: str) -> str:
    plain = keys.estate(re.sub(r"[^\w]", "", name))
    return _SIDE.sub("", plain) or plain


def _streets(address: Address) -> set[str]:
    return {keys.street(road) for road in address.roads}


def _areas(address: Address) -> set[str]:
    return {name for name in (address.community, address.group) if name}

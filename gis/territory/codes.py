"""Division and grid codes: 6 digits for a district, 9 subdistrict, 12 community, 15 grid cell. Pure.

A 15-digit code is a 12-digit community code and a 3-digit serial. The city's grid cells and the governance grids both
use that length; which net a code belongs to is never read from the code. Codes are text, always.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from gis.errors import Invalid

LEVELS = {6: "district", 9: "subdistrict", 12: "community", 15: "grid"}
PARENT_DIGITS = {15: 12, 12: 9, 9: 6}
LAST_SERIAL = 999
# No code of any city may be longer, or hold what separates codes in a unit's key and in a scope.
LONGEST = 40
SEPARATORS = ":, "


@dataclass(frozen=True)
class Cell:
    """What numbering needs to know of a cell: its centre and height (any unit, y to the north), and its community."""

    x: float
    y: float
    height: float
    community: str


def parse(text: str) -> str:
    """Read a division code: full-width digits, blanks around and zeros for lower levels are understood; or Invalid."""
    code = unicodedata.normalize("NFKC", text).strip()
    reason = malformed(code)
    if reason:
        raise Invalid(reason, code=text)
    return trimmed(code)


def malformed(code: str, digits: int | None = None) -> str | None:
    """Give the reason code why this is no division code (of so many digits), None if it is one."""
    if not (code.isascii() and code.isdigit()):
        return "codes.not_digits"
    if len(code) not in LEVELS or (digits and len(code) != digits):
        return "codes.wrong_length"
    if code[0] in "09" or code[:6].endswith("00"):
        return "codes.no_such_district"
    return "codes.zero_serial" if len(trimmed(code)) > PARENT_DIGITS[15] and code.endswith("000") else None


def unusable(code: str) -> str | None:
    """Give the reason code why a text cannot be the code of any unit of any city, None if it can."""
    if not code.strip():
        return "codes.blank"
    if len(code) > LONGEST:
        return "codes.too_long"
    odd = any(letter in SEPARATORS or not letter.isprintable() for letter in code)
    return "codes.odd_character" if odd else None


def trimmed(code: str) -> str:
    """Leave out the zeros that the 12-digit statistical form writes for levels it does not name."""
    while len(code) in (12, 9) and code.endswith("000"):
        code = code[:-3]
    return code


def level(code: str) -> str:
    """Name the level of a code; raise Invalid if it is not a division code."""
    return LEVELS[len(parse(code))]


def parent(code: str) -> str | None:
    """Give the code one level up; a district's is not among these levels."""
    known = parse(code)
    return known[: PARENT_DIGITS[len(known)]] if len(known) in PARENT_DIGITS else None


def number(cells: Sequence[Cell], used: Collection[str] = ()) -> list[str]:
    """Give each cell its community's code and a serial: rows from north to south, west to east in a row.

    Numbers in `used` (of any edition, retired ones too) are passed over. Raise Invalid when a community has more cells
    than numbers. The numbers go on after the highest used one, so that a gap left by a retired cell stays a gap.
    """
    spoken_for = frozenset(used)
    codes = [""] * len(cells)
    for community, members in _by_community(cells).items():
        serials = _free(community, spoken_for)
        for position in _reading_order(cells, members):
            codes[position] = next(serials)
    return codes


def _by_community(cells: Sequence[Cell]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for position, cell in enumerate(cells):
        members[cell.community].append(position)
    return members


def _free(community: str, used: frozenset[str]) -> Iterator[str]:
    taken = (code[len(community) :] for code in used if code.startswith(community))
    last = max((int(serial) for serial in taken if len(serial) == 3 and serial.isdigit()), default=0)
    yield from (f"{community}{serial:03d}" for serial in range(last + 1, LAST_SERIAL + 1))
    raise Invalid("codes.serials_exhausted", community=community, last=LAST_SERIAL)


def _reading_order(cells: Sequence[Cell], members: Sequence[int]) -> Iterator[int]:
    """Go through the rows; real cells stand in no exact rows, so half a cell's height apart is still one row."""
    half = median(cells[position].height for position in members) / 2
    row: list[int] = []
    for position in sorted(members, key=lambda member: (-cells[member].y, cells[member].x)):
        if row and cells[row[0]].y - cells[position].y > half:
            yield from _eastward(cells, row)
            row = []
        row.append(position)
    yield from _eastward(cells, row)


def _eastward(cells: Sequence[Cell], row: Iterable[int]) -> list[int]:
    return sorted(row, key=lambda member: (cells[member].x, -cells[member].y))

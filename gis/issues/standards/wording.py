"""Limits as cities write them: "2紧急工作时", "5工作日", "4小时"; what is not plainly a number and a unit is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction

from gis.errors import Invalid
from gis.issues.worktime import URGENT_DAY, URGENT_HOUR, WORK_DAY, WORK_HOUR, Limit

UNITS: Mapping[str, str] = {
    "紧急工作时": URGENT_HOUR, "紧急工作小时": URGENT_HOUR, "uh": URGENT_HOUR,
    "工作时": WORK_HOUR, "工作小时": WORK_HOUR, "wh": WORK_HOUR,
    "工作日": WORK_DAY, "wd": WORK_DAY,
    "紧急工作日": URGENT_DAY, "自然日": URGENT_DAY, "ud": URGENT_DAY,
}  # fmt: skip
# Hours and days without a word about which: a table is read by the one or the other, and the reader is told.
WORKING, CLOCK = "working", "clock"
PLAIN: Mapping[str, Mapping[str, str]] = {
    WORKING: {"小时": WORK_HOUR, "h": WORK_HOUR, "天": WORK_DAY, "d": WORK_DAY},
    CLOCK: {"小时": URGENT_HOUR, "h": URGENT_HOUR, "天": URGENT_DAY, "d": URGENT_DAY},
}
SAID = re.compile(r"(?P<value>\d{1,4}(?:\.\d{1,3})?)\s*个?\s*(?P<unit>[^\d\s]+)")


def parse(said: str, plain: str = WORKING) -> Limit:
    """Read a limit; raise Invalid that says why it is none. plain: how to read bare hours and days."""
    found = SAID.fullmatch(_tidy(said))
    unit = found and {**UNITS, **PLAIN[plain]}.get(found["unit"].lower())
    if not _tidy(said):
        raise Invalid("limits.blank")
    if found is None or unit is None:
        raise Invalid("limits.not_a_limit", said=said.strip())
    if not Fraction(found["value"]):
        raise Invalid("limits.nothing", said=said.strip())
    return Limit(Fraction(found["value"]), unit)


def is_plain(said: str) -> bool:
    """Say whether a limit that can be read leaves open which hours or days it means."""
    found = SAID.fullmatch(_tidy(said))
    return found is not None and found["unit"].lower() in PLAIN[WORKING]


def _tidy(said: str) -> str:
    return unicodedata.normalize("NFKC", said).strip()

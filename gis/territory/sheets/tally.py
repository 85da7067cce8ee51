"""How many rows found what: counts that add up, of a batch, a part or a whole file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gis.territory import columns
from gis.territory.columns import BITS, NONE, Columns
from gis.territory.location import OUTSIDE, UNLOCATED

Json = dict[str, Any]


@dataclass(frozen=True)
class Tally:
    """Counts of rows. no_edition_n: known places on a day for which no boundaries answer; flags, reasons: by name."""

    rows_n: int = 0
    no_edition_n: int = 0
    flags: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def located_n(self) -> int:
        """Rows that stand on a unit."""
        return self.rows_n - self.outside_n - self.unlocated_n - self.no_edition_n

    @property
    def outside_n(self) -> int:
        """Rows on no unit of any net."""
        return self.flags.get(OUTSIDE, 0)

    @property
    def unlocated_n(self) -> int:
        """Rows that could not be read."""
        return self.flags.get(UNLOCATED, 0)

    def __add__(self, other: Tally) -> Tally:
        """Add counts up."""
        return Tally(
            self.rows_n + other.rows_n,
            self.no_edition_n + other.no_edition_n,
            Counter(self.flags) + Counter(other.flags),
            Counter(self.reasons) + Counter(other.reasons),
        )

    def as_dict(self) -> Json:
        """Render for JSON; `of_dict` reads it."""
        return {
            "rows_n": self.rows_n,
            "no_edition_n": self.no_edition_n,
            "flags": dict(self.flags),
            "reasons": dict(self.reasons),
        }


def of_dict(told: Mapping[str, Any]) -> Tally:
    """Read what `as_dict` wrote."""
    return Tally(**told)


def of_columns(found: Columns) -> Tally:
    """Count a batch."""
    unanswered = found.reason == 0
    for net in found.nets:
        unanswered &= net.edition == NONE
    combined = list(enumerate(np.bincount(found.flags).tolist()))
    flags = {flag: sum(count for bits, count in combined if bits & bit) for flag, bit in BITS.items()}
    counts = np.bincount(found.reason, minlength=len(columns.REASONS)).tolist()
    reasons = dict(list(zip(columns.REASONS, counts, strict=True))[1:])
    return Tally(len(found), int(unanswered.sum()), _some(flags), _some(reasons))


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}

"""Powers handed down with dates (赋权): a row of a responsibility list says who gave them, how long, by what. Pure.

A row whose power is given counts on its days alone; before and after, the rows that ask less hold again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gis.errors import Invalid

COLUMNS = ("delegated_by", "document", "valid_from", "valid_to")


@dataclass(frozen=True)
class Delegation:
    """Who gave a power, a kind of department; by which document; dates half-open, None: until it is taken back."""

    by: str
    document: str
    valid_from: date
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Say whether the power is given on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def meets(self, other: Delegation) -> bool:
        """Say whether there is a day on which both hold."""
        day = max(self.valid_from, other.valid_from)
        return self.holds_on(day) and other.holds_on(day)

    def as_row(self) -> dict[str, Any]:
        """Render it as columns."""
        return dict(zip(COLUMNS, (self.by, self.document, self.valid_from, self.valid_to), strict=True))


@dataclass(frozen=True)
class Hop:
    """A row by which a power goes from one kind of department to others."""

    row: int
    power: tuple[str, str]
    delegation: Delegation
    to: tuple[str, ...]


def parse(number: int, said: Mapping[str, str], kind: str) -> Delegation:
    """Read what a row says of its power; kind: of who gave it. Raise Invalid."""
    given = dict(said) | {"delegated_by": kind}
    if missing := [name for name in COLUMNS[:3] if not given.get(name)]:
        raise Invalid("duties.half_a_delegation", row=number, columns=", ".join(missing))
    start, end = (_day(number, said.get(name, "")) for name in COLUMNS[2:])
    if start is None or (end is not None and end <= start):
        raise Invalid("duties.delegation_dates", row=number, said=f"{start} – {end}")
    return Delegation(kind, said["document"], start, end)


def circles(hops: Sequence[Hop]) -> Iterator[Invalid]:
    """Tell each row whose power comes back to who gave it, with the way it goes round."""
    for hop in hops:
        way = _way_back(hop, hops, (hop,))
        # The circle is told once, at the last of its rows.
        if way and hop.row == max(each.row for each in way):
            kinds = " → ".join((*(each.delegation.by for each in way), hop.delegation.by))
            yield Invalid("duties.circle", row=hop.row, category=hop.power[1], way=kinds)


def _way_back(first: Hop, hops: Sequence[Hop], way: tuple[Hop, ...]) -> tuple[Hop, ...]:
    last = way[-1]
    if first.delegation.by in last.to:
        return way
    onward = [
        hop
        for hop in hops
        if hop not in way and hop.power == first.power and hop.delegation.by in last.to
        and all(hop.delegation.meets(each.delegation) for each in way)
    ]  # fmt: skip
    return next((found for hop in onward if (found := _way_back(first, hops, (*way, hop)))), ())


def _day(number: int, said: str) -> date | None:
    try:
        return date.fromisoformat(said[:10]) if said else None
    except ValueError:
        raise Invalid("duties.delegation_dates", row=number, said=said) from None

"""The parts of an address, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """Where the place lies beside what was named: bearing from north, clockwise; None where the words do not say."""

    words: str
    bearing_deg: float | None = None
    distance_m: float | None = None


@dataclass(frozen=True)
class Address:
    """What an address text says. Names stay as written; numbers, buildings, units and rooms are in Arabic digits.

    `roads` and `estates` keep the order of the text; `names` are words that name something without saying what.
    `crossing` holds the two roads that meet. `home` is where the reporter lives, which is no place of anything.
    """

    text: str
    province: str | None = None
    city: str | None = None
    district: str | None = None
    town: str | None = None
    community: str | None = None
    group: str | None = None
    roads: tuple[str, ...] = ()
    lane: str | None = None
    number: str | None = None
    estates: tuple[str, ...] = ()
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    names: tuple[str, ...] = ()
    crossing: tuple[str, str] | None = None
    relation: Relation | None = None
    home: Address | None = None

    @property
    def road(self) -> str | None:
        """The first road named."""
        return self.roads[0] if self.roads else None

    @property
    def estate(self) -> str | None:
        """The first estate named."""
        return self.estates[0] if self.estates else None

    @property
    def empty(self) -> bool:
        """Whether the text names no place at all."""
        return not any((self.roads, self.estates, self.names, self.number, self.community, self.town, self.district))

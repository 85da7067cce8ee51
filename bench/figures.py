"""Figures with their targets: a row is (what, measured, target, reached).

Reached is None where a time missed its goal: machines differ, so a time is reported and fails nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

Row = tuple[str, object, object, bool | None]


def at_most(what: str, value: float, limit: float) -> Row:
    """Give a figure that must not be larger."""
    return what, value, f"<= {limit:g}", value <= limit


def timed(what: str, value: float, goal: float) -> Row:
    """Give a time and the goal it has on the machine it was set for."""
    return what, value, f"<= {goal:g}", value <= goal or None


def at_least(what: str, value: float, limit: float) -> Row:
    """Give a figure that must not be smaller."""
    return what, value, f">= {limit:g}", value >= limit


def equal(what: str, value: object, wanted: object) -> Row:
    """Give a figure that must be just this."""
    return what, value, wanted, value == wanted


def all_of(what: str, part: int, whole: int) -> Row:
    """Give a count that must be complete."""
    return what, f"{part} of {whole}", "all", part == whole


def ratio(what: str, ratios: Sequence[float], goal: float | None) -> Row:
    """Give how many times faster, round by round, and the goal of the median; like a time it fails nothing."""
    middle = statistics.median(ratios)
    spread = f"{middle:.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    return what, spread, "-" if goal is None else f">= {goal:g}", goal is None or middle >= goal or None


def told(what: str, value: object) -> Row:
    """Give a figure without a target."""
    return what, value, "-", True

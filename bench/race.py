"""Several ways to the same answer, in turns: so whatever else the machine does disturbs them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Row, ratio

ROUNDS = 3
# The time of this process alone, all its threads together: where no server does the work.
processor = time.process_time


@dataclass
class Way:
    """A way to ask, how many it is asked, and what each round took and answered."""

    ask: Callable[[], Any]
    asked_n: int
    clock: Callable[[], float] = time.perf_counter
    seconds: list[float] = field(default_factory=list)
    answer: Any = None

    def run(self) -> None:
        """Ask once and note the time."""
        start = self.clock()
        self.answer = self.ask()
        self.seconds.append(self.clock() - start)

    @property
    def rates(self) -> list[float]:
        """Answers a second, round by round."""
        return [self.asked_n / seconds for seconds in self.seconds]


def run(ways: Mapping[str, Way]) -> None:
    """Let one after the other run, several times."""
    for _ in range(ROUNDS):
        for way in ways.values():
            way.run()


def ratios(ways: Mapping[str, Way], goals: Mapping[str, float]) -> Iterator[Row]:
    """Tell how many times faster ours is than each other way."""
    for name, way in list(ways.items())[1:]:
        found = [mine / theirs for mine, theirs in zip(ways["ours"].rates, way.rates, strict=True)]
        yield ratio(f"times faster than {name}", found, goals.get(name))


def spread(values: list[float], form: str = "{:,.0f}") -> str:
    """Write the middle of some values, and the least and the most."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{form} ({form} to {form})".format(middle, low, high)

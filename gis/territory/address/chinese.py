"""Chinese address text cut into pieces: numbered parts by their pattern, names by the cheapest reading.

A name's end is told by its suffix; its beginning is not marked, so each reading has a cost (see `costs`) and the
cheapest cut of a stretch is taken. A city's own names, when given, cost next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gis.territory.address import costs, numbered
from gis.territory.address.names import Names

LONGEST_NAME = 16


@dataclass(frozen=True)
class Piece:
    """A part of an address text: its kind, its words and where they begin and end."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Stretch:
    """Words without numbers: where they stand, the city's names, how deep the address already is, the part after."""

    text: str
    start: int
    end: int
    names: Names
    rank: int
    after: str | None


# The cheapest way to come to a place: its cost, where its last piece begins and of what kind, the depth reached.
_Way = tuple[float, int, str, int]


def pieces(text: str, names: Names) -> list[Piece]:
    """Return the pieces of a normalised text, left to right; marks are left out."""
    found: list[Piece] = []
    for kind, start, end in numbered.stretches(text):
        if kind == "name":
            rank = max((costs.RANK.get(piece.kind, 0) for piece in found), default=0)
            found += _named(_Stretch(text, start, end, names, rank, numbered.kind_at(text, end)))
        else:
            found.append(Piece(kind, text[start:end], start, end))
    return found


def _named(said: _Stretch) -> list[Piece]:
    """Cut a stretch the cheapest way."""
    ways: list[_Way] = [(0.0, said.start, "", said.rank)]
    for stop in range(said.start + 1, said.end + 1):
        ways.append(min(_ways(said, stop, ways)))
    found = []
    end = said.end
    while end > said.start:
        _, begin, kind, _ = ways[end - said.start]
        found.append(Piece(kind, said.text[begin:end], begin, end))
        end = begin
    return found[::-1]


def _ways(said: _Stretch, stop: int, ways: list[_Way]) -> Iterator[_Way]:
    """Yield every way to come to `stop` by one more piece."""
    for begin in range(max(said.start, stop - LONGEST_NAME), stop):
        cost, _, before, rank = ways[begin - said.start]
        for kind, own in _readings(said, begin, stop):
            total = cost + own + _turn(kind, before, rank)
            if stop == said.end:
                total += _before(kind, said.after)
            yield total, begin, kind, max(rank, costs.RANK.get(kind, 0))


def _readings(said: _Stretch, begin: int, stop: int) -> Iterator[tuple[str, float]]:
    """Yield each kind the words from `begin` to `stop` may be, with its cost."""
    word, following = said.text[begin:stop], said.text[stop : stop + 1]
    yield "name", costs.unnamed(word) + _swallowed(word, said)
    if word in said.names:
        kind, cost = said.names[word]
        yield kind, costs.known(kind, cost, following)
    if word in costs.fixed():
        yield costs.fixed()[word]
    for kind, cost in costs.ended(word, following):
        yield kind, cost + _swallowed(word, said, 1 if kind == "estate" else 2)


def _turn(kind: str, before: str, rank: int) -> float:
    """Return the cost of reading `kind` after what came before."""
    cost = costs.STEP_BACK if costs.RANK.get(kind, 9) < min(rank, costs.RANK["street"]) else 0.0
    if kind == "district" and rank == costs.RANK["district"]:
        cost += costs.AGAIN
    if (kind == "crossing" and before != "street") or (kind == "join" and before not in ("street", "estate", "name")):
        cost += costs.OUT_OF_PLACE
    return cost


def _before(kind: str, after: str | None) -> float:
    """Return the cost of reading `kind` right before the numbered part that follows the stretch."""
    if after == "number" and kind == "street":
        return -0.8
    return -1.0 if after in ("building", "unit") and kind in ("name", "estate") else 0.0


def _swallowed(word: str, said: _Stretch, left: int = 1) -> float:
    """Return the cost of a name that begins with a division's and goes on, where no town has been named yet."""
    if said.rank > costs.RANK["district"]:
        return 0.0
    for size in (4, 3, 2):
        known = said.names.get(word[:size]) or costs.fixed().get(word[:size])
        if known and known[0] == "province":
            return _swallowed(word[size:], said, left)
        if known and known[0] in costs.SWALLOW and len(word) - size > left:
            return costs.SWALLOW[known[0]]
    return 0.0

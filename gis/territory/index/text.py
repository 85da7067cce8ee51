"""Words of many units in one piece of memory, read one by one when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from gis.territory.index.shapes import Text

# The database keeps no such character, so no word is taken for it.
NOTHING = "\0"


def packed(words: Iterable[str | None]) -> Text:
    """Put words together; None is kept as such."""
    written = [(NOTHING if word is None else word).encode() for word in words]
    start = np.zeros(len(written) + 1, dtype=np.int64)
    np.cumsum([len(word) for word in written], out=start[1:])
    return Text(start, np.frombuffer(b"".join(written), dtype=np.uint8))


def word(text: Text, row: int) -> str | None:
    """Read one word."""
    read = text.letters[text.start[row] : text.start[row + 1]].tobytes().decode()
    return None if read == NOTHING else read


def words(text: Text) -> list[str | None]:
    """Read all words."""
    letters, start = text.letters.tobytes(), text.start.tolist()
    pieces = (letters[begin:end].decode() for begin, end in pairwise(start))
    return [None if read == NOTHING else read for read in pieces]

"""Where records of tables and features of collections end, byte by byte, in compiled code."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gis.territory.index.compiled import compiled

Bytes = npt.NDArray[np.uint8]

QUOTE, NEW_LINE, BACKSLASH = ord('"'), ord("\n"), ord("\\")
OPENING, CLOSING = (ord("{"), ord("[")), (ord("}"), ord("]"))
# Of a table: at the beginning of a cell, in a plain cell, in a quoted one, behind a quote in a quoted one.
AT_CELL, IN_PLAIN, IN_QUOTED, AT_QUOTE = range(4)


@compiled
def records_end(data: Bytes, delimiter: int) -> tuple[int, int]:
    """Return where the last whole record of a table ends, 0 if none does, and the state at the end of the data."""
    state, last = AT_CELL, 0
    for at in range(len(data)):
        byte = data[at]
        if state == IN_QUOTED:
            if byte == QUOTE:
                state = AT_QUOTE
        elif byte == QUOTE and state != IN_PLAIN:
            # Behind a quote: the quote was doubled, and the cell goes on.
            state = IN_QUOTED
        elif byte == NEW_LINE:
            state, last = AT_CELL, at + 1
        elif byte == delimiter:
            state = AT_CELL
        else:
            state = IN_PLAIN
    return last, state


@compiled
def features_end(data: Bytes) -> tuple[int, bool]:
    """Return where the last whole feature ends, 0 if none does, and whether the list of features ends behind it."""
    depth, last, at = 0, 0, 0
    while at < len(data):
        byte = data[at]
        if byte == QUOTE:
            at = text_end(data, at + 1)
        elif byte in OPENING:
            depth += 1
        elif byte in CLOSING:
            if depth == 0:
                return last, True
            depth -= 1
            last = last if depth else at + 1
        at += 1
    return last, False


@compiled
def text_end(data: Bytes, at: int) -> int:
    """Return where a JSON text ends that was entered, or the end of the data."""
    while at < len(data) and data[at] != QUOTE:
        at += 2 if data[at] == BACKSLASH else 1
    return at

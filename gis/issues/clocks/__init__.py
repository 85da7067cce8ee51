"""The clocks of issues: by which limit each runs, when it is due, and everything that happened to it."""

from gis.issues.clocks.book import Book, key_of, read, read_for
from gis.issues.clocks.naming import choices, name, placed
from gis.issues.clocks.record import (
    Due,
    Kept,
    extend,
    first_due,
    history,
    of_issue,
    resume,
    scan,
    set_anew,
    start,
    stop,
    suspend,
)
from gis.issues.clocks.saying import sentences
from gis.issues.clocks.values import NAMES, Clock, Reason

__all__ = [
    "NAMES",
    "Book",
    "Clock",
    "Due",
    "Kept",
    "Reason",
    "choices",
    "extend",
    "first_due",
    "history",
    "key_of",
    "name",
    "of_issue",
    "placed",
    "read",
    "read_for",
    "resume",
    "scan",
    "sentences",
    "set_anew",
    "start",
    "stop",
    "suspend",
]

"""Call-backs (回访): who waits to be called, what to ask, and answers by a link without a call."""

from gis.issues.call_backs.links import Answer, Bearer, Link, answer, find, make
from gis.issues.call_backs.script import Line, lines
from gis.issues.call_backs.waiting import Waiting, get, reveal, waiting, waiting_n

__all__ = [
    "Answer",
    "Bearer",
    "Line",
    "Link",
    "Waiting",
    "answer",
    "find",
    "get",
    "lines",
    "make",
    "reveal",
    "waiting",
    "waiting_n",
]

"""Pages of long lists, found by where the last one ended: fifty of a million, whatever is asked for.

PostgreSQL thinks that row-level security lets one row in a hundred through, and so mistakes which way is short. Here
the way is chosen by looking. The first GLANCE_ROWS of the order often hold a page. If not, what the filters leave is
fetched through their indexes and put in order, if it is no more than PROBE_ROWS. If it is more, a page comes up soon in
walking the order's own index. Where it falls down: many matches of which none is near the list's beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.db import Scope
from gis.errors import Invalid
from gis.issues import listing
from gis.issues.listing import Filters
from gis.issues.moves import CLOSED, ENDS, EVALUATED, SELF_HANDLED

Json = dict[str, Any]

GLANCE_ROWS, PROBE_ROWS = 3000, 5000
# So much is worth fetching where it lies far from the list's beginning.
FAR_ROWS = 50_000
PLACE = re.compile(r"([<>])([0-9T:.+-]{0,40}),([0-9]{1,18})")
# What has a time of closing, or may: states change only by moves, and a reopened issue loses it.
WERE_CLOSED = frozenset({CLOSED, EVALUATED, SELF_HANDLED})


@dataclass(frozen=True)
class Order:
    """An order of a list: by a time, then by the number. What has no such time comes last."""

    column: str
    falling: bool
    always: bool = False


ORDERS = {
    "reported": Order("reported_at", falling=True, always=True),
    "oldest": Order("reported_at", falling=False, always=True),
    "due": Order("due_at", falling=False),
    "closed": Order("closed_at", falling=True),
}


@dataclass(frozen=True)
class Place:
    """Between which rows a page begins: behind a row of this time (None: one without) and number, or before it."""

    at: datetime | None
    number: int
    back: bool = False

    def __str__(self) -> str:
        """Write it for an address."""
        return f"{'<' if self.back else '>'}{self.at.isoformat() if self.at else ''},{self.number}"


@dataclass(frozen=True)
class Page:
    """A page: the issues by number, how many there are in all (None: more than PROBE_ROWS), the places beside it."""

    ids: tuple[int, ...]
    total: int | None
    earlier: Place | None = None
    later: Place | None = None


@dataclass(frozen=True)
class Asked:
    """What a page is taken of. unstruck: only what was closed and not yet struck off."""

    filters: Filters
    order: str = "reported"
    place: Place | None = None
    unstruck: bool = False


@dataclass(frozen=True)
class Question:
    """A page as the database is asked for it."""

    session: Session
    where: str
    said: Json
    order: Order
    place: Place | None
    limit: int

    @property
    def back(self) -> bool:
        """Say whether the page before a row is asked for."""
        return self.place is not None and self.place.back

    @property
    def way(self) -> str:
        """The direction the list is read in."""
        return "DESC" if self.order.falling != self.back else "ASC"

    @property
    def values(self) -> Json:
        """What is bound."""
        place = {"place_at": self.place.at, "place_number": self.place.number} if self.place else {}
        return self.said | place


@dataclass(frozen=True)
class Probe:
    """A page of what the filters leave, how many that are (None: too many), and how many of those seen have a time."""

    found: list[Row[Any]]
    total: int | None
    timed: int


def parse_place(said: str) -> Place | None:
    """Read a place from an address; raise Invalid."""
    if not said:
        return None
    found = PLACE.fullmatch(said)
    try:
        at = datetime.fromisoformat(found[2]) if found and found[2] else None
    except ValueError:
        found = at = None
    if found is None or (at is not None and at.tzinfo is None):
        raise Invalid("paging.bad_place", value=said[:60])
    return Place(at, int(found[3]), found[1] == "<")


def page(session: Session, asked: Asked, *, rows: int = listing.PAGE_ROWS) -> Page:
    """Find one page of what may be seen."""
    where, values = _where(session, asked)
    question = Question(session, where, values, ORDERS[asked.order], asked.place, rows + 1)
    found, total = _looked(question, asked)
    return _paged(question, found, total)


def codes(session: Session, asked: Asked, most: int) -> list[int]:
    """List the first issues, for what wants them all at once: at most so many."""
    return list(page(session, replace(asked, place=None), rows=most).ids)


def total(session: Session, asked: Asked) -> int:
    """Count all of it, however long that takes."""
    where, values = _where(session, asked)
    return session.execute(text(f"SELECT count(*) FROM issue WHERE {where}"), values).scalar_one()


def _where(session: Session, asked: Asked) -> tuple[str, Json]:
    """Write what is asked, and once more what may be seen: the policy's own words find no index."""
    where, values = listing.condition(asked.filters)
    parts = [where] if where != "true" else []
    if asked.unstruck:
        parts.append("issue.state = ANY(:were_closed) AND NOT issue.marks @> '{struck}'")
        values |= {"were_closed": sorted(WERE_CLOSED)}
    scope: Scope = session.info["scope"]
    if not scope.all:
        values |= {"my_units": scope.ground.split(), "my_department": [scope.department], "me": scope.username}
        own = "issue.departments && CAST(:my_department AS text[])" if scope.department else ""
        patch = "issue.ground && CAST(:my_units AS text[])" if scope.units else ""
        parts.append(f"({' OR '.join(each for each in (own, patch, 'issue.created_by = :me') if each)})")
    return " AND ".join(parts) or "true", values


def _probe(question: Question, most: int, part: str = "true") -> Probe:
    """Fetch what the filters leave through their indexes, no more than so many, and put it in order."""
    order, way = question.order, question.way
    behind = _behind(question, "hit.at", "hit.id")
    nulls = "FIRST" if question.back else "LAST"
    sql = f"""
    WITH hit AS MATERIALIZED (
        SELECT issue.id, issue.{order.column} AS at FROM issue WHERE {question.where} AND {part} LIMIT {most + 1})
    SELECT counted.n, counted.timed, shown.id, shown.at
    FROM (SELECT count(*) AS n, count(hit.at) AS timed FROM hit) AS counted
    LEFT JOIN (SELECT * FROM hit WHERE {behind} ORDER BY hit.at {way} NULLS {nulls}, hit.id {way}
               LIMIT {question.limit}) AS shown ON true
    ORDER BY shown.at {way} NULLS {nulls}, shown.id {way}
    """
    with _steered(question.session, "enable_seqscan"):
        found = question.session.execute(text(sql), question.values).all()
    first = found[0]
    return Probe([row for row in found if row.id is not None], first.n if first.n <= most else None, first.timed)


def _behind(question: Question, at: str, number: str) -> str:
    """Write what lies behind the place, where what has no time comes last."""
    place = question.place
    if place is None:
        return "true"
    sign = "<" if question.way == "DESC" else ">"
    if place.at is None:
        return f"{at} IS NULL AND {number} {sign} :place_number" + (f" OR {at} IS NOT NULL" if place.back else "")
    return f"({at}, {number}) {sign} (:place_at, :place_number)" + ("" if place.back else f" OR {at} IS NULL")


def _paged(question: Question, found: list[Row[Any]], total: int | None) -> Page:
    def place(row: Row[Any], *, back: bool) -> Place:
        return Place(row.at, row.id, back)

    more, shown = len(found) == question.limit, found[: question.limit - 1]
    if question.back:
        shown.reverse()
    has_earlier = more if question.back else question.place is not None
    has_later = True if question.back else more
    return Page(
        tuple(row.id for row in shown),
        total,
        place(shown[0], back=True) if shown and has_earlier else None,
        place(shown[-1], back=False) if shown and has_later else None,
    )


def _looked(question: Question, asked: Asked) -> tuple[list[Row[Any]], int | None]:
    """Glance, probe, walk; return a page and one row more, and how many there are in all if that is known."""
    parts = _parts(question, asked)
    # Who sees little would glance at all there is.
    if question.session.info["scope"].all and len(found := _walk(question, parts[0], GLANCE_ROWS)) == question.limit:
        return found, None
    probe = _probe(question, FAR_ROWS if _is_far(asked) else PROBE_ROWS)
    if probe.total is not None:
        return probe.found, probe.total
    found = []
    for timed in parts:
        rest = replace(question, limit=question.limit - len(found))
        found += _part(rest, timed=timed, few=probe.timed < question.limit) if rest.limit else []
    return found, None


def _parts(question: Question, asked: Asked) -> tuple[bool, ...]:
    """Name the parts of the list in the order they are read: what has the time of its order, what has none."""
    if question.order.always:
        return (True,)
    if _has_none(asked):
        return (False,)
    return (False, True) if question.back else (True, False)


def _part(question: Question, *, timed: bool, few: bool) -> list[Row[Any]]:
    """Find one part of a long list; few: what has a time seems to be little of it."""
    if timed and few and not question.order.always:
        probe = _probe(question, PROBE_ROWS, f"issue.{question.order.column} IS NOT NULL")
        if probe.total is not None:
            return probe.found
    return _walk(question, timed)


def _is_far(asked: Asked) -> bool:
    """Say whether a list begins far from what is asked for: what was reported of old is done, what is open is new."""
    states = asked.filters.states
    if asked.order == "oldest":
        return bool(states) and not ENDS & set(states) and replace(asked.filters, states=()) != Filters()
    return asked.filters.until is not None and not ORDERS[asked.order].always


def _has_none(asked: Asked) -> bool:
    """Say whether nothing asked for can have the time of its order: then there is nothing to walk along."""
    states = frozenset(asked.filters.states)
    if asked.order == "closed":
        return bool(states) and not states & WERE_CLOSED
    return asked.order == "due" and (asked.unstruck or (bool(states) and states <= ENDS))


def _walk(question: Question, timed: bool, most: int | None = None) -> list[Row[Any]]:
    """Read along the order's index until a page is full; most: of so many rows at its beginning."""
    order, way = question.order, question.way
    column = f"issue.{order.column}"
    part = "true" if order.always else f"{column} IS {'NOT ' if timed else ''}NULL"
    by = f"{column} {way}, issue.id {way}" if timed else f"issue.id {way}"
    part = f"{part} AND {_beyond(question, column, timed=timed)}"
    source = f"(SELECT * FROM issue WHERE {part} ORDER BY {by} LIMIT {most}) AS issue" if most else "issue"
    sql = f"""
    SELECT issue.id, {column} AS at FROM {source} WHERE {question.where} AND {part} ORDER BY {by} LIMIT {question.limit}
    """
    with _steered(question.session, "enable_bitmapscan", "enable_sort", "enable_seqscan"):
        return list(question.session.execute(text(sql), question.values))


def _beyond(question: Question, column: str, *, timed: bool) -> str:
    """Write what of one part of the list lies behind the place, as an index can go to it."""
    place, sign = question.place, "<" if question.way == "DESC" else ">"
    if place is None or (place.at is None) == timed:
        return "true" if place is None or timed == place.back else "false"
    return f"({column}, issue.id) {sign} (:place_at, :place_number)" if timed else f"issue.id {sign} :place_number"


@contextmanager
def _steered(session: Session, *off: str) -> Iterator[None]:
    """Take ways from the planner for one question. Compiling a plan, or calling workers, would take longer than it."""
    before = _set(session, dict.fromkeys((*off, "jit"), "off") | {"max_parallel_workers_per_gather": "0"})
    yield
    _set(session, before)


def _set(session: Session, told: dict[str, str]) -> dict[str, str]:
    """Set what is told, for the rest of the transaction; return how it was."""
    found = session.execute(_SET, {"names": list(told), "values": list(told.values())})
    return {row.name: row.was for row in found}


_SET = text("""
WITH was AS MATERIALIZED (
    SELECT name, value, current_setting(name) AS was
    FROM unnest(CAST(:names AS text[]), CAST(:values AS text[])) AS told (name, value))
SELECT name, was FROM was WHERE set_config(name, value, true) IS NOT NULL
""")

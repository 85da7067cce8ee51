"""Who is told of a move, and of an issue that was filed: events with the departments they concern."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gis.issues import answer_links
from gis.issues.consequences import Outcome
from gis.issues.guards import DEADLOCK
from gis.issues.matter import Matter, Said
from gis.issues.messages import outbox
from gis.issues.messages.channels import ANSWER_LINK
from gis.issues.messages.outbox import Tiding
from gis.issues.moves import CLOSED, ENDS, LEAD, Move


@dataclass(frozen=True)
class Told:
    """A move that was written. after: the departments called now."""

    matter: Matter
    move: Move
    said: Said
    outcome: Outcome
    after: Sequence[str]

    @property
    def leads(self) -> tuple[str, ...]:
        """Who leads."""
        return tuple(each.department for each in self.matter.standings if each.role == LEAD)

    @property
    def at_work(self) -> tuple[str, ...]:
        """Who has not yet done its part."""
        return tuple(each.department for each in self.matter.standings if not each.is_done)

    def stepped(self, step: str) -> set[str]:
        """List the departments for which this move wrote a step."""
        return {department for department, each in self.outcome.steps if each == step}


def follow(told: Told) -> None:
    """Queue what a move has to tell."""
    about = told.matter
    stem = f"{about.row.code}:{about.row.version + 1}"
    params = {"code": about.row.code, "move": f"move.{told.move.name}", "state": f"state.{told.outcome.to}"}
    params |= {"version": about.row.version + 1}
    tidings = [
        Tiding(event, stem, tuple(sorted(departments)), about.id, params) for event, departments in _events(told)
    ]
    outbox.put(about.session, tidings, about.settings, told.said.now)


def called(issue_id: int, code: str, departments: Collection[str], with_: str = "0") -> Tiding:
    """Say that an issue was dispatched with its filing, or with its placing. with_: tells the two apart."""
    params = {"code": code, "move": "move.dispatch", "state": "state.dispatched"}
    return Tiding("called", f"{code}:{with_}", tuple(sorted(departments)), issue_id, params)


def _events(told: Told) -> Iterator[tuple[str, Collection[str]]]:
    before, after = set(told.matter.row.departments), set(told.after)
    yield from _where(("called", (after - before) | (told.stepped("called") & after)), ("released", before - after))
    yield from _where(("reworked", told.stepped("failed")))
    name, to = told.move.name, told.outcome.to
    if name in _OF_MOVES:
        event, concerned = _OF_MOVES[name]
        yield event, getattr(told, concerned) if concerned else ()
    if DEADLOCK in told.outcome.put:
        yield "deadlock", ()
    if to == CLOSED and told.matter.state not in ENDS:
        yield "closed", ()
        yield ANSWER_LINK if _link_is_sent(told) else "call_back", ()


def _link_is_sent(told: Told) -> bool:
    """Keep a link for who reported, if the city sends them: it is then told instead of the call."""
    about = told.matter
    if not (about.row.can_be_called and answer_links.are_sent(about.settings)):
        return False
    return answer_links.keep(about.session, about.row.code, about.row.version + 1, about.settings, told.said.now)


def _where(*events: tuple[str, set[str]]) -> Iterator[tuple[str, set[str]]]:
    return ((event, departments) for event, departments in events if departments)


# What a move tells whatever follows from it, and whom of the departments it concerns.
_OF_MOVES = {
    "return": ("returned", ""),
    "refuse": ("returned", ""),
    "not_admitted": ("returned", ""),
    "urge": ("urged", "at_work"),
    "supervise": ("supervised", "at_work"),
    "ask_suspension": ("asked", ""),
    "ask_extension": ("asked", ""),
    "ask_forced_close": ("asked", ""),
    "grant": ("answered", "leads"),
    "decline": ("answered", "leads"),
}

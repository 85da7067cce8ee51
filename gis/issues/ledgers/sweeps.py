"""One move on many issues: looked at first, then made one by one, each whole and with its outcome, and taken back.

What is looked at is the move itself, made and taken back within the transaction: a preview cannot say what the move
would not. What is carried out remembers the version that was looked at; whoever moved an issue meanwhile is told of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2.extras import Json as AsJson
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound, Problems, ShaotuError, Word
from gis.issues import moves, workflow
from gis.issues.ledgers.tables import Sweep, SweepIssue
from gis.issues.matter import Actor, Said
from gis.issues.moves import SEATS, Move
from gis.issues.workflow import Loop

Json = dict[str, Any]

ISSUES_MOST = 200
# What takes a move back without rewriting anything: another move of the table.
UNDONE_BY: Mapping[str, str] = {"strike": "unstrike", "unstrike": "strike"}
# What a person says once for all issues; a photo or a position is of one.
KINDS = frozenset({"text", "date", "choice", "department", "departments"})


@dataclass(frozen=True)
class Wish:
    """A move for many issues. issues: code -> version as it was seen; None: whatever it is."""

    move: str
    issues: Mapping[str, int | None]
    fields: Mapping[str, Any]
    undoes: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What would come, or came, of the move for one issue: its states, or the reason why not."""

    issue: str
    moved: bool
    code: str
    params: Json
    version: int | None = None

    def error(self) -> ShaotuError:
        """Give the sentence's code with its parameters, codes among them as words."""
        words = {name: Word(value[1:]) if str(value).startswith("~") else value for name, value in self.params.items()}
        return ShaotuError(self.code, **words)


def choices(session: Session, loop: Loop, actor: Actor) -> list[Move]:
    """List the moves somebody may make on many issues at once: each name once, for the seats they hold."""
    seats = SEATS.get(actor.role, frozenset({actor.role}))
    if actor.department:
        seats |= {moves.LEAD, moves.ASSIST}
    every = loop.rules(session).moves
    able = [move for move in every if move.who & seats and all(need.kind in KINDS for need in _required(move))]
    return list({move.name: move for move in reversed(able)}.values())[::-1]


def preview(session: Session, wish: Wish, said: Said, loop: Loop) -> list[Outcome]:
    """Say for each issue what the move would do or why it is refused; nothing is kept of it."""
    _check(session, wish, loop)
    return [_tried(session, code, wish, said, loop) for code in wish.issues]


def begin(session: Session, wish: Wish, said: Said, loop: Loop) -> int:
    """Keep what was chosen; return the sweep's number. Nothing is moved yet."""
    _check(session, wish, loop)
    if wish.undoes is not None:
        _check_undone(session, wish.undoes)
    sweep = Sweep(
        move=wish.move, fields=dict(wish.fields), by=said.by.username, at=said.now, undoes=wish.undoes
    )  # fmt: skip
    session.add(sweep)
    session.flush()
    seen: dict[str, int] = {row.code: row.version for row in session.execute(_SEEN, {"codes": list(wish.issues)})}
    for nth, (code, version) in enumerate(wish.issues.items()):
        known = seen.get(code, 0) if version is None else version
        session.add(SweepIssue(sweep_id=sweep.id, nth=nth, code=code, version=known))
    session.flush()
    return sweep.id


def waiting(session: Session, sweep_id: int) -> list[int]:
    """List what of a sweep has no outcome yet: all at first, the rest after a break."""
    get(session, sweep_id)
    return list(session.scalars(_WAITING, {"id": sweep_id}))


def carry_out(session: Session, sweep_id: int, nth: int, said: Said, loop: Loop) -> Outcome:
    """Make one move of a sweep and write its outcome with it; the caller commits, so both are there or neither."""
    sweep = get(session, sweep_id)
    # Two that carry out the same sweep at once do not both move an issue.
    session.execute(text("SELECT pg_advisory_xact_lock(:room, :id)"), {"room": LOCK, "id": sweep_id})
    chosen = session.execute(_CHOSEN, {"id": sweep_id, "nth": nth}).one_or_none()
    if chosen is None:
        raise Conflict("sweep.done_already", id=sweep_id)
    with_version = Said(said.by, said.now, sweep.fields, version=chosen.version)
    outcome = _made(session, chosen.code, sweep.move, with_version, loop)
    session.execute(_OUTCOME, _kept(sweep_id, nth, outcome, said))
    return outcome


def get(session: Session, sweep_id: int) -> Row[Any]:
    """Return a sweep of the asker's own; raise NotFound."""
    found = session.execute(_SWEEP, {"id": sweep_id}).one_or_none()
    if found is None:
        raise NotFound("sweep.unknown", id=sweep_id)
    return found


def outcomes(session: Session, sweep_id: int) -> list[Outcome]:
    """List how the issues of a sweep came out, in their order."""
    rows = session.execute(_OUTCOMES, {"id": sweep_id})
    return [Outcome(row.issue, row.moved, row.code, row.params, row.version) for row in rows]


def undoing(session: Session, sweep_id: int, fields: Mapping[str, Any]) -> Wish:
    """Say what would take a sweep back: the opposite move on what it moved; raise Conflict where there is none."""
    sweep = get(session, sweep_id)
    opposite = UNDONE_BY.get(sweep.move)
    if opposite is None:
        raise Conflict("sweep.no_way_back", move=Word(f"move.{sweep.move}"))
    moved = {each.issue: each.version for each in outcomes(session, sweep_id) if each.moved}
    if not moved:
        raise Conflict("sweep.nothing_moved", id=sweep_id)
    return Wish(opposite, moved, fields, undoes=sweep_id)


def _required(move: Move) -> list[moves.Need]:
    return [need for need in move.needs if need.required]


def _check(session: Session, wish: Wish, loop: Loop) -> None:
    if not 0 < len(wish.issues) <= ISSUES_MOST:
        raise Invalid("sweep.how_many", n=len(wish.issues), most=ISSUES_MOST)
    known = moves.names(loop.rules(session).moves)
    if wish.move not in known:
        raise Invalid("workflow.unknown_move", move=wish.move, moves=", ".join(known))


def _check_undone(session: Session, sweep_id: int) -> None:
    if session.scalar(text("SELECT 1 FROM sweep WHERE undoes = :id"), {"id": sweep_id}):
        raise Conflict("sweep.undone_already", id=sweep_id)


def _tried(session: Session, code: str, wish: Wish, said: Said, loop: Loop) -> Outcome:
    told = Said(said.by, said.now, wish.fields, version=wish.issues[code])
    with session.begin_nested() as tried:
        outcome = _made(session, code, wish.move, told, loop)
        tried.rollback()
    return outcome


def _made(session: Session, code: str, move: str, said: Said, loop: Loop) -> Outcome:
    """Make a move, or say why it is refused; a refusal leaves nothing behind."""
    try:
        with session.begin_nested():
            moved = workflow.advance(session, code, move, said, loop)
    except ShaotuError as error:
        first = error.problems[0] if isinstance(error, Problems) else error
        return Outcome(code, moved=False, code=first.code, params=_plain(first.params))
    states = {"from": f"~state.{moved.from_state}", "to": f"~state.{moved.to_state}"}
    said_as = "sweep.moves" if moved.from_state != moved.to_state else "sweep.steps"
    return Outcome(code, True, said_as, states | {"move": f"~move.{move}"}, moved.version)


def _plain(params: Mapping[str, object]) -> Json:
    """Write a sentence's parameters as JSON; a tilde marks those that are codes themselves."""
    return {name: f"~{value}" if isinstance(value, Word) else str(value) for name, value in params.items()}


def _kept(sweep_id: int, nth: int, outcome: Outcome, said: Said) -> Json:
    return {
        "id": sweep_id, "nth": nth, "moved": outcome.moved, "version": outcome.version, "code": outcome.code,
        "params": AsJson(outcome.params), "at": said.now,
    }  # fmt: skip


LOCK = 0x5AA7
_SEEN = text("SELECT code, version FROM issue WHERE code = ANY(:codes)")
_SWEEP = text("SELECT id, move, fields, by, at, undoes FROM sweep WHERE id = :id")
_WAITING = text("""
SELECT nth FROM sweep_issue AS chosen WHERE sweep_id = :id
AND NOT EXISTS (SELECT FROM sweep_outcome WHERE (sweep_id, nth) = (chosen.sweep_id, chosen.nth)) ORDER BY nth
""")
_CHOSEN = text("""
SELECT code, version FROM sweep_issue AS chosen WHERE sweep_id = :id AND nth = :nth
AND NOT EXISTS (SELECT FROM sweep_outcome WHERE (sweep_id, nth) = (chosen.sweep_id, chosen.nth))
""")
_OUTCOME = text("""
INSERT INTO sweep_outcome (sweep_id, nth, moved, version, code, params, at)
VALUES (:id, :nth, :moved, :version, :code, :params, :at)
""")
_OUTCOMES = text("""
SELECT chosen.code AS issue, outcome.moved, outcome.version, outcome.code, outcome.params
FROM sweep_outcome AS outcome JOIN sweep_issue AS chosen USING (sweep_id, nth)
WHERE sweep_id = :id ORDER BY nth
""")

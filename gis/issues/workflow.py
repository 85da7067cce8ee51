"""The only writer of an issue's state: one lock, one look at the table, one line appended, one row changed.

All of a move is in the caller's transaction: it is there whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg2.extras import Json as AsJson
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, Forbidden, Invalid, ShaotuError, Word
from gis.issues import asides, consequences, journal, matter, moves, rules, telling, timing, whistle_acts
from gis.issues.consequences import Outcome
from gis.issues.jurisdiction import Decision
from gis.issues.matter import Actor, Matter, Said
from gis.issues.moves import CLOSED, COLLECTED, DISPATCHED, FILED, SUSPENDED, SYSTEM, TO_LOCATE, Move
from gis.issues.telling import Told
from gis.settings import Settings

# A phone's clock may be a little ahead of ours.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Moved:
    """A move that was made."""

    issue_id: int
    code: str
    version: int
    from_state: str
    to_state: str


@dataclass(frozen=True)
class Loop:
    """The settings of an installation, and by them the table it goes by."""

    settings: Settings

    def rules(self, session: Session) -> rules.Book:
        """Return the table as the city's own rules changed it, and its words."""
        return rules.current(session, self.settings.workflow_rules)

    def look(self, session: Session, code: str, now: datetime, *, hold: bool = False) -> Matter:
        """Read an issue for a move."""
        today = now.astimezone(ZoneInfo(self.settings.time_zone)).date()
        return matter.get(session, code, self.settings, today, hold=hold)


def advance(session: Session, issue_code: str, move: str, said: Said, loop: Loop) -> Moved:
    """Move an issue.

    Raise NotFound for an issue the mover does not see, Conflict if it has moved on or its state does not allow the
    move, Forbidden if the move is not this person's, Invalid for what is missing or said wrongly.
    """
    about = loop.look(session, issue_code, said.now, hold=True)
    _check_version(about, said)
    chosen = _choose(about, move, said.by, loop.rules(session).moves)
    said = _read(about, chosen, said)
    for guard in chosen.guards:
        whistle_acts.GUARDS[guard](about, said)
    outcome = whistle_acts.of(about, chosen, said)
    return _write(about, chosen, said, outcome)


def possible(about: Matter, actor: Actor, now: datetime, loop: Loop) -> list[Move]:
    """List the moves somebody may make now; what depends on what they will say is asked when they say it."""
    relations = about.relations(actor)
    stage = about.stage_of(actor)
    found = [move for move in loop.rules(about.session).moves if _fits(move, about, relations, stage)]
    said = Said(actor, now)
    return [move for move in found if not any(_stands_in_the_way(guard, about, said) for guard in move.guards)]


def first_state(*, located: bool, decision: Decision, verify: bool, settings: Settings) -> str:
    """Say in which state a report begins: to be verified, to be located, filed, or dispatched at once."""
    return COLLECTED if verify else consequences.filed_state(decision, located=located, settings=settings)


def placed_state(state: str, *, decision: Decision, settings: Settings) -> str:
    """Say in which state an issue is once a person has put it on the ground; raise Conflict where that comes too late.

    The departments called by the new decision begin anew; who stays a party keeps what it did.
    """
    if state == COLLECTED:
        return COLLECTED
    if state in {TO_LOCATE, FILED, DISPATCHED, moves.HANDLING, moves.RETURNED}:
        return consequences.filed_state(decision, located=True, settings=settings)
    raise Conflict("workflow.too_late_to_place", state=Word(f"state.{state}"))


def uncalled(session: Session) -> Sequence[str]:
    """List what was closed and nobody can be called about, by the issues' codes."""
    return session.scalars(_UNCALLED, {"state": CLOSED}).all()


def leave_uncalled(session: Session, code: str, now: datetime, loop: Loop) -> Moved:
    """Settle an issue that nobody can be called about."""
    return advance(session, code, "leave_uncalled", Said(Actor(SYSTEM, SYSTEM), now), loop)


def suspended_until(session: Session, now: datetime, loop: Loop) -> Sequence[str]:
    """List the suspended issues whose day has come, by their codes."""
    today = now.astimezone(ZoneInfo(loop.settings.time_zone)).date()
    return session.scalars(_SUSPENDED, {"state": SUSPENDED, "today": today.isoformat()}).all()


def resume(session: Session, code: str, now: datetime, loop: Loop) -> Moved:
    """Take up a suspended issue because its day has come."""
    return advance(session, code, "resume", Said(Actor(SYSTEM, SYSTEM), now), loop)


def _check_version(about: Matter, said: Said) -> None:
    """Refuse a move that was decided on an older picture, and tell what happened since.

    What another department did in its own part, with the issue staying where it is, changes nobody else's picture: two
    departments at work at once are not in each other's way.
    """
    if said.version is None or said.version == about.row.version:
        return
    if said.version > about.row.version:
        raise Invalid("workflow.no_such_version", version=said.version, now=about.row.version)
    since = [move for move in about.past if move.version > said.version and not _is_aside(move, said.by)]
    if not since:
        return
    last = since[-1]
    raise Conflict(
        "workflow.moved_on",
        move=Word(f"move.{last.name}"), by=last.actor, at=last.at.isoformat(timespec="minutes"),
        state=Word(f"state.{about.state}"), count=len(since), version=about.row.version,
    )  # fmt: skip


def _is_aside(move: Row[Any], actor: Actor) -> bool:
    elsewhere = bool(move.department) and move.department != actor.department
    return move.from_state == move.to_state and (elsewhere or move.actor == SYSTEM)


def _choose(about: Matter, name: str, actor: Actor, table: Sequence[Move]) -> Move:
    """Find the line of the table that fits, or say why none does."""
    named = [move for move in table if move.name == name]
    if not named:
        raise Invalid("workflow.unknown_move", move=name, moves=", ".join(moves.names(table)))
    relations, stage = about.relations(actor), about.stage_of(actor)
    for move in named:
        if _fits(move, about, relations, stage):
            return move
    word = Word(f"move.{name}")
    if not any(move.who & relations for move in named):
        raise Forbidden("workflow.not_yours", move=word, role=Word(f"page.role.{actor.role}"))
    if stage and any(about.state in move.of and move.who & relations for move in named):
        raise Conflict("workflow.not_at_this_stage", move=word, stage=Word(f"stage.{stage}"))
    raise Conflict("workflow.impossible", move=word, state=Word(f"state.{about.state}"))


def _fits(move: Move, about: Matter, relations: frozenset[str], stage: str | None) -> bool:
    return about.state in move.of and bool(move.who & relations) and (not move.stages or stage in move.stages)


def _stands_in_the_way(guard: str, about: Matter, said: Said) -> bool:
    if guard in ASKED_LATER:
        return False
    try:
        whistle_acts.GUARDS[guard](about, said)
    except ShaotuError:
        return True
    return False


# They look at what is said with the move.
ASKED_LATER = frozenset({"another_issue", "somebody_leads", "within_a_year"})


def _read(about: Matter, move: Move, said: Said) -> Said:
    if said.at > said.now + AHEAD:
        raise Invalid("workflow.said_in_the_future", said_at=said.at.isoformat(), now=said.now.isoformat())
    return replace(said, fields=moves.read(move, said.fields), said_at=_said_at(about, said))


def _said_at(about: Matter, said: Said) -> datetime:
    """Believe when a phone says that it was said, as far as that can be: else it counts as it came in.

    It cannot be from before its department was called, whistled for, or did its last step; and no line is out for ever.
    """
    if said.said_at is None:
        return said.now
    earliest = said.now - timedelta(hours=about.settings.offline_hours)
    if own := about.standing_of(said.by):
        steps = own.called_at, own.signed_at, own.arrived_at, own.fed_back_at, own.inspected_at
        calls = (each.called_at for each in about.whistles if own.department in each.departments)
        earliest = max(earliest, *(at for at in (*steps, *calls) if at))
    return min(said.at, said.now) if said.at >= earliest else said.now


def _write(about: Matter, move: Move, said: Said, outcome: Outcome) -> Moved:
    version = about.row.version + 1
    done = Moved(about.id, about.row.code, version, about.state, outcome.to)
    session = about.session
    steps = {"departments": [each for each, _ in outcome.steps], "steps": [step for _, step in outcome.steps]}
    row: Row[Any] = _WRITE.run(session, _line(done, move, said) | _present(done, outcome) | steps).one()
    consequences.record(about, outcome, said, version)
    timing.follow(about, move, said, outcome)
    params: dict[str, Any] = {"move": f"move.{move.name}", "version": version}
    if done.from_state != done.to_state:
        params |= {"from": f"state.{done.from_state}", "to": f"state.{done.to_state}"}
    if said.by.department:
        params |= {"department": said.by.department}
    if left := sorted(set(about.row.departments) - set(row.departments)):
        params |= {"left": left}
    if move.name in asides.MOVES:
        params |= asides.bound(session, about.id)
    kind = "moved" if "to" in params else "stepped"
    entry = journal.Line(kind, about.id, params, tuple(about.row.ground))
    journal.append(session, entry, by=said.by.username, now=said.now)
    telling.follow(Told(about, move, said, outcome, row.departments))
    return done


def _line(done: Moved, move: Move, said: Said) -> dict[str, Any]:
    return {
        "issue_id": done.issue_id, "version": done.version, "name": move.name, "from_state": done.from_state,
        "to_state": done.to_state, "actor": said.by.username, "role": said.by.role, "department": said.by.department,
        "at": said.now, "said_at": said.at, "fields": AsJson(dict(said.fields)),
    }  # fmt: skip


def _present(done: Moved, outcome: Outcome) -> dict[str, Any]:
    return {
        "issue_id": done.issue_id, "version": done.version, "state": done.to_state,
        "put": sorted(outcome.put), "taken": sorted(outcome.taken),
        "closes": "closed_at" in outcome.sets, "closed_at": outcome.sets.get("closed_at"),
        "merged_into": outcome.sets.get("merged_into"),
    }  # fmt: skip


# One statement for the line, the steps of the parties and the row: a move is nothing but round trips.
_WRITE = db.Prepared("""
WITH moved AS (
    INSERT INTO move (issue_id, version, name, from_state, to_state, actor, role, department, at, said_at, fields)
    VALUES (:issue_id, :version, :name, :from_state, :to_state, :actor, :role, :department, :at, :said_at, :fields)
), stepped AS (
    INSERT INTO party_step (issue_id, version, department, step, by, at, said_at, fields)
    SELECT :issue_id, :version, who, step, :actor, :at, :said_at, :fields
    FROM unnest(CAST(:departments AS text[]), CAST(:steps AS text[])) WITH ORDINALITY AS taken (who, step, nth)
    ORDER BY nth
)
UPDATE issue SET state = :state, version = :version,
       marks = ARRAY(SELECT DISTINCT mark FROM unnest(marks || CAST(:put AS text[])) AS mark
                     WHERE mark <> ALL(CAST(:taken AS text[])) ORDER BY mark),
       closed_at = CASE WHEN CAST(:closes AS boolean) THEN CAST(:closed_at AS timestamptz) ELSE closed_at END,
       merged_into = coalesce(CAST(:merged_into AS bigint), merged_into)
WHERE id = :issue_id RETURNING departments
""")
_UNCALLED = text("""
SELECT code FROM issue WHERE state = :state AND coalesce(reporter ->> 'phone', '') = '' ORDER BY id
""")
# The day it was suspended to stands in the request that was granted.
_SUSPENDED = text("""
SELECT issue.code FROM issue
CROSS JOIN LATERAL (
    SELECT fields ->> 'until' AS until FROM move
    WHERE move.issue_id = issue.id AND move.name = 'ask_suspension' ORDER BY version DESC LIMIT 1
) AS asked
WHERE issue.state = :state AND asked.until <= :today ORDER BY issue.id
""")

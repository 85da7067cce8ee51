"""Laws of the loop on any path: nothing is half done, nobody closes what they handled, of two at once one is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, Forbidden, ShaotuError
from gis.issues import journal, moves, workflow
from gis.issues.matter import Actor, Said
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, INSPECTOR, LAW, LEADER, LOOP, NOW, OPERATOR, SW, ZF, Way

ACTORS = (
    CG, SW, ZF, CLERK, DISPATCHER, CHIEF, INSPECTOR, LEADER, OPERATOR, Actor("mole", "inspector", "cg"),
    Actor("mole", "shift_leader", "sw"), Actor(CG.username, "shift_leader"),
)  # fmt: skip
FIELDS = {
    "reason": "理由", "ground_of_law": "依据", "done": "好了", "document": "1号", "lead": "sw", "note": "说明",
    "until": "2026-09-01", "solved": "yes", "satisfied": "no", "photo_before": "a", "photo_after": "b",
    "outcome": "no_answer", "reply": "答复",
    "position": {"lon": 120.5, "lat": 30.2},
}  # fmt: skip
NAMES = tuple(name for name in moves.names(moves.MOVES) if name != "merge")


def fields_of(name: str) -> dict[str, object]:
    needs = {need.name for move in moves.MOVES if move.name == name for need in move.needs}
    return {field: value for field, value in FIELDS.items() if field in needs}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(ACTORS)), max_size=25), straddling=st.booleans())
def test_on_any_path_the_record_and_the_issue_agree_and_no_handler_closes(
    session: Session, path: list[tuple[str, Actor]], *, straddling: bool
) -> None:
    savepoint = session.begin_nested()
    looped.people(session)
    way = looped.across(session) if straddling else looped.plain(session)
    for name, actor in path:
        tried = session.begin_nested()
        try:
            way.make(name, actor, fields_of(name))
        except ShaotuError:
            tried.rollback()
    made = session.execute(text("SELECT * FROM move WHERE issue_id = :id ORDER BY version"), {"id": way.issue_id}).all()
    states = ["dispatched", *(move.to_state for move in made)]
    assert [move.version for move in made] == list(range(1, way.version + 1))
    assert [move.from_state for move in made] == states[:-1]
    assert way.state == states[-1]
    handlers = {m.actor for m in made if m.name in {"sign", "feed_back"}} | {m.department for m in made if m.department}
    ended = [m for m in made if m.to_state in {"inspected", "closed"} and m.from_state != m.to_state]
    assert not {m.actor for m in ended} & handlers
    assert not {m.department for m in ended if m.department} & (handlers | {"cg", "sw", "zf"})
    savepoint.rollback()


@pytest.fixture
def way(clean_db: Engine) -> Iterator[Way]:
    """Commit an issue, for several connections at once."""
    with db.session(clean_db, db.EVERYTHING) as session:
        looped.people(session)
        made = looped.plain(session)
        session.commit()
        yield made


def test_of_two_who_move_at_once_one_is_told_what_the_other_did(clean_db: Engine, way: Way) -> None:
    together, told = threading.Barrier(2), []

    def move(name: str) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            together.wait()
            try:
                said = Said(CG, NOW, LAW if name == "return" else {}, version=0)
                workflow.advance(session, way.code, name, said, LOOP)
                session.commit()
                told.append("done")
            except Conflict as refused:
                told.append(refused.code)

    threads = [threading.Thread(target=move, args=(name,)) for name in ("sign", "return")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "workflow.moved_on"]


STATEMENTS = range(1, 16)


@pytest.mark.parametrize("nth", STATEMENTS)
def test_a_move_that_breaks_off_at_any_statement_leaves_nothing(clean_db: Engine, way: Way, nth: int) -> None:
    """End the connection before the nth statement of a move, as a killed process would."""
    before = record(clean_db)
    with db.session(clean_db, db.EVERYTHING) as session:
        connection, count = session.connection(), 0

        def kill(*_said: object) -> None:
            nonlocal count
            count += 1
            if count == nth:
                connection.connection.dbapi_connection.close()  # type: ignore[union-attr]

        event.listen(connection, "before_cursor_execute", kill)
        try:
            workflow.advance(session, way.code, "return", Said(CG, NOW, LAW), LOOP)
        except Exception:  # noqa: BLE001 -- whatever a lost connection raises
            session.invalidate()
        else:
            session.rollback()
    assert record(clean_db) == before


def record(engine: Engine) -> list[object]:
    """Read everything a move writes."""
    tables = ("move", "party_step", "entry", "unsealed", "handoff", "clock", "decision", "party")
    with db.session(engine, db.EVERYTHING) as session:
        counted = [session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]
        return [*counted, *session.execute(text("SELECT state, version, marks, departments FROM issue")).one()]


def test_every_move_is_in_the_stream_once(clean_db: Engine, way: Way) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        for nth, (name, actor) in enumerate((("sign", CG), ("feed_back", CG), ("pass", INSPECTOR), ("close", CHIEF))):
            said = Said(actor, NOW + timedelta(minutes=nth), fields_of(name) if name == "feed_back" else {})
            workflow.advance(session, way.code, name, said, LOOP)
            session.commit()
        journal.seal(session)
        told = [sealed.line.params["move"] for sealed in journal.after(session, 0, 10)]
    assert told == ["move.sign", "move.feed_back", "move.pass", "move.close"]


@pytest.mark.usefixtures("way")
class TestDatabase:
    """What the database itself lets a department do."""

    SEEN = db.Scope(department="sw", username="sw", role="department")

    def test_a_department_cannot_touch_an_issue_it_is_not_called_to(self, clean_db: Engine) -> None:
        with db.session(clean_db, self.SEEN) as session:
            touched = session.execute(text("UPDATE issue SET state = 'closed' RETURNING id")).all()
        assert touched == []

    @pytest.mark.parametrize("table", ["issue", "move", "party_step", "party", "decision", "entry", "handoff", "clock"])
    def test_it_reads_nothing_of_it(self, clean_db: Engine, way: Way, table: str) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            workflow.advance(session, way.code, "sign", Said(CG, NOW), LOOP)
            session.commit()
        with db.session(clean_db, self.SEEN) as session:
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0

    @pytest.mark.parametrize("table", ["move", "party_step", "handoff"])
    def test_nobody_rewrites_the_record(self, clean_db: Engine, table: str) -> None:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET issue_id = 1"):
            with (
                db.session(clean_db, db.EVERYTHING) as session,
                pytest.raises(ProgrammingError, match="permission denied"),
            ):
                session.execute(text(statement))

    def test_a_stranger_moves_nothing(self, clean_db: Engine, way: Way) -> None:
        with db.session(clean_db, db.EVERYTHING) as session, pytest.raises(Forbidden):
            workflow.advance(session, way.code, "sign", Said(Actor("eve", "planner"), NOW), LOOP)

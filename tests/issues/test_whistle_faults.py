"""Whistles when things go wrong: two at once, a process that dies at any statement, phones without a line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from gis import db
from gis.errors import Conflict, ShaotuError
from gis.issues import workflow
from gis.issues.matter import Actor, Said
from tests.issues import called
from tests.issues.called import CALLER, CITY_CENTRE, WEST_CENTRE, WHY, whistle
from tests.issues.looped import LOOP, Way

ITEM = {"item": "W99"}
TABLES = ("move", "party_step", "entry", "unsealed", "decision", "party", "whistle", "escalation", "errand", "clock")
MOVES = {
    "accept_whistle": (WEST_CENTRE, ITEM),
    "escalate_whistle": (WEST_CENTRE, WHY),
    "return_whistle": (WEST_CENTRE, WHY),
    "make_safe": (CALLER, WHY),
}


@pytest.fixture
def way(clean_db: Engine) -> Iterator[Way]:
    """Commit an issue with a whistle that waits."""
    with db.session(clean_db, db.EVERYTHING) as session:
        called.town_of_callers(session)
        made = called.plain(session)
        made.make("blow", CALLER, whistle("cg", "mz-west"))
        session.commit()
        yield made


def record(engine: Engine) -> list[object]:
    """Read everything a whistle's move writes."""
    with db.session(engine, db.EVERYTHING) as session:
        counted: list[object] = [session.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES]
        counted += session.execute(text("SELECT state, version, marks, departments FROM issue")).one()
        return [*counted, *session.execute(text("SELECT state, held_by, called_version FROM whistle")).one()]


@pytest.mark.parametrize("move", MOVES)
def test_a_whistles_move_that_breaks_off_at_any_statement_leaves_nothing(
    clean_db: Engine, way: Way, move: str
) -> None:
    """End the connection before each statement of a move in turn, as a killed process would, until none is left."""
    before, nth = record(clean_db), 0
    while broken(clean_db, way, move, nth):
        assert record(clean_db) == before, nth
        nth += 1
    assert nth > 8


def broken(engine: Engine, way: Way, move: str, nth: int) -> bool:
    """Make a move whose connection ends before its nth statement; say whether there was one."""
    by, fields = MOVES[move]
    with db.session(engine, db.EVERYTHING) as session:
        connection, count = session.connection(), 0

        def kill(*_said: object) -> None:
            nonlocal count
            if count == nth:
                connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
            count += 1

        event.listen(connection, "before_cursor_execute", kill)
        try:
            workflow.advance(session, way.code, move, Said(by, way.now + timedelta(minutes=1), fields), LOOP)
        except Exception:  # noqa: BLE001 -- whatever a lost connection raises
            session.invalidate()
            return True
        session.rollback()
    return False


def test_of_two_centres_that_answer_at_once_one_is_told(clean_db: Engine, way: Way) -> None:
    together, told = threading.Barrier(2), []

    def answer(by: Actor, move: str, fields: dict[str, str]) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            together.wait()
            try:
                workflow.advance(session, way.code, move, Said(by, way.now, fields, version=1), LOOP)
                session.commit()
                told.append("done")
            except ShaotuError as refused:
                told.append(refused.code)

    both = ((WEST_CENTRE, "accept_whistle", ITEM), (CITY_CENTRE, "return_whistle", WHY))
    threads = [threading.Thread(target=answer, args=each) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "workflow.moved_on"]


def test_without_a_version_the_second_is_told_that_it_is_answered(way: Way) -> None:
    way.make("accept_whistle", WEST_CENTRE, ITEM)
    with pytest.raises(Conflict, match="not_waiting"):
        way.make("return_whistle", CITY_CENTRE, WHY)


def test_two_that_blow_at_once_for_two_units_get_two_numbers(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        called.town_of_callers(session)
        way = called.across(session)
        session.commit()
    together = threading.Barrier(2)

    def blow(by: Actor) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            together.wait()
            workflow.advance(session, way.code, "blow", Said(by, way.now, whistle("cg")), LOOP)
            session.commit()

    threads = [threading.Thread(target=blow, args=(by,)) for by in (CALLER, called.EAST_CALLER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.session(clean_db, db.EVERYTHING) as session:
        assert session.scalars(text("SELECT number FROM whistle ORDER BY number")).all() == [1, 2]


def test_what_another_department_or_the_system_did_aside_is_in_nobodys_way(way: Way) -> None:
    way.after(("accept_whistle", WEST_CENTRE, ITEM))
    seen = way.version
    way.after(("report_in", Actor("at mz-west", "department", "mz-west"), called.REPORT))
    way.make("escalate_whistle", Actor("system", "system"), {"reason": "x"})
    way.make("report_in", Actor("at cg", "department", "cg"), called.REPORT, version=seen)
    assert way.state == "handling"

"""The journal: numbers follow commits, so that no reader ever passes by an entry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gis import db
from gis.issues import journal

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)


@contextmanager
def opened(engine: Engine) -> Iterator[Session]:
    with db.session(engine, db.EVERYTHING) as session:
        yield session


def write(session: Session, kind: str) -> None:
    journal.append(session, journal.Line(kind, ground=("admin:city:1",)), by="li", now=NOW)


def sealed(engine: Engine) -> int:
    with opened(engine) as session:
        count = journal.seal(session)
        session.commit()
    return count


def read(engine: Engine, after: int = 0) -> list[tuple[int, str]]:
    with opened(engine) as session:
        return [(entry.seq, entry.line.kind) for entry in journal.after(session, after, 1000)]


def test_entries_are_numbered_from_one_in_the_order_they_were_written(clean_db: Engine) -> None:
    with opened(clean_db) as session:
        write(session, "first")
        write(session, "second")
        session.commit()
    sealed(clean_db)
    assert read(clean_db) == [(1, "first"), (2, "second")]


def test_an_entry_says_who_when_and_on_which_ground(clean_db: Engine) -> None:
    with opened(clean_db) as session:
        journal.append(session, journal.Line("filed", None, {"a": 1}, ("x:y:1", "x:y:2")), by="li", now=NOW)
        journal.seal(session)
        [entry] = journal.after(session, 0, 10)
    assert entry == journal.Sealed(1, journal.Line("filed", None, {"a": 1}, ("x:y:1", "x:y:2")), "li", NOW)


def test_what_is_not_committed_gets_no_number(clean_db: Engine) -> None:
    with opened(clean_db) as writing:
        write(writing, "open")
        assert sealed(clean_db) == 0
        writing.rollback()
    assert sealed(clean_db) == 0


def test_an_entry_written_early_and_committed_late_comes_behind_what_was_already_read(clean_db: Engine) -> None:
    with opened(clean_db) as early, opened(clean_db) as late:
        write(early, "written first")
        write(late, "written second")
        late.commit()
        sealed(clean_db)
        assert read(clean_db) == [(1, "written second")]
        early.commit()
        sealed(clean_db)
    assert read(clean_db, after=1) == [(2, "written first")]


def test_an_entry_that_was_taken_back_leaves_no_hole_in_the_numbers(clean_db: Engine) -> None:
    with opened(clean_db) as session:
        write(session, "taken back")
        session.rollback()
        write(session, "stays")
        session.commit()
    sealed(clean_db)
    assert read(clean_db) == [(1, "stays")]


def test_a_second_sealer_waits_and_numbers_what_the_first_did_not_see(clean_db: Engine) -> None:
    with opened(clean_db) as first, opened(clean_db) as writer:
        journal.seal(first)
        write(writer, "late")
        writer.commit()
        counted: list[int] = []
        second = threading.Thread(target=lambda: counted.append(sealed(clean_db)))
        second.start()
        second.join(0.3)
        assert second.is_alive()
        first.commit()
        second.join(10)
    assert counted == [1]
    assert read(clean_db) == [(1, "late")]


def test_many_writers_and_several_sealers_number_every_entry_exactly_once(clean_db: Engine) -> None:
    def work(name: int) -> None:
        with opened(clean_db) as session:
            for nth in range(20):
                write(session, f"{name}.{nth}")
                session.rollback() if nth % 5 == 4 else session.commit()
                if nth % 3 == 0:
                    journal.seal(session)
                    session.commit()

    workers = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sealed(clean_db)
    entries = read(clean_db)
    assert [seq for seq, _ in entries] == list(range(1, 4 * 16 + 1))
    assert len({kind for _, kind in entries}) == 4 * 16


def test_entries_are_read_a_page_at_a_time(clean_db: Engine) -> None:
    with opened(clean_db) as session:
        journal.append_all(session, [journal.Line(str(nth)) for nth in range(5)], by="li", now=NOW)
        journal.seal(session)
        assert [entry.seq for entry in journal.after(session, 2, 2)] == [3, 4]


def test_the_head_is_the_last_number_given(clean_db: Engine) -> None:
    with opened(clean_db) as session:
        assert journal.head(session).seq == 0
        write(session, "one")
        journal.seal(session)
        assert journal.head(session).seq == 1


@pytest.mark.parametrize("change", ["UPDATE entry SET kind = 'other'", "DELETE FROM entry", "DELETE FROM seal"])
def test_the_application_may_not_change_the_journal(clean_db: Engine, change: str) -> None:
    with opened(clean_db) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(change))


def test_writing_nothing_wakes_nobody(clean_db: Engine) -> None:
    with opened(clean_db) as session:
        journal.append_all(session, [], by="li", now=NOW)
        assert session.scalar(text("SELECT count(*) FROM entry")) == 0

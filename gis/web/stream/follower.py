"""The one reader of the journal: a notification wakes it, the journal decides, and what it read goes to who listens."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import psycopg2
import structlog
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from psycopg2.extensions import connection as Connection  # noqa: N812 -- a class with a small letter
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gis import db
from gis.issues import journal, listing
from gis.web.stream import message
from gis.web.stream.message import Message

# How long the database may be silent before it is asked whether it is still there.
SILENT_S = 15.0
PAGE_EVENTS = 500
# Whoever is further behind than this is told to read the lists anew: that is cheaper than the story.
FAR_BEHIND = 1000
BACKOFF_S, BACKOFF_MOST_S = 0.5, 10.0
JOIN_S = 5.0
log = structlog.get_logger()


class Listener(Protocol):
    """Who is told what was read, in the order of the journal."""

    def begin(self, since: int, messages: list[Message]) -> None:
        """Take the last messages of the journal, complete behind the number `since`."""

    def hear(self, messages: list[Message]) -> None:
        """Take what is new."""

    def skip(self, seq: int) -> None:
        """Go on from a number: too much was written at once to be told."""

    def lose(self) -> None:
        """Learn that the journal is not heard any more, until it is found again."""

    def find(self) -> None:
        """Learn that the journal is heard."""


class Follower:
    """A thread that follows the journal and calls its listener in the listener's own thread."""

    def __init__(self, engine: Engine, listener: Listener, call: Callable[..., object]) -> None:
        self._engine, self._listener, self._call = engine, listener, call
        self._seq: int | None = None
        self._closed = threading.Event()
        # Written to at the end: the thread sleeps until the database or this calls.
        self._bell, self._rope = os.pipe()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        os.write(self._rope, b".")
        self._thread.join(JOIN_S)
        if not self._thread.is_alive():
            os.close(self._bell)
            os.close(self._rope)

    def _run(self) -> None:
        wait_s = BACKOFF_S
        while not self._closed.is_set():
            try:
                with _listening(self._engine) as connection:
                    while not self._closed.is_set():
                        self._catch_up()
                        self._call(self._listener.find)
                        wait_s = BACKOFF_S
                        self._wait(connection)
            except Exception as error:
                # Whatever it is: if this thread ended, every screen would stand still, and would say that it is live.
                if isinstance(error, SQLAlchemyError | psycopg2.Error):
                    log.warning("live stream lost the database", reason=str(error).strip(), retry_s=wait_s)
                else:
                    log.exception("live stream stumbled", retry_s=wait_s)
                self._call(self._listener.lose)
                self._closed.wait(wait_s)
                wait_s = min(2 * wait_s, BACKOFF_MOST_S)

    def _catch_up(self) -> None:
        """Seal what is committed, and hand out everything that was not."""
        newest = self._seal()
        if self._seq is None:
            since = max(0, newest - FAR_BEHIND)
            told = [each for page in self._pages(since) for each in page]
            self._call(self._listener.begin, since, told)
            self._seq = told[-1].seq if told else newest
        # A number that is behind ours is of a database that was put back from a copy.
        elif not 0 <= newest - self._seq <= FAR_BEHIND:
            self._call(self._listener.skip, newest)
            self._seq = newest
        for messages in self._pages(self._seq):
            self._call(self._listener.hear, messages)
            self._seq = messages[-1].seq

    def _seal(self) -> int:
        with db.session(self._engine, db.EVERYTHING) as session:
            while journal.seal(session) == journal.PAGE_ROWS:
                session.commit()
            session.commit()
            return journal.head(session).seq

    def _pages(self, after: int) -> Iterator[list[Message]]:
        while messages := self._read(after):
            yield messages
            after = messages[-1].seq

    def _read(self, after: int) -> list[Message]:
        with db.session(self._engine, db.EVERYTHING) as session:
            entries = journal.after(session, after, PAGE_EVENTS)
            seen = listing.seen(session, [entry.line.issue_id for entry in entries if entry.line.issue_id])
        return [message.of(entry, seen.get(entry.line.issue_id or 0)) for entry in entries]

    def _wait(self, connection: Connection) -> None:
        """Sleep until the database calls, or until it is to be asked whether it is still there."""
        # `select` knows no file above 1,024, and a connection that was opened anew has many lines below it.
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        waiting.register(self._bell, select.POLLIN)
        called = [file for file, _ in waiting.poll(SILENT_S * 1000)]
        if connection.fileno() in called:
            connection.poll()
            connection.notifies.clear()
        elif not called:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")


@contextlib.contextmanager
def _listening(engine: Engine) -> Iterator[Connection]:
    """Open a connection of its own, outside the pool, that hears the journal's channel."""
    opened = engine.raw_connection()
    connection = opened.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101 -- the engine speaks psycopg2
    opened.detach()
    try:
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {journal.CHANNEL}")
        yield connection
    finally:
        connection.close()

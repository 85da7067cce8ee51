"""The event stream: what is committed appears on every screen that may see it, by itself and exactly once.

One thread per process listens to the database, gives committed entries their numbers and hands them to the queues of
this process's clients. A notification only wakes it; the journal decides. A client names the last number it has seen
and gets everything behind it, so nothing is lost or doubled over a reconnect, a restart or a slow line.
"""

from __future__ import annotations

import contextlib
import json
import queue
import select
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from psycopg2 import InterfaceError, OperationalError
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from psycopg2.extensions import connection as Connection  # noqa: N812 -- a class with a small letter
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gis import db
from gis.db import Scope
from gis.errors import Invalid, TooMany
from gis.issues import journal, listing
from gis.settings import Settings
from gis.web import auth
from gis.web.serve import stopping

RETRY_MS = 2000
HEARTBEAT_S = 15.0
# Under a storm a screen is told at most ten times a second.
FLUSH_S = 0.1
# How long a stop may go unnoticed.
GLANCE_S = 0.5
QUEUE_EVENTS = 2000
PAGE_EVENTS = 500
# Whoever is further behind than this is told to read the lists anew: that is cheaper than the story.
FAR_BEHIND = 1000
BACKOFF_S, BACKOFF_MOST_S = 0.5, 10.0
# A stream ends after an hour and is opened again, so that a withdrawn right does not outlive it by more.
STREAM_S = 3600.0

blueprint = Blueprint("live", __name__)
log = structlog.get_logger()


@dataclass(frozen=True)
class Message:
    """An entry ready to send. shown: for who sees the issue now; gone: for who saw it before, and no more."""

    seq: int
    shown: str
    gone: str = ""
    ground: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    # Departments that were called before and are no more.
    dismissed: frozenset[str] = frozenset()
    created_by: str | None = None
    # Told to everybody: it names no issue.
    public: bool = False

    def to(self, scope: Scope) -> str | None:
        """Choose what somebody with this scope is told, None for nothing."""
        mine = scope.ground.split()
        filed_it = self.created_by is not None and self.created_by == scope.username
        called = scope.department in self.departments
        if self.public or scope.all or filed_it or called or not self.ground.isdisjoint(mine):
            return self.shown
        lost = scope.department in self.dismissed or not self.left.isdisjoint(mine)
        return self.gone if lost else None


@dataclass(eq=False)
class Client:
    """One open stream. since: the hub's position when it joined; everything behind it comes through the queue."""

    scope: Scope
    since: int
    queue: queue.Queue[Message] = field(default_factory=lambda: queue.Queue(QUEUE_EVENTS))
    dropped: bool = False


class Hub:
    """The one listener of a process, and its clients."""

    def __init__(self, engine: Engine, most_clients: int) -> None:
        self._engine = engine
        self._most = most_clients
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        self._thread: threading.Thread | None = None
        self._seq: int | None = None
        self._closed = threading.Event()

    def join(self, scope: Scope) -> Client:
        """Open a queue, and start listening with the first one; raise TooMany when every place is taken."""
        with self._lock:
            if len(self._clients) >= self._most:
                raise TooMany("live.full", most=self._most, retry_after_s=10)
            if self._thread is None:
                self._seq = self._catch_up(None)
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            client = Client(scope, self._seq or 0)
            self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """Close a queue."""
        with self._lock:
            self._clients.discard(client)

    def close(self) -> None:
        """End the listening and every stream."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * GLANCE_S)

    @property
    def closed(self) -> bool:
        """Say whether this hub, or the whole process, is to end."""
        return self._closed.is_set() or stopping.is_set()

    def read(self, after: int, until: int | None = None) -> list[Message]:
        """Read the next page of entries behind a number from the journal."""
        with db.session(self._engine, db.EVERYTHING) as session:
            entries = [e for e in journal.after(session, after, PAGE_EVENTS) if until is None or e.seq <= until]
            seen = listing.seen(session, [entry.line.issue_id for entry in entries if entry.line.issue_id])
        return [_message(entry, seen.get(entry.line.issue_id or 0)) for entry in entries]

    def _run(self) -> None:
        wait_s = BACKOFF_S
        while not self.closed:
            try:
                with _listening(self._engine) as connection:
                    wait_s = BACKOFF_S
                    self._follow(connection)
            except (SQLAlchemyError, OperationalError, InterfaceError) as error:
                log.warning("live stream lost the database", reason=str(error).strip(), retry_s=wait_s)
                self._closed.wait(wait_s)
                wait_s = min(2 * wait_s, BACKOFF_MOST_S)

    def _follow(self, connection: Connection) -> None:
        """Hand out what is new now, then whenever the database wakes us."""
        while not self.closed:
            self._seq = self._catch_up(self._seq)
            _wait(connection, self._closed)

    def _catch_up(self, seq: int | None) -> int:
        """Seal what is committed and hand out everything behind `seq`; return the new position."""
        with db.session(self._engine, db.EVERYTHING) as session:
            while journal.seal(session) == journal.PAGE_ROWS:
                session.commit()
            session.commit()
            newest = journal.head(session).seq
        if seq is None:
            return newest
        if newest - seq > FAR_BEHIND:
            with self._lock:
                self._hand_out([_reset(newest)])
                self._seq = newest
            return newest
        while messages := self.read(seq):
            with self._lock:
                self._hand_out(messages)
                self._seq = seq = messages[-1].seq
        return seq

    def _hand_out(self, messages: list[Message]) -> None:
        for client in list(self._clients):
            try:
                for message in messages:
                    client.queue.put_nowait(message)
            except queue.Full:
                # What is in its queue is still sent, in order; then it is told, and asks for the rest by its number.
                client.dropped = True
                self._clients.discard(client)


def setup(app: Flask) -> None:
    """Give the product its hub; it connects with its first client, so that a forked worker listens for itself."""
    settings: Settings = app.extensions["settings"]
    # A stream holds a thread for as long as it lasts: some are kept for everything else.
    app.extensions["live"] = Hub(app.extensions["engine"], settings.threads * 3 // 4)


@blueprint.get("/api/v1/live")
@auth.require()
def stream() -> ResponseReturnValue:
    """Stream the journal as Server-Sent Events, from Last-Event-ID or ?after= on."""
    hub: Hub = current_app.extensions["live"]
    after = _last_seen()
    client = hub.join(auth.current().scope)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(_events(hub, client, after), mimetype="text/event-stream", headers=headers)


def _last_seen() -> int | None:
    said = request.headers.get("Last-Event-ID") or request.args.get("after")
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise Invalid("live.bad_id", value=said)
    return int(said)


def _events(hub: Hub, client: Client, after: int | None) -> Iterator[str]:
    try:
        yield f"retry: {RETRY_MS}\n: welcome\n\n"
        yield from _missed(hub, client, after)
        yield from _live(hub, client)
    except SQLAlchemyError:
        # The answer has begun, so this is all that can be said; the client comes back with its number.
        yield _event("away", {})
    finally:
        hub.leave(client)


def _missed(hub: Hub, client: Client, after: int | None) -> Iterator[str]:
    """Send what lies between the client's last number and the place where its queue begins."""
    behind = 0 if after is None else client.since - after
    if after is None:
        yield f"id: {client.since}\n\n"
        return
    if behind < 0 or behind > FAR_BEHIND:
        yield _reset(client.since).shown
        return
    while after < client.since and (page := hub.read(after, client.since)):
        after = page[-1].seq
        yield _said(page, client.scope)


def _live(hub: Hub, client: Client) -> Iterator[str]:
    ends = time.monotonic() + STREAM_S
    spoke = time.monotonic()
    while not hub.closed and time.monotonic() < ends:
        messages = _drain(client, spoke)
        said = _said(messages, client.scope)
        if not said and time.monotonic() - spoke >= HEARTBEAT_S:
            said = _event("alive", {})
        if said:
            spoke = time.monotonic()
            yield said
        if client.dropped and client.queue.empty():
            yield _event("slow", {})
            return
    if hub.closed:
        yield _event("away", {})


def _drain(client: Client, spoke: float) -> list[Message]:
    """Take what is waiting; under a storm let it gather until the next flush is due."""
    try:
        messages = [client.queue.get(timeout=GLANCE_S)]
    except queue.Empty:
        return []
    time.sleep(max(0.0, spoke + FLUSH_S - time.monotonic()))
    with contextlib.suppress(queue.Empty):
        while True:
            messages.append(client.queue.get_nowait())
    return messages


def _said(messages: list[Message], scope: Scope) -> str:
    return "".join(told for message in messages if (told := message.to(scope)))


def _message(entry: journal.Sealed, issue: listing.Seen | None) -> Message:
    """Make ready what an entry tells; lines of the audit keep their number and tell screens nothing."""
    if entry.line.kind in journal.AUDIT:
        return Message(entry.seq, "")
    about = {"seq": entry.seq, "kind": entry.line.kind, "at": entry.at.isoformat()}
    feature = issue and json.loads(issue.feature)
    return Message(
        seq=entry.seq,
        shown=_event("change", about | {"feature": feature}, entry.seq),
        gone=_event("change", about | {"kind": "gone", "code": feature and feature["id"]}, entry.seq),
        ground=frozenset(issue.ground if issue else entry.line.ground),
        left=frozenset(entry.line.ground),
        departments=frozenset(issue.departments if issue else ()),
        dismissed=frozenset(entry.line.params.get("left", ())),
        created_by=issue.created_by if issue else None,
    )


def _reset(seq: int) -> Message:
    return Message(seq, _event("reset", {"seq": seq}, seq), public=True)


def _event(name: str, data: dict[str, object], seq: int | None = None) -> str:
    numbered = "" if seq is None else f"id: {seq}\n"
    return f"{numbered}event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


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


def _wait(connection: Connection, closed: threading.Event) -> None:
    """Sleep until the database calls, or long enough to ask whether it is still there."""
    ends = time.monotonic() + HEARTBEAT_S
    while not closed.is_set() and not stopping.is_set() and time.monotonic() < ends:
        if select.select([connection], [], [], GLANCE_S)[0]:
            connection.poll()
            connection.notifies.clear()
            return
    if not closed.is_set():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

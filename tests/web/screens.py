"""Screens that look on: clients of the event stream, and what they are told of."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.issues import journal
from gis.web.stream.door import Ticket
from gis.web.stream.process import InProcess
from tests.issues import filed

WEST, EAST = "admin:district:990101", "admin:district:990102"
LEADER = Scope(units=(("admin", "district", "990101"),), role="leader", username="li")
SOON_S = 20


@pytest.fixture
def stream(clean_db: Engine) -> Iterator[InProcess]:
    with db.session(clean_db, db.EVERYTHING) as session:
        filed.people(session)
        session.commit()
    made = InProcess(clean_db, most=8)
    yield made
    made.close()


class Screen:
    """A client that reads its line in a thread and keeps the events, as a browser does."""

    def __init__(self, stream: InProcess, scope: Scope = db.EVERYTHING, after: int | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.raw = ""
        self._changed = threading.Condition()
        self.line, theirs = socket.socketpair()
        with theirs:
            stream.hand_over(theirs, Ticket(scope, after))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        if after is None:
            self.said(lambda raw: "id: " in raw)

    def _read(self) -> None:
        rest = b""
        while data := self.line.recv(65536):
            *blocks, rest = (rest + data).split(b"\n\n")
            with self._changed:
                for block in blocks:
                    self.raw += block.decode() + "\n\n"
                    if event := parse(block.decode()):
                        self.events.append(event)
                self._changed.notify_all()

    def said(self, enough: Callable[[str], bool]) -> str:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.raw), timeout=SOON_S), self.raw
            return self.raw

    def wait(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.told), timeout=SOON_S), self.events
            return self.told

    @property
    def told(self) -> list[dict[str, Any]]:
        """What was told, without the heartbeat."""
        return [event for event in self.events if event["event"] != "alive"]

    def codes(self, count: int) -> list[str]:
        events = self.wait(lambda events: len(events) >= count)
        return [event["data"]["feature"]["id"] for event in events]


def parse(block: str) -> dict[str, Any] | None:
    said = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith((":", "retry")))
    if "data" not in said:
        return None
    return {"id": int(said.get("id", 0)), "event": said["event"], "data": json.loads(said["data"])}


def file(engine: Engine, nth: int, **changes: Any) -> int:
    with db.session(engine, db.EVERYTHING) as session:
        issue_id = entered(session, nth, **changes)
        session.commit()
    return issue_id


def entered(session: Session, nth: int, **changes: Any) -> int:
    issue_id = filed.issue(session, nth, **changes)
    ground = tuple(changes.get("ground", [WEST]))
    journal.append(session, journal.Line("filed", issue_id, ground=ground), by="li", now=filed.AT)
    return issue_id


def code(nth: int) -> str:
    return f"990101{nth:06}"

"""The stream when something goes wrong beside it: the database, the door, the system, the program itself."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import create_environ, run_wsgi_app

from gis import db
from gis.errors import Unavailable
from gis.settings import Settings
from gis.web.live import Live, LiveAnswer
from gis.web.stream import message, process, viewers
from gis.web.stream.door import Ticket
from gis.web.stream.follower import FAR_BEHIND, Follower
from gis.web.stream.message import Message
from gis.web.stream.process import InProcess
from tests.conftest import _administer
from tests.web import test_live
from tests.web.test_live import SOON_S, Screen, code, file

# The first file that has a number `select` cannot name.
SELECT_MOST = 1024
stream = test_live.stream


class Nobody:
    """A stream that takes no line."""

    def hand_over(self, line: socket.socket, ticket: Ticket) -> None:
        raise Unavailable("live.away", retry_after_s=2, line=line.fileno(), after=ticket.after)

    def close(self) -> None:
        """Nothing is open."""


def silent(screen: Screen) -> bool:
    """Listen for some ticks, and say whether nothing was said."""
    before = len(screen.raw)
    time.sleep(1.0)
    return len(screen.raw) == before


class Heard:
    """What a follower told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def begin(self, since: int, messages: list[Message]) -> None:
        self.told.append(("begin", since))
        self.hear(messages)

    def hear(self, messages: list[Message]) -> None:
        self.told += [("hear", each.seq) for each in messages]

    def skip(self, seq: int) -> None:
        self.told.append(("skip", seq))

    def lose(self) -> None:
        self.told.append(("lose", 0))

    def find(self) -> None:
        self.told.append(("find", 0))


def cut_off(engine: Engine, server: Settings) -> None:
    """Break every connection to a database."""
    others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname"
    _administer(server, f"SELECT pg_terminate_backend(pid) {others} = '{engine.url.database}'")


@pytest.fixture
def shut(clean_db: Engine, server: Settings) -> Iterator[Callable[[bool], None]]:
    """Shut the database to everybody, or open it again."""

    def do(is_shut: bool) -> None:
        _administer(server, f"ALTER DATABASE {clean_db.url.database} ALLOW_CONNECTIONS {str(not is_shut).lower()}")
        if is_shut:
            cut_off(clean_db, server)

    yield do
    do(False)


@pytest.fixture
def crowd() -> Iterator[None]:
    """Hold as many files open as a stream does that many look at."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * SELECT_MOST), hard))
    null = os.open(os.devnull, os.O_RDONLY)
    held = [os.dup(null) for _ in range(SELECT_MOST)]
    yield
    for each in (null, *held):
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_line_that_nobody_took_leaves_its_place_to_the_next(recwarn: pytest.WarningsRecorder) -> None:
    live = Live(Nobody(), relays_most=1)
    for _ in range(3):
        _, status, headers = run_wsgi_app(LiveAnswer(live, Ticket(db.EVERYTHING, None)), create_environ())
        assert (status.split()[0], headers["Retry-After"]) == ("503", "2")
    assert live.relays.acquire(blocking=False)
    assert not [each for each in recwarn if each.category is ResourceWarning]


@pytest.mark.usefixtures("crowd")
def test_a_database_that_comes_back_is_heard_again_in_a_full_house(
    stream: InProcess, clean_db: Engine, server: Settings
) -> None:
    screen = Screen(stream)
    file(clean_db, 1)
    screen.codes(1)
    cut_off(clean_db, server)
    file(clean_db, 2)
    assert screen.codes(2) == [code(1), code(2)]
    file(clean_db, 3)
    assert screen.codes(3)[-1] == code(3)


def test_a_fault_of_the_program_ends_no_stream(
    stream: InProcess, clean_db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(stream)
    faults = iter([KeyError("nobody thought of it")])

    def once(entry: Any, issue: Any, render: Callable[..., Message] = message.of) -> Message:
        for fault in faults:
            raise fault
        return render(entry, issue)

    monkeypatch.setattr(message, "of", once)
    file(clean_db, 1)
    assert screen.codes(1) == [code(1)]


def test_a_database_put_back_from_a_copy_is_told_as_a_reset(clean_db: Engine) -> None:
    heard = Heard()
    following = Follower(clean_db, heard, lambda told, *said: told(*said))
    following._catch_up()
    following._seq = FAR_BEHIND // 2
    following._catch_up()
    assert heard.told == [("begin", 0), ("skip", 0)]


def test_a_stream_that_has_lost_the_database_does_not_say_that_it_lives(
    stream: InProcess, shut: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "HEARTBEAT_S", 0.0)
    monkeypatch.setattr(process, "TICK_S", 0.01)
    screen = Screen(stream)
    screen.said(lambda raw: "event: alive" in raw)
    shut(True)
    assert any(silent(screen) for _ in range(SOON_S))
    shut(False)
    before = screen.raw.count("event: alive")
    screen.said(lambda raw: raw.count("event: alive") > before)

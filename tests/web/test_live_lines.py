"""The lines of the event stream and its door: full, silent, slow, ended, handed over."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import Engine

from gis import db
from gis.errors import Unavailable
from gis.web.stream import door, viewers
from gis.web.stream.door import Ticket
from gis.web.stream.process import InProcess
from tests.web import screens
from tests.web.screens import EAST, LEADER, SOON_S, Screen, code, entered, file, parse

stream = screens.stream


def test_a_full_house_is_said_at_the_door(clean_db: Engine) -> None:
    stream = InProcess(clean_db, most=1)
    Screen(stream)
    ours, theirs = socket.socketpair()
    stream.hand_over(theirs, Ticket(db.EVERYTHING, None, head=b"HTTP/1.1 200 OK\r\n\r\n"))
    theirs.close()
    assert ours.recv(1000).startswith(b"HTTP/1.1 503 ")
    stream.close()


def test_a_client_that_leaves_makes_room(clean_db: Engine) -> None:
    stream = InProcess(clean_db, most=1)
    Screen(stream).line.shutdown(socket.SHUT_RDWR)

    def taken() -> bool:
        ours, theirs = socket.socketpair()
        with theirs:
            stream.hand_over(theirs, Ticket(db.EVERYTHING, None))
        return ours.recv(1000) != b""

    assert any(taken() for _ in range(100))
    stream.close()


def test_a_stop_ends_every_stream_with_a_word(stream: InProcess) -> None:
    screen = Screen(stream)
    stream.close()
    screen.thread.join(SOON_S)
    assert not screen.thread.is_alive()
    assert screen.events[-1]["event"] == "away"


def test_a_stream_that_was_closed_takes_no_line(stream: InProcess) -> None:
    stream.close()
    ours, _ = socket.socketpair()
    with pytest.raises(Unavailable):
        stream.hand_over(ours, Ticket(db.EVERYTHING, None))


def test_silence_is_broken_by_a_heartbeat_with_the_number_that_was_reached(
    stream: InProcess, clean_db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "HEARTBEAT_S", 0.0)
    screen = Screen(stream, LEADER)
    file(clean_db, 1, ground=[EAST])
    screen.said(lambda raw: "id: 1\nevent: alive" in raw)


def test_a_line_is_ended_after_its_time_and_told_to_come_again(
    stream: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "STREAM_S", 0.0)
    screen = Screen(stream)
    screen.thread.join(SOON_S)
    assert [event["event"] for event in screen.told] == ["again"]


def test_events_of_one_moment_are_told_together(stream: InProcess, clean_db: Engine) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        stream.hand_over(theirs, Ticket(db.EVERYTHING, None))
    while b"id: " not in ours.recv(65536):
        pass
    with db.session(clean_db, db.EVERYTHING) as session:
        for nth in range(1, 11):
            entered(session, nth)
        session.commit()
    assert ours.recv(65536).count(b"event: change") == 10


def test_a_number_the_page_knew_before_the_stream_is_waited_for(stream: InProcess, clean_db: Engine) -> None:
    Screen(stream)
    early = Screen(stream, after=1)
    file(clean_db, 1)
    file(clean_db, 2)
    assert early.codes(1) == [code(2)]


def test_a_line_that_does_not_read_is_cut_off_and_gets_the_rest_by_its_number(
    stream: InProcess, clean_db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "BEHIND_BYTES", 1000)
    others = Screen(stream)
    ours, theirs = socket.socketpair()
    with theirs:
        stream.hand_over(theirs, Ticket(db.EVERYTHING, 0))
    for nth in range(1, 301):
        file(clean_db, nth)
    others.wait(lambda events: len(events) == 300)
    heard = b""
    while data := ours.recv(65536):
        heard += data
    got = [event for block in heard.decode().split("\n\n")[:-1] if (event := parse(block))]
    last = [event["id"] for event in got if event["event"] == "change"]
    assert last == list(range(1, len(last) + 1))
    assert 0 < len(last) < 300
    assert Screen(stream, after=last[-1]).codes(300 - len(last))[-1] == code(300)


def test_a_ticket_says_the_same_on_both_sides_of_the_door() -> None:
    front, behind = door.pair()
    line, peer = socket.socketpair()
    front.hand_over(line, Ticket(LEADER, 7, b"HTTP/1.1 200 OK\r\n\r\n"))
    line.close()
    handed, ticket = door.receive(behind)
    handed.sendall(b"through")
    assert (ticket, peer.recv(10)) == (Ticket(LEADER, 7, b"HTTP/1.1 200 OK\r\n\r\n"), b"through")


def test_a_door_nobody_opens_refuses_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "WAIT_S", 0.1)
    front, _behind = door.pair()
    line, _ = socket.socketpair()
    with pytest.raises(Unavailable):
        _hand_over_many(front, line)


def _hand_over_many(front: door.Door, line: socket.socket) -> None:
    for _ in range(10_000):
        front.hand_over(line, Ticket(LEADER, None))

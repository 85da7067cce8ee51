"""The event stream: everything committed arrives once, in order, and only where it may be seen."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Unavailable
from gis.issues import journal, listing
from gis.issues.journal import Sealed
from gis.settings import Settings
from gis.web.stream import door, follower, message, viewers
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


def test_a_new_issue_arrives_with_all_the_map_needs(stream: InProcess, clean_db: Engine) -> None:
    screen = Screen(stream)
    file(clean_db, 1, flags=["near_boundary"])
    [event] = screen.wait(bool)
    feature = event["data"]["feature"]
    assert (event["event"], event["data"]["kind"], feature["id"]) == ("change", "filed", code(1))
    assert feature["properties"]["lead"]["name_zh"] == "城管局"
    assert feature["properties"]["flags"] == ["near_boundary"]
    assert feature["geometry"]["type"] == "Point"


def test_a_stream_says_when_to_come_back(stream: InProcess) -> None:
    assert Screen(stream).raw.startswith("retry: ")


def test_what_was_before_is_not_told_to_who_did_not_ask_for_it(stream: InProcess, clean_db: Engine) -> None:
    file(clean_db, 1)
    screen = Screen(stream)
    file(clean_db, 2)
    assert screen.codes(1) == [code(2)]


def test_a_client_that_comes_back_gets_what_it_missed_and_then_the_rest(stream: InProcess, clean_db: Engine) -> None:
    first = Screen(stream)
    file(clean_db, 1)
    [seen] = first.wait(bool)
    file(clean_db, 2)
    file(clean_db, 3)
    first.wait(lambda events: len(events) == 3)
    again = Screen(stream, after=seen["id"])
    file(clean_db, 4)
    assert again.codes(3) == [code(2), code(3), code(4)]


def test_a_client_from_before_a_restart_of_the_server_misses_nothing(stream: InProcess, clean_db: Engine) -> None:
    for nth in (1, 2, 3):
        file(clean_db, nth)
    assert Screen(stream, after=0).codes(3) == [code(1), code(2), code(3)]


def test_several_writers_and_late_commits_lose_and_double_nothing(stream: InProcess, clean_db: Engine) -> None:
    screen = Screen(stream, after=0)

    def write(name: int) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            for nth in range(0, 20, 2):
                # two issues a transaction, begun before others end and committed after
                entered(session, name * 100 + nth)
                entered(session, name * 100 + nth + 1)
                session.commit()

    writers = [threading.Thread(target=write, args=(name,)) for name in (1, 2, 3)]
    for writer in writers:
        writer.start()
    second = Screen(stream, after=0)
    for writer in writers:
        writer.join()
    expected = sorted(code(name * 100 + nth) for name in (1, 2, 3) for nth in range(20))
    for reader in (screen, second):
        assert sorted(reader.codes(60)) == expected
        assert [event["id"] for event in reader.told] == list(range(1, 61))


def test_an_entry_committed_after_a_later_one_was_sent_still_arrives(stream: InProcess, clean_db: Engine) -> None:
    screen = Screen(stream)
    with db.session(clean_db, db.EVERYTHING) as early:
        entered(early, 1)
        file(clean_db, 2)
        assert screen.codes(1) == [code(2)]
        early.commit()
    assert screen.codes(2) == [code(2), code(1)]


def test_a_leader_is_told_of_the_own_patch_only(stream: InProcess, clean_db: Engine) -> None:
    screen = Screen(stream, LEADER)
    file(clean_db, 1, ground=[EAST])
    file(clean_db, 2, ground=[WEST])
    file(clean_db, 3, ground=[WEST])
    assert screen.codes(2) == [code(2), code(3)]


def test_a_leader_that_comes_back_is_told_of_the_own_patch_only(stream: InProcess, clean_db: Engine) -> None:
    file(clean_db, 1, ground=[EAST])
    file(clean_db, 2, ground=[WEST])
    assert Screen(stream, LEADER, after=0).codes(1) == [code(2)]
    assert code(1) not in Screen(stream, LEADER, after=0).raw


def test_who_filed_an_issue_is_told_of_it_wherever_it_is(stream: InProcess, clean_db: Engine) -> None:
    screen = Screen(stream, LEADER)
    file(clean_db, 1, ground=[EAST], created_by="li")
    assert screen.codes(1) == [code(1)]


def test_an_issue_that_leaves_a_patch_is_told_as_gone_without_what_it_became(
    stream: InProcess, clean_db: Engine
) -> None:
    issue_id = file(clean_db, 1)
    screen = Screen(stream, LEADER)
    with db.session(clean_db, db.EVERYTHING) as session:
        session.execute(text("UPDATE issue SET ground = :ground"), {"ground": [EAST]})
        journal.append(session, journal.Line("placed", issue_id, ground=(EAST, WEST)), by="wu", now=filed.AT)
        session.commit()
    [event] = screen.wait(bool)
    assert (event["data"]["kind"], event["data"]["code"]) == ("gone", code(1))
    assert "feature" not in event["data"]


def test_nothing_about_the_reporter_is_in_the_stream(stream: InProcess, clean_db: Engine) -> None:
    screen = Screen(stream)
    file(clean_db, 1, reporter='{"name": "王芳", "phone": "13800000000"}', text="我叫王芳")
    screen.wait(bool)
    assert "王芳" not in screen.raw
    assert "138000" not in screen.raw


def test_who_is_far_behind_is_told_to_read_the_lists_anew(
    stream: InProcess, clean_db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "FAR_BEHIND", 2)
    for nth in range(1, 5):
        file(clean_db, nth)
    [event] = Screen(stream, after=1).wait(bool)
    assert (event["event"], event["id"]) == ("reset", 4)


def test_a_number_from_the_future_of_another_database_is_told_to_read_anew(stream: InProcess) -> None:
    [event] = Screen(stream, after=99).wait(bool)
    assert event["event"] == "reset"


def test_a_bulk_load_is_told_as_one_reset(stream: InProcess, clean_db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "FAR_BEHIND", 3)
    screen = Screen(stream, LEADER)
    with db.session(clean_db, db.EVERYTHING) as session:
        for nth in range(1, 6):
            entered(session, nth)
        session.commit()
    [event] = screen.wait(bool)
    assert (event["event"], event["data"]) == ("reset", {"seq": 5})


def test_a_lost_connection_is_opened_again_and_nothing_is_missed(
    stream: InProcess, clean_db: Engine, settings: Settings
) -> None:
    screen = Screen(stream)
    file(clean_db, 1)
    screen.codes(1)
    owner = db.connect_owner(settings)
    with owner.connect() as connection:
        killed = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        ).all()
    owner.dispose()
    # the listener's and at least one of the pool
    assert len(killed) >= 2
    file(clean_db, 2)
    assert screen.codes(2) == [code(1), code(2)]


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


def test_who_comes_back_is_told_of_issues_as_they_stand_now(stream: InProcess, clean_db: Engine) -> None:
    first = Screen(stream, after=0)
    issue_id = file(clean_db, 1)
    first.wait(bool)
    with db.session(clean_db, db.EVERYTHING) as session:
        session.execute(text("UPDATE issue SET ground = :ground, state = 'handling'"), {"ground": [EAST]})
        journal.append(session, journal.Line("placed", issue_id, ground=(EAST, WEST)), by="wu", now=filed.AT)
        session.commit()
    first.wait(lambda events: len(events) == 2)
    again = Screen(stream, LEADER, after=0)
    again.wait(lambda events: len(events) == 2)
    assert [event["data"]["kind"] for event in again.told] == ["gone", "gone"]
    assert "handling" not in again.raw


def test_numbers_that_tell_screens_nothing_leave_no_gap_on_the_way_back(stream: InProcess, clean_db: Engine) -> None:
    Screen(stream)
    file(clean_db, 1)
    with db.session(clean_db, db.EVERYTHING) as session:
        journal.append(session, journal.Line(journal.SIGNED_IN), by="li", now=filed.AT)
        session.commit()
    file(clean_db, 2)
    assert Screen(stream, after=1).codes(1) == [code(2)]


GROUNDS = st.lists(st.sampled_from([WEST, EAST, "governance:grid:1"]), max_size=2, unique=True)
SCOPES = st.builds(
    Scope,
    all=st.booleans(),
    units=st.lists(st.sampled_from([tuple(key.split(":")) for key in (WEST, EAST)]), max_size=2).map(tuple),
    username=st.sampled_from(["", "li", "wu"]),
    department=st.sampled_from(["", "cg", "sw"]),
)


@given(scope=SCOPES, ground=GROUNDS, departments=st.lists(st.sampled_from(["cg", "sw"]), max_size=2, unique=True),
       created_by=st.sampled_from([None, "li", "wu"]))  # fmt: skip
def test_a_change_is_told_to_just_those_the_database_shows_the_issue_to(
    engine: Engine, scope: Scope, ground: list[str], departments: list[str], created_by: str | None
) -> None:
    with db.session(engine, db.EVERYTHING) as session:
        filed.people(session)
        issue_id = filed.issue(session, 1, ground=ground, departments=departments, created_by=created_by)
        entry = Sealed(1, journal.Line("filed", issue_id, ground=tuple(ground)), "li", filed.AT)
        told = message.of(entry, listing.seen(session, [issue_id])[issue_id]).to(scope)
        db.see_as(session, scope)
        shown = session.scalar(text("SELECT count(*) FROM issue WHERE id = :id"), {"id": issue_id})
    assert ('"feature":{' in told) == bool(shown)


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

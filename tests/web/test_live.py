"""The event stream: everything committed arrives once, in order, and only where it may be seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import TooMany
from gis.issues import journal
from gis.settings import Settings
from gis.web import live
from gis.web.live import Hub
from tests.issues import filed

WEST, EAST = "admin:district:990101", "admin:district:990102"
LEADER = Scope(units=(("admin", "district", "990101"),), role="leader", username="li")
ATTEMPTS = 200


@pytest.fixture
def hub(clean_db: Engine) -> Iterator[Hub]:
    with db.session(clean_db, db.EVERYTHING) as session:
        filed.people(session)
        session.commit()
    made = Hub(clean_db, most_clients=8)
    yield made
    made.close()


class Screen:
    """A client that reads its stream in a thread and keeps the events, as a browser does."""

    def __init__(self, hub: Hub, scope: Scope = db.EVERYTHING, after: int | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.raw = ""
        self._changed = threading.Condition()
        self._stream = live._events(hub, hub.join(scope), after)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        for block in self._stream:
            with self._changed:
                self.raw += block
                self.events += [event for part in block.split("\n\n") if (event := parse(part))]
                self._changed.notify_all()

    def wait(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.events), timeout=20), self.events
            return list(self.events)

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


def test_a_new_issue_arrives_with_all_the_map_needs(hub: Hub, clean_db: Engine) -> None:
    screen = Screen(hub)
    file(clean_db, 1, flags=["near_boundary"])
    [event] = screen.wait(bool)
    feature = event["data"]["feature"]
    assert (event["event"], event["data"]["kind"], feature["id"]) == ("change", "filed", code(1))
    assert feature["properties"]["lead"]["name_zh"] == "城管局"
    assert feature["properties"]["flags"] == ["near_boundary"]
    assert feature["geometry"]["type"] == "Point"


def test_a_stream_says_when_to_come_back(hub: Hub) -> None:
    assert next(live._events(hub, hub.join(db.EVERYTHING), None)).startswith("retry: 2000\n")


def test_what_was_before_is_not_told_to_who_did_not_ask_for_it(hub: Hub, clean_db: Engine) -> None:
    file(clean_db, 1)
    screen = Screen(hub)
    file(clean_db, 2)
    assert screen.codes(1) == [code(2)]


def test_a_client_that_comes_back_gets_what_it_missed_and_then_the_rest(hub: Hub, clean_db: Engine) -> None:
    first = Screen(hub)
    file(clean_db, 1)
    [seen] = first.wait(bool)
    file(clean_db, 2)
    file(clean_db, 3)
    first.wait(lambda events: len(events) == 3)
    again = Screen(hub, after=seen["id"])
    file(clean_db, 4)
    assert again.codes(3) == [code(2), code(3), code(4)]


def test_a_client_from_before_a_restart_of_the_server_misses_nothing(hub: Hub, clean_db: Engine) -> None:
    for nth in (1, 2, 3):
        file(clean_db, nth)
    assert Screen(hub, after=0).codes(3) == [code(1), code(2), code(3)]


def test_several_writers_and_late_commits_lose_and_double_nothing(hub: Hub, clean_db: Engine) -> None:
    screen = Screen(hub, after=0)

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
    second = Screen(hub, after=0)
    for writer in writers:
        writer.join()
    expected = sorted(code(name * 100 + nth) for name in (1, 2, 3) for nth in range(20))
    for reader in (screen, second):
        assert sorted(reader.codes(60)) == expected
        assert [event["id"] for event in reader.events] == list(range(1, 61))


def test_an_entry_committed_after_a_later_one_was_sent_still_arrives(hub: Hub, clean_db: Engine) -> None:
    screen = Screen(hub)
    with db.session(clean_db, db.EVERYTHING) as early:
        entered(early, 1)
        file(clean_db, 2)
        assert screen.codes(1) == [code(2)]
        early.commit()
    assert screen.codes(2) == [code(2), code(1)]


def test_a_leader_is_told_of_the_own_patch_only(hub: Hub, clean_db: Engine) -> None:
    screen = Screen(hub, LEADER)
    file(clean_db, 1, ground=[EAST])
    file(clean_db, 2, ground=[WEST])
    file(clean_db, 3, ground=[WEST])
    assert screen.codes(2) == [code(2), code(3)]


def test_a_leader_that_comes_back_is_told_of_the_own_patch_only(hub: Hub, clean_db: Engine) -> None:
    file(clean_db, 1, ground=[EAST])
    file(clean_db, 2, ground=[WEST])
    assert Screen(hub, LEADER, after=0).codes(1) == [code(2)]
    assert code(1) not in Screen(hub, LEADER, after=0).raw


def test_who_filed_an_issue_is_told_of_it_wherever_it_is(hub: Hub, clean_db: Engine) -> None:
    screen = Screen(hub, LEADER)
    file(clean_db, 1, ground=[EAST], created_by="li")
    assert screen.codes(1) == [code(1)]


def test_an_issue_that_leaves_a_patch_is_told_as_gone_without_what_it_became(hub: Hub, clean_db: Engine) -> None:
    issue_id = file(clean_db, 1)
    screen = Screen(hub, LEADER)
    with db.session(clean_db, db.EVERYTHING) as session:
        session.execute(text("UPDATE issue SET ground = :ground"), {"ground": [EAST]})
        journal.append(session, journal.Line("placed", issue_id, ground=(EAST, WEST)), by="wu", now=filed.AT)
        session.commit()
    [event] = screen.wait(bool)
    assert (event["data"]["kind"], event["data"]["code"]) == ("gone", code(1))
    assert "feature" not in event["data"]


def test_nothing_about_the_reporter_is_in_the_stream(hub: Hub, clean_db: Engine) -> None:
    screen = Screen(hub)
    file(clean_db, 1, reporter='{"name": "王芳", "phone": "13800000000"}', text="我叫王芳")
    screen.wait(bool)
    assert "王芳" not in screen.raw
    assert "138000" not in screen.raw


def test_who_is_far_behind_is_told_to_read_the_lists_anew(
    hub: Hub, clean_db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "FAR_BEHIND", 2)
    for nth in range(1, 5):
        file(clean_db, nth)
    [event] = Screen(hub, after=1).wait(bool)
    assert (event["event"], event["id"]) == ("reset", 4)


def test_a_number_from_the_future_of_another_database_is_told_to_read_anew(hub: Hub) -> None:
    [event] = Screen(hub, after=99).wait(bool)
    assert event["event"] == "reset"


def test_a_bulk_load_is_told_as_one_reset(hub: Hub, clean_db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FAR_BEHIND", 3)
    screen = Screen(hub, LEADER)
    with db.session(clean_db, db.EVERYTHING) as session:
        for nth in range(1, 6):
            entered(session, nth)
        session.commit()
    [event] = screen.wait(bool)
    assert (event["event"], event["data"]) == ("reset", {"seq": 5})


def test_a_slow_client_is_dropped_after_what_it_can_still_get(
    hub: Hub, clean_db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE_EVENTS", 2)
    client = hub.join(db.EVERYTHING)
    for nth in range(1, 5):
        file(clean_db, nth)
    for _ in range(ATTEMPTS):
        if client.dropped:
            break
        threading.Event().wait(0.05)
    blocks = "".join(live._events(hub, client, None))
    events = [event for part in blocks.split("\n\n") if (event := parse(part))]
    assert [event["event"] for event in events] == ["change", "change", "slow"]
    assert Screen(hub, after=events[1]["id"]).codes(2) == [code(3), code(4)]


def test_a_lost_connection_is_opened_again_and_nothing_is_missed(
    hub: Hub, clean_db: Engine, settings: Settings
) -> None:
    screen = Screen(hub)
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
    hub = Hub(clean_db, most_clients=1)
    hub.join(db.EVERYTHING)
    with pytest.raises(TooMany):
        hub.join(db.EVERYTHING)
    hub.close()


def test_a_client_that_leaves_makes_room(clean_db: Engine) -> None:
    hub = Hub(clean_db, most_clients=1)
    first = hub.join(db.EVERYTHING)
    stream = live._events(hub, first, None)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert hub.join(db.EVERYTHING) is not first
    hub.close()


def test_a_stop_ends_every_stream_with_a_word(hub: Hub) -> None:
    screen = Screen(hub)
    hub.close()
    screen.thread.join(5)
    assert not screen.thread.is_alive()
    assert screen.events[-1]["event"] == "away"


def test_silence_is_broken_by_a_heartbeat(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.0)
    monkeypatch.setattr(live, "GLANCE_S", 0.01)
    screen = Screen(hub)
    assert screen.wait(bool)[0]["event"] == "alive"


def test_events_of_one_moment_are_flushed_together(hub: Hub, clean_db: Engine) -> None:
    client = hub.join(db.EVERYTHING)
    with db.session(clean_db, db.EVERYTHING) as session:
        for nth in range(1, 11):
            entered(session, nth)
        session.commit()
    stream = live._events(hub, client, None)
    blocks = [block for _, block in zip(range(3), stream, strict=False)]
    assert blocks[-1].count("event: change") == 10

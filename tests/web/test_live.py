"""The event stream: everything committed arrives once, in order, and only where it may be seen."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from gis import db
from gis.db import Scope
from gis.issues import journal, listing
from gis.issues.journal import Sealed
from gis.settings import Settings
from gis.web.stream import follower, message
from gis.web.stream.process import InProcess
from tests.issues import filed
from tests.web import screens
from tests.web.screens import EAST, LEADER, WEST, Screen, code, entered, file

stream = screens.stream


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

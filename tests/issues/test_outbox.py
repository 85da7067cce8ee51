"""Messages: queued with the change or not at all, once each, claimed by one, tried again and given up in the end."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import NotFound, Unavailable
from gis.issues.messages import channels, outbox
from gis.issues.messages.outbox import Outcome, Tiding
from gis.settings import Settings
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, INSPECTOR, LAW, NOW, SW, Way

FILE = """
[sms]
kind = "http"
url = "http://127.0.0.1:1/"
body = '{"phone": "$to", "text": "$text"}'
events = ["called", "reworked", "call_back"]
[platform]
kind = "webhook"
url = "http://127.0.0.1:1/"
secret = "env:SHAOTU_TEST_HOOK"
events = ["called"]
repeat = true
"""
CALLED = Tiding("called", "990101000001:1", ("cg",), None, {"code": "990101000001"})


@pytest.fixture
def going_by(tmp_path: Path) -> Settings:
    """Give settings with an SMS gateway and a platform."""
    file = tmp_path / "channels.toml"
    file.write_text(FILE, "utf-8")
    return Settings(channels=file)


@pytest.fixture
def sms(going_by: Settings) -> channels.Channel:
    return channels.table(going_by.channels)[0]


def contact(session: Session, owner: str = "department:cg", address: str = "13800000001") -> None:
    session.execute(
        text("INSERT INTO contact (owner, channel, address, active) VALUES (:owner, 'sms', :address, true)"),
        {"owner": owner, "address": address},
    )


def queued(session: Session, channel: str | None = None) -> list[tuple[str, str, str]]:
    rows = session.execute(text("SELECT event, channel, recipient FROM message ORDER BY id")).tuples().all()
    return [row for row in rows if channel in {None, row[1]}]


def notices(session: Session) -> list[tuple[str, str]]:
    return [(event, recipient) for event, _, recipient in queued(session, "notice")]


class TestPutting:
    def test_a_notice_is_there_without_any_channel(self, session: Session) -> None:
        outbox.put(session, [CALLED], Settings(), NOW)
        assert queued(session) == [("called", "notice", "department:cg")]

    def test_who_has_an_address_is_told_there_too_and_a_system_that_listens(
        self, session: Session, going_by: Settings
    ) -> None:
        contact(session)
        outbox.put(session, [CALLED], going_by, NOW)
        assert {row[1:] for row in queued(session)} == {
            ("notice", "department:cg"), ("sms", "department:cg"), ("platform", "system"),
        }  # fmt: skip

    def test_each_of_several_addresses_gets_a_message_of_its_own(self, session: Session, going_by: Settings) -> None:
        contact(session)
        contact(session, address="13800000002")
        outbox.put(session, [CALLED], going_by, NOW)
        assert len(queued(session, "sms")) == 2

    def test_what_a_channel_does_not_carry_does_not_go_out_by_it(self, session: Session, going_by: Settings) -> None:
        contact(session, "role:dispatcher")
        outbox.put(session, [replace(CALLED, event="returned")], going_by, NOW)
        assert {channel for _, channel, _ in queued(session)} == {"notice"}

    def test_queued_twice_it_is_one_message(self, session: Session, going_by: Settings) -> None:
        contact(session)
        for _ in range(2):
            outbox.put(session, [CALLED], going_by, NOW)
        assert len(queued(session)) == 3

    def test_it_goes_with_the_change_it_tells_of(self, clean_db: Engine) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            outbox.put(session, [CALLED], Settings(), NOW)
            session.rollback()
            assert queued(session) == []


@pytest.fixture
def way(session: Session, going_by: Settings) -> Way:
    looped.people(session)
    made = looped.across(session)
    made.loop = replace(made.loop, settings=going_by)
    return made


class TestWhoIsTold:
    def test_a_return_is_told_to_who_dispatches(self, way: Way) -> None:
        way.make("return", CG, LAW)
        assert ("returned", "role:dispatcher") in notices(way.session)

    def test_who_is_called_already_is_not_called_again_when_another_leads(self, way: Way) -> None:
        way.make("designate", CHIEF, {"lead": "sw", "document": "1", "reason": "x"})
        assert [each for each in notices(way.session) if each[0] == "called"] == []

    def test_who_joins_is_called_and_told_by_every_way(self, session: Session, going_by: Settings) -> None:
        looped.people(session)
        contact(session, "department:sw")
        way = looped.plain(session).after(("return", CG, LAW))
        way.loop = replace(way.loop, settings=going_by)
        way.make("dispatch", DISPATCHER, {"lead": "sw"})
        assert ("called", "sms", "department:sw") in queued(session)

    def test_rework_is_told_to_those_who_failed(self, way: Way) -> None:
        way.after(("sign", CG), ("sign", SW), ("feed_back", CG, {"done": "x"}), ("feed_back", SW, {"done": "x"}))
        way.make("rework", INSPECTOR, {"reason": "x"})
        told = {who for event, who in notices(way.session) if event == "reworked"}
        assert told == {"department:cg", "department:sw"}

    def test_urging_is_told_to_those_who_have_not_done_their_part(self, way: Way) -> None:
        way.after(("sign", CG), ("feed_back", CG, {"done": "x"}), ("urge", DISPATCHER, {"reason": "x"}))
        told = {who for event, who in notices(way.session) if event == "urged"}
        assert told == {"department:sw", "department:zf"}

    def test_supervision_needs_a_document(self, way: Way) -> None:
        with pytest.raises(Exception, match="field_missing"):
            way.make("supervise", CHIEF, {"reason": "x"})

    def test_a_request_is_told_to_who_decides_and_its_answer_to_who_leads(self, way: Way) -> None:
        way.after(("sign", CG), ("ask_extension", CG, {"reason": "x"}), ("decline", DISPATCHER, {"reason": "x"}))
        told = notices(way.session)
        assert ("asked", "role:dispatcher") in told
        assert ("answered", "department:cg") in told

    def test_a_deadlock_is_told_to_the_shift_leader(self, way: Way) -> None:
        way.after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "cg"}), ("return", CG, LAW))
        assert ("deadlock", "role:shift_leader") in notices(way.session)

    def test_closing_is_told_to_the_reporter_by_channel_and_to_the_clerk_on_the_page(
        self, session: Session, going_by: Settings
    ) -> None:
        looped.people(session)
        way = looped.plain(session, reporter='{"phone": "13900000000"}')
        way.loop = replace(way.loop, settings=going_by)
        way.after(("sign", CG), ("feed_back", CG, {"done": "x"}), ("pass", INSPECTOR), ("close", CHIEF))
        assert ("call_back", "sms", "reporter") in queued(session)
        assert ("closed", "role:clerk") in notices(session)

    def test_the_number_of_a_reporter_is_looked_up_when_it_is_sent_and_stands_in_no_message(
        self, session: Session, going_by: Settings, sms: channels.Channel
    ) -> None:
        looped.people(session)
        way = looped.plain(session, reporter='{"phone": "13900000000"}')
        outbox.put(session, [Tiding("call_back", "x", (), way.issue_id, {"code": "x"})], going_by, NOW)
        assert "139000" not in str(session.execute(text("SELECT * FROM message")).all())
        assert [letter.address for letter in outbox.claim(session, sms, NOW)] == ["13900000000"]

    def test_a_message_tells_no_word_that_was_said_with_a_move(self, way: Way) -> None:
        way.make("return", CG, LAW)
        told = str(way.session.scalars(text("SELECT params FROM message")).all())
        assert LAW["reason"] not in told

    def test_who_no_longer_has_a_part_is_told(self, session: Session) -> None:
        looped.people(session)
        way = looped.plain(session)
        way.after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "sw"}))
        assert ("released", "department:cg") in notices(session)


@pytest.fixture
def waiting(clean_db: Engine, going_by: Settings) -> Engine:
    """Queue one text message."""
    with db.session(clean_db, db.EVERYTHING) as session:
        contact(session)
        outbox.put(session, [CALLED], going_by, NOW)
        session.commit()
    return clean_db


def claim(engine: Engine, channel: channels.Channel, at: Any = NOW) -> list[outbox.Letter]:
    with db.session(engine, db.EVERYTHING) as session:
        letters = outbox.claim(session, channel, at)
        session.commit()
    return letters


def settle(engine: Engine, letter: outbox.Letter, outcome: Outcome, channel: channels.Channel, at: Any = NOW) -> str:
    with db.session(engine, db.EVERYTHING) as session:
        state = outbox.settle(session, letter, outcome, channel, at)
        session.commit()
    return state


REFUSED = Outcome(Unavailable("messages.refused", channel="sms", status=500))
BROKEN = Outcome(Unavailable("messages.unsure", channel="sms", reason="x"), certain=False)


class TestClaiming:
    def test_a_letter_says_to_whom_what_and_how_often_it_was_tried(
        self, waiting: Engine, sms: channels.Channel
    ) -> None:
        [letter] = claim(waiting, sms)
        assert (letter.address, letter.event, letter.attempts_n) == ("13800000001", "called", 1)

    def test_what_somebody_holds_nobody_else_takes(self, waiting: Engine, sms: channels.Channel) -> None:
        assert (len(claim(waiting, sms)), claim(waiting, sms)) == (1, [])

    def test_many_senders_at_once_take_each_message_once(
        self, clean_db: Engine, going_by: Settings, sms: channels.Channel
    ) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            contact(session)
            outbox.put(session, [replace(CALLED, stem=str(nth)) for nth in range(60)], going_by, NOW)
            session.commit()
        taken: list[int] = []

        def send() -> None:
            while letters := claim(clean_db, sms):
                taken.extend(letter.id for letter in letters)

        senders = [threading.Thread(target=send) for _ in range(6)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert (len(taken), len(set(taken))) == (60, 60)

    def test_what_was_refused_is_tried_again_after_a_pause_that_doubles(
        self, waiting: Engine, sms: channels.Channel
    ) -> None:
        at, pauses = NOW, []
        for _ in range(4):
            [letter] = claim(waiting, sms, at)
            settle(waiting, letter, REFUSED, sms, at)
            pause = timedelta(0)
            while not claimable(waiting, at + pause):
                pause += timedelta(seconds=10)
            pauses.append(pause.total_seconds())
            at += pause
        assert pauses == [10, 20, 40, 80]

    def test_it_is_given_up_in_the_end_and_shown(self, waiting: Engine, sms: channels.Channel) -> None:
        at, state = NOW, ""
        for _ in range(outbox.ATTEMPTS_MOST):
            [letter] = claim(waiting, sms, at)
            state = settle(waiting, letter, REFUSED, sms, at)
            at += timedelta(hours=1)
        with db.session(waiting, db.EVERYTHING) as session:
            assert (state, [row["state"] for row in outbox.stuck(session)]) == ("dead", ["dead"])

    def test_a_person_may_have_it_sent_again(self, waiting: Engine, sms: channels.Channel) -> None:
        [letter] = claim(waiting, sms)
        settle(waiting, letter, BROKEN, sms)
        with db.session(waiting, db.EVERYTHING) as session:
            outbox.retry(session, [letter.id], NOW)
            session.commit()
        assert [again.key for again in claim(waiting, sms)] == [letter.key]

    def test_what_was_sent_is_not_sent_again_by_anybody(self, waiting: Engine, sms: channels.Channel) -> None:
        [letter] = claim(waiting, sms)
        settle(waiting, letter, Outcome(), sms)
        with db.session(waiting, db.EVERYTHING) as session, pytest.raises(NotFound, match="none_stuck"):
            outbox.retry(session, [letter.id], NOW)

    def test_a_line_that_broke_leaves_it_to_a_person(self, waiting: Engine, sms: channels.Channel) -> None:
        [letter] = claim(waiting, sms)
        assert settle(waiting, letter, BROKEN, sms) == "unsure"
        assert claim(waiting, sms, NOW + timedelta(days=1)) == []

    def test_a_sender_that_died_leaves_it_to_a_person(self, waiting: Engine, sms: channels.Channel) -> None:
        claim(waiting, sms)
        assert claim(waiting, sms, NOW + outbox.CLAIM * 2) == []
        with db.session(waiting, db.EVERYTHING) as session:
            assert [row["state"] for row in outbox.stuck(session)] == ["unsure"]

    def test_a_channel_that_may_repeat_sends_it_again_under_the_same_key(
        self, waiting: Engine, sms: channels.Channel
    ) -> None:
        sms = replace(sms, repeat=True)
        [letter] = claim(waiting, sms)
        [again] = claim(waiting, sms, NOW + outbox.CLAIM * 2)
        assert (again.key, again.attempts_n) == (letter.key, 2)

    def test_a_clock_set_back_holds_nothing_up(self, waiting: Engine, sms: channels.Channel) -> None:
        with db.session(waiting, db.EVERYTHING) as session:
            session.execute(text("UPDATE message SET next_at = next_at + interval '3 days'"))
            session.commit()
        assert len(claim(waiting, sms)) == 1


def claimable(engine: Engine, at: Any) -> bool:
    sql = text("SELECT count(*) FROM message WHERE channel = 'sms' AND state = 'waiting' AND next_at <= :at")
    with db.session(engine, db.EVERYTHING) as session:
        return session.scalar(sql, {"at": at}) == 1


class TestScope:
    def test_a_department_reads_its_own_notices_and_no_others(self, session: Session) -> None:
        outbox.put(session, [CALLED, replace(CALLED, departments=("sw",))], Settings(), NOW)
        db.see_as(session, db.Scope(department="sw", username="x", role="department"))
        assert notices(session) == [("called", "department:sw")]

    def test_it_reads_nothing_of_what_goes_out_by_channels(self, session: Session, going_by: Settings) -> None:
        contact(session)
        outbox.put(session, [CALLED], going_by, NOW)
        db.see_as(session, db.Scope(department="cg", username="x", role="department"))
        assert {channel for _, channel, _ in queued(session)} == {"notice"}


def test_the_clerk_closing_the_road_is_a_role_of_the_table() -> None:
    roles = {who for told in channels.tell().values() for who in told} - {channels.DEPARTMENTS, channels.REPORTER}
    assert roles <= {"clerk", "dispatcher", "shift_leader", "inspector", "operator", CLERK.role}

"""What people without an account are shown and say; the database itself shows them no more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, Invalid, NotFound, TooMany
from gis.issues import citizens
from gis.issues.citizens import Choice, Contribution, tries
from gis.issues.clerk import Clerk
from tests import town
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, INSPECTOR

NOW = datetime(2026, 6, 2, 4, tzinfo=UTC)
AT = NOW - timedelta(days=1)
KEY, OTHER = "k" * 32, "o" * 32
ZONE = "Asia/Shanghai"
MANHOLE = Choice("gb", "1", "0501", "井盖", "Manhole", "", "")
REPORTER = {"name": "王小明", "phone": "13812345678"}


@pytest.fixture
def ground(session: Session) -> Session:
    """Put the town and its people there; the city shows the public its one category."""
    town.build(session)
    looped.people(session)
    citizens.show(session, ["gb:0501"], by="chief", now=NOW)
    return session


def issue(session: Session, number: int = 1, **changes: object) -> looped.Way:
    return looped.plain(session, number, reported_at=AT, reporter=Json(REPORTER), text="my own words", **changes)


def nobody(session: Session) -> Session:
    db.see_as(session, db.NOTHING)
    return session


def said(key: str = KEY, **changes: object) -> Contribution:
    lon, lat = town.lonlat(1.2, 0.5)
    place = {"lon": lon, "lat": lat, "accuracy_m": 5}
    return replace(Contribution(key, MANHOLE, "井盖松动", place, REPORTER), **changes)  # type: ignore[arg-type]


def clerk() -> Clerk:
    return Clerk("public", NOW)


class TestWhatIsShown:
    def test_an_issue_is_a_square_a_category_a_stage_and_a_day(self, ground: Session) -> None:
        issue(ground)
        [seen] = citizens.on_map(nobody(ground), NOW, ZONE)
        assert (seen.name_zh, seen.stage, seen.day.isoformat()) == ("井盖", "assigned", "2026-06-01")

    def test_its_place_is_the_middle_of_a_square_and_not_the_place(self, ground: Session) -> None:
        lon, lat = town.lonlat(1.00377, 0.50222)
        issue(ground, x=1.00377, y=0.50222)
        [seen] = citizens.on_map(nobody(ground), NOW, ZONE)
        assert (seen.lon, seen.lat) != (lon, lat)
        assert (round(seen.lon * 10_000) % 10, round(seen.lat * 10_000) % 10) == (5, 5)
        assert max(abs(seen.lon - lon), abs(seen.lat - lat)) <= 0.0005 + 1e-9

    def test_two_of_one_square_are_at_one_place(self, ground: Session) -> None:
        issue(ground, 1, x=1.001, y=0.501)
        issue(ground, 2, x=1.009, y=0.509)
        first, second = citizens.on_map(nobody(ground), NOW, ZONE)
        assert (first.lon, first.lat) == (second.lon, second.lat)

    def test_what_the_city_does_not_show_is_not_there(self, ground: Session) -> None:
        issue(ground)
        citizens.show(ground, [], by="chief", now=NOW)
        assert citizens.on_map(nobody(ground), NOW, ZONE) == []

    @pytest.mark.parametrize("state", ["collected", "to_locate", "rejected", "voided", "merged"])
    def test_what_nobody_has_looked_at_or_what_was_not_taken_up_is_on_no_map(self, ground: Session, state: str) -> None:
        issue(ground).in_state(state)
        assert citizens.on_map(nobody(ground), NOW, ZONE) == []

    def test_what_is_older_than_the_map_is_not_on_it(self, ground: Session) -> None:
        issue(ground)
        assert citizens.on_map(nobody(ground), NOW + timedelta(days=31), ZONE) == []

    def test_nobodys_eyes_see_no_issue_itself(self, ground: Session) -> None:
        issue(ground)
        nobody(ground)
        for table in ("issue", "finding", "decision", "party", "move", "photo", "entry", "party_step"):
            assert ground.scalar(text(f"SELECT count(*) FROM {table}")) == 0

    @pytest.mark.parametrize("function", ["public_issues(text[], timestamptz, text, integer)", "public_status(text)"])
    def test_the_functions_are_the_applications_alone(self, ground: Session, function: str) -> None:
        sql = "SELECT has_function_privilege('public', :function, 'EXECUTE')"
        assert ground.scalar(text(sql), {"function": function}) is False

    def test_a_class_that_is_none_is_refused(self, ground: Session) -> None:
        with pytest.raises(Invalid):
            citizens.show(ground, ["gb:9999"], by="chief", now=NOW)

    def test_who_opened_a_class_stands_beside_it(self, ground: Session) -> None:
        [row] = citizens.classes(ground)
        assert (row["shown"], row["by"]) == (True, "chief")

    def test_every_state_of_the_loop_has_its_stage(self) -> None:
        from gis.issues import moves
        from gis.issues.citizens import shown

        assert set(shown.STAGE_OF) == set(moves.STATES)


class TestTheStageOfANumber:
    def test_it_tells_the_stages_and_their_days(self, ground: Session) -> None:
        way = issue(ground)
        way.after(("sign", CG), ("feed_back", CG, {"done": "好"}), ("pass", INSPECTOR), ("close", CHIEF))
        status = citizens.status(nobody(ground), way.code)
        assert status.stage == "closed"
        assert [stage for stage, _ in status.reached] == ["received", "handling", "closed"]

    def test_a_number_that_is_none_is_refused(self, ground: Session) -> None:
        with pytest.raises(NotFound):
            citizens.status(nobody(ground), "990101999999")


class TestAReport:
    def test_it_waits_to_be_verified(self, ground: Session) -> None:
        number = citizens.report(nobody(ground), said(), clerk())
        db.see_as(ground, db.EVERYTHING)
        row = ground.execute(text("SELECT state, source, text FROM issue WHERE code = :code"), {"code": number}).one()
        assert tuple(row) == ("collected", "public", "井盖松动")

    def test_it_is_on_no_map_before(self, ground: Session) -> None:
        citizens.report(nobody(ground), said(), clerk())
        assert citizens.on_map(ground, NOW, ZONE) == []

    def test_the_session_is_as_blind_afterwards_as_before(self, ground: Session) -> None:
        citizens.report(nobody(ground), said(), clerk())
        assert ground.scalar(text("SELECT count(*) FROM issue")) == 0

    def test_sent_twice_it_is_one(self, ground: Session) -> None:
        first = citizens.report(nobody(ground), said(), clerk())
        assert citizens.report(ground, said(), clerk()) == first

    @pytest.mark.parametrize("words", ["", "   坏 ", "x" * 2001])
    def test_too_few_or_too_many_words_are_refused(self, ground: Session, words: str) -> None:
        with pytest.raises(Invalid):
            citizens.report(nobody(ground), said(words=words), clerk())

    def test_its_key_opens_it_and_no_other(self, ground: Session) -> None:
        mine = citizens.report(nobody(ground), said(), clerk())
        citizens.report(ground, said(OTHER), clerk())
        assert citizens.follow(ground, KEY).number == mine
        assert ground.scalar(text("SELECT count(*) FROM issue")) == 1

    @pytest.mark.parametrize("key", ["", "short", "z" * 32, "public"])
    def test_a_key_of_nobody_opens_nothing(self, ground: Session, key: str) -> None:
        citizens.report(nobody(ground), said(), clerk())
        with pytest.raises(NotFound):
            citizens.follow(ground, key)

    def test_the_key_itself_is_kept_nowhere(self, ground: Session) -> None:
        citizens.report(nobody(ground), said(), clerk())
        db.see_as(ground, db.EVERYTHING)
        kept = ground.scalars(text("SELECT issue::text || coalesce(entry::text, '') FROM issue, entry")).all()
        assert kept
        assert not any(KEY in row for row in kept)

    def test_an_answer_is_asked_for_when_it_is_closed_and_not_before(self, ground: Session) -> None:
        number = citizens.report(nobody(ground), said(), clerk())
        with pytest.raises(Conflict):
            citizens.ask_answer(ground, KEY, clerk())
        db.see_as(ground, db.EVERYTHING)
        closed = "UPDATE issue SET state = 'closed', closed_at = :now WHERE code = :code"
        ground.execute(text(closed), {"code": number, "now": NOW})
        assert citizens.ask_answer(ground, KEY, clerk())


class TestWhatIsKnown:
    def near(self, session: Session, x: float = 1.0) -> list[citizens.Known]:
        return citizens.near(nobody(session), town.lonlat(x, 0.5), MANHOLE, NOW)

    def test_the_same_category_near_by_is_known(self, ground: Session) -> None:
        issue(ground)
        [known] = self.near(ground)
        assert (known.stage, known.more_n) == ("assigned", 0)

    def test_its_distance_is_that_of_its_square_in_tens(self, ground: Session) -> None:
        issue(ground, x=1.003)
        assert self.near(ground)[0].distance_m == self.near(ground, 1.0)[0].distance_m
        assert self.near(ground)[0].distance_m % 10 == 0

    def test_what_is_far_is_another(self, ground: Session) -> None:
        issue(ground)
        assert self.near(ground, 1.5) == []

    def test_what_is_closed_is_not_known_any_more(self, ground: Session) -> None:
        issue(ground).in_state("closed")
        assert self.near(ground) == []

    def test_me_too_is_counted_and_keeps_nobody(self, ground: Session) -> None:
        way = issue(ground)
        citizens.me_too(nobody(ground), way.issue_id, "first", NOW)
        for _ in ("sent", "sent again"):
            citizens.me_too(ground, way.issue_id, "second", NOW)
        assert self.near(ground)[0].more_n == 2
        db.see_as(ground, db.EVERYTHING)
        lines = ground.execute(text("SELECT actor, params FROM entry WHERE kind = 'me_too'")).all()
        assert {(line.actor, str(line.params)) for line in lines} == {("public", "{}")}

    def test_me_too_for_what_is_over_is_refused(self, ground: Session) -> None:
        way = issue(ground).in_state("closed")
        with pytest.raises(NotFound):
            citizens.me_too(nobody(ground), way.issue_id, "first", NOW)


class TestHowOften:
    def test_an_address_has_so_many_tries_in_an_hour(self, session: Session) -> None:
        for _ in range(tries.FREE[tries.REPORT]):
            citizens.count(session, tries.REPORT, "10.0.0.1", NOW)
        with pytest.raises(TooMany) as refused:
            citizens.count(session, tries.REPORT, "10.0.0.1", NOW)
        assert refused.value.params["minutes"] == 60

    def test_another_address_and_another_kind_have_their_own(self, session: Session) -> None:
        for _ in range(tries.FREE[tries.REPORT]):
            citizens.count(session, tries.REPORT, "10.0.0.1", NOW)
        citizens.count(session, tries.REPORT, "10.0.0.2", NOW)
        citizens.count(session, tries.STATUS, "10.0.0.1", NOW)
        counted = session.execute(text("SELECT address, kind, count(*) FROM public_try GROUP BY 1, 2")).all()
        free_n = tries.FREE[tries.REPORT]
        assert sorted(map(tuple, counted)) == [
            ("10.0.0.1", tries.REPORT, free_n), ("10.0.0.1", tries.STATUS, 1), ("10.0.0.2", tries.REPORT, 1),
        ]  # fmt: skip

    def test_an_hour_later_it_may_again(self, session: Session) -> None:
        for _ in range(tries.FREE[tries.REPORT]):
            citizens.count(session, tries.REPORT, "10.0.0.1", NOW)
        later = NOW + timedelta(minutes=61)
        citizens.count(session, tries.REPORT, "10.0.0.1", later)
        assert session.scalar(text("SELECT max(at) FROM public_try")) == later

    def test_after_a_day_no_address_is_kept(self, session: Session) -> None:
        citizens.count(session, tries.REPORT, "10.0.0.1", NOW)
        citizens.count(session, tries.REPORT, "10.0.0.2", NOW + timedelta(days=2))
        assert session.scalars(text("SELECT address FROM public_try")).all() == ["10.0.0.2"]

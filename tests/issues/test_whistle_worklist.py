"""Whistles over all issues: what calls whom, who sees which, and the lists go by an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Invalid
from gis.issues import whistle_worklist, worklists
from gis.issues.matter import Actor
from gis.issues.paging import Place
from gis.issues.whistle_worklist import Wanted
from tests.issues import called
from tests.issues.called import (
    CALLER,
    CITY_CENTRE,
    DONE,
    EAST_CALLER,
    EAST_CENTRE,
    JD,
    REPORT,
    SOUTH,
    WEST_CENTRE,
    WHY,
    whistle,
)  # fmt: skip
from tests.issues.looped import CG, LAW, SW, ZF, Way

MZ = replace(SW, department="mz-west")


@pytest.fixture
def way(session: Session) -> Way:
    called.town_of_callers(session)
    return called.plain(session)


def kinds(way: Way, who: Actor) -> list[str]:
    seen = replace(who, ground="") if who.role == "department" else who
    return [each.kind for each in whistle_worklist.waiting(way.session, seen)]


def listed(way: Way, state: str | None = None) -> list[dict[str, Any]]:
    return whistle_worklist.find(way.session, Wanted(state)).rows


def accepted(way: Way) -> Way:
    return way.after(("blow", CALLER, whistle("cg", "zf")), ("accept_whistle", WEST_CENTRE, {"item": "W99"}))


class TestWhatCalls:
    def test_a_whistle_calls_the_centre_that_has_to_answer_and_no_other(self, way: Way) -> None:
        way.make("blow", CALLER, whistle("cg"))
        assert [kinds(way, who) for who in (WEST_CENTRE, EAST_CENTRE, CITY_CENTRE)] == [["answer"], [], ["answer"]]

    def test_an_accepted_one_calls_its_departments_until_they_have_come(self, way: Way) -> None:
        accepted(way).make("report_in", CG, REPORT)
        assert [kinds(way, who) for who in (CG, ZF, SW)] == [[], ["report_in"], []]

    def test_or_refused(self, way: Way) -> None:
        accepted(way).make("refuse", ZF, LAW)
        assert kinds(way, ZF) == []

    def test_answers_call_the_subdistrict_to_verify(self, way: Way) -> None:
        accepted(way).after(("report_in", CG, REPORT), ("report_in", ZF, REPORT), ("feed_back", CG, DONE))
        way.make("feed_back", ZF, DONE)
        assert [kinds(way, who) for who in (CALLER, EAST_CALLER)] == [["verify"], []]

    def test_a_called_one_that_went_up_calls_the_superior_to_press(self, way: Way) -> None:
        accepted(way).make("escalate_whistle", WEST_CENTRE, WHY)
        assert kinds(way, CITY_CENTRE) == ["press"]

    def test_an_order_to_make_safe_calls_who_was_sent(self, way: Way) -> None:
        way.make("make_safe", CALLER, WHY)
        assert (kinds(way, JD), kinds(way, CG)) == (["make_safe"], [])

    def test_the_key_is_new_when_it_is_called_anew(self, way: Way) -> None:
        way.make("blow", CALLER, whistle("cg"))
        before = whistle_worklist.waiting(way.session, CITY_CENTRE)[0].key
        way.make("escalate_whistle", WEST_CENTRE, WHY)
        assert whistle_worklist.waiting(way.session, CITY_CENTRE)[0].key != before

    def test_a_departments_desk_begins_with_what_calls_it(self, way: Way) -> None:
        accepted(way)
        groups = {each.code: each.total for each in worklists.of(way.session, replace(ZF, ground=""))}
        assert (groups["report_in"], groups["to_sign"]) == (1, 0)

    def test_who_was_sent_before_the_dispatch_has_it_on_the_desk(self, way: Way) -> None:
        way.in_state("filed").make("make_safe", CALLER, WHY)
        desks = [{each.code: each.total for each in worklists.of(way.session, who)} for who in (JD, CG)]
        assert [(desk["make_safe"], desk["to_sign"]) for desk in desks] == [(1, 0), (0, 0)]


class TestLists:
    def test_a_list_of_a_state_holds_that_state(self, way: Way) -> None:
        way.make("blow", CALLER, whistle("cg"))
        assert [len(listed(way, state)) for state in ("blown", "called", None)] == [1, 0, 1]

    def test_it_tells_the_last_step_of_each_department_since_the_call(self, way: Way) -> None:
        accepted(way).after(("report_in", CG, REPORT), ("refuse", ZF, LAW))
        assert listed(way)[0]["steps"] == {"cg": "arrived", "zf": "refused"}

    def test_a_page_begins_behind_the_last_and_none_is_missed_or_told_twice(self, way: Way) -> None:
        way.session.execute(text(MANY), {"issue_id": way.issue_id})
        place: Place | None = None
        codes: list[str] = []
        for _ in range(4):
            page = whistle_worklist.find(way.session, Wanted("agreed", place=place), rows=7)
            place, codes = page.later, [*codes, *(each["code"] for each in page.rows)]
        asked = text("SELECT code FROM whistle WHERE state = 'agreed' ORDER BY blown_at DESC, id DESC LIMIT 28")
        assert codes == list(way.session.scalars(asked))

    def test_the_last_page_says_that_it_is(self, way: Way) -> None:
        way.make("blow", CALLER, whistle("cg"))
        assert whistle_worklist.find(way.session, Wanted(), rows=1).later is None

    def test_a_department_with_more_than_a_page_of_work_counts_all_of_it(self, way: Way) -> None:
        for nth in range(2, 50):
            called.plain(way.session, nth)
        groups = {each.code: each for each in worklists.of(way.session, replace(CG, ground=""))}
        assert (groups["to_sign"].total, len(groups["to_sign"].rows)) == (49, worklists.GROUP_ROWS)

    def test_a_state_that_is_none_is_refused(self, way: Way) -> None:
        with pytest.raises(Invalid, match="bad_state"):
            listed(way, "loud")


class TestScope:
    """Row-level security, as the application's role with the scope of each."""

    @pytest.fixture
    def out(self, clean_db: Engine) -> Iterator[Way]:
        """Commit two whistles: one accepted that calls zf, one still waiting that would call mz-west."""
        with db.session(clean_db, db.EVERYTHING) as session:
            called.town_of_callers(session)
            way = accepted(called.plain(session))
            other = called.plain(session, nth=2)
            other.now = way.now + timedelta(hours=1)
            other.make("blow", CALLER, whistle("mz-west"))
            way.make("make_safe", CALLER, WHY)
            session.commit()
            yield way

    def numbers(self, engine: Engine, scope: Scope, table: str = "whistle") -> int:
        with db.session(engine, scope) as session:
            return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)

    @pytest.mark.usefixtures("out")
    @pytest.mark.parametrize(
        ("scope", "seen"),
        [
            (Scope(department="zf", role="department"), 2),
            (Scope(department="sw", role="department"), 0),
            # It will be called only when the centre has accepted it.
            (Scope(department="mz-west", role="department"), 0),
            (Scope(units=(("admin", "subdistrict", "990101001"),), role="caller"), 2),
            (Scope(units=(("admin", "district", "990101"),), role="dispatcher"), 2),
            (Scope(units=(("admin", "district", "990102"),), role="dispatcher"), 0),
            (Scope(), 0),
        ],
    )
    def test_a_whistle_is_seen_with_its_issue_and_by_its_parties(
        self, clean_db: Engine, scope: Scope, seen: int
    ) -> None:
        assert self.numbers(clean_db, scope) == seen

    @pytest.mark.usefixtures("out")
    def test_a_department_that_was_let_go_still_sees_its_whistle(self, clean_db: Engine) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            session.execute(text("UPDATE issue SET departments = '{cg}'"))
            session.commit()
        assert self.numbers(clean_db, Scope(department="zf", role="department")) == 1
        assert self.numbers(clean_db, Scope(department="zf", role="department"), "issue") == 0

    @pytest.mark.usefixtures("out")
    @pytest.mark.parametrize(("department", "seen"), [("jd", 1), ("sw", 0)])
    def test_an_errand_is_seen_by_who_is_sent(self, clean_db: Engine, department: str, seen: int) -> None:
        assert self.numbers(clean_db, Scope(department=department, role="department"), "errand") == seen

    @pytest.mark.usefixtures("out")
    @pytest.mark.parametrize("table", ["whistle_review", "escalation", "joint_record", "line_confirmation"])
    def test_nobody_rewrites_what_was_put_on_record(self, clean_db: Engine, table: str) -> None:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET by = 'me'"):
            with db.session(clean_db, db.EVERYTHING) as session, pytest.raises(ProgrammingError, match="denied"):
                session.execute(text(statement))

    @pytest.mark.parametrize(
        ("scope", "sql", "index"),
        [
            (Scope(department="zf", role="department"),
             "SELECT code FROM whistle WHERE departments && ARRAY['zf']", "whistle_departments"),
            (db.EVERYTHING, "SELECT code FROM whistle WHERE state = 'blown' ORDER BY blown_at DESC LIMIT 50",
             "whistle_state"),
            (db.EVERYTHING, "SELECT code FROM whistle WHERE answer_due_at < now() AND state IN ('blown', 'called')",
             "whistle_open"),
            (Scope(department="zf", role="department"),
             "SELECT id FROM errand WHERE department = 'zf' AND done_at IS NULL", "errand_department"),
        ],
    )  # fmt: skip
    def test_lists_go_by_an_index_also_under_the_policies(
        self, clean_db: Engine, out: Way, scope: Scope, sql: str, index: str
    ) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            session.execute(text(MANY), {"issue_id": out.issue_id})
            session.commit()
        with db.session(clean_db, scope) as session:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = "\n".join(session.scalars(text(f"EXPLAIN {sql}")))
        assert index in plan, plan


# Many whistles of many departments, one in a hundred of them open.
MANY = """
INSERT INTO whistle (code, issue_id, number, type, by_unit, by, blown_at, done_by_self, why_not, expected, departments,
                     place, held_by, state, called_at, called_version)
SELECT 'many-' || nth, :issue_id, 100 + nth, 'key', 'a:b:c', 'x', now(), '', '', '', ARRAY['d' || nth], '', 'a:b:d',
       CASE WHEN nth % 100 = 0 THEN 'blown' ELSE 'agreed' END, now(), 1
FROM generate_series(1, 5000) AS nth
"""


def test_the_unit_of_a_caller_is_the_one_it_was_posted_to() -> None:
    assert (CALLER.units, CITY_CENTRE.units) == ((SOUTH,), ())

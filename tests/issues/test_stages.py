"""The stages around the handling: verified, filed, dispatched, inspected in time or not; what nobody had reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Problems
from gis.issues import evaluation
from gis.issues.evaluation import ALL, DEPARTMENT, UNIT, reading
from tests.issues import looped
from tests.issues.evaluated import DISTRICTS, FORMULAS, JUNE, closed, count, handled, plain
from tests.issues.looped import CHIEF, CLERK, DISPATCHER, INSPECTOR, NOW, Way

# As in data/evaluation/formulas.toml: an hour to verify, half an hour to file and to dispatch, two hours to inspect.
HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)


@pytest.fixture
def session(session: Session) -> Session:
    looped.people(session)
    return session


def counts(session: Session, *names: str, **changes: Any) -> list[int]:
    return [count(session, name, formulas=replace(FORMULAS, **changes)) for name in names]


def came(session: Session, state: str, nth: int = 1) -> Way:
    """Give a report that came in now and waits in a state."""
    return plain(session, nth, state=state, at=NOW)


def at(way: Way, after: timedelta) -> Way:
    """Let the next move be made so long after the report came in."""
    way.now = NOW + after - timedelta(minutes=1)
    return way


class TestVerifying:
    @pytest.mark.parametrize(("after", "in_time"), [(HOUR, 1), (HOUR + timedelta(minutes=1), 0)])
    def test_in_time_is_until_the_limit(self, session: Session, after: timedelta, in_time: int) -> None:
        at(came(session, "collected"), after).make("verify", CLERK)
        assert counts(session, "verify_due", "verified_on_time") == [1, in_time]

    def test_to_refuse_is_to_verify(self, session: Session) -> None:
        at(came(session, "collected"), HOUR).make("void", CLERK, {"reason": "误报"})
        assert counts(session, "verify_due", "verified_on_time") == [1, 1]

    def test_what_waits_is_owed_when_its_limit_has_passed(self, session: Session) -> None:
        came(session, "collected")
        filed = plain(session, 2, state="collected", at=JUNE.until - HOUR)
        assert (counts(session, "verify_due", "verified_on_time"), filed.state) == ([1, 0], "collected")

    def test_what_nobody_had_to_verify_is_not_owed(self, session: Session) -> None:
        came(session, "filed")
        assert counts(session, "verify_due") == [0]


class TestFiling:
    @pytest.mark.parametrize(("after", "in_time"), [(HALF, 1), (HALF + timedelta(minutes=1), 0)])
    def test_in_time_is_until_the_limit(self, session: Session, after: timedelta, in_time: int) -> None:
        at(came(session, "collected"), after).make("verify", CLERK)
        assert counts(session, "filing_due", "filed_on_time") == [1, in_time]

    def test_what_is_filed_as_it_comes_in_takes_no_time(self, session: Session) -> None:
        came(session, "filed")
        assert counts(session, "filing_due", "filed_on_time") == [1, 1]

    @pytest.mark.parametrize(("after", "in_time"), [(HALF, 1), (HOUR, 0)])
    def test_what_had_no_place_is_filed_when_it_has_one(
        self, session: Session, after: timedelta, in_time: int
    ) -> None:
        way = came(session, "filed")
        for version, (located, found_at) in enumerate([(False, NOW), (True, NOW + after)], start=1):
            said = Json({"located": located})
            session.execute(_FOUND, {"id": way.issue_id, "version": version, "location": said, "at": found_at})
        assert counts(session, "filing_due", "filed_on_time") == [1, in_time]

    def test_what_is_taken_back_was_not_filed_rightly(self, session: Session) -> None:
        came(session, "filed").make("void", CLERK, {"reason": "误报"})
        came(session, "filed", 2)
        assert counts(session, "filings", "filed_right", "filed") == [2, 1, 1]

    def test_what_was_refused_before_was_never_filed(self, session: Session) -> None:
        came(session, "collected").make("void", CLERK, {"reason": "误报"})
        assert counts(session, "filings") == [0]


class TestDispatching:
    @pytest.mark.parametrize(("after", "in_time"), [(HALF, 1), (HALF + timedelta(minutes=1), 0)])
    def test_in_time_is_until_the_limit(self, session: Session, after: timedelta, in_time: int) -> None:
        at(came(session, "filed"), after).make("dispatch", DISPATCHER, {"lead": "cg"})
        assert counts(session, "dispatch_due", "dispatched_on_time") == [1, in_time]

    def test_its_time_runs_from_the_filing(self, session: Session) -> None:
        way = at(came(session, "collected"), 9 * HOUR).after(("verify", CLERK))
        assert way.state == "dispatched"
        assert counts(session, "dispatch_due", "dispatched_on_time") == [1, 1]

    def test_what_is_sent_with_its_filing_takes_no_time(self, session: Session) -> None:
        came(session, "dispatched")
        assert counts(session, "dispatch_due", "dispatched_on_time") == [1, 1]

    def test_what_waits_is_owed_when_its_limit_has_passed(self, session: Session) -> None:
        came(session, "filed")
        plain(session, 2, state="filed", at=JUNE.until - timedelta(minutes=5))
        assert counts(session, "dispatch_due", "dispatched_on_time") == [1, 0]


class TestInspecting:
    @pytest.mark.parametrize(("after", "in_time"), [(2 * HOUR, 1), (2 * HOUR + timedelta(minutes=1), 0)])
    def test_in_time_is_until_the_limit(self, session: Session, after: timedelta, in_time: int) -> None:
        way = handled(plain(session))
        way.now += after - timedelta(minutes=1)
        way.make("pass", INSPECTOR)
        assert counts(session, "inspect_due", "inspected_on_time") == [1, in_time]

    def test_work_that_is_done_again_is_inspected_again(self, session: Session) -> None:
        way = handled(plain(session)).after(("rework", INSPECTOR, {"reason": "不干净"}))
        way.make("feed_back", looped.CG, {"done": "好"})
        assert counts(session, "inspect_due", "inspected_on_time") == [1, 0]

    def test_what_was_closed_by_force_is_not(self, session: Session) -> None:
        plain(session).after(("ask_forced_close", DISPATCHER, {"reason": "历史遗留"}), ("grant", CHIEF))
        assert counts(session, "inspect_due") == [0]


class TestMissed:
    @pytest.fixture(autouse=True)
    def inspections(self, session: Session) -> None:
        session.execute(text("INSERT INTO source VALUES ('inspection', '核查', 'Inspection', 'WGS84', NULL, NULL)"))

    def found(self, session: Session, nth: int) -> Way:
        way = came(session, "filed", nth)
        session.execute(text("UPDATE issue SET source = 'inspection' WHERE id = :id"), {"id": way.issue_id})
        return way

    def test_what_an_inspection_found_and_nobody_had_reported_was_missed(self, session: Session) -> None:
        self.found(session, 1)
        came(session, "filed", 2)
        assert counts(session, "missed", "filed") == [1, 2]

    def test_what_a_collector_had_reported_too_was_not(self, session: Session) -> None:
        way = came(session, "filed", 1)
        self.found(session, 2).make("merge", CLERK, {"target": way.code})
        assert counts(session, "missed") == [0]

    def test_which_sources_are_inspections_is_the_citys_to_say(self, session: Session) -> None:
        self.found(session, 1)
        assert counts(session, "missed", inspection_sources=()) == [0]


class TestLimits:
    def test_a_stage_without_a_limit_is_owed_by_nobody(self, session: Session) -> None:
        closed(plain(session))
        at(came(session, "collected", 2), HOUR).make("verify", CLERK)
        names = ("verify_due", "filing_due", "dispatch_due", "inspect_due")
        assert counts(session, *names, stage_minutes={}) == [0, 0, 0, 0]

    def test_a_rate_without_a_base_is_none_and_so_is_the_posts_score(self, session: Session) -> None:
        came(session, "filed")
        found = evaluation.of(session, DISTRICTS, FORMULAS, on=JUNE.since.date())
        result = next(row.result for row in found.rows if row.subject == looped.WEST)
        assert (result.rates["verified_on_time"], result.scores["post_collector"]) == (None, None)

    def test_posts_are_those_of_units(self) -> None:
        posts = [[each.code for each in FORMULAS.scores_of(kind, "") if each.group] for kind in (UNIT, DEPARTMENT)]
        assert posts == [["post_collector", "post_shift_leader", "post_dispatcher"], []]

    @pytest.mark.parametrize(
        ("after", "code"),
        [("file = 0", "evaluation.stage_minutes"), ("file = 99999", "evaluation.stage_minutes"),
         ("lunch = 30", "evaluation.unknown")],
    )  # fmt: skip
    def test_limits_that_cannot_be_are_refused(self, tmp_path: Path, after: str, code: str) -> None:
        file = tmp_path / "formulas.toml"
        file.write_text(reading.FORMULAS.read_text("utf-8").replace("file = 30", after), "utf-8")
        with pytest.raises(Problems) as refused:
            evaluation.read(file)
        assert [problem.code for problem in refused.value.problems] == [code]

    def test_a_file_from_before_has_no_stages(self, tmp_path: Path) -> None:
        said, file = reading.FORMULAS.read_text("utf-8"), tmp_path / "formulas.toml"
        begin, end = said.index("[stage_minutes]"), said.index("[grades]")
        file.write_text(said[:begin] + said[end:], "utf-8")
        assert evaluation.read(file).stage_minutes == {}


def test_all_together_are_counted_too(session: Session) -> None:
    came(session, "filed")
    assert count(session, "filing_due", ALL) == 1


_FOUND = text("""
INSERT INTO finding (issue_id, version, location, found_at, found_by) VALUES (:id, :version, :location, :at, 'x')
""")

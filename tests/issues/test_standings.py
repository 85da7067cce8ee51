"""Standings: every number is its list, who is ranked, whose numbers are whose, and what the database shows."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Forbidden
from gis.issues import evaluation
from gis.issues.evaluation import ALL, COUNTS, Question, facts, scoping
from tests import town
from tests.issues import looped
from tests.issues.evaluated import (
    DEPARTMENTS,
    DISTRICTS,
    FORMULAS,
    JUNE,
    YES,
    across,
    answered,
    closed,
    handled,
    plain,
)  # fmt: skip
from tests.issues.looped import CG, CHIEF, CLERK, DISPATCHER, INSPECTOR, LAW, NOW, SW, WEST


@pytest.fixture
def session(session: Session) -> Session:
    looped.people(session)
    return session


@pytest.fixture
def busy(session: Session) -> Session:
    """Let one of everything happen."""
    town.build(session)
    answered(plain(session))
    answered(plain(session, 2), satisfied="no")
    closed(plain(session, 3)).after(*[("miss_call", CLERK, {"outcome": "busy"})] * 3)
    handled(plain(session, 4)).make("rework", INSPECTOR, {"reason": "不干净"})
    plain(session, 5).make("return", CG, LAW)
    plain(session, 6, state="filed").make("void", CLERK, {"reason": "误报"})
    across(session, 7).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
    looped.plain(session, 8, reported_at=NOW)
    forced = plain(session, 9).after(("ask_forced_close", DISPATCHER, {"reason": "历史遗留"}), ("grant", CHIEF))
    forced.make("evaluate", CLERK, YES)
    return session


class TestStandings:
    @pytest.mark.parametrize("question", [DISTRICTS, DEPARTMENTS], ids=["units", "departments"])
    def test_every_number_is_as_long_as_its_list(self, busy: Session, question: Question) -> None:
        counted = facts.count(busy, question, FORMULAS)
        numbers = {(subject, name): n for subject, counts in counted.items() for name, n in counts.items() if n}
        assert len(numbers) > 40
        for (subject, name), n in numbers.items():
            listed = evaluation.listed(busy, question, FORMULAS, subject, name)
            assert (len(listed), len(set(listed))) == (n, n)

    def test_what_is_counted_as_none_has_an_empty_list(self, busy: Session) -> None:
        none = [name for name, n in facts.count(busy, DISTRICTS, FORMULAS)[ALL].items() if not n]
        assert [evaluation.listed(busy, DISTRICTS, FORMULAS, ALL, name) for name in none] == [[]] * len(none)

    def test_what_is_counted_of_a_base_is_never_more_than_it(self, busy: Session) -> None:
        for question in (DISTRICTS, DEPARTMENTS):
            for counts in facts.count(busy, question, FORMULAS).values():
                rates = FORMULAS.rates_of(question.kind)
                assert all(counts[name] <= counts[rate.of] for rate in rates for name in rate.counted)

    def test_all_units_of_a_level_are_listed_also_those_with_nothing(self, busy: Session) -> None:
        found = evaluation.of(busy, Question(JUNE, "admin:subdistrict"), FORMULAS, on=date(2026, 6, 30))
        assert (len(found.rows), {row.rank for row in found.rows}) == (4, {None})

    def test_who_has_a_score_stands_before_who_has_none(self, busy: Session) -> None:
        found = evaluation.of(busy, DEPARTMENTS, FORMULAS, on=date(2026, 6, 30))
        ranks = [row.rank for row in found.rows]
        assert ranks == sorted(ranks, key=lambda rank: rank or 99)

    def test_the_numbers_together_count_each_issue_once(self, busy: Session) -> None:
        found = evaluation.of(busy, DISTRICTS, FORMULAS, on=date(2026, 6, 30))
        assert (found.together.counts["filed"], sum(row.counts["filed"] for row in found.rows)) == (8, 9)

    def test_all_together_have_rates_and_no_grade(self, busy: Session) -> None:
        together = evaluation.of(busy, DISTRICTS, FORMULAS, on=date(2026, 6, 30)).together
        assert (together.result.grade, together.result.rates["handling"] is None) == (None, False)


SUMMER = date(2026, 6, 30)


class TestScope:
    @pytest.fixture
    def town_(self, session: Session) -> Session:
        town.build(session)
        return session

    def narrowed(self, session: Session, level: str, *units: tuple[str, str, str]) -> Question:
        return scoping.narrow(session, Question(JUNE, level), Scope(units=units, role="leader"), SUMMER)

    def test_who_sees_everything_asks_for_everything(self, town_: Session) -> None:
        assert scoping.narrow(town_, DISTRICTS, db.EVERYTHING, SUMMER) == DISTRICTS

    def test_a_leader_sees_the_own_unit_alone(self, town_: Session) -> None:
        grid = ("governance", "grid", "990101001001001")
        assert self.narrowed(town_, "governance:grid", grid).only == ("governance:grid:990101001001001",)

    def test_who_answers_for_a_subdistrict_sees_what_lies_in_it_in_every_net(self, town_: Session) -> None:
        office = ("admin", "subdistrict", "990101001")
        found = self.narrowed(town_, "unit_grid:cell", office).only
        assert found is not None
        assert sorted(key[-12:-3] for key in found) == ["101001001", "101001001", "101001002", "101001002"]

    def test_a_level_above_the_own_is_refused(self, town_: Session) -> None:
        with pytest.raises(Forbidden, match=r"evaluation\.beyond"):
            self.narrowed(town_, "admin:district", ("admin", "subdistrict", "990101001"))

    def test_departments_over_a_part_of_the_ground_are_said_to_be_a_part(self, town_: Session) -> None:
        question = self.narrowed(town_, "", ("admin", "district", "990101"))
        assert (scoping.is_partial(question), question.within) == (True, (WEST,))

    def test_a_department_sees_itself(self, town_: Session) -> None:
        scope = Scope(department="cg", role="department")
        assert scoping.narrow(town_, DEPARTMENTS, scope, SUMMER).only == ("cg",)
        with pytest.raises(Forbidden, match=r"evaluation\.own_department_only"):
            scoping.narrow(town_, DISTRICTS, scope, SUMMER)

    def test_levels_are_offered_by_what_may_be_seen(self, town_: Session) -> None:
        offered = scoping.levels(town_, Scope(units=(("admin", "subdistrict", "990101001"),)), SUMMER)
        assert offered == ["admin:subdistrict", "admin:community", "unit_grid:cell", "governance:grid"]


class TestWhatTheDatabaseShows:
    """The same question asked with other eyes: numbers of one's own units and department are whole."""

    @pytest.mark.parametrize(
        ("scope", "question", "subject"),
        [
            (Scope(units=(("admin", "district", "990101"),)), DISTRICTS, WEST),
            (Scope(department="sw"), DEPARTMENTS, "sw"),
        ],
        ids=["a district", "a department"],
    )
    def test_it_is_the_same_number(self, clean_db: Engine, scope: Scope, question: Question, subject: str) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            across(session).after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "好"}))
            plain(session, 2)
            whole = facts.count(session, question, FORMULAS)[subject]
            session.commit()
        with db.session(clean_db, scope) as session:
            assert facts.count(session, question, FORMULAS)[subject] == whole
            assert whole["filed"] > 0

    def test_without_a_scope_there_is_nothing(self, clean_db: Engine) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            closed(plain(session))
            session.commit()
        with db.session(clean_db, db.NOTHING) as session:
            assert facts.count(session, DISTRICTS, FORMULAS) == {ALL: dict.fromkeys(COUNTS, 0)}

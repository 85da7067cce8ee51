"""Both sides of a border beside each other: densities, the evaluation's own rates, who is unsure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues import evaluation
from gis.issues.evaluation import Period
from gis.planning import sides
from gis.planning.borders import Question
from gis.planning.sides import Beside
from tests import town
from tests.issues import evaluated, filed, looped
from tests.issues.looped import EAST, WEST
from tests.planning import bordered
from tests.planning.bordered import COMMUNITY, DISTRICT, ZONE, E, W, asked, metres, put

KEY = f"{W}|{E}"
FORMULAS = evaluation.read()


def look(session: Session, question: Question | None = None, key: str = KEY) -> Beside:
    return sides.beside(session, question or asked(), key, FORMULAS)


class TestGround:
    @pytest.fixture(autouse=True)
    def _town(self, session: Session) -> None:
        bordered.build(session)

    def test_each_side_has_its_part_of_the_strip(self, session: Session) -> None:
        for nth, x_m in enumerate((-40, -30, 20), start=1):
            put(session, nth, *metres(x_m, 300))
        found = look(session)
        assert (found.a.strip.issues_n, found.b.strip.issues_n) == (2, 1)

    def test_the_part_of_a_strip_is_as_wide_as_asked_for(self, session: Session) -> None:
        found = look(session)
        assert found.a.strip.area_m2 == pytest.approx(50 * found.strip.length_m, rel=2e-3)

    def test_strip_and_interior_make_the_whole(self, session: Session) -> None:
        put(session, 1, *metres(-40, 300))
        put(session, 2, 0.5, 0.5)
        side = look(session).a
        made = side.strip + side.interior
        assert made.issues_n == side.whole.issues_n
        assert made.area_m2 == pytest.approx(side.whole.area_m2, rel=1e-9)

    def test_the_interior_keeps_away_from_every_line_of_the_unit(self, session: Session) -> None:
        put(session, 1, *metres(-40, 300))
        put(session, 2, *metres(-300, 20))
        put(session, 3, 1.5, 0.5)
        side = look(session, asked(COMMUNITY), "990101001002|990102001001").a
        assert (side.strip.issues_n, side.interior.issues_n) == (0, 1)

    def test_a_strip_is_so_many_times_as_dense_as_the_interior(self, session: Session) -> None:
        for nth, x_m in enumerate((-40, 40), start=1):
            put(session, nth, *metres(x_m, 300))
        for nth, x in enumerate((0.5, 3.5), start=3):
            put(session, nth, x, 0.5)
        found = look(session)
        strip_m2, interior_m2 = (found.a.strip + found.b.strip).area_m2, (found.a.interior + found.b.interior).area_m2
        assert found.times == pytest.approx(interior_m2 / strip_m2)

    def test_where_a_strip_takes_all_of_a_unit_there_is_no_interior(self, session: Session) -> None:
        put(session, 1, 2.0, 0.5)
        found = look(session, asked("unit_grid:cell", 500.0), "990101001002002|990102001001001")
        assert (found.a.interior.issues_n, found.a.interior.per_km2, found.times) == (0, None, None)

    def test_two_without_a_line_in_common_are_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound):
            look(session, asked(COMMUNITY), "990101001001|990102002002")

    def test_who_may_lie_on_the_other_side_is_told(self, session: Session) -> None:
        for nth, sigma_m in ((1, 30.0), (2, 5.0), (3, None)):
            issue_id = put(session, nth, *metres(40, 300))
            session.execute(
                text("INSERT INTO finding VALUES (:id, 1, :location, :at, 'test')"),
                {"id": issue_id, "location": Json({"place": {"sigma_m": sigma_m}}), "at": filed.AT},
            )
        assert (look(session).unsure_n, [spot.unsure for spot in look(session).spots]) == (1, [True, False, False])

    def test_the_nearest_issue_comes_first(self, session: Session) -> None:
        put(session, 1, *metres(40, 300))
        put(session, 2, *metres(-10, 300))
        put(session, 3, 2.0, 0.5)
        found = look(session).spots
        assert [(spot.side, round(spot.distance_m)) for spot in found] == [("both", 0), ("a", 10), ("b", 40)]

    def test_what_it_is_about_is_told_with_how_usual_that_is(self, session: Session) -> None:
        put(session, 1, *metres(40, 300))
        put(session, 2, 0.5, 0.5)
        put(session, 3, 0.6, 0.5, category="0777")
        [cause] = look(session).causes
        assert (cause.name_zh, cause.issues_n, cause.part, cause.usual) == ("井盖", 1, 1.0, 2 / 3)


class TestRates:
    JUNE = Period(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))

    @pytest.fixture(autouse=True)
    def _town(self, session: Session) -> None:
        town.build(session)
        looped.people(session)
        evaluated.answered(evaluated.plain(session, 1, x=1.9999, ground=[WEST]))
        evaluated.answered(evaluated.plain(session, 2, x=0.5, ground=[WEST]), solved="no", satisfied="no")
        evaluated.closed(evaluated.plain(session, 3, x=2.0001, ground=[EAST]))

    def asked(self) -> Question:
        return Question(self.JUNE, DISTRICT, 50.0, ZONE)

    def test_the_rates_of_a_side_are_those_of_the_evaluation(self, session: Session) -> None:
        standing = evaluation.of(session, evaluation.Question(self.JUNE, DISTRICT), FORMULAS, on=town.SINCE)
        west = next(row for row in standing.rows if row.subject == WEST)
        side = look(session, self.asked()).a
        assert (side.all_of_it.result.rates, side.all_of_it.counts) == (west.result.rates, west.counts)

    def test_those_of_the_strip_are_of_its_issues_alone(self, session: Session) -> None:
        side = look(session, self.asked()).a
        assert (side.near_line.counts["rated"], side.all_of_it.counts["rated"]) == (1, 2)
        near, every = (each.result.rates["resolution"] for each in (side.near_line, side.all_of_it))
        assert [near, every] == [Fraction(1), Fraction(1, 2)]

    def test_where_nobody_answered_there_is_no_rate(self, session: Session) -> None:
        assert look(session, self.asked()).b.near_line.result.rates["response"] is None

    def test_a_category_narrows_the_rates_as_well(self, session: Session) -> None:
        side = look(session, replace(self.asked(), categories=("0999",))).a
        assert side.all_of_it.counts["filed"] == 0

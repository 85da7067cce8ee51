"""Rates, scores and grades: the worked example, bases that are empty, weights, and what a city's file may not say."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Invalid, Problems
from gis.issues import evaluation
from gis.issues.evaluation import COUNTS, DEPARTMENT, UNIT, formulas, reading

CITY = evaluation.read()
NONE = dict.fromkeys(COUNTS, 0)
# 60 filed, all due closed and handled in time, one of ten sent back.
EXAMPLE = NONE | {
    "filed": 60, "due": 60, "handled": 60, "handled_on_time": 60, "closed": 60, "closed_on_time": 60, "reworked": 6,
}  # fmt: skip


def department(counts: Mapping[str, int]) -> evaluation.Result:
    return evaluation.evaluate(CITY, DEPARTMENT, "", NONE | dict(counts))


class TestTheWorkedExample:
    def test_a_department_with_a_tenth_of_rework_and_60_filed_has_96(self) -> None:
        assert department(EXAMPLE).score == 96

    def test_that_is_an_a(self) -> None:
        assert department(EXAMPLE).grade == "A"


class TestRates:
    def test_a_rate_without_a_base_has_no_value(self) -> None:
        assert department({}).rates["handling"] is None

    def test_a_rate_is_its_share_exactly(self) -> None:
        assert department({"due": 3, "handled": 2}).rates["handling"] == Fraction(2, 3)

    def test_partly_satisfied_counts_by_its_weight(self) -> None:
        rates = department({"rated": 10, "satisfied": 5, "partly": 5}).rates
        assert rates["satisfaction"] == Fraction(8, 10)

    def test_departments_have_no_rate_of_reports_from_outside(self) -> None:
        assert "public" not in department({}).rates


class TestScores:
    def test_a_score_with_a_part_that_has_no_base_is_no_score(self) -> None:
        assert (department({"filed": 3}).score, department({"filed": 3}).grade) == (None, None)

    @pytest.mark.parametrize(
        ("filed", "points"),
        [(0, 10), (50, 10), (51, 9), (100, 9), (101, Fraction(15, 2)), (500, 6), (1000, 4), (1001, 0)],
    )
    def test_the_more_is_filed_the_fewer_points_by_steps(self, filed: int, points: Fraction) -> None:
        whole = EXAMPLE | {"filed": filed, "reworked": 0}
        assert department(whole).score == 90 + points

    @pytest.mark.parametrize(("filed", "points"), [(0, 20), (2, 18), (3, 15), (6, 12), (8, 8), (9, 0)])
    def test_a_grid_cell_has_steps_of_its_own(self, filed: int, points: int) -> None:
        counts = NONE | {"due": 1, "closed": 1, "closed_on_time": 1, "filed": filed}
        result = evaluation.evaluate(CITY, UNIT, "cell", counts)
        assert result.score == (None if filed == 0 else 80 + points)

    def test_the_three_rates_are_weighted_30_35_35(self) -> None:
        counts = {"asked_response": 2, "responded": 1, "asked_solved": 1, "solved": 1, "rated": 1}
        assert department(counts).scores["three"] == 15 + 35

    def test_the_level_of_its_own_takes_the_place_of_the_general_score(self) -> None:
        [own] = [score for score in CITY.scores_of(UNIT, "cell") if score.code == "region"]
        [general] = [score for score in CITY.scores_of(UNIT, "subdistrict") if score.code == "region"]
        assert (own.levels, general.levels) == (("cell", "grid"), ())


class TestGrades:
    @pytest.mark.parametrize(
        ("score", "grade"),
        [("100", "A"), ("90", "A"), ("89.999", "B"), ("75", "B"), ("60", "C"), ("40", "D"), ("39.9", "E"), ("0", "E")],
    )
    def test_a_grade_begins_at_its_least_score(self, score: str, grade: str) -> None:
        assert CITY.grade(Fraction(score)) == grade

    def test_what_is_shown_is_cut_off_and_never_looks_like_the_better_grade(self) -> None:
        assert evaluation.shown(Fraction("89.999")) == "89.9"


class TestRanks:
    def test_equal_scores_share_a_rank_and_the_next_comes_after_both(self) -> None:
        values = {"a": Fraction(90), "b": Fraction(80), "c": Fraction(90), "d": Fraction(70)}
        assert formulas.ranked(values) == {"a": 1, "c": 1, "b": 3, "d": 4}

    def test_who_has_no_score_has_no_rank(self) -> None:
        assert formulas.ranked({"a": None, "b": Fraction(1)}) == {"a": None, "b": 1}

    @given(st.dictionaries(st.text(max_size=3), st.none() | st.fractions(0, 100), max_size=8))
    def test_who_has_the_higher_score_never_stands_below(self, values: dict[str, Fraction | None]) -> None:
        ranks = formulas.ranked(values)
        known = [(value, ranks[key] or 0) for key, value in values.items() if value is not None]
        assert all((a > b) == (m < n) for a, m in known for b, n in known)


class TestTheFile:
    def written(self, tmp_path: Path, before: str, after: str) -> Path:
        file = tmp_path / "formulas.toml"
        said = reading.FORMULAS.read_text("utf-8")
        assert before in said
        file.write_text(said.replace(before, after), "utf-8")
        return file

    def test_a_city_weighs_by_its_own_numbers(self, tmp_path: Path) -> None:
        file = self.written(tmp_path, '{ weight = 35, rate = "resolution" }', '{ weight = 65, rate = "resolution" }')
        file.write_text(file.read_text("utf-8").replace('{ weight = 30, rate = "response" },\n', ""), "utf-8")
        [three] = [score for score in evaluation.read(file).scores_of(DEPARTMENT, "") if score.code == "three"]
        assert [int(part.weight) for part in three.parts] == [65, 35]

    @pytest.mark.parametrize(
        ("before", "after", "code"),
        [
            ('weight = 30, rate = "response"', 'weight = 31, rate = "response"', "evaluation.weights"),
            ("counted = { handled = 1 }", "counted = { handeld = 1 }", "evaluation.unknown"),
            ('excluded = ["forced"', 'excluded = ["weather"', "evaluation.unknown"),
            ('rate = "rework"', 'rate = "public"', "evaluation.unknown"),
        ],
    )
    def test_what_does_not_hold_is_named(self, tmp_path: Path, before: str, after: str, code: str) -> None:
        with pytest.raises(Problems) as refused:
            evaluation.read(self.written(tmp_path, before, after))
        assert {problem.code for problem in refused.value.problems} == {code}

    @pytest.mark.parametrize("said", ["[grades", "version = 1", '[grades]\nA = "good"'])
    def test_what_cannot_be_read_is_refused(self, tmp_path: Path, said: str) -> None:
        file = tmp_path / "formulas.toml"
        file.write_text(said, "utf-8")
        with pytest.raises(Invalid, match=r"evaluation\.unreadable"):
            evaluation.read(file)

    def test_its_digest_names_it(self, tmp_path: Path) -> None:
        assert evaluation.read(self.written(tmp_path, "few = 5", "few = 6")).digest != CITY.digest

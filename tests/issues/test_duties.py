"""Responsibility lists: which rule holds at a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.issues.delegations import Delegation
from gis.issues.duties import Rule, Sheet, match

TODAY = date(2026, 6, 1)
PLAIN = Rule(2, "cg", "E0113", {}, ("SZ",))
HIGHWAY = Rule(3, "cg", "E0113", {"road_class": ["highway"]}, ("JT",))
HIGHWAY_PARK = Rule(4, "cg", "E0113", {"road_class": ["highway"], "land": ["park"]}, ("YL",))
NOT_PARK = Rule(5, "cg", "E0117", {"land": ["!park"]}, ("HW",))
MAJOR = Rule(6, "cg", "E01", {}, ("JD",))


def found(attributes: dict[str, set[str]], category: str = "E0113", *rules: Rule) -> Rule | None:
    sheet = Sheet.of("town", "1", rules or (PLAIN, HIGHWAY, HIGHWAY_PARK, NOT_PARK, MAJOR))
    return match([sheet], ("cg", (category, category[:3])), attributes, TODAY).rule


def test_a_rule_without_condition_holds_everywhere() -> None:
    assert found({}) == PLAIN


def test_the_rule_that_asks_most_goes_first() -> None:
    assert found({"road_class": {"highway"}, "land": {"park"}}) == HIGHWAY_PARK


def test_a_rule_that_asks_what_the_place_has_not_does_not_hold() -> None:
    assert found({"road_class": {"lane"}}) == PLAIN


def test_a_power_that_was_handed_down_counts_on_its_days() -> None:
    power = Delegation("SZ", "令〔2026〕1号", date(2026, 6, 1), date(2026, 7, 1))
    given = Rule(9, "cg", "E0113", {}, ("JD",), delegation=power)
    sheet = Sheet.of("town", "1", [PLAIN, given])
    days = [date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30), date(2026, 7, 1)]
    assert [match([sheet], ("cg", ("E0113",)), {}, day).rule for day in days] == [PLAIN, given, given, PLAIN]


def test_of_equals_the_upper_row_goes_first() -> None:
    assert found({}, "E0113", replace(PLAIN, row=9, leads=("XX",)), PLAIN) == PLAIN


@pytest.mark.parametrize(("land", "rule"), [(set(), NOT_PARK), ({"water"}, NOT_PARK), ({"park"}, MAJOR)])
def test_a_word_may_be_excluded(land: set[str], rule: Rule) -> None:
    assert found({"land": land}, "E0117") == rule


def test_one_of_several_words_is_enough() -> None:
    either = Rule(7, "cg", "E0120", {"land": ["park", "water"]}, ("YL",))
    assert found({"land": {"water"}}, "E0120", either) == either


def test_a_category_without_a_rule_of_its_own_follows_its_major_class() -> None:
    assert found({}, "E0199") == MAJOR


def test_another_schemes_rules_do_not_count() -> None:
    assert match([Sheet.of("town", "1", [PLAIN])], ("12345", ("E0113",)), {}, TODAY).rule is None


def test_the_first_list_by_name_that_has_a_rule_is_asked() -> None:
    second = Sheet.of("z", "1", [HIGHWAY])
    answer = match([Sheet.of("a", "1", [MAJOR]), second], ("cg", ("E0113",)), {"road_class": {"highway"}}, TODAY)
    assert answer.sheet == second


@pytest.mark.parametrize(
    "condition", [{"moon": ["full"]}, {"land": "park"}, {"land": []}, {"land": [3]}, {"land": ["!"]}, "park", ["park"]]
)
def test_a_condition_that_cannot_be_read_is_reported_and_another_rule_holds(condition: dict[str, object]) -> None:
    sheet = Sheet.of("town", "1", [PLAIN, Rule(9, "cg", "E0113", condition, ("XX",))])
    answer = match([sheet], ("cg", ("E0113",)), {}, TODAY)
    assert [rule.row for _, rule, _ in answer.failed] == [9]
    assert answer.rule == PLAIN


@pytest.mark.parametrize(("on", "holds"), [((2026, 1, 1), True), ((2026, 6, 30), True), ((2026, 7, 1), False)])
def test_a_list_holds_from_its_first_day_to_before_its_last(on: tuple[int, int, int], holds: bool) -> None:
    sheet = Sheet.of("town", "1", [PLAIN], (date(2026, 1, 1), date(2026, 7, 1)))
    assert sheet.holds_on(date(*on)) is holds


@given(st.permutations([PLAIN, HIGHWAY, HIGHWAY_PARK, NOT_PARK, MAJOR]), st.sets(st.sampled_from(["park", "water"])))
def test_the_order_of_the_rows_in_memory_changes_nothing(rules: list[Rule], land: set[str]) -> None:
    attributes = {"land": land, "road_class": {"highway"}}
    assert found(attributes, "E0113", *rules) == found(attributes)

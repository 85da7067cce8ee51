"""Whose is it, and who must come: on plain ground, on the line, across the line, and where nothing matches."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.issues import duties, explain, jurisdiction
from gis.issues.delegations import Delegation
from gis.territory.location import IN_GAP, IN_OVERLAP, OUTSIDE, UNLOCATED, Location, Place
from tests.issues import ground
from tests.issues.ground import CITY, E1, E2, EAST, W1, W2, WEST, decide, footprint, pact, point, thing, words

ACROSS = {W1: 1 / 3, E1: 2 / 3}


def codes(decision: jurisdiction.Decision) -> list[str]:
    return [reason.code.removeprefix("decision.") for reason in decision.reasons]


def roles(decision: jurisdiction.Decision) -> dict[str, str]:
    return {party.department: party.role for party in decision.parties}


def jurisdictions(decision: jurisdiction.Decision) -> set[str]:
    return {key for party in decision.parties for key in party.jurisdictions}


# On plain ground


def test_a_point_well_inside_one_side_is_led_there() -> None:
    decision = decide(point(W1))
    assert (decision.basis, decision.lead_jurisdiction, decision.lead_department) == ("incident", W1, "JD-990101001")


def test_the_first_kind_that_exists_leads_and_the_other_leads_assist() -> None:
    assert roles(decide(point(W1))) == {"JD-990101001": "lead", "ZF-990101": "assist"}


def test_without_an_office_for_the_first_kind_the_second_leads() -> None:
    offices = [office for office in ground.OFFICES if office.kind != "JD"]
    assert decide(point(W1), book=ground.book(offices=offices)).lead_department == "ZF-990101"


def test_a_kind_nobody_has_is_told() -> None:
    reason = next(r for r in decide(point(W1)).reasons if r.code == "decision.duty.kinds_missing")
    assert [kind["key"] for kind in reason.params["kinds"]] == ["GZ"]


def test_a_case_on_plain_ground_has_no_superior() -> None:
    assert decide(point(W1)).superior is None


def test_every_step_before_the_one_that_applied_says_why_not() -> None:
    asked = codes(decide(point(W1)))
    assert asked[2:6] == ["designation.none", "agreement.none", "owner.none", "incident.inside"]


def test_the_steps_that_were_not_needed_are_named() -> None:
    rest = decide(point(W1)).reasons[-2]
    assert rest.params["steps"] == [f"decision.step.{s}" for s in ("first_filed", "common", "area", "consultation")]


class TestPowers:
    """The office of W1 was given the enforcement bureau's power over E0125 for June."""

    def asked(self, *, on: date = ground.ON) -> jurisdiction.Decision:
        power = Delegation("ZF", "令〔2026〕1号", date(2026, 6, 1), date(2026, 7, 1))
        rules = (
            duties.Rule(2, "cg", "E0125", {}, ("ZF",)),
            duties.Rule(3, "cg", "E0125", {"unit": [W1]}, ("JD",), delegation=power),
        )
        return decide(replace(point(W1), on=on), "E0125", book=ground.book(rules))

    def test_who_was_given_a_power_leads(self) -> None:
        assert self.asked().lead_department == "JD-990101001"

    def test_from_its_last_day_on_who_gave_it_leads_again(self) -> None:
        assert self.asked(on=date(2026, 7, 1)).lead_department == "ZF-990101"

    @pytest.mark.parametrize(("locale", "words"), [("zh", "行使 综合行政执法局 下放"), ("en", "a power of Urban")])
    def test_the_reason_names_who_gave_it_and_the_document(self, locale: str, words: str) -> None:
        told = " ".join(explain.sentences(self.asked(), locale))
        assert words in told
        assert "令〔2026〕1号" in told


# Near the line, with a known accuracy and without


def test_a_point_that_is_probably_on_one_side_is_led_there() -> None:
    assert decide(point(W1, odds={W1: 0.97, E1: 0.03}, boundary_m=10)).basis == "incident"


def test_the_neighbour_the_point_may_be_in_is_informed() -> None:
    decision = decide(point(W1, odds={W1: 0.97, E1: 0.03}, boundary_m=10))
    informed = [party for party in decision.parties if party.why == "party.informed"]
    assert [(party.department, party.jurisdictions) for party in informed] == [("JD-990102001", (E1,))]


def test_a_neighbour_with_next_to_no_probability_is_not_informed() -> None:
    assert "JD-990102001" not in roles(decide(point(W1, odds={W1: 0.995, E1: 0.005})))


def test_a_point_with_doubtful_odds_goes_to_consultation() -> None:
    decision = decide(point(W1, odds={W1: 0.726, E1: 0.274}, boundary_m=3))
    assert (decision.basis, decision.provisional, decision.lead_jurisdiction) == ("consultation", True, W1)


def test_a_known_accuracy_counts_more_than_the_distance() -> None:
    assert decide(point(W1, odds={W1: 0.6, E1: 0.4}, boundary_m=50)).basis == "consultation"


@pytest.mark.parametrize(("boundary_m", "basis"), [(30.1, "incident"), (30.0, "consultation"), (None, "incident")])
def test_without_accuracy_the_distance_must_exceed_the_tolerance(boundary_m: float | None, basis: str) -> None:
    assert decide(point(W1, boundary_m=boundary_m)).basis == basis


def test_a_neighbour_within_the_tolerance_of_a_point_of_unknown_accuracy_is_informed() -> None:
    decision = decide(point(W1, boundary_m=12.0, close=[E1]))
    assert (decision.basis, decision.lead_jurisdiction, decision.superior) == ("consultation", W1, CITY)
    assert {party.department: party.why for party in decision.parties}["JD-990102001"] == "party.informed"


def test_words_that_almost_surely_mean_one_side_are_led_there_and_the_other_is_informed() -> None:
    decision = decide(words({W1: 0.97, E1: 0.03}))
    assert (decision.basis, decision.lead_jurisdiction) == ("incident", W1)
    assert {party.department: party.why for party in decision.parties}["JD-990102001"] == "party.informed"


def test_words_that_may_mean_either_side_make_both_parties() -> None:
    decision = decide(words({W1: 0.6, E1: 0.4}))
    assert (decision.basis, decision.superior) == ("consultation", CITY)
    assert "incident.uncertain" in codes(decision)


def test_a_point_on_a_district_edge_makes_both_sides_parties_under_the_city() -> None:
    decision = decide(point(W1, E1, boundary_m=0))
    assert jurisdictions(decision) >= {W1, E1}
    assert (decision.basis, decision.superior) == ("consultation", CITY)


def test_the_corner_of_four_subdistricts_makes_four_parties() -> None:
    assert jurisdictions(decide(point(W1, W2, E1, E2, boundary_m=0))) >= {W1, W2, E1, E2}


def test_two_subdistricts_of_one_district_have_the_district_above_them() -> None:
    assert decide(point(W1, W2, boundary_m=0)).superior == WEST


def test_a_consultation_is_convened_by_who_stands_above_both_sides() -> None:
    decision = decide(point(W1, E1, boundary_m=0))
    assert (decision.lead_department, decision.parties[0].why) == ("CG", "party.convenor")


def test_without_a_convenor_the_general_desk_convenes() -> None:
    offices = [office for office in ground.OFFICES if office.code != "CG"]
    decision = decide(point(W1, E1, boundary_m=0), book=ground.book(offices=offices))
    assert (decision.basis, decision.lead_department) == ("consultation", "general-desk")


# Across the line: a third here, two thirds there


def test_both_districts_of_a_building_across_the_line_are_parties_with_their_own_departments() -> None:
    called = roles(decide(footprint(ACROSS)))
    assert {"JD-990101001", "ZF-990101", "JD-990102001", "ZF-990102"} <= called.keys()


def test_area_never_decides_even_when_the_suggestion_is_on() -> None:
    practice = replace(ground.PRACTICE, area_suggestion=True)
    decision = decide(footprint(ACROSS), book=ground.book(practice=practice))
    assert (decision.basis, decision.suggested, decision.lead_jurisdiction) == ("consultation", E1, CITY)


def test_area_suggests_nothing_by_default() -> None:
    decision = decide(footprint(ACROSS))
    assert decision.suggested is None
    assert "area.off" in codes(decision)


def test_area_below_the_threshold_suggests_nothing() -> None:
    practice = replace(ground.PRACTICE, area_suggestion=True)
    assert decide(footprint({W1: 0.45, E1: 0.55}), book=ground.book(practice=practice)).suggested is None


def test_an_agreement_leads_though_the_other_side_has_the_larger_share() -> None:
    decision = decide(footprint(ACROSS), pacts=[pact("A1", W1, [W1, E1])])
    assert (decision.basis, decision.lead_jurisdiction, decision.lead_department) == ("agreement", W1, "JD-990101001")


def test_an_owner_leads_though_the_line_runs_through_the_building() -> None:
    place = replace(footprint(ACROSS), building=thing("building", owner="海天饭店"))
    decision = decide(place, "P0154")
    assert (decision.basis, decision.lead_department) == ("owner", "hotel")
    assert jurisdictions(decision) >= {W1, E1}


def test_the_shares_are_kept_as_computed_beside_what_was_decided() -> None:
    decision = decide(footprint(ACROSS), pacts=[pact("A1", W1, [W1, E1])])
    assert {share["key"]: share["share"] for share in decision.shares} == ACROSS


def test_a_sliver_is_informed_and_makes_no_dispute() -> None:
    decision = decide(footprint({W1: 0.9999999, E1: 1e-7}))
    assert (decision.basis, decision.lead_jurisdiction) == ("incident", W1)
    assert {party.department: party.why for party in decision.parties}["JD-990102001"] == "party.informed"


def test_a_line_that_runs_over_two_districts_makes_both_parties() -> None:
    assert jurisdictions(decide(footprint({W1: 0.5, E1: 0.5}, kind="line"))) >= {W1, E1}


# Agreements


def test_an_agreement_ends_on_its_last_date() -> None:
    ended = pact("A1", E1, [W1, E1], valid_to=ground.ON)
    assert decide(point(W1), pacts=[ended]).basis == "incident"


def test_an_agreement_holds_on_its_first_date() -> None:
    begun = pact("A1", E1, [W1, E1], valid_from=ground.ON)
    assert decide(point(W1), pacts=[begun]).lead_jurisdiction == E1


def test_an_agreement_on_other_categories_does_not_apply_and_says_so() -> None:
    decision = decide(point(W1), pacts=[pact("A1", E1, [W1, E1], categories=("E0406",))])
    assert decision.basis == "incident"
    assert "agreement.other" in codes(decision)


def test_an_agreement_on_a_major_class_covers_its_categories() -> None:
    assert decide(point(W1), pacts=[pact("A1", E1, [W1, E1], categories=("E01",))]).basis == "agreement"


def test_the_narrower_of_two_agreements_applies() -> None:
    wide, narrow = pact("A1", E1, [W1, E1], area_m2=9.0), pact("A2", W1, [W1, E1], categories=("E0101",))
    assert decide(point(W1, E1), pacts=[wide, narrow]).lead_jurisdiction == W1


def test_a_party_of_an_agreement_is_called_though_its_ground_is_not_touched() -> None:
    assert "JD-990102001" in roles(decide(point(W1), pacts=[pact("A1", W1, [W1, E1])]))


def test_an_agreed_lead_whose_ground_is_not_touched_leads() -> None:
    decision = decide(point(W1), pacts=[pact("A1", E1, [W1, E1])])
    assert (decision.lead_department, "JD-990101001" in roles(decision)) == ("JD-990102001", True)


def test_an_agreement_between_districts_is_led_by_the_office_on_the_spot() -> None:
    assert decide(footprint(ACROSS), pacts=[pact("A1", EAST, [WEST, EAST])]).lead_department == "JD-990102001"


def test_an_agreed_unit_leads_through_its_office_where_no_duty_says_more() -> None:
    decision = decide(point(W1), "E9999", pacts=[pact("A1", E1, [W1, E1])])
    assert (decision.basis, decision.lead_department) == ("agreement", "JD-990102001")


# Owner and maintainer


def test_the_keeper_of_a_street_leads_where_the_duty_is_its_kind() -> None:
    place = replace(point(E1, boundary_m=3), street=thing("street", maintainer="SZ-990101"))
    assert decide(place, "E0113").lead_department == "SZ-990101"


def test_the_keeper_of_a_street_does_not_lead_in_what_is_not_its_duty() -> None:
    decision = decide(replace(point(E1), street=thing("street", maintainer="SZ-990101")))
    assert (decision.basis, "owner.not_asked" in codes(decision)) == ("incident", True)


def test_a_component_is_led_by_who_maintains_it() -> None:
    holder = jurisdiction.Holder(authority="CG", owner="hotel", maintainer="ZLS")
    decision = decide(point(W1, E1, boundary_m=0), "P0101", holder=holder)
    assert (decision.basis, decision.lead_department) == ("owner", "ZLS")
    assert {"CG", "hotel"} <= roles(decision).keys()


def test_an_owner_who_is_no_department_is_named_in_the_reasons() -> None:
    place = replace(footprint(ACROSS), building=thing("building", owner="某公司"))
    reason = next(r for r in decide(place, "P0154").reasons if r.code == "decision.owner.no_department")
    assert reason.params["names"] == ["某公司"]


# First filed, one department for all, designation


def test_the_side_that_filed_first_leads_on_the_line() -> None:
    decision = decide(point(W1, E1, boundary_m=0), filed_by=E1)
    assert (decision.basis, decision.lead_jurisdiction) == ("first_filed", E1)


def test_a_district_that_filed_first_leads_on_the_line() -> None:
    assert decide(point(W1, E1, boundary_m=0), filed_by=EAST).lead_jurisdiction == E1


def test_who_filed_from_elsewhere_does_not_lead() -> None:
    assert "first_filed.elsewhere" in codes(decide(point(W1, E1, boundary_m=0), filed_by=W2))


def test_a_filer_above_both_sides_settles_nothing() -> None:
    assert "first_filed.both_below" in codes(decide(point(W1, W2, boundary_m=0), filed_by=WEST))


def test_one_department_for_both_sides_leads_without_dispute() -> None:
    decision = decide(point(W1, E1, boundary_m=0), "E0501")
    assert (decision.basis, decision.lead_department, decision.superior) == ("common", "ZLS", CITY)
    assert jurisdictions(decision) >= {W1, E1}


def test_a_superiors_ruling_ends_the_dispute() -> None:
    decision = decide(footprint(ACROSS), designated=W1)
    assert (decision.basis, decision.lead_department, decision.provisional) == ("designation", "JD-990101001", False)


def test_a_step_the_practice_leaves_out_is_not_asked() -> None:
    practice = replace(ground.PRACTICE, steps=("incident", "consultation"))
    decision = decide(point(W1), pacts=[pact("A1", E1, [W1, E1])], book=ground.book(practice=practice))
    assert decision.lead_jurisdiction == W1


# Gaps, overlaps, outside, unlocated


def test_a_point_in_a_gap_goes_to_the_desk_with_the_nearest_side_told_and_called() -> None:
    place = point(nearest=ground.unit(W1), nearest_m=2.5, flags=(IN_GAP,))
    decision = decide(place)
    assert (decision.basis, decision.lead_department, decision.suggested) == ("general_desk", "general-desk", W1)
    assert roles(decision)["JD-990101001"] == "assist"
    assert next(r for r in decision.reasons if r.code == "decision.ground.gap").params["distance_m"] == 2.5


def test_an_agreement_settles_a_gap() -> None:
    place = point(nearest=ground.unit(W1), nearest_m=2.5, flags=(IN_GAP,))
    assert decide(place, pacts=[pact("A1", E1, [W1, E1])]).lead_department == "JD-990102001"


def test_both_sides_of_an_overlap_are_parties() -> None:
    decision = decide(point(W1, E1, odds={W1: 1.0, E1: 1.0}, flags=(IN_OVERLAP,)))
    assert jurisdictions(decision) >= {W1, E1}
    assert "ground.overlap" in codes(decision)


def test_a_point_outside_goes_to_the_desk() -> None:
    decision = decide(point(flags=(OUTSIDE,)))
    assert (decision.lead_department, "ground.outside" in codes(decision)) == ("general-desk", True)


def test_what_is_not_located_is_not_decided() -> None:
    nowhere = Location(Place("nowhere", None, reason="place.zero"), ground.ON, flags=(UNLOCATED,), reason="place.zero")
    decision = decide(nowhere)
    assert (decision.basis, decision.parties, decision.lead_department) == ("unlocated", (), None)


def test_a_place_without_the_deciding_net_goes_to_the_desk() -> None:
    decision = decide(Location(Place("point", None), ground.ON))
    assert (decision.lead_department, "ground.no_net" in codes(decision)) == ("general-desk", True)


# Lists


def test_a_category_without_a_duty_goes_to_the_desk_and_its_subdistrict_is_called() -> None:
    decision = decide(point(W1), "E9999")
    assert roles(decision) == {"general-desk": "lead", "JD-990101001": "assist"}
    assert (decision.basis, "duty.none" in codes(decision)) == ("general_desk", True)


def test_no_list_in_force_is_told() -> None:
    sheet = duties.Sheet.of("town", "1", ground.RULES, (date(2027, 1, 1), None))
    book = replace(ground.book(), sheets=(sheet,))
    assert "duty.no_list" in codes(decide(point(W1), book=book))


def test_a_rule_that_fails_is_reported_and_the_issue_goes_on() -> None:
    broken = duties.Rule(9, "cg", "E0101", {"moon": ["full"]}, ("ZF",))
    decision = decide(point(W1), book=ground.book(rules=[*ground.RULES, broken]))
    reason = next(r for r in decision.reasons if r.code == "decision.duty.failed")
    assert (reason.params["row"], reason.params["problem"]["code"]) == (9, "duties.condition_unknown")
    assert decision.lead_department == "JD-990101001"


def test_a_condition_on_the_place_chooses_the_department() -> None:
    park = replace(point(W1), land=thing("land", kind="park"))
    assert decide(park, "E0125").lead_department == "YL-990101"


# Laws

SIDES = st.lists(st.sampled_from([W1, W2, E1, E2]), unique=True, min_size=1)
CATEGORIES = st.sampled_from(["E0101", "E0113", "E0501", "E0125", "P0154", "E9999"])
AGREED = st.lists(st.sampled_from([W1, W2, E1, E2, WEST, EAST]), unique=True, max_size=3)


@st.composite
def places(draw: st.DrawFn) -> Location:
    keys = draw(SIDES)
    if draw(st.booleans()):
        weights = [draw(st.floats(0.001, 1)) for _ in keys]
        return footprint({key: weight / sum(weights) for key, weight in zip(keys, weights, strict=True)})
    odds = {key: draw(st.floats(0.01, 1)) for key in draw(SIDES)}
    return point(*keys, odds=odds, boundary_m=draw(st.floats(0, 100)))


Question = tuple[Location, str, list[jurisdiction.Pact], str | None]


@st.composite
def questions(draw: st.DrawFn) -> Question:
    pacts = [pact(f"A{n}", lead, [W1, E1]) for n, lead in enumerate(draw(AGREED))]
    return draw(places()), draw(CATEGORIES), pacts, draw(st.none() | st.sampled_from([W1, E2, EAST]))


@given(questions())
def test_every_located_issue_has_one_lead_and_every_touched_jurisdiction_is_a_party(question: Question) -> None:
    location, category, pacts, filed_by = question
    decision = decide(location, category, pacts, filed_by=filed_by)
    touched = {s.unit.key for s in location.nets[0].levels[2].units}
    assert [party.role for party in decision.parties].count("lead") == 1
    assert decision.parties[0].department == decision.lead_department
    assert touched <= jurisdictions(decision)


@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_changes_nothing(question: Question, chance: random.Random) -> None:
    location, category, pacts, filed_by = question

    def shuffled(things: Sequence[Any]) -> list[Any]:
        return chance.sample(things, len(things))

    other = ground.book(rules=shuffled(ground.RULES), offices=shuffled(ground.OFFICES))
    first = decide(location, category, pacts, filed_by=filed_by)
    again = decide(_turned(location, shuffled), category, shuffled(pacts), filed_by=filed_by, book=other)
    assert first == again


def _turned(location: Location, shuffled: Callable[[Sequence[Any]], list[Any]]) -> Location:
    net = location.nets[0]
    levels = [
        replace(level, units=tuple(shuffled(level.units)), probable=tuple(shuffled(level.probable)))
        for level in net.levels
    ]
    return replace(location, nets=(replace(net, levels=tuple(levels)),))


@given(questions())
def test_a_decision_is_read_back_as_it_was_written(question: Question) -> None:
    location, category, pacts, filed_by = question
    decision = decide(location, category, pacts, filed_by=filed_by)
    assert jurisdiction.Decision.from_dict(decision.as_dict()) == decision

"""The written rule of the primary chain."""

from __future__ import annotations

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from gis.territory import chain
from gis.territory.location import Standing, UnitRef


def unit(code: str, parent: str | None = None, share: float | None = None) -> Standing:
    return Standing(UnitRef(0, 0, "admin", "level", code, code, code, parent), share=share)


def codes(levels: list[list[Standing]], under: str | None = None) -> list[str | None]:
    chosen = chain.primary(levels, lambda first: under is None or first.parent_code == under)
    return [None if each is None else each.code for each in chosen]


def test_one_unit_a_level_is_the_chain() -> None:
    assert codes([[unit("1")], [unit("11", "1")], [unit("111", "11")]]) == ["1", "11", "111"]


def test_on_a_shared_edge_the_lower_code_is_primary_at_every_level() -> None:
    assert codes([[unit("1"), unit("2")], [unit("11", "1"), unit("21", "2")]]) == ["1", "11"]


def test_a_child_of_the_other_side_is_never_under_the_primary() -> None:
    assert codes([[unit("1"), unit("2")], [unit("11", "2"), unit("12", "1")]]) == ["1", "12"]


def test_the_longer_chain_goes_before_the_lower_code() -> None:
    assert codes([[unit("1"), unit("2")], [unit("21", "2")]]) == ["2", "21"]


def test_the_larger_share_goes_before_the_lower_code() -> None:
    assert codes([[unit("1", share=0.3), unit("2", share=0.7)]]) == ["2"]


def test_a_level_without_a_unit_leaves_a_hole_in_the_chain() -> None:
    assert codes([[unit("1")], [], [unit("111", "11")]]) == ["1", None, "111"]


def test_a_child_whose_parent_does_not_cover_is_listed_but_not_primary() -> None:
    assert codes([[unit("1")], [unit("91", "9")]]) == ["1", None]


def test_a_unit_without_a_stated_parent_may_stand_under_any() -> None:
    assert codes([[unit("1")], [unit("x")]]) == ["1", "x"]


def test_a_net_inside_another_starts_from_the_primary_there() -> None:
    assert codes([[unit("111001", "111"), unit("112001", "112")]], under="112") == ["112001"]


def test_nothing_covers_nothing() -> None:
    assert codes([[], []]) == [None, None]


def test_the_order_of_what_was_found_does_not_matter() -> None:
    levels = [[unit("2"), unit("1")], [unit("21", "2"), unit("11", "1")]]
    assert codes(levels) == codes([list(reversed(level)) for level in levels]) == ["1", "11"]


def place(nth: int) -> st.SearchStrategy[list[Standing]]:
    """Draw the units of a level: some children of units above, some of nobody, some free."""
    parents = st.sampled_from([None, "gone", *(f"{nth - 1}{each}" for each in "abc")])
    stated = st.tuples(parents, st.sampled_from([0.2, 0.5, None]))
    return st.dictionaries(st.sampled_from("abc"), stated, max_size=3).map(
        lambda drawn: [unit(f"{nth}{code}", parent, share) for code, (parent, share) in drawn.items()]
    )


@given(st.tuples(place(1), place(2), place(3)), st.sampled_from([None, "0a", "gone"]))
def test_the_chain_is_the_best_of_all_that_hold_the_rule(
    levels: tuple[list[Standing], ...], under: str | None
) -> None:
    def holds(chosen: tuple[Standing | None, ...]) -> bool:
        stands = [each for each in chosen if each]
        starts = not stands or under is None or stands[0].unit.parent_code == under
        return starts and all(
            not high or not low or low.unit.parent_code in {None, high.unit.code} for high, low in pairwise(chosen)
        )

    def rank(chosen: tuple[Standing | None, ...]) -> tuple[int, list[tuple[bool, float, str]]]:
        holes = sum(each is None for each in chosen)
        return holes, [(False, -(each.share or 0.0), each.unit.code) if each else (True, 0.0, "") for each in chosen]

    every = [chosen for chosen in product(*([*level, None] for level in levels)) if holds(chosen)]
    best = min(every, key=rank)
    assert codes(list(levels), under) == [each and each.unit.code for each in best]

"""The written rule of the primary chain."""

from __future__ import annotations

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

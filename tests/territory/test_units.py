"""Units of the editions in force."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.territory import units
from tests.territory.plots import add_edition, add_net, add_unit, plot

OLD, NEW, TODAY = date(2020, 1, 1), date(2023, 1, 1), date(2024, 5, 1)


@pytest.fixture
def town(session: Session) -> Session:
    """Two districts side by side; the west one was a part larger until 2023; a grid lies in the west."""
    add_net(session, "admin", "district", "community", rank=0)
    add_net(session, "grid", "cell", rank=1, inside=("admin", "community"))
    before = add_edition(session, "admin", "2020", OLD, NEW)
    add_unit(session, before, "district", "W", plot(0, 0, 5, 4))
    now = add_edition(session, "admin", "2023", NEW)
    add_unit(session, now, "district", "W", plot(0, 0, 4, 4), name="西区", name_en="West", aliases=["Old Town"])
    add_unit(session, now, "district", "E", plot(4, 0, 8, 4), name="东区", name_en="East")
    add_unit(session, now, "district", "N", plot(8, 4, 12, 8), name="北区", name_en="North")
    add_unit(session, now, "community", "W1", plot(0, 0, 2, 4), parent_code="W")
    cells = add_edition(session, "grid", "first", NEW)
    add_unit(session, cells, "cell", "W1001", plot(0, 0, 1, 1), parent_code="W1")
    add_edition(session, "grid", "draft", None)
    return session


def codes(found: object) -> list[str]:
    return [unit.code for unit in found]  # type: ignore[attr-defined]


def test_a_day_has_the_edition_of_that_day(town: Session) -> None:
    assert [edition.name for edition in units.in_force(town, TODAY)] == ["2023", "first"]
    assert [edition.name for edition in units.in_force(town, OLD)] == ["2020"]


def test_an_edition_ends_on_the_day_the_next_begins(town: Session) -> None:
    assert [edition.name for edition in units.in_force(town, date(2022, 12, 31))] == ["2020"]
    assert units.in_force(town, NEW)[0].name == "2023"


def test_a_net_without_an_edition_that_day_is_told(town: Session) -> None:
    assert units.of_net(town, "grid", TODAY).name == "first"
    with pytest.raises(NotFound, match=r"places\.no_edition_on"):
        units.of_net(town, "grid", OLD)


def test_an_edition_names_its_levels_coarsest_first_and_the_net_it_lies_in(town: Session) -> None:
    admin, grid = units.in_force(town, TODAY)
    assert [level.code for level in admin.levels] == ["district", "community"]
    assert (grid.parent_net, grid.parent_level, grid.rank) == ("admin", "community", 1)


def test_a_dark_edition_can_be_read_and_counts_from_the_end_of_time(town: Session) -> None:
    (dark,) = units._editions(town, "e.name = :name", name="draft")
    assert units.edition(town, dark.id).valid_from == date.max
    assert len(units.load_units(town, dark.id)) == 0


def test_all_units_of_an_edition_are_read_coarsest_first(town: Session) -> None:
    table = units.load_units(town, units.in_force(town, TODAY)[0].id)
    assert list(table.code) == ["E", "N", "W", "W1"]
    assert table.geometry[0].equals(plot(4, 0, 8, 4))
    assert table.ref(3).key == "admin:community:W1"
    assert table.ref(3).parent_code == "W"


def test_a_unit_is_the_one_of_the_day(town: Session) -> None:
    assert units.get(town, "admin", "district", "W", OLD).id != units.get(town, "admin", "district", "W", TODAY).id


def test_a_code_that_is_not_in_force_is_not_found(town: Session) -> None:
    with pytest.raises(NotFound):
        units.get(town, "admin", "district", "E", OLD)


@pytest.mark.parametrize("wanted", ["Ｗ", "w", "西区", "west", "ｏｌｄ town", "old  town"])
def test_full_and_half_width_and_case_are_the_same(town: Session, wanted: str) -> None:
    assert units.find(town, wanted, TODAY)[0].key == "admin:district:W"


def test_an_equal_code_is_found_before_a_longer_one(town: Session) -> None:
    assert codes(units.find(town, "w1", TODAY)) == ["W1", "W1001"]


def test_nothing_is_found_for_no_words(town: Session) -> None:
    assert units.find(town, "  ", TODAY) == []


def test_a_percent_sign_is_no_pattern(town: Session) -> None:
    assert units.find(town, "%", TODAY) == []


def test_children_are_the_level_below(town: Session) -> None:
    west = units.get(town, "admin", "district", "W", TODAY)
    assert codes(units.children(town, west, TODAY)) == ["W1"]


def test_children_may_lie_in_a_net_drawn_inside(town: Session) -> None:
    community = units.get(town, "admin", "community", "W1", TODAY)
    assert codes(units.children(town, community, TODAY)) == ["W1001"]


def test_neighbours_share_an_edge(town: Session) -> None:
    west = units.get(town, "admin", "district", "W", TODAY)
    assert codes(units.neighbours(town, west)) == ["E"]


def test_a_common_corner_makes_no_neighbours(town: Session) -> None:
    north = units.get(town, "admin", "district", "N", TODAY)
    assert codes(units.neighbours(town, north)) == []


def test_a_patch_is_the_units_of_its_keys_that_are_in_force(town: Session) -> None:
    assert codes(units.patch(town, ["grid:cell:W1001", "admin:district:E"], TODAY)) == ["E", "W1001"]
    assert codes(units.patch(town, ["grid:cell:W1001", "admin:district:E"], OLD)) == []

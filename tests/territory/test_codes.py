"""Division codes are read with their levels, and cells without a code get one that nobody ever had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Invalid
from gis.territory import codes
from gis.territory.codes import Cell

COMMUNITY = "990101001001"


def row_of(count: int, y: float = 0, community: str = COMMUNITY) -> list[Cell]:
    return [Cell(x, y, 1, community) for x in range(count)]


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("110102", "district", None),
        ("110102001", "subdistrict", "110102"),
        ("110102001003", "community", "110102001"),
        ("110102001003007", "grid", "110102001003"),
    ],
)
def test_a_code_says_its_level_and_its_parent(code: str, level: str, parent: str | None) -> None:
    assert (codes.level(code), codes.parent(code)) == (level, parent)


@pytest.mark.parametrize(("code", "meant"), [("110102001000", "110102001"), ("110102000000", "110102")])
def test_zeros_for_lower_levels_are_left_out(code: str, meant: str) -> None:
    assert codes.parse(code) == meant


def test_full_width_digits_and_blanks_are_understood() -> None:
    assert codes.parse(" \uff11\uff11\uff10\uff11\uff10\uff12 ") == "110102"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1101O2", "codes.not_digits"),
        ("", "codes.not_digits"),
        ("1101020", "codes.wrong_length"),
        ("010102", "codes.no_such_district"),
        ("110100", "codes.no_such_district"),
        ("110102001003000", "codes.zero_serial"),
    ],
)
def test_a_malformed_code_is_refused_with_its_reason(code: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        codes.parse(code)
    assert refused.value.code == reason


def test_a_community_code_is_malformed_where_a_cell_code_is_asked() -> None:
    assert codes.malformed("110102001003", 15) == "codes.wrong_length"


@pytest.mark.parametrize("code", ["", "  ", "a b", "a:b", "a,b", "a\x00", "a\n", "9" * 41])
def test_what_would_break_a_key_cannot_be_a_code(code: str) -> None:
    assert codes.unusable(code) is not None


@pytest.mark.parametrize("code", ["101", "QN-0101", "前门", "110102001003007"])
def test_any_citys_plain_codes_are_usable(code: str) -> None:
    assert codes.unusable(code) is None


def test_cells_are_numbered_west_to_east_then_north_to_south() -> None:
    cells = row_of(3, y=0) + row_of(3, y=1)
    assert [code[-3:] for code in codes.number(cells)] == ["004", "005", "006", "001", "002", "003"]


def test_cells_a_little_out_of_line_are_still_one_row() -> None:
    cells = [Cell(0, 0.0, 1, COMMUNITY), Cell(1, 0.4, 1, COMMUNITY), Cell(2, -0.1, 1, COMMUNITY)]
    assert [code[-3:] for code in codes.number(cells)] == ["001", "002", "003"]


def test_each_community_counts_for_itself() -> None:
    other = "990101001002"
    assert codes.number([*row_of(1), *row_of(1, community=other)]) == [COMMUNITY + "001", other + "001"]


def test_a_retired_number_is_not_given_again() -> None:
    assert codes.number(row_of(2), {COMMUNITY + "001", COMMUNITY + "007"}) == [COMMUNITY + "008", COMMUNITY + "009"]


def test_the_thousandth_cell_of_a_community_is_refused() -> None:
    assert codes.number(row_of(999))[-1] == COMMUNITY + "999"
    with pytest.raises(Invalid) as refused:
        codes.number(row_of(1000))
    assert refused.value.code == "codes.serials_exhausted"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True, max_size=60), st.sets(st.integers(1, 50)))
def test_numbers_are_never_shared_and_never_used_before(places: list[tuple[int, int]], old: set[int]) -> None:
    used = {f"{COMMUNITY}{serial:03d}" for serial in old}
    given_codes = codes.number([Cell(x, y, 1, COMMUNITY) for x, y in places], used)
    assert len(set(given_codes)) == len(places)
    assert used.isdisjoint(given_codes)


@given(st.permutations(range(12)))
def test_the_order_of_the_file_does_not_matter(order: list[int]) -> None:
    cells = row_of(4, y=2) + row_of(4, y=1) + row_of(4, y=0)
    numbered = dict(zip(order, codes.number([cells[at] for at in order]), strict=True))
    assert [numbered[at] for at in range(12)] == codes.number(cells)

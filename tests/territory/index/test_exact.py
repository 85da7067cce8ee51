"""On which side of an edge: judged by fractions, also where products vanish below the smallest number."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.territory.index.exact import NOWHERE, crossing, shifted_side, side

degrees = st.one_of(
    st.floats(-180, 180, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 2.0**-100),
    st.integers(-1800, 1800).map(lambda tenths: tenths / 10),
)
ulps = st.sampled_from([0.0, 1.0, -1.0])
corners = st.tuples(degrees, degrees)


def exactly(edge: np.ndarray, x: float, y: float) -> int:
    (ax, ay), (bx, by) = ((Fraction(each[0]), Fraction(each[1])) for each in edge.tolist())
    turn = (bx - ax) * (Fraction(y) - ay) - (by - ay) * (Fraction(x) - ax)
    return (turn > 0) - (turn < 0)


@given(a=corners, b=corners, along=st.floats(-1, 2), beside=st.tuples(ulps, ulps))
def test_the_side_is_right_to_the_last_bit(
    a: tuple[float, float], b: tuple[float, float], along: float, beside: tuple[float, float]
) -> None:
    edge = np.array([a, b])
    x, y = (
        float(np.nextafter(here, here + step * 999)) if step else float(here)
        for here, step in zip(edge[0] + along * (edge[1] - edge[0]), beside, strict=True)
    )
    assert side(edge, 0, x, y) == exactly(edge, x, y)


@given(a=corners, b=corners, x=st.floats(-1e-300, 1e-300), y=degrees)
def test_the_side_of_points_beside_zero_is_right(
    a: tuple[float, float], b: tuple[float, float], x: float, y: float
) -> None:
    edge = np.array([a, b])
    assert side(edge, 0, x, y) == exactly(edge, x, y)
    assert side(edge, 0, y, x) == exactly(edge, y, x)


@pytest.mark.parametrize(
    ("edge", "expected"),
    [([(0, 0), (1, 0)], 1), ([(1, 0), (0, 0)], -1), ([(0, 0), (0, 1)], -1), ([(0, 1), (0, 0)], 1)],
    ids=["east", "west", "north", "south"],
)
def test_a_point_on_the_line_counts_as_moved_north_and_less_east(
    edge: list[tuple[float, float]], expected: int
) -> None:
    assert shifted_side(np.array(edge, dtype=float), 0, 0.0, 0.0) == expected


near = st.floats(-3e-4, 3e-4)


@given(middle=st.tuples(st.floats(70, 127), st.floats(3, 54)), ends=st.lists(near, min_size=8, max_size=8))
def test_where_two_lines_cross_is_rounded_once(middle: tuple[float, float], ends: list[float]) -> None:
    x, y = middle
    line = (x + ends[0], y + ends[1], x + ends[2], y + ends[3])
    edge = (x + ends[4], y + ends[5], x + ends[6], y + ends[7])
    (ax, ay, bx, by), (cx, cy, dx, dy) = ([Fraction(number) for number in each] for each in (line, edge))
    whole = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    if not whole:
        return
    along = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / whole
    across = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / whole
    if not (0 < along < 1 and 0 < across < 1):
        return
    told, told_across, at_x, at_y = crossing(line, edge)
    if told != NOWHERE:
        assert (at_x, at_y) == (float(ax + along * (bx - ax)), float(ay + along * (by - ay)))
        assert (told, told_across) == pytest.approx((float(along), float(across)), rel=1e-12, abs=1e-300)


def test_ends_whose_difference_is_rounded_have_no_crossing() -> None:
    assert crossing((1e-20, 0.0, 1.0, 1.0), (0.0, 1.0, 1.0, 0.0))[0] == NOWHERE

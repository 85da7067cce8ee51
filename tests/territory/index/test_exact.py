"""On which side of an edge: judged by fractions, also where products vanish below the smallest number."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.territory.index.exact import shifted_side, side

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

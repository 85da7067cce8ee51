"""Cities of other sizes and other seeds: nothing in them crosses itself, nothing is empty, and each can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gis.demo import city, frame

NECK_M = 0.001


@pytest.mark.parametrize(("cells", "seed"), [
    (100, city.SEED), (140, city.SEED), (230, city.SEED),
    # where streets touch the box round a green from outside
    (100, 13), (160, 16),
])  # fmt: skip
def test_nothing_crosses_itself_and_nothing_is_empty(cells: int, seed: int) -> None:
    drawn = city.make(seed=seed, cells=cells)
    for name, table in (drawn.boundaries | drawn.places()).items():
        shapes = table.geometry.to_numpy()
        assert (name, np.flatnonzero(~shapely.is_valid(shapes)).tolist()) == (name, [])
        assert (name, np.flatnonzero(shapely.is_empty(shapes)).tolist()) == (name, [])


def squares(neck: list[tuple[float, float]]) -> np.ndarray:
    """Draw a square of 10 m with something very thin at its right side."""
    return np.array([shapely.Polygon([(0, 0), (10, 0), *neck, (10, 10), (0, 10)])])


@pytest.mark.parametrize("neck", [
    # a hair of 30 m
    [(10, 5), (40, 5), (10, 5 + NECK_M)],
    # a neck to another square
    [(10, 5), (20, 5), (20, 0), (30, 0), (30, 10), (20, 10), (20, 5 + NECK_M), (10, 5 + NECK_M)],
])  # fmt: skip
def test_what_is_thinner_than_the_grid_is_left_out(neck: list[tuple[float, float]]) -> None:
    thin = squares(neck)
    assert shapely.is_valid(thin).all()
    assert not shapely.is_valid(frame.to_degrees(thin)).any()
    sound = frame.to_sound_degrees(thin)
    assert shapely.is_valid(sound).all()
    assert shapely.area(frame.to_metres(sound)) == pytest.approx(shapely.area(thin), rel=0.01)


def test_what_is_thick_enough_is_rounded_and_no_more() -> None:
    square = squares([])
    assert shapely.equals_exact(frame.to_sound_degrees(square), frame.to_degrees(square)).all()

"""The file of an index: what was written comes back, and a damaged file is never trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from gis.territory.index import levels, memory, shelf, store
from gis.territory.index.shapes import NONE, Level, Units
from gis.territory.index.store import DamagedError
from gis.territory.index.text import packed

DIGEST = "0123456789abcdef"


def units(*codes: str, parents: tuple[int, ...] = ()) -> Units:
    words = packed(codes)
    parent = np.array(parents or [NONE] * len(codes), dtype=np.int32)
    return Units(np.arange(len(codes)), words, packed([None] * len(codes)), words, packed(["名"] * len(codes)), parent)


def built() -> dict[str, Level]:
    halves = np.array([box(120, 30, 121, 31), box(121, 30, 122, 31)], dtype=object)
    city = np.array([box(120, 30, 122, 31)], dtype=object)
    made = levels.build([(units("c"), city), (units("w", "e", parents=(0, 0)), halves)])
    return dict(zip(("city", "half"), made, strict=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / f"{DIGEST}.index"
    store.write(written, DIGEST, built())
    return written


def leaves(value: object) -> list[object]:
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, tuple) else [value]


def test_what_was_written_comes_back(path: Path) -> None:
    for level, read in store.read(path, DIGEST).items():
        for ours, theirs in zip(leaves(built()[level]), leaves(read), strict=True):
            assert np.array_equal(ours, theirs)  # type: ignore[arg-type]
            assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)


def test_a_file_may_not_be_written_to(path: Path) -> None:
    grid = store.read(path, DIGEST)["half"].near.grid
    with pytest.raises(ValueError, match="read-only"):
        grid.vertices[0, 0] = 0.0


def test_a_byte_changed_anywhere_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for at in np.linspace(0, len(whole) - 1, 97, dtype=int):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(DamagedError):
            store.read(path, DIGEST)


@pytest.mark.parametrize("kept", [0, 5, 23, 24, 500, 0.5, 0.999])
def test_a_file_cut_off_is_noticed(path: Path, kept: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept >= 1 else kept * len(whole))])
    with pytest.raises(DamagedError):
        store.read(path, DIGEST)


def test_a_file_of_other_boundaries_is_noticed(path: Path) -> None:
    with pytest.raises(DamagedError, match="other boundaries"):
        store.read(path, "another")


def test_a_damaged_file_is_as_good_as_none(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    assert shelf.take(path.parent, DIGEST) is None


def test_a_write_that_breaks_off_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    shelf.put(path.parent, DIGEST, built())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_files_of_no_edition_are_cleared_away(path: Path) -> None:
    stray, part = path.parent / "stray.index", path.parent / "left.part"
    stray.touch()
    part.touch()
    assert set(shelf.clear(path.parent, [DIGEST])) == {stray, part}
    assert path.exists()


def test_one_process_builds_at_a_time(tmp_path: Path) -> None:
    with shelf.sole_builder(tmp_path, wait=False) as first, shelf.sole_builder(tmp_path, wait=False) as second:
        assert (first, second) == (True, False)
    with shelf.sole_builder(tmp_path, wait=False) as third:
        assert third


def test_units_are_drawn_again_as_they_were() -> None:
    city = box(120, 30, 124, 34)
    hole = city.difference(box(121, 31, 122, 32))
    island = box(121, 31, 122, 32).union(box(123, 35, 124, 36))
    index = memory.over([hole, island, city])
    drawn = index.geometry([0, 1, 2])
    for shape, again in zip((hole, island, city), drawn, strict=True):
        assert again.is_valid
        assert again.equals(shape)

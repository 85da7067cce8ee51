"""A city's own table of lights: codes, colours, shapes and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gis.errors import Invalid
from gis.issues import lights

HEAD = "light,colour,shape,name_zh,name_en,stages"


def written(tmp_path: Path, row: str) -> Path:
    path = tmp_path / "lights.csv"
    path.write_text(f"{HEAD}\nblue,#0000ff,circle,已结案,Closed,closed evaluated\n{row}\n", "utf-8")
    return path


def test_a_citys_own_lights_are_read(tmp_path: Path) -> None:
    blue, white = lights.table(written(tmp_path, "white,#ffffff,ring,在办,At work,handling dispatched"))
    assert (blue.colour, blue.name_zh, white.stages) == ("#0000ff", "已结案", ("handling", "dispatched"))


def test_a_light_without_a_shape_of_its_own_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"lights\.shape") as refused:
        lights.table(written(tmp_path, "white,#ffffff,,在办,At work,handling"))
    assert refused.value.params["row"] == 3


def test_a_stage_that_is_none_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"lights\.stage") as refused:
        lights.table(written(tmp_path, "white,#ffffff,ring,在办,At work,asleep"))
    assert (refused.value.params["row"], refused.value.params["stage"]) == (3, "asleep")


def test_the_table_we_ship_tells_every_stage_that_waits_for_somebody_by_colour_shape_and_word() -> None:
    shown = lights.table()
    stages = {stage for each in shown for stage in each.stages}
    assert {"overdue", "dispatched", "handling", "fed_back", "closed"} <= stages
    assert all(each.colour and each.shape and each.name_zh and each.name_en for each in shown)
    assert len({each.shape for each in shown if each.code in {"red", "yellow", "green", "orange"}}) == 4

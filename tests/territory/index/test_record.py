"""While an index is missing PostGIS answers: the same questions, the same answers."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, box
from sqlalchemy.orm import Session

from gis.territory import index, units
from gis.territory.index import EditionIndex
from tests import town

# Every vertex and edge of the town's cells, places between, and round about it.
LON, LAT = np.array([town.lonlat(x / 8, y / 8) for x in range(-3, 36) for y in range(-3, 20)]).T
NETS = ("admin", "unit_grid", "police", "planted")


@pytest.fixture
def both(session: Session, request: pytest.FixtureRequest) -> tuple[EditionIndex, EditionIndex]:
    town.build(session)
    town.edition(session, "police", "planted", planted())
    name = request.param
    edition = next(each for each in units.active(session) if name in (each.net, each.name))
    return index.build(session, edition), index.asked(session, edition)


def planted() -> list[town.Lot]:
    """Plant an overlap, a gap, a unit drawn twice, a hole, and a unit of two parts."""
    hole = town.field(2.25, 0.25, 2.75, 0.75)
    return [
        town.Lot("precinct", "a", town.field(0, 0, 1.5, 2)),
        town.Lot("precinct", "b", town.field(1, 0, 2, 2)),
        town.Lot("precinct", "c", town.field(2.125, 0, 3, 1).difference(hole)),
        town.Lot("precinct", "d", shapely.union_all([town.field(3, 0, 4, 1), town.field(2.125, 1.25, 3, 2)])),
        town.Lot("precinct", "e", town.field(0, 0, 1.5, 2)),
    ]


each_net = pytest.mark.parametrize("both", NETS, indirect=True)


@each_net
def test_both_find_the_same_units_on_every_vertex_and_edge(both: tuple[EditionIndex, EditionIndex]) -> None:
    ours, theirs = both
    for level, found in ours.levels.items():
        assert [each.tolist() for each in found.covering(LON, LAT)] == [
            each.tolist() for each in theirs.levels[level].covering(LON, LAT)
        ]
        assert found.only(LON, LAT).tolist() == theirs.levels[level].only(LON, LAT).tolist()


@each_net
def test_both_agree_which_of_them_hold_the_point_inside(both: tuple[EditionIndex, EditionIndex]) -> None:
    ours, theirs = both
    for level, found in ours.levels.items():
        point, row = found.covering(LON, LAT)
        asked = row, LON[point], LAT[point]
        assert found.interior(*asked).tolist() == theirs.levels[level].interior(*asked).tolist()


@each_net
def test_both_measure_the_same_distances(both: tuple[EditionIndex, EditionIndex]) -> None:
    ours, theirs = both
    lon, lat = LON[::13] + 1.7e-5, LAT[::13] + 2.3e-5
    for level, found in ours.levels.items():
        mine, yours = (each.within(lon, lat, 130.0) for each in (found, theirs.levels[level]))
        assert [each.tolist() for each in mine[:2]] == [each.tolist() for each in yours[:2]]
        assert mine[2] == pytest.approx(yours[2], abs=1e-6)
        assert found.nearest(lon, lat)[0] == pytest.approx(theirs.levels[level].nearest(lon, lat)[0], abs=1e-6)
        assert found.is_near(lon, lat, 130.0).tolist() == theirs.levels[level].is_near(lon, lat, 130.0).tolist()


@each_net
def test_both_part_footprints_alike(both: tuple[EditionIndex, EditionIndex]) -> None:
    ours, theirs = both
    shapes = [
        town.field(0.1, 0.1, 0.2, 0.2), town.field(0.9, 0.9, 2.6, 1.1), town.field(-1, -1, 5, 3),
        town.field(8, 8, 9, 9), box(*town.lonlat(1, 1), *town.lonlat(1.001, 1.001)),
        LineString([town.lonlat(-1, 1), town.lonlat(5, 1.1)]), LineString([town.lonlat(2, 0.2), town.lonlat(2, 0.4)]),
    ]  # fmt: skip
    footprints = np.array(shapes, dtype=object)
    for level, found in ours.levels.items():
        mine, yours = (each.shares(footprints) for each in (found, theirs.levels[level]))
        assert (mine.footprint.tolist(), mine.row.tolist()) == (yours.footprint.tolist(), yours.row.tolist())
        assert mine.share == pytest.approx(yours.share, abs=1e-12)


@each_net
def test_both_name_the_same_units_and_parents(both: tuple[EditionIndex, EditionIndex]) -> None:
    ours, theirs = both
    for level, found in ours.levels.items():
        assert list(found.refs) == list(theirs.levels[level].refs)
        assert found.parent.tolist() == theirs.levels[level].parent.tolist()
    assert ours.codes == theirs.codes


@each_net
def test_both_measure_lines_and_polygons_alike(both: tuple[EditionIndex, EditionIndex]) -> None:
    ours, theirs = both
    for shape in (town.field(0.4, 0.4, 0.45, 0.45), LineString([town.lonlat(5, 5), town.lonlat(6, 6)])):
        for level, found in ours.levels.items():
            assert found.nearest_to(shape)[0] == pytest.approx(theirs.levels[level].nearest_to(shape)[0], abs=1e-6)

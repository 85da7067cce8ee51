"""Points as columns: every row has exactly the answer that the place would get alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import box
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import columns, locate
from gis.territory.columns import BITS, NONE, Columns, Fixes, Grounds
from gis.territory.location import FLAGS, STRADDLES, UNLOCATED, Location
from gis.territory.said import Habits
from tests import town

DAY = date(2025, 6, 1)
LATER = date(2026, 6, 1)
BEFORE = date(2020, 1, 1)
# One step of a double at longitude 120, in units of the town.
ULP = float(np.spacing(120.5)) * 100


@pytest.fixture
def ground(session: Session) -> Session:
    """Give the town with every fault there is, and with a second edition of the precincts."""
    town.nets(session)
    admin = [lot for lot in town.admin() if lot.code != "990102002001"]  # a community is missing: a gap
    stray = town.Lot("community", "990101001009", town.field(2.5, 0.2, 2.7, 0.4), "990101001")  # outside its parent
    twice = town.Lot("subdistrict", "990102009", town.field(3, 0.5, 3.5, 1.5), "990102")  # drawn over its neighbours
    orphan = town.Lot("community", "990102009001", town.field(3.2, 0.9, 3.3, 1.1), "no-such-unit")
    edition = town.edition(session, "admin", "2024", [*admin, stray, twice, orphan], line_sigma_m=2.0)
    town.fault(session, edition, "exclave", "district", town.field(3.5, 0, 4, 0.5))
    town.edition(session, "unit_grid", "2024", town.cells())
    town.edition(session, "governance", "2024", town.grids())
    first = town.edition(session, "police", "2024", town.precincts())
    town.fault(session, first, "gap", "precinct", town.field(4, 1, 4.5, 2))
    moved = [town.Lot("precinct", "p2", town.field(0, 0, 3, 2)), town.Lot("precinct", "p3", town.field(2.5, 0, 4, 2))]
    town.edition(session, "police", "2026", moved, valid_from=date(2026, 1, 1))
    return session


def fixes(spots: Sequence[tuple[float, float]], on: Sequence[date], accuracy_m: Sequence[float | None] = ()) -> Fixes:
    lon, lat = zip(*(town.lonlat(x, y) for x, y in spots), strict=True)
    days = np.array(on, dtype="datetime64[D]")
    stated = columns.numbers(np.array(accuracy_m, dtype=object), "accuracy_m") if accuracy_m else None
    beside = columns.Beside(Habits(accuracy_kind="sigma"), accuracy_m=stated)
    return columns.read(columns.numbers(lon, "lon"), columns.numbers(lat, "lat"), days, beside)


def alone(session: Session, said: Sequence[dict[str, Any]], on: Sequence[date]) -> list[Location]:
    return locate.at_many(session, [locate.parse(each) for each in said], on)


def of_location(found: Location) -> dict[object, Any]:
    """Say what a Location says, in the words of columns."""
    told: dict[object, Any] = {"flags": found.flags, "reason": found.reason or ""}
    for net in found.nets:
        told[net.net] = net.edition
        for level in net.levels:
            likely = [(s.unit.code, s.probability) for s in level.probable]
            primary = level.primary and level.primary.code
            told[net.net, level.level] = (primary, len(level.units), frozenset(level.flags))
            told[net.net, level.level, "odds"] = dict(likely).get(primary, 0.0) if primary and likely else None
            told[net.net, level.level, "likely"] = likely
    return told


def of_row(ground: Grounds, found: Columns, row: int) -> dict[object, Any]:
    """Say what a row says, in the same words."""
    reason = columns.REASONS[found.reason[row]]
    told: dict[object, Any] = {"flags": tuple(flags_of(found.flags[row])), "reason": reason}
    for net in found.nets:
        if net.edition[row] == NONE:
            continue
        told[net.net] = net.editions[net.edition[row]].name
        for level in net.levels:
            refs = ground.rolls[net.net, level.level]
            primary = None if level.primary[row] == NONE else refs[level.primary[row]].code
            told[net.net, level.level] = (primary, int(level.units_n[row]), frozenset(flags_of(level.flags[row])))
            odds = None if level.probability is None else float(level.probability[row])
            told[net.net, level.level, "odds"] = None if odds is None or np.isnan(odds) else odds
            likely: list[tuple[str, float]] = []
            if level.candidates is not None:
                at = np.flatnonzero(level.candidates.point == row)
                codes = [refs[each].code for each in level.candidates.row[at]]
                likely = list(zip(codes, level.candidates.probability[at].tolist(), strict=True))
            told[net.net, level.level, "likely"] = likely
    return told


def flags_of(bits: int) -> list[str]:
    return [flag for flag, bit in BITS.items() if int(bits) & bit]


def assert_as_alone(session: Session, spots: Sequence[tuple[float, float]], on: Sequence[date]) -> None:
    for accuracy_m in (None, 40.0):
        stated = [None if nth % 3 == 0 else accuracy_m for nth in range(len(spots))] if accuracy_m else []
        asked = columns.grounds(session)
        found = columns.at(asked, fixes(spots, on, stated))
        said = [dict(zip(("lon", "lat"), town.lonlat(x, y), strict=True)) for x, y in spots]
        for nth, each in enumerate(stated):
            said[nth] |= {"accuracy_m": each, "accuracy_kind": "sigma"}  # type: ignore[dict-item]
        for row, location in enumerate(alone(session, said, on)):
            assert of_row(asked, found, row) == of_location(location), (spots[row], on[row], stated[row : row + 1])


def test_every_vertex_edge_and_fault_of_the_town_is_answered_as_alone(ground: Session) -> None:
    spots = [(x / 4, y / 4) for x in range(-1, 18) for y in range(-1, 10)]
    assert_as_alone(ground, spots, [(DAY, LATER, BEFORE)[nth % 3] for nth in range(len(spots))])


def test_one_step_beside_a_vertex_or_edge_is_answered_as_alone(ground: Session) -> None:
    steps = [(dx * ULP, dy * ULP) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    spots = [(x + dx, y + dy) for x in (1.5, 2, 2.5, 3, 4) for y in (0, 0.5, 1, 2) for dx, dy in steps]
    assert_as_alone(ground, spots, [DAY] * len(spots))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.floats(-0.5, 4.5), st.floats(-0.5, 2.5), st.sampled_from([DAY, LATER, BEFORE])),
        min_size=1,
        max_size=40,
    )
)
def test_any_points_on_any_days_are_answered_as_alone(
    ground: Session, points: list[tuple[float, float, date]]
) -> None:
    assert_as_alone(ground, [(x, y) for x, y, _ in points], [day for _, _, day in points])


def test_a_unit_in_two_editions_stands_twice_in_the_roll_and_once_in_each_answer(ground: Session) -> None:
    asked = columns.grounds(ground)
    found = columns.at(asked, fixes([(1, 1.5), (1, 1.5)], [DAY, LATER]))
    police = next(net for net in found.nets if net.net == "police")
    refs = asked.rolls["police", "precinct"]
    assert [refs[row].code for row in police.levels[0].primary] == ["p1", "p2"]
    assert [police.editions[nth].name for nth in police.edition] == ["2024", "2026"]


def test_no_points_have_no_answers(ground: Session) -> None:
    none = np.empty(0)
    found = columns.at(
        columns.grounds(ground),
        columns.read(columns.numbers(none, "lon"), columns.numbers(none, "lat"), none.astype("datetime64[D]")),
    )
    assert (len(found), found.nets) == (0, ())


def test_the_ground_of_these_tests_raises_every_flag_a_point_can_have(ground: Session) -> None:
    spots = [(x / 4, y / 4) for x in range(-1, 18) for y in range(-1, 10)]
    found = columns.at(columns.grounds(ground), fixes(spots, [DAY] * len(spots)))
    raised = {flag for net in found.nets for level in net.levels for bits in level.flags for flag in flags_of(bits)}
    assert raised == set(FLAGS) - {STRADDLES, UNLOCATED}


def test_swapped_coordinates_within_ninety_degrees_are_found_by_the_ground(session: Session) -> None:
    session.execute(text("INSERT INTO net VALUES ('n', 'n', 'n', 0)"))
    session.execute(text("INSERT INTO level VALUES ('n', 'l', 0, 'l', 'l', '#555555', true)"))
    town.edition(session, "n", "1", [town.Lot("l", "1", box(-74.1, 40.6, -73.8, 40.9))])
    lon, lat = columns.numbers([-73.95, 40.7, 10.7], "lon"), columns.numbers([40.7, -73.95, -33.95], "lat")
    found = columns.at(columns.grounds(session), columns.read(lon, lat, np.full(3, np.datetime64(DAY))))
    assert [columns.REASONS[each] for each in found.reason] == ["", "locate.swapped", ""]
    assert [flags_of(each) for each in found.flags] == [[], ["unlocated"], ["outside"]]
    assert found.nets[0].levels[0].primary.tolist() == [0, NONE, NONE]

"""Border strips: what lies in one, how long its line is, and what holds at corners, edges and new editions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from shapely.geometry import LineString
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.issues.evaluation import Period
from gis.planning import borders, lines
from gis.planning.borders import Question, Strip
from gis.territory import units
from tests import town
from tests.planning import bordered
from tests.planning.bordered import COMMUNITY, DISTRICT, E, W, asked, at, metres, put

MIDDLE = ("990101001002", "990101002002", "990102001001", "990102002001")


@pytest.fixture(autouse=True)
def _town(session: Session) -> None:
    bordered.build(session)


def only(session: Session, question: Question | None = None) -> Strip:
    """Return the one strip of the two districts."""
    [strip] = borders.strips(session, question or asked()).rows
    return strip


class TestTheStrip:
    def test_it_lies_between_two_units_that_share_a_line(self, session: Session) -> None:
        assert only(session).key == f"{W}|{E}"

    def test_its_length_is_geodesic(self, session: Session) -> None:
        # two hundredths of a degree of latitude at 30.26 N
        assert only(session).length_m == pytest.approx(2217.12, abs=0.05)

    def test_it_holds_exactly_what_comes_within_its_width(self, session: Session) -> None:
        for nth, x_m in enumerate((-51, -49, -10, 10, 49, 51), start=1):
            put(session, nth, *metres(x_m, 300))
        strip = only(session)
        assert (strip.issues_n, strip.a_n, strip.b_n, strip.both_n) == (4, 2, 2, 0)

    def test_an_issue_on_the_line_counts_once_and_on_both_sides(self, session: Session) -> None:
        put(session, 1, 2.0, 0.5)
        strip = only(session)
        assert (strip.issues_n, strip.a_n, strip.b_n, strip.both_n, strip.part) == (1, 1, 1, 1, 1.0)

    def test_a_footprint_across_the_line_counts_once_and_on_both_sides(self, session: Session) -> None:
        ground = LineString([town.lonlat(1.9, 0.5), town.lonlat(2.1, 0.5)])
        put(session, 1, 1.9, 0.5, point=ground.wkt)
        strip = only(session, asked(width_m=5.0))
        assert (strip.issues_n, strip.both_n) == (1, 1)

    def test_issues_for_each_kilometre(self, session: Session) -> None:
        for nth in range(1, 5):
            put(session, nth, *metres(10.0 * nth, 300))
        strip = only(session)
        assert strip.per_km == pytest.approx(4 / 2.21712, rel=1e-4)

    def test_a_line_shorter_than_the_width_is_not_ranked(self, session: Session) -> None:
        assert replace(only(session), length_m=49.0).per_km is None

    @pytest.mark.parametrize("width_m", [0.0, -1.0, 501.0, float("nan")])
    def test_a_width_that_is_none_is_refused(self, width_m: float) -> None:
        with pytest.raises(Invalid):
            asked(width_m=width_m)


class TestCorners:
    def test_where_four_meet_an_issue_counts_in_each_strip_once(self, session: Session) -> None:
        put(session, 1, 2.0, 1.0)
        found = borders.strips(session, asked(COMMUNITY)).rows
        assert [(strip.issues_n, strip.part) for strip in found if strip.issues_n] == [(1, 0.25)] * 4

    def test_parts_of_an_issue_make_one(self, session: Session) -> None:
        put(session, 1, *metres(10, 20))
        found = borders.strips(session, asked(COMMUNITY))
        assert sum(strip.part for strip in found.rows) == pytest.approx(1.0)
        assert (found.near_n, found.all_n) == (1, 1)

    def test_an_issue_on_the_ground_of_a_third_unit_lies_not_in_the_strip(self, session: Session) -> None:
        # north-east of the corner: near the end of the southern line, on the ground of none of its two
        put(session, 1, *metres(10, 20))
        south = borders.strips(session, asked(COMMUNITY))[f"{MIDDLE[0]}|{MIDDLE[2]}"]
        assert south is not None
        assert south.issues_n == 0

    def test_units_with_a_corner_in_common_share_no_line(self, session: Session) -> None:
        assert borders.strips(session, asked(COMMUNITY))[f"{MIDDLE[0]}|{MIDDLE[3]}"] is None

    def test_the_edge_of_the_city_is_no_border(self, session: Session) -> None:
        put(session, 1, *metres(5, 0, x=0.0, y=0.5))
        found = borders.strips(session, asked())
        assert (found.near_n, found.all_n) == (0, 1)


class TestEditions:
    """From 16 May on the district line lies 0.1 (some 960 m) further east."""

    @pytest.fixture(autouse=True)
    def _moved(self, session: Session) -> None:
        lots = [
            replace(lot, geometry=town.field(0, 0, 2.1, 2) if lot.code == W else town.field(2.1, 0, 4, 2))
            for lot in town.admin() if lot.level == "district"
        ]  # fmt: skip
        town.edition(session, "admin", "2024b", [town.admin()[0], *lots], valid_from=date(2024, 5, 16))

    def test_an_issue_goes_by_the_edition_of_its_day(self, session: Session) -> None:
        early, late = at(date(2024, 5, 15)), at(date(2024, 5, 16))
        for nth, (x, when) in enumerate([(2.0, early), (2.0, late), (2.1, early), (2.1, late)], start=1):
            put(session, nth, x, 0.5, reported_at=when)
        assert sorted(only(session).issues) == sorted(session.scalars(text(
            "SELECT id FROM issue WHERE external_id IN ('1', '4')")))  # fmt: skip

    def test_the_length_is_that_of_the_average_day(self, session: Session) -> None:
        before = replace(asked(), period=Period(at(date(2024, 5, 1)), at(date(2024, 5, 10))))
        assert only(session).length_m == pytest.approx(only(session, before).length_m, rel=1e-6)

    def test_the_day_changes_at_the_citys_midnight(self, session: Session) -> None:
        put(session, 1, 2.1, 0.5, reported_at=at(date(2024, 5, 16)).replace(day=15, hour=16))
        assert only(session).issues_n == 1


class TestWhatCounts:
    def test_another_period_does_not(self, session: Session) -> None:
        put(session, 1, 2.0, 0.5, reported_at=at(date(2024, 6, 1)))
        assert borders.strips(session, asked()).all_n == 0

    @pytest.mark.parametrize("state", ["rejected", "voided", "merged"])
    def test_what_was_refused_or_merged_does_not(self, session: Session, state: str) -> None:
        put(session, 1, 2.0, 0.5, state=state)
        assert only(session).issues_n == 0

    def test_another_category_does_not(self, session: Session) -> None:
        put(session, 1, 2.0, 0.5)
        assert only(session, asked(categories=("0502",))).issues_n == 0

    def test_a_major_class_stands_for_all_under_it(self, session: Session) -> None:
        session.execute(text("INSERT INTO category VALUES ('gb', '1', '05', NULL, '大类', 'Major', NULL, 1)"))
        session.execute(text("UPDATE category SET parent = '05' WHERE code = '0501'"))
        assert borders.majors(session, "05") == ("05", "0501")


def test_most_trouble_comes_first_and_few_issues_after_many(session: Session) -> None:
    west, east = f"{MIDDLE[0]}|{MIDDLE[2]}", f"{MIDDLE[1]}|{MIDDLE[3]}"
    for nth in range(1, 7):
        put(session, nth, *metres(20, -100.0 * nth))
    for nth in range(7, 11):
        put(session, nth, *metres(20, 100.0 * (nth - 6)))
    found = borders.strips(session, asked(COMMUNITY)).rows
    assert [(strip.key, strip.is_few) for strip in found[:2]] == [(west, False), (east, True)]


@pytest.mark.parametrize("net", ["governance:grid", "unit_grid:cell", COMMUNITY, "admin:subdistrict"])
def test_neighbours_are_those_of_the_record(session: Session, net: str) -> None:
    level = net.partition(":")[2]
    edition = units.of_net(session, net.partition(":")[0], town.SINCE)
    drawn = lines.of(session, edition, level)
    told = bordered.by_postgis(session, net, 1.0)
    ours = {
        f"{drawn.units[int(a)].code}|{drawn.units[int(b)].code}": metres_
        for a, b, metres_ in zip(drawn.a, drawn.b, drawn.length_m, strict=True)
    }
    assert ours == pytest.approx({key: length_m for key, (_, length_m) in told.items()}, rel=1e-6)


SPOTS = st.tuples(st.floats(0.001, 3.999), st.floats(0.001, 1.999))
NEAR_THE_CORNER = st.tuples(st.floats(1.98, 2.02), st.floats(0.98, 1.02))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spots=st.lists(st.one_of(SPOTS, NEAR_THE_CORNER), max_size=25), width_m=st.sampled_from([7.0, 53.0, 211.0]))
def test_strips_are_what_postgis_counts_and_parts_add_up(
    session: Session, spots: list[tuple[float, float]], width_m: float
) -> None:
    tried = session.begin_nested()
    for nth, (x, y) in enumerate(spots, start=1):
        put(session, nth, x, y)
    found = borders.strips(session, asked(COMMUNITY, width_m))
    # Within 2 cm of the width the plane and the ellipsoid may differ.
    inner, outer = (bordered.by_postgis(session, COMMUNITY, width_m + more) for more in (-0.02, 0.02))
    tried.rollback()
    for strip in found.rows:
        assert inner[strip.key][0] <= strip.issues_n <= outer[strip.key][0]
        assert len(set(strip.issues)) == strip.issues_n == strip.a_n + strip.b_n - strip.both_n
    assert sum(strip.part for strip in found.rows) == pytest.approx(found.near_n)
    assert found.near_n <= found.all_n == len(spots)


def test_neighbours_that_put_vertices_differently_share_their_whole_line(session: Session) -> None:
    lots = [
        town.Lot("precinct", "q1", town.field(0, 0, 2, 2)),
        town.Lot("precinct", "q2", town.field(2, 0, 4, 1)),
        town.Lot("precinct", "q3", town.field(2, 1, 4, 2)),
    ]
    town.edition(session, "police", "2025", lots, valid_from=date(2024, 5, 1))
    found = {strip.key: strip for strip in borders.strips(session, asked("police:precinct")).rows}
    assert sorted(found) == ["q1|q2", "q1|q3", "q2|q3"]
    for key in ("q1|q2", "q1|q3"):
        west, _, east, _ = found[key].geometry.bounds
        assert (west, east) == (town.lonlat(2, 0)[0],) * 2


def test_without_ground_there_are_no_strips(session: Session) -> None:
    long_ago = Period(at(date(2020, 1, 1)), at(date(2020, 2, 1)))
    assert borders.strips(session, replace(asked(DISTRICT), period=long_ago)).rows == ()

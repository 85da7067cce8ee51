"""Patrols: what was walked counts once, covers what it entered, and is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Invalid, NotFound
from gis.people import accounts, areas, patrols
from gis.people.accounts import Newcomer
from gis.people.patrols import Fix, Ground, Walk
from gis.territory import units
from tests import town

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
MORNING, NIGHT = NOW - timedelta(hours=4), NOW + timedelta(hours=20)
GRID = "governance:grid:990101001001001"
DAY = date(2026, 6, 1)


@pytest.fixture
def ground(session: Session) -> Ground:
    """Give the ground of a grid with two cells: x 0..0.5 and 0.5..1 of y 0..1."""
    town.build(session)
    as_leader(session, "li")
    in_force = units.in_force(session, DAY)
    ids = [unit.id for unit in units.patch(session, [GRID], DAY)]
    return Ground(ids, [edition.id for edition in in_force], "unit_grid", "cell")


def as_leader(session: Session, username: str) -> None:
    db.see_as(session, Scope(units=(("governance", "grid", "990101001001001"),), role="leader", username=username))


def fix(x: float, y: float, minute: int = 0, accuracy_m: float = 8) -> Fix:
    lon, lat = town.lonlat(x, y)
    return Fix(NOW + timedelta(minutes=minute), lon, lat, accuracy_m)


def walked(session: Session, *fixes: Fix, client_id: str = "a", username: str = "li") -> int:
    return patrols.keep(session, username, Walk(client_id, fixes, NOW))


def covered(session: Session, ground: Ground) -> tuple[int, int]:
    found = patrols.coverage(session, "li", ground, MORNING, NIGHT)
    return found.cells_visited_n, found.cells_n


def test_nobody_walked_yet(session: Session, ground: Ground) -> None:
    assert covered(session, ground) == (0, 2)


def test_a_cell_that_was_entered_is_covered(session: Session, ground: Ground) -> None:
    walked(session, fix(0.25, 0.5), fix(0.3, 0.5, 1))
    assert covered(session, ground) == (1, 2)


def test_a_fix_on_the_line_between_two_cells_covers_both(session: Session, ground: Ground) -> None:
    walked(session, fix(0.5, 0.5))
    assert covered(session, ground) == (2, 2)


def test_ground_that_is_not_the_patch_does_not_count(session: Session, ground: Ground) -> None:
    walked(session, fix(1.5, 0.5), fix(0.25, 1.5, 1))
    assert covered(session, ground) == (0, 2)


@pytest.mark.parametrize(("accuracy_m", "visited_n"), [(50, 1), (51, 0)])
def test_a_fix_that_may_be_anywhere_covers_nothing(
    session: Session, ground: Ground, accuracy_m: float, visited_n: int
) -> None:
    walked(session, fix(0.25, 0.5, accuracy_m=accuracy_m))
    assert covered(session, ground) == (visited_n, 2)


def test_what_is_sent_twice_counts_once(session: Session, ground: Ground) -> None:
    assert (walked(session, fix(0.25, 0.5)), walked(session, fix(0.25, 0.5))) == (1, 0)
    assert session.scalar(text("SELECT count(*) FROM patrol")) == 1


def test_what_comes_after_the_end_does_not_open_it_again(session: Session, ground: Ground) -> None:
    patrols.keep(session, "li", Walk("a", (), NOW, NOW + timedelta(hours=1)))
    walked(session, fix(0.25, 0.5))
    assert session.scalar(text("SELECT ended_at FROM patrol")) == NOW + timedelta(hours=1)


def test_yesterday_does_not_count_today(session: Session, ground: Ground) -> None:
    walked(session, replace(fix(0.25, 0.5), at=MORNING - timedelta(seconds=1)))
    assert covered(session, ground) == (0, 2)


def test_another_leader_of_the_same_grid_sees_no_track_of_mine(session: Session, ground: Ground) -> None:
    walked(session, fix(0.25, 0.5))
    as_leader(session, "wang")
    assert patrols.tracks(session, "li", MORNING, NIGHT) == []
    assert session.scalar(text("SELECT count(*) FROM patrol_fix")) == 0


def test_a_track_is_the_line_in_its_order(session: Session, ground: Ground) -> None:
    walked(session, fix(0.3, 0.5, 1), fix(0.25, 0.5, 0))
    [track] = patrols.tracks(session, "li", MORNING, NIGHT)
    assert track["line"] == [[120.5025, 30.255], [120.503, 30.255]]


def test_a_street_is_walked_along_within_reach_of_its_edge(session: Session, ground: Ground) -> None:
    db.see_as(session, db.EVERYTHING)
    _street(session, "南街", town.field(0, 0.1, 1, 0.11).wkt)
    _street(session, "北街", town.field(0, 0.9, 1, 0.91).wkt)
    as_leader(session, "li")
    walked(session, fix(0.25, 0.105))
    found = patrols.coverage(session, "li", ground, MORNING, NIGHT)
    assert (found.streets_walked_n, found.streets_n) == (1, 2)


def test_who_answers_for_a_line_is_asked_for_no_other_street(session: Session, ground: Ground) -> None:
    db.see_as(session, db.EVERYTHING)
    _street(session, "南街", town.field(0, 0.1, 1, 0.11).wkt)
    found = patrols.coverage(session, "li", replace(ground, lanes=False), MORNING, NIGHT)
    assert (found.cells_n, found.streets_n) == (2, 0)


def _street(session: Session, name: str, wkt: str) -> None:
    session.execute(
        text("""
        INSERT INTO street (source, external_id, name, name_en, aliases, road_class, length_m, area_m2, attributes,
                            geom)
        VALUES ('town', :name, :name, :name, '{}', 'street', 900, 9000, '{}', ST_Multi(ST_GeomFromText(:wkt, 4326)))
        """),
        {"name": name, "wkt": wkt},
    )


def test_tracks_are_forgotten_after_their_days(session: Session, ground: Ground) -> None:
    walked(session, fix(0.25, 0.5))
    db.see_as(session, db.EVERYTHING)
    assert (patrols.forget(session, NOW), patrols.forget(session, NOW + timedelta(seconds=1))) == (0, 1)
    assert session.scalar(text("SELECT count(*) FROM patrol_fix")) == 0


GOOD = {"patrol": "a", "started_at": NOW.isoformat(), "fixes": []}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (GOOD | {"patrol": ""}, "patrol.no_number"),
        (GOOD | {"patrol": "x" * 81}, "patrol.no_number"),
        (GOOD | {"fixes": [{}] * 501}, "patrol.too_many_fixes"),
        (GOOD | {"fixes": ["here"]}, "patrol.bad_fix"),
        (GOOD | {"fixes": [{"lon": 181, "lat": 0, "accuracy_m": 1, "at": NOW.isoformat()}]}, "patrol.bad_fix"),
        (GOOD | {"fixes": [{"lon": 120, "lat": 30, "accuracy_m": -1, "at": NOW.isoformat()}]}, "patrol.bad_fix"),
        (GOOD | {"fixes": [{"lon": 120, "lat": True, "accuracy_m": 1, "at": NOW.isoformat()}]}, "patrol.bad_fix"),
        (GOOD | {"fixes": [{"lon": 120, "lat": 30, "accuracy_m": 1, "at": "now"}]}, "report.bad_time"),
        (GOOD | {"started_at": "2026-06-01T00:00:00"}, "report.bad_time"),
    ],
)
def test_what_is_no_walk_is_refused(said: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        patrols.parse(said, now=NOW)
    assert refused.value.code == code


def test_a_clock_that_runs_ahead_is_taken_for_now() -> None:
    assert patrols.parse(GOOD | {"started_at": "2030-01-01T00:00:00+00:00"}, now=NOW).started_at == NOW


# ---- who answers for a line


def chief(session: Session, wkt: str, role: str = "river_chief") -> Scope:
    """Give an account a post on a line of the town, and return what it may see."""
    area_id = session.scalar(
        text("""
        INSERT INTO responsibility_area (role, name, name_en, person, valid_from, geom)
        VALUES (:role, '西河', 'West River', '河', '2024-01-01', ST_GeomFromText(:wkt, 4326)) RETURNING id
        """),
        {"role": role, "wkt": wkt},
    )
    account = accounts.add(session, Newcomer("he", "a long password", "he", "leader"), now=NOW)
    accounts.give_post(session, "he", (areas.NET, role, str(area_id)), start=date(2024, 1, 1))
    return accounts.scope_of(session, account, DAY)


def line(*points: tuple[float, float]) -> str:
    return f"LINESTRING({', '.join('{} {}'.format(*town.lonlat(*point)) for point in points)})"


def test_a_chief_sees_the_cells_the_line_runs_through(session: Session) -> None:
    town.build(session)
    scope = chief(session, line((0.1, 0.5), (0.9, 0.5)))
    assert [code for _, _, code in scope.units] == ["990101001001001", "990101001001002"]
    assert {unit[:2] for unit in scope.units} == {("unit_grid", "cell")}


def test_a_chief_sees_the_cells_beside_the_line_too(session: Session) -> None:
    town.build(session)
    # some 19 m west of the line between two cells
    scope = chief(session, line((0.48, 0.2), (0.48, 0.8)))
    assert [code for _, _, code in scope.units] == ["990101001001001", "990101001001002"]


def test_a_post_on_an_area_that_ended_shows_nothing(session: Session) -> None:
    town.build(session)
    chief(session, line((0.1, 0.5), (0.9, 0.5)))
    session.execute(text("UPDATE responsibility_area SET valid_to = '2026-06-01'"))
    account = accounts.get(session, "he")
    assert accounts.scope_of(session, account, DAY) == Scope(role="leader", username="he")
    assert areas.of_account(session, "he", DAY) == []


def test_a_line_is_found_by_its_name_or_its_number(session: Session) -> None:
    town.build(session)
    _, _, number = chief_post(session)
    assert areas.find(session, "river_chief", "西河", DAY) == areas.find(session, "river_chief", number, DAY)


def chief_post(session: Session) -> tuple[str, str, str]:
    chief(session, line((0.1, 0.5), (0.9, 0.5)))
    row = session.execute(text("SELECT net, level, unit_code FROM post ORDER BY id DESC LIMIT 1")).one()
    return (row.net, row.level, row.unit_code)


def test_of_two_lines_of_one_name_neither_is_taken(session: Session) -> None:
    town.build(session)
    chief(session, line((0.1, 0.5), (0.9, 0.5)))
    session.execute(
        text("""
        INSERT INTO responsibility_area (role, name, name_en, person, valid_from, geom)
        SELECT role, name, name_en, '海', valid_from, geom FROM responsibility_area
        """)
    )
    with pytest.raises(Conflict) as several:
        areas.find(session, "river_chief", "西河", DAY)
    assert "海" in str(several.value.params["areas"])
    with pytest.raises(NotFound):
        areas.find(session, "street_chief", "西河", DAY)

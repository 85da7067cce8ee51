"""Where is it: the whole answer on the town's ground, at its edges, by date, with every flag."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from math import erf, sqrt

import pytest
from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import coords, locate, units
from gis.territory.index import edition as index_edition
from gis.territory.location import LevelAnswer, Location
from tests import town

DAY = date(2025, 6, 1)


@pytest.fixture
def ground(session: Session) -> Session:
    town.build(session)
    return session


def find(session: Session, x: float, y: float, on: date = DAY, **said: object) -> Location:
    lon, lat = town.lonlat(x, y)
    return locate.at(session, locate.parse({"lon": lon, "lat": lat} | said), on)


def find_shape(session: Session, geometry: BaseGeometry, on: date = DAY) -> Location:
    return locate.at(session, locate.parse({"geometry": mapping(geometry)}), on)


def level(found: Location, net: str, code: str) -> LevelAnswer:
    answer = found.net(net)
    assert answer is not None
    return next(each for each in answer.levels if each.level == code)


def chain(found: Location, net: str) -> list[str]:
    answer = found.net(net)
    assert answer is not None
    return [unit.code for unit in answer.chain]


def covering(found: Location, net: str, code: str) -> list[str]:
    return [standing.unit.code for standing in level(found, net, code).units]


def test_a_point_has_its_full_chain_in_every_net(ground: Session) -> None:
    found = find(ground, 0.6, 0.5)
    assert chain(found, "admin") == ["9901", "990101", "990101001", "990101001001"]
    assert chain(found, "unit_grid") == ["990101001001002"]
    assert chain(found, "governance") == ["990101001001001"]
    assert chain(found, "police") == ["p1"]


def test_the_answer_names_the_edition(ground: Session) -> None:
    answer = find(ground, 0.6, 0.5).net("admin")
    assert answer is not None
    assert answer.edition == "2024"


def test_a_point_on_a_shared_edge_lists_both_sides_at_every_level(ground: Session) -> None:
    found = find(ground, 2, 0.5)
    assert covering(found, "admin", "district") == ["990101", "990102"]
    assert covering(found, "admin", "community") == ["990101001002", "990102001001"]
    assert covering(found, "unit_grid", "cell") == ["990101001002002", "990102001001001"]


def test_the_primary_chain_on_an_edge_never_contradicts_itself(ground: Session) -> None:
    found = find(ground, 2, 1)
    assert chain(found, "admin") == ["9901", "990101", "990101001", "990101001002"]
    assert chain(found, "unit_grid") == ["990101001002002"]
    assert chain(found, "governance") == ["990101001002001"]


@pytest.mark.parametrize(("x", "y"), [(x / 2, y / 2) for x in range(9) for y in range(5)])
def test_every_vertex_has_one_chain_and_children_stand_under_their_parents(ground: Session, x: float, y: float) -> None:
    found = find(ground, x, y)
    admin = chain(found, "admin")
    assert len(admin) == 4
    assert all(low.startswith(high) for high, low in pairwise(admin))
    assert chain(found, "unit_grid")[0].startswith(admin[-1])
    assert chain(found, "governance")[0].startswith(admin[-1])


def test_three_metres_inside_at_sigma_five_is_0_726(ground: Session) -> None:
    lon, lat = town.lonlat(2, 0.5)
    inside = float(coords.Plane(lon, lat).lonlat(-3.0, 0.0)[0])
    place = locate.parse({"lon": inside, "lat": lat, "accuracy_m": 5, "accuracy_kind": "sigma"})
    probable = level(locate.at(ground, place, DAY), "admin", "district").probable
    assert [standing.unit.code for standing in probable] == ["990101", "990102"]
    assert probable[0].probability == pytest.approx(0.5 * (1 + erf(0.6 / sqrt(2))), abs=1e-6)
    assert sum(standing.probability or 0 for standing in probable) == pytest.approx(1, abs=1e-6)


def test_the_line_s_own_error_counts(session: Session) -> None:
    town.nets(session)
    town.edition(session, "admin", "2024", town.admin(), line_sigma_m=4.0)
    lon, lat = town.lonlat(2, 0.5)
    inside = float(coords.Plane(lon, lat).lonlat(-3.0, 0.0)[0])
    place = locate.parse({"lon": inside, "lat": lat, "accuracy_m": 3, "accuracy_kind": "sigma"})
    probable = level(locate.at(session, place, DAY), "admin", "district").probable
    assert probable[0].probability == pytest.approx(0.5 * (1 + erf(0.6 / sqrt(2))), abs=1e-6)


def test_far_from_any_line_the_covering_unit_is_certain(ground: Session) -> None:
    found = find(ground, 1, 0.5, accuracy_m=5, accuracy_kind="sigma")
    district = level(found, "admin", "district").probable
    assert [(standing.unit.code, standing.probability) for standing in district] == [("990101", 1.0)]


def test_without_an_accuracy_there_is_no_probability(ground: Session) -> None:
    assert level(find(ground, 1.99, 0.5), "admin", "district").probable == ()


def test_within_thirty_metres_of_a_dividing_line_is_near_when_no_accuracy_is_known(ground: Session) -> None:
    assert find(ground, 1.9995, 0.5).flags == ("near_boundary",)
    assert find(ground, 1.9, 0.55).flags == ()


def test_near_is_three_sigma_when_the_accuracy_is_known(ground: Session) -> None:
    assert "near_boundary" not in find(ground, 1.95, 0.5, accuracy_m=10, accuracy_kind="sigma").flags
    assert "near_boundary" in find(ground, 1.95, 0.5, accuracy_m=20, accuracy_kind="sigma").flags


def test_a_line_that_parts_no_responsibility_flags_its_level_only(ground: Session) -> None:
    found = find(ground, 1.0, 0.5)
    assert "near_boundary" in level(found, "admin", "community").flags
    assert found.flags == ()


def test_the_distance_to_the_line_is_given_at_each_level(ground: Session) -> None:
    found = find(ground, 1.9, 0.5)
    assert level(found, "admin", "district").boundary_m == pytest.approx(96.5, abs=0.5)
    assert level(found, "admin", "city").boundary_m == pytest.approx(555, abs=2)


def test_a_building_across_the_line_has_a_third_and_two_thirds(ground: Session) -> None:
    found = find_shape(ground, town.field(1.99, 0.5, 2.02, 0.52))
    district = level(found, "admin", "district")
    assert {s.unit.code: s.share for s in district.units} == pytest.approx({"990101": 1 / 3, "990102": 2 / 3}, abs=1e-9)
    assert "straddles" in found.flags


def test_the_larger_share_is_primary(ground: Session) -> None:
    assert chain(find_shape(ground, town.field(1.99, 0.5, 2.02, 0.52)), "admin")[:2] == ["9901", "990102"]


def test_a_part_smaller_than_a_sliver_does_not_straddle(ground: Session) -> None:
    assert "straddles" not in find_shape(ground, town.field(1.99, 0.5, 2.0000001, 0.52)).flags


def test_a_footprint_half_off_the_map_says_how_much_is_nobody_s(ground: Session) -> None:
    city = level(find_shape(ground, town.field(3.99, 0.5, 4.01, 0.52)), "admin", "city")
    assert city.uncovered == pytest.approx(0.5, abs=1e-9)
    assert sum(s.share or 0 for s in city.units) + (city.uncovered or 0) - (city.overlap or 0) == pytest.approx(1)


def test_between_two_editions_the_date_decides(ground: Session) -> None:
    moved = [lot for lot in town.precincts() if lot.code == "nobody"]
    moved += [town.Lot("precinct", "p1", town.field(0, 0, 3, 2)), town.Lot("precinct", "p2", town.field(3, 0, 4, 2))]
    town.edition(ground, "police", "2026", moved, valid_from=date(2026, 1, 1))
    assert chain(find(ground, 2.5, 1.5, date(2025, 12, 31)), "police") == ["p2"]
    assert chain(find(ground, 2.5, 1.5, date(2026, 1, 1)), "police") == ["p1"]


def test_before_the_first_edition_no_net_answers(ground: Session) -> None:
    assert find(ground, 0.6, 0.5, date(2020, 1, 1)).nets == ()


def test_outside_every_net_is_outside_with_the_nearest_unit(ground: Session) -> None:
    found = find(ground, 4.01, 1.5)
    district = level(found, "admin", "district")
    assert found.flags == ("outside",)
    assert district.nearest is not None
    assert (district.nearest.code, round(district.nearest_m or 0)) == ("990102", 10)


def test_a_gap_among_communities_is_a_gap_with_the_nearest_one(session: Session) -> None:
    town.nets(session)
    lots = [lot for lot in town.admin() if lot.code != "990101001002"]
    town.edition(session, "admin", "2024", lots)
    found = find(session, 1.1, 0.5)
    community = level(found, "admin", "community")
    assert "in_gap" in found.flags
    assert community.primary is None
    assert community.nearest is not None
    assert community.nearest.code == "990101001001"


def test_a_gap_recorded_at_the_load_is_a_gap(session: Session) -> None:
    town.nets(session)
    edition = town.edition(session, "police", "2024", town.precincts()[:1])
    town.fault(session, edition, "gap", "precinct", town.field(1.5, 0, 4, 2))
    assert find(session, 2.5, 1.5).flags == ("outside",)
    assert level(find(session, 2.5, 1.5), "police", "precinct").flags == ("in_gap",)


def test_ground_drawn_twice_is_an_overlap_that_lists_both(session: Session) -> None:
    town.nets(session)
    lots = [town.Lot("precinct", "p1", town.field(0, 0, 3, 2)), town.Lot("precinct", "p2", town.field(2, 0, 4, 2))]
    town.edition(session, "police", "2024", lots)
    found = find(session, 2.5, 1.5)
    assert found.flags == ("in_overlap",)
    assert covering(found, "police", "precinct") == ["p1", "p2"]


def test_a_shared_edge_is_no_overlap(ground: Session) -> None:
    assert "in_overlap" not in find(ground, 2, 0.5).flags


def test_an_exclave_says_so(session: Session) -> None:
    town.nets(session)
    edition = town.edition(session, "police", "2024", town.precincts())
    town.fault(session, edition, "exclave", "precinct", town.field(3, 0, 4, 1))
    assert "exclave" in find(session, 3.5, 0.5).flags
    assert "exclave" not in find(session, 2.5, 0.5).flags


def test_swapped_coordinates_are_nobody_s_ground(ground: Session) -> None:
    lon, lat = town.lonlat(0.6, 0.5)
    found = locate.at(ground, locate.parse({"lon": lat, "lat": lon}), DAY)
    assert (found.flags, found.reason) == (("unlocated",), "locate.swapped")


def test_swapped_coordinates_within_ninety_degrees_are_found_by_the_ground(session: Session) -> None:
    session.execute(text("INSERT INTO net VALUES ('n', 'n', 'n', 0)"))
    session.execute(text("INSERT INTO level VALUES ('n', 'l', 0, 'l', 'l', '#555555', true)"))
    town.edition(session, "n", "1", [town.Lot("l", "1", box(-74.1, 40.6, -73.8, 40.9))])
    swapped = locate.at(session, locate.parse({"lon": 40.7, "lat": -73.95}), DAY)
    assert (swapped.flags, swapped.reason) == (("unlocated",), "locate.swapped")
    elsewhere = locate.at(session, locate.parse({"lon": 10.7, "lat": -33.95}), DAY)
    assert elsewhere.flags == ("outside",)


def test_zero_is_unlocated(ground: Session) -> None:
    found = locate.at(ground, locate.parse({"lon": 0, "lat": 0}), DAY)
    assert (found.located, found.nets) == (False, ())


def test_many_places_get_the_answers_each_would_get_alone(ground: Session) -> None:
    said = [locate.parse({"lon": town.lonlat(x / 3, 0.7)[0], "lat": town.lonlat(0, x / 7)[1]}) for x in range(12)]
    said += [locate.parse({"lon": 0, "lat": 0}), locate.parse({"geometry": mapping(town.field(1.9, 0.5, 2.2, 0.6))})]
    days = [DAY] * len(said)
    assert locate.at_many(ground, said, days) == [locate.at(ground, place, DAY) for place in said]


def test_a_building_by_its_number_stands_on_its_footprint(ground: Session) -> None:
    ground.execute(
        text(
            "INSERT INTO building (source, external_id, name, name_en, kind, house_number, street_name, estate_name,"
            " area_m2, attributes, geom) VALUES ('survey', 'b1', '', '', '', '', '', '', 1, '{}',"
            " ST_Multi(ST_GeomFromText(:geom, 4326)))"
        ),
        {"geom": town.field(1.99, 0.5, 2.02, 0.52).wkt},
    )
    found = locate.at(ground, locate.parse({"building": "survey:b1"}), DAY)
    assert "straddles" in found.flags
    assert locate.at(ground, locate.parse({"building": "survey:b2"}), DAY).reason == "locate.building_unknown"


def test_a_community_renamed_since_keeps_its_cells_answering(ground: Session) -> None:
    renamed = [
        town.Lot(lot.level, lot.code.replace("990101001001", "990101001009"), lot.geometry, lot.parent_code)
        for lot in town.admin()
    ]
    town.edition(ground, "admin", "2026", renamed, valid_from=date(2026, 1, 1))
    assert chain(find(ground, 0.6, 0.5, date(2026, 2, 1)), "unit_grid") == ["990101001001002"]


def test_the_answer_is_plain_json(ground: Session) -> None:
    told = find(ground, 2, 0.5, accuracy_m=5).as_dict()
    assert json.loads(json.dumps(told))["nets"][0]["chain"][1]["code"] == "990101"


def test_after_warming_every_net_in_force_has_its_index_open(ground: Session) -> None:
    index_edition._kept.clear()
    locate.warm(ground, DAY)
    assert {edition_id for _, edition_id, _ in index_edition._kept} == {each.id for each in units.in_force(ground, DAY)}


def test_a_city_without_ground_is_warm_as_it_is(session: Session) -> None:
    index_edition._kept.clear()
    locate.warm(session, DAY)
    assert not index_edition._kept

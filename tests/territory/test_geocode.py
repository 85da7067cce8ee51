"""A town of two streets that cross at (0, 0) of the plots, an estate, and a district line at x = 0."""

from collections.abc import Callable
from datetime import date

import pytest
import shapely
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiLineString, MultiPolygon, Point
from sqlalchemy.orm import Session

from gis.territory import geocode, tables
from gis.territory.address import text_key
from gis.territory.location import Candidate
from tests.territory.plots import add_building, add_edition, add_net, add_unit, plot, spot

DAY = date(2024, 6, 1)
Find = Callable[[str], list[Candidate]]


def add_street(session: Session, name: str, ground: shapely.Polygon, name_en: str = "") -> None:
    line = MultiLineString([[(ground.bounds[0], ground.bounds[1]), (ground.bounds[2], ground.bounds[3])]])
    session.add(
        tables.Street(
            source="test", external_id=name, name=name, name_en=name_en, aliases=[], road_class="major", owner=None,
            width_m=20, length_m=1, area_m2=1, attributes={}, centre_geom=from_shape(line, srid=4326),
            geom=from_shape(MultiPolygon([ground]), srid=4326),
        )
    )  # fmt: skip
    session.flush()


def add_house(session: Session, house: tuple[str, str], at: tuple[float, float], *block: str) -> None:
    street, number = house
    estate, building = block or ("", "")
    session.add(
        tables.Address(
            source="test", external_id=f"{house} {at}", street_name=street, house_number=number, estate_name=estate,
            building_number=building, key=text_key(street, number), geom=from_shape(Point(*spot(*at)), 4326),
        )
    )  # fmt: skip
    session.flush()


def add_estate(session: Session, name: str, ground: shapely.Polygon, aliases: list[str]) -> None:
    session.add(
        tables.Estate(
            source="test", external_id=name, name=name, name_en="", aliases=aliases, kind="estate",
            property_company=None, handover=None, area_m2=1, attributes={},
            geom=from_shape(MultiPolygon([ground]), srid=4326),
        )
    )  # fmt: skip
    session.flush()


def add_land(session: Session, kind: str, name: str, ground: shapely.Polygon, name_en: str = "") -> None:
    shape = from_shape(MultiPolygon([ground]), srid=4326)
    session.add(
        tables.Land(
            source="test", external_id=f"{name} {ground.bounds}", kind=kind, name=name, name_en=name_en,
            geom=shape,
        )
    )  # fmt: skip
    session.flush()


@pytest.fixture
def find(session: Session) -> Find:
    add_net(session, "admin", "district", "subdistrict", "community")
    edition = add_edition(session, "admin", "2024", date(2024, 1, 1))
    add_unit(session, edition, "district", "1", plot(-20, -20, 0, 20), name="河西区", name_en="Hexi District")
    add_unit(session, edition, "district", "2", plot(0, -20, 20, 20), name="城东区", name_en="Chengdong District")
    add_unit(session, edition, "subdistrict", "21", plot(0, 0, 20, 20), name="临江街道")
    add_unit(session, edition, "community", "211", plot(0, 0, 10, 10), name="望月社区")
    add_street(session, "长宁路", plot(-20, -0.1, 20, 0.1), "Changning Road")
    add_street(session, "新华路", plot(-0.1, -20, 0.1, 20), "Xinhua Road")
    add_street(session, "West 45th Street", plot(-20, 15, 20, 15.2))
    add_house(session, ("长宁路", "12"), (5, 1))
    add_house(session, ("长宁路", "16"), (7, 1))
    add_house(session, ("West 45th Street", "123"), (3, 16))
    add_house(session, ("West 45th Street", "168 1/2"), (4, 16))
    add_estate(session, "阳光花园", plot(2, 2, 6, 6), ["阳光小区"])
    add_building(session, "b3", plot(2, 2, 3, 3), name="3号楼", estate_name="阳光花园")
    add_building(session, "b5", plot(4, 4, 5, 5), name="5号楼", estate_name="阳光花园")
    add_estate(session, "云帆里", plot(10, 2, 16, 6), [])
    add_house(session, ("新华路", "88"), (11.5, 3.5), "云帆里", "1号楼")
    add_house(session, ("新华路", "88"), (12.5, 3.5), "云帆里", "2号楼")
    add_building(session, "y2", plot(12, 3, 13, 4), name="", estate_name="云帆里")
    add_building(session, "mall", plot(-3, 2, -2, 3), name="银泰百货大楼", house_number="7号", street_name="新华路")
    add_land(session, "park", "望月公园", plot(6, 10, 9, 12), "Wangyue Park")
    add_land(session, "water", "芦溪", plot(-20, 12, -1, 13))
    add_land(session, "water", "芦溪", plot(1, 12, 5, 13))
    return lambda text: geocode.find(session, text, DAY)


def best(found: list[Candidate]) -> tuple[str, str]:
    return found[0].match_level, found[0].label


def test_a_house_number_is_found_exactly(find: Find) -> None:
    found = find("长宁路12号")
    assert best(found) == ("house_number", "长宁路12")
    assert found[0].geometry.equals(Point(*spot(5, 1)))


@pytest.mark.parametrize(
    "said", ["长宁路１２号", "城东区 长宁路 12 号", "城东区临江街道长宁路十二号", "长宁路12号2单元301室"]
)
def test_width_numerals_spaces_and_divisions_do_not_change_what_is_found(find: Find, said: str) -> None:
    assert best(find(said)) == ("house_number", "长宁路12")


@pytest.mark.parametrize("said", ["123 West 45th Street", "123 W 45 ST", "123 w. 45th st, New York, NY 10036"])
def test_latin_spellings_of_a_street_are_one_street(find: Find, said: str) -> None:
    assert best(find(said)) == ("house_number", "West 45th Street 123")


def test_half_a_house_number_counts(find: Find) -> None:
    assert best(find("168 1/2 W 45th St")) == ("house_number", "West 45th Street 168 1/2")


def test_a_chinese_street_is_found_by_its_english_name(find: Find) -> None:
    assert best(find("12 Changning Rd")) == ("house_number", "长宁路12")


def test_a_house_number_kept_on_a_building_is_found_there(find: Find) -> None:
    found = find("新华路7号")
    assert (found[0].match_level, found[0].ref_kind) == ("house_number", "building")


def test_a_building_of_an_estate_is_found_as_a_footprint(find: Find) -> None:
    found = find("阳光花园5幢")
    assert best(found) == ("building", "阳光花园5号楼")
    assert found[0].geometry.equals(plot(4, 4, 5, 5))


@pytest.mark.parametrize("said", ["云帆里2号楼", "新华路88号云帆里2幢", "新华路88号2栋"])
def test_a_block_kept_as_an_address_is_found_with_the_footprint_it_stands_on(find: Find, said: str) -> None:
    found = find(said)
    assert (found[0].match_level, found[0].ref_kind) == ("building", "building")
    assert found[0].geometry.equals(plot(12, 3, 13, 4))


def test_a_number_that_several_blocks_share_is_the_area_of_them_all(find: Find) -> None:
    found = find("新华路88号")
    assert best(found) == ("house_number", "新华路88")
    assert found[0].geometry.contains(Point(*spot(11.5, 3.5)))
    assert found[0].geometry.contains(Point(*spot(12.5, 3.5)))


def test_an_alias_of_an_estate_is_the_estate(find: Find) -> None:
    assert best(find("阳光小区3栋2单元")) == ("building", "阳光花园3号楼")


def test_an_estate_without_a_building_is_the_whole_estate(find: Find) -> None:
    found = find("阳光小区")
    assert best(found) == ("estate", "阳光花园")
    assert found[0].geometry.equals(plot(2, 2, 6, 6))


def test_a_building_is_found_by_its_own_name(find: Find) -> None:
    assert best(find("银泰百货大楼")) == ("building", "银泰百货大楼")


@pytest.mark.parametrize("said", ["望月公园内", "城东区望月公园", "新华路望月公园", "Wangyue Park"])
def test_a_park_is_found_by_its_name(find: Find, said: str) -> None:
    (found, *_) = find(said)
    assert best([found]) == ("land", "望月公园")
    assert found.geometry.equals(plot(6, 10, 9, 12))


def test_the_bank_of_a_water_is_the_water_and_what_lies_beside_it(find: Find) -> None:
    (found,) = find("芦溪岸边")
    assert best([found]) == ("land", "芦溪")
    assert found.geometry.covers(shapely.union(plot(-20, 12, -1, 13), plot(1, 12, 5, 13)))
    assert found.geometry.covers(Point(*spot(-10, 12)).buffer(1e-5))


def test_a_house_by_a_park_is_the_house(find: Find) -> None:
    assert best(find("长宁路12号望月公园旁")) == ("house_number", "长宁路12")


def test_land_is_never_sure_enough_to_be_acted_on(find: Find) -> None:
    assert not geocode.is_dispatchable(find("望月公园"))


def test_a_crossing_is_an_area_round_where_the_streets_meet(find: Find) -> None:
    found = find("长宁路与新华路交叉口")
    assert best(found) == ("crossing", "长宁路 / 新华路")
    assert found[0].geometry.contains(Point(*spot(0, 0)))
    assert not found[0].geometry.contains(Point(*spot(1, 0)))


def test_fifty_metres_north_of_a_crossing_lies_north_of_it(find: Find) -> None:
    area = find("长宁路与新华路交叉口以北100米")[0].geometry
    assert area.contains(Point(*spot(0, 0.9)))
    assert not area.contains(Point(*spot(0, 0)))


def test_opposite_a_house_is_an_area_without_the_house(find: Find) -> None:
    found = find("长宁路12号对面")
    assert found[0].reason == "address.beside"
    assert found[0].geometry.area > 0


def test_beside_a_building_is_not_the_building(find: Find) -> None:
    found = find("阳光花园5幢东侧")
    assert found[0].match_level == "house_number"
    assert found[0].geometry.centroid.x > plot(4, 4, 5, 5).centroid.x


def test_a_number_the_street_does_not_have_is_looked_for_near_its_neighbours(find: Find) -> None:
    found = find("长宁路14号")
    assert (found[0].match_level, found[0].reason) == ("street", "address.near_number")
    assert found[0].geometry.contains(Point(*spot(5, 1)))


def test_a_street_alone_is_the_whole_street_and_never_sure(find: Find) -> None:
    found = find("长宁路")
    assert best(found) == ("street", "长宁路")
    assert not geocode.is_dispatchable(found)


@pytest.mark.parametrize(
    ("said", "level", "label"),
    [
        ("城东区", "district", "城东区"),
        ("城东区临江街道", "subdistrict", "临江街道"),
        ("临江街道望月社区", "community", "望月社区"),
    ],
)
def test_a_division_is_found_when_nothing_sharper_is_said(find: Find, said: str, level: str, label: str) -> None:
    found = find(said)
    assert best(found) == (level, label)
    assert not geocode.is_dispatchable(found)


def test_a_slip_in_a_street_name_is_found_but_not_sure(find: Find) -> None:
    found = find("123 Wset 45th Street")
    assert best(found) == ("house_number", "West 45th Street 123")
    assert found[0].reason == "address.alike"


def test_numbers_of_streets_are_never_alike(find: Find) -> None:
    assert find("123 West 46th Street") == []


def test_the_same_house_number_far_apart_is_sure_of_neither(session: Session, find: Find) -> None:
    add_house(session, ("长宁路", "12"), (-9, 1))
    found = find("长宁路12号")
    assert [candidate.match_level for candidate in found[:2]] == ["house_number", "house_number"]
    assert not geocode.is_dispatchable(found)


def test_the_district_said_decides_between_two_houses_of_one_number(session: Session, find: Find) -> None:
    add_house(session, ("长宁路", "12"), (-9, 1))
    assert find("河西区长宁路12号")[0].geometry.equals(Point(*spot(-9, 1)))


@pytest.mark.parametrize(
    "said",
    [
        "长宁路12号路面塌陷，请尽快处理",
        "长宁路12号楼下饭馆油烟直排",
        "长宁路12号井盖松动，车一过就响",
        "有市民反映长宁路12号有人倒垃圾",
    ],
)
def test_what_happened_there_does_not_change_where_it_is(find: Find, said: str) -> None:
    assert best(find(said)) == ("house_number", "长宁路12")


def test_a_ring_road_that_meets_a_street_twice_is_sure_of_neither(session: Session, find: Find) -> None:
    add_street(session, "环城路", plot(-10, -1, 10, 5).boundary.buffer(1e-5))
    found = find("环城路与新华路交叉口")
    assert [candidate.match_level for candidate in found[:2]] == ["crossing", "crossing"]
    assert found[0].confidence < geocode.SURE


def test_where_the_reporter_lives_is_not_the_place(find: Find) -> None:
    assert best(find("本人家住阳光花园3号楼，长宁路12号门前井盖缺失")) == ("house_number", "长宁路12")


def test_a_home_alone_is_offered_but_never_sure(find: Find) -> None:
    found = find("本人家住阳光花园3号楼")
    assert found[0].reason == "address.home"
    assert not geocode.is_dispatchable(found)


def test_my_building_is_the_home_when_the_text_says_so(find: Find) -> None:
    assert best(find("家住阳光花园3号楼，楼上装修噪音")) == ("house_number", "阳光花园3号楼")


def test_a_text_without_a_place_finds_nothing(find: Find) -> None:
    assert find("希望尽快处理") == []


def test_an_exact_house_is_sharp_enough_to_dispatch(find: Find) -> None:
    assert geocode.is_dispatchable(find("长宁路12号"))

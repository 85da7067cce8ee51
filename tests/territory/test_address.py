from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.territory.address import Address, likeness, names, normal, parse_address, text_key

CITY = names.of(
    [
        ("district", "青川县"),
        ("town", "青禾街道"),
        ("community", "望月社区"),
        ("street", "老书院横路"),
        ("estate", "水木清华"),
    ]
)


def said(address: Address) -> dict[str, Any]:
    """List the parts that were said."""
    return {part: value for part, value in vars(address).items() if value and part != "text"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("浙江省杭州市望江区听松路1024号", {"road": "听松路", "number": "1024", "district": "望江区"}),
        ("望京街道阳光花园3号楼2单元501室", {"estate": "阳光花园", "building": "3", "unit": "2", "room": "501"}),
        ("青禾镇长春村18号", {"town": "青禾镇", "community": "长春村", "number": "18"}),
        ("云川公路2200弄35号", {"road": "云川公路", "lane": "2200", "number": "35"}),
        ("和平里小区17-2-803", {"estate": "和平里小区", "building": "17", "unit": "2", "room": "803"}),
        ("云西路12号大街8号", {"roads": ("云西路", "12号大街"), "number": "8"}),
        ("书院街一巷5号", {"roads": ("书院街", "一巷"), "number": "5"}),
        ("长宁路12号楼道", {"road": "长宁路", "number": "12", "building": None}),
        ("320国道15号", {"road": "320国道", "number": "15"}),
        ("长宁路三百一十六号", {"road": "长宁路", "number": "316"}),
        ("建国路１２－３号", {"road": "建国路", "number": "12-3"}),
        ("建国路12号之一", {"number": "12之1"}),
        ("人民医院门诊楼8楼", {"estate": "人民医院门诊楼", "floor": "8"}),
        ("青禾镇听松路16号云帆大厦A座1203", {"estate": "云帆大厦", "building": "A", "room": "1203"}),
        ("听松路街道奥体中心", {"town": "听松路街道", "estate": "奥体中心"}),
        ("青禾新村5幢", {"estate": "青禾新村", "building": "5"}),
        ("富民村三组12号", {"community": "富民村", "group": "三组", "number": "12"}),
    ],
)
def test_each_part_of_a_chinese_address_is_found(text: str, parts: dict[str, Any]) -> None:
    address = parse_address(text)
    assert {part: getattr(address, part) for part in parts} == parts


def test_a_number_after_a_building_is_a_room() -> None:
    assert said(parse_address("云帆花园14幢5号")) == {"estates": ("云帆花园",), "building": "14", "room": "5"}


def test_a_number_in_a_market_is_a_stall() -> None:
    address = parse_address("四季服装城3125号")
    assert (address.number, address.room) == (None, "3125")


def test_a_number_that_counts_a_gate_is_not_a_house_number() -> None:
    assert parse_address("国际会展中心8号门").number is None


def test_in_front_of_the_gate_of_a_house_the_house_counts() -> None:
    assert parse_address("长宁路12号门口").number == "12"


@pytest.mark.parametrize("joint", ["与", "和", "、", "/", "&", ""])
def test_two_streets_and_a_word_for_crossing_are_a_crossing(joint: str) -> None:
    assert parse_address(f"长宁路{joint}建国路交叉口").crossing == ("长宁路", "建国路")


def test_two_streets_with_a_house_number_are_no_crossing() -> None:
    assert parse_address("长宁路建国路12号").crossing is None


@pytest.mark.parametrize(
    ("text", "bearing_deg", "distance_m"),
    [
        ("长宁路12号以北50米", 0, 50),
        ("长宁路12号东侧", 90, None),
        ("长宁路与建国路交叉口西南角", 225, None),
        ("长宁路12号往东两百米", 90, 200),
        ("长宁路12号向南1.5公里", 180, 1500),
        ("长宁路12号对面", None, None),
    ],
)
def test_relative_words_give_bearing_and_metres(text: str, bearing_deg: float, distance_m: float) -> None:
    relation = parse_address(text).relation
    assert relation is not None
    assert (relation.bearing_deg, relation.distance_m) == (bearing_deg, distance_m)


def test_names_the_city_knows_are_cut_off_what_follows() -> None:
    assert parse_address("青川国际会展城", CITY).estate == "国际会展城"
    assert parse_address("云帆酒店老书院横路5号", CITY).road == "老书院横路"


def test_institutions_keep_the_name_of_their_city() -> None:
    assert parse_address("浙江大学").estates == ("浙江大学",)


def test_a_name_without_a_suffix_is_an_estate_when_a_building_follows() -> None:
    assert parse_address("青禾3幢").estates == ("青禾",)
    assert parse_address("青禾").names == ("青禾",)


def test_where_the_reporter_lives_is_kept_apart() -> None:
    address = parse_address("本人家住阳光花园3号楼，长宁路12号门前井盖缺失")
    assert (address.road, address.number, address.estate) == ("长宁路", "12", None)
    assert address.home is not None
    assert (address.home.estate, address.home.building) == ("阳光花园", "3")


@pytest.mark.parametrize("meant", ["我家门口垃圾堆放", "楼下有人烧烤", "本小区路灯不亮"])
def test_the_home_is_the_place_when_the_text_says_so(meant: str) -> None:
    address = parse_address(f"家住阳光花园3号楼，{meant}")
    assert (address.estate, address.building) == ("阳光花园", "3")


def test_a_home_alone_is_no_place() -> None:
    address = parse_address("住在阳光花园3号楼")
    assert address.empty
    assert address.home is not None


@pytest.mark.parametrize(
    ("text", "number", "road"),
    [
        ("123 W 45th St", "123", "W 45th St"),
        ("45-12 37th Avenue", "45-12", "37th Avenue"),
        ("34-14 43 STREET", "34-14", "43 STREET"),
        ("1501 Broadway, Manhattan, NY 10036", "1501", "Broadway"),
        ("168 1/2 Bedford Ave", "168 1/2", "Bedford Ave"),
        ("145 A Duane Street", "145 A", "Duane Street"),
        ("pothole in front of 12 King St", "12", "King St"),
        ("350 5th Ave, suite 1201", "350", "5th Ave"),
        ("3 AVENUE", None, "3 AVENUE"),
    ],
)
def test_latin_addresses_have_number_and_road(text: str, number: str | None, road: str) -> None:
    address = parse_address(text)
    assert (address.number, address.road) == (number, road)


@pytest.mark.parametrize("text", ["W 45th St & 8th Ave", "corner of W 45th St and 8th Ave", "W 45th St at 8th Ave"])
def test_two_latin_streets_are_a_crossing(text: str) -> None:
    assert parse_address(text).crossing == ("W 45th St", "8th Ave")


def test_a_latin_home_is_kept_apart() -> None:
    address = parse_address("I live at 5 Oak St. Noise at 9 Elm Ave")
    assert (address.number, address.road) == ("9", "Elm Ave")
    assert address.home is not None
    assert address.home.number == "5"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("West 45th Street", "123"), ("W 45 ST", "123")),
        (("Saint Marks Place", "8"), ("St. Marks Pl", "8")),
        (("Fifth Avenue", "350"), ("5th Ave", "350")),
        (("文一路", "12号"), ("文1路", "１２")),
        (("Duane Street", "145 A"), ("Duane St.", "145a")),
    ],
)
def test_spellings_of_one_address_share_their_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert text_key(*one) == text_key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("West 45th Street", "123"), ("East 45th Street", "123")),
        (("Avenue N", "1"), ("Avenue North", "1")),
        (("文一路", "12"), ("文二路", "12")),
        (("Main Street", "12"), ("Main Street", "12A")),
        (("Main Street", "1681/2"), ("Main Street", "168 1/2")),
    ],
)
def test_different_addresses_have_different_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert text_key(*one) != text_key(*other)


def test_an_estate_with_a_building_has_a_key_of_its_own() -> None:
    assert text_key("", "", "阳光花园", "3号楼") == text_key("", "", "阳光花园", "3幢")


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("长宁路12号", "望京街道长宁路12号", likeness.SAME),
        ("阳光花园3号楼", "阳光花园3幢", likeness.SAME),
        ("阳光花园3号楼", "阳光花园5号楼", likeness.PART),
        ("长宁路12号", "长宁路12号银泰百货", likeness.PART),
        ("长宁路12号", "建国路12号", likeness.DIFFERENT),
        ("海淀区长宁路12号", "朝阳区长宁路12号", likeness.DIFFERENT),
        ("12 W 45th St", "12 West 45 Street", likeness.SAME),
    ],
)
def test_two_addresses_are_one_place_a_part_of_it_or_another(one: str, other: str, level: str) -> None:
    assert likeness.compare(parse_address(one), parse_address(other)) == level
    assert likeness.compare(parse_address(other), parse_address(one)) == level


@pytest.mark.parametrize(
    ("word", "value"), [("十", 10), ("三百一十六", 316), ("一零三", 103), ("两", 2), ("五千", 5000)]
)
def test_chinese_numerals_have_their_value(word: str, value: int) -> None:
    assert normal.numeral(word) == value


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(parse_address(text), Address)


CHARACTERS = "长宁建国路街大道巷号楼幢单元室小区花园村镇市县区一二三12-3A与东西南北侧米口"


@given(st.text(CHARACTERS, max_size=40))
def test_reading_is_the_same_in_full_width(text: str) -> None:
    wide = text.translate({ord(c): ord(c) + 0xFEE0 for c in "123A"})
    assert said(parse_address(wide)) == said(parse_address(text))

"""Reports of the demo city: what is told, by whom, how exactly; and that the product's doors take all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from gis.demo import day, files, history, spots, voices
from gis.demo.city import City
from gis.issues import intake
from gis.territory import coords, locate

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def told(hechuan: City) -> list[history.Json]:
    return list(history.month(hechuan, NOW.astimezone(ZONE)))


def test_the_same_month_is_told_twice(hechuan: City, told: list[history.Json]) -> None:
    assert list(history.month(hechuan, NOW.astimezone(ZONE))) == told


def test_told_another_day_the_reports_have_the_same_ids(hechuan: City, told: list[history.Json]) -> None:
    later = history.month(hechuan, NOW.astimezone(ZONE) + timedelta(days=1))
    assert [report["external_id"] for report in later] == [report["external_id"] for report in told]


def test_every_report_can_be_read(told: list[history.Json]) -> None:
    for data in told:
        report = intake.parse_report(data, now=NOW, zone=ZONE)
        assert report.external_id == data["external_id"]
        assert locate.parse(report.place).raw.items() <= data["place"].items()


def test_every_report_came_in_the_last_thirty_one_days(told: list[history.Json]) -> None:
    times = [datetime.fromisoformat(data["reported_at"]) for data in told]
    assert min(times) > NOW - timedelta(days=31)
    assert max(times) < NOW


def test_no_phone_number_can_be_somebodys(told: list[history.Json]) -> None:
    assert all(data["reporter"]["phone"].startswith("100") for data in told if data["reporter"])


def test_reports_come_in_as_points_shapes_words_references_and_nothing(told: list[history.Json]) -> None:
    kinds = {locate.parse(data["place"]).kind for data in told}
    assert kinds == {"point", "line", "polygon", "building", "street", "text", "nowhere"}


def test_a_tenth_of_the_reports_have_nothing_but_words(told: list[history.Json]) -> None:
    words = sum(set(data["place"]) == {"text"} for data in told)
    assert 0.08 < words / len(told) < 0.20


def test_a_report_that_names_no_place_still_tells_what_its_category_is(told: list[history.Json]) -> None:
    topics = {topic.category: topic for topic in voices.TOPICS}
    placeless = [data for data in told if not data["place"] and data["category"]["code"] in topics]
    assert placeless
    for data in placeless:
        topic = topics[data["category"]["code"]]
        asked = [voices.QUESTIONS[topic.category]] if topic.category in voices.QUESTIONS else []
        vague = voices.NOWHERE[topic.where]
        assert data["text"] in {said.format(at=at) for said in [*topic.told, *asked] for at in vague}


def test_a_phones_fix_is_as_far_off_as_it_says(hechuan: City) -> None:
    teller = history.Teller(hechuan, np.random.default_rng(1))
    app = next(channel for channel in history.CHANNELS if channel.code == "wechat")
    spot = spots.Spot(np.zeros(2), "")
    off, said = [], []
    for _ in range(400):
        fix = teller._fix(app, spot)
        lon, lat = coords.to_wgs84(fix["lon"], fix["lat"], fix["datum"])
        off.append(np.hypot((lon - 118.8) * 90_600, (lat - 35.6) * 110_950))
        said.append(fix["accuracy_m"])
    within = np.mean(np.array(off) < np.array(said))
    assert within == pytest.approx(0.68, abs=0.07)


def test_every_topic_is_in_the_category_scheme() -> None:
    path = files.MANIFEST.parents[1] / "categories" / "cg-2013.csv"
    known = path.read_text(encoding="utf-8")
    for topic in voices.TOPICS:
        assert f",{topic.category}," in known


def test_nights_are_quieter_than_mornings() -> None:
    rng = np.random.default_rng(1)
    night, morning = (np.mean([day.pause_s(hour, rng) for _ in range(2000)]) for hour in (2, 10))
    assert night > 1.5 * morning


def test_the_straddling_house_is_reported_by_its_number(hechuan: City) -> None:
    category, _, place = next(history.stories(hechuan))
    house = hechuan.buildings.set_index("external_id").geometry[place["building"]]
    assert category == "E0101"
    assert shapely.covers(house, hechuan.specials["third"])

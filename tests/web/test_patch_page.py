"""The phone's page in a real browser: three taps, photos, a patrol; light for a bad line, large enough for a thumb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from gis import db
from tests import town
from tests.web import desk, phones, walking
from tests.web.conftest import Site
from tests.web.phones import counted, filed, numbers, put, report, submit, take, waits
from tests.web.visits import SOON_MS, untold, violations

street = phones.street
swept = phones.swept
phone = phones.phone


def test_three_taps_report_a_photo_where_one_stands(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    report(page)
    expect(page.locator("#toast")).to_contain_text("已上报", timeout=SOON_MS)
    [row] = filed(office)
    assert (row.category, row.created_by, row.text) == ("E0409", "leader", "机动车乱停放")
    assert (row.lon, row.lat) == pytest.approx(town.lonlat(*walking.HERE), abs=1e-6)
    assert row.place["accuracy_m"] == 8


def test_a_photo_is_small_when_it_leaves_the_phone_and_bare_when_it_is_kept(
    phone: Callable[..., Page], office: Flask
) -> None:
    page = phone()
    with page.expect_request("**/api/v1/issues") as sent:
        report(page)
    body = sent.value.post_data_buffer or b""
    assert b"a telephone" not in body
    expect(page.locator("#toast")).to_contain_text("已上报", timeout=SOON_MS)
    [kept] = (office.extensions["settings"].var_dir / "photos").glob("*/*.jpg")
    with Image.open(kept) as opened:
        assert (opened.size, dict(opened.getexif())) == ((1600, 800), {})


def test_without_a_position_one_points_with_the_cross(phone: Callable[..., Page], office: Flask) -> None:
    page = phone(at=None)
    take(page, "#to-report")
    page.check('#report input[value="E0409"]')
    page.click("#report-send")
    page.evaluate("([lon, lat]) => void map_main.setView([lat, lon], 18, {animate: false})", town.lonlat(0.75, 0.25))
    page.click("#pick-take")
    expect(page.locator("#report-place")).to_contain_text("在地图上指出")
    page.click("#report-send")
    expect(page.locator("#toast")).to_contain_text("已上报", timeout=SOON_MS)
    [row] = filed(office)
    assert (row.lon, row.lat) == pytest.approx(town.lonlat(0.75, 0.25), abs=2e-5)


@pytest.mark.parametrize(("metres", "warned"), [(29, True), (31, False)])
def test_a_warning_is_given_of_the_same_family_within_thirty_metres(
    phone: Callable[..., Page], office: Flask, metres: int, warned: bool
) -> None:
    put(office, x=walking.HERE[0] + metres * walking.METRE_EAST)
    page = phone()
    take(page, "#to-report")
    page.check('#report input[value="E0112"]')
    expect(page.locator("#report-alike")).to_be_visible(visible=warned)
    page.check('#report input[value="E0409"]')
    expect(page.locator("#report-alike")).to_be_hidden()


def test_me_too_is_noted_on_the_one_that_is_open_and_makes_no_other(phone: Callable[..., Page], office: Flask) -> None:
    code = put(office)
    page = phone()
    take(page, "#to-report")
    page.check('#report input[value="E0110"]')
    page.click("text=是同一件，我也遇到")
    expect(page.locator("#toast")).to_contain_text(code, timeout=SOON_MS)
    assert filed(office) == []
    assert counted(office, "SELECT count(*) FROM entry WHERE kind = 'seconded'") == 1
    assert counted(office, "SELECT count(*) FROM photo") == 1


def test_another_one_is_reported_beside_it(phone: Callable[..., Page], office: Flask) -> None:
    put(office)
    page = phone()
    take(page, "#to-report")
    page.check('#report input[value="E0110"]')
    page.click("#report-alike button:has-text('不是同一件')")
    page.click("#report-send")
    expect(page.locator("#toast")).to_contain_text("已上报", timeout=SOON_MS)
    assert len(filed(office)) == 1


def test_a_small_thing_is_put_right_and_closed_with_two_photos(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    take(page, "#to-report")
    page.check('#report input[value="E0112"]')
    page.check("#report-fixed")
    take(page, "#report-after-take", "green")
    expect(page.locator("#report-self .thumb")).to_be_visible()
    page.click("#report-send")
    expect(page.locator("#toast")).to_contain_text("已上报", timeout=SOON_MS)
    assert [row.state for row in filed(office)] == ["self_handled"]
    assert counted(office, "SELECT count(*) FROM photo") == 2


def test_a_department_arrives_and_feeds_back_with_photos(phone: Callable[..., Page], office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, next(numbers))
        session.commit()
    page = phone("cg")

    def move(name: str) -> None:
        page.click(f'#list [data-code="{way.code}"]')
        page.click(f'#issue [data-move="{name}"]')

    for name in ("sign", "arrive"):
        move(name)
        submit(page)
        waits(page, 0)
    move("feed_back")
    page.fill("#need-done", "已清理")
    take(page, '[data-photo="photo_before"]')
    take(page, '[data-photo="photo_after"]', "green")
    expect(page.locator("#issue .thumb")).to_have_count(2)
    submit(page)
    waits(page, 0)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        rows = session.execute(text("SELECT name, fields FROM move ORDER BY version")).all()
    assert [row.name for row in rows] == ["sign", "arrive", "feed_back"]
    assert rows[1].fields["position"]["accuracy_m"] == 8
    assert {"done", "photo_before", "photo_after"} == set(rows[2].fields)


def test_a_patrol_counts_the_cells_it_enters(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    page.click('[data-view="patrol"]')
    expect(page.locator("#patrol-body")).to_contain_text("0 / 2 格")
    page.click("#patrol-begin")
    expect(page.locator("#patrol-end")).to_be_visible()
    walking.stand(page.context, 0.3, 0.5)
    page.wait_for_timeout(300)
    page.click("#patrol-end")
    expect(page.locator("#patrol-body")).to_contain_text("1 / 2 格", timeout=SOON_MS)
    assert counted(office, "SELECT count(*) FROM patrol WHERE ended_at IS NOT NULL") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_accessible_and_all_words_are_there(
    phone: Callable[..., Page], office: Flask, lang: str, theme: str
) -> None:
    put(office, state="fed_back")
    page = phone(lang=lang, viewport={"width": 360, "height": 740})
    if theme == "dark":
        page.click('[data-view="me"]')
        page.click("#theme")
    for view in ("home", "patrol", "notices", "me"):
        page.click(f'[data-view="{view}"]')
        page.wait_for_timeout(200)
        assert violations(page) == []
        assert untold(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click('[data-view="home"]')
    take(page, "#to-report")
    page.check('#report input[value="E0112"]')
    page.check("#report-fixed")
    assert violations(page) == []
    assert untold(page, "#report") == []
    page.go_back()
    page.click("#list .card")
    page.click('#issue [data-move="rework"]')
    assert violations(page) == []
    assert untold(page, "#issue") == []


SMALL = """() => [...document.querySelectorAll('button, a.button, input[type=search], .choice')]
  .filter((each) => each.offsetParent && (each.offsetHeight < 48 || each.offsetWidth < 48))
  .map((each) => each.outerHTML.slice(0, 80))"""


def test_what_is_pressed_is_as_large_as_a_thumb(phone: Callable[..., Page], office: Flask) -> None:
    put(office, state="fed_back")
    page = phone(viewport={"width": 360, "height": 740})
    for view in ("home", "patrol", "notices", "me"):
        page.click(f'[data-view="{view}"]')
        assert page.evaluate(SMALL) == []
    take(page, "#to-report")
    expect(page.locator("#report-photos .thumb")).to_be_visible()
    assert page.evaluate(SMALL) == []


def test_the_page_is_light_enough_for_a_bad_line(phone: Callable[..., Page], browser: Browser, site: Site) -> None:
    context = browser.new_context(**walking.PHONE, service_workers="block")
    page = context.new_page()
    weighed: list[int] = []
    page.on("requestfinished", lambda asked: _weigh(asked, weighed))
    walking.sign_in(page, site.url)
    weighed.clear()
    page.goto(f"{site.url}/patch?fresh=1")
    walking.ready(page)
    context.close()
    assert 0 < sum(weighed) <= 200_000


def _weigh(asked: Any, weighed: list[int]) -> None:
    if asked.resource_type in {"document", "script", "stylesheet"}:
        sizes = asked.sizes()
        weighed.append(max(sizes["responseBodySize"], 0))

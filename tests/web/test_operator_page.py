"""The operator's page in a real browser: what is on it, that it is live, safe, reachable, and asks nobody else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import intake
from gis.issues.reports import CategoryKey, Report
from tests import town
from tests.web import desk, test_operator
from tests.web.conftest import Site
from tests.web.visits import fill_in, untold, violations

EVIL = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>\'"--'
SOON_MS = 30_000
numbers = itertools.count(1)


def file(app: Flask, said: str = "井盖破损", x: float = 0.25, y: float = 0.25, **place: object) -> str:
    """File a report at a place of the town, as a program would; return the issue's code."""
    lon, lat = town.lonlat(x, y)
    now = datetime.now(UTC)
    where = place or {"lon": lon, "lat": lat, "accuracy_m": 5.0, "accuracy_kind": "sigma"}
    category = CategoryKey("gb", "1", "0501")
    report = Report("12345", f"page-{next(numbers)}", category, said, now - timedelta(minutes=1), dict(where))
    return _in(app, lambda session: intake.accept(session, report, by="test", now=now).code)


def _in(app: Flask, act: Callable[[Session], str]) -> str:
    with db.session(app.extensions["engine"], db.EVERYTHING) as session:
        done = act(session)
        session.commit()
    return done


def row(page: Page, words: str) -> Locator:
    return page.locator("#issues .row", has_text=words)


def press_map(page: Page, x: float, y: float) -> None:
    """Click a place of the town on the map."""
    lon, lat = town.lonlat(x, y)
    at = page.evaluate("lonlat => map_main.latLngToContainerPoint(lonlat.reverse())", [lon, lat])
    page.locator("#map_main").click(position={"x": at["x"], "y": at["y"]})


# read from a copy: a canvas that is read itself is slow from then on, and the browser says so
PAINTED = """pane => [...document.querySelectorAll(`.leaflet-${pane}-pane canvas`)].some((canvas) => {
    if (!canvas.width) return false;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    return copy.getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0);
})"""


def wait_for_paint(page: Page, pane: str) -> None:
    """Wait until a canvas of a pane has a dot on it."""
    page.wait_for_function(PAINTED, arg=pane, timeout=SOON_MS)


def test_base_map_and_units_are_drawn(enter: Callable[..., Page]) -> None:
    page = enter()
    wait_for_paint(page, "ground")
    wait_for_paint(page, "units")


def test_the_list_says_the_same_as_the_map(enter: Callable[..., Page], office: Flask) -> None:
    code = file(office, "两边都有")
    page = enter()
    expect(row(page, "两边都有")).to_be_visible()
    assert page.evaluate("code => Boolean(live_issues.getLayer(code))", code)


def test_a_new_issue_appears_by_itself(enter: Callable[..., Page], office: Flask) -> None:
    page = enter()
    page.evaluate("window.stayed = true")
    code = file(office, "刚刚发生")
    expect(page.locator(f'#issues [data-code="{code}"]')).to_be_visible(timeout=SOON_MS)
    expect(row(page, "刚刚发生")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("code => Boolean(live_issues.getLayer(code))", code)
    assert page.evaluate("window.stayed"), "the page was loaded anew"


def test_two_tabs_share_one_stream_and_both_hear(enter: Callable[..., Page], office: Flask) -> None:
    tabs = [enter(), enter()]
    file(office, "两个窗口")
    for tab in tabs:
        expect(row(tab, "两个窗口")).to_be_visible(timeout=SOON_MS)


def test_a_filtered_list_takes_in_only_what_fits(enter: Callable[..., Page], office: Flask) -> None:
    page = enter(hash_="#flags=in_gap")
    file(office, "不符合筛选")
    file(office, "标记", x=0.25, y=0.25)
    page.wait_for_timeout(3000)
    expect(row(page, "不符合筛选")).to_have_count(0)


def test_a_view_that_was_sent_along_survives_the_sign_in(context: BrowserContext, office: Flask, site: Site) -> None:
    page = context.new_page()
    page.goto(f"{site.url}/#flags=in_gap&days=30")
    fill_in(page, "operator")
    expect(page.locator("#flags-in_gap")).to_be_checked(timeout=SOON_MS)
    expect(page.locator("#days-30")).to_be_checked()


def test_the_stream_goes_on_after_the_server_was_away(enter: Callable[..., Page], app: Flask) -> None:
    from app import create_app

    desk.open_office(app)
    first = Site(app)
    page = enter(url=first.url)
    page.watch.allowed = re.compile("ERR_CONNECTION_REFUSED|ERR_EMPTY|ERR_INCOMPLETE|Failed to load resource")  # type: ignore[attr-defined]
    first.stop()
    file(app, "断开时发生")
    again = create_app(app.extensions["settings"])
    second = Site(again, first.port)
    expect(row(page, "断开时发生")).to_be_visible(timeout=SOON_MS)
    file(again, "恢复后发生")
    expect(row(page, "恢复后发生")).to_be_visible(timeout=SOON_MS)
    page.close()
    second.stop()
    again.extensions["engine"].dispose()


NAMED = (("unit", "name"), *((table, "name_zh") for table in ("category", "department", "net", "level")))


def spoil(session: Session) -> str:
    """Write HTML into every name of the ground and of the trade."""
    for table, column in NAMED:
        session.execute(text(f"UPDATE {table} SET {column} = {column} || :evil"), {"evil": EVIL})
    session.execute(
        text("INSERT INTO estate (source, external_id, name, name_en, aliases, kind, area_m2, attributes, geom)"
             " VALUES ('t', 'evil', :evil, '', '{}', 'home', 9, '{}',"
             " ST_Multi(ST_MakeEnvelope(:w, :s, :e, :n, 4326)))"),
        dict(zip("wsen", (*town.lonlat(3.1, 0.1), *town.lonlat(3.4, 0.4)), strict=True)) | {"evil": EVIL},
    )  # fmt: skip
    return ""


def across(session: Session) -> str:
    test_operator.across(session)
    return ""


def test_a_place_across_a_line_opens_from_the_map_as_from_the_list(enter: Callable[..., Page], app: Flask) -> None:
    desk.open_office(app)
    _in(app, across)
    own = Site(app)
    lon, lat = town.lonlat(2.05, 0.55)
    page = enter(hash_=f"#map=16/{lat}/{lon}&straddlers=1&tab=straddlers", url=own.url)
    page.locator("#straddlers .row").first.click()
    expect(page.locator("#panel h2")).to_have_text("楼")
    listed = page.locator("#panel .panel-body").text_content()
    page.keyboard.press("Escape")
    wait_for_paint(page, "straddlers")
    press_map(page, 2.05, 0.55)
    expect(page.locator("#panel h2")).to_have_text("楼")
    assert page.locator("#panel .panel-body").text_content() == listed
    page.keyboard.press("Escape")
    press_map(page, 2.05, 0.8)
    expect(page.locator("#panel h2")).to_contain_text("9901")
    page.close()
    own.stop()


def test_a_small_unit_that_comes_without_its_name_tells_it_all_the_same(enter: Callable[..., Page]) -> None:
    lon, lat = town.lonlat(2.0, 1.0)
    # no issue has these words: no pin lies over the cells
    page = enter(hash_=f"#map=11/{lat}/{lon}&net=unit_grid&text=nobody")
    wait_for_paint(page, "units")
    press_map(page, 0.25, 0.5)
    expect(page.locator("#panel h2")).to_have_text("cell 990101001001001")
    expect(page.locator("#hover")).to_contain_text("cell 990101001001001")


def test_html_in_any_text_is_text(enter: Callable[..., Page], app: Flask) -> None:
    desk.open_office(app)
    _in(app, spoil)
    for _ in range(2):
        file(app, EVIL, x=3.25, y=0.25)
    own = Site(app)
    page = enter(url=own.url)
    expect(page.locator("#hotspots .spot").first).to_be_visible()
    page.locator("#issues .row").first.click()
    expect(page.locator("#panel .said")).to_have_text(EVIL)
    page.keyboard.press("Escape")
    page.click("#whole")
    page.wait_for_timeout(1500)
    press_map(page, 1.4, 1.7)
    expect(page.locator("#panel h2")).to_contain_text("<img")
    page.fill("#search", "img")
    expect(page.locator("#found [role=option]").first).to_be_visible()
    assert page.evaluate("window.owned === undefined")
    assert page.locator("main img[src=x]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a long name makes the page wider"
    page.close()
    own.stop()


def test_a_leader_sees_the_own_patch_only(enter: Callable[..., Page], office: Flask) -> None:
    file(office, "自己的网格", x=0.25, y=0.25)
    file(office, "别人的网格", x=3.75, y=1.75)
    page = enter("leader")
    expect(row(page, "自己的网格")).to_be_visible()
    expect(row(page, "别人的网格")).to_have_count(0)
    file(office, "又是别人的", x=3.75, y=1.75)
    file(office, "又是自己的", x=0.25, y=0.25)
    expect(row(page, "又是自己的")).to_be_visible(timeout=SOON_MS)
    expect(row(page, "又是别人的")).to_have_count(0)


def test_clicking_a_unit_tells_who_answers_for_it(enter: Callable[..., Page]) -> None:
    page = enter(hash_="#net=admin")
    page.wait_for_timeout(1500)
    press_map(page, 0.6, 1.6)
    expect(page.locator("#panel h2")).to_contain_text("community 990101002001")
    expect(page.locator("#panel .chain").first).to_contain_text("district 990101")


def test_an_issue_is_read_by_keyboard_alone(enter: Callable[..., Page], office: Flask) -> None:
    file(office, "键盘可达")
    page = enter()
    expect(row(page, "键盘可达")).to_be_visible()
    page.locator("#issues .row").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#issues .row").first).to_be_focused()


def test_the_slash_key_goes_to_the_search(enter: Callable[..., Page]) -> None:
    page = enter()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()


def test_an_issue_is_found_by_its_number(enter: Callable[..., Page], office: Flask) -> None:
    code = file(office, "按编号查找")
    page = enter()
    page.fill("#search", code)
    expect(page.locator("#found [role=option]", has_text=code)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#panel .panel-head")).to_contain_text(code)


def test_the_address_keeps_the_view(enter: Callable[..., Page], office: Flask) -> None:
    file(office, "保留筛选")
    page = enter()
    page.locator("label", has_text="30 天").click()
    page.select_option("#net", "police")
    page.reload()
    expect(page.locator("#days-30")).to_be_checked()
    expect(page.locator("#net")).to_have_value("police")


def test_an_issue_that_could_not_be_located_is_placed_on_the_map(enter: Callable[..., Page], office: Flask) -> None:
    code = file(office, "地址不清", text="不知道在哪里")
    page = enter(hash_="#tab=to_locate")
    page.locator(f'#to_locate [data-code="{code}"]').click()
    page.click("text=在图上指出位置")
    press_map(page, 1.25, 0.25)
    expect(page.locator("#panel .chain").first).to_contain_text("community 990101001002")
    state = text("SELECT state FROM issue WHERE code = :code")
    assert _in(office, lambda session: str(session.scalars(state, {"code": code}).one())) == "filed"


def test_an_agreement_is_entered_without_code(enter: Callable[..., Page]) -> None:
    page = enter(hash_="#tab=agreements")
    page.click("text=录入协议")
    page.fill("#agreement-title", "界河两侧")
    page.click("text=在图上画范围")
    for x, y in ((1.9, 0.4), (2.2, 0.4), (2.2, 0.6), (1.9, 0.6)):
        press_map(page, x, y)
    page.click("#sketch-bar button.main")
    page.select_option("#agreement-lead", "admin:subdistrict:990102001")
    page.fill("#agreement-valid_from", "2026-01-01")
    page.click("#agreements button[type=submit]")
    expect(page.locator("#agreements .row", has_text="界河两侧")).to_contain_text("subdistrict 990102001")


def test_an_expired_session_is_told_on_the_page(enter: Callable[..., Page], context: BrowserContext) -> None:
    page = enter()
    page.watch.allowed = re.compile("401|Failed to load resource")  # type: ignore[attr-defined]
    context.clear_cookies()
    page.locator("label", has_text="24 小时").click()
    expect(page.locator("#notice")).to_contain_text("登录已过期")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_accessible_and_all_words_are_there(
    enter: Callable[..., Page], office: Flask, theme: Literal["light", "dark"], lang: str
) -> None:
    line = {"type": "LineString", "coordinates": [town.lonlat(1.9, 0.5), town.lonlat(2.1, 0.5)]}
    file(office, "跨界的一条线", geometry=line)
    page = enter(hash_=f"?lang={lang}#tab=issues")
    page.emulate_media(color_scheme=theme)
    page.reload()
    page.locator("#issues .row").first.click()
    expect(page.locator("#panel .why")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert untold(page) == []


@pytest.mark.parametrize("width", [360, 390, 1280, 1920])
def test_nothing_sticks_out_sideways(enter: Callable[..., Page], width: int) -> None:
    page = enter("leader")
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_weighs_less_than_a_megabyte_cold(enter: Callable[..., Page]) -> None:
    page = enter()
    page.wait_for_timeout(2000)
    weight = page.evaluate("""["resource", "navigation"].flatMap(
        (kind) => performance.getEntriesByType(kind)).reduce((sum, each) => sum + each.transferSize, 0)""")
    assert 100_000 < weight < 1_000_000

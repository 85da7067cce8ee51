"""The phone's page in a real browser: three taps, no line and back, nothing lost and nothing twice."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Playwright, expect
from sqlalchemy import text

from gis import db
from gis.territory import locate
from tests import town
from tests.web import desk, walking
from tests.web.conftest import Site
from tests.web.visits import SOON_MS, Visits, untold, violations

numbers = iter(range(500, 100_000))
# What a browser says of a line that is gone.
GONE = r"ERR_(INTERNET_DISCONNECTED|FAILED|CONNECTION|EMPTY_RESPONSE)|Failed to load resource|blocked by Playwright"


@pytest.fixture(scope="module", autouse=True)
def street(office: Flask) -> None:
    """Give the office what phones report under."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        walking.prepare(session)
        session.commit()
        # The first place of a process is looked up by an index that is still to be made.
        lon, lat = town.lonlat(*walking.HERE)
        locate.at(session, locate.parse({"lon": lon, "lat": lat}), date(2026, 1, 1))


@pytest.fixture(autouse=True)
def swept(office: Flask) -> Iterator[None]:
    """Leave no issue of one test to the next."""
    yield
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        connection.execute(text("TRUNCATE issue, patrol, sent_once CASCADE"))


@pytest.fixture
def phone(visits: Visits) -> Callable[..., Page]:
    """Give telephones, each signed in."""

    def given(username: str = "leader", *, lang: str = "zh", at: tuple[float, float] | None = walking.HERE,
              **look: Any) -> Page:  # fmt: skip
        page = visits.page(**(walking.PHONE | look))
        if at:
            walking.stand(page.context, *at)
        if "service_workers" in look:
            page.watch.allowed = re.compile(GONE)  # type: ignore[attr-defined]
        return walking.sign_in(page, visits.url, username, lang)

    return given


def picture(colour: str = "red", side: int = 2400) -> bytes:
    """Make a photo with something hidden in it, larger than is sent."""
    made, hidden = Image.new("RGB", (side, side // 2), colour), Image.Exif()
    hidden[0x010F] = "a telephone"
    written = io.BytesIO()
    made.save(written, "JPEG", exif=hidden)
    return written.getvalue()


def take(page: Page, press: str, colour: str = "red") -> None:
    """Press what opens the camera, and take a photo."""
    with page.expect_file_chooser() as chosen:
        page.click(press)
    chosen.value.set_files(FilePayload(name="a.jpg", mimeType="image/jpeg", buffer=picture(colour)))


def report(page: Page, words: str = "", category: str = "E0409") -> None:
    """Report with a photo: the bar's button, the class, off."""
    take(page, "#to-report")
    expect(page.locator("#report-photos .thumb")).to_be_visible()
    page.check(f'#report input[value="{category}"]')
    if words:
        page.fill("#report-text", words)
    page.click("#report-send")
    expect(page.locator("#report")).to_be_hidden()


def filed(office: Flask) -> list[Any]:
    """List what was reported by phones."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        sql = "SELECT *, ST_X(point_geom) AS lon, ST_Y(point_geom) AS lat FROM issue WHERE source = 'grid' ORDER BY id"
        return list(session.execute(text(sql)).all())


def counted(office: Flask, sql: str, **params: Any) -> int:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return int(session.scalar(text(sql), params) or 0)


def put(office: Flask, **changes: Any) -> str:
    """Put an issue on the patch."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        code = walking.issue(session, next(numbers), **changes)
        session.commit()
    return code


def offline(page: Page) -> None:
    page.watch.allowed = re.compile(GONE)  # type: ignore[attr-defined]
    page.context.set_offline(True)


def submit(page: Page) -> None:
    """Send a move: the sheet closes when it is on the phone's disk."""
    page.click("#move-send")
    expect(page.locator("#issue")).to_be_hidden()


def waits(page: Page, n: int) -> None:
    chip = page.locator("#waiting")
    expect(chip).to_be_hidden(timeout=SOON_MS) if n == 0 else expect(chip).to_contain_text(str(n), timeout=SOON_MS)


def filed_soon(page: Page, office: Flask) -> list[Any]:
    """Wait for a report to be filed: a page that was just opened has not looked yet what waits."""
    for _ in range(SOON_MS // 200):
        if filed(office):
            break
        page.wait_for_timeout(200)
    return filed(office)


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


def test_reports_made_without_a_line_go_up_once_when_it_is_back(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    walking.prepared(page)
    offline(page)
    report(page, "第一件")
    report(page, "第二件")
    waits(page, 2)
    page.reload()
    waits(page, 2)
    expect(page.locator("#line")).to_have_attribute("data-state", "away")
    page.context.set_offline(False)
    waits(page, 0)
    assert [row.text for row in filed(office)] == ["第一件", "第二件"]


def test_the_patch_opens_without_a_line(phone: Callable[..., Page], office: Flask) -> None:
    code = put(office, state="fed_back", text="楼下垃圾没人清")
    page = phone()
    walking.prepared(page)
    offline(page)
    page.reload()
    expect(page.locator(f'#list [data-code="{code}"]')).to_contain_text("楼下垃圾没人清")
    painted = "() => [...document.querySelectorAll('.leaflet-ground-pane canvas')].length > 0"
    page.wait_for_function(painted)
    page.click(f'[data-code="{code}"]')
    expect(page.locator('#issue [data-move="pass"]')).to_be_visible()


def test_a_move_made_without_a_line_counts_from_when_it_was_made(phone: Callable[..., Page], office: Flask) -> None:
    code = put(office, state="fed_back")
    page = phone()
    page.click(f'[data-code="{code}"]')
    page.click('#issue [data-move="rework"]')
    offline(page)
    page.fill("#need-reason", "还有一半没有清")
    submit(page)
    waits(page, 1)
    page.wait_for_timeout(1500)
    page.context.set_offline(False)
    waits(page, 0)
    late = "SELECT count(*) FROM move WHERE name = 'rework' AND said_at < at - interval '1 second'"
    assert counted(office, late) == 1


def test_a_department_signs_arrives_and_feeds_back_without_a_line(phone: Callable[..., Page], office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, next(numbers))
        session.commit()
    page = phone("cg")
    page.click(f'#list [data-code="{way.code}"]')
    expect(page.locator('#issue [data-move="sign"]')).to_be_visible()
    page.go_back()
    offline(page)
    for nth, name in enumerate(("sign", "arrive", "feed_back"), start=1):
        page.click(f'#list [data-code="{way.code}"]')
        page.click(f'#issue [data-move="{name}"]')
        if name == "feed_back":
            page.fill("#need-done", "已清理")
        submit(page)
        waits(page, nth)
    page.context.set_offline(False)
    waits(page, 0)
    assert counted(office, "SELECT count(*) FROM move WHERE name IN ('sign', 'arrive', 'feed_back')") == 3


class Deaf:
    """A line on which the server's answers to posts are lost."""

    def __init__(self, page: Page) -> None:
        self.page, self.lost = page, 0
        page.route("**/api/v1/issues", self.lose)

    def lose(self, route: Any) -> None:
        """Let the server have it, and let nobody hear that it has."""
        if self.lost == 0:
            self.lost += 1
            route.fetch()
            route.abort()
        else:
            route.continue_()


def test_what_the_server_took_and_nobody_heard_of_is_one_issue(phone: Callable[..., Page], office: Flask) -> None:
    page = phone(service_workers="block")
    line = Deaf(page)
    report(page)
    waits(page, 1)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    waits(page, 0)
    assert (line.lost, len(filed(office)), counted(office, "SELECT count(*) FROM photo")) == (1, 1, 1)


def test_a_move_the_server_took_and_nobody_heard_of_is_made_once(phone: Callable[..., Page], office: Flask) -> None:
    code = put(office, state="fed_back")
    page = phone(service_workers="block")
    lost: list[int] = []

    def lose(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(1)
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/moves", lose)
    page.click(f'[data-code="{code}"]')
    page.click('#issue [data-move="pass"]')
    submit(page)
    waits(page, 1)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    waits(page, 0)
    assert counted(office, "SELECT count(*) FROM move") == 1


def test_two_tabs_that_know_no_locks_send_a_report_once(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    page.reload()
    walking.ready(page)
    other = page.context.new_page()
    other.goto(page.url)
    walking.ready(other)
    offline(page)
    report(page)
    other.evaluate("() => dispatchEvent(new Event('offline'))")
    page.context.set_offline(False)
    other.evaluate("() => dispatchEvent(new Event('online'))")
    waits(page, 0)
    assert (len(filed(office)), counted(office, "SELECT count(*) FROM photo")) == (1, 1)


def test_a_queue_outlives_the_browser(
    playwright: Playwright, site: Site, office: Flask, tmp_path: Path, browser_type_launch_args: dict[str, Any]
) -> None:
    def opened() -> BrowserContext:
        context = playwright.chromium.launch_persistent_context(tmp_path, **browser_type_launch_args, **walking.PHONE)
        context.set_default_timeout(SOON_MS)
        walking.stand(context)
        return context

    context = opened()
    page = walking.sign_in(context.pages[0], site.url)
    walking.prepared(page)
    context.set_offline(True)
    report(page, "关掉之前")
    waits(page, 1)
    context.close()
    assert filed(office) == []
    context = opened()
    page = context.pages[0]
    page.goto(f"{site.url}/patch")
    assert [row.text for row in filed_soon(page, office)] == ["关掉之前"]
    waits(page, 0)
    context.close()


def test_a_queue_outlives_the_session_and_belongs_to_who_made_it(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    walking.prepared(page)
    # An answer that is still on its way would bring the session back.
    offline(page)
    page.watch.allowed = re.compile(GONE + "|401")  # type: ignore[attr-defined]
    page.context.clear_cookies()
    page.context.set_offline(False)
    report(page, "登录过期时")
    expect(page.locator("#notice")).to_contain_text("登录已过期", timeout=SOON_MS)
    waits(page, 1)
    walking.sign_in(page, page.url.split("/patch")[0], "inspector")
    page.click('[data-view="me"]')
    expect(page.locator("#queue")).to_contain_text("leader")
    assert filed(office) == []
    address = page.url.split("/patch")[0]
    page.goto("about:blank")
    page.context.clear_cookies()
    walking.sign_in(page, address, "leader")
    assert [row.created_by for row in filed_soon(page, office)] == ["leader"]
    waits(page, 0)


def test_what_is_refused_says_why_and_can_be_mended(phone: Callable[..., Page], office: Flask) -> None:
    page = phone()
    page.watch.allowed = re.compile("400")  # type: ignore[attr-defined]
    counted(office, "SELECT 1")
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        connection.execute(text("UPDATE source SET code = 'grid-away' WHERE code = 'grid'"))
    report(page, "来源不对")
    page.click('[data-view="me"]')
    expect(page.locator("#queue .refusal")).to_contain_text("grid", timeout=SOON_MS)
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        connection.execute(text("UPDATE source SET code = 'grid' WHERE code = 'grid-away'"))
    page.click("#queue button:has-text('修改')")
    expect(page.locator("#report-text")).to_have_value("来源不对")
    page.fill("#report-text", "改好了")
    page.click("#report-send")
    waits(page, 0)
    assert [row.text for row in filed(office)] == ["改好了"]


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

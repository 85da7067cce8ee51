"""The phone's queue in a real browser: no line and back, nothing lost and nothing twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright, expect
from sqlalchemy import text

from gis import db
from tests.web import desk, phones, walking
from tests.web.conftest import Site
from tests.web.phones import GONE, counted, filed, numbers, put, report, submit, waits
from tests.web.visits import SOON_MS

street = phones.street
swept = phones.swept
phone = phones.phone


def offline(page: Page) -> None:
    page.watch.allowed = re.compile(GONE)  # type: ignore[attr-defined]
    page.context.set_offline(True)


def filed_soon(page: Page, office: Flask) -> list[Any]:
    """Wait for a report to be filed: a page that was just opened has not looked yet what waits."""
    for _ in range(SOON_MS // 200):
        if filed(office):
            break
        page.wait_for_timeout(200)
    return filed(office)


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


def test_a_draft_that_outlived_its_sending_is_no_second_report(phone: Callable[..., Page], office: Flask) -> None:
    page = phone(service_workers="block")
    # as where a browser is killed between the two: the report is on the disk, and its draft is there still
    page.evaluate("""() => { const remove = IDBObjectStore.prototype.delete;
        IDBObjectStore.prototype.delete = function (key) {
            return this.name === "kept" ? this.get(key) : remove.call(this, key); }; }""")
    report(page, "堆在门口")
    filed_soon(page, office)
    page.reload()
    walking.ready(page)
    page.click("#to-report")
    expect(page.locator("#report-text")).to_have_value("堆在门口")
    page.click("#report-alike button:has-text('不是同一件')")
    page.click("#report-send")
    expect(page.locator("#report")).to_be_hidden()
    waits(page, 0)
    assert len(filed(office)) == 1


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

"""The wall screen in a real browser: its numbers, its light, its tour; through a restart, a cut line, and storms."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, ViewportSize, expect
from sqlalchemy import text

from gis import db
from gis.settings import ROOT
from tests.web import desk
from tests.web.conftest import Site
from tests.web.test_operator_page import file
from tests.web.visits import Visits, fill_in, untold, violations

SOON_MS = 60_000
SHOTS = ROOT / "var" / "screenshots"
BROKEN_LINE = "ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|ERR_NETWORK|Failed to load resource|ERR_INTERNET|ERR_SOCKET"


@pytest.fixture
def look(visits: Visits) -> Callable[..., Page]:
    """Hang a screen up, signed in as one."""

    def hung(url: str = visits.url, *, lang: str = "zh", who: str = desk.SCREEN, **more: Any) -> Page:
        page = visits.page(url, **({"viewport": ViewportSize(width=1920, height=1080)} | more))
        page.set_default_timeout(SOON_MS)
        page.goto(f"{url}/sign-in?lang={lang}&next=/wall")
        fill_in(page, who)
        expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
        expect(page.locator("#figure-open .number")).not_to_have_text("…", timeout=SOON_MS)
        return page

    return hung


class Wire:
    """A line to a server that can be cut: closed, or dead without a word."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = threading.Event()
        self._open.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near = self._door.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            self._pairs.append((near, far))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._open.wait()
                other.sendall(data)
        for each in (one, other):
            _hang_up(each)

    def go_dead(self) -> None:
        """Carry nothing more, and close nothing."""
        self._open.clear()

    def heal(self) -> None:
        """Carry again what comes from now on; what was open is gone."""
        for pair in self._pairs:
            for each in pair:
                _hang_up(each)
        self._open.set()

    def close(self) -> None:
        self._door.close()
        self.heal()


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def figure(page: Page, name: str) -> int:
    return int(page.locator(f"#figure-{name} .number").inner_text().replace(",", ""))


def feed(page: Page, code: str) -> Any:
    return page.locator(f'#feed [data-code="{code}"]')


def test_the_numbers_are_those_of_the_ledgers_they_lead_to(look: Callable[..., Page], office: Flask) -> None:
    file(office)
    page = look(who="planner")
    client = desk.signed_in(office, "planner")
    for name in ("open", "new", "overdue"):
        address = page.locator(f"#figure-{name} a").get_attribute("href") or ""
        asked = address.split("?", 1)[1]
        told = client.get(f"/ledger/total?{asked}").get_json()["total"]
        assert figure(page, name) == told


def test_where_there_was_no_yesterday_a_dash_says_so(look: Callable[..., Page]) -> None:
    page = look()
    expect(page.locator("#figure-open .before")).to_have_text("昨日此时 —", timeout=SOON_MS)
    expect(page.locator("#figure-open .trend")).to_have_text("", timeout=SOON_MS)


def test_what_happens_is_on_the_wall_without_a_touch(look: Callable[..., Page], office: Flask) -> None:
    page = look()
    before = figure(page, "open")
    code = file(office)
    expect(feed(page, code)).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#figure-open .number")).to_have_text(str(before + 1), timeout=SOON_MS)
    assert page.evaluate("code => Boolean(live_issues.getLayer(code))", code)


def test_nobodys_words_and_nobodys_name_are_on_the_wall(look: Callable[..., Page], office: Flask) -> None:
    asked: list[str] = []
    page = look()
    page.on("response", lambda answer: asked.append(answer.text()) if "/wall/figures" in answer.url else None)
    code = file(office, "我是王芳，电话 13812345678")
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""UPDATE issue SET reporter = '{"name": "王芳", "phone": "13812345678"}' WHERE code = :code"""),
            {"code": code},
        )
        session.commit()
    expect(feed(page, code)).to_be_visible(timeout=SOON_MS)
    page.reload()
    expect(feed(page, code)).to_be_visible(timeout=SOON_MS)
    for told in (page.content(), *asked):
        assert "王芳" not in told
        assert "138123" not in told


def test_the_wall_lives_through_a_restart_without_a_gap_or_a_double(look: Callable[..., Page], app: Flask) -> None:
    from app import create_app

    desk.open_office(app)
    first = Site(app)
    page = look(first.url)
    page.watch.allowed = re.compile(BROKEN_LINE)  # type: ignore[attr-defined]
    before = file(app)
    expect(feed(page, before)).to_be_visible(timeout=SOON_MS)
    first.stop()
    expect(page.locator("#live")).to_have_attribute("data-state", "broken", timeout=SOON_MS)
    expect(page.locator("#broken")).to_contain_text("画面停在", timeout=SOON_MS)
    _shot(page, "broken")
    meanwhile = [file(app) for _ in range(3)]
    again = create_app(app.extensions["settings"])
    second = Site(again, first.port)
    expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
    expect(page.locator("#broken")).to_be_hidden(timeout=SOON_MS)
    for code in (before, *meanwhile):
        expect(feed(page, code)).to_have_count(1, timeout=SOON_MS)
        assert page.evaluate("code => Boolean(live_issues.getLayer(code))", code)
    expect(page.locator("#figure-open .number")).to_have_text("4", timeout=SOON_MS)
    after = file(again)
    expect(feed(page, after)).to_have_count(1, timeout=SOON_MS)
    page.close()
    second.stop()
    again.extensions["engine"].dispose()


def test_a_line_that_dies_without_a_word_is_noticed_and_opened_again(
    look: Callable[..., Page], site: Site, office: Flask
) -> None:
    wire = Wire(site.port)
    page = look(wire.url)
    page.watch.allowed = re.compile(BROKEN_LINE)  # type: ignore[attr-defined]
    wire.go_dead()
    missed = file(office)
    expect(page.locator("#live")).to_have_attribute("data-state", "broken", timeout=SOON_MS)
    expect(page.locator("#live-text")).to_contain_text("已中断", timeout=SOON_MS)
    wire.heal()
    expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
    expect(feed(page, missed)).to_have_count(1, timeout=SOON_MS)
    page.close()
    wire.close()


def test_who_is_signed_out_is_told_in_words(look: Callable[..., Page], office: Flask) -> None:
    page = look()
    page.watch.allowed = re.compile("401|Failed to load resource")  # type: ignore[attr-defined]
    page.context.clear_cookies()
    # the line is open still, and what it tells makes the page ask
    file(office)
    expect(page.locator("#live")).to_have_attribute("data-state", "broken", timeout=SOON_MS)
    expect(page.locator("#broken")).to_contain_text("登录已失效", timeout=SOON_MS)
    assert page.locator("#broken a").get_attribute("href") == "/sign-in?next=/wall"


def test_the_tour_goes_on_every_half_minute_and_a_touch_stops_it(look: Callable[..., Page], office: Flask) -> None:
    for _ in range(3):
        file(office, x=0.25, y=0.25)
    page = look()
    expect(page.locator("#hotspots [data-key]").first).to_be_visible(timeout=SOON_MS)
    page.clock.install()
    page.reload()
    expect(page.locator("#hotspots [data-key]").first).to_be_visible(timeout=SOON_MS)
    expect(page.locator(".tour-bar")).to_have_attribute("data-tour", "on", timeout=SOON_MS)
    page.clock.run_for(31_000)
    expect(page.locator("#tour-card")).to_contain_text("高发地点 1 /", timeout=SOON_MS)
    expect(page.locator("#hotspots [aria-current]")).to_have_count(1, timeout=SOON_MS)
    page.mouse.click(960, 500)
    expect(page.locator(".tour-bar")).to_have_attribute("data-tour", "paused", timeout=SOON_MS)
    expect(page.locator("#tour-said")).to_contain_text("巡视已暂停", timeout=SOON_MS)
    centre = page.evaluate("String(map_main.getCenter())")
    page.clock.run_for(120_000)
    assert page.evaluate("String(map_main.getCenter())") == centre
    page.clock.run_for(200_000)
    expect(page.locator(".tour-bar")).to_have_attribute("data-tour", "on", timeout=SOON_MS)


def test_the_key_t_stops_the_tour_and_lets_it_go_on(look: Callable[..., Page]) -> None:
    page = look()
    bar = page.locator(".tour-bar")
    for state in ("off", "on", "off"):
        page.keyboard.press("t")
        expect(bar).to_have_attribute("data-tour", state, timeout=SOON_MS)
    page.click("#tour")
    expect(bar).to_have_attribute("data-tour", "on", timeout=SOON_MS)


def test_the_clock_is_the_citys_and_the_servers(look: Callable[..., Page]) -> None:
    page = look(timezone_id="America/New_York")
    at = page.evaluate("""() => new Intl.DateTimeFormat("zh-CN", {timeZone: "Asia/Shanghai", hour: "2-digit",
        minute: "2-digit", hour12: false}).format(new Date())""")
    assert page.locator("#clock").inner_text()[:4] == at[:4]


def test_a_storm_is_drawn_with_its_last_word_about_each_issue(look: Callable[..., Page], office: Flask) -> None:
    page = look()
    codes = [file(office) for _ in range(40)]
    expect(feed(page, codes[-1])).to_be_visible(timeout=SOON_MS)
    assert page.locator("#feed > li:not(.empty)").count() <= 14
    assert page.evaluate("codes => codes.every((code) => Boolean(live_issues.getLayer(code)))", codes)


def test_html_in_a_name_is_text(look: Callable[..., Page], app: Flask) -> None:
    from tests.web.test_operator_page import _in, spoil

    desk.open_office(app)
    _in(app, lambda session: spoil(session) or "")
    for _ in range(2):
        file(app)
    own = Site(app)
    page = look(own.url)
    expect(page.locator("#hotspots [data-key]").first).to_contain_text("<img", timeout=SOON_MS)
    expect(page.locator("#feed b").first).to_contain_text("<img", timeout=SOON_MS)
    assert page.evaluate("window.owned === undefined")
    page.close()
    own.stop()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_wall_is_accessible_and_all_words_are_there(
    look: Callable[..., Page], office: Flask, theme: str, lang: str
) -> None:
    for _ in range(2):
        file(office, x=0.25, y=0.25)
    page = look(lang=lang, color_scheme=theme)
    expect(page.locator("#hotspots [data-key]").first).to_be_visible(timeout=SOON_MS)
    assert violations(page) == []
    assert untold(page) == []
    _shot(page, f"{lang}_{theme}")


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 720), (1920, 1080), (3840, 2160)])
def test_nothing_sticks_out_and_letters_grow_with_the_screen(
    look: Callable[..., Page], office: Flask, width: int, height: int
) -> None:
    file(office)
    page = look(viewport=ViewportSize(width=width, height=height))
    _shot(page, f"{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 1280:
        assert page.evaluate("document.documentElement.scrollHeight") <= height
    letters_px = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.number')).fontSize)")
    assert letters_px >= {360: 32, 1280: 44, 1920: 70, 3840: 140}[width]


def _shot(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look."""
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"wall_{name}.png")

"""One furnished office for the tests of a file that leave it as it was; those that do not bring their own people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from bench import browser
from gis.settings import Settings
from tests.conftest import _copied
from tests.web import desk
from tests.web.visits import SOON_MS, Visits, Watch, fill_in

expect.set_options(timeout=SOON_MS)


@pytest.fixture(scope="module")
def office(server: Settings, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Give the product with the small town, an account for each role, and a source with a category."""
    from app import create_app

    with _copied(server, template) as settings:
        app = create_app(replace(settings, var_dir=tmp_path_factory.mktemp("office"), public_page=True))
        app.testing = True
        desk.open_office(app)
        yield app
        app.extensions["live"].close()
        app.extensions["engine"].dispose()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Use the system's Chromium, or the one named by SHAOTU_BROWSER; without a graphics card, as on many desks."""
    return {"executable_path": browser.executable(), "args": [*browser.arguments(), "--disable-gpu"]}


class Quiet(WSGIRequestHandler):
    """A handler that does not write a line for every tile."""

    def log(self, *_said: object) -> None:
        """Keep silent."""


class Site:
    """The product served at an address; it can be stopped and started again there."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        self.app = app
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop listening and end the open streams."""
        self._server.shutdown()
        self._server.server_close()
        self.app.extensions["live"].close()


@pytest.fixture(scope="module")
def site(office: Flask) -> Iterator[Site]:
    """Serve the office."""
    served = Site(office)
    yield served
    served.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce", locale="zh-CN")
    opened.set_default_timeout(SOON_MS)
    yield opened
    opened.close()


@pytest.fixture
def enter(context: BrowserContext, site: Site) -> Iterator[Callable[..., Page]]:
    """Sign in and open the page; at the end nothing may have gone wrong on it."""
    watches: list[Watch] = []

    def opened(username: str = "operator", hash_: str = "", url: str = site.url) -> Page:
        page = context.new_page()
        watches.append(Watch(page, url))
        page.goto(f"{url}/sign-in")
        fill_in(page, username)
        if hash_:
            page.goto("about:blank")
            page.goto(f"{url}/{hash_}")
        expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
        page.watch = watches[-1]  # type: ignore[attr-defined]
        return page

    yield opened
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest.fixture
def visits(browser: Browser, site: Site) -> Iterator[Visits]:
    """Look at the office in browsers of their own; at the end nothing may have gone wrong on any page."""
    opened = Visits(browser, site.url)
    yield opened
    opened.end()


@pytest.fixture
def seat(visits: Visits) -> Callable[..., Page]:
    """Sit people down before the command page, and before an issue if one is named."""

    def taken(username: str, code: str = "", *, lang: str = "zh", **look: Any) -> Page:
        page = visits.page(**look)
        page.goto(f"{visits.url}/sign-in?lang={lang}")
        fill_in(page, username)
        expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
        if code:
            page.goto("about:blank")
            page.goto(f"{visits.url}/#issue={code}")
            expect(page.locator("#panel .panel-head")).to_contain_text(code)
        return page

    return taken


def press(page: Page, move: str) -> None:
    """Press the button of a move in the panel."""
    page.click(f'#panel .moves [data-move="{move}"]')

"""One furnished office for the tests of a file that leave it as it was; those that do not bring their own people."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from bench import browser
from gis.settings import Settings
from tests.conftest import _copied
from tests.web import desk

SOON_MS = 30_000
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


class Watch:
    """Everything that went wrong on a page."""

    def __init__(self, page: Page, url: str) -> None:
        self.url, self.allowed = url, re.compile(r"^$")
        self.faults: list[str] = []
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._note(f"script: {error}"))

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self._note(f"console: {said.text}")

    def _note(self, fault: str) -> None:
        if not self.allowed.search(fault):
            self.faults.append(fault)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self._note(f"left the host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"{response.status} {response.url}")


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
        page.fill("#username", username)
        page.fill("#password", desk.PASSWORD)
        page.click("button.main")
        if hash_:
            page.goto("about:blank")
            page.goto(f"{url}/{hash_}")
        expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
        page.watch = watches[-1]  # type: ignore[attr-defined]
        return page

    yield opened
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest.fixture
def seat(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Sit people down at browsers of their own, before an issue if one is named; nothing may go wrong in any."""
    watches: list[Watch] = []
    contexts: list[BrowserContext] = []

    def taken(username: str, code: str = "", *, lang: str = "zh", **look: object) -> Page:
        usual: dict[str, object] = {"viewport": {"width": 1400, "height": 900}, "reduced_motion": "reduce"}
        contexts.append(browser.new_context(**(usual | look)))  # type: ignore[arg-type]
        contexts[-1].set_default_timeout(SOON_MS)
        page = contexts[-1].new_page()
        watches.append(Watch(page, site.url))
        page.goto(f"{site.url}/sign-in?lang={lang}")
        page.fill("#username", username)
        page.fill("#password", desk.PASSWORD)
        page.click("button.main")
        expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
        if code:
            page.goto("about:blank")
            page.goto(f"{site.url}/#issue={code}")
            expect(page.locator("#panel .panel-head")).to_contain_text(code)
        page.watch = watches[-1]  # type: ignore[attr-defined]
        return page

    yield taken
    for each in contexts:
        each.close()
    assert [fault for watch in watches for fault in watch.faults] == []


def press(page: Page, move: str) -> None:
    """Press the button of a move in the panel."""
    page.click(f'#panel .moves [data-move="{move}"]')

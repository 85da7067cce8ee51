"""People at pages: browsers of their own, what went wrong on a page, and whether everybody can read it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from gis.settings import ROOT
from tests.web import desk

SOON_MS = 30_000
AXE = ROOT / "static" / "vendor" / "axe-core" / "axe.min.js"
VIOLATIONS = """axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations.map(
    (each) => [each.id, each.impact, ...each.nodes.map((node) => node.target.join(" "))]))"""
# a code without its sentence, or a sentence without its parameter
UNTOLD = re.compile(
    r"\b(?:page|flag|state|basis|party|decision|entry|place|ledger|sweep|shift|paper|move|mark|need|choice)"
    r"\.[a-z_]+\b|%\(|\{[a-z_]+\}"
)


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


class Visits:
    """The pages of one test, each in a browser of its own that is at rest; the product's address is `url`."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._watches: list[Watch] = []

    def page(self, url: str = "", **look: Any) -> Page:
        """Open an empty page that is watched; its look is what Browser.new_context takes."""
        usual: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}, "reduced_motion": "reduce"}
        self._contexts.append(self._browser.new_context(**(usual | look)))
        self._contexts[-1].set_default_timeout(SOON_MS)
        page = self._contexts[-1].new_page()
        self._watches.append(Watch(page, url or self.url))
        page.watch = self._watches[-1]  # type: ignore[attr-defined]
        return page

    def go(self, path: str, username: str = "", theme: str = "light", width: int = 1400, *, lang: str = "zh",
           **look: Any) -> Page:  # fmt: skip
        """Open a path, as somebody if a name is given."""
        page = self.page(viewport={"width": width, "height": 900}, color_scheme=theme, **look)
        if username:
            page.goto(f"{self.url}/sign-in?lang={lang}")
            fill_in(page, username)
            page.wait_for_url(f"{self.url}/**")
            page.goto("about:blank")
        page.goto(f"{self.url}{path}")
        return page

    def end(self) -> None:
        """Close them all; nothing may have gone wrong on any."""
        for each in self._contexts:
            each.close()
        assert [fault for watch in self._watches for fault in watch.faults] == []


def fill_in(page: Page, username: str, password: str = desk.PASSWORD) -> None:
    """Say who one is on the page that asks."""
    page.fill("#username", username)
    page.fill("#password", password)
    page.click("button.main")


def violations(page: Page) -> list[Any]:
    """Say what of the page not everybody can read, by axe; once it is on the page it is asked again as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found: list[Any] = page.evaluate(VIOLATIONS)
    return found


def untold(page: Page, part: str = "body") -> list[str]:
    """List what in a part of the page is a code without its sentence."""
    return UNTOLD.findall(page.inner_text(part))

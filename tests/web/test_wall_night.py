"""The screen at night: it loads itself anew once, when it has been on for long and the server is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.web.visits import SOON_MS, Visits, fill_in

# The minute of the hour of reloading is drawn by lot; here the lot is known, and the city's clock is that of Shanghai.
LOT = "Math.random = () => 0.5"
NIGHT, MORNING = "2026-05-01T04:30:00+08:00", "2026-05-01T10:30:00+08:00"
HOURS_7 = timedelta(hours=7)
STAYS_MS = 4000


class Screen:
    """A screen that hangs since this morning; what time it is in the city is told by the server."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.time = page, MORNING
        self.unanswered: list[str] = []
        page.on("requestfailed", self._miss)
        page.add_init_script(LOT)
        page.goto(f"{url}/sign-in?next=/wall")
        fill_in(page, "planner")
        page.clock.install(time=datetime.now(UTC) - HOURS_7)
        page.route("**/wall/figures", self._tell)
        page.goto(f"{url}/wall")
        self.is_on()
        page.evaluate("window.untouched = true")

    def _tell(self, route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"at": self.time})

    def _miss(self, request: Request) -> None:
        self.unanswered.append(request.url.rpartition("/")[2])

    def is_on(self) -> None:
        expect(self.page.locator("#live")).to_have_attribute("data-state", "open", timeout=SOON_MS)
        expect(self.page.locator("#figure-open .number")).not_to_have_text("…", timeout=SOON_MS)

    def is_untouched(self) -> bool:
        """Say whether the page is the one that was loaded in the morning, after some seconds."""
        self.page.wait_for_timeout(STAYS_MS)
        return bool(self.page.evaluate("window.untouched === true"))

    def shows(self, time: str) -> None:
        """Wait until the clock on the screen is the city's."""
        expect(self.page.locator("#clock")).to_contain_text(time[11:16], timeout=SOON_MS)


@pytest.fixture
def screen(visits: Visits) -> Callable[[], Screen]:
    """Hang a screen up."""
    return lambda: Screen(visits.page(viewport={"width": 1920, "height": 1080}), visits.url)


def test_at_night_a_screen_that_was_on_all_day_loads_itself_anew_and_once(screen: Callable[[], Screen]) -> None:
    hung = screen()
    hung.time = NIGHT
    with hung.page.expect_event("load"):
        hung.page.clock.fast_forward(HOURS_7.seconds * 1000)
    hung.is_on()
    hung.page.evaluate("window.untouched = true")
    hung.shows(NIGHT)
    assert hung.is_untouched()


def test_by_day_a_screen_stays_as_it_is(screen: Callable[[], Screen]) -> None:
    hung = screen()
    hung.page.clock.fast_forward(HOURS_7.seconds * 1000)
    hung.shows(MORNING)
    assert hung.is_untouched()


def test_a_screen_that_was_hung_up_at_night_stays_as_it_is(screen: Callable[[], Screen]) -> None:
    hung = screen()
    hung.time = NIGHT
    hung.page.clock.fast_forward(31_000)
    hung.shows(NIGHT)
    assert hung.is_untouched()


def test_a_screen_does_not_let_go_of_its_page_while_the_server_is_not_ready(screen: Callable[[], Screen]) -> None:
    hung = screen()
    hung.page.route("**/readyz", lambda route: route.abort())
    hung.page.watch.allowed = re.compile("ERR_FAILED|Failed to load resource")  # type: ignore[attr-defined]
    hung.time = NIGHT
    hung.page.clock.fast_forward(HOURS_7.seconds * 1000)
    hung.shows(NIGHT)
    assert hung.is_untouched()
    assert "readyz" in hung.unanswered

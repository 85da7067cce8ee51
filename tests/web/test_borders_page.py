"""The planner's click-through in a real browser: from the ranking to the map, to both sides, to an issue, and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from gis import db
from tests.planning.bordered import E, W, metres, put
from tests.web.visits import Visits, fill_in, untold, violations

KEY = f"{W}|{E}"
PATH = "/borders?level=admin:district"
COMMUNITIES = "/borders?level=admin:community"


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Put five issues by the district line, and one far from it."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        for nth, x_m in enumerate((-40, -20, 0, 20, 40, 900), start=1):
            put(session, nth, *metres(x_m, 100), reported_at=datetime.now(UTC) - timedelta(days=1))
        session.commit()
    return office


@pytest.fixture
def look(visits: Visits) -> Callable[..., Page]:
    """Open a page as a planner, in a theme and at a width."""
    return partial(visits.go, username="planner")


def chosen(page: Page) -> None:
    """Wait until the border is chosen in the table, beside it and in the address."""
    expect(page.locator(f'#ranking tr[data-key="{KEY}"]')).to_have_attribute("aria-current", "true")
    expect(page.locator("#sides")).to_be_visible()
    expect(page).to_have_url(re.compile(r"key=990101(\||%7C)990102"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_row_chooses_its_border_and_the_address_keeps_it(look: Callable[..., Page], lang: str) -> None:
    page = look(PATH, lang=lang)
    page.click(f'#ranking tr[data-key="{KEY}"] td >> nth=1')
    chosen(page)
    expect(page.locator(".spot-mark")).to_have_count(5)
    page.reload()
    chosen(page)
    expect(page.locator(".spot-mark")).to_have_count(5)


def test_a_line_on_the_map_chooses_its_row(look: Callable[..., Page]) -> None:
    page = look(PATH)
    line = page.locator(".leaflet-strips-pane path.strip-line")
    expect(line).to_have_count(1)
    box = line.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chosen(page)


def test_back_leads_to_what_was_chosen_before(look: Callable[..., Page]) -> None:
    page = look(PATH)
    page.click(f'#ranking tr[data-key="{KEY}"] td >> nth=1')
    chosen(page)
    page.go_back()
    expect(page.locator("#ranking tr[aria-current]")).to_have_count(0)
    expect(page.locator("#sides")).to_have_count(0)


def test_rows_are_walked_and_chosen_by_keys(look: Callable[..., Page]) -> None:
    page = look(COMMUNITIES)
    page.locator("#ranking tbody th a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#ranking tbody tr").nth(1)).to_have_attribute("aria-current", "true")
    expect(page.locator("#sides")).to_be_visible()


def test_an_issue_of_the_strip_opens_its_panel(look: Callable[..., Page]) -> None:
    page = look(f"{PATH}&key={KEY}")
    code = page.locator("#chosen .issues tbody a").first.inner_text()
    page.locator("#chosen .issues tbody a").first.click()
    expect(page.locator("#panel .panel-head")).to_contain_text(code)


def test_another_width_is_asked_for_at_once(look: Callable[..., Page]) -> None:
    page = look(PATH)
    page.select_option('select[name="width"]', "10")
    expect(page).to_have_url(re.compile("width=10"))
    expect(page.locator("#ranking tbody tr td").nth(2)).to_have_text("1")


def test_who_was_signed_out_comes_back_to_the_same_border(look: Callable[..., Page]) -> None:
    page = look(PATH)
    expect(page.locator(".leaflet-strips-pane path.strip-line")).to_have_count(1)
    page.watch.allowed = re.compile("401")  # type: ignore[attr-defined]
    page.context.clear_cookies()
    page.click(f'#ranking tr[data-key="{KEY}"] td >> nth=1')
    fill_in(page, "planner")
    chosen(page)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["strips", "hand_offs", "straddlers", "faults"])
def test_everybody_can_read_it(look: Callable[..., Page], view: str, theme: str, lang: str) -> None:
    page = look(f"{PATH}&view={view}&key={KEY if view == 'strips' else ''}", theme=theme, lang=lang)
    page.wait_for_load_state("load")
    assert violations(page) == []
    assert untold(page) == []


@pytest.mark.parametrize("width", [360, 1280, 1920, 3840])
def test_nothing_sticks_out_sideways(look: Callable[..., Page], width: int) -> None:
    page = look(f"{PATH}&key={KEY}", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

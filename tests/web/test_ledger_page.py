"""The ledger in a real browser: by keyboard, one move on many, themes, both languages, from a phone to a wall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from gis import db
from tests.issues import filed
from tests.web.conftest import Site
from tests.web.visits import Watch, fill_in, untold, violations

PAGES = ("/ledger", "/shifts", "/papers")


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Give the office sixty issues, three of them closed."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        for nth in range(60):
            filed.issue(session, nth, state="closed" if nth < 3 else "filed")
        session.commit()
    return office


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """Sign the shift leader in; at the end nothing may have gone wrong on the page."""
    opened = context.new_page()
    watch = Watch(opened, site.url)
    opened.goto(f"{site.url}/sign-in?next=/ledger")
    fill_in(opened, "shift_leader")
    expect(opened.locator("#ledger tbody tr")).to_have_count(50)
    yield opened
    assert watch.faults == []


def codes(page: Page) -> list[str]:
    return [str(row.get_attribute("data-code")) for row in page.locator("#ledger tbody tr").all()]


def test_the_next_page_goes_on_and_the_one_before_comes_back(page: Page) -> None:
    first = codes(page)
    page.keyboard.press("n")
    expect(page.locator("#ledger tbody tr")).to_have_count(10)
    assert not set(first) & set(codes(page))
    page.keyboard.press("p")
    expect(page.locator("#ledger tbody tr")).to_have_count(50)
    assert codes(page) == first


def test_the_address_keeps_what_is_shown(page: Page, site: Site) -> None:
    page.locator(".filters-fold summary").click()
    page.select_option("[name=stage]", "closing")
    page.click("#ledger-filters button.main")
    expect(page.locator("#ledger tbody tr")).to_have_count(3)
    assert page.url == f"{site.url}/ledger?stage=closing&order=reported"
    page.goto(page.url)
    expect(page.locator("#ledger tbody tr")).to_have_count(3)


def test_rows_are_reached_chosen_and_opened_by_keyboard(page: Page) -> None:
    page.locator("#ledger tbody tr").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#sweep-n")).to_have_text("2")
    expect(page.locator("#ledger tbody tr[data-picked]")).to_have_count(2)
    wanted = codes(page)[2]
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/#.*issue={wanted}"))


def test_the_first_arrow_enters_the_list(page: Page) -> None:
    page.wait_for_load_state("load")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.locator("#ledger tbody tr").first).to_have_attribute("data-picked", "")


def test_many_are_looked_at_struck_off_and_put_back(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ledger?struck=no")
    expect(page.locator("#ledger tbody tr")).to_have_count(3)
    page.check("#pick-all")
    page.select_option("#sweep-move", "strike")
    page.select_option("#sweep-fields select", "on_spot")
    page.click("#sweep [type=submit]")
    expect(page.locator("#sweep-out li.good")).to_have_count(3)
    page.click("#sweep-go")
    expect(page.locator("#sweep-out .undo")).to_be_visible()
    page.goto(f"{site.url}/ledger?struck=yes")
    expect(page.locator("#ledger tr.struck")).to_have_count(3)
    page.check("#pick-all")
    page.select_option("#sweep-move", "unstrike")
    page.fill("#sweep-fields textarea", "核验有误")
    page.click("#sweep [type=submit]")
    page.click("#sweep-go")
    expect(page.locator("#sweep-out li.good")).to_have_count(3)


def test_what_is_refused_is_said_for_each(page: Page) -> None:
    page.locator("#ledger tbody input").first.check()
    page.select_option("#sweep-move", "close")
    page.click("#sweep [type=submit]")
    expect(page.locator("#sweep-out li.bad")).to_contain_text("不能")
    expect(page.locator("#sweep-go")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_stands_in_the_way_of_anybody(page: Page, site: Site, path: str, theme: str) -> None:
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
    page.goto(f"{site.url}{path}")
    found: Any = violations(page)
    assert found == []


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_everything_is_said_in_both_languages(page: Page, site: Site, path: str, locale: str) -> None:
    page.goto(f"{site.url}{path}?lang={locale}")
    assert untold(page) == []


@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_its_screen(page: Page, site: Site, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site.url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width

"""The evaluation, the call-back desk and the answer in a real browser: readable by all, on every screen, by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from psycopg2.extras import Json
from sqlalchemy import text

from gis import db
from gis.settings import ROOT
from tests.issues import looped
from tests.issues.looped import WEST
from tests.web import desk
from tests.web.conftest import SOON_MS, Site, Watch
from tests.web.test_call_backs import PHONE, closed
from tests.web.test_operator_page import UNTOLD, VIOLATIONS

AXE = ROOT / "static" / "vendor" / "axe-core" / "axe.min.js"
numbers = count(500)
_SAID = text("SELECT fields FROM move JOIN issue ON issue.id = issue_id WHERE code = :code AND name = 'evaluate'")


@pytest.fixture
def code(office: Flask) -> str:
    """Close an issue of the west whose reporter can be called."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""
            INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')
            ON CONFLICT DO NOTHING
            """)
        )
        now = datetime.now(UTC) - timedelta(hours=1)
        way = looped.plain(session, next(numbers), reporter=Json(PHONE), reported_at=now, ground=[WEST])
        closed(replace(way, now=now))
        session.commit()
        return way.code


@pytest.fixture
def look(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page as somebody, in a theme and at a width; at the end nothing may have gone wrong on it."""
    watches, contexts = [], []

    def opened(path: str, username: str = "", theme: str = "light", width: int = 1400) -> Page:
        seen = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=seen, reduced_motion="reduce", color_scheme=theme))  # type: ignore[arg-type]
        contexts[-1].set_default_timeout(SOON_MS)
        page = contexts[-1].new_page()
        watches.append(Watch(page, site.url))
        if username:
            page.goto(f"{site.url}/sign-in")
            page.fill("#username", username)
            page.fill("#password", desk.PASSWORD)
            page.click("button.main")
            page.wait_for_url(f"{site.url}/**")
            page.goto("about:blank")
        page.goto(f"{site.url}{path}")
        return page

    yield opened
    for each in contexts:
        each.close()
    assert [fault for watch in watches for fault in watch.faults] == []


def link(site: Site, look: Callable[..., Page], code: str) -> str:
    page = look(f"/call-back?code={code}", "clerk")
    page.get_by_role("button", name="生成回访链接").click()
    return page.inner_text("#link").removeprefix(site.url)


PAGES = ("/evaluation?level=admin:district", "/evaluation?level=&view=numbers", "/call-back")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_everybody_can_read_it(look: Callable[..., Page], code: str, path: str, theme: str, lang: str) -> None:
    page = look(f"{path}{'&' if '?' in path else '?'}lang={lang}", "clerk", theme)
    page.wait_for_load_state("load")
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(VIOLATIONS) == []
    assert UNTOLD.findall(page.inner_text("body")) == []


@pytest.mark.parametrize("width", [360, 1280, 3840])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_sticks_out_sideways(look: Callable[..., Page], code: str, path: str, width: int) -> None:
    page = look(path, "clerk", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_units_are_drawn_with_the_letter_of_their_grade(look: Callable[..., Page], code: str) -> None:
    page = look("/evaluation?level=admin:district", "operator")
    expect(page.locator(".grade-pin")).to_have_count(2)
    assert page.locator(".leaflet-units-pane path").count() == 2


def test_a_heading_opens_its_formula(look: Callable[..., Page], code: str) -> None:
    page = look("/evaluation?level=admin:district&view=gb", "operator")
    page.locator('thead a[href="#formula-handling"]').click()
    expect(page.locator("#formula-handling")).to_be_visible()


def test_a_number_opens_its_issues_and_one_of_them_the_panel(look: Callable[..., Page], code: str) -> None:
    page = look("/evaluation?level=admin:district&view=numbers", "operator")
    page.locator("tr.altogether a").first.click()
    page.get_by_role("link", name=code).click()
    expect(page.locator("#panel .panel-head")).to_contain_text(code)


def test_on_paper_the_table_stands_alone(look: Callable[..., Page], code: str) -> None:
    page = look("/evaluation?level=admin:district", "operator")
    page.emulate_media(media="print")
    expect(page.locator("table")).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()


def test_a_call_is_made_by_keyboard_alone(office: Flask, look: Callable[..., Page], code: str) -> None:
    page = look(f"/call-back?code={code}&lang=zh", "clerk")
    assert PHONE["phone"] not in page.content()
    page.keyboard.press("r")
    expect(page.locator("#phone")).to_have_text(PHONE["phone"])
    page.wait_for_load_state()
    for key in ("1", "3", "6"):
        page.keyboard.press(key)
    page.keyboard.press("s")
    expect(page.get_by_role("status")).to_contain_text(code)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        said = session.execute(_SAID, {"code": code}).scalar_one()
    assert said == {"contacted": "yes", "solved": "yes", "satisfied": "partly"}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_who_reported_reads_the_answer_on_a_telephone(
    site: Site, look: Callable[..., Page], code: str, theme: str, lang: str
) -> None:
    page = look(f"{link(site, look, code)}?lang={lang}", theme=theme, width=360)
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(VIOLATIONS) == []
    assert UNTOLD.findall(page.inner_text("body")) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_who_reported_answers_on_a_telephone(site: Site, look: Callable[..., Page], code: str) -> None:
    page = look(f"{link(site, look, code)}?lang=zh", width=360)
    page.locator('[name="solved"][value="yes"]').check()
    page.locator('[name="satisfied"][value="yes"]').check()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("status")).to_contain_text("已记录")

"""The evaluation, the call-back desk and the answer in a real browser: readable by all, on every screen, by keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from psycopg2.extras import Json
from sqlalchemy import text

from gis import db
from tests.issues import looped
from tests.issues.looped import WEST
from tests.web.conftest import Site
from tests.web.test_call_backs import PHONE, closed
from tests.web.visits import Visits, untold, violations

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
def look(visits: Visits) -> Callable[..., Page]:
    """Open a page as somebody or as nobody, in a theme and at a width."""
    return visits.go


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
    assert violations(page) == []
    assert untold(page) == []


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
    assert violations(page) == []
    assert untold(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_who_reported_answers_on_a_telephone(site: Site, look: Callable[..., Page], code: str) -> None:
    page = look(f"{link(site, look, code)}?lang=zh", width=360)
    page.locator('[name="solved"][value="yes"]').check()
    page.locator('[name="satisfied"][value="yes"]').check()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("status")).to_contain_text("已记录")

"""The loop in real browsers: departments, inspector and shift leader play an issue to its end without reloading."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from gis import db
from tests.web import desk
from tests.web.conftest import press
from tests.web.visits import SOON_MS, untold, violations

numbers = iter(range(100, 100_000))


@pytest.fixture
def issue(office: Flask) -> str:
    """Put an issue across the line on the ground, reported now."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, next(numbers))
        session.execute(text("UPDATE issue SET reported_at = now() WHERE id = :id"), {"id": way.issue_id})
        session.commit()
        return way.code


def party(page: Page, department: str) -> Locator:
    return page.locator(f'#panel .standing[data-department="{department}"]')


def feed_back(page: Page, words: str) -> None:
    press(page, "feed_back")
    page.fill("#need-done", words)
    page.click(".move-form button.main")


def test_four_people_play_it_to_the_end_and_every_screen_follows(seat: Callable[..., Page], issue: str) -> None:
    west, east, inspector, chief = (seat(name, issue) for name in ("cg", "sw", "inspector", "shift_leader"))
    press(west, "sign")
    for page in (west, east, inspector, chief):
        expect(party(page, "cg")).to_contain_text("已签收，处置中", timeout=SOON_MS)
    press(east, "sign")
    feed_back(west, "西侧已拆除")
    expect(west.locator("#panel .panel-head")).to_contain_text("处置中")
    feed_back(east, "东侧已拆除")
    for page in (west, east, inspector, chief):
        expect(page.locator("#panel .panel-head")).to_contain_text("待核查", timeout=SOON_MS)
    press(inspector, "pass")
    inspector.click(".move-form button.main")
    expect(chief.locator('#panel .moves [data-move="close"]')).to_be_visible(timeout=SOON_MS)
    press(chief, "close")
    for page in (west, east, inspector, chief):
        expect(page.locator("#panel .panel-head")).to_contain_text("已结案", timeout=SOON_MS)
    expect(west.locator("#panel .history")).to_contain_text("东侧已拆除")


def test_a_departments_page_opens_on_what_waits_for_it(seat: Callable[..., Page], issue: str) -> None:
    page = seat("cg", issue)
    page.keyboard.press("Escape")
    group = page.locator('#desk [data-group="to_sign"]')
    expect(group.locator(f'[data-code="{issue}"]')).to_be_visible()
    group.locator(f'[data-code="{issue}"]').click()
    press(page, "sign")
    page.keyboard.press("Escape")
    expect(page.locator(f'#desk [data-group="at_work"] [data-code="{issue}"]')).to_be_visible(timeout=SOON_MS)


def test_a_department_signs_and_returns_by_keyboard_alone(seat: Callable[..., Page], issue: str) -> None:
    page = seat("cg", issue)
    page.locator('#panel .moves [data-move="return"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#need-reason")).to_be_focused()
    page.keyboard.type("不归我们管")
    page.keyboard.press("Tab")
    page.keyboard.type("清单第三条")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#panel .panel-head")).to_contain_text("已退回", timeout=SOON_MS)


def test_words_that_are_being_written_are_not_swept_away(seat: Callable[..., Page], issue: str) -> None:
    west, east = seat("cg", issue), seat("sw", issue)
    press(west, "return")
    west.fill("#need-reason", "写到一半")
    press(east, "sign")
    expect(west.locator("#notice")).to_contain_text("案件刚刚有了变化", timeout=SOON_MS)
    expect(west.locator("#need-reason")).to_have_value("写到一半")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("username", ["cg", "operator"])
def test_the_loop_is_accessible_and_all_words_are_there(
    seat: Callable[..., Page], issue: str, username: str, lang: str
) -> None:
    page = seat(username, issue, lang=lang)
    page.locator("#panel .moves button").last.click()
    expect(page.locator(".move-form")).to_be_visible()
    assert violations(page) == []
    assert untold(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#desk .desk-group").first).to_be_visible() if username == "cg" else page.click("#tab-desk")
    assert violations(page) == []
    assert untold(page) == []

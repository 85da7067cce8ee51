"""Papers in a real browser: the letter behind an urging and the minutes of a consultation, from an issue's panel."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from gis import db
from tests.issues.looped import CHIEF, DISPATCHER
from tests.web import desk
from tests.web.conftest import press
from tests.web.visits import SOON_MS, untold, violations

numbers = iter(range(400, 500))


@pytest.fixture
def issue(office: Flask) -> str:
    """Put an issue across the line on the ground that was urged, and whose consultation was held."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, next(numbers))
        way.after(
            ("urge", DISPATCHER, {"reason": "快办"}), ("convene", DISPATCHER, {"reason": "定主办"}),
            ("conclude", CHIEF, {"minutes": "东侧牵头\n西侧断水", "document": "府办 3 号", "lead": "sw"}),
        )  # fmt: skip
        session.commit()
        return way.code


def test_both_are_written_and_can_be_had_where_they_were_asked_for(seat: Callable[..., Page], issue: str) -> None:
    page = seat("shift_leader", issue)
    page.click(".paper-of button.main >> nth=0")
    expect(page.locator('#panel [data-paper="supervision"] a')).to_contain_text("督办〔", timeout=SOON_MS)
    page.fill("#meeting-place-1", "区政府三楼")
    for code in ("cg", "sw"):
        page.check(f'[data-consultation="1"] input[value="{code}"]')
    page.click('[data-consultation="1"] button.main')
    minutes = page.locator('#panel [data-paper="minutes"] a')
    expect(minutes).to_contain_text("会商〔", timeout=SOON_MS)
    expect(page.locator(".paper-of")).to_have_count(0)
    with page.expect_download() as download:
        minutes.click()
    assert download.value.suggested_filename.startswith("minutes-")


def test_a_meeting_nobody_came_to_is_refused_with_a_sentence(seat: Callable[..., Page], issue: str) -> None:
    page = seat("shift_leader", issue)
    page.watch.allowed = re.compile("400|Failed to load resource")  # type: ignore[attr-defined]
    page.fill("#meeting-place-1", "区政府三楼")
    with page.expect_response(f"**/papers/of/{issue}/minutes") as answer:
        page.click('[data-consultation="1"] button.main')
    assert answer.value.status == 400
    expect(page.locator('[data-consultation="1"] .wrong')).to_contain_text("到会单位")


@pytest.mark.parametrize("look", [("zh", "light", 1400), ("en", "dark", 1400), ("en", "light", 390)])
def test_it_is_accessible_and_all_words_are_there(
    seat: Callable[..., Page], issue: str, look: tuple[str, str, int]
) -> None:
    lang, theme, width = look
    page = seat("shift_leader", issue, lang=lang, color_scheme=theme, viewport={"width": width, "height": 844})
    expect(page.locator('[data-consultation="1"]')).to_be_visible()
    assert violations(page) == []
    assert untold(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_meeting_that_is_being_written_down_is_not_swept_away(seat: Callable[..., Page], issue: str) -> None:
    chief, east = seat("shift_leader", issue), seat("sw", issue)
    chief.fill("#meeting-place-1", "写到一半")
    press(east, "sign")
    expect(chief.locator("#notice")).to_contain_text("案件刚刚有了变化", timeout=SOON_MS)
    expect(chief.locator("#meeting-place-1")).to_have_value("写到一半")

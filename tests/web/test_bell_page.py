"""The bell, a masked reporter and an appeal on the page, as people at their desks meet them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import text

from gis import db
from gis.issues import lateness
from gis.issues.clerk import Clerk
from gis.issues.lateness import Fact
from tests.issues import looped
from tests.issues.looped import Way


@pytest.fixture
def way(office: Flask) -> Way:
    """Put a late issue of `cg` on the ground."""
    now = datetime.now(UTC)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""
            INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')
            ON CONFLICT DO NOTHING
            """)
        )
        count = session.scalar(text("SELECT count(*) FROM issue"))
        made = looped.plain(session, 700_000 + count, reporter='{"name": "王芳", "phone": "13812345678"}')
        lateness.note(session, [Fact(made.issue_id, "", "handle", now - timedelta(hours=1))], Clerk("system", now))
        session.commit()
    return made


def test_the_bell_counts_lists_and_goes_quiet_when_it_was_read(enter: Callable[..., Page], way: Way) -> None:
    page = enter("cg")
    expect(page.locator("#bell-count")).to_have_text("1")
    page.locator("#bell summary").click()
    expect(page.locator("#bell-list li").first).to_contain_text(way.code)
    expect(page.locator("#bell-count")).to_be_hidden()


def test_a_reporter_is_masked_until_somebody_asks(enter: Callable[..., Page], way: Way) -> None:
    page = enter("clerk", f"#issue={way.code}")
    panel = page.locator("#panel")
    expect(panel).to_contain_text(way.code)
    expect(panel).not_to_contain_text("13812345678")
    panel.get_by_role("button", name="显示全部").click()
    expect(panel).to_contain_text("13812345678")


def test_a_department_appeals_and_the_shift_leader_grants_it(enter: Callable[..., Page], way: Way) -> None:
    asking = enter("cg", f"#issue={way.code}")
    panel = asking.locator("#panel")
    panel.get_by_label("理由").last.fill("暴雨")
    panel.get_by_role("button", name="提出申诉").click()
    expect(panel).to_contain_text("申诉待审")
    # A page that stays open when its sign-in is gone asks on, and is refused.
    together = asking.context
    asking.close()
    together.clear_cookies()
    deciding = enter("shift_leader", f"#issue={way.code}")
    panel = deciding.locator("#panel")
    panel.get_by_label("理由").last.fill("属实")
    panel.get_by_role("button", name="准予免责", exact=True).click()
    expect(panel).to_contain_text("经申诉不计")

"""Forms in a browser whose session ends while somebody types: nothing typed is lost, and nobody else is shown it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from psycopg2.extras import Json
from sqlalchemy import text

from gis import db
from gis.settings import ROOT
from tests.issues import looped
from tests.web import desk
from tests.web.test_call_backs import PHONE, closed
from tests.web.visits import Visits, fill_in, untold, violations

SHOTS = ROOT / "var" / "screenshots"
KEPT = "JSON.stringify(sessionStorage)"


@pytest.fixture(scope="module", autouse=True)
def _people(office: Flask) -> None:
    desk.hire(office, "second", "administrator")
    desk.hire(office, "mover")


@pytest.fixture
def look(visits: Visits) -> Callable[..., Page]:
    """Open a page as the administrator."""
    return partial(visits.go, username="administrator", width=1280)


def newcomer(page: Page, username: str) -> None:
    """Write a new user into the form, and do not send it."""
    page.locator("summary", has_text=re.compile("添加用户|Add a user")).click()
    page.fill('input[name="username"]', username)
    page.fill('input[name="name"]', "小明")
    page.select_option('.grid-form select[name="role"]', "planner")


def send(page: Page) -> None:
    page.locator("form.grid-form button.main").click()


def end_session(page: Page) -> None:
    page.context.clear_cookies(name="shaotu")


def is_back(page: Page, username: str) -> None:
    expect(page.locator('input[name="username"]')).to_have_value(username)
    expect(page.locator('input[name="name"]')).to_have_value("小明")
    expect(page.locator('.grid-form select[name="role"]')).to_have_value("planner")


def is_empty(page: Page) -> None:
    expect(page.locator('input[name="username"]')).to_have_value("")
    expect(page.locator(".kept")).to_have_count(0)


def test_what_was_typed_before_the_session_ended_is_back_after_the_door_and_gone_when_taken(
    look: Callable[..., Page],
) -> None:
    page = look("/admin/users?lang=zh")
    newcomer(page, "kept-one")
    end_session(page)
    send(page)
    fill_in(page, "administrator")
    expect(page.locator(".kept")).to_contain_text("已放回这张表单")
    is_back(page, "kept-one")
    send(page)
    expect(page.locator("#password")).to_be_visible()
    page.goto(f"{page.url.split('/admin')[0]}/admin/users")
    is_empty(page)
    assert "kept-one" not in page.evaluate(KEPT)


def test_another_account_in_the_same_tab_is_shown_nothing_and_ends_it(look: Callable[..., Page]) -> None:
    page = look("/admin/users?lang=zh")
    newcomer(page, "kept-two")
    end_session(page)
    send(page)
    fill_in(page, "second")
    page.wait_for_url("**/admin/users?**")
    expect(page.locator(".account .who")).to_have_text("second")
    is_empty(page)
    assert "kept-two" not in page.evaluate(KEPT)


def test_who_signs_out_leaves_nothing_behind(look: Callable[..., Page]) -> None:
    page = look("/admin/users?lang=zh")
    newcomer(page, "kept-three")
    assert "kept-three" in page.evaluate(KEPT)
    page.click(".account summary")
    page.click(".account form button")
    expect(page.locator("#username")).to_be_visible()
    assert "kept-three" not in page.evaluate(KEPT)


def test_what_is_back_can_be_discarded(look: Callable[..., Page]) -> None:
    page = look("/admin/users?lang=zh")
    newcomer(page, "kept-four")
    page.reload()
    is_back(page, "kept-four")
    page.get_by_role("button", name="放弃这些内容").click()
    is_empty(page)
    expect(page.locator('input[name="username"]')).to_be_focused()
    page.reload()
    is_empty(page)


def test_a_line_that_breaks_while_a_form_is_sent_loses_nothing(look: Callable[..., Page]) -> None:
    page = look("/admin/users?lang=zh")
    page.watch.allowed = re.compile("ERR_|Failed to load|chrome-error")  # type: ignore[attr-defined]
    url = page.url.split("/admin")[0]
    newcomer(page, "kept-five")
    page.route("**/admin/users", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    with page.expect_event("requestfailed"):
        send(page)
    page.wait_for_url("chrome-error:**")
    page.unroute("**/admin/users")
    page.goto(f"{url}/admin/users")
    is_back(page, "kept-five")


def test_what_a_refused_page_does_not_write_again_is_back_and_in_the_other_language_too(
    look: Callable[..., Page],
) -> None:
    page = look("/admin/users/mover?lang=zh")
    page.watch.allowed = re.compile("40[04]")  # type: ignore[attr-defined]
    page.select_option('select[name="role"]', "department")
    page.fill('input[name="department"]', "nowhere")
    page.get_by_role("button", name="调整角色").click()
    expect(page.locator(".refusal")).to_be_visible()
    expect(page.locator('input[name="department"]')).to_have_value("nowhere")
    page.click("#language")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator('input[name="department"]')).to_have_value("nowhere")


def test_a_password_and_a_confirmation_are_given_anew(look: Callable[..., Page]) -> None:
    page = look("/admin/editions/1?lang=zh")
    page.check('input[name="sure"]')
    page.evaluate("""() => {
        const secret = Object.assign(document.createElement("input"), {type: "password", name: "secret"});
        document.querySelector("form:has([name=sure])").append(secret);
    }""")
    page.fill('input[name="secret"]', "my secret word")
    assert "secret" not in page.evaluate(KEPT)
    page.reload()
    expect(page.locator('input[name="sure"]')).not_to_be_checked()


@pytest.fixture
def waiting(office: Flask) -> str:
    """Close an issue whose reporter can be called."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')")
        )
        way = looped.plain(session, 700, reporter=Json(PHONE))
        closed(replace(way, now=datetime.now(UTC) - timedelta(hours=1)))
        session.commit()
        return way.code


def test_a_call_goes_on_where_it_was_when_the_session_ended_and_through_a_look_at_the_number(
    visits: Visits, waiting: str
) -> None:
    page = visits.go("/call-back?lang=zh", "clerk")
    for field, answer in {"contacted": "yes", "solved": "yes", "satisfied": "partly"}.items():
        page.check(f'input[name="{field}"][value="{answer}"]')
    page.fill('textarea[name="note"]', "还差一块井盖")
    end_session(page)
    page.click('[data-press="r"]')
    fill_in(page, "clerk")
    page.click('[data-press="r"]')
    expect(page.locator("#phone")).to_have_text(PHONE["phone"])
    expect(page.locator('textarea[name="note"]')).to_have_value("还差一块井盖")
    expect(page.locator('input[name="satisfied"][value="partly"]')).to_be_checked()
    end_session(page)
    page.click('[data-press="s"]')
    fill_in(page, "clerk")
    expect(page).to_have_url(re.compile(f"/call-back/{waiting}$"))
    expect(page.locator('input[name="solved"][value="yes"]')).to_be_checked()
    page.click('[data-press="s"]')
    expect(page.locator(".said-already")).to_contain_text(waiting)
    assert "井盖" not in page.evaluate(KEPT)


@pytest.mark.parametrize(("lang", "theme", "width"), [("zh", "light", 360), ("en", "dark", 360), ("zh", "dark", 1280),
                                                      ("en", "light", 1280)])  # fmt: skip
def test_everybody_can_read_what_is_said_of_it(look: Callable[..., Page], lang: str, theme: str, width: int) -> None:
    page = look(f"/admin/users?lang={lang}", theme=theme, width=width)
    newcomer(page, "kept-six")
    page.reload()
    expect(page.locator(".kept")).to_be_visible()
    assert (violations(page), untold(page)) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"kept_{lang}_{theme}_{width}.png")

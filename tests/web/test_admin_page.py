"""The administrator's desk in a browser: from a broken file to an answer, a user who signs in, a dry run."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import text

from gis import db
from gis.tasks import queue, running
from gis.web.admin import shell
from tests.tasks.test_tasks import files
from tests.territory.plots import plot, spot
from tests.territory.test_boundaries import EAST
from tests.web import desk
from tests.web.conftest import Site
from tests.web.visits import Visits, fill_in, untold, violations


@pytest.fixture(scope="module", autouse=True)
def worker(office: Flask) -> Iterator[None]:
    """Carry out what is asked for, as the worker does beside the server."""
    engine, settings = office.extensions["engine"], office.extensions["settings"]
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(0.2):
            with db.session(engine, db.EVERYTHING) as session:
                ids = queue.unattended(session)
            for task_id in ids:
                running.run(engine, settings, task_id)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    stopping.set()
    thread.join()


@pytest.fixture
def look(visits: Visits) -> Callable[..., Page]:
    """Open a page as the administrator, in a theme and at a width."""
    return partial(visits.go, username="administrator", width=1280)


def written(folder: Path, *shapes: object, name: str) -> list[str]:
    """Write boundary files as an administrator has them on disk."""
    for file, content in files(*shapes, name=name):
        (folder / file).write_bytes(content.read())
    return [str(folder / "boundaries.toml"), str(folder / "land.geojson")]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_read_every_section(look: Callable[..., Page], theme: str, lang: str) -> None:
    page = look(f"/admin/health?lang={lang}", theme=theme)
    for section in shell.SECTIONS:
        page.goto(f"{page.url.split('/admin')[0]}/admin/{section}?lang={lang}")
        page.wait_for_load_state("load")
        assert (section, violations(page)) == (section, [])
        assert (section, untold(page)) == (section, [])


@pytest.mark.parametrize("width", [360, 1920])
def test_nothing_sticks_out_sideways(look: Callable[..., Page], width: int) -> None:
    page = look("/admin/health", width=width)
    for section in shell.SECTIONS:
        page.goto(f"{page.url.split('/admin')[0]}/admin/{section}")
        assert (section, page.evaluate("document.documentElement.scrollWidth")) <= (section, width)


def test_a_broken_file_is_seen_accepted_previewed_activated_and_answers(
    office: Flask, look: Callable[..., Page], tmp_path: Path
) -> None:
    page = look("/admin/editions?lang=zh")
    page.set_input_files('input[name="files"]', written(tmp_path, plot(0, 0, 1.5, 1), EAST, name="2030"))
    page.get_by_role("button", name="检查").first.click()
    expect(page.locator("#checked")).to_contain_text("1 处超出容差")
    expect(page.locator(".leaflet-units-pane path")).to_have_count(3)
    page.locator(".faults button").first.click()
    expect(page.locator(".faults button").first).to_have_attribute("aria-current", "true")
    page.get_by_label("接受").check()
    page.get_by_role("button", name="装载").click()
    expect(page.locator("p.done")).to_contain_text("已装载")
    page.goto(f"{page.url.split('/admin')[0]}/admin/editions?lang=zh")
    page.get_by_role("link", name="2030").click()
    expect(page.locator(".map-frame canvas").first).to_be_attached()
    asked = {"lon": spot(0.5, 0.5)[0], "lat": spot(0.5, 0.5)[1]}
    operator = desk.signed_in(office)
    assert operator.get("/api/v1/locate", query_string=asked).get_json()["flags"] == ["outside"]
    page.fill('input[name="start"]', "2025-01-01")
    page.get_by_role("button", name="启用").click()
    expect(page.locator("p.done")).to_contain_text("起作答")
    answer = operator.get("/api/v1/locate", query_string=asked).text
    assert '"code": "a"' in answer or '"code":"a"' in answer
    edition = db_one(office, "SELECT id FROM edition WHERE name = '2030'")
    page.goto(f"{page.url.split('/admin')[0]}/admin/editions/{edition}?lang=zh")
    page.get_by_label("我已确认").check()
    page.get_by_role("button", name="撤回").click()
    expect(page.locator("p.done")).to_contain_text("已撤回")
    assert operator.get("/api/v1/locate", query_string=asked).get_json()["flags"] == ["outside"]


def db_one(office: Flask, sql: str) -> object:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return session.scalar(text(sql))


def test_faults_may_be_left_alone(office: Flask, look: Callable[..., Page], tmp_path: Path) -> None:
    page = look("/admin/editions?lang=zh")
    page.set_input_files('input[name="files"]', written(tmp_path, plot(0, 0, 1.5, 1), EAST, name="2031"))
    page.get_by_role("button", name="检查").first.click()
    page.get_by_role("link", name="不装载").click()
    expect(page.locator(".section-head")).to_contain_text("单元与版本")
    assert db_one(office, "SELECT count(*) FROM edition WHERE name = '2031'") == 0


def test_a_user_who_was_added_signs_in(site: Site, look: Callable[..., Page]) -> None:
    page = look("/admin/users?lang=zh")
    page.locator("summary", has_text="添加用户").click()
    page.fill('input[name="username"]', "xiaoming")
    page.fill('input[name="name"]', "小明")
    page.select_option('select[name="role"]', "planner")
    page.locator("form.grid-form button").click()
    password = page.inner_text("#password")
    page.context.clear_cookies()
    page.goto(f"{site.url}/sign-in")
    fill_in(page, "xiaoming", password)
    page.goto(f"{site.url}/ledger")
    expect(page.locator(".account")).to_contain_text("小明")


def test_a_list_is_tried_on_what_was_before_anybody_is_bound(look: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("category,leads,assists\n0501,SW,CG\n", "utf-8")
    page = look("/admin/duties?lang=zh")
    page.fill('input[name="list"]', "town")
    page.fill('input[name="version"]', "2030")
    page.fill('input[name="scheme"]', "gb")
    page.set_input_files('input[name="file"]', str(file))
    page.get_by_role("button", name="导入为草案").click()
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#tried")).to_contain_text("没有写入任何内容")
    page.goto(f"{page.url.split('/admin')[0]}/admin/duties?lang=zh")
    expect(page.get_by_text("须由另一位管理员启用")).to_be_visible()


def test_what_is_refused_keeps_what_was_written(look: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("category,leads,assists\n9999,SW,CG\n", "utf-8")
    page = look("/admin/duties?lang=zh")
    page.watch.allowed = re.compile("400")  # type: ignore[attr-defined]
    page.fill('input[name="list"]', "我的清单")
    page.fill('input[name="version"]', "1")
    page.set_input_files('input[name="file"]', str(file))
    page.get_by_role("button", name="导入为草案").click()
    expect(page.locator(".refusal")).to_contain_text("第 2 行")
    expect(page.locator('input[name="list"]').first).to_have_value("我的清单")

"""A grid's dossier and a community's booklet in a real browser: opened from the map, made meanwhile, read by all."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import expect

from gis import db
from gis.tasks import queue, running
from tests import pdf
from tests.planning import test_dossiers
from tests.web import desk
from tests.web.conftest import Site
from tests.web.visits import Visits, untold, violations

GRID = ":".join(desk.PATCH)
COMMUNITY = "admin:community:990101001001"


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Put a house, a street and somebody in charge into the leader's grid, and an issue."""
    test_dossiers.furnish_office(office.extensions["engine"])
    return office


@pytest.fixture
def work(office: Flask) -> Iterator[Callable[[], None]]:
    """Let the worker make what waits, in its own time."""
    threads: list[threading.Thread] = []

    def begun() -> None:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            [task_id] = queue.unattended(session)
        asked = (office.extensions["engine"], office.extensions["settings"], task_id)
        threads.append(threading.Thread(target=running.run, args=asked))
        threads[-1].start()

    yield begun
    for each in threads:
        each.join()


def test_the_card_of_a_grid_leads_to_its_dossier(visits: Visits) -> None:
    page = visits.go(f"/#unit={GRID}", "planner")
    page.get_by_role("link", name="网格档案").click()
    expect(page.locator("#part-buildings")).to_contain_text("1")
    expect(page.get_by_role("cell", name="梧桐楼")).to_be_visible()
    expect(page.locator(".numbered")).to_have_count(1)


def test_a_leader_opens_the_own_one_and_reads_it_on_paper(visits: Visits) -> None:
    page = visits.go(f"/grids/{GRID}/dossier", "leader")
    expect(page.get_by_role("cell", name=test_dossiers.PHONE)).to_be_visible()
    with page.expect_download() as told:
        page.get_by_role("link", name="打印（PDF）").click()
    assert "梧桐楼" in pdf.words(told.value.path().read_bytes())


def test_a_booklet_is_made_while_somebody_is_away(visits: Visits, site: Site, work: Callable[[], None]) -> None:
    page = visits.go(f"/grids/{COMMUNITY}/booklet", "planner")
    page.get_by_role("button", name=re.compile("制作")).first.click()
    expect(page.locator("[data-task]")).to_have_attribute("data-state", "waiting")
    page.goto(f"{site.url}/")
    work()
    page.goto(f"{site.url}/grids/{COMMUNITY}/booklet")
    expect(page.locator("[data-task]")).to_have_attribute("data-state", "done")
    expect(page.locator(".told")).to_contain_text("保留到")
    with page.expect_download() as told:
        page.locator("[data-task]").get_by_role("link", name="PDF").click()
    assert "网格档案" in pdf.words(told.value.path().read_bytes())
    page.get_by_role("button", name="删除").click()
    expect(page.locator(".empty")).to_be_visible()


@pytest.fixture(scope="module")
def ordered(office: Flask) -> None:
    """Leave one booklet that is ready, one that was refused and one that waits."""
    engine, settings = office.extensions["engine"], office.extensions["settings"]
    ids = []
    for level in ("governance:grid", "governance:none", "governance:grid"):
        with db.session(engine, db.EVERYTHING) as session:
            params = {"unit": COMMUNITY, "level": level, "locale": "zh"}
            ids.append(queue.put(session, queue.BOOKLET, params, by="planner", now=desk.LONG_AGO))
            session.commit()
    for task_id in ids[:2]:
        running.run(engine, settings, task_id)


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
@pytest.mark.parametrize("path", [f"/grids/{GRID}/dossier", f"/grids/{COMMUNITY}/booklet"])
def test_everybody_can_read_it(visits: Visits, path: str, theme: str, lang: str) -> None:
    page = visits.go(path, "planner", theme, lang=lang)
    page.wait_for_load_state("load")
    assert violations(page) == []
    assert untold(page) == []


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize("width", [360, 1280, 3840])
@pytest.mark.parametrize("path", [f"/grids/{GRID}/dossier", f"/grids/{COMMUNITY}/booklet"])
def test_nothing_sticks_out_sideways(visits: Visits, path: str, width: int) -> None:
    page = visits.go(path, "planner", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

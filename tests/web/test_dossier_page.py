"""A grid's dossier and a community's booklet in a real browser: opened from the map, made meanwhile, read by all."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from gis import db
from gis.tasks import queue, running
from tests import pdf
from tests.planning import test_dossiers
from tests.web import desk
from tests.web.conftest import Site
from tests.web.visits import untold, violations

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


def test_the_card_of_a_grid_leads_to_its_dossier(seat: Callable[..., Page], site: Site) -> None:
    page = seat("planner")
    page.goto("about:blank")
    page.goto(f"{site.url}/#unit={GRID}")
    page.get_by_role("link", name="网格档案").click()
    expect(page.locator("#part-buildings")).to_contain_text("1")
    expect(page.get_by_role("cell", name="梧桐楼")).to_be_visible()
    expect(page.locator(".numbered")).to_have_count(1)


def test_a_leader_opens_the_own_one_and_reads_it_on_paper(seat: Callable[..., Page], site: Site) -> None:
    page = seat("leader")
    page.goto(f"{site.url}/grids/{GRID}/dossier")
    expect(page.get_by_role("cell", name=test_dossiers.PHONE)).to_be_visible()
    with page.expect_download() as told:
        page.get_by_role("link", name="打印（PDF）").click()
    assert "梧桐楼" in pdf.words(told.value.path().read_bytes())


def test_a_booklet_is_made_while_somebody_is_away(
    seat: Callable[..., Page], site: Site, work: Callable[[], None]
) -> None:
    page = seat("planner")
    page.goto(f"{site.url}/grids/{COMMUNITY}/booklet")
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


@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
@pytest.mark.parametrize("path", [f"/grids/{GRID}/dossier", f"/grids/{COMMUNITY}/booklet"])
def test_everybody_can_read_it(seat: Callable[..., Page], site: Site, path: str, theme: str, lang: str) -> None:
    page = seat("planner", lang=lang, color_scheme=theme)
    page.goto(f"{site.url}{path}")
    page.wait_for_load_state("load")
    assert violations(page) == []
    assert untold(page) == []


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_nothing_sticks_out_sideways(seat: Callable[..., Page], site: Site, width: int) -> None:
    page = seat("planner", viewport={"width": width, "height": 900})
    page.goto(f"{site.url}/grids/{GRID}/dossier")
    assert page.evaluate("document.documentElement.scrollWidth") <= width

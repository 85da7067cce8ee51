"""The operator's page over a city of 70,000 cells in a real browser: weight, panning, and how soon a report shows."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from sqlalchemy import Engine, text

from bench import browser, fresh, served
from bench.figures import Row, at_most, timed, told
from gis import db
from gis.settings import ROOT, Settings

CELLS, REPORTS = 70_000, 40
CELLS_SHOW = "zoom 14, the widest with cells"
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
VIEW = ViewportSize(width=1920, height=1080)
# Drags the map for two seconds and keeps the time of each frame.
PAN = """
() => new Promise((done) => {
  const frames = []; const map = window.map_main; let last = performance.now(); const end = last + 2000;
  const step = (now) => {
    frames.push(now - last); last = now;
    map.panBy([6, 3], { animate: false });
    if (now < end) requestAnimationFrame(step); else done(frames.slice(1));
  };
  requestAnimationFrame(step);
})
"""

# Keeps when the last tile of any layer was drawn, in ms since the page was asked for.
DRAWN_AT = """
window.drawnAt = 0;
const drawn = ({ target }) => target.classList.contains("leaflet-tile-loaded");
new MutationObserver((changes) => {
  if (changes.some(drawn)) window.drawnAt = performance.now();
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["class"] });
"""
DREW_MS = """
() => window.drawnAt - performance.getEntriesByType("resource").find(({ name }) => name.includes("/tiles/")).startTime
"""
# Gives 2,000 drawn cells another shade: how many there were, ms of the work, and ms until they were painted.
RESTYLE = """
() => new Promise((done) => {
  const { Shaotu, map_main } = window;
  const layer = Object.values(map_main._layers).find((each) => each._vectorTiles);
  const shapes = Object.values(layer._vectorTiles).flatMap((tile) => Object.values(tile._features));
  const cells = shapes.filter((each) => each.layerName === "units" && each.feature.properties.finest).slice(0, 2000);
  const counts = new Map(), numbers = new Map();
  for (const { feature: { properties: { id, level } } } of cells) {
    const key = `${Shaotu.ground.net}:${level}:${id}`;
    numbers.set(id, key);
    counts.set(key, 1 + id % 40);
  }
  const began = performance.now();
  Shaotu.count(counts, numbers);
  Shaotu.reshade(layer);
  const worked = performance.now() - began;
  requestAnimationFrame(() => requestAnimationFrame(() => done([cells.length, worked, performance.now() - began])));
})
"""
LISTED = "#issues button, #issues a, #issues li"
# The store the map draws from, at the moment it draws.
DRAWN = "(code) => window.Shaotu.store.features.some((each) => each.id === code)"
PACE_MS = 1500


def measure(_data: Path) -> list[Row]:
    """Build the city, open its page, and look at the clock."""
    with fresh.settings("shaotu_bench_page") as settings, fresh.engine(settings) as engine:
        start = time.perf_counter()
        _build(settings)
        built_s = time.perf_counter() - start
        with served.product(engine, settings) as product, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=browser.executable(), args=[*browser.arguments(), *FLAGS]
            )
            cookies = _signed_in(chromium, product)
            rows = [told("seconds to build the city", built_s)]
            for called, where in _views(engine):
                page = _cold(chromium, cookies)
                rows += [*_weigh(page, product, called, where), *_pan(page, called)]
                rows += _restyle(page) if called == CELLS_SHOW else []
                page.context.close()
            page = _cold(chromium, cookies)
            page.goto(f"{product.url}/")
            page.wait_for_selector(LISTED, timeout=60_000)
            rows += _insert(page, product, _somewhere(engine))
            chromium.close()
    return rows


def _build(settings: Settings) -> None:
    environment = os.environ | {
        "SHAOTU_DATABASE_URL": str(settings.database_url),
        "SHAOTU_VAR_DIR": str(settings.var_dir),
    }
    command = [sys.executable, "-m", "gis", "demo", "build", "--cells", str(CELLS)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def _signed_in(chromium: Browser, product: served.Served) -> list[Any]:
    """Sign in, and return what the browser keeps of it."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(product.url)
    page.fill("input[name=username]", served.USERNAME)
    page.fill("input[name=password]", served.PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(LISTED, timeout=60_000)
    cookies = context.cookies()
    context.close()
    return cookies


def _views(engine: Engine) -> list[tuple[str, str]]:
    """Return what is looked at: the whole city, and its densest ground at the widest zooms with cells and beyond."""
    lon, lat = _middle(engine)
    zooms = ((12, "zoom 12"), (13, "zoom 13"), (14, CELLS_SHOW), (15, "zoom 15"))
    return [("as it opens", ""), *((called, f"#map={z}/{lat:.5f}/{lon:.5f}") for z, called in zooms)]


def _cold(chromium: Browser, cookies: list[Any]) -> Page:
    """Open a page whose browser has nothing kept but who is signed in."""
    context = chromium.new_context(viewport=VIEW)
    context.add_cookies(cookies)
    return context.new_page()


def _weigh(page: Page, product: served.Served, called: str, where: str) -> list[Row]:
    """Count what a page transfers into an empty cache, and how soon the ground is drawn whole."""
    counted: list[int] = []
    protocol = page.context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.on("Network.loadingFinished", lambda event: counted.append(int(event["encodedDataLength"])))
    page.add_init_script(DRAWN_AT)
    start = time.perf_counter()
    page.goto(f"{product.url}/{where}")
    page.wait_for_selector(LISTED, timeout=60_000)
    shown_s = time.perf_counter() - start
    _rest(page, counted)
    return [
        at_most(f"MB of the page, cold, tiles included: {called}", sum(counted) / 1e6, 1.0),
        told(f"seconds to the list: {called}", shown_s),
        told(f"seconds from opening to the last tile drawn: {called}", page.evaluate("window.drawnAt") / 1000),
        timed(f"seconds from the first tile asked for to the last drawn: {called}", page.evaluate(DREW_MS) / 1000, 2.0),
    ]


def _rest(page: Page, counted: list[int]) -> None:
    """Wait until nothing has come for a while: tiles nobody has asked for yet are drawn first."""
    seen = -1
    while seen != len(counted):
        seen = len(counted)
        page.wait_for_timeout(4000)


def _pan(page: Page, called: str) -> list[Row]:
    frames = sorted(float(each) for each in page.evaluate(PAN))
    return [
        timed(f"ms a frame while panning, median: {called}", statistics.median(frames), 17.5),
        told(f"ms a frame while panning, 95th of 100: {called}", frames[int(len(frames) * 0.95)]),
    ]


def _restyle(page: Page) -> list[Row]:
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector(LISTED)
    page.wait_for_timeout(4000)
    cells_n, worked_ms, painted_ms = page.evaluate(RESTYLE)
    return [
        timed(f"ms to restyle {cells_n} cells", worked_ms, 50),
        told(f"ms until {cells_n} restyled cells are painted", painted_ms),
    ]


def _middle(engine: Engine) -> tuple[float, float]:
    with db.session(engine, db.EVERYTHING) as session:
        asked = "SELECT avg(ST_X(label_geom)), avg(ST_Y(label_geom)) FROM unit WHERE level = 'cell'"
        lon, lat = session.execute(text(asked)).one()
    return lon, lat


def _somewhere(engine: Engine) -> tuple[float, float]:
    with db.session(engine, db.EVERYTHING) as session:
        asked = "SELECT ST_X(label_geom), ST_Y(label_geom) FROM unit WHERE level = 'cell' ORDER BY code LIMIT 1"
        lon, lat = session.execute(text(asked)).one()
    return lon, lat


def _insert(page: Page, product: served.Served, lonlat: tuple[float, float]) -> list[Row]:
    """Post reports at a person's pace; time the pin on the map and the line in the list."""
    pins, lines = [], []
    for nth in range(REPORTS):
        words = f"bench {nth:03} {time.time_ns()}"
        start = time.perf_counter()
        code = served.post(product, words, lonlat)
        while not page.evaluate(DRAWN, code):
            time.sleep(0.005)
        pins.append(time.perf_counter() - start)
        page.get_by_text(words).first.wait_for(timeout=10_000)
        lines.append(time.perf_counter() - start)
        page.wait_for_timeout(PACE_MS)
    return [
        timed("seconds from posting a report to its pin: 95th of 100", sorted(pins)[int(REPORTS * 0.95)], 1.0),
        timed("seconds from posting a report to its line: 95th of 100", sorted(lines)[int(REPORTS * 0.95)], 1.0),
    ]

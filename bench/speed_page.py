"""The operator's page over a city of 70,000 cells in a real browser: weight, panning, and how soon a report shows."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, Request, ViewportSize, sync_playwright
from sqlalchemy import Engine, text

from bench import browser, fresh, served
from bench.figures import Row, timed, told
from gis import db
from gis.settings import ROOT, Settings

CELLS, REPORTS = 70_000, 40
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
            page = chromium.new_page(viewport=VIEW)
            rows = [told("seconds to build the city", built_s), *_weigh(page, product), *_pan(page)]
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


def _weigh(page: Page, product: served.Served) -> list[Row]:
    """Sign in, then count what the page transfers into an empty cache."""
    page.goto(product.url)
    page.fill("input[name=username]", served.USERNAME)
    page.fill("input[name=password]", served.PASSWORD)
    counted: list[int] = []

    def count(request: Request) -> None:
        counted.append(int(request.sizes()["responseBodySize"]))

    page.on("requestfinished", count)
    start = time.perf_counter()
    page.click("button[type=submit]")
    page.wait_for_selector("#issues button, #issues a, #issues li", timeout=60_000)
    shown_s = time.perf_counter() - start
    page.wait_for_timeout(6000)
    weight_mb = sum(counted) / 1e6
    return [timed("MB of the page, cold, tiles included", weight_mb, 1.0), told("seconds to the list", shown_s)]


def _pan(page: Page) -> list[Row]:
    frames = sorted(float(each) for each in page.evaluate(PAN))
    return [
        timed("ms a frame while panning: median", statistics.median(frames), 17.5),
        told("ms a frame while panning: 95th of 100", frames[int(len(frames) * 0.95)]),
    ]


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
        code = _post(product, words, lonlat)
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


def _post(product: served.Served, words: str, lonlat: tuple[float, float]) -> str:
    report = {
        "source": "12345",
        "external_id": words,
        "category": {"scheme": "cg", "version": "2013", "code": "E0110"},
        "text": words,
        "reported_at": datetime.now(UTC).isoformat(),
        "place": {"lon": lonlat[0], "lat": lonlat[1]},
    }
    headers = {"Authorization": f"Bearer {product.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{product.url}/api/v1/issues", json.dumps(report).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status == 201
        return str(json.load(answer)["code"])

"""The live stream: 2,000 open pages at ten events a second, how soon a report is on a screen, and a screen in a storm.

Client, database, workers and stream share the machine; the stream alone is held to one core. The load beside is told.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright
from sqlalchemy import Engine, text

from bench import browser, fresh, served, viewers
from bench.figures import Row, equal, timed, told
from bench.served import Served
from gis import db
from gis.issues import journal
from gis.settings import ROOT, Settings

VIEWERS, CLIENTS, EVENTS_S, LASTS_S = 2000, 2, 10, 30
STORM_S, STORM_LASTS_S = 50, 10
BY = "bench"
FLAGS = ["--disable-gpu", "--no-first-run", "--disable-background-networking"]
VIEW = ViewportSize(width=1920, height=1080)
# The time of the first frame at which each issue is among those the map draws from.
WATCH = """() => { window.seen = {}; window.frames = []; const look = (now) => {
  for (const { id } of window.Shaotu.store.features.slice(0, 200)) window.seen[id] ??= Date.now();
  window.frames.push(now); requestAnimationFrame(look); }; requestAnimationFrame(look); }"""
numbers = count()
Places = list[tuple[float, float]]


def measure(_data: Path) -> list[Row]:
    """Build a small city, serve it, and look on."""
    with fresh.settings("shaotu_bench_stream") as settings, fresh.engine(settings) as engine:
        _build(settings)
        with served.product(engine, settings) as product:
            before = told("load of the machine before", os.getloadavg()[0])
            return [before, *_crowd(engine, product), *_screens(engine, product)]


def _build(settings: Settings) -> None:
    where = {"SHAOTU_DATABASE_URL": str(settings.database_url), "SHAOTU_VAR_DIR": str(settings.var_dir)}
    # what a worker would cut meanwhile is cut before
    for command in (["demo", "build"], ["tiles", "cut", "--quiet"]):
        subprocess.run([sys.executable, "-m", "gis", *command], cwd=ROOT, env=os.environ | where, check=True)


def _crowd(engine: Engine, product: Served) -> list[Row]:
    """Let many pages look on, write events at an even pace, and compare what each was told."""
    cookie, stream = _cookie(product), _stream(product)
    os.sched_setaffinity(stream, {0})
    clients = [_client(product, cookie) for _ in range(CLIENTS)]
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    busy_s, began, since = _busy_s(stream), time.perf_counter(), datetime.now(UTC)
    _write(engine, EVENTS_S, LASTS_S)
    used = (_busy_s(stream) - busy_s) / (time.perf_counter() - began)
    lines = [line for client in clients for line in json.loads(client.communicate("done\n")[0])]
    sent = _sent(engine, since)
    came = [pair for seqs, times in lines for pair in zip(seqs, times, strict=True) if pair[0] in sent]
    took_ms = sorted((at_ns - sent[seq]) / 1e6 for seq, at_ns in came)
    each = [[seq for seq in seqs if seq in sent] for seqs, _ in lines]
    return [
        told("viewers x events a second", f"{len(lines)} x {EVENTS_S}"),
        told("deliveries", len(took_ms)),
        told("deliveries a second the load client could take at most", round(CLIENTS * viewers.ceiling(_event()))),
        equal("events lost", len(lines) * len(sent) - sum(len(set(seqs)) for seqs in each), 0),
        equal("events doubled", sum(len(seqs) - len(set(seqs)) for seqs in each), 0),
        told("ms from writing to delivery, median", round(statistics.median(took_ms), 1)),
        timed("ms from writing to delivery, 99th of 100", round(took_ms[int(len(took_ms) * 0.99)], 1), 150),
        told("part of a core the stream took", round(used, 2)),
        told("load of the machine after", os.getloadavg()[0]),
    ]


def _screens(engine: Engine, product: Served) -> list[Row]:
    """Look at the wall and at the operator's page while reports come in, and at the wall in a storm."""
    rows = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.executable(), args=[*browser.arguments(), *FLAGS])
        for called, path in (("the wall", "/wall"), ("the operator's map", "/")):
            page = chromium.new_context(viewport=VIEW).new_page()
            _open(page, product, path)
            said = f"ms from posting a report to {called} at {EVENTS_S} a second"
            took_ms = _insert(page, product, _places(engine))
            rows += [
                told(f"{said}, median", _part(took_ms, 0.5)),
                timed(f"{said}, 95th of 100", _part(took_ms, 0.95), 300),
            ]
            said = f"ms a frame of {called} at {STORM_S} events a second"
            frames_ms = _storm(page, engine)
            rows += [
                timed(f"{said}, on average", round(statistics.fmean(frames_ms), 1), 33.3),
                told(f"{said}, 95th of 100", _part(frames_ms, 0.95)),
            ]
            page.context.close()
        chromium.close()
    return rows


def _open(page: Page, product: Served, path: str) -> None:
    page.set_default_timeout(120_000)
    page.goto(f"{product.url}/sign-in?next={path}")
    page.fill("input[name=username]", served.USERNAME)
    page.fill("input[name=password]", served.PASSWORD)
    page.click("button.main")
    page.locator('#live[data-state="open"]').wait_for()
    page.wait_for_timeout(5000)
    page.evaluate(WATCH)


def _insert(page: Page, product: Served, places: Places) -> list[float]:
    """Post reports at an even pace; return how long each took from its posting to its drawing, sorted, in ms."""
    posted: dict[str, float] = {}
    _beside(page, lambda: _post(product, places, posted))
    seen = page.evaluate("window.seen")
    assert posted.keys() <= seen.keys(), f"{len(posted.keys() - seen.keys())} of {len(posted)} were not drawn"
    return sorted(seen[code] - at_ms for code, at_ms in posted.items())


def _post(product: Served, places: Places, posted: dict[str, float]) -> None:
    """Post at an even pace, late answers or not; note when each was sent off, in ms, by its issue's code."""

    def one() -> None:
        at_ms, nth = datetime.now(UTC).timestamp() * 1000, next(numbers)
        posted[served.post(product, f"bench {nth:04} {at_ms:.0f}", places[nth % len(places)])] = at_ms

    began = time.perf_counter()
    with ThreadPoolExecutor(EVENTS_S) as pool:
        for nth in range(EVENTS_S * LASTS_S):
            time.sleep(max(0.0, began + nth / EVENTS_S - time.perf_counter()))
            pool.submit(one)


def _storm(page: Page, engine: Engine) -> list[float]:
    """Write many events at once; return how long each frame took, sorted, in ms."""
    page.evaluate("void window.frames.splice(0)")
    _beside(page, lambda: _write(engine, STORM_S, STORM_LASTS_S))
    frames = page.evaluate("window.frames")
    return sorted(after - before for before, after in pairwise(frames))


def _beside(page: Page, work: Callable[[], None]) -> None:
    """Work in a thread while the page goes on, and give it a moment afterwards."""
    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        page.wait_for_timeout(200)
    page.wait_for_timeout(2000)


def _places(engine: Engine) -> Places:
    """Return the middles of all cells: a thousand reports of one place would be another question."""
    with db.session(engine, db.EVERYTHING) as session:
        return [(lon, lat) for lon, lat in session.execute(text(_MIDDLES))]


_MIDDLES = "SELECT ST_X(label_geom), ST_Y(label_geom) FROM unit WHERE level = 'cell' ORDER BY code"


def _write(engine: Engine, a_second: int, lasts_s: int) -> None:
    """Write lines about open, located issues at an even pace."""
    with db.session(engine, db.EVERYTHING) as session:
        issues = session.execute(text(_ISSUES)).all()
    began = time.perf_counter()
    for nth in range(a_second * lasts_s):
        time.sleep(max(0.0, began + nth / a_second - time.perf_counter()))
        issue = issues[next(numbers) % len(issues)]
        with db.session(engine, db.EVERYTHING) as session:
            line = journal.Line("stepped", issue.id, {"move": "sign"}, tuple(issue.ground))
            journal.append(session, line, by=BY, now=datetime.now(UTC))
            session.commit()


_ISSUES = """
SELECT id, ground FROM issue WHERE located AND state IN ('filed', 'dispatched', 'handling', 'fed_back')
ORDER BY id LIMIT 1000
"""


def _sent(engine: Engine, since: datetime) -> dict[int, int]:
    """Return when each event was written since a moment, in ns, by its number."""
    with db.session(engine, db.EVERYTHING) as session:
        rows = session.execute(text(_SENT), {"by": BY, "since": since}).all()
    return {row.seq: int(row.at.timestamp() * 1e6) * 1000 for row in rows}


_SENT = """
SELECT seq, entry.at FROM seal JOIN entry ON entry.id = seal.entry_id WHERE actor = :by AND entry.at >= :since
"""


def _client(product: Served, cookie: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.viewers", "--port", str(product.port), "--lines", str(VIEWERS // CLIENTS)]
    client = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdin is not None
    client.stdin.write(f"{cookie}\n")
    client.stdin.flush()
    return client


def _cookie(product: Served) -> str:
    """Sign in, and return what a browser would keep."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(f"{product.url}/sign-in").read().decode()
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    form = {"username": served.USERNAME, "password": served.PASSWORD, "csrf_token": found[1]}
    opener.open(f"{product.url}/sign-in", urllib.parse.urlencode(form).encode())
    return "; ".join(f"{each.name}={each.value}" for each in jar)


def _stream(product: Served) -> int:
    """Find the process that holds the lines of a served product."""
    told_ = f"SHAOTU_PORT={product.port}\0".encode()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"\0stream\0--behind" in (place / "cmdline").read_bytes() and told_ in (place / "environ").read_bytes():
                return int(place.name)
        except OSError:
            continue
    raise ProcessLookupError("gis stream")


def _busy_s(pid: int) -> float:
    fields: list[Any] = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _event() -> bytes:
    return b'id: 1234\nevent: change\ndata: {"seq":1234,"feature":{' + b'"x":"yyyyyyyyyy",' * 60 + b"}}\n\n"


def _part(values: list[float], part: float) -> int:
    return round(values[int(len(values) * part)])

"""New York loaded by the product's doors, then one place after another asked over HTTP."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from pathlib import Path
from typing import Any

import pandas as pd

from bench import fresh, proof_newyork, served
from bench.figures import Row, ratio, timed, told

ASKED, WARM = 400, 20
# The same product, with PostGIS in the place of the index.
RECORD = ("-m", "bench.record")


def measure(data: Path) -> list[Row]:
    """Load, serve, ask."""
    with fresh.settings("shaotu_bench_newyork") as settings, fresh.engine(settings) as engine:
        rows = list(proof_newyork.load(engine, settings, data))
        asked = _points(data)
        with served.product(engine, settings) as product, served.product(engine, settings, *RECORD) as record:
            took = _ask([product, record], asked)
    ordered = sorted(took[0])
    ratios = [theirs / ours for ours, theirs in zip(*took, strict=True)]
    return [
        *rows,
        timed("ms for one place over HTTP, all nets: median", statistics.median(ordered), 15),
        told("ms for one place over HTTP: 95th of 100", ordered[int(len(ordered) * 0.95)]),
        ratio("one place over HTTP, times faster than the same server asking PostGIS", ratios, 3),
    ]


def _points(data: Path) -> list[tuple[float, float]]:
    issues = pd.read_parquet(data / "nyc/nyc_311_issues.parquet", columns=["longitude", "latitude"])
    pairs = issues.apply(pd.to_numeric, errors="coerce").dropna().sample(ASKED + WARM, random_state=1)
    return [(float(lon), float(lat)) for lon, lat in pairs.to_numpy()]


def _ask(servers: list[served.Served], points: list[tuple[float, float]]) -> list[list[float]]:
    """Ask in turns, and return the milliseconds of each server's answers; the first do not count. All must agree."""
    lines = [http.client.HTTPConnection(each.host, each.port, timeout=120) for each in servers]
    took: list[list[float]] = [[] for _ in servers]
    for lon, lat in points:
        answers = []
        for server, line, milliseconds in zip(servers, lines, took, strict=True):
            start = time.perf_counter()
            line.request("GET", f"/api/v1/locate?lon={lon}&lat={lat}", headers=_key(server))
            answers.append(json.load(line.getresponse()))
            milliseconds.append((time.perf_counter() - start) * 1000)
        assert answers[0]["nets"]
        assert _units(answers[0]) == _units(answers[1])
    return [milliseconds[WARM:] for milliseconds in took]


def _key(server: served.Served) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"}


def _units(answer: dict[str, Any]) -> list[list[str]]:
    return [[unit["code"] for unit in net["chain"]] for net in answer["nets"]]

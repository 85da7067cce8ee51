"""New York loaded by the product's doors, then one place after another asked over HTTP."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from pathlib import Path

import pandas as pd

from bench import fresh, proof_newyork, served
from bench.figures import Row, timed, told

ASKED, WARM = 400, 20


def measure(data: Path) -> list[Row]:
    """Load, serve, ask."""
    with fresh.settings("shaotu_bench_newyork") as settings, fresh.engine(settings) as engine:
        rows = list(proof_newyork.load(engine, settings, data))
        with served.product(engine, settings) as product:
            milliseconds = _ask(product, _points(data))
    ordered = sorted(milliseconds)
    return [
        *rows,
        timed("ms for one place over HTTP, all nets: median", statistics.median(ordered), 15),
        told("ms for one place over HTTP: 95th of 100", ordered[int(len(ordered) * 0.95)]),
    ]


def _points(data: Path) -> list[tuple[float, float]]:
    issues = pd.read_parquet(data / "nyc/nyc_311_issues.parquet", columns=["longitude", "latitude"])
    pairs = issues.apply(pd.to_numeric, errors="coerce").dropna().sample(ASKED + WARM, random_state=1)
    return [(float(lon), float(lat)) for lon, lat in pairs.to_numpy()]


def _ask(product: served.Served, points: list[tuple[float, float]]) -> list[float]:
    """Return the milliseconds of each answer; the first ones build the indexes and do not count."""
    line = http.client.HTTPConnection(product.host, product.port, timeout=120)
    headers = {"Authorization": f"Bearer {product.token}"}
    took = []
    for lon, lat in points:
        start = time.perf_counter()
        line.request("GET", f"/api/v1/locate?lon={lon}&lat={lat}", headers=headers)
        answer = json.load(line.getresponse())
        took.append((time.perf_counter() - start) * 1000)
        assert answer["nets"]
    return took[WARM:]

"""One point after another over HTTP: a bare server with the index, and asking PostGIS for five levels at once."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import shapely
from psycopg2.extras import execute_values

from bench import workload
from bench.figures import Row, equal, timed, told
from gis.settings import ROOT

WARM_N, READY_S = 100, 60


def measure(ground: workload.Region, path: Path, server: str, points: workload.Floats) -> Iterator[Row]:
    """Serve both ways, and ask them in turns."""
    _put(ground, server)
    took: dict[str, list[float]] = {"index": [], "postgis": []}
    differing = 0
    with _served(path, server) as line:
        for lon, lat in points.tolist():
            answers = [_asked(line, way, f"lon={lon!r}&lat={lat!r}", seconds) for way, seconds in took.items()]
            differing += answers[0] != answers[1]
    kept = {way: sorted(seconds[WARM_N:]) for way, seconds in took.items()}
    middle = {way: statistics.median(seconds) for way, seconds in kept.items()}
    yield timed("ms over HTTP from the index, five levels: median", 1000 * middle["index"], 15)
    # The goal is the product's own doors (speed_http): here the server is nothing else, and PostGIS asked once for all.
    yield told("over HTTP, times faster than a bare server asking PostGIS once", middle["postgis"] / middle["index"])
    yield equal("answers over HTTP that differ", differing, 0)


def _put(ground: workload.Region, server: str) -> None:
    connection = psycopg2.connect(server.replace("postgresql+psycopg2://", "postgresql://"))
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE online_unit (rank int, level text, row int, geom geometry(Geometry, 4326))")
        for rank, (level, units) in enumerate(reversed(ground.units.items())):
            rows = ((rank, level, row, wkb) for row, wkb in enumerate(map(bytes, shapely.to_wkb(units))))
            template = "(%s, %s, %s, ST_GeomFromWKB(%s, 4326))"
            execute_values(cursor, "INSERT INTO online_unit VALUES %s", rows, template=template, page_size=2000)
        cursor.execute("CREATE INDEX ON online_unit USING gist (geom); ANALYZE online_unit")
    connection.close()


@contextmanager
def _served(path: Path, server: str) -> Iterator[http.client.HTTPConnection]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = server.replace("'", "%27")
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "4", "--bind"]
    application = f"bench.online:app({str(path)!r}, {server!r})"
    process = subprocess.Popen([*command, f"127.0.0.1:{port}", "--log-level", "error", application], cwd=ROOT)
    try:
        yield _reached(port)
    finally:
        process.terminate()
        process.wait(30)


def _reached(port: int) -> http.client.HTTPConnection:
    for _ in range(READY_S * 10):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            line.connect()
        except OSError:
            time.sleep(0.1)
        else:
            return line
    raise TimeoutError(port)


def _asked(line: http.client.HTTPConnection, way: str, said: str, seconds: list[float]) -> object:
    start = time.perf_counter()
    line.request("GET", f"/{way}?{said}")
    answer = json.load(line.getresponse())
    seconds.append(time.perf_counter() - start)
    return answer

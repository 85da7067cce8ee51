"""The product as a process of its own, for measurements over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from gis import db
from gis.people import accounts
from gis.settings import ROOT, Settings

USERNAME, PASSWORD = "bench", "bench-bench-bench"
READY_S = 60


@dataclass(frozen=True)
class Served:
    """Where it answers, and a program's key."""

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def product(engine: Engine, settings: Settings, *program: str) -> Iterator[Served]:
    """Serve a database, with an operator who may do everything, by app.py or another program; stop at the end."""
    served = Served("127.0.0.1", _free_port(), _operator(engine))
    environment = os.environ | {
        "SHAOTU_DATABASE_URL": str(settings.database_url),
        "SHAOTU_PORT": str(served.port),
        "SHAOTU_VAR_DIR": str(settings.var_dir),
        "SHAOTU_LOG_LEVEL": "error",
    }
    command = [sys.executable, *(program or ("app.py",))]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(f"{served.url}/readyz")
        yield served
    finally:
        process.terminate()
        process.wait(30)


def post(product: Served, words: str, lonlat: tuple[float, float]) -> str:
    """Post a report as a program does; return its issue's code."""
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


def _operator(engine: Engine) -> str:
    now = datetime.now(UTC)
    with db.session(engine, db.EVERYTHING) as session:
        if accounts.find(session, USERNAME) is None:
            accounts.add(session, accounts.Newcomer(USERNAME, PASSWORD, "bench", "operator"), now=now)
        token = accounts.issue_token(session, USERNAME, f"bench {now:%H%M%S%f}", now=now)
        session.commit()
    return token


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(READY_S * 10):
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)

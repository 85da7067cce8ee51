"""The product as a process of its own, for measurements over HTTP."""

from __future__ import annotations

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

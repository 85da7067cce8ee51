"""The process beside the server that tells open pages what happens, and the same in a thread where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import click
import structlog
from sqlalchemy import Engine

from gis import db
from gis import settings as product
from gis.errors import Unavailable
from gis.settings import ROOT, Settings
from gis.web.stream import door
from gis.web.stream.door import Ticket
from gis.web.stream.follower import Follower
from gis.web.stream.viewers import TICK_S, Viewers

# What a stop gives open lines to take their last word, and the process to end.
LAST_WORD_S, STOP_S = 0.2, 8.0
# One that dies at once is not started again at once.
RESTART_S = 1.0
log = structlog.get_logger()


class Beside:
    """The stream as a process of its own, kept going by the server's parent."""

    def __init__(self) -> None:
        self.door, self._behind = door.pair()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = -RESTART_S

    def keep(self) -> None:
        """Start it where it is not, or no more; lines that come meanwhile wait at the door."""
        gone = self._process is None or self._process.poll() is not None
        if not gone or time.monotonic() - self._started_at < RESTART_S:
            return
        if self._process is not None:
            log.warning("stream died", pid=self._process.pid)
        self._started_at = time.monotonic()
        behind = self._behind.fileno()
        command = [sys.executable, "-m", "gis", "stream", "--behind", str(behind), "--starter", str(os.getpid())]
        # Ctrl-C is for us: we end it.
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=(behind,), start_new_session=True)

    def end(self) -> None:
        """Ask it to end, and wait until it did."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class InProcess:
    """The stream in a thread of this process; it starts with its first line, so that a fork has its own."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine, self._most = engine, most
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._closed = False

    def hand_over(self, line: socket.socket, ticket: Ticket) -> None:
        """Give a line away; raise Unavailable when this was closed."""
        with self._lock:
            if self._closed:
                raise Unavailable("live.away", retry_after_s=2)
            if self._running is None:
                self._running = Running(self._engine, self._most)
        self._running.door.hand_over(line, ticket)

    def close(self) -> None:
        """End every line and the thread."""
        with self._lock:
            self._closed = True
        if self._running is not None:
            self._running.stop()


class Running:
    """A thread with the loop in which lines are told."""

    def __init__(self, engine: Engine, most: int) -> None:
        self.door, behind = door.pair()
        self._loop, self._stopping = asyncio.new_event_loop(), asyncio.Event()
        viewers = Viewers(behind, most, self._loop)
        self._thread = threading.Thread(target=self._run, args=(engine, viewers), name="stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(STOP_S)

    def _run(self, engine: Engine, viewers: Viewers) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(tell(engine, viewers, self._stopping))


async def tell(engine: Engine, viewers: Viewers, stopping: asyncio.Event, starter: int | None = None) -> None:
    """Tell open lines what happens until asked to stop, or until who started this is gone."""
    loop = asyncio.get_running_loop()
    follower = Follower(engine, viewers, loop.call_soon_threadsafe)
    follower.start()
    while not stopping.is_set() and starter in {None, os.getppid()}:
        viewers.tick()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), TICK_S)
    viewers.close()
    await asyncio.sleep(LAST_WORD_S)
    await asyncio.to_thread(follower.close)


@click.command(hidden=True)
@click.option("--behind", type=int, required=True, help="The socket at which lines are handed over.")
@click.option("--starter", type=int, required=True, help="Who has to be there for it to go on.")
def stream(behind: int, starter: int) -> None:
    """Tell open pages what happens; the server starts this."""
    settings = product.load()
    _allow_files()
    engine = db.connect(settings)
    asyncio.run(_serve(engine, settings, socket.socket(fileno=behind), starter))
    engine.dispose()


async def _serve(engine: Engine, settings: Settings, behind: socket.socket, starter: int) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(sign, stopping.set)
    await tell(engine, Viewers(behind, settings.viewers, loop), stopping, starter)


def _allow_files() -> None:
    """Open as many lines as the system lets us: each is a file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

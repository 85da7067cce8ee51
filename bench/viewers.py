"""A client for thousands of live pages: it opens lines and notes when which number came. Several of it may run.

echo COOKIE | python -m bench.viewers --port 8000 --lines 1000
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

TOGETHER = 20
PATIENCE_S = 60.0
QUIET_NS = 10_000_000_000


@dataclass
class Line:
    """One page's line: what of its last block is not whole yet, and the numbers that came with their times."""

    sock: socket.socket
    rest: bytes = b""
    greeted: bool = False
    numbers: list[int] = field(default_factory=list)
    at_ns: list[int] = field(default_factory=list)

    def take(self, data: bytes, now_ns: int) -> None:
        """Note what came."""
        whole, end, self.rest = (self.rest + data).rpartition(b"\n\n")
        self.greeted = self.greeted or b": welcome" in whole
        for block in (whole + end).split(b"\n\n"):
            if b"event: change" in block:
                self.numbers.append(int(block[4 : block.index(b"\n")]))
                self.at_ns.append(now_ns)


def opened(port: int, cookie: str) -> Line:
    """Ask for the stream as a browser does."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    sock.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    return Line(sock)


def ceiling(event: bytes, rounds_n: int = 20_000) -> float:
    """Say how many events a second one such process could take at most, one by one, from lines of its own."""
    ours, theirs = socket.socketpair()
    waiting, line = selectors.DefaultSelector(), Line(ours)
    waiting.register(ours, selectors.EVENT_READ, line)
    began = time.perf_counter()
    for _ in range(rounds_n):
        theirs.send(event)
        for key, _mask in waiting.select():
            key.data.take(ours.recv(262_144), time.time_ns())
    return rounds_n / (time.perf_counter() - began)


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--lines", "lines_n", type=int, required=True)
def main(port: int, lines_n: int) -> None:
    """Open lines, say so, listen until told to stop, and write what came on each: numbers, and times in ns."""
    cookie = sys.stdin.readline().strip()
    waiting = selectors.DefaultSelector()
    lines: list[Line] = []
    for nth in range(lines_n):
        lines.append(opened(port, cookie))
        waiting.register(lines[-1].sock, selectors.EVENT_READ, lines[-1])
        if nth % TOGETHER == TOGETHER - 1:
            listen(waiting, until=lambda: all(line.greeted for line in lines))
    listen(waiting, until=lambda: all(line.greeted for line in lines))
    print("ready", flush=True)
    waiting.register(sys.stdin, selectors.EVENT_READ, None)
    listen(waiting, until=lambda: False)
    waiting.unregister(sys.stdin)
    # what is under way is late, not lost
    listen(waiting, until=lambda: time.time_ns() - max(each.at_ns[-1] for each in lines if each.at_ns) > QUIET_NS)
    json.dump([[line.numbers, line.at_ns] for line in lines], sys.stdout)


def listen(waiting: selectors.BaseSelector, until: Callable[[], bool]) -> None:
    """Take what comes until it is enough, or somebody writes a word."""
    ends = time.monotonic() + PATIENCE_S * 10
    while not until() and time.monotonic() < ends:
        for key, _ in waiting.select(1.0):
            if key.data is None:
                return
            data = key.fileobj.recv(262_144)  # type: ignore[union-attr]
            if data:
                key.data.take(data, time.time_ns())
            else:
                waiting.unregister(key.fileobj)


if __name__ == "__main__":
    main()

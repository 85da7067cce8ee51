"""The product as it is served: workers, and the process that holds the live lines; either may be killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from flask import Flask

from gis.settings import ROOT, Settings
from tests.web import desk
from tests.web.test_operator_page import file

SOON_S = 60.0


@dataclass
class Served:
    """The product as processes of its own, over the database of an application of this test."""

    app: Flask
    settings: Settings
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        told = {
            "DATABASE_URL": str(self.settings.database_url), "VAR_DIR": str(self.settings.var_dir),
            "PORT": str(self.port), "WORKERS": "2", "THREADS": "8", "LOG_LEVEL": "error",
        }  # fmt: skip
        environment = os.environ | {f"SHAOTU_{name}": value for name, value in told.items()}
        command = [sys.executable, "-m", "gis", "serve"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        assert self.process.stdout
        assert f"http://localhost:{self.port}/" in self.process.stdout.readline().decode()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        assert self.process
        self.process.send_signal(sign)
        self.process.wait(SOON_S)

    def children(self, words: str = "") -> list[int]:
        """List the processes below the parent whose command has these words."""
        assert self.process
        found = [self.process.pid]
        for pid in found:
            listed = Path(f"/proc/{pid}/task/{pid}/children")
            found += map(int, listed.read_text().split()) if listed.exists() else []
        return [pid for pid in found[1:] if words in _command(pid)]

    def cookie(self, username: str = "operator") -> str:
        jar = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        page = opener.open(f"{self.url}/sign-in").read().decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        form = {"username": username, "password": desk.PASSWORD, "csrf_token": token[1]}
        opener.open(f"{self.url}/sign-in", urllib.parse.urlencode(form).encode())
        return "; ".join(f"{each.name}={each.value}" for each in jar)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


class Line:
    """A browser's line: it comes again by itself with the last number it knows."""

    def __init__(self, served: Served, cookie: str) -> None:
        self.served, self.cookie = served, cookie
        self.codes: list[str] = []
        self.numbers: list[int] = []
        self.head, self.last, self.opened = "", "", 0
        self._sock: socket.socket | None = None
        self._rest = ""

    def open(self) -> None:
        self._sock = socket.create_connection(("127.0.0.1", self.served.port))
        self._sock.settimeout(0.5)
        known = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        self._sock.sendall(
            f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self.cookie}\r\n{known}\r\n".encode()
        )
        self._rest, self.head, self.opened = "", "", self.opened + 1

    def read(self, enough: Callable[[Line], bool]) -> None:
        ends = time.monotonic() + SOON_S
        while not enough(self):
            assert time.monotonic() < ends, (self.head, self.codes)
            try:
                if self._sock is None:
                    self.open()
                self._take()
            except OSError:
                self._sock = None
                time.sleep(0.1)

    def _take(self) -> None:
        assert self._sock
        try:
            data = self._sock.recv(65536)
        except TimeoutError:
            return
        if not data:
            self._sock = None
            return
        self._rest += data.decode()
        if not self.head and "\r\n\r\n" in self._rest:
            self.head, self._rest = self._rest.split("\r\n\r\n", 1)
            if " 200 " not in self.head:
                self._sock = None
        *blocks, self._rest = self._rest.split("\n\n")
        for block in blocks:
            number = re.search(r"^id: (\d+)$", block, re.MULTILINE)
            self.last = number[1] if number else self.last
            if "event: change" in block:
                self.codes += re.findall(r'"feature":\{"type":"Feature","id":"(\w+)"', block)
                self.numbers.append(int(self.last))


def open_line(served: Served, username: str = "operator") -> Line:
    line = Line(served, served.cookie(username))
    line.read(lambda line: bool(line.last))
    return line


@pytest.fixture(scope="module")
def product(office: Flask) -> Iterator[Served]:
    made = Served(office, office.extensions["settings"])
    yield made
    if made.runs:
        made.stop()


@pytest.fixture
def served(product: Served) -> Served:
    """Give the product as it is served; started where the test before ended it."""
    if not product.runs:
        product.start()
    return product


def kill(served: Served, words: str) -> int:
    [pid] = served.children(words)
    os.kill(pid, signal.SIGKILL)
    return pid


def test_a_line_is_held_by_the_stream_and_has_the_head_of_every_answer(served: Served) -> None:
    line = open_line(served)
    for said in ("Content-Type: text/event-stream", "X-Accel-Buffering: no", "X-Content-Type-Options: nosniff",
                 "Cache-Control: no-store", "Connection: close", "Content-Security-Policy: "):  # fmt: skip
        assert said in line.head
    assert "chunked" not in line.head
    assert "Content-Length" not in line.head


def test_more_lines_are_held_than_workers_have_threads(served: Served) -> None:
    cookie = served.cookie()
    lines = [Line(served, cookie) for _ in range(40)]
    for line in lines:
        line.read(lambda line: bool(line.last))
    code = file(served.app)
    for line in lines:
        line.read(lambda line: code in line.codes)
    with urllib.request.urlopen(f"{served.url}/healthz") as answer:  # noqa: S310 -- our own address
        assert answer.status == 200


def test_nobody_who_is_not_signed_in_gets_a_line(served: Served) -> None:
    line = Line(served, "")
    line.read(lambda line: bool(line.head))
    assert " 401 " in line.head


def test_a_leader_gets_no_foreign_event(served: Served) -> None:
    line = open_line(served, "leader")
    foreign, own = file(served.app, x=3.75, y=1.75), file(served.app, x=0.25, y=0.25)
    line.read(lambda line: own in line.codes)
    assert foreign not in line.codes


def test_the_stream_is_killed_and_every_line_goes_on_without_a_gap_or_a_double(served: Served) -> None:
    lines = [open_line(served) for _ in range(3)]
    before = file(served.app)
    for line in lines:
        line.read(lambda line: before in line.codes)
    dead = kill(served, " stream --behind")
    meanwhile = [file(served.app) for _ in range(3)]
    for line in lines:
        line.read(lambda line: line.opened > 1 and meanwhile[-1] in line.codes)
    after = file(served.app)
    for line in lines:
        line.read(lambda line: after in line.codes)
        assert list(dict.fromkeys(line.codes)) == [before, *meanwhile, after]
        assert line.numbers == sorted(set(line.numbers))
    assert dead not in served.children()


def test_the_workers_are_killed_and_open_lines_do_not_notice(served: Served) -> None:
    line = open_line(served)
    [stream] = served.children(" stream --behind")
    workers = [pid for pid in served.children("app.py") if pid != stream]
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    code = file(served.app)
    line.read(lambda line: code in line.codes)
    assert line.opened == 1
    again = open_line(served)
    more = file(served.app)
    again.read(lambda line: more in line.codes)


def test_a_restart_of_everything_loses_nothing(served: Served) -> None:
    line = open_line(served)
    served.stop()
    code = file(served.app)
    served.start()
    line.read(lambda line: code in line.codes)
    assert line.numbers == sorted(set(line.numbers))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process(served: Served, sign: signal.Signals) -> None:
    open_line(served)
    everybody = served.children()
    assert len(everybody) >= 4
    served.stop(sign)
    assert [pid for pid in everybody if _command(pid)] == []


def test_a_parent_that_is_killed_takes_its_stream_along(served: Served) -> None:
    open_line(served)
    assert served.process
    everybody = served.children()
    served.process.kill()
    served.process.wait(10)
    ends = time.monotonic() + SOON_S
    while any(_command(pid) for pid in everybody):
        assert time.monotonic() < ends, [_command(pid) for pid in everybody]
        time.sleep(0.2)


def test_a_line_that_does_not_read_holds_up_nobody(served: Served) -> None:
    deaf = open_line(served)
    line = open_line(served)
    codes = [file(served.app) for _ in range(30)]
    line.read(lambda line: codes[-1] in line.codes)
    deaf.read(lambda line: codes[-1] in line.codes)
    assert set(codes) <= set(deaf.codes) & set(line.codes)

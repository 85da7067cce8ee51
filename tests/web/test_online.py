"""Hosts of base maps that do not do as they should, and listings that are none."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gis.errors import Invalid, Unavailable
from gis.settings import Settings
from gis.web import online
from tests.web.test_overlays import PNG


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"])
def test_a_host_that_speaks_nonsense_is_said_to_be_away(said: bytes) -> None:
    host = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        line = host.accept()[0]
        line.recv(1000)
        line.sendall(said)
        line.close()

    threading.Thread(target=answer, daemon=True).start()
    with host, pytest.raises(Unavailable):
        online.fetch(f"http://127.0.0.1:{host.getsockname()[1]}/x", "far")


def test_a_host_that_takes_its_time_with_every_byte_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "TIMEOUT_S", 0.5)
    host, is_over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def answer() -> None:
        line = host.accept()[0]
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PNG)
        with contextlib.suppress(OSError):
            while not is_over.wait(0.05):
                line.sendall(b".")

    threading.Thread(target=answer, daemon=True).start()
    with host, pytest.raises(Unavailable):
        online.fetch(f"http://127.0.0.1:{host.getsockname()[1]}/x", "slow")
    is_over.set()


@pytest.mark.parametrize("content", ["map = 1", '[map]\ncode = "a"', "map = [1]"])
def test_a_listing_that_is_no_list_of_maps_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "maps.toml"
    path.write_text(content)
    with pytest.raises(Invalid, match=r"online\.unreadable"):
        online.setup(replace(Settings(), base_maps=path))

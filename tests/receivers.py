"""Receivers of messages that really listen: an HTTP server and a mail server, on ports of their own."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Heard:
    """What a receiver was sent: path, headers, body. answers: what it says next, the last one for good."""

    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=lambda: [(200, {})])
    # Takes the request and breaks the line.
    mute: bool = False
    slow_s: float = 0.0

    def bodies(self) -> list[Any]:
        """Read what was sent as JSON."""
        return [json.loads(body) for _, _, body in self.requests]


@contextmanager
def http() -> Iterator[Heard]:
    """Listen for requests."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(heard.slow_s)
            heard.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if heard.mute:
                self.close_connection = True
                return
            status, said = heard.answers.pop(0) if len(heard.answers) > 1 else heard.answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_said: object) -> None:
            """Keep silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield heard
        server.shutdown()


@contextmanager
def mail() -> Iterator[Heard]:
    """Listen for mail, as much of the protocol as a sender needs."""
    heard = Heard()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().strip():
                if line.upper() == b"DATA":
                    self._say("354 go on")
                    self._take()
                self._say("221 bye" if line.upper() == b"QUIT" else "250 ok")

        def _take(self) -> None:
            lines = iter(self.rfile.readline, b".\r\n")
            told = message_from_bytes(b"".join(lines), policy=policy.default)
            heard.mails.append(told)

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        heard.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield heard
        server.shutdown()

"""The door of the live stream: who asks is known here, and then the open line goes to the stream, which holds it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue

from gis.errors import Invalid, Unavailable
from gis.settings import Settings
from gis.web import auth
from gis.web.stream.door import Ticket
from gis.web.stream.process import InProcess

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PIECE_BYTES = 64 * 1024
# A proxy in front passes on what it gets at once; and the line ends with its answer.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Connection": "close"}

blueprint = Blueprint("live", __name__)


class HandedOver(Exception):
    """The line is the stream's now: the server writes nothing more on it, and lets go of it."""


class Holder(Protocol):
    """Who holds open lines."""

    def hand_over(self, line: socket.socket, ticket: Ticket) -> None:
        """Take a line; raise Unavailable."""

    def close(self) -> None:
        """Take no more."""


class Live:
    """Where lines go: to the process beside the server, or to a thread of this one."""

    def __init__(self, holder: Holder, relays_most: int) -> None:
        self.holder = holder
        self.relays_most = relays_most
        self.relays = threading.BoundedSemaphore(relays_most)

    def close(self) -> None:
        """End the streams of this process."""
        self.holder.close()


class LiveAnswer(Response):
    """An answer that goes on. Its head is known only when all of the request is done; then the line is given away."""

    # it ends with its line
    automatically_set_content_length = False

    def __init__(self, live: Live, ticket: Ticket) -> None:
        super().__init__(mimetype="text/event-stream", headers=HEADERS)
        self._live, self._ticket = live, ticket

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand the line over; where it cannot be, carry the stream's words across."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        line = environ.get("gunicorn.socket")
        try:
            # A line with TLS is more than its socket.
            if type(line) is socket.socket:
                self._live.holder.hand_over(line, replace(self._ticket, head=self._head(environ)))
                raise HandedOver
            self.response = self._relayed()
        except Unavailable as error:
            # this answer is not given: its place among the relays, and its end of the pair, are free again
            self.close()
            retry_s = {"Retry-After": str(error.params["retry_after_s"])}
            return Response(status=HTTPStatus.SERVICE_UNAVAILABLE, headers=retry_s)(environ, start_response)
        return super().__call__(environ, start_response)

    def _head(self, environ: WSGIEnvironment) -> bytes:
        headers = self.get_wsgi_headers(environ).to_wsgi_list()
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {said}" for name, said in headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def _relayed(self) -> Iterator[bytes]:
        """Begin to carry across: this holds a thread as long as it lasts, so some are kept for everything else."""
        if not self._live.relays.acquire(blocking=False):
            raise Unavailable("live.full", most=self._live.relays_most, retry_after_s=10)
        self.call_on_close(self._live.relays.release)
        ours, theirs = socket.socketpair()
        self.call_on_close(ours.close)
        with theirs:
            self._live.holder.hand_over(theirs, self._ticket)
        return iter(lambda: ours.recv(PIECE_BYTES), b"")


def setup(app: Flask) -> None:
    """Give the product its stream: a thread of this process, until the server names one beside it."""
    settings: Settings = app.extensions["settings"]
    app.extensions["live"] = Live(InProcess(app.extensions["engine"], settings.viewers), settings.threads * 3 // 4)


@blueprint.get("/api/v1/live")
@auth.require()
def stream() -> ResponseReturnValue:
    """Stream the journal as Server-Sent Events, from Last-Event-ID or ?after= on."""
    return LiveAnswer(current_app.extensions["live"], Ticket(auth.current().scope, _last_seen()))


def _last_seen() -> int | None:
    said: Any = request.headers.get("Last-Event-ID") or request.args.get("after")
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise Invalid("live.bad_id", value=said)
    return int(said)

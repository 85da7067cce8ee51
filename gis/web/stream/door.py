"""How a browser's line comes to the stream: who answers its request authorises it, and hands the open socket over.

A pair of sockets joins the two sides. What is handed over while nobody takes it waits there: so the stream may be
started again while requests come in, and nobody is sent away.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from gis.db import Scope
from gis.errors import Unavailable

# How long a request waits for a stream that is being started again.
WAIT_S = 5.0
TICKET_BYTES = 512 * 1024


@dataclass(frozen=True)
class Ticket:
    """Whose eyes a line has, behind which number it goes on (None: from now), and the HTTP head still to be said."""

    scope: Scope
    after: int | None
    head: bytes = b""


class Door:
    """The side that hands lines over; every thread and every forked worker may use it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, TICKET_BYTES)
        sock.settimeout(WAIT_S)

    def hand_over(self, line: socket.socket, ticket: Ticket) -> None:
        """Give a line away: our copy may be closed. Raise Unavailable where no stream takes it in time."""
        try:
            socket.send_fds(self._sock, [_packed(ticket)], [line.fileno()])
        except OSError as error:
            raise Unavailable("live.away", retry_after_s=2) from error

    def close(self) -> None:
        """Hand over nothing more."""
        self._sock.close()


def pair() -> tuple[Door, socket.socket]:
    """Make a door and the side behind it."""
    front, behind = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return Door(front), behind


def receive(behind: socket.socket) -> tuple[socket.socket, Ticket]:
    """Take the next line; raise BlockingIOError when none waits."""
    behind.setblocking(False)
    said, fds, _, _ = socket.recv_fds(behind, TICKET_BYTES, 1)
    return socket.socket(fileno=fds[0]), _unpacked(said)


def _packed(ticket: Ticket) -> bytes:
    # Units come from the database as rows, which only look like lists.
    scope = {**vars(ticket.scope), "units": [list(unit) for unit in ticket.scope.units]}
    return json.dumps({"scope": scope, "after": ticket.after, "head": ticket.head.decode("latin-1")}).encode()


def _unpacked(said: bytes) -> Ticket:
    told = json.loads(said)
    scope = told["scope"]
    units = tuple((net, level, code) for net, level, code in scope.pop("units"))
    return Ticket(Scope(units=units, **scope), told["after"], told["head"].encode("latin-1"))

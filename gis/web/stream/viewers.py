"""Who looks on: open lines in one asyncio loop, told together what is for their scope, and cut off when they lag.

A message is rendered once for each scope and the same bytes go to every line of that scope. The last messages are kept,
so that whoever comes back with a number is told the rest without a question to the database: with the issues as they
stand now, not as they stood then.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections import defaultdict, deque
from dataclasses import replace
from itertools import islice

import structlog

from gis.db import Scope
from gis.web.stream import door, message
from gis.web.stream.door import Ticket
from gis.web.stream.follower import FAR_BEHIND
from gis.web.stream.message import Message

# Lines come back after this, not all of them at once.
RETRY_MS = (1000, 3000)
HEARTBEAT_S = 5.0
# Under a storm a screen is told no more often than this, and what tells them takes no more than half of the time.
FLUSH_S = 0.05
TICK_S = 1.0
# A line that has not taken so much is too slow: it is cut off, and comes back with its number.
BEHIND_BYTES = 256 * 1024
# More than this at once is no story any more.
BATCH_BYTES = 512 * 1024
# What the system may hold of a line that does not read.
KERNEL_BYTES = 64 * 1024
# How long a line may know a number that we do not: the page's own question may have been quicker than we.
AHEAD_S = 1.0
# A line ends after about an hour and is opened again, so that a withdrawn right does not outlive it by more.
STREAM_S = 3600.0
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
log = structlog.get_logger()


class Viewer(asyncio.Protocol):
    """One open line."""

    transport: asyncio.Transport

    def __init__(self, viewers: Viewers, ticket: Ticket) -> None:
        self._viewers, self.ticket = viewers, ticket
        self.spoke = asyncio.get_running_loop().time()
        self.ends = self.spoke + STREAM_S * random.uniform(0.9, 1.1)  # noqa: S311 -- spreads load, hides nothing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet whoever is there."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- it was a stream socket
        self.transport = transport
        self._viewers.welcome(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- whatever the reason
        """Forget the line."""
        self._viewers.leave(self)

    def tell(self, said: bytes) -> None:
        """Write, unless it has not taken what was written before."""
        if self.transport.get_write_buffer_size() > BEHIND_BYTES:
            self.transport.abort()
            return
        self.spoke = asyncio.get_running_loop().time()
        self.transport.write(said)

    def end(self, name: str) -> None:
        """Say why the line ends, and end it."""
        self.tell(message.event(name, {}))
        self.transport.close()


class Viewers:
    """All lines of a process; everything here runs in its loop."""

    def __init__(self, behind: socket.socket, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self._behind, self._most, self._loop = behind, most, loop
        self._lines: set[Viewer] = set()
        self._groups: defaultdict[Scope, set[Viewer]] = defaultdict(set)
        self._kept: deque[Message] = deque()
        self._newest: dict[int, Message] = {}
        # Everything behind _since is kept; everything up to _told was told.
        self._since = self._told = 0
        self._waiting: list[Message] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._free_at = 0.0
        self._opening: set[asyncio.Task[object]] = set()
        self._begun = self._heard = False

    def begin(self, since: int, messages: list[Message]) -> None:
        """Take the last messages of the journal, and open the door."""
        self._since, self._told = since, messages[-1].seq if messages else since
        self._keep(messages)
        if not self._begun:
            self._begun = True
            self._loop.add_reader(self._behind, self._admit)

    def hear(self, messages: list[Message]) -> None:
        """Take what is new, and tell it soon."""
        self._keep(messages)
        self._waiting += messages
        if self._flushing is None:
            self._flushing = self._loop.call_at(max(self._free_at, self._loop.time()), self._flush)

    def skip(self, seq: int) -> None:
        """Let everybody read the lists anew and go on from a number."""
        self._kept.clear()
        self._newest.clear()
        self._waiting.clear()
        self._since = self._told = seq
        for line in tuple(self._lines):
            line.tell(message.reset(seq))

    def lose(self) -> None:
        """Keep silent from now on: who says that they live while they hear nothing would deceive."""
        self._heard = False

    def find(self) -> None:
        """Break silences again."""
        self._heard = True

    def tick(self) -> None:
        """Break silences, and end what has lasted long enough."""
        now, alive = self._loop.time(), message.event("alive", {}, self._told)
        for line in tuple(self._lines):
            if now > line.ends:
                line.end("again")
            elif self._heard and now - line.spoke >= HEARTBEAT_S:
                line.tell(alive)

    def welcome(self, line: Viewer) -> None:
        """Let a line in: its head, when to come back, and what it missed."""
        if len(self._lines) >= self._most:
            line.transport.write(FULL if line.ticket.head else b"")
            line.transport.close()
            return
        self._lines.add(line)
        retry_ms = random.randint(*RETRY_MS)  # noqa: S311 -- spreads load, hides nothing
        line.tell(line.ticket.head + f"retry: {retry_ms}\n: welcome\n\n".encode())
        ahead = line.ticket.after is not None and self._told < line.ticket.after <= self._told + FAR_BEHIND
        if ahead:
            self._loop.call_later(AHEAD_S, self._follow, line)
        else:
            self._follow(line)

    def leave(self, line: Viewer) -> None:
        """Forget a line."""
        self._lines.discard(line)
        group = self._groups.get(line.ticket.scope)
        if group is not None:
            group.discard(line)
            if not group:
                del self._groups[line.ticket.scope]

    def close(self) -> None:
        """End every line with a word."""
        if self._begun:
            self._loop.remove_reader(self._behind)
        for line in tuple(self._lines):
            line.end("away")

    def __len__(self) -> int:
        return len(self._lines)

    def _admit(self) -> None:
        """Take the lines that wait at the door."""
        while True:
            try:
                sock, ticket = door.receive(self._behind)
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
            opened = self._loop.create_task(self._open(sock, ticket))
            self._opening.add(opened)
            opened.add_done_callback(self._opening.discard)

    async def _open(self, sock: socket.socket, ticket: Ticket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: Viewer(self, ticket), sock)
        except OSError:
            # gone before it was let in
            sock.close()

    def _follow(self, line: Viewer) -> None:
        """Tell a line what it missed; from here on it is told with all others of its scope."""
        if line not in self._lines:
            return
        if said := self._missed(line.ticket):
            line.tell(said)
        self._groups[line.ticket.scope].add(line)

    def _missed(self, ticket: Ticket) -> bytes:
        after = ticket.after
        if after is None:
            return f"id: {self._told}\n\n".encode()
        if not self._since <= after <= self._told:
            return message.reset(self._told)
        # numbers are dense
        missed = islice(self._kept, after - self._since, self._told - self._since)
        said = message.said(map(self._as_it_stands, missed), ticket.scope)
        return said if len(said) <= BATCH_BYTES else message.reset(self._told)

    def _as_it_stands(self, told: Message) -> Message:
        newest = self._newest.get(told.issue_id or 0)
        return replace(told, view=newest.view) if newest else told

    def _keep(self, messages: list[Message]) -> None:
        for each in messages:
            self._kept.append(each)
            if each.issue_id is not None:
                self._newest[each.issue_id] = each
        while len(self._kept) > FAR_BEHIND:
            oldest = self._kept.popleft()
            self._since = oldest.seq
            if self._newest.get(oldest.issue_id or 0) is oldest:
                del self._newest[oldest.issue_id or 0]

    def _flush(self) -> None:
        """Tell every scope what is for it. While this writes nothing else is done, so it rests as long afterwards."""
        began = self._loop.time()
        messages, self._waiting, self._flushing = self._waiting, [], None
        if not messages:
            return
        self._told = messages[-1].seq
        for scope, lines in tuple(self._groups.items()):
            said = message.said(messages, scope)
            if len(said) > BATCH_BYTES:
                said = message.reset(self._told)
            if said:
                for line in tuple(lines):
                    line.tell(said)
        ended = self._loop.time()
        self._free_at = ended + max(FLUSH_S, ended - began)

"""What a worker bears of its clients: how many connections, how long a request may take to arrive, and to be taken.

uvicorn closes kept connections that are idle. It has no limit for a head or a body that trickles in, for a client that
does not read its answer, for the size of a head, nor for connections that never send a byte; these are here. Deadlines
are looked at once a second for all connections together, which costs a request next to nothing.
"""

from __future__ import annotations

import logging
import math
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_log = logging.getLogger("atelier.endpoint")

QUICK_BODY_BYTES = 64 * 1024
"""Larger bodies are never answered at once."""
_OTHER_DESCRIPTORS = 512
"""Files and sockets of a worker that are no connections of clients, generously."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds, bytes and numbers that a client may use.

    Parameters
    ----------
    connections
        How many clients may be connected. Beyond it idle connections are closed for new ones, the oldest first; if all
        are busy, new ones are answered 503.
    head_bytes
        The size of the head of a request, roughly.
    head_seconds
        From the connection, or the first byte of a later request, to the end of its head.
    body_seconds
        From there to the end of its body, and one more for every `body_rate` bytes that arrive.
    read_seconds
        How long the client may take nothing of an answer that is ready for it.
    linger_seconds
        How long the rest of a body is thrown away after the answer, so that its sender gets to read that.
    """

    connections: int = 10_000
    head_bytes: int = 65_536
    head_seconds: float = 20.0
    body_seconds: float = 60.0
    body_rate: float = 65_536.0
    read_seconds: float = 60.0
    linger_seconds: float = 5.0


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP on httptools, with limits, and a short way for requests that are answered at once.

    The short way is for a plain `POST /invocations` whose application has `answer_at_once`: no task and no ASGI
    messages are made, which costs more than a compiled model does. What that method leaves, and whatever is not plain,
    goes uvicorn's way as if nothing had been tried.
    """

    limits = ConnectionLimits()

    _at_once: Callable[[list[tuple[bytes, bytes]], bytes], bytes | None] | None = None
    _short: bytes | None = None
    """The body so far of a request on the short way; None if there is none."""

    _deadline = math.inf
    _is_kept = False
    """Whether nothing came since an answer on the short way, after which no timer is set: `check` looks at them all."""
    _head_bytes = 0
    _is_in_head = True
    _unread = 0
    _stuck_at = math.inf

    def connection_made(self, transport) -> None:  # type: ignore[no-untyped-def]  # asyncio's and uvicorn's differ
        """Begin to wait for a request, if there is room."""
        super().connection_made(transport)
        if self.server is not None and self.server[1] is not None:
            self._at_once = getattr(self.app, "answer_at_once", None)
        self._deadline = self.loop.time() + self.limits.head_seconds
        if len(self.connections) > self.limits.connections and not self._make_room():
            self._refuse(503, "The endpoint has too many connections.", b"retry-after: 1\r\n")

    def data_received(self, data: bytes) -> None:
        """Parse what arrived."""
        if self._is_in_head:
            self._head_bytes += len(data)
        else:
            self._deadline += len(data) / self.limits.body_rate
        super().data_received(data)
        if self._is_in_head and self._head_bytes > self.limits.head_bytes and not self.transport.is_closing():
            self._refuse(431, f"The head of the request is larger than {self.limits.head_bytes:,} bytes.")

    def on_message_begin(self) -> None:
        """Begin to wait for the head."""
        super().on_message_begin()
        self._is_kept = False
        self._deadline = self.loop.time() + self.limits.head_seconds

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        if self._is_plain():
            self._short = b""
        else:
            super().on_headers_complete()
        self._is_in_head, self._head_bytes = False, 0
        self._deadline = self.loop.time() + self.limits.body_seconds

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self._short is None:
            super().on_body(body)
            return
        self._short += body
        if len(self._short) > QUICK_BODY_BYTES:
            self._leave_short_way()

    def on_message_complete(self) -> None:
        """Answer, or wait for nothing: it is the model's turn."""
        self._is_in_head = True
        answer = self._at_once(self.headers, self._short) if self._at_once and self._short is not None else None
        if answer is None:
            self._leave_short_way()
            super().on_message_complete()
            self._deadline = math.inf
        else:
            self._short = None
            self.transport.write(answer)
            self.server_state.total_requests += 1
            self._is_kept = True
            self._deadline = self.loop.time() + self.timeout_keep_alive

    def on_response_complete(self) -> None:
        """Throw away the rest of the body, but not for long."""
        if not self._is_in_head:
            self._deadline = self.loop.time() + self.limits.linger_seconds
        super().on_response_complete()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._short is None and (self.cycle is None or self.cycle.response_complete)

    def shutdown(self) -> None:
        """Close once what is under way is answered."""
        self._leave_short_way()
        super().shutdown()

    def _is_plain(self) -> bool:
        return (
            self._at_once is not None
            and self.url == b"/invocations"
            and (self.cycle is None or self.cycle.response_complete)
            and not (self.pipeline or self.expect_100_continue or self.flow.write_paused)
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _leave_short_way(self) -> None:
        """Give a request that is not answered at once to uvicorn, with what there is of its body."""
        if self._short is None:
            return
        body, self._short = self._short, None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def check(self, now: float) -> None:
        """Close the connection if its client takes too long."""
        unread = self.transport.get_write_buffer_size()
        if self.transport.is_closing() or unread:
            if unread != self._unread or self._stuck_at == math.inf:
                self._unread, self._stuck_at = unread, now
            elif now - self._stuck_at > self.limits.read_seconds:
                self.transport.abort()
            return
        self._stuck_at = math.inf
        if now <= self._deadline:
            return
        self._leave_short_way()
        if self._is_kept:
            self.transport.close()
        elif self.is_idle and not self._is_in_head:
            self.transport.abort()  # it was answered, and goes on sending
        elif self.is_idle or self.cycle.more_body:
            self._refuse(408, "The request did not arrive in time.")

    def _make_room(self) -> bool:
        """Close the oldest tenth of the idle connections; False if there are none."""
        others = cast("set[GuardedProtocol]", self.connections)
        idle = [other for other in others if other.is_idle and other is not self and not other.transport.is_closing()]
        idle.sort(key=lambda other: other._deadline)
        for other in idle[: max(1, self.limits.connections // 10)]:
            other.transport.abort()
        return bool(idle)

    def _refuse(self, status: int, message: str, header: bytes = b"") -> None:
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            head = STATUS_LINE[status] + b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n" + header
            self.transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(message), message.encode()))
        self.transport.close()


class GuardedServer(uvicorn.Server):
    """A server that looks at the deadlines of its connections once a second."""

    async def on_tick(self, counter: int) -> bool:
        """Look at them."""
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, GuardedProtocol):
                    connection.check(connection.loop.time())
        return await super().on_tick(counter)


def raise_descriptor_limit() -> None:
    """Let this process have as many open files as it may, and fewer connections than that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        _log.warning("The limit of open files stays as it is: %s", error)
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != resource.RLIM_INFINITY:
        connections = max(min(ConnectionLimits().connections, allowed - _OTHER_DESCRIPTORS), 64)
        GuardedProtocol.limits = ConnectionLimits(connections)

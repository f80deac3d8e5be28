"""Which variant answers a request: the table of an endpoint's fleets, and the hop to a worker of another variant."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

Headers = list[tuple[bytes, bytes]]
Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

QUEUE_TIMEOUT_HEADER = b"x-atelier-queue-timeout-seconds"
"""Sent with a request of the asynchronous queue over a private socket; never passed on from elsewhere."""

_MAX_IDLE = 32
_HOP_SECONDS = 75.0


@dataclass(frozen=True, slots=True)
class Route:
    """A variant of one revision: its weight among all routes, and the private sockets of its ready workers."""

    variant: str
    revision: int
    weight: float
    sockets: tuple[str, ...]

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from other routes."""
        return self.variant, self.revision


class HopError(Exception):
    """No worker of the variant answered."""


class RoutingTable:
    """The routes of an endpoint as the host wrote them last; `refresh` reads them again if the file was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self.routes: tuple[Route, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if it was replaced; keep what is known if it is missing."""
        try:
            stat = self._path.stat()
            if (stamp := (stat.st_ino, stat.st_mtime_ns)) == self._stamp:
                return
            self.routes = msgspec.json.decode(self._path.read_bytes(), type=tuple[Route, ...])
            self._stamp = stamp
        except (OSError, ValueError):
            return

    def choose(self, target: str | None) -> Route | None:
        """Draw a route by weight; with a target, among those of that variant. None if there is none."""
        routes = [route for route in self.routes if route.sockets and target in (None, route.variant)]
        weights = [route.weight for route in routes]
        if not routes:
            return None
        return random.choices(routes, weights)[0] if sum(weights) > 0 else routes[0]  # noqa: S311  # no secret


class Hop:
    """Passes requests on to private Unix sockets, over connections that are kept."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def forward(self, route: Route, head: bytes, body: bytes) -> tuple[int, Headers, bytes]:
        """Send a request to one worker of the route, or the next if it is gone; HopError if none answers."""
        for address in random.sample(route.sockets, len(route.sockets)):
            idle = self._idle.setdefault(address, [])
            while True:
                kept = idle.pop() if idle else None
                try:
                    stream = kept or await asyncio.open_unix_connection(address, limit=1 << 20)
                    reply = await asyncio.wait_for(_exchange(stream, head, body), _HOP_SECONDS)
                except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                    if kept is not None:
                        continue  # the worker closed it while it was unused, or ended: predicting twice does no harm
                    break
                if len(idle) < _MAX_IDLE and (b"connection", b"close") not in reply[1]:
                    idle.append(stream)
                else:
                    stream[1].close()
                return reply
        raise HopError(f"No worker of variant {route.variant!r} answers.")


async def _exchange(
    stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], head: bytes, body: bytes
) -> tuple[int, Headers, bytes]:
    reader, writer = stream
    try:
        writer.write(head + body)
        await writer.drain()
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:-2])]
        length = next(int(value) for name, value in headers if name == b"content-length")
        return int(lines[0].split()[1]), headers, await reader.readexactly(length)
    except BaseException:
        writer.close()
        raise


def request_head(method: str, path: str, headers: Headers, length: int) -> bytes:
    """Return the head of a request as it is passed on."""
    kept = [
        b"%s: %s\r\n" % (name, value)
        for name, value in headers
        if name not in (b"content-length", b"transfer-encoding", b"connection", b"expect", QUEUE_TIMEOUT_HEADER)
    ]
    first = f"{method} {path} HTTP/1.1\r\ncontent-length: {length}\r\n".encode("latin-1")
    return first + b"".join(kept) + b"\r\n"

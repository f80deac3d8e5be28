"""Be bad to an endpoint in every way, one after the other, and see that it goes on answering everybody else.

``python scripts/hosting_faults.py --connections 10000``. While each fault lasts, a client sends one row after the
other, each on a connection of its own; it prints what that client saw, and the exit code is 1 if a request failed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np
import psutil

import kernel_tools as kt
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting import Endpoint
from kernel_tools.hosting.hosts import stop_host

Place = tuple[str, int]
HEAD = b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
BODY = msgspec.json.encode({"instances": [[1.0, 2.0]]})


class Innocent(threading.Thread):
    """A client that does nothing wrong, and wants its answers."""

    def __init__(self, place: Place) -> None:
        super().__init__(daemon=True)
        self._place = place
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        """Ask until told to stop."""
        while not self.is_over.is_set():
            began = time.perf_counter()
            connection = http.client.HTTPConnection(*self._place, timeout=30)
            try:
                connection.request("POST", "/invocations", BODY, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                if reply.status != 200:
                    self.failures.append(str(reply.status))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            connection.close()
            self.seconds.append(time.perf_counter() - began)
            time.sleep(0.005)


@contextmanager
def connected(place: Place, count: int) -> Iterator[list[socket.socket]]:
    """Have so many connections."""
    connections = [socket.create_connection(place, timeout=10) for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


def idle(place: Place, count: int) -> None:
    """Connect and say nothing."""
    with connected(place, count):
        time.sleep(3)


def trickle(place: Place, begun: bytes, seconds: float = 10.0) -> None:
    """Send a byte now and then, on 50 connections."""
    with connected(place, 50) as connections:
        for connection in connections:
            connection.sendall(begun)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.send(b"x")
            time.sleep(0.5)


def half_close(place: Place) -> None:
    """Say that nothing more comes, before anything, after the head and after the body, on 90 connections."""
    with connected(place, 90) as connections:
        for number, connection in enumerate(connections):
            length = b"content-length: %d\r\n\r\n" % len(BODY)
            connection.sendall((b"", HEAD, HEAD + length + BODY)[number % 3])
            connection.shutdown(socket.SHUT_WR)
        time.sleep(2)


def never_read(place: Place) -> None:
    """Ask again and again on 20 connections and read no answer."""
    with connected(place, 20) as connections:
        request = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
        for connection in connections:
            connection.settimeout(0.2)
            with contextlib.suppress(OSError):
                for _ in range(3000):
                    connection.sendall(request)
        time.sleep(2)


def send_much(place: Place) -> None:
    """Send five bodies of 100 MB, with and without saying so before."""
    for head in (b"content-length: 100000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n") * 2:
        with connected(place, 1) as (connection,), contextlib.suppress(OSError):
            connection.sendall(HEAD + head)
            for _ in range(100):
                connection.sendall((b"f4240\r\n" if b"chunked" in head else b"") + b" " * 1_000_000)
                if b"chunked" in head:
                    connection.sendall(b"\r\n")


def endless_head(place: Place) -> None:
    """Send headers without end."""
    with connected(place, 5) as connections:
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.sendall(HEAD)
                for _ in range(2000):
                    connection.sendall(b"x-y: " + b"z" * 10_000 + b"\r\n")


def garbage(place: Place) -> None:
    """Send bytes that are no HTTP, and hang up in the middle of requests."""
    random = np.random.default_rng(0)
    for number in range(300):
        with connected(place, 1) as (connection,), contextlib.suppress(OSError):
            connection.sendall(
                random.bytes(2000) if number % 2 else (HEAD + b"content-length: 99\r\n\r\n")[: number + 1]
            )


def main() -> int:
    """Try every fault; the exit code is 1 if an innocent request failed in any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    faults: dict[str, Callable[[Place], None]] = {
        "nothing wrong": lambda place: time.sleep(2),
        f"{options.connections} idle connections": lambda place: idle(place, options.connections),
        "heads that trickle": lambda place: trickle(place, HEAD),
        "bodies that trickle": lambda place: trickle(place, HEAD + b"content-length: 1000000\r\n\r\n"),
        "half-closed": half_close,
        "answers that are not read": never_read,
        "bodies of 100 MB": send_much,
        "heads without end": endless_head,
        "garbage": garbage,
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Workspace(Path(folder) / "workspace")
        try:
            return int(any([not try_fault(name, fault, endpoint_of(workspace)) for name, fault in faults.items()]))
        finally:
            stop_host(workspace)


def endpoint_of(workspace: Workspace) -> Endpoint:
    """The endpoint that is treated badly; made the first time."""
    from sklearn.linear_model import LogisticRegression

    if known := kt.hosting.list_endpoints(workspace=workspace):
        return known[0]
    model = LogisticRegression().fit(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
    kt.registry.register("faults", model, sample_input=np.ones((2, 2)), workspace=workspace).approve()
    return kt.hosting.deploy("faults", workspace=workspace)


def try_fault(name: str, fault: Callable[[Place], None], endpoint: Endpoint) -> bool:
    """Do one bad thing; returns whether everybody else was answered."""
    address = urlsplit(endpoint.url)
    place = (address.hostname or "", address.port or 0)
    innocent, before = Innocent(place), endpoint.record.pid
    innocent.start()
    fault(place)
    innocent.is_over.set()
    innocent.join()
    is_same = endpoint.record.pid == before
    memory = psutil.Process(endpoint.record.pid).memory_info().rss / 1e6
    slowest = 1000 * max(innocent.seconds)
    print(
        f"{name}: {len(innocent.seconds)} answered, slowest {slowest:.0f} ms, failed {innocent.failures[:3]}, "
        f"worker has {memory:.0f} MB{'' if is_same else ' AND IS ANOTHER ONE'}",
        flush=True,
    )
    return is_same and not innocent.failures


if __name__ == "__main__":
    raise SystemExit(main())

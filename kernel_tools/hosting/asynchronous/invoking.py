"""Asks an endpoint about a request of the queue: over the private Unix socket of one of its workers, as a stream."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import socket
import time
from typing import IO

import msgspec

from kernel_tools.core.errors import AtelierError, UnavailableError
from kernel_tools.hosting.asynchronous.processing import NotNowError
from kernel_tools.hosting.asynchronous.records import Claim
from kernel_tools.hosting.folder import HOST, EndpointFolder
from kernel_tools.hosting.records import EndpointState
from kernel_tools.hosting.routing import QUEUE_TIMEOUT_HEADER, RoutingTable
from kernel_tools.hosting.wire import INVOCATIONS_PATH, JSON_TYPE, error_of_reply

WAKE_SECONDS = 60.0
_BLOCK = 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024


class EndpointInvoker:
    """Sends requests of the queue to the workers of one endpoint; wakes the endpoint if it has none.

    Callers of these sockets need no token: they are in a folder for the workspace's owner only.
    """

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder
        self._table = RoutingTable(folder.routes_path)

    def __call__(self, claim: Claim, body: IO[bytes], reply: IO[bytes]) -> str:
        """Ask; see `processing.Invoke`."""
        connection = self._connect(claim)
        try:
            connection.request("POST", INVOCATIONS_PATH, body, _headers(claim, os.fstat(body.fileno()).st_size))
            response = connection.getresponse()
            if response.status != 200:
                raise self._error(response)
            shutil.copyfileobj(response, reply, _BLOCK)
            return response.headers.get("content-type", JSON_TYPE)
        except TimeoutError as error:
            message = f"The model did not answer within the {claim.timeout_seconds} s that it may take."
            raise UnavailableError(message) from error
        except (ConnectionError, http.client.HTTPException) as error:
            message = f"The worker of endpoint {self._folder.name!r} ended while it had the request ({error!r})."
            raise UnavailableError(message) from error
        finally:
            connection.close()

    def _connect(self, claim: Claim) -> http.client.HTTPConnection:
        """Connect to a worker that is ready."""
        end = time.monotonic() + min(WAKE_SECONDS, claim.timeout_seconds)
        while True:
            for address in self._addresses(claim.target_variant):
                connection = _UnixConnection(address, claim.timeout_seconds)
                with contextlib.suppress(OSError):
                    connection.connect()
                    return connection
            state = self._folder.current_status().state
            if not state.is_serving and state is not EndpointState.CREATING:
                raise NotNowError(f"Endpoint {self._folder.name!r} is {state.value}.", 5.0)
            if time.monotonic() > end:
                raise NotNowError(f"Endpoint {self._folder.name!r} has no worker that is ready.", 1.0)
            self._knock()

    def _addresses(self, variant: str) -> list[str]:
        self._table.refresh()
        route = self._table.choose(variant or None)
        if route is None and variant and self._table.routes:
            raise NotNowError(f"Endpoint {self._folder.name!r} has no variant {variant!r} in service.", 5.0)
        return random.sample(route.sockets, len(route.sockets)) if route is not None else []

    def _knock(self) -> None:
        """Connect to the public socket, which makes the host start a worker, and wait for a word of it or a moment."""
        port = self._folder.current_status().port
        with contextlib.suppress(OSError):
            if port is None:
                raise ConnectionError
            with socket.create_connection((HOST, port), 1.0) as knocking:
                knocking.sendall(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                knocking.recv(1)
        time.sleep(0.05)

    def _error(self, response: http.client.HTTPResponse) -> AtelierError:
        content = response.read(_MAX_ERROR_BYTES)
        try:
            said = msgspec.json.decode(content)
        except ValueError:
            said = None
        error = error_of_reply(response.status, said, self._folder.name)
        if response.status in (429, 503):
            after = response.headers.get("retry-after", "1")
            return NotNowError(str(error), float(after) if after.isdecimal() else 1.0)
        return error


def _headers(claim: Claim, size: int) -> dict[str, str]:
    prefix = "X-Amzn-SageMaker-"
    headers = {
        "Content-Type": claim.content_type,
        "Content-Length": str(size),
        "Connection": "close",
        QUEUE_TIMEOUT_HEADER.decode(): str(claim.timeout_seconds),
    }
    if claim.accept:
        headers["Accept"] = claim.accept
    if claim.id.isascii():
        headers[prefix + "Inference-Id"] = claim.id
    if claim.custom_attributes:
        headers[prefix + "Custom-Attributes"] = claim.custom_attributes
    return headers


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("127.0.0.1", timeout=timeout, blocksize=_BLOCK)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise

"""The ASGI application of an endpoint: two paths, JSON, every refusal with a code and a message, and never a traceback.

A body is read by the event loop; reading its JSON, checking it and calling the model happen in one thread beside it,
so that `/ping` answers while the model works. Predictions that are not finite are written as null: JSON has no NaN.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec

from kernel_tools.core.errors import (
    AtelierError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.hosting.counters import Counters
from kernel_tools.hosting.predictor import Predictor
from kernel_tools.hosting.records import Limits
from kernel_tools.hosting.routing import Hop, HopError, RoutingTable, request_head
from kernel_tools.hosting.wire import (
    INVOCATIONS_PATH,
    JSON_TYPE,
    MAX_BODY_BYTES,
    PING_PATH,
    error_body,
    error_status,
)
from kernel_tools.hosting.wire.contents import decode_json

_log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

TARGET_VARIANT_HEADER = b"x-amzn-sagemaker-target-variant"
VARIANT_HEADER = b"x-amzn-invoked-production-variant"
_METHODS = {PING_PATH: ("GET", "HEAD"), INVOCATIONS_PATH: ("POST",)}
_LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]", ""}
_MAX_DISCARDED = 16 * MAX_BODY_BYTES


class _ClientGone(Exception):
    """The client closed the connection before its request was whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which variant of which revision a worker answers for, and the way to the others."""

    variant: str
    revision: int
    table: RoutingTable
    hop: Hop


class EndpointApplication:
    """Answers `GET /ping` and `POST /invocations`.

    Parameters
    ----------
    name
        The endpoint's name, for messages.
    predictor
        What answers invocations.
    description
        What `/ping` tells besides the status.
    limits
        Invocations that may wait, beyond which the answer is 429 with `Retry-After`, and how long one may take. A
        model that takes longer is stuck: the answer is 424, and `on_stuck` is called.
    place
        Where this worker stands among others; None answers everything itself.
    counters
        Counts the invocations that are answered here.
    """

    def __init__(
        self,
        name: str,
        predictor: Predictor,
        description: dict[str, Any],
        limits: Limits | None = None,
        *,
        place: Place | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._name = name
        self._predictor = predictor
        self._ping = msgspec.json.encode({"status": "InService", **description})
        self._limits = limits or Limits()
        self.on_stuck: Callable[[], None] = lambda: None
        self._place = place
        self._counters = counters or Counters()
        self.is_draining = False
        self._waiting = 0
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="model")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers: Iterable[Header] = ()
        try:
            status, body, headers = await self._answer(scope, receive)
        except _ClientGone:
            return
        except AtelierError as error:
            status, body = error_status(error), _encode_error(error)
        if self.is_draining:
            headers = [*headers, (b"connection", b"close")]
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", JSON_TYPE.encode()),
                    (b"content-length", str(len(body)).encode()),
                    *headers,
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes, Iterable[Header]]:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        path, method = scope["path"], scope["method"]
        _check_host(headers)
        if path not in _METHODS:
            raise NotFoundError(
                f"Endpoint {self._name!r} has no path {path[:200]!r}: "
                f"it answers GET {PING_PATH} and POST {INVOCATIONS_PATH}."
            )
        allowed = _METHODS[path]
        if method not in allowed:
            message = f"{path} answers {' and '.join(allowed)}, not {method[:20]}."
            return 405, _encode(error_body("InvalidArgumentError", message)), [(b"allow", ", ".join(allowed).encode())]
        if path == PING_PATH:
            return 200, self._ping, ()
        if (kind := _media_type(headers)) not in (JSON_TYPE, ""):
            message = f"Content type {kind[:80]!r} is not supported: send {JSON_TYPE}."
            return 415, _encode(error_body("InvalidArgumentError", message)), [(b"accept", JSON_TYPE.encode())]
        body = await _read_body(headers, receive)
        target = headers.get(TARGET_VARIANT_HEADER)
        if self._place is not None and _is_public(scope):
            hopped = await self._hop(scope, body, target.decode("latin-1") if target is not None else None)
            if hopped is not None:
                return hopped
        return await self._answer_here(body)

    async def _answer_here(self, body: bytes) -> tuple[int, bytes, Iterable[Header]]:
        variant = [(VARIANT_HEADER, self._place.variant.encode())] if self._place is not None else []
        began = time.perf_counter()
        if self._waiting >= self._limits.max_waiting:
            message = f"Endpoint {self._name!r} has {self._waiting} requests waiting. Send this one again in a second."
            self._counters.record(429, 1e6 * (time.perf_counter() - began), 0)
            return 429, _encode(error_body("UnavailableError", message)), [(b"retry-after", b"1"), *variant]
        self._waiting += 1
        self._counters.concurrent_requests = self._waiting
        try:
            loop = asyncio.get_running_loop()
            answer = loop.run_in_executor(self._executor, self._invoke, body)
            limit = self._limits.timeout_seconds
            done, _ = await asyncio.wait([answer], timeout=limit)
            if done:
                status, reply, seconds = answer.result()
            else:
                _log.error("The model did not answer within %g s; this worker ends", limit)
                message = f"The model of endpoint {self._name!r} did not answer within {limit:g} s. Send fewer rows."
                status, reply, seconds = 424, _encode(error_body("ModelError", message)), limit
                self.on_stuck()
        finally:
            self._waiting -= 1
            self._counters.concurrent_requests = self._waiting
        self._counters.record(status, 1e6 * (time.perf_counter() - began), 1e6 * seconds)
        return status, reply, variant

    async def _hop(self, scope: Scope, body: bytes, target: str | None) -> tuple[int, bytes, Iterable[Header]] | None:
        """Pass the request on if another variant is to answer it; None if this one is."""
        place = self._place
        assert place is not None
        if target is None and len(place.table.routes) < 2:
            return None
        route = place.table.choose(target)
        if route is None:
            if target in (None, place.variant):
                return None
            raise InvalidArgumentError(f"Endpoint {self._name!r} has no variant {str(target)[:80]!r} in service.")
        if route.key == (place.variant, place.revision):
            return None
        head = request_head(scope["method"], scope["path"], scope["headers"], len(body))
        try:
            status, given, reply = await place.hop.forward(route, head, body)
        except (HopError, TimeoutError) as error:
            if target is None and not isinstance(error, TimeoutError):
                return None  # its workers just ended: any variant may answer
            raise UnavailableError(f"Variant {route.variant!r} of endpoint {self._name!r} does not answer.") from error
        return status, reply, [item for item in given if item[0] in (VARIANT_HEADER, b"retry-after")]

    def _invoke(self, body: bytes) -> tuple[int, bytes, float]:
        began = time.perf_counter()
        try:
            reply = self._predictor.predict(decode_json(body))
            seconds = time.perf_counter() - began
            return 200, msgspec.json.encode(reply, enc_hook=str), seconds
        except AtelierError as error:
            return error_status(error), _encode_error(error), time.perf_counter() - began
        except Exception:
            _log.exception("A request failed inside Atelier; please report this")
            message = f"Endpoint {self._name!r} failed on this request inside Atelier. Its log has the details."
            return 500, _encode(error_body("InternalError", message)), time.perf_counter() - began


def _check_host(headers: dict[bytes, bytes]) -> None:
    """Refuse requests that a foreign web page sends here by a host name that it pointed at this machine."""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name not in _LOCAL_NAMES:
        raise ForbiddenError(f"The host {host[:80]!r} is not served here: use http://127.0.0.1 or http://localhost.")


def _is_public(scope: Scope) -> bool:
    """Whether a request came over TCP; one from the Unix socket was passed on already, and is answered here."""
    server = scope.get("server")
    return server is not None and server[1] is not None


def _media_type(headers: dict[bytes, bytes]) -> str:
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


async def _read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Read a body up to the limit. A longer one is read too and thrown away, so that its sender gets the answer."""
    declared = headers.get(b"content-length", b"")
    size = int(declared) if declared.isdigit() else 0
    if size > _MAX_DISCARDED or (size > MAX_BODY_BYTES and b"expect" in headers):
        raise _too_large()
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        chunk: bytes = message.get("body", b"")
        length += len(chunk)
        if length <= MAX_BODY_BYTES:
            chunks.append(chunk)
        else:
            chunks.clear()
        is_last = not message.get("more_body", False)
        if length > MAX_BODY_BYTES and (is_last or length > _MAX_DISCARDED):
            raise _too_large()
        if is_last:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large() -> TooLargeError:
    return TooLargeError(f"The body is larger than {MAX_BODY_BYTES:,} bytes. Send fewer rows in one request.")


def _encode(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body)


def _encode_error(error: AtelierError) -> bytes:
    message = str(error).encode("utf-8", "replace").decode()
    return _encode(error_body(type(error).__name__, message))

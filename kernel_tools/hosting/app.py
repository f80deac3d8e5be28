"""The ASGI application of a worker: who may come in, which variant answers, how long it may take, and what is counted.

What an invocation says and how it is answered is `answering`'s business. A quick engine answers a small body at once;
all others work in a thread beside the event loop, so that `/ping` answers meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, TooLargeError, UnavailableError
from kernel_tools.hosting.answering import MOST_TOGETHER, Answerer, Headers, Reply, Request
from kernel_tools.hosting.asynchronous.records import MAX_PAYLOAD_BYTES
from kernel_tools.hosting.batching import ModelThread
from kernel_tools.hosting.connections import QUICK_BODY_BYTES
from kernel_tools.hosting.counters import Counters
from kernel_tools.hosting.doors import Door
from kernel_tools.hosting.records import Limits, Security
from kernel_tools.hosting.routing import QUEUE_TIMEOUT_HEADER, Hop, HopError, RoutingTable, request_head
from kernel_tools.hosting.wire.dispatch import Dispatcher, Operation, Route
from kernel_tools.hosting.wire.errors import ModelError, OverloadedError, UnsupportedContentError

_log = logging.getLogger("atelier.endpoint")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TARGET_VARIANT_HEADER = b"x-amzn-sagemaker-target-variant"
VARIANT_HEADER = b"x-amzn-invoked-production-variant"
REQUEST_ID_HEADER = b"x-amzn-requestid"
_DISCARDED = 16
"""So many times the limit of a body is read and thrown away, so that its sender gets the answer."""
_INVOCATIONS = frozenset(
    {Operation.INVOKE, Operation.SAGEMAKER_INVOKE, Operation.SAGEMAKER_INVOKE_STREAM, Operation.V2_INFER}
)
_INVOKE = Route(Operation.INVOKE)
_PLAIN_HEADERS = frozenset(
    {
        *(b"host", b"connection", b"user-agent", b"content-type", b"content-length", b"accept", b"accept-encoding"),
        *(b"accept-language", b"x-request-id", REQUEST_ID_HEADER),
    }
)
"""A request with no others is answered at once if it can be."""
_FREE = frozenset({Operation.PING, Operation.V2_LIVE, Operation.V2_READY})
"""What may be asked without credentials: whether it lives."""


class _ClientGone(Exception):
    """The client closed the connection before its request was whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which variant of which revision a worker answers for, and the way to the others."""

    variant: str
    revision: int
    table: RoutingTable
    hop: Hop

    @property
    def is_alone(self) -> bool:
        """Whether no other variant or revision is to have requests, as far as is known."""
        return all(route.key == (self.variant, self.revision) for route in self.table.routes)


class EndpointApplication:
    """Answers the requests of an endpoint.

    Parameters
    ----------
    answerer
        What answers invocations.
    limits
        Invocations that may wait, beyond which the answer is 429 with `Retry-After`; how long one may take; and the
        largest body. A model that takes longer is stuck: the answer is 424, and `on_stuck` is called.
    door
        Who may call; None is everybody on this machine.
    place
        Where this worker stands among others; None answers everything itself.
    counters
        Counts the invocations that are answered here.
    """

    def __init__(
        self,
        answerer: Answerer,
        limits: Limits | None = None,
        *,
        door: Door | None = None,
        place: Place | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._answerer = answerer
        self._name = answerer.subject.endpoint
        self._limits = limits or Limits()
        self._door = door or Door(Security())
        self._place = place
        self._counters = counters or Counters()
        self._dispatcher = Dispatcher()
        self._is_quick = bool(getattr(answerer.engine, "is_quick", False))
        self._application: Any = getattr(answerer.engine, "application", None)
        self._thread = ModelThread(answerer.answer, MOST_TOGETHER if answerer.joins else 1)
        self._waiting = 0
        self._id, self._numbers = secrets.token_hex(10).encode(), itertools.count()
        self.is_draining = False
        self.on_stuck: Callable[[], None] = lambda: None
        self.on_exchange: Callable[[Request, Reply], None] | None = None
        """Is told of every invocation that was answered here, for data capture."""
        self.on_metrics: Callable[[], tuple[bytes, str]] | None = None
        """Returns the text of the endpoint's metrics, and its content type."""
        self.on_async: Callable[[Request], Reply] | None = None
        """Takes an asynchronous invocation into the queue."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        route: Route | None = None
        try:
            self._door.check_host(headers)
            try:
                route = self._dispatcher.match(scope["method"], scope["path"])
            except AtelierError:
                if self._application is None:
                    raise
                await self._hand_over(scope, receive, send)
                return
            reply = await self._answer(scope, route, headers, receive)
        except _ClientGone:
            return
        except Exception as error:
            reply = self._answerer.refuse(route.operation if route is not None else _dialect(scope["path"]), error)
        await self._send(scope, headers, reply, send)

    async def _send(self, scope: Scope, headers: dict[bytes, bytes], reply: Reply, send: Send) -> None:
        sent = [
            *reply.headers,
            (b"content-length", str(len(reply.body)).encode()),
            (REQUEST_ID_HEADER, self._request_id(headers)),
        ]
        if self.is_draining:
            sent.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    async def _answer(self, scope: Scope, route: Route, headers: dict[bytes, bytes], receive: Receive) -> Reply:
        operation = route.operation
        is_public = _is_public(scope)
        if is_public and operation not in _FREE:
            self._check(scope, None)
        if operation is Operation.METRICS and self.on_metrics is not None:
            if self._door.needs_body:
                self._check(scope, b"")
            text, kind = self.on_metrics()
            return Reply(200, [(b"content-type", kind.encode())], text)
        if operation not in _INVOCATIONS and operation is not Operation.SAGEMAKER_INVOKE_ASYNC:
            if self._door.needs_body and operation not in _FREE:
                self._check(scope, b"")
            return self._answerer.describe(route)
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnsupportedContentError("Compressed bodies are not read: send the body without Content-Encoding.")
        seconds = None if is_public else _seconds(headers)
        limit = self._limits.max_body_bytes if seconds is None else MAX_PAYLOAD_BYTES
        body = await _read_body(headers, receive, limit)
        if is_public and self._door.needs_body:
            self._check(scope, body)
        request = Request(route, headers, body)
        if operation is Operation.SAGEMAKER_INVOKE_ASYNC:
            if self.on_async is None:
                raise InvalidArgumentError(f"Endpoint {self._name!r} takes no asynchronous invocations.")
            return await asyncio.to_thread(self.on_async, request)
        if self._place is not None and is_public:
            hopped = await self._hop(scope, request, self._place)
            if hopped is not None:
                return hopped
        return await self._answer_here(request, seconds)

    def answer_at_once(self, sent: list[tuple[bytes, bytes]], body: bytes) -> bytes | None:
        """Answer a plain `POST /invocations` with the bytes of an HTTP response; None leaves it to the usual way.

        Only a quick engine does, while nothing waits and no other variant may have to answer. Headers whose meaning is
        looked at elsewhere are left to the usual way too.
        """
        if not self._is_quick or self._waiting or self.is_draining or not self._door.is_open:
            return None
        headers = dict(sent)
        if not headers.keys() <= _PLAIN_HEADERS or len(body) > self._limits.max_body_bytes:
            return None
        if self._place is not None and not self._place.is_alone:
            return None
        try:
            self._door.check_host(headers)
        except AtelierError:
            return None
        reply = self._answer_quickly(Request(_INVOKE, headers, body))
        reply.headers.append((REQUEST_ID_HEADER, self._request_id(headers)))
        told = b"".join([b"%b: %b\r\n" % header for header in reply.headers])
        size = len(reply.body)
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[reply.status], told, size, reply.body)

    async def _answer_here(self, request: Request, seconds: float | None = None) -> Reply:
        if self._is_quick and len(request.body) <= QUICK_BODY_BYTES and not self._waiting:
            return self._answer_quickly(request)
        began = time.perf_counter()
        reply = await self._answer_beside(request, seconds or self._limits.timeout_seconds)
        return self._counted(request, reply, began)

    def _answer_quickly(self, request: Request) -> Reply:
        began = time.perf_counter()
        return self._counted(request, self._answerer.answer_one(request), began)

    def _counted(self, request: Request, reply: Reply, began: float) -> Reply:
        """Count and capture what was answered here."""
        if self._place is not None:
            reply.headers.append((VARIANT_HEADER, self._place.variant.encode("latin-1", "replace")))
        seconds = time.perf_counter() - began
        self._counters.record(reply.status, 1e6 * seconds, 1e6 * reply.model_seconds)
        if self.on_exchange is not None and reply.status == 200:
            self.on_exchange(request, reply)
        return reply

    async def _answer_beside(self, request: Request, limit: float) -> Reply:
        if self._waiting >= self._limits.max_waiting:
            message = f"Endpoint {self._name!r} has {self._waiting} requests waiting. Send this one again in a second."
            return self._answerer.refuse(request.route.operation, OverloadedError(message))
        self._waiting += 1
        self._counters.concurrent_requests = self._waiting
        try:
            return await self._thread.answer(request, limit)
        except TimeoutError:
            _log.error("The model did not answer within %g s; this worker ends", limit)
            message = f"The model of endpoint {self._name!r} did not answer within {limit:g} s. Send fewer rows."
            self.on_stuck()
            reply = self._answerer.refuse(request.route.operation, ModelError(message))
            reply.model_seconds = limit
            return reply
        finally:
            self._waiting -= 1
            self._counters.concurrent_requests = self._waiting

    async def _hop(self, scope: Scope, request: Request, place: Place) -> Reply | None:
        """Pass the request on if another variant is to answer it; None if this one is."""
        given = request.headers.get(TARGET_VARIANT_HEADER)
        target = given.decode("latin-1") if given is not None else None
        if target is None and place.is_alone:
            return None
        route = place.table.choose(target)
        if route is None:
            if target in (None, place.variant):
                return None
            raise InvalidArgumentError(f"Endpoint {self._name!r} has no variant {str(target)[:80]!r} in service.")
        if route.key == (place.variant, place.revision):
            return None
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        head = request_head(scope["method"], path, scope["headers"], len(request.body))
        try:
            status, headers, body = await place.hop.forward(route, head, request.body)
        except (HopError, TimeoutError) as error:
            if target is None and not isinstance(error, TimeoutError):
                return None  # its workers just ended: any variant may answer
            raise UnavailableError(f"Variant {route.variant!r} of endpoint {self._name!r} does not answer.") from error
        dropped = (b"content-length", b"connection", REQUEST_ID_HEADER)
        return Reply(status, [item for item in headers if item[0] not in dropped], body)

    async def _hand_over(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an application of the user's own answer a path that is not the worker's."""
        if _is_public(scope) and not self._door.is_open:
            body = await _read_body(dict(scope["headers"]), receive, self._limits.max_body_bytes)
            self._check(scope, body)
            receive = _replay(body, receive)
        began, statuses = time.perf_counter(), [500]

        async def watched(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses[0] = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, watched)
        finally:
            seconds = 1e6 * (time.perf_counter() - began)
            self._counters.record(statuses[0], seconds, seconds)

    def _request_id(self, headers: dict[bytes, bytes]) -> bytes:
        """Return the id that the client gave, or the next one of this worker."""
        given = headers.get(b"x-request-id") or headers.get(REQUEST_ID_HEADER)
        if given is not None and len(given) <= 128 and given.isascii() and b" " not in given:
            return given
        return b"%s%012x" % (self._id, next(self._numbers))

    def _check(self, scope: Scope, body: bytes | None) -> None:
        path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        query = scope.get("query_string", b"").decode("latin-1")
        self._door.check(scope["method"], path, query, scope["headers"], body)


def _is_public(scope: Scope) -> bool:
    """Whether a request came over TCP; one from the Unix socket was passed on already, and is answered here."""
    server = scope.get("server")
    return server is not None and server[1] is not None


def _seconds(headers: dict[bytes, bytes]) -> float | None:
    """Return the seconds that a request of the queue may take, which come over the private socket; None for others."""
    given = headers.get(QUEUE_TIMEOUT_HEADER, b"")
    return float(given) if given.isdigit() else None


def _dialect(path: str) -> Operation | None:
    """In whose words a path that does not exist is refused."""
    if path.startswith("/endpoints/"):
        return Operation.SAGEMAKER_INVOKE
    return Operation.V2_INFER if path == "/v2" or path.startswith("/v2/") else None


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> dict[str, Any]:
        return waiting.pop() if waiting else await receive()

    return replay


async def _read_body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """Read a body up to the limit. A longer one is read too and thrown away, so that its sender gets the answer."""
    declared = headers.get(b"content-length", b"")
    size = int(declared) if declared.isdigit() else 0
    if size > _DISCARDED * limit or (size > limit and b"expect" in headers):
        raise _too_large(limit)
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        chunk: bytes = message.get("body", b"")
        length += len(chunk)
        if length <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
        is_last = not message.get("more_body", False)
        if length > limit and (is_last or length > _DISCARDED * limit):
            raise _too_large(limit)
        if is_last:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body is larger than {limit:,} bytes. Send fewer rows in one request.")


__all__ = ["EndpointApplication", "Headers", "Place"]

"""The worker's side of the queue: claims, asks the model, lets the output appear, and keeps its leases meanwhile."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from kernel_tools.core.errors import AtelierError, UnavailableError
from kernel_tools.hosting.asynchronous.delivery import deliver_due
from kernel_tools.hosting.asynchronous.files import temporary_output
from kernel_tools.hosting.asynchronous.queue import AsyncQueue
from kernel_tools.hosting.asynchronous.records import Claim
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.wire.errors import STATUS_OF_ERROR, OverloadedError

LEASE_SECONDS = 15.0
_POLL_SECONDS = 0.1

_log = logging.getLogger("atelier.async")


class NotNowError(AtelierError):
    """The endpoint is away or busy: the request is sent again after some seconds, which counts as no try.

    Parameters
    ----------
    message
        Why.
    seconds
        When to try again.
    """

    def __init__(self, message: str, seconds: float = 1.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class Invoke(Protocol):
    """Asks the model: reads the body, writes the reply, and returns the reply's content type.

    Raises NotNowError if it cannot be asked now; an AtelierError that is the caller's fault (HTTP status 4xx, but for
    424 and 429) is not tried again, any other is.
    """

    def __call__(self, claim: Claim, body: IO[bytes], reply: IO[bytes]) -> str:
        """Ask."""
        ...


class AsyncProcessor:
    """Works on the queue of an endpoint until it is stopped, or had nothing to do for a while.

    Parameters
    ----------
    folder
        The endpoint.
    invoke
        Asks the model; called by a thread for each request.
    worker
        Who holds the leases; default a random name.
    max_concurrent
        Requests at a time.
    lease_seconds
        For how long a request is this worker's if it dies.
    is_wanted
        Asked twice a second; the processor stops when it says no.
    """

    def __init__(
        self,
        folder: EndpointFolder,
        invoke: Invoke,
        *,
        worker: str = "",
        max_concurrent: int = 4,
        lease_seconds: float = LEASE_SECONDS,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._queue = AsyncQueue(folder)
        self._invoke = invoke
        self._worker = worker or secrets.token_hex(8)
        self._max_concurrent = max_concurrent
        self._lease_seconds = lease_seconds
        self._is_wanted = is_wanted
        self._lock = threading.Lock()
        self._running: dict[str, tuple[Claim, float]] = {}
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._delivery: threading.Thread | None = None

    def stop(self) -> None:
        """End at once: requests in hand go back to the queue. May be called by a signal handler."""
        self._stopping.set()
        self._changed.set()

    def run(self, idle_seconds: float | None = None) -> None:
        """Work until `stop`, or until there was nothing to do for `idle_seconds`."""
        extended = asked = idle_since = time.monotonic()
        try:
            while not self._stopping.is_set():
                now = time.monotonic()
                if now - extended > self._lease_seconds / 3:
                    self._keep_leases()
                    extended = now
                if now - asked > 0.5:
                    asked = now
                    if not self._is_wanted():
                        break
                self._end_overdue(now)
                try:
                    has_begun = self._begin()
                except UnavailableError as error:  # a full disk: what is queued stays queued
                    _log.error("%s", error)
                    has_begun = False
                if has_begun or self._running or (self._delivery is not None and self._delivery.is_alive()):
                    idle_since = now
                elif idle_seconds is not None and now - idle_since > idle_seconds:
                    break
                if not has_begun:
                    self._changed.wait(_POLL_SECONDS)
                    self._changed.clear()
        finally:
            self._stopping.set()
            with self._lock:
                held, self._running = [claim for claim, _ in self._running.values()], {}
            self._queue.postpone(held)

    def _begin(self) -> bool:
        """Claim what there is room for, and begin it; False if nothing was."""
        if not self._queue.has_work():
            return False
        if self._delivery is None or not self._delivery.is_alive():
            self._delivery = threading.Thread(
                target=deliver_due, args=(self._queue, self._stopping), name="delivery", daemon=True
            )
            self._delivery.start()
        room = self._max_concurrent - len(self._running)
        claims = self._queue.claim(self._worker, self._lease_seconds, room) if room > 0 else []
        for claim in claims:
            with self._lock:
                self._running[claim.lease] = (claim, time.monotonic() + claim.timeout_seconds)
            threading.Thread(target=self._process, args=(claim,), name=claim.id, daemon=True).start()
        return bool(claims)

    def _process(self, claim: Claim) -> None:
        try:
            process_one(self._queue, claim, self._invoke)
        except Exception:
            _log.exception("Request %s is left to its lease", claim.id)
        finally:
            with self._lock:
                self._running.pop(claim.lease, None)
            self._changed.set()

    def _keep_leases(self) -> None:
        with self._lock:
            claims = [claim for claim, _ in self._running.values()]
        if claims:
            self._queue.extend(claims, self._lease_seconds)

    def _end_overdue(self, now: float) -> None:
        """Fail what took too long. Its thread may be stuck; whatever it makes of it yet is thrown away."""
        with self._lock:
            overdue = [claim for claim, deadline in self._running.values() if now > deadline]
            for claim in overdue:
                self._running.pop(claim.lease)
        for claim in overdue:
            self._queue.fail(claim, f"The model did not answer within the {claim.timeout_seconds} s that it may take.")


def process_one(queue: AsyncQueue, claim: Claim, invoke: Invoke) -> None:
    """Ask the model about one request, and complete, fail or postpone it."""
    temporary = temporary_output(Path(claim.output_path), claim.lease)
    try:
        with open(claim.input_path, "rb") as body, temporary.open("wb") as reply:
            reply_type = invoke(claim, body, reply)
            reply.flush()
            os.fsync(reply.fileno())
        queue.succeed(claim, temporary, reply_type)
    except NotNowError as error:
        queue.postpone([claim], error.seconds, str(error))
    except AtelierError as error:
        queue.fail(claim, str(error), is_final=is_final(error))
    except OSError as error:
        where = "output" if str(error.filename) != claim.input_path else "input"
        path = claim.output_path if where == "output" else claim.input_path
        queue.fail(claim, f"The {where} {path!r} cannot be used: {error.strerror or error}.", is_final=where == "input")
    except Exception as error:
        _log.exception("Request %s failed", claim.id)
        queue.fail(claim, f"{type(error).__name__}: {error}")
    finally:
        temporary.unlink(missing_ok=True)


def is_final(error: AtelierError) -> bool:
    """Whether the same request would fail again: the fault is in what was sent."""
    return STATUS_OF_ERROR.get(type(error), 500) in range(400, 424) and not isinstance(error, OverloadedError)

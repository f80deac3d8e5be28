"""An asynchronous request as a person holds it."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from kernel_tools.core.errors import AtelierError, UnavailableError
from kernel_tools.hosting.asynchronous.files import local_path
from kernel_tools.hosting.asynchronous.queue import AsyncQueue
from kernel_tools.hosting.asynchronous.records import AsyncRecord, AsyncState
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.hosts import nudge_host
from kernel_tools.hosting.wire import JSON_TYPE

_POLL_SECONDS = 0.05


class AsyncInferenceError(AtelierError):
    """An asynchronous request that Failed, Expired or was cancelled; the message says why."""


class AsyncInference:
    """One asynchronous request; made by `Endpoint.invoke_async`.

    The object holds no state but its endpoint and id: every property reads what is true now.
    """

    def __init__(self, folder: EndpointFolder, identifier: str) -> None:
        self._folder = folder
        self.id = identifier

    def __repr__(self) -> str:
        try:
            return f"<AsyncInference {self.id!r} of endpoint {self._folder.name!r}, {self.state.value}>"
        except AtelierError:
            return f"<AsyncInference {self.id!r} of endpoint {self._folder.name!r}, gone>"

    @property
    def record(self) -> AsyncRecord:
        """Everything about the request, as it is now; NotFoundError if its endpoint is deleted."""
        with AsyncQueue(self._folder) as queue:
            return queue.get(self.id)

    @property
    def state(self) -> AsyncState:
        """Queued, InProgress, Completed, Failed, Expired or Cancelled."""
        return self.record.state

    @property
    def output_location(self) -> str:
        """The ``file://`` URI at which the output appears."""
        return self.record.output_location

    @property
    def failure_location(self) -> str:
        """The ``file://`` URI at which the reason appears if it fails."""
        return self.record.failure_location

    def wait(self, timeout: float = 900.0) -> AsyncInference:
        """Wait until the request is over, however it ends; UnavailableError if that takes longer than `timeout` s."""
        end = time.monotonic() + timeout
        with AsyncQueue(self._folder) as queue:
            while not (record := queue.get(self.id)).state.is_over:
                if time.monotonic() > end:
                    said = f" {record.message}" if record.message else ""
                    raise UnavailableError(f"Request {self.id!r} is {record.state} after {timeout:g} s.{said}")
                time.sleep(_POLL_SECONDS)
        return self

    def result(self, timeout: float = 900.0) -> Any:
        """Wait, and return the output: what its JSON says, or the bytes of any other content.

        Raises
        ------
        AsyncInferenceError
            If the request did not complete, with the reason.
        UnavailableError
            If it is not over after `timeout` seconds.
        """
        record = self.wait(timeout).record
        if record.state is not AsyncState.COMPLETED:
            raise AsyncInferenceError(f"Request {self.id!r} is {record.state.value}. {record.message}")
        content = local_path(record.output_location).read_bytes()
        is_json = record.reply_type.partition(";")[0].strip() == JSON_TYPE
        return msgspec.json.decode(content) if is_json else content

    def cancel(self) -> AsyncInference:
        """Cancel the request; ConflictError if it is over."""
        with AsyncQueue(self._folder) as queue:
            queue.cancel(self.id)
        return self

    def retry(self) -> AsyncInference:
        """Queue the request anew; ConflictError unless it Failed, Expired or was cancelled."""
        with AsyncQueue(self._folder) as queue:
            queue.retry(self.id)
        nudge_host(self._folder.workspace)
        return self

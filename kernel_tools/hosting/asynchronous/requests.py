"""The asynchronous requests of an endpoint, as a person asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from kernel_tools.hosting.asynchronous.records import DEFAULT_TIMEOUT_SECONDS, DEFAULT_TTL_SECONDS
from kernel_tools.hosting.folder import EndpointFolder

if TYPE_CHECKING:
    import os

    from kernel_tools.hosting.asynchronous import AsyncConfiguration, AsyncInference, AsyncMetrics, AsyncRecord, Notify


class AsyncRequests:
    """What an `Endpoint` does with requests that are answered later."""

    _folder: EndpointFolder

    def invoke_async(
        self,
        payload: Any,
        *,
        content_type: str | None = None,
        accept: str | None = None,
        inference_id: str | None = None,
        ttl_seconds: int = DEFAULT_TTL_SECONDS,
        timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS,
        retries: int | None = None,
        output: str | os.PathLike[str] | None = None,
        notify: Notify | str | Sequence[str] | None = None,
    ) -> AsyncInference:
        """Queue a request, which is answered when its turn comes, also if this process is gone by then.

        Parameters
        ----------
        payload
            Bytes, up to 1 GB; a path or ``file://`` URI of a file, which is read when its turn comes and stays yours;
            or rows as for `predict`.
        content_type, accept
            What the payload is, and what the output should be. Default: by the end of a file's name, else JSON.
        inference_id
            Names the request; given twice with the same payload it is queued once. Default: a new one.
        ttl_seconds
            How long it may wait before it is Expired; 60 to 21,600.
        timeout_seconds
            How long the model may take for it; 1 to 3,600.
        retries
            How often it is tried again if the model fails; default the endpoint's, which is 3.
        output
            Path of the output; default a file in the endpoint's folder, which goes with the endpoint.
        notify
            Who is told when it is over: URLs, paths of files, or "event"; see `Notify`.

        Raises
        ------
        ConflictError
            If the inference id is known with another payload, or the output exists.
        UnavailableError
            If the disk is full.
        """
        from kernel_tools.hosting.asynchronous.submission import content_type_of, encode_payload, submit

        record = submit(
            self._folder,
            encode_payload(payload),
            content_type=content_type or content_type_of(payload),
            accept=accept or "",
            inference_id=inference_id,
            ttl_seconds=ttl_seconds,
            timeout_seconds=timeout_seconds,
            retries=retries,
            output=output,
            notify=notify,
        )
        return self.async_request(record.id)

    def async_request(self, inference_id: str) -> AsyncInference:
        """Return an asynchronous request by its id; it need not exist."""
        from kernel_tools.hosting.asynchronous.inference import AsyncInference

        return AsyncInference(self._folder, inference_id)

    def async_requests(self, state: str | None = None, limit: int = 100) -> list[AsyncRecord]:
        """Return asynchronous requests, the newest first; `state` is Queued, InProgress, Completed, Failed, ..."""
        return self.async_page(state, limit)[0]

    def async_page(
        self, state: str | None = None, limit: int = 100, page_token: str | None = None
    ) -> tuple[list[AsyncRecord], str | None]:
        """Return a page of asynchronous requests as `async_requests` does, and the token of the next page."""
        from kernel_tools.hosting.asynchronous.queue import AsyncQueue, has_queue
        from kernel_tools.hosting.asynchronous.records import as_state

        wanted = as_state(state)
        if not has_queue(self._folder):
            self._folder.require()
            return [], None
        with AsyncQueue(self._folder) as queue:
            return queue.page(wanted, limit, page_token)

    def async_metrics(self) -> AsyncMetrics:
        """Return the queue in numbers: backlog, age of the oldest request in seconds, requests by state."""
        from kernel_tools.hosting.asynchronous.queue import AsyncQueue, has_queue
        from kernel_tools.hosting.asynchronous.records import AsyncMetrics

        if not has_queue(self._folder):
            self._folder.require()
            return AsyncMetrics.of_nothing()
        instances = sum(worker.is_ready for worker in self._folder.current_status().workers)
        with AsyncQueue(self._folder) as queue:
            return queue.metrics(instances)

    def configure_async(self, configuration: AsyncConfiguration) -> Self:
        """Set how many asynchronous requests are sent at a time, where outputs appear, and who is told."""
        from kernel_tools.hosting.asynchronous.configuration import write_configuration

        write_configuration(self._folder, configuration)
        return self

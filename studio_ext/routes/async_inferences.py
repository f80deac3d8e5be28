"""The asynchronous requests of endpoints over HTTP. What they are is decided in `kernel_tools.hosting.asynchronous`."""

from __future__ import annotations

from typing import Self

import msgspec
from pydantic import Field, model_validator

from kernel_tools import hosting
from kernel_tools.core.errors import ConflictError, NotFoundError, TooLargeError, UnavailableError
from kernel_tools.hosting.asynchronous import AsyncMetrics, AsyncRecord, AsyncState
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, PageQuery, Reply


class AsyncRequestsQuery(PageQuery):
    """Which asynchronous requests: those of one state, or all."""

    state: AsyncState | None = None


class AsyncRequestPage(Reply):
    """Some asynchronous requests, the newest first."""

    requests: list[AsyncRecord]
    next_page_token: str | None


class AsyncRequestName(Body):
    """An asynchronous request by its inference id."""

    id: str = Field(min_length=1, max_length=64)


class AsyncInvocationRequest(Body):
    """What is asked: the path of a file on the server, or rows; and the path of the output if it is to have one."""

    path: str = Field("", max_length=4096)
    records: list[dict[str, object]] = Field([], max_length=10_000)
    instances: list[object] = Field([], max_length=10_000)
    content_type: str = Field("", max_length=200)
    output: str = Field("", max_length=4096)

    @model_validator(mode="after")
    def _one_payload(self) -> Self:
        if sum(map(bool, (self.path, self.records, self.instances))) != 1:
            raise ValueError("give one of path, records and instances")
        return self


class AsyncRequestsHandler(StudioHandler):
    """The queue of one endpoint."""

    path = "/endpoints/{name}/async-requests"
    auth_resource = "hosting"

    @operation("list_async_requests", "List the asynchronous requests of an endpoint", raises=(NotFoundError,))
    def get(self, name: Name, query: AsyncRequestsQuery) -> AsyncRequestPage:
        """Answer one page."""
        endpoint = hosting.get(name, workspace=self.workspace)
        page, token = endpoint.async_page(query.state, self.limit(query), query.page_token)
        return AsyncRequestPage(requests=page, next_page_token=token)

    @operation(
        "invoke_endpoint_async",
        "Queue a request that is answered later",
        status=201,
        raises=(NotFoundError, ConflictError, UnavailableError, TooLargeError),
        action="execute",
    )
    def post(self, name: Name, body: AsyncInvocationRequest) -> AsyncRecord:
        """Queue, and answer the request."""
        endpoint = hosting.get(name, workspace=self.workspace)
        rows = {"dataframe_records": body.records} if body.records else {"instances": body.instances}
        payload: str | bytes = body.path or msgspec.json.encode(rows)
        content_type = body.content_type or None
        return endpoint.invoke_async(payload, content_type=content_type, output=body.output or None).record


class AsyncMetricsHandler(StudioHandler):
    """The queue of one endpoint in numbers."""

    path = "/endpoints/{name}/async-metrics"
    auth_resource = "hosting"

    @operation(
        "get_async_metrics",
        "Show backlog, age and counts of an endpoint's asynchronous requests",
        raises=(NotFoundError,),
    )
    def get(self, name: Name) -> AsyncMetrics:
        """Answer the numbers."""
        return hosting.get(name, workspace=self.workspace).async_metrics()


class AsyncRetryHandler(StudioHandler):
    """Another try for one request."""

    path = "/endpoints/{name}/async-requests/retry"
    auth_resource = "hosting"

    @operation(
        "retry_async_request",
        "Queue an asynchronous request anew that failed, expired or was cancelled",
        raises=(NotFoundError, ConflictError, UnavailableError),
        action="execute",
    )
    def post(self, name: Name, body: AsyncRequestName) -> AsyncRecord:
        """Retry, and answer the request."""
        return hosting.get(name, workspace=self.workspace).async_request(body.id).retry().record


class AsyncCancelHandler(StudioHandler):
    """The end of one request."""

    path = "/endpoints/{name}/async-requests/cancel"
    auth_resource = "hosting"

    @operation(
        "cancel_async_request",
        "Cancel an asynchronous request that is not over",
        raises=(NotFoundError, ConflictError, UnavailableError),
        action="execute",
    )
    def post(self, name: Name, body: AsyncRequestName) -> AsyncRecord:
        """Cancel, and answer the request."""
        return hosting.get(name, workspace=self.workspace).async_request(body.id).cancel().record


HANDLERS: list[type[StudioHandler]] = [
    AsyncRequestsHandler,
    AsyncMetricsHandler,
    AsyncRetryHandler,
    AsyncCancelHandler,
]

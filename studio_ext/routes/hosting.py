"""Endpoints over HTTP. What they are is decided in `kernel_tools.hosting`."""

from __future__ import annotations

import time
from typing import Self

from pydantic import Field, FiniteFloat, model_validator

from kernel_tools import hosting
from kernel_tools.core.errors import (
    ConflictError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.hosting.records import Auth, EndpointRecord, Security
from kernel_tools.registry.signature import Signature
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, ModelName, Name, PageQuery, Reply, VersionNumber

LOG_LINES = 200


class EndpointPage(Reply):
    """Some endpoints."""

    endpoints: list[EndpointRecord]
    next_page_token: str | None


class EndpointDetail(Reply):
    """An endpoint, what to try it with, how it lets callers in, and the end of its log."""

    endpoint: EndpointRecord
    sample: list[object]
    signature: Signature | None
    auth: Auth
    is_tls: bool
    log: str


class DeployRequest(Body):
    """Which model version to serve, under which name. `trust` lets it run code that its files bring."""

    model: ModelName
    version: VersionNumber
    name: Name
    trust: bool = False


class InvocationRequest(Body):
    """Rows for the model: `records` for one with a table of columns, `instances` for one that takes arrays."""

    records: list[dict[str, object]] = Field([], max_length=10_000)
    instances: list[object] = Field([], max_length=10_000)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.records) == bool(self.instances):
            raise ValueError("give records or instances, one of them, with at least one row")
        return self


class InvocationReply(Reply):
    """What the model says about each row. Classifiers add probabilities, in the order of `classes`."""

    predictions: list[object]
    probabilities: list[list[FiniteFloat | None]] | None = None
    classes: list[object] | None = None
    latency_ms: FiniteFloat


class EndpointsHandler(StudioHandler):
    """All endpoints."""

    path = "/endpoints"
    auth_resource = "hosting"

    @operation("list_endpoints", "List endpoints")
    def get(self, query: PageQuery) -> EndpointPage:
        """Answer one page."""
        records = [endpoint.record for endpoint in hosting.list_endpoints(workspace=self.workspace)]
        page, token = self.page(records, query)
        return EndpointPage(endpoints=page, next_page_token=token)

    @operation(
        "deploy_endpoint",
        "Serve a model version; answers when it is in service or has failed",
        status=201,
        raises=(NotFoundError, ConflictError, UnavailableError),
    )
    def post(self, body: DeployRequest) -> EndpointRecord:
        """Deploy, and answer the endpoint."""
        endpoint = hosting.deploy(
            body.model, version=body.version, name=body.name, trust=body.trust, workspace=self.workspace
        )
        return endpoint.record


class EndpointHandler(StudioHandler):
    """One endpoint."""

    path = "/endpoints/{name}"
    auth_resource = "hosting"

    @operation("get_endpoint", "Show an endpoint, a sample to try it with, and its log", raises=(NotFoundError,))
    def get(self, name: Name) -> EndpointDetail:
        """Answer the endpoint with what its model version says."""
        endpoint = hosting.get(name, workspace=self.workspace)
        record = endpoint.record
        # An endpoint whose configuration is damaged has no model; it can still be looked at and deleted.
        found = endpoint.served_version if record.model else None
        security = endpoint.security if found else Security()
        return EndpointDetail(
            endpoint=record,
            sample=found.sample if found else [],
            signature=found.signature if found else None,
            auth=security.auth,
            is_tls=bool(security.certificate),
            log=endpoint.logs(tail=LOG_LINES),
        )

    @operation("delete_endpoint", "Stop an endpoint and forget it", status=204, raises=(NotFoundError,))
    def delete(self, name: Name) -> None:
        """Delete."""
        hosting.get(name, workspace=self.workspace).delete()


class InvocationsHandler(StudioHandler):
    """Questions to one endpoint."""

    path = "/endpoints/{name}/invocations"
    auth_resource = "hosting"

    @operation(
        "invoke_endpoint",
        "Ask an endpoint for predictions",
        raises=(NotFoundError, TooLargeError, hosting.ModelError, UnavailableError),
        action="execute",
    )
    def post(self, name: Name, body: InvocationRequest) -> InvocationReply:
        """Answer the predictions and how long they took."""
        endpoint = hosting.get(name, workspace=self.workspace)
        started = time.perf_counter()
        answer = endpoint.invoke(body.records or body.instances)
        return InvocationReply(**answer, latency_ms=(time.perf_counter() - started) * 1000)


class RestartHandler(StudioHandler):
    """A new process for one endpoint."""

    path = "/endpoints/{name}/restart"
    auth_resource = "hosting"

    @operation(
        "restart_endpoint", "Start an endpoint's process anew", raises=(NotFoundError, ConflictError, UnavailableError)
    )
    def post(self, name: Name) -> EndpointRecord:
        """Restart, and answer the endpoint."""
        endpoint = hosting.get(name, workspace=self.workspace)
        endpoint.restart()
        return endpoint.record


HANDLERS: list[type[StudioHandler]] = [
    EndpointsHandler,
    EndpointHandler,
    InvocationsHandler,
    RestartHandler,
]

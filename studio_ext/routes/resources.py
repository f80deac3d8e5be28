"""Running resources over HTTP: kernels, terminals, jobs and endpoints, what they use, and the idle policy."""

from __future__ import annotations

import time
from collections.abc import Collection
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field

from kernel_tools import hosting, jobs
from kernel_tools.core.errors import ConflictError, NotFoundError, UnavailableError
from kernel_tools.hosting.records import EndpointState
from kernel_tools.jobs.states import JobState
from studio_ext.handlers import StudioHandler
from studio_ext.idle_policy import LONGEST, IdlePolicy, write_policy
from studio_ext.operations import operation
from studio_ext.process_trees import measure_trees
from studio_ext.running import RunningKernel, RunningTerminal
from studio_ext.schema import Body, Reply

MOST_JOBS = 200
"""Jobs that are shown; more than these never run at once on one machine."""


class ResourceKind(StrEnum):
    """What takes up memory and processors."""

    KERNEL = "kernel"
    TERMINAL = "terminal"
    JOB = "job"
    ENDPOINT = "endpoint"


ResourceId = Annotated[str, Field(min_length=1, max_length=200)]


class Resource(Reply):
    """Something that runs.

    `memory` is in bytes and `cpu` in processors, over the whole process tree; null for one that cannot be measured,
    `cpu` also when it is measured for the first time. Times are milliseconds since 1970 UTC; `idle_since` is null while
    it is at work. `path` is the document of a kernel, below the server's root folder.
    """

    kind: ResourceKind
    id: str
    name: str
    state: str
    pid: int | None
    memory: int | None = None
    cpu: Annotated[float | None, Field(allow_inf_nan=False)] = None
    processes: int = 0
    started_at: int | None = None
    last_activity: int | None = None
    idle_since: int | None = None
    connections: int | None = None
    path: str | None = None


class ResourcesReply(Reply):
    """Everything that runs, and the memory of it all in bytes."""

    resources: list[Resource]
    memory: int


class MemoryReply(Reply):
    """The memory of everything that runs, in bytes, and how many that is."""

    memory: int
    resources: int


class PolicyReply(Reply):
    """The idle policy that holds; `has_terminals` says whether this server has terminals at all."""

    policy: IdlePolicy
    has_terminals: bool


class PolicyRequest(Body):
    """The idle policy to hold from now on; see `IdlePolicy`. Zero means never."""

    cull_idle_timeout: int = Field(0, ge=0, le=LONGEST, description="Seconds without a message, for kernels.")
    cull_interval: int = Field(300, ge=1, le=24 * 3600, description="Seconds between two looks.")
    cull_connected: bool = Field(False, description="Whether kernels that somebody is connected to are stopped too.")
    cull_busy: bool = Field(False, description="Whether Jupyter's rule stops kernels that execute something.")
    cull_inactive_timeout: int = Field(0, ge=0, le=LONGEST, description="Seconds without output, for terminals.")
    quiet_minutes: int = Field(
        0, ge=0, le=LONGEST // 60, description="Minutes without processor time, I/O and execution, for kernels."
    )


class ResourcesHandler(StudioHandler):
    """All that runs."""

    path = "/resources"
    auth_resource = "resources"

    @operation("list_resources", "Show running kernels, terminals, jobs and endpoints, and what they use")
    def get(self) -> ResourcesReply:
        """Answer everything, what uses most memory first."""
        found = _measured(self, _find(self))
        found.sort(key=lambda resource: (-(resource.memory or 0), resource.kind, resource.name))
        return ResourcesReply(resources=found, memory=sum(resource.memory or 0 for resource in found))


class MemoryHandler(StudioHandler):
    """One number about all that runs."""

    path = "/resources/memory"
    auth_resource = "resources"

    @operation("get_resources_memory", "Say how much memory everything that runs uses")
    def get(self) -> MemoryReply:
        """Answer the sum."""
        found = _measured(self, _find(self))
        return MemoryReply(memory=sum(resource.memory or 0 for resource in found), resources=len(found))


class StopHandler(StudioHandler):
    """The end of one of them."""

    path = "/resources/{kind}/{id}/stop"
    auth_resource = "resources"

    @operation(
        "stop_resource",
        "Stop a kernel, terminal, job or endpoint; an endpoint is deleted",
        status=204,
        raises=(NotFoundError, ConflictError, UnavailableError),
    )
    def post(self, kind: ResourceKind, id: ResourceId) -> None:  # noqa: A002  # the word of the API
        """Stop it."""
        running = self.studio.running
        if kind is ResourceKind.KERNEL:
            running.wait_for(lambda: running.stop_kernel(id))
        elif kind is ResourceKind.TERMINAL:
            running.wait_for(lambda: running.stop_terminal(id))
        elif kind is ResourceKind.JOB:
            jobs.get(id, workspace=self.workspace).stop()
        else:
            hosting.get(id, workspace=self.workspace).delete()
        if kind in (ResourceKind.KERNEL, ResourceKind.TERMINAL):
            self.workspace.audit.record(f"{kind}.stop", f"{kind}/{id}", {"reason": "asked for"})


class PolicyHandler(StudioHandler):
    """What is stopped when nobody uses it."""

    path = "/resources/policy"
    auth_resource = "resources"

    @operation("get_idle_policy", "Show the idle policy")
    def get(self) -> PolicyReply:
        """Answer what holds, also if nobody has set it here."""
        return self._present()

    @operation("set_idle_policy", "Set the idle policy; it holds at once", raises=(UnavailableError,))
    def put(self, body: PolicyRequest) -> PolicyReply:
        """Keep the policy and apply it."""
        write_policy(self.workspace, IdlePolicy(**body.model_dump()))
        self.studio.running.wait_for(self.studio.idle_keeper.follow)
        return self._present()

    def _present(self) -> PolicyReply:
        has_terminals = self.studio.running.terminal_manager is not None
        return PolicyReply(policy=self.studio.idle_keeper.present_policy(), has_terminals=has_terminals)


def _find(handler: StudioHandler) -> list[Resource]:
    running = handler.studio.running

    async def look() -> tuple[list[RunningKernel], list[RunningTerminal]]:
        return await running.kernels(), await running.terminals()

    kernels, terminals = running.wait_for(look)
    return [
        *map(_of_kernel, kernels),
        *map(_of_terminal, terminals),
        *_running_jobs(handler),
        *_running_endpoints(handler),
    ]


def _of_kernel(kernel: RunningKernel) -> Resource:
    return Resource(
        kind=ResourceKind.KERNEL,
        id=kernel.id,
        name=PurePosixPath(kernel.path).name if kernel.path else kernel.name,
        state=kernel.state,
        pid=kernel.pid,
        last_activity=kernel.last_activity,
        idle_since=kernel.last_activity if kernel.state == "idle" else None,
        connections=kernel.connections,
        path=kernel.path,
    )


def _of_terminal(terminal: RunningTerminal) -> Resource:
    return Resource(
        kind=ResourceKind.TERMINAL,
        id=terminal.name,
        name=terminal.name,
        state="idle",
        pid=terminal.pid,
        last_activity=terminal.last_activity,
        connections=terminal.connections,
    )


def _running_jobs(handler: StudioHandler) -> list[Resource]:
    states = [state.value for state in JobState if state.is_supervised]
    records, _ = jobs.list_jobs(states, limit=MOST_JOBS, workspace=handler.workspace)
    return [
        Resource(
            kind=ResourceKind.JOB,
            id=record.name,
            name=record.name,
            state=record.state.value,
            pid=_supervisor(handler, record.name),
            started_at=record.running_at or record.created_at,
        )
        for record in records
    ]


def _supervisor(handler: StudioHandler, name: str) -> int | None:
    """Return the pid of a job's supervisor, if it still is the process that was noted."""
    from kernel_tools.jobs.supervision.processes import is_alive

    try:
        attempts = jobs.get(name, workspace=handler.workspace).attempts
    except NotFoundError:
        return None
    stamp: Any = attempts[-1].supervisor if attempts else None
    return int(stamp["pid"]) if is_alive(stamp) else None


def _running_endpoints(handler: StudioHandler) -> list[Resource]:
    records = [endpoint.record for endpoint in hosting.list_endpoints(workspace=handler.workspace)]
    return [
        Resource(
            kind=ResourceKind.ENDPOINT,
            id=record.name,
            name=record.name,
            state=record.state.value,
            pid=record.pid,
            started_at=record.created_at,
        )
        for record in records
        if record.pid is not None and record.state is not EndpointState.FAILED
    ]


def _measured(handler: StudioHandler, found: Collection[Resource]) -> list[Resource]:
    uses = measure_trees({resource.pid for resource in found if resource.pid is not None})
    shares = handler.studio.cpu_meter.shares(uses, time.monotonic())
    return [_with_use(resource, uses, shares) for resource in found]


def _with_use(resource: Resource, uses: Any, shares: Any) -> Resource:
    use = uses.get(resource.pid)
    if use is None:
        return resource
    measured = {
        "memory": use.memory,
        "cpu": shares[resource.pid],
        "processes": use.processes,
        "started_at": resource.started_at or use.started_at,
    }
    if resource.kind is ResourceKind.TERMINAL:
        # A shell that has started nothing waits for its user.
        measured |= {"state": "busy"} if use.processes > 1 else {"idle_since": resource.last_activity}
    return resource.model_copy(update=measured)


HANDLERS: list[type[StudioHandler]] = [ResourcesHandler, MemoryHandler, PolicyHandler, StopHandler]

"""How an endpoint runs, over HTTP: variants, updates, scaling, numbers; decided in `kernel_tools.hosting`."""

from __future__ import annotations

import math

from pydantic import Field, FiniteFloat

from kernel_tools import hosting
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.hosting.records import MAX_WORKERS, ScalingMetric, ScalingPolicy
from kernel_tools.hosting.updates import Alarm, Kind, Phase, UpdatePolicy, UpdateProgress
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, Reply, VersionNumber

EVENTS = 30


class VariantDetail(Reply):
    """One variant of an endpoint: what answers, its part of the requests, its workers that are wanted and ready."""

    name: str
    models: list[str]
    versions: list[int]
    engine: str
    weight: FiniteFloat
    workers: int
    ready: int


class UpdateDetail(Reply):
    """How far an update is; `share` of the traffic goes to the new revision, `since` is in milliseconds."""

    kind: Kind
    phase: Phase
    share: FiniteFloat
    since: int
    reason: str
    is_over: bool


class EventDetail(Reply):
    """Something that happened to an endpoint, with what is known of it; `time` in milliseconds since 1970."""

    time: int
    event: str
    details: dict[str, object]


class EndpointOperation(Reply):
    """How an endpoint runs. Metrics have SageMaker's names, latencies are microseconds; null is no request yet."""

    variants: list[VariantDetail]
    scaling: ScalingPolicy | None
    update: UpdateDetail | None
    metrics: dict[str, FiniteFloat | None]
    events: list[EventDetail]


class AlarmRequest(Body):
    """Rolls an update back if a metric is above a value."""

    metric: str = Field(min_length=1, max_length=64)
    above: FiniteFloat


class UpdateRequest(Body):
    """To which version of which variant, and how; parts are 0 to 1. With a weight the variant may be a new one."""

    version: VersionNumber | None = None
    variant: Name | None = None
    weight: float | None = Field(None, ge=0, le=1e6)
    kind: Kind = "all_at_once"
    canary_size: float = Field(0.1, gt=0, le=1)
    step_size: float = Field(0.1, gt=0, le=1)
    wait_seconds: float = Field(0, ge=0, le=3600)
    bake_seconds: float | None = Field(None, ge=0, le=3600)
    alarms: list[AlarmRequest] = Field([], max_length=10)
    trust: bool = False


class ScaleRequest(Body):
    """How many workers answer for each variant, or for one; or what changes of the policy that adds and takes them."""

    workers: int | None = Field(None, ge=1, le=MAX_WORKERS)
    variant: Name | None = None
    metric: ScalingMetric | None = None
    target: FiniteFloat | None = None
    min_workers: int | None = None
    max_workers: int | None = None
    scale_in_cooldown: FiniteFloat | None = None
    scale_out_cooldown: FiniteFloat | None = None
    idle_seconds: FiniteFloat | None = None


class WeightsRequest(Body):
    """The weights of variants: the part of each is its weight over the sum of all."""

    weights: dict[Name, FiniteFloat] = Field(max_length=100)


class OperationHandler(StudioHandler):
    """How one endpoint runs."""

    path = "/endpoints/{name}/operation"
    auth_resource = "hosting"

    @operation("get_endpoint_operation", "Show variants, update, metrics and events", raises=(NotFoundError,))
    def get(self, name: Name) -> EndpointOperation:
        """Answer how it runs now."""
        return _operation(hosting.get(name, workspace=self.workspace))


class UpdateHandler(StudioHandler):
    """Updates of one endpoint."""

    path = "/endpoints/{name}/update"
    auth_resource = "hosting"

    @operation("update_endpoint", "Begin to serve another version", raises=(NotFoundError, ConflictError))
    def post(self, name: Name, body: UpdateRequest) -> EndpointOperation:
        """Begin, and answer how it runs."""
        endpoint = hosting.get(name, workspace=self.workspace)
        sizes = body.model_dump(include={"kind", "canary_size", "step_size", "wait_seconds", "bake_seconds"})
        alarms = tuple(Alarm(alarm.metric, alarm.above) for alarm in body.alarms)
        policy = UpdatePolicy(**sizes, alarms=alarms)
        endpoint.update(
            body.version, variant=body.variant, weight=body.weight, policy=policy, trust=body.trust, timeout=0
        )
        return _operation(endpoint)


class RollbackHandler(StudioHandler):
    """The way back from an update of one endpoint."""

    path = "/endpoints/{name}/rollback"
    auth_resource = "hosting"

    @operation(
        "rollback_endpoint", "Serve what was served before the last update", raises=(NotFoundError, ConflictError)
    )
    def post(self, name: Name) -> EndpointOperation:
        """Begin, and answer how it runs."""
        endpoint = hosting.get(name, workspace=self.workspace)
        endpoint.rollback(timeout=0)
        return _operation(endpoint)


class ScaleHandler(StudioHandler):
    """The workers of one endpoint."""

    path = "/endpoints/{name}/scale"
    auth_resource = "hosting"

    @operation("scale_endpoint", "Set the number of workers or the policy", raises=(NotFoundError, ConflictError))
    def post(self, name: Name, body: ScaleRequest) -> EndpointOperation:
        """Begin, and answer how it runs."""
        endpoint = hosting.get(name, workspace=self.workspace)
        endpoint.scale(**body.model_dump(), timeout=0)
        return _operation(endpoint)


class WeightsHandler(StudioHandler):
    """The parts of the requests that one endpoint's variants get."""

    path = "/endpoints/{name}/weights"
    auth_resource = "hosting"

    @operation("weigh_variants", "Share the requests otherwise", raises=(NotFoundError, ConflictError))
    def post(self, name: Name, body: WeightsRequest) -> EndpointOperation:
        """Do so, and answer how it runs."""
        return _operation(hosting.get(name, workspace=self.workspace).set_weights(body.weights))


class VariantHandler(StudioHandler):
    """One variant of one endpoint."""

    path = "/endpoints/{name}/variants/{variant}"
    auth_resource = "hosting"

    @operation("remove_variant", "Begin to answer without a variant", status=200, raises=(NotFoundError, ConflictError))
    def delete(self, name: Name, variant: Name) -> EndpointOperation:
        """Begin, and answer how it runs."""
        return _operation(hosting.get(name, workspace=self.workspace).remove_variant(variant, timeout=0))


def _operation(endpoint: hosting.Endpoint) -> EndpointOperation:
    ready = endpoint.ready_workers()
    metrics = {name: value if math.isfinite(value) else None for name, value in endpoint.metrics().items()}
    return EndpointOperation(
        variants=[_variant(variant, ready.get(variant.name, 0)) for variant in endpoint.variants],
        scaling=endpoint.scaling,
        update=_update(endpoint.update_progress),
        metrics=metrics,
        events=[_event(event) for event in endpoint.events(EVENTS)],
    )


def _variant(variant: hosting.ProductionVariant, ready: int) -> VariantDetail:
    engine = variant.package.target if variant.package else "program" if variant.command else "application"
    return VariantDetail(
        name=variant.name,
        models=[version.model for version in variant.versions],
        versions=[version.version for version in variant.versions],
        engine=engine if variant.package or variant.command or variant.app else variant.version.format,
        weight=variant.weight,
        workers=variant.workers,
        ready=ready,
    )


def _update(progress: UpdateProgress | None) -> UpdateDetail | None:
    if progress is None:
        return None
    return UpdateDetail(
        kind=progress.policy.kind,
        phase=progress.phase,
        share=progress.share,
        since=progress.since,
        reason=progress.reason,
        is_over=progress.is_over,
    )


def _event(event: dict[str, object]) -> EventDetail:
    details = {key: value for key, value in event.items() if key not in ("time", "event")}
    return EventDetail(time=int(str(event.get("time", 0))), event=str(event.get("event", "")), details=details)


HANDLERS: list[type[StudioHandler]] = [
    OperationHandler,
    UpdateHandler,
    RollbackHandler,
    ScaleHandler,
    WeightsHandler,
    VariantHandler,
]

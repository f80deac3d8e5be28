"""What `endpoint.json` and `state.json` of an endpoint's folder hold. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.processes import ProcessIdentity
from kernel_tools.hosting.records import CaptureConfig, EndpointState, Limits, ScalingPolicy, Security
from kernel_tools.registry.records import ModelFile, VersionRecord

FORMAT_VERSION = 2
ALL_TRAFFIC = "AllTraffic"


@dataclass(frozen=True, slots=True)
class Package:
    """A compiled package: its id in the registry, its target, and its files."""

    id: str
    target: str
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class ProductionVariant:
    """One of the models that share an endpoint's requests: its part is its weight over the sum of all weights.

    Parameters
    ----------
    name, weight, workers
        Of the variant; `workers` processes answer for it.
    version
        The version that gives the answer.
    trust
        Whether code of the model's own may run.
    before
        The versions that prepare its rows, in their order: with it, an inference pipeline.
    package
        The compiled package that answers instead of the model itself.
    command
        The program that answers instead, run in the folder of the version's files.
    app
        The ASGI application that answers instead, as ``module:attribute`` in the folder of the version's files.
    """

    name: str
    version: VersionRecord
    weight: float = 1.0
    workers: int = 1
    trust: bool = False
    before: tuple[VersionRecord, ...] = ()
    package: Package | None = None
    command: tuple[str, ...] = ()
    app: str = ""

    @property
    def versions(self) -> tuple[VersionRecord, ...]:
        """All versions that answer, in their order."""
        return (*self.before, self.version)


def require_weights(weights: Mapping[str, float]) -> None:
    """Raise InvalidArgumentError unless requests can be shared by such weights."""
    for name, weight in weights.items():
        if not (math.isfinite(weight) and 0 <= weight <= 1e6):
            raise InvalidArgumentError(f"weight={weight!r} of variant {name!r} is out of range: 0 to 1,000,000.")
    if not any(weights.values()):
        raise InvalidArgumentError("All weights are 0, so no variant would get requests: give one a weight above 0.")


@dataclass(frozen=True, slots=True)
class EndpointConfiguration:
    """What `endpoint.json` holds: which model version the endpoint serves, with all that is needed to load it."""

    name: str
    created_at: int
    created_by: str
    version: VersionRecord
    trust: bool = False
    variants: tuple[ProductionVariant, ...] = ()
    revision: int = 1
    limits: Limits = Limits()
    scaling: ScalingPolicy | None = None
    security: Security = Security()
    capture: CaptureConfig | None = None
    format_version: int = FORMAT_VERSION

    @property
    def production_variants(self) -> tuple[ProductionVariant, ...]:
        """The variants; an endpoint that names none has one, which takes all traffic."""
        return self.variants or (ProductionVariant(ALL_TRAFFIC, self.version, trust=self.trust),)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that serves a variant: `is_ready` once its model is loaded, `is_worn` if it is to be replaced."""

    id: str
    variant: str
    revision: int
    process: ProcessIdentity
    is_ready: bool = False
    is_worn: bool = False


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """What `state.json` holds.

    Parameters
    ----------
    state
        The state that was last written.
    launch
        Identifies one start of the endpoint; a worker of an earlier launch may write nothing any more.
    changed_at
        When this was written.
    process
        The process of an endpoint that format 1 started; those of today are in `workers`.
    starter
        The process that starts or deletes the endpoint; if it dies half-way, the state tells.
    workers
        The processes that answer, or load in order to.
    in_service_at
        When this launch first answered; 0 before.
    failed_revision
        The newest revision whose model could not be loaded, for `reason`.
    port
        The port on 127.0.0.1; a restart takes it again if it is free.
    reason
        Why the endpoint is Failed.
    """

    state: EndpointState
    launch: str
    changed_at: int
    process: ProcessIdentity | None = None
    starter: ProcessIdentity | None = None
    port: int | None = None
    reason: str = ""
    workers: tuple[Worker, ...] = ()
    in_service_at: int = 0
    failed_revision: int = 0
    format_version: int = FORMAT_VERSION

    @property
    def processes(self) -> list[ProcessIdentity]:
        """All processes that serve the endpoint, those that can answer first."""
        ordered = sorted(self.workers, key=lambda worker: not worker.is_ready)
        return [worker.process for worker in ordered] + ([self.process] if self.process is not None else [])

"""The shapes of endpoints. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from kernel_tools.core.errors import InvalidArgumentError

Auth = Literal["none", "token", "sigv4"]
AUTHS: tuple[Auth, ...] = ("none", "token", "sigv4")


class EndpointState(StrEnum):
    """The state of an endpoint, in SageMaker's words."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"
    ROLLING_BACK = "RollingBack"
    SYSTEM_UPDATING = "SystemUpdating"
    """It is being scaled."""
    OUT_OF_SERVICE = "OutOfService"
    """It answered once, but its workers end again and again; the host goes on trying."""
    FAILED = "Failed"
    DELETING = "Deleting"

    @property
    def is_serving(self) -> bool:
        """Whether requests are answered."""
        return self in _SERVING


_SERVING = frozenset(
    {
        EndpointState.IN_SERVICE,
        EndpointState.UPDATING,
        EndpointState.ROLLING_BACK,
        EndpointState.SYSTEM_UPDATING,
    }
)


ScalingMetric = Literal["requests_in_flight", "requests_per_second", "backlog"]
MAX_WORKERS = 64


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """How many workers each variant has: as many as keep a metric near its target.

    Parameters
    ----------
    metric
        Of each worker: the requests that it has in hand ("requests_in_flight") or gets in a second
        ("requests_per_second"), means of the last seconds; or asynchronous requests that are not over ("backlog", which
        SageMaker calls ApproximateBacklogSizePerInstance).
    target
        The metric's value that each worker is to have.
    min_workers
        Never fewer; 0 lets the last worker end when no request came for `idle_seconds`. The next request is held until
        a worker is up again.
    max_workers
        Never more; up to 64.
    scale_in_cooldown
        Workers are taken away once fewer have sufficed for so many seconds on end.
    scale_out_cooldown
        So many seconds pass between two additions of workers.
    idle_seconds
        After how long without a request an endpoint with `min_workers=0` has no worker.
    """

    metric: ScalingMetric = "requests_in_flight"
    target: float = 4.0
    min_workers: int = 1
    max_workers: int = 4
    scale_in_cooldown: float = 60.0
    scale_out_cooldown: float = 5.0
    idle_seconds: float = 300.0

    def __post_init__(self) -> None:
        known = get_args(ScalingMetric)
        if self.metric not in known:
            raise InvalidArgumentError(f"metric={self.metric!r} does not scale workers: use one of {', '.join(known)}.")
        if not 0 < self.target <= 1e6:
            raise InvalidArgumentError(f"target={self.target!r} is out of range: above 0, up to 1,000,000.")
        if not 0 <= self.min_workers <= self.max_workers <= MAX_WORKERS or self.max_workers < 1:
            raise InvalidArgumentError(
                f"min_workers={self.min_workers} and max_workers={self.max_workers} are no range of workers: "
                f"0 <= min_workers <= max_workers, and 1 <= max_workers <= {MAX_WORKERS}."
            )
        for name in ("scale_in_cooldown", "scale_out_cooldown", "idle_seconds"):
            if not 0 <= getattr(self, name) <= 86_400:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} is out of range: 0 to 86,400 s.")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an endpoint bears.

    Parameters
    ----------
    max_waiting
        Requests that may wait for one worker; further ones are answered 429.
    timeout_seconds
        How long the model may take for one request.
    max_body_bytes
        The largest body of a request; larger ones are answered 413. SageMaker has 6,291,456.
    max_memory_bytes
        A worker that has more memory is replaced by a new one, without a gap. None is four times what it has after
        its first prediction, and at least 1 GiB more than that: only a leak gets there.
    """

    max_waiting: int = 64
    timeout_seconds: float = 60.0
    max_body_bytes: int = 6 * 1024 * 1024
    max_memory_bytes: int | None = None

    def __post_init__(self) -> None:
        if not 1024 <= self.max_body_bytes <= 1024**3:
            raise InvalidArgumentError(f"max_body_bytes={self.max_body_bytes:,} is out of range: 1 KiB to 1 GiB.")
        if not 1 <= self.max_waiting <= 10_000:
            raise InvalidArgumentError(f"max_waiting={self.max_waiting} is out of range: 1 to 10,000 requests.")
        if not 0 < self.timeout_seconds <= 3600:
            raise InvalidArgumentError(f"timeout_seconds={self.timeout_seconds:g} is out of range: up to 3,600 s.")
        if self.max_memory_bytes is not None and self.max_memory_bytes < 1:
            raise InvalidArgumentError(f"max_memory_bytes={self.max_memory_bytes} is out of range: at least 1.")


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """What is captured.

    Parameters
    ----------
    sampling_percentage
        Of the requests, 0 to 100.
    inputs, outputs
        Capture the bodies of requests, of replies.
    csv_types, json_types
        Content types that are kept as text; the bodies of others as base64.
    max_disk_bytes
        All files of the endpoint's variant together; the oldest are removed.
    max_file_bytes, flush_seconds
        A file is written at this size, or this long after its first sample.
    max_waiting_bytes
        Bodies that may wait for the writer.
    """

    sampling_percentage: float = 100.0
    inputs: bool = True
    outputs: bool = True
    csv_types: tuple[str, ...] = ("text/csv",)
    json_types: tuple[str, ...] = ("application/json", "application/jsonlines")
    max_disk_bytes: int = 1024**3
    max_file_bytes: int = 8 * 1024**2
    flush_seconds: float = 10.0
    max_waiting_bytes: int = 64 * 1024**2

    def __post_init__(self) -> None:
        """Refuse what cannot be: InvalidArgumentError."""
        if not 0 <= self.sampling_percentage <= 100:
            raise InvalidArgumentError(f"A sampling of {self.sampling_percentage} % does not exist: give 0 to 100.")
        if min(self.max_disk_bytes, self.max_file_bytes, self.flush_seconds, self.max_waiting_bytes) <= 0:
            raise InvalidArgumentError("The limits of data capture must be above 0.")


@dataclass(frozen=True, slots=True)
class Security:
    """Who may call an endpoint, and how the connection is protected.

    Parameters
    ----------
    auth
        "none": every process of this machine; "token": with a bearer token; "sigv4": with AWS Signature Version 4.
        `kt.hosting.create_access_key` issues both kinds of keys.
    certificate, key
        Paths of a certificate and its private key in PEM: the endpoint then speaks TLS. Both or none.
    """

    auth: Auth = "none"
    certificate: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if self.auth not in AUTHS:
            raise InvalidArgumentError(f"auth={self.auth!r} is not known: use one of {', '.join(AUTHS)}.")
        if bool(self.certificate) != bool(self.key):
            raise InvalidArgumentError("TLS needs both a certificate and its key: give both paths.")


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """One endpoint as the panels show it. `reason` says why it is Failed and what to do; else it is empty.

    `version_id` is the `VersionRecord.id` of the version, which survives the renaming of its model.
    """

    name: str
    model: str
    version: int
    state: EndpointState
    created_at: int
    created_by: str
    url: str | None = None
    pid: int | None = None
    reason: str = ""
    version_id: str = ""

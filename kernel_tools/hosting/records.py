"""The shapes of endpoints. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kernel_tools.core.errors import InvalidArgumentError


class EndpointState(StrEnum):
    """The state of an endpoint, in SageMaker's words."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    FAILED = "Failed"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an endpoint bears: requests that wait for one worker, and the seconds that the model may take for one."""

    max_waiting: int = 64
    timeout_seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 1 <= self.max_waiting <= 10_000:
            raise InvalidArgumentError(f"max_waiting={self.max_waiting} is out of range: 1 to 10,000 requests.")
        if not 0 < self.timeout_seconds <= 3600:
            raise InvalidArgumentError(f"timeout_seconds={self.timeout_seconds:g} is out of range: up to 3,600 s.")


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

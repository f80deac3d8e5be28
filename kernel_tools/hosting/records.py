"""The shapes of endpoints. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EndpointState(StrEnum):
    """The state of an endpoint, in SageMaker's words."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    FAILED = "Failed"
    DELETING = "Deleting"


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

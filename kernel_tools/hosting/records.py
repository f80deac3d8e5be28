"""The shapes of endpoints. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kernel_tools.core.errors import InvalidArgumentError

Auth = Literal["none", "token", "sigv4"]
AUTHS: tuple[Auth, ...] = ("none", "token", "sigv4")


class EndpointState(StrEnum):
    """The state of an endpoint, in SageMaker's words."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    FAILED = "Failed"
    DELETING = "Deleting"


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
    """

    max_waiting: int = 64
    timeout_seconds: float = 60.0
    max_body_bytes: int = 6 * 1024 * 1024

    def __post_init__(self) -> None:
        if not 1024 <= self.max_body_bytes <= 1024**3:
            raise InvalidArgumentError(f"max_body_bytes={self.max_body_bytes:,} is out of range: 1 KiB to 1 GiB.")
        if not 1 <= self.max_waiting <= 10_000:
            raise InvalidArgumentError(f"max_waiting={self.max_waiting} is out of range: 1 to 10,000 requests.")
        if not 0 < self.timeout_seconds <= 3600:
            raise InvalidArgumentError(f"timeout_seconds={self.timeout_seconds:g} is out of range: up to 3,600 s.")


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

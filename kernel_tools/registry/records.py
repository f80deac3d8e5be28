"""The shapes of registered models. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kernel_tools.registry.signature import Signature


class VersionStatus(StrEnum):
    """Where a model version stands, in SageMaker's words."""

    PENDING = "PendingManualApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model version; its bytes are the artifact with this sha256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One model version as the panels show it.

    `format` is the file format that `load` reads: ``xgboost-ubj``, ``skops``, ``torch-export`` or ``safetensors``.
    `model_class` is the Python class that `load` gives back. `sample` holds up to five input rows. `untrusted_types`
    names classes in the file that `load` restores only with ``trust=True``.
    """

    model: str
    version: int
    status: VersionStatus
    created_at: int
    created_by: str
    format: str
    model_class: str
    files: list[ModelFile]
    signature: Signature | None
    sample: list[object]
    libraries: dict[str, str]
    untrusted_types: list[str] = field(default_factory=list)
    run_id: str | None = None
    aliases: list[str] = field(default_factory=list)
    decided_by: str | None = None
    decided_at: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """A named group of model versions."""

    name: str
    created_at: int
    version_count: int
    latest_version: int | None
    pending_count: int
    approved_version: int | None

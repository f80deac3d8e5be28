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


class Stage(StrEnum):
    """Where a model version is used, in MLflow's words; an alias says the same and more."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model; its bytes are the artifact with this sha256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One model version as the panels show it.

    `format` is the file format that `load` reads, such as ``xgboost-ubj``, ``skops``, ``onnx`` or ``mlflow``; ``files``
    are kept as they are and ``source`` is somewhere else, so neither can be loaded. `model_class` is the Python class
    that `load` gives back. `sample` holds up to five input rows. `untrusted_types` names what `load` restores only with
    ``trust=True``; `has_code` says that the files bring code of their own. `id` never changes, the model's name may.
    `model_id` is the logged model that the version was made from, `source` and
    `run_link` are what a client said, `storage_uri` is where the files of the source are.
    `card_revision` is the newest revision of the model card.
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
    id: str = ""
    updated_at: int = 0
    stage: Stage = Stage.NONE
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    licence: str = ""
    source: str = ""
    storage_uri: str = ""
    run_link: str = ""
    model_id: str | None = None
    has_code: bool = False
    card_revision: int | None = None


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """A named group of model versions; `aliases` gives the version that each alias stands for."""

    name: str
    created_at: int
    version_count: int
    latest_version: int | None
    pending_count: int
    approved_version: int | None
    updated_at: int = 0
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promotion:
    """That a version was given an alias, instead of which other one, by whom and why."""

    alias: str
    version: int
    previous_version: int | None
    reason: str
    promoted_at: int
    promoted_by: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One revision of a model card: free Markdown and the fields that every card should fill, Markdown too."""

    revision: int
    created_at: int
    created_by: str
    text: str = ""
    intended_use: str = ""
    data: str = ""
    metrics: str = ""
    ethics: str = ""
    limits: str = ""


class LoggedModelStatus(StrEnum):
    """Whether a logged model's files have all arrived, in MLflow's words."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class LoggedMetric:
    """One value of a metric of a logged model; `run_id` logged it, on a dataset if that is named."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    run_id: str = ""
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedModelRecord:
    """A model that a run logged (MLflow 3): files in an experiment, which may become a model version."""

    id: str
    experiment_id: str
    name: str
    created_at: int
    updated_at: int
    created_by: str
    status: LoggedModelStatus
    is_deleted: bool = False
    model_type: str = ""
    source_run_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[LoggedMetric] = field(default_factory=list)

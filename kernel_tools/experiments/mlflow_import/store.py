"""What a store of MLflow holds, and what can be asked of one, whichever form it has: a database or a folder.

Times are milliseconds since 1970 UTC; numbers of a registered model's versions are MLflow's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kernel_tools.experiments.records import DatasetInput, Lifecycle, RunStatus
from kernel_tools.experiments.segment import Point

BATCH = 200
"""Runs that are read at once."""
POINT_BATCH = 10_000
"""Points that are read at once."""


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """An experiment of the store."""

    id: str
    name: str
    lifecycle: Lifecycle
    created_at: int
    updated_at: int
    artifact_location: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run of the store without its points; `artifact_folder` is known of stores that are folders."""

    id: str
    name: str
    experiment_id: str
    user: str
    status: RunStatus
    lifecycle: Lifecycle
    started_at: int
    ended_at: int | None
    deleted_at: int | None
    artifact_uri: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: list[DatasetInput] = field(default_factory=list)
    artifact_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class StoredModelMetric:
    """A value of a metric of a logged model."""

    key: str
    value: float
    timestamp: int
    step: int
    run_id: str
    dataset_name: str | None
    dataset_digest: str | None


@dataclass(frozen=True, slots=True)
class StoredLoggedModel:
    """A logged model (MLflow 3) of the store; `status` is MLflow's number."""

    id: str
    experiment_id: str
    name: str
    model_type: str
    source_run_id: str | None
    status: int
    lifecycle: Lifecycle
    created_at: int
    updated_at: int
    artifact_uri: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[StoredModelMetric] = field(default_factory=list)
    artifact_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of a registered model of the store."""

    version: int
    created_at: int
    updated_at: int
    created_by: str
    stage: str
    source: str
    storage_location: str
    run_id: str | None
    run_link: str
    description: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A registered model of the store; `last_version` counts deleted versions too."""

    name: str
    created_at: int
    updated_at: int
    description: str
    last_version: int
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    versions: list[StoredVersion] = field(default_factory=list)


class MlflowStore(Protocol):
    """A store that can be read, again and again, while somebody else writes it."""

    location: str
    """The store as people name it, without a password."""
    folder: Path
    """What relative artifact locations are relative to."""

    def experiments(self) -> list[StoredExperiment]:
        """Return all experiments, also deleted ones."""

    def count_runs(self, experiment_ids: Sequence[str]) -> int:
        """Return the number of runs of some experiments, with deleted ones."""

    def runs(self, experiment_ids: Sequence[str]) -> Iterator[list[StoredRun]]:
        """Give the runs of some experiments, at most `BATCH` at once."""

    def points(self, run_id: str) -> Iterator[list[Point]]:
        """Give the points of a run, at most `POINT_BATCH` at once, in any order."""

    def logged_models(self, experiment_ids: Sequence[str]) -> list[StoredLoggedModel]:
        """Return the logged models of some experiments, also deleted ones."""

    def models(self) -> list[StoredModel]:
        """Return all registered models."""

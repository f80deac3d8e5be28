"""The shapes of tracked things: what the catalog, the panels and the CLI all show. Times are milliseconds since
1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
FAVOURITE_TAG = "atelier.favourite"
MODEL_INPUTS_TAG = "atelier.modelInputs"
MODEL_OUTPUTS_TAG = "atelier.modelOutputs"
"""Tags that keep which logged models a run read and made, as JSON; MLflow's clients see inputs and outputs."""
ARTIFACT_LOCATION_TAG = "atelier.artifactLocation"
"""The tag that keeps an experiment's own artifact location; MLflow's clients see it as the location, not as a tag."""
ARCHIVED_TAG = "atelier.archived"
"""Set to ``true``, it keeps a run out of the table without deleting it."""
SYSTEM_TAG_PREFIXES = ("mlflow.", "atelier.")
"""Tags that programs set; a table of runs leaves them out unless asked."""


class RunStatus(StrEnum):
    """The life of a run, in MLflow's words; a run whose process ended without a word is KILLED."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @property
    def is_open(self) -> bool:
        """Whether the run still takes points."""
        return self in (RunStatus.RUNNING, RunStatus.SCHEDULED)


class Lifecycle(StrEnum):
    """Whether something is there, or deleted and restorable until the garbage collection."""

    ACTIVE = "active"
    DELETED = "deleted"


class View(StrEnum):
    """Which of the two a search looks at, in MLflow's words."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named group of runs; `id` is a whole number as text and stays when the experiment is renamed."""

    id: str
    name: str
    created_at: int
    updated_at: int
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    is_archived: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    run_count: int = 0
    last_started_at: int | None = None


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One file that a run kept; `path` is relative, with forward slashes."""

    path: str
    size: int
    sha256: str
    media_type: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ArtifactEntry:
    """One line of a listing: a file, or a folder, whose `size` is that of everything below it."""

    path: str
    is_folder: bool
    size: int


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset that a run read; `schema` and `profile` are JSON, `context` is its role, such as ``training``.

    `tags` hold what else a client says about the dataset in this run.
    """

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    context: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as a table row: `metrics` holds the latest value of each key, `params` and `tags` are strings."""

    id: str
    name: str
    experiment: str
    status: RunStatus
    user: str
    started_at: int
    ended_at: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    experiment_id: str = ""
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    parent_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunTree:
    """A run and the runs nested in it, the oldest first."""

    run: RunRecord
    children: list[RunTree] = field(default_factory=list)

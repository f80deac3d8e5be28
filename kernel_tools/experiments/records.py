"""The shapes of tracked things: what the catalog, the panels and the CLI all show. Times are milliseconds since "
"1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class RunStatus(StrEnum):
    """The life of a run, in MLflow's words; a run whose process ended without a word is KILLED."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named group of runs."""

    name: str
    created_at: int
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

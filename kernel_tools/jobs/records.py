"""The shapes of jobs that panels, CLI and library share. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass

from kernel_tools.jobs.states import JobState


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is; `total` is None if nobody knows, `source` is job or tqdm."""

    done: float
    total: float | None
    description: str
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job as a table row. `running_time` is in milliseconds, over all attempts that have ended."""

    name: str
    state: JobState
    entry_kind: str
    entry: str
    experiment: str | None
    run_id: str | None
    user: str
    priority: int
    is_spot: bool
    created_at: int
    running_at: int | None
    ended_at: int | None
    running_time: int
    attempts: int
    reason: str
    progress: JobProgress | None = None
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a job has left; `path` is relative to the job's output folder."""

    path: str
    size: int
    modified_at: int

"""Jobs: work that leaves the notebook, survives kernel and server, and can be interrupted and resumed.

Importing this costs next to nothing, because code inside of jobs does so; what submits and reads jobs is loaded when it
is used.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.jobs.reporting import current_job, interruption, progress

if TYPE_CHECKING:
    from kernel_tools.core.workspace import Workspace
    from kernel_tools.jobs import checkpointing, spot
    from kernel_tools.jobs.decorator import job
    from kernel_tools.jobs.handle import Job
    from kernel_tools.jobs.queue import max_concurrent
    from kernel_tools.jobs.records import JobRecord
    from kernel_tools.jobs.retention import Removed, delete_ended
    from kernel_tools.jobs.schedules import (
        Schedule,
        ScheduleRecord,
        create_schedule,
        create_schedule_of_job,
        get_schedule,
        list_schedules,
        run_due_schedules,
    )
    from kernel_tools.jobs.spec import Checkpoint, Resources, Retries, Spot
    from kernel_tools.jobs.states import JobState

__all__ = [
    "Checkpoint",
    "Job",
    "JobRecord",
    "JobState",
    "Removed",
    "Resources",
    "Retries",
    "Schedule",
    "ScheduleRecord",
    "Spot",
    "checkpointing",
    "count_jobs",
    "create_schedule",
    "create_schedule_of_job",
    "current_job",
    "delete_ended",
    "get",
    "get_schedule",
    "interruption",
    "job",
    "list_jobs",
    "list_schedules",
    "max_concurrent",
    "progress",
    "run_due_schedules",
    "set_max_concurrent",
    "spot",
    "submit",
]

_LAZY = {
    "Checkpoint": "spec",
    "Resources": "spec",
    "Retries": "spec",
    "Spot": "spec",
    "Job": "handle",
    "JobRecord": "records",
    "JobState": "states",
    "Removed": "retention",
    "delete_ended": "retention",
    "job": "decorator",
    **dict.fromkeys(
        (
            "Schedule",
            "ScheduleRecord",
            "create_schedule",
            "create_schedule_of_job",
            "get_schedule",
            "list_schedules",
            "run_due_schedules",
        ),
        "schedules",
    ),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"kernel_tools.jobs.{_LAZY[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"kernel_tools.jobs.{name}")
    raise AttributeError(f"module 'kernel_tools.jobs' has no attribute {name!r}; it has: {', '.join(__all__)}")


def submit(
    entry: str | os.PathLike[str] | Sequence[str] | Callable[..., Any],
    source_dir: str | os.PathLike[str] | None = None,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str | os.PathLike[str]] | None = None,
    experiment: str | None = None,
    *,
    name: str | None = None,
    args: Sequence[Any] = (),
    resources: Resources | None = None,
    spot: Spot | None = None,
    checkpoint: Checkpoint | None = None,
    max_runtime: float | str | None = None,
    retries: Retries | None = None,
    priority: int = 0,
    grace: float | str = 30.0,
    environment: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    launcher: str = "local",
    debugger: Any = None,
    working_dir: str | os.PathLike[str] | None = None,
    workspace: Workspace | None = None,
) -> Job:
    """Submit a script, notebook, module, function or command as a job. It goes on when this process ends.

    Parameters
    ----------
    entry
        A script (``train.py``), a notebook (``report.ipynb``), a module (``-m package.train``), a function, or a
        command
        as a list of words.
    source_dir
        The folder that holds the code; it is copied, and the entry is relative to it. Default: the entry alone.
    params
        Parameters: ``--key value`` for a script or module, keyword arguments of a function, the parameters cell of a
        notebook; for all of them SageMaker's ``SM_HPS`` and ``SM_HP_<KEY>``.
    inputs
        Data by channel: files or folders, which the job finds below ``SM_CHANNEL_<CHANNEL>``. They are not copied.
        What an fsspec URL (``s3://bucket/key``) names is downloaded now, once, into the job's folder.
    experiment
        Name of the experiment that gets a run for this job; inside the job `kernel_tools.experiments.start_run` is it.
    name
        Unique in the workspace. Default: the entry's name, the time and eight digits.
    args
        Positional arguments of a function.
    resources, spot, checkpoint, retries
        See `Resources`, `Spot`, `Checkpoint` and `Retries`.
    max_runtime
        Seconds, or a text such as ``"30min"``, that the job may run in all its attempts together.
    priority
        -1000 to 1000; jobs of a higher one start first, then those submitted first.
    grace
        Seconds between SIGTERM and SIGKILL when the job is stopped.
    environment
        Environment variables. Of this process's own only well-known ones are taken over; see `plans.INHERITED`.
    secrets
        Environment variables whose values are not kept: ``{"TOKEN": "env:TOKEN"}`` or ``"file:/path"``.
    tags
        Tags of the job's run.
    launcher
        Where the job runs.
    debugger
        A `kernel_tools.debugger.Config`, or True for its defaults: the training in the job is watched, without a change
        of its code. A job without an experiment then belongs to "Default".
    working_dir
        The folder that the job runs in, if not in the copy of a `source_dir`. Default: the current one.
    workspace
        Default: the current workspace.

    Raises
    ------
    ConflictError
        If there is a job of this name.
    NotFoundError
        If the entry, the source or an input does not exist.
    UnavailableError
        If an input's URL cannot be read.
    InvalidArgumentError, TooLargeError
        If something cannot be used.
    """
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.jobs import submission
    from kernel_tools.jobs.handle import Job

    workspace = workspace or current_workspace()
    order = submission.order_of(entry, source_dir, args, working_dir)
    spec = submission.checked_spec(
        order,
        name,
        experiment,
        params=params,
        environment=environment,
        secrets=secrets,
        resources=resources,
        spot=spot,
        checkpoint=checkpoint,
        retries=retries,
        max_runtime=max_runtime,
        grace=grace,
        priority=priority,
        tags=tags,
        launcher=launcher,
        debugger=debugger,
    )
    submission.submit_order(workspace, order, spec, inputs or {})
    return Job(workspace, spec.name)


def get(name: str, *, workspace: Workspace | None = None) -> Job:
    """Return a job by its name; NotFoundError if there is none."""
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.jobs.handle import Job

    return Job(workspace or current_workspace(), name)


def list_jobs(
    states: Sequence[str] = (),
    experiment: str | None = None,
    text: str = "",
    limit: int = 100,
    page_token: str | None = None,
    *,
    schedule: str | None = None,
    workspace: Workspace | None = None,
) -> tuple[list[JobRecord], str | None]:
    """Return a page of jobs, the newest first, and the token of the next page.

    Parameters
    ----------
    states
        Only jobs in these states, such as ``["Running"]``; all if there is none.
    experiment
        Only jobs of this experiment.
    text
        Only jobs whose name or entry holds it.
    limit
        Length of a page, 1 to 1000.
    page_token
        The token that came with the page before.
    schedule
        Only jobs that this schedule has made.
    workspace
        Default: the current workspace.
    """
    from kernel_tools.core.errors import InvalidArgumentError
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.jobs import catalog
    from kernel_tools.jobs.states import JobState

    try:
        chosen = [JobState(state) for state in states]
    except ValueError as error:
        raise InvalidArgumentError(f"{error}. The states are: {', '.join(JobState)}.") from error
    return catalog.search(workspace or current_workspace(), chosen, experiment, text, limit, page_token, schedule)


def count_jobs(*, workspace: Workspace | None = None) -> dict[JobState, int]:
    """Return the number of jobs by state."""
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.jobs import catalog

    return catalog.count_jobs(workspace or current_workspace())


def set_max_concurrent(count: int, *, workspace: Workspace | None = None) -> None:
    """Set how many jobs of the workspace run at the same time, 1 to 1000; by default as many as there are
    processors."""
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.jobs import catalog, queue

    queue.set_max_concurrent(catalog.root_of(workspace or current_workspace()), count)

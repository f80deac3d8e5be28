"""The run of the job that this process is: the first `start_run` inside of a job is that run, not another one.

A job says which run is its by ``ATELIER_RUN_ID``; who submits it makes the run while the job starts already.
"""

from __future__ import annotations

import os
import time

from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.run import Run, start_run

VARIABLE = "ATELIER_RUN_ID"
_PATIENCE = 3.0
"""Seconds until a run that is still missing is made here: its submitter was killed."""
_attached_by: int | None = None


def job_run(workspace: Workspace) -> Run | None:
    """Return the run of the job that this process is, whether or not it has asked for it; None outside of one."""
    run_id = os.environ.get(VARIABLE)
    return Run(workspace, run_id) if run_id else None


def attach(workspace: Workspace, experiment: str) -> Run | None:
    """Return the run of this job, open, the first time that this process asks; else None."""
    global _attached_by
    run = job_run(workspace)
    if run is None or _attached_by is not None:
        return None
    _attached_by = os.getpid()
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            if not run.status.is_open:
                run.resume()
            return run
        except NotFoundError:
            if time.monotonic() > end:
                break
            time.sleep(0.01)
    job = os.environ.get("ATELIER_JOB", "job")
    try:
        return start_run(experiment, job, tags={"atelier.job": job}, run_id=run.id, owned=False, workspace=workspace)
    except ConflictError:
        return run

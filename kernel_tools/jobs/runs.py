"""The run of a job: made when the job is submitted, found again inside it, ended with it."""

from __future__ import annotations

from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.records import RunStatus
from kernel_tools.experiments.run import Run, start_run
from kernel_tools.experiments.texts import MAX_TEXT
from kernel_tools.jobs.plans import to_text
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import JobHistory, JobState

JOB_TAG = "atelier.job"
_STATUS = {
    JobState.COMPLETED: RunStatus.FINISHED,
    JobState.FAILED: RunStatus.FAILED,
    JobState.TIMED_OUT: RunStatus.FAILED,
}


def ensure_run(workspace: Workspace, spec: JobSpec) -> Run:
    """Return the run of a job, which is made if it is missing."""
    assert spec.run_id is not None and spec.experiment is not None
    run = Run(workspace, spec.run_id)
    try:
        run.status  # noqa: B018  # asks whether it exists
        return run
    except NotFoundError:
        pass
    params = {key: text for key, value in spec.params.items() if len(text := to_text(value)) <= MAX_TEXT}
    try:
        return start_run(
            spec.experiment,
            spec.name,
            params,
            {JOB_TAG: spec.name, **spec.tags},
            run_id=spec.run_id,
            user=spec.created_by,
            owned=False,
            workspace=workspace,
        )
    except ConflictError:
        return run  # the job itself has made it meanwhile


def end_run(workspace: Workspace, spec: JobSpec, history: JobHistory) -> None:
    """End the run of a job that has ended, unless it has ended itself."""
    if spec.run_id is None or history.state is None:
        return
    run = ensure_run(workspace, spec)
    if run.status.is_open:
        run.finish(_STATUS.get(history.state, RunStatus.KILLED), history.changed_at)

"""One job over HTTP: shown with all that belongs to it, stopped, interrupted, run again, cloned and deleted."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from pydantic import Field

from kernel_tools import jobs, registry
from kernel_tools.core.errors import ConflictError, IntegrityError, NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.experiments.records import RunRecord
from kernel_tools.jobs.figures import usage_figures
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.outputs import OutputFiles
from kernel_tools.jobs.rows import JobRow, read_rows
from kernel_tools.jobs.savings import Savings, has_prices
from kernel_tools.jobs.states import Attempt, JobHistory, Stretch
from kernel_tools.registry.records import VersionRecord
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Name, PlotlyFigure, Query, Reply

MAX_ATTEMPTS = 500
MAX_STRETCHES = 2000


class JobFailure(Reply):
    """Why a job failed: the error, the line of user code that it came from if there is one, and what it said last."""

    error: str
    message: str
    file: str | None
    line: int | None
    function: str | None
    code: str | None
    exit_code: int | None
    last_output: str


class JobDetail(Reply):
    """A job, what it was told, what happened to it, and what came of it.

    `attempts` and `stretches` are the newest of `attempt_count`. `has_prices` says whether the costs in `savings` come
    from prices that somebody has set; else they are those of an example. `limits` says how its limits are held.
    """

    job: JobRow
    spec: dict[str, object]
    attempts: list[Attempt]
    attempt_count: int
    stretches: list[Stretch]
    failure: JobFailure | None
    limits: dict[str, str]
    savings: Savings
    has_prices: bool
    output_count: int
    run: RunRecord | None
    versions: list[VersionRecord]


class UsageQuery(Query):
    """Of which attempt."""

    attempt: int | None = Field(None, ge=1, le=2**31 - 1, description="By default the newest.")


class UsageReply(Reply):
    """What an attempt used, drawn: cpu, memory, disk, network, and gpu and gpu_memory if there is one."""

    figures: dict[str, PlotlyFigure]
    sample_count: int


class NotebookReply(Reply):
    """The notebook, as a path below the server's root folder."""

    path: str


class JobHandler(StudioHandler):
    """One job."""

    path = "/jobs/{name}"
    auth_resource = "jobs"

    @operation("get_job", "Show a job, its attempts, costs, run and outputs", raises=(NotFoundError, IntegrityError))
    def get(self, name: Name) -> JobDetail:
        """Answer the job with its links."""
        job = jobs.get(name, workspace=self.workspace)
        history, run = job.history, job.run
        (row,) = read_rows(self.workspace, [job.record])
        versions, _ = registry.list_versions(run_id=run.id, workspace=self.workspace) if run else ([], None)
        root = self.workspace.root / "jobs"
        return JobDetail(
            job=row,
            spec=json.loads(job.spec.to_json()),
            attempts=list(history.attempts[-MAX_ATTEMPTS:]),
            attempt_count=len(history.attempts),
            stretches=list(history.stretches[-MAX_STRETCHES:]),
            failure=_failure_of(history),
            limits=_limits_of(JobFolder(root / name)),
            savings=job.savings,
            has_prices=has_prices(root),
            output_count=OutputFiles(job.output().path, name).count(),
            run=run.record if run else None,
            versions=versions,
        )

    @operation("delete_job", "Delete a job that has ended", status=204, raises=(NotFoundError, ConflictError))
    def delete(self, name: Name) -> None:
        """Delete the job with its logs, checkpoints and outputs."""
        jobs.get(name, workspace=self.workspace).delete()


class StopJobHandler(StudioHandler):
    """The end of one job."""

    path = "/jobs/{name}/stop"
    auth_resource = "jobs"

    @operation("stop_job", "Ask a job to end", raises=(NotFoundError,))
    def post(self, name: Name) -> JobRow:
        """Ask it, and answer the job as it is then; it may take a while to end."""
        job = jobs.get(name, workspace=self.workspace)
        job.stop()
        return read_rows(self.workspace, [job.record])[0]


class RerunJobHandler(StudioHandler):
    """One job again."""

    path = "/jobs/{name}/rerun"
    auth_resource = "jobs"

    @operation(
        "rerun_job",
        "Submit a job again, with the same source, parameters and inputs",
        status=201,
        raises=(NotFoundError, ConflictError),
        action="execute",
    )
    def post(self, name: Name) -> JobRow:
        """Answer the new job."""
        job = jobs.get(name, workspace=self.workspace).rerun()
        return read_rows(self.workspace, [job.record])[0]


class InterruptJobHandler(StudioHandler):
    """An interruption of one spot job."""

    path = "/jobs/{name}/interrupt"
    auth_resource = "jobs"

    @operation("interrupt_job", "Take the capacity of a running spot job back", raises=(NotFoundError, ConflictError))
    def post(self, name: Name) -> JobRow:
        """Ask for it, and answer the job; it goes on from its newest checkpoint."""
        job = jobs.get(name, workspace=self.workspace)
        job.interrupt()
        return read_rows(self.workspace, [job.record])[0]


class JobNotebookHandler(StudioHandler):
    """One job as a notebook."""

    path = "/jobs/{name}/notebook"
    auth_resource = "jobs"

    @operation(
        "clone_job", "Write a notebook that holds a job and submits it again", status=201, raises=(NotFoundError,)
    )
    def post(self, name: Name) -> NotebookReply:
        """Answer where the notebook is."""
        jobs.get(name, workspace=self.workspace)
        assert self.studio.serverapp is not None
        root = Path(self.studio.serverapp.root_dir).expanduser().resolve()
        cloning = importlib.import_module("kernel_tools.jobs.cloning")
        path: Path = cloning.clone_as_notebook(self.workspace, name, _unused(root, name))
        return NotebookReply(path=path.resolve().relative_to(root).as_posix())


class JobUsageHandler(StudioHandler):
    """What one job used."""

    path = "/jobs/{name}/usage"
    auth_resource = "jobs"

    @operation("draw_job_usage", "Draw what a job has used", raises=(NotFoundError, IntegrityError))
    def get(self, name: Name, query: UsageQuery) -> UsageReply:
        """Answer the figures that notebooks show too."""
        usage = jobs.get(name, workspace=self.workspace).usage(query.attempt)
        drawn = {key: figure_json(figure) for key, figure in usage_figures(usage).items()}
        figures = {key: PlotlyFigure(data=figure["data"], layout=figure["layout"]) for key, figure in drawn.items()}
        return UsageReply(figures=figures, sample_count=len(usage))


def _failure_of(history: JobHistory) -> JobFailure | None:
    known = dict(history.failure)
    if not known:
        return None
    return JobFailure(
        error=str(known.get("error", "")),
        message=str(known.get("message") or ""),
        file=known.get("file"),
        line=known.get("line"),
        function=known.get("function"),
        code=known.get("code"),
        exit_code=known.get("exit_code"),
        last_output=str(known.get("last_output") or ""),
    )


def _limits_of(folder: JobFolder) -> dict[str, str]:
    for event in reversed(folder.read_events()):
        if event.get("limits"):
            return {str(key): str(value) for key, value in event["limits"].items()}
    return {}


def _unused(root: Path, name: str) -> Path:
    """Return a path for a notebook that is not there yet."""
    path, number = root / f"{name}.ipynb", 1
    while path.exists():
        number += 1
        path = root / f"{name}-{number}.ipynb"
    return path


HANDLERS: list[type[StudioHandler]] = [
    JobHandler,
    StopJobHandler,
    RerunJobHandler,
    InterruptJobHandler,
    JobNotebookHandler,
    JobUsageHandler,
]

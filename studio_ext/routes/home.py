"""The first page: what runs, what needs attention, what was done last."""

from __future__ import annotations

import time

from kernel_tools import experiments, hosting, jobs, registry
from kernel_tools.core.errors import IntegrityError
from kernel_tools.debugger.finding import Severity, read_findings
from kernel_tools.debugger.session import debugger_folder
from kernel_tools.experiments.records import RunRecord, RunStatus
from kernel_tools.hosting.records import EndpointRecord, EndpointState
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.rows import JobRow, read_rows
from kernel_tools.jobs.runs import JOB_TAG
from kernel_tools.jobs.states import JobState
from kernel_tools.registry.records import VersionRecord, VersionStatus
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Reply

SHOWN = 10
"""Items of each kind on the first page."""

WATCHED = 100
"""Of so many of the newest runs the findings are read."""

RECENT_MS = 7 * 24 * 3600 * 1000
"""For how long a failed run or job, or what was found in a run, asks for attention."""

FAILED_JOBS = (JobState.FAILED, JobState.TIMED_OUT, JobState.WAIT_EXPIRED, JobState.LOST)
OPEN_JOBS = tuple(state for state in JobState if not state.is_end)


class HomeCounts(Reply):
    """How much there is of everything."""

    experiments: int
    runs: int
    running_runs: int
    models: int
    pending_versions: int
    endpoints: int
    endpoints_in_service: int
    jobs: int
    running_jobs: int
    waiting_jobs: int


class FiringRun(Reply):
    """A run in which rules of the Debugger found something, and the worst of it: a rule, its severity and message."""

    run: RunRecord
    finding_count: int
    rule: str
    severity: Severity
    message: str


class HomeReply(Reply):
    """What the Home section shows: the newest of each kind, and failed endpoints before others.

    A run that belongs to a job is shown by its job.
    """

    is_empty: bool
    running_runs: list[RunRecord]
    recent_runs: list[RunRecord]
    failed_runs: list[RunRecord]
    firing_runs: list[FiringRun]
    pending_versions: list[VersionRecord]
    endpoints: list[EndpointRecord]
    running_jobs: list[JobRow]
    failed_jobs: list[JobRecord]
    counts: HomeCounts


class HomeHandler(StudioHandler):
    """The overview of the workspace."""

    path = "/home"
    auth_resource = "studio"

    @operation("get_home", "Show what runs, what needs attention and what was done last")
    def get(self) -> HomeReply:
        """Answer the newest of each kind, and how many there are."""
        workspace = self.workspace
        running, _ = experiments.search_run_records(filter="status = 'RUNNING'", limit=SHOWN, workspace=workspace)
        recent, _ = experiments.search_run_records(limit=SHOWN, workspace=workspace)
        failed, _ = experiments.search_run_records(filter=_recently_failed(), limit=SHOWN, workspace=workspace)
        pending, _ = registry.list_versions(status=VersionStatus.PENDING, limit=SHOWN, workspace=workspace)
        endpoints = [endpoint.record for endpoint in hosting.list_endpoints(workspace=workspace)]
        endpoints.sort(key=lambda record: record.state is not EndpointState.FAILED)
        running_jobs, _ = jobs.list_jobs(OPEN_JOBS, limit=SHOWN, workspace=workspace)
        failed_jobs, _ = jobs.list_jobs(FAILED_JOBS, limit=SHOWN, workspace=workspace)
        counts = self._count(endpoints)
        return HomeReply(
            is_empty=not (counts.experiments or counts.models or counts.endpoints or counts.jobs),
            running_runs=_without_jobs(running),
            recent_runs=recent,
            failed_runs=_without_jobs(failed),
            firing_runs=self._find_firing(),
            pending_versions=pending,
            endpoints=endpoints[:SHOWN],
            running_jobs=read_rows(workspace, running_jobs),
            failed_jobs=[job for job in failed_jobs if (job.ended_at or 0) > _now() - RECENT_MS],
            counts=counts,
        )

    def _find_firing(self) -> list[FiringRun]:
        """Return those of the newest runs whose rules have found an error or a warning."""
        since = f"start_time > {_now() - RECENT_MS}"
        runs, _ = experiments.search_run_records(filter=since, limit=WATCHED, workspace=self.workspace)
        found = []
        for run in runs:
            try:
                findings = read_findings(debugger_folder(self.workspace, run.id)).findings
            except IntegrityError:
                continue  # the page of the run says what is wrong with the file
            serious = [finding for finding in findings if finding.severity is not Severity.HINT]
            if serious:
                worst = next((finding for finding in serious if finding.severity is Severity.ERROR), serious[0])
                found.append(
                    FiringRun(
                        run=run,
                        finding_count=len(serious),
                        rule=worst.rule,
                        severity=worst.severity,
                        message=worst.message,
                    )
                )
        return found[:SHOWN]

    def _count(self, endpoints: list[EndpointRecord]) -> HomeCounts:
        runs = experiments.count_runs(workspace=self.workspace)
        by_state = jobs.count_jobs(workspace=self.workspace)
        pending = registry.count_versions(VersionStatus.PENDING, workspace=self.workspace)
        return HomeCounts(
            experiments=experiments.count_experiments(workspace=self.workspace),
            runs=sum(runs.values()),
            running_runs=runs[RunStatus.RUNNING],
            models=registry.count_models(workspace=self.workspace),
            pending_versions=pending,
            endpoints=len(endpoints),
            endpoints_in_service=sum(record.state.is_serving for record in endpoints),
            jobs=sum(by_state.values()),
            running_jobs=by_state[JobState.RUNNING],
            waiting_jobs=sum(by_state[state] for state in OPEN_JOBS) - by_state[JobState.RUNNING],
        )


def _recently_failed() -> str:
    return f"status = 'FAILED' and start_time > {_now() - RECENT_MS}"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _without_jobs(runs: list[RunRecord]) -> list[RunRecord]:
    return [run for run in runs if JOB_TAG not in run.tags]


HANDLERS: list[type[StudioHandler]] = [HomeHandler]

"""All jobs over HTTP: lists, counts, those that ended lately, and changes of many at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kernel_tools import jobs
from kernel_tools.core.errors import AtelierError
from kernel_tools.jobs.folder import now
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.rows import JobRow, list_ended, read_rows
from kernel_tools.jobs.states import JobState
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, PageQuery, Query, Reply

MAX_CHANGED = 200
MAX_ENDED = 20
JobName = Annotated[str, Field(min_length=1, max_length=128)]


class JobsQuery(PageQuery):
    """Which jobs to list."""

    state: list[Annotated[str, Field(max_length=20)]] = Field(
        [], max_length=20, description="Jobs in one of these states, such as `Running`; all if there is none."
    )
    experiment: str | None = Field(None, max_length=250)
    text: str = Field("", max_length=250, description="What the name or the entry of a job contains.")


class JobPage(Reply):
    """Some jobs, the newest first."""

    jobs: list[JobRow]
    next_page_token: str | None


class JobCounts(Reply):
    """How many jobs are in each state."""

    states: dict[JobState, int]


class EndedQuery(Query):
    """Since when."""

    since: int = Field(ge=0, le=2**53, description="Milliseconds since 1970 UTC.")


class EndedJobs(Reply):
    """The jobs that ended since then, the latest first, and the time to ask from the next time."""

    jobs: list[JobRecord]
    now: int


class ChangeJobsRequest(Body):
    """What to do with which jobs."""

    names: list[JobName] = Field(min_length=1, max_length=MAX_CHANGED)
    change: Literal["stop", "delete"]


class ChangedJobs(Reply):
    """How many jobs were changed, and why others could not be, by name."""

    changed: int
    failures: dict[str, str]


class JobsHandler(StudioHandler):
    """All jobs."""

    path = "/jobs"
    auth_resource = "jobs"

    @operation("list_jobs", "List jobs, the newest first")
    def get(self, query: JobsQuery) -> JobPage:
        """Answer one page."""
        page, token = jobs.list_jobs(
            query.state, query.experiment, query.text, self.limit(query), query.page_token, workspace=self.workspace
        )
        return JobPage(jobs=read_rows(self.workspace, page), next_page_token=token)


class JobCountsHandler(StudioHandler):
    """The number of jobs."""

    path = "/jobs/-/counts"
    auth_resource = "jobs"

    @operation("count_jobs", "Count jobs by state")
    def get(self) -> JobCounts:
        """Answer the counts."""
        return JobCounts(states=jobs.count_jobs(workspace=self.workspace))


class EndedJobsHandler(StudioHandler):
    """Jobs that ended lately."""

    path = "/jobs/-/ended"
    auth_resource = "jobs"

    @operation("list_ended_jobs", "List the jobs that ended since a time")
    def get(self, query: EndedQuery) -> EndedJobs:
        """Answer the latest."""
        moment = now()
        return EndedJobs(jobs=list_ended(self.workspace, query.since, MAX_ENDED), now=moment)


class JobChangesHandler(StudioHandler):
    """Changes of many jobs."""

    path = "/jobs/-/changes"
    auth_resource = "jobs"

    @operation("change_jobs", "Stop or delete many jobs")
    def post(self, body: ChangeJobsRequest) -> ChangedJobs:
        """Change each job, and answer how many, and why others could not be."""
        changed, failures = 0, {}
        for name in dict.fromkeys(body.names):
            try:
                job = jobs.get(name, workspace=self.workspace)
                job.stop() if body.change == "stop" else job.delete()
                changed += 1
            except AtelierError as error:
                failures[name] = str(error)
        return ChangedJobs(changed=changed, failures=failures)


HANDLERS: list[type[StudioHandler]] = [JobsHandler, JobCountsHandler, EndedJobsHandler, JobChangesHandler]

"""Schedules over HTTP. What they are is decided in `kernel_tools.jobs.schedules`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kernel_tools import jobs
from kernel_tools.core.errors import (
    ConflictError,
    IntegrityError,
    MissingExtraError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.jobs import catalog
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.schedules import Missed, Overlap, Schedule, ScheduleRecord
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, PageQuery, Reply

SHOWN_TIMES = 5
SHOWN_JOBS = 20
MAX_PARAMS = 1000

Cron = Annotated[str, Field(min_length=1, max_length=500)]
Seconds = Annotated[int, Field(ge=1, lt=1_000_000_000)]
TimeZone = Annotated[str, Field(min_length=1, max_length=100)]


class SchedulePage(Reply):
    """Some schedules, by name, and the newest job of each that has made one, at a due time or when asked to."""

    schedules: list[ScheduleRecord]
    last_jobs: dict[str, JobRecord]
    next_page_token: str | None


class ScheduleDetail(Reply):
    """A schedule, when it is due next (milliseconds since 1970 UTC), what it gives its jobs, and the newest of them."""

    schedule: ScheduleRecord
    next_times: list[int]
    params: dict[str, object]
    inputs: dict[str, str]
    jobs: list[JobRecord]


class ScheduleRequest(Body):
    """What to submit again and again, namely what a job was, and when: by `cron`, or `every` so many seconds."""

    name: Name
    job: Name
    cron: Cron | None = None
    every: Seconds | None = None
    time_zone: TimeZone | None = None
    missed: Annotated[Missed, Field(strict=False)] = Missed.ONCE
    overlap: Annotated[Overlap, Field(strict=False)] = Overlap.ALLOW


class ScheduleChangeRequest(Body):
    """What to change of a schedule; what is not given stays."""

    is_paused: bool | None = None
    cron: Cron | None = None
    every: Seconds | None = None
    time_zone: TimeZone | None = None
    missed: Annotated[Missed, Field(strict=False)] | None = None
    overlap: Annotated[Overlap, Field(strict=False)] | None = None


class SchedulesHandler(StudioHandler):
    """All schedules."""

    path = "/schedules"
    auth_resource = "jobs"

    @operation("list_schedules", "List schedules")
    def get(self, query: PageQuery) -> SchedulePage:
        """Answer one page."""
        page, token = self.page(jobs.list_schedules(workspace=self.workspace), query)
        return SchedulePage(schedules=page, last_jobs=self._last_jobs(page), next_page_token=token)

    @operation(
        "create_schedule",
        "Submit what a job was again and again",
        status=201,
        raises=(NotFoundError, ConflictError, TooLargeError, MissingExtraError),
    )
    def post(self, body: ScheduleRequest) -> ScheduleRecord:
        """Make the schedule, and answer it."""
        job = jobs.get(body.job, workspace=self.workspace)
        schedule = jobs.create_schedule_of_job(
            body.name,
            job,
            cron=body.cron,
            every=body.every,
            time_zone=body.time_zone,
            missed=body.missed,
            overlap=body.overlap,
            workspace=self.workspace,
        )
        return schedule.record

    def _last_jobs(self, schedules: list[ScheduleRecord]) -> dict[str, JobRecord]:
        found = {}
        for schedule in schedules:
            newest, _ = catalog.search(self.workspace, schedule=schedule.name, limit=1)
            if newest:
                found[schedule.name] = newest[0]
        return found


class ScheduleHandler(StudioHandler):
    """One schedule."""

    path = "/schedules/{name}"
    auth_resource = "jobs"

    @operation(
        "get_schedule", "Show a schedule, its next times and its newest jobs", raises=(NotFoundError, IntegrityError)
    )
    def get(self, name: Name) -> ScheduleDetail:
        """Answer the schedule."""
        schedule = jobs.get_schedule(name, workspace=self.workspace)
        spec = schedule.spec
        return ScheduleDetail(
            schedule=schedule.record,
            next_times=[int(moment.timestamp() * 1000) for moment in schedule.next_times(SHOWN_TIMES)],
            params=dict(list(spec.params.items())[:MAX_PARAMS]),
            inputs={channel: data.path for channel, data in spec.inputs.items()},
            jobs=schedule.jobs(SHOWN_JOBS),
        )

    @operation(
        "change_schedule", "Pause or resume a schedule, or change its times", raises=(NotFoundError, IntegrityError)
    )
    def patch(self, name: Name, body: ScheduleChangeRequest) -> ScheduleRecord:
        """Change, and answer the schedule."""
        return self._find(name).update(**body.model_dump())

    @operation("delete_schedule", "Forget a schedule; its jobs stay", status=204, raises=(NotFoundError,))
    def delete(self, name: Name) -> None:
        """Delete."""
        self._find(name).delete()

    def _find(self, name: str) -> Schedule:
        return jobs.get_schedule(name, workspace=self.workspace)


class ScheduleRunHandler(StudioHandler):
    """A job of one schedule, at once."""

    path = "/schedules/{name}/run"
    auth_resource = "jobs"

    @operation(
        "run_schedule",
        "Submit a job of a schedule at once",
        status=201,
        raises=(NotFoundError, ConflictError, TooLargeError, IntegrityError, UnavailableError, MissingExtraError),
        action="execute",
    )
    def post(self, name: Name) -> JobRecord:
        """Submit, and answer the job."""
        return jobs.get_schedule(name, workspace=self.workspace).run_now().record


HANDLERS: list[type[StudioHandler]] = [SchedulesHandler, ScheduleHandler, ScheduleRunHandler]

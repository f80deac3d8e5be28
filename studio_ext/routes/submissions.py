"""Run as job, over HTTP: what a script or notebook can be given, and its submission, now or by a schedule."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from kernel_tools import experiments, jobs
from kernel_tools.core.errors import (
    AtelierError,
    ConflictError,
    InvalidArgumentError,
    MissingExtraError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.core.workspace import join_inside, validate_name
from kernel_tools.jobs.folder import now
from kernel_tools.jobs.parameters import EntryParameter, read_parameters
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.schedules.records import Missed, Overlap, ScheduleRecord
from kernel_tools.jobs.schedules.timing import machine_time_zone, make_timing
from kernel_tools.jobs.spec import to_bytes, to_seconds
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, Query, Reply

SHOWN_EXPERIMENTS = 200
SHOWN_TIMES = 5
_LOCAL_PROTOCOLS = frozenset({"file", "local"})

Kinds = type[AtelierError] | tuple[type[AtelierError], ...]

ServerPath = Annotated[str, Field(min_length=1, max_length=1000, description="Relative to the server's root folder.")]
Duration = Annotated[str, Field(min_length=1, max_length=50, description="Such as 90s, 30min or 1h 30min.")]


class FormQuery(Query):
    """Which script or notebook."""

    path: ServerPath


class SubmissionForm(Reply):
    """What is needed to ask for a job: the parameters of a script or notebook, and what can be chosen from.

    `left_out` names options that take no value or several, which a job cannot be given. `memory` is the machine's, in
    bytes.
    """

    path: str
    kind: str
    suggested_name: str
    parameters: list[EntryParameter]
    left_out: list[str]
    has_parameters_cell: bool
    experiments: list[str]
    cpus: int
    memory: int
    time_zone: str


class SpotRequest(Body):
    """Let the job be interrupted; `max_wait` limits waiting and running together."""

    max_wait: Duration | None = None


class SubmissionScheduleRequest(Body):
    """When to submit it again and again: at times of `cron` or after `every` so long."""

    name: Annotated[Name, Field(min_length=1, max_length=128)]
    cron: str | None = Field(None, max_length=500)
    every: Duration | None = None
    time_zone: str | None = Field(None, max_length=100)
    missed: Missed = Field(Missed.ONCE, strict=False)
    overlap: Overlap = Field(Overlap.ALLOW, strict=False)


class SubmissionRequest(Body):
    """What to run, and how. Inputs are paths below the server's root folder, or URLs of a store such as ``s3://``."""

    path: ServerPath
    with_folder: bool = Field(False, description="Whether the other files of its folder come along.")
    name: Annotated[Name, Field(min_length=1, max_length=128)] | None = None
    params: dict[str, object] = Field({}, max_length=500)
    inputs: dict[str, Annotated[str, Field(min_length=1, max_length=2000)]] = Field({}, max_length=100)
    experiment: str | None = Field(None, min_length=1, max_length=250)
    cpus: int | None = Field(None, ge=1, le=4096)
    memory: str | None = Field(None, min_length=1, max_length=50, description="Such as 512MiB or 4GiB.")
    processes: int = Field(1, ge=1, le=4096)
    max_runtime: Duration | None = None
    spot: SpotRequest | None = None
    retries: int = Field(0, ge=0, le=1000, description="How often it is started again after an error.")
    priority: int = Field(0, ge=-1000, le=1000)
    schedule: SubmissionScheduleRequest | None = None

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.schedule is not None and self.name is not None:
            raise ValueError("the jobs of a schedule get its name and their time; leave out name")
        return self


class SubmissionReply(Reply):
    """The job that was submitted, or the schedule that was made."""

    job: JobRecord | None
    schedule: ScheduleRecord | None


class TimesRequest(Body):
    """When something is to be due."""

    cron: str | None = Field(None, max_length=500)
    every: Duration | None = None
    time_zone: str | None = Field(None, max_length=100)


class TimesReply(Reply):
    """When that is in words, and the next times in milliseconds since 1970 UTC."""

    timing: str
    times: list[int]


class FormHandler(StudioHandler):
    """The form of one script or notebook."""

    path = "/submissions/form"
    auth_resource = "jobs"

    @operation(
        "get_submission_form",
        "Show what a script or notebook can be given as a job; nothing of it is executed",
        raises=(NotFoundError, TooLargeError),
    )
    def get(self, query: FormQuery) -> SubmissionForm:
        """Read the file."""
        import psutil

        place = _place(self, query.path)
        found = read_parameters(place)
        used, _ = experiments.list_experiments(SHOWN_EXPERIMENTS, workspace=self.workspace)
        return SubmissionForm(
            path=query.path,
            kind=found.kind,
            suggested_name=_suggest_name(query.path),
            parameters=list(found.parameters),
            left_out=list(found.left_out),
            has_parameters_cell=found.has_parameters_cell,
            experiments=[experiment.name for experiment in used],
            cpus=os.cpu_count() or 1,
            memory=psutil.virtual_memory().total,
            time_zone=machine_time_zone(),
        )


class TimesHandler(StudioHandler):
    """The times of a schedule that is not made yet."""

    path = "/submissions/times"
    auth_resource = "jobs"

    @operation("preview_schedule_times", "Show when a schedule would be due", action="read")
    def post(self, body: TimesRequest) -> TimesReply:
        """Answer the next times."""
        with _timing_fields(body):
            timing = make_timing(body.cron, body.every, body.time_zone, now())
        times = []
        for due in timing.following(now()):
            times.append(due)
            if len(times) == SHOWN_TIMES:
                break
        return TimesReply(timing=timing.describe(), times=times)


class SubmissionsHandler(StudioHandler):
    """Jobs and schedules to be."""

    path = "/submissions"
    auth_resource = "jobs"

    @operation(
        "submit_job",
        "Submit a script or notebook as a job, or make a schedule that does",
        status=201,
        raises=(NotFoundError, ConflictError, TooLargeError, MissingExtraError, UnavailableError),
    )
    def post(self, body: SubmissionRequest) -> SubmissionReply:
        """Submit, and answer the job or the schedule."""
        place = _place(self, body.path)
        options: dict[str, Any] = {
            "params": body.params,
            "inputs": _inputs(self, body),
            "experiment": body.experiment,
            "resources": _resources(body),
            "spot": _spot(body),
            "retries": jobs.Retries(errors=body.retries),
            "priority": body.priority,
            "max_runtime": body.max_runtime,
            "working_dir": place.parent,
            "workspace": self.workspace,
        }
        with _field("max_runtime"):
            if body.max_runtime is not None:
                to_seconds(body.max_runtime, "max_runtime")
        with _field("schedule_name" if body.schedule else "name"):
            if (name := body.schedule.name if body.schedule else body.name) is not None:
                validate_name(name, "name of a job")
        entry, source = (place.name, place.parent) if body.with_folder else (place, None)
        if body.schedule is None:
            with _field("name", ConflictError), _field("params"):
                job = jobs.submit(entry, source, name=body.name, **options)
            return SubmissionReply(job=job.record, schedule=None)
        return SubmissionReply(job=None, schedule=_make_schedule(entry, source, body.schedule, options))


def _make_schedule(
    entry: Any, source: Path | None, body: SubmissionScheduleRequest, options: dict[str, Any]
) -> ScheduleRecord:
    with _timing_fields(body):
        make_timing(body.cron, body.every, body.time_zone, now())
    with _field("schedule_name", ConflictError), _field("params"):
        schedule = jobs.create_schedule(
            body.name,
            entry,
            source,
            cron=body.cron,
            every=body.every,
            time_zone=body.time_zone,
            missed=body.missed,
            overlap=body.overlap,
            **options,
        )
    return schedule.record


def _place(handler: StudioHandler, path: str) -> Path:
    """Return a file or folder below the server's root folder; NotFoundError if there is none."""
    root = Path(handler.studio.serverapp.root_dir)  # type: ignore[union-attr]  # it runs
    try:
        place = join_inside(root, path.strip("/"))
        is_there = place.exists()
    except OSError as error:  # such as a name that is too long for any file
        raise InvalidArgumentError(f"{path[:80]!r} is not a path: {error.strerror}.") from error
    if not is_there:
        raise NotFoundError(f"There is no {path!r} below the folder that JupyterLab was started in.")
    return place


def _inputs(handler: StudioHandler, body: SubmissionRequest) -> dict[str, str]:
    found = {}
    for channel, path in body.inputs.items():
        with _field("inputs", AtelierError):
            found[channel] = path if _is_elsewhere(path) else str(_place(handler, path))
    return found


def _is_elsewhere(path: str) -> bool:
    """Whether an input is in a store elsewhere; what would lead around the server's root folder is refused."""
    if "://" not in path and "::" not in path:
        return False
    if "::" in path or path.partition("://")[0].lower() in _LOCAL_PROTOCOLS:
        raise InvalidArgumentError(f"{path[:80]!r} is not an input: use a path below the server's folder, or s3://….")
    return True


def _resources(body: SubmissionRequest) -> jobs.Resources:
    with _field("memory"):
        memory = to_bytes(body.memory, "memory")
    with _field("processes"):
        return jobs.Resources(cpus=body.cpus, memory=memory, processes=body.processes)


def _spot(body: SubmissionRequest) -> jobs.Spot | None:
    with _field("max_wait"):
        return None if body.spot is None else jobs.Spot(max_wait=body.spot.max_wait)


@contextmanager
def _field(name: str, kinds: Kinds = InvalidArgumentError) -> Iterator[None]:
    """Say that a fault raised in the block is in a field, unless somebody has said so already."""
    try:
        yield
    except kinds as error:
        error.field = error.field or name
        raise


@contextmanager
def _timing_fields(body: SubmissionScheduleRequest | TimesRequest) -> Iterator[None]:
    with _field("cron" if body.every is None else "every"):
        try:
            yield
        except InvalidArgumentError as error:
            if "time zone" in str(error):
                error.field = "time_zone"
            raise


def _suggest_name(path: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(path).stem).strip("-._")
    return stem[:80] or "job"


HANDLERS: list[type[StudioHandler]] = [FormHandler, TimesHandler, SubmissionsHandler]

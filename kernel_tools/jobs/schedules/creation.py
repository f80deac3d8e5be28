"""Making schedules: from what `kernel_tools.jobs.submit` takes, or from a job that was submitted before."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import ConflictError, InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace, sync_folder, validate_name
from kernel_tools.jobs import catalog, submission
from kernel_tools.jobs.folder import JobFolder, now
from kernel_tools.jobs.inputs import inputs_to_read, is_url
from kernel_tools.jobs.plans import FUNCTION_FILE
from kernel_tools.jobs.schedules.firing import paths_of
from kernel_tools.jobs.schedules.folder import ScheduleFolder, ScheduleState, schedules_root
from kernel_tools.jobs.schedules.handle import Schedule
from kernel_tools.jobs.schedules.records import to_missed, to_overlap
from kernel_tools.jobs.schedules.timing import make_timing
from kernel_tools.jobs.spec import Checkpoint, JobSpec, Resources, Retries, Spot

if TYPE_CHECKING:
    from kernel_tools.jobs.handle import Job

LONGEST_NAME = 100
"""Characters of a schedule's name: its jobs' names are longer by a time."""


class SubmitOptions(TypedDict, total=False):
    """Options of `kernel_tools.jobs.submit` that a schedule passes on to its jobs."""

    environment: Mapping[str, str] | None
    secrets: Mapping[str, str] | None
    resources: Resources | None
    spot: Spot | None
    checkpoint: Checkpoint | None
    retries: Retries | None
    max_runtime: float | str | None
    grace: float | str
    priority: int
    tags: Mapping[str, str] | None
    launcher: str
    debugger: Any


def create_schedule(
    name: str,
    entry: str | os.PathLike[str] | Sequence[str] | Callable[..., Any],
    source_dir: str | os.PathLike[str] | None = None,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str | os.PathLike[str]] | None = None,
    experiment: str | None = None,
    *,
    cron: str | None = None,
    every: float | str | None = None,
    time_zone: str | None = None,
    missed: str = "once",
    overlap: str = "allow",
    is_paused: bool = False,
    args: Sequence[Any] = (),
    working_dir: str | os.PathLike[str] | None = None,
    workspace: Workspace | None = None,
    **options: Unpack[SubmitOptions],
) -> Schedule:
    """Submit something again and again, at times of a cron expression or after every so many seconds.

    The source is copied now, and later changes do not reach the schedule. Inputs are read anew by each job. Schedules
    are kept by the Jupyter server while it runs, and by ``atelier scheduler``; each time gets exactly one job, called
    ``<schedule>-<due time>``, however many of them look after it.

    Parameters
    ----------
    name
        Unique in the workspace, at most 100 characters.
    entry, source_dir, params, inputs, experiment, args, working_dir, options
        As for `kernel_tools.jobs.submit`.
    cron
        Five fields, such as ``"0 3 * * *"``. A time that the clocks leave out in spring comes at once, one that they
        repeat in autumn comes once, unless hour or minute is ``*``.
    every
        Or: seconds, or a text such as ``"6h"``; the first time is that long after now.
    time_zone
        In which `cron` is meant, such as ``"Europe/Berlin"``. Default: this machine's.
    missed
        About times that passed while nothing looked after schedules, the machine being off: ``"once"`` makes up for
        them with one job, ``"skip"`` with none (up to a minute late is not missed), ``"all"`` with one for each, at
        most 100, the newest. `ScheduleRecord.dropped` counts those that got none.
    overlap
        ``"allow"``, as cron, Kubernetes and SageMaker do: a job starts though the former still runs, and no time is
        lost. ``"skip"`` lets a due time pass by while a job of the schedule has not ended.
    is_paused
        Whether to begin paused.
    workspace
        Default: the current workspace.

    Raises
    ------
    ConflictError
        If there is a schedule of this name.
    NotFoundError, InvalidArgumentError, TooLargeError
        As for `kernel_tools.jobs.submit`, and if the times are not understood.
    """
    workspace = workspace or current_workspace()
    order = submission.order_of(entry, source_dir, args, working_dir)
    state = _first_state(name, cron, every, time_zone, missed, overlap, is_paused)
    spec = submission.checked_spec(order, name, experiment, params=params, **options)
    spec = replace(spec, inputs=inputs_to_read(inputs or {}))
    return _keep(workspace, order, spec, state)


def create_schedule_of_job(
    name: str,
    job: Job,
    *,
    cron: str | None = None,
    every: float | str | None = None,
    time_zone: str | None = None,
    missed: str = "once",
    overlap: str = "allow",
    workspace: Workspace | None = None,
) -> Schedule:
    """Submit what a job was, again and again: its source, parameters, inputs and options; see `create_schedule`."""
    workspace = workspace or current_workspace()
    state = _first_state(name, cron, every, time_zone, missed, overlap, False)
    for channel, data in job.spec.inputs.items():
        if data.is_kept and not is_url(data.path):
            raise InvalidArgumentError(
                f"The input {channel!r} of job {job.name!r} is a {data.path!r} of a notebook, which cannot be read "
                "again later. Save it to a file, and schedule a job with that."
            )
    folder = JobFolder(catalog.root_of(workspace) / job.name)
    function = folder.path / FUNCTION_FILE
    order = submission.Order(
        job.spec.entry,
        folder.source,
        working_dir=job.spec.working_dir,
        function_file=function if function.exists() else None,
    )
    spec = replace(
        job.spec,
        name=name,
        created_at=state.created_at,
        created_by=state.created_by,
        inputs=inputs_to_read(paths_of(job.spec.inputs)),
        run_id=None,
        rerun_of=None,
        schedule=None,
        due_at=None,
    )
    return _keep(workspace, order, spec, state)


def _first_state(
    name: str,
    cron: str | None,
    every: float | str | None,
    time_zone: str | None,
    missed: str,
    overlap: str,
    is_paused: bool,
) -> ScheduleState:
    if len(validate_name(name, "schedule name")) > LONGEST_NAME:
        raise InvalidArgumentError(f"The schedule name has {len(name)} characters: use at most {LONGEST_NAME}.")
    moment = now()
    timing = make_timing(cron, every, time_zone, moment)
    next_at = timing.next_after(moment)
    policies = to_missed(missed), to_overlap(overlap)
    return ScheduleState(timing, *policies, moment, current_user(), moment, next_at, is_paused)


def _keep(workspace: Workspace, order: submission.Order, spec: JobSpec, state: ScheduleState) -> Schedule:
    """Write a schedule whole beside its place, and move it there."""
    submission.check_params(order.entry.kind, spec.params)
    root = schedules_root(workspace)
    root.mkdir(parents=True, exist_ok=True)
    path = root / spec.name
    if path.exists():
        raise _exists(spec.name)
    making = ScheduleFolder(root / f".{spec.name}.{secrets.token_hex(4)}.new")
    try:
        making.template.path.mkdir(parents=True)
        digest = submission.write_source(making.template, order, spec.params)
        making.template.spec.write_bytes(replace(spec, run_id=None, source_sha256=digest).to_json())
        making.write(state)
        _sync_all(making.path)
        making.path.rename(path)
    except OSError as error:
        if path.exists():
            raise _exists(spec.name) from error
        raise
    finally:
        shutil.rmtree(making.path, ignore_errors=True)
    sync_folder(root)
    details = {"entry": spec.entry.target, "cron": state.timing.cron, "every": state.timing.every}
    workspace.audit.record("schedule.create", f"schedule/{spec.name}", details)
    return Schedule(workspace, spec.name)


def _exists(name: str) -> ConflictError:
    return ConflictError(
        f"There is already a schedule {name!r}. Choose another name, or delete that one: "
        f"kernel_tools.jobs.get_schedule({name!r}).delete()."
    )


def _sync_all(path: Path) -> None:
    """Make everything below a folder safe on the disk."""
    for place, _, names in os.walk(path):
        for name in names:
            descriptor = os.open(os.path.join(place, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(place))

"""The catalog's side of jobs: index a job's folder, bring open jobs up to date, list and count them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs.folder import JobFolder, now, read_json
from kernel_tools.jobs.queue import dispatch
from kernel_tools.jobs.records import JobProgress, JobRecord
from kernel_tools.jobs.recovery import recover
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import ENDS, JobHistory, JobState
from kernel_tools.jobs.tables import jobs

logger = logging.getLogger(__name__)

OPEN_STATES = [state.value for state in JobState if state not in ENDS]
_OPEN = sa.select(jobs.c.name, jobs.c.state, jobs.c.events_size).where(jobs.c.state.in_(OPEN_STATES))
_WAITING = (JobState.QUEUED.value, JobState.RESTARTING.value)


def root_of(workspace: Workspace) -> Any:
    """Return the folder of all jobs."""
    return workspace.root / "jobs"


def index_job(workspace: Workspace, folder: JobFolder, spec: JobSpec) -> None:
    """Write a job's row, replacing what stood there."""
    size = _events_size(folder)  # before the events are read: more may be written meanwhile
    _index(workspace, folder, spec, folder.history(), size)


def _index(workspace: Workspace, folder: JobFolder, spec: JobSpec, history: JobHistory, size: int) -> None:
    row = {**_row(folder, spec, history), "events_size": size}
    with workspace.database.write() as connection:
        changed = connection.execute(jobs.update().where(jobs.c.name == folder.name).values(row))
        if changed.rowcount == 0:
            connection.execute(jobs.insert().values(row))


def refresh_open(workspace: Workspace) -> None:
    """Bring the jobs that the catalog does not know to have ended up to date from their folders, and recover the lost.

    A job that waits is looked at only when something was written about it.
    """
    with workspace.database.read() as connection:
        rows = connection.execute(_OPEN).all()
    has_waiting = False
    for name, state, size in rows:
        folder = JobFolder(root_of(workspace) / name)
        is_waiting = state in _WAITING
        has_waiting |= is_waiting
        try:
            if not is_waiting or _events_size(folder) != size:
                refresh_job(workspace, folder)
        except (AtelierError, OSError) as error:
            logger.warning("The catalog shows job %s as it was last indexed: %s", name, error)
    if has_waiting and dispatch(root_of(workspace)) == 0:
        _requeue_forgotten(workspace, [name for name, state, _ in rows if state in _WAITING])


def refresh_job(workspace: Workspace, folder: JobFolder) -> JobHistory:
    """Bring one job up to date and return its history; its run ends with it."""
    folder.require()
    before = _events_size(folder)
    history = recover(folder)
    with workspace.database.read() as connection:
        row = connection.execute(sa.select(jobs.c.state, jobs.c.events_size).where(jobs.c.name == folder.name)).first()
    if row is None or row.events_size != _events_size(folder) or before != _events_size(folder):
        spec = JobSpec.from_json(folder.spec.read_bytes(), folder.name)
        if history.state is not None and history.state.is_end and (row is None or JobState(row.state) not in ENDS):
            from kernel_tools.jobs.runs import end_run

            end_run(workspace, spec, history)
            details = {"state": history.state.value, "reason": history.reason}
            workspace.audit.record("job.end", f"job/{folder.name}", details)
        _index(workspace, folder, spec, history, before)
    return history


def search(
    workspace: Workspace,
    states: Sequence[JobState] = (),
    experiment: str | None = None,
    text: str = "",
    limit: int = 100,
    page_token: str | None = None,
    schedule: str | None = None,
) -> tuple[list[JobRecord], str | None]:
    """Return a page of jobs, the newest first, and the token of the next page."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    refresh_open(workspace)
    query = sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.number.desc())
    if states:
        query = query.where(jobs.c.state.in_([state.value for state in states]))
    if experiment is not None:
        query = query.where(jobs.c.experiment == experiment)
    if schedule is not None:
        query = query.where(jobs.c.schedule == schedule)
    if text:
        columns = (jobs.c.name, jobs.c.entry)
        query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in columns)))
    with workspace.database.read() as connection:
        rows = connection.execute(query.limit(limit + 1).offset(offset)).mappings().all()
    token = encode_page_token(offset + limit) if len(rows) > limit else None
    return [_record(workspace, row) for row in rows[:limit]], token


def count_jobs(workspace: Workspace) -> dict[JobState, int]:
    """Return the number of jobs by state."""
    refresh_open(workspace)
    with workspace.database.read() as connection:
        rows = connection.execute(sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)).all()
    counts = {JobState(state): count for state, count in rows}
    return {state: counts.get(state, 0) for state in JobState}


def read_record(workspace: Workspace, name: str) -> JobRecord:
    """Return the row of a job that was just brought up to date."""
    with workspace.database.read() as connection:
        row = connection.execute(sa.select(jobs).where(jobs.c.name == name)).mappings().one()
    return _record(workspace, row)


def rebuild_jobs(workspace: Workspace) -> int:
    """Make the table anew from the folders; returns the number of jobs."""
    with workspace.database.write() as connection:
        connection.execute(jobs.delete())
    specs = sorted(root_of(workspace).glob("*/spec.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in specs:
        folder = JobFolder(path.parent)
        index_job(workspace, folder, JobSpec.from_json(path.read_bytes(), folder.name))
    refresh_open(workspace)
    return len(specs)


def forget_job(workspace: Workspace, name: str) -> None:
    """Remove a job's row."""
    with workspace.database.write() as connection:
        connection.execute(jobs.delete().where(jobs.c.name == name))


def _requeue_forgotten(workspace: Workspace, names: list[str]) -> None:
    """Put jobs back that wait without standing in the queue, because who was to put them there was killed."""
    from kernel_tools.jobs.queue import waiting_names

    waiting = waiting_names(root_of(workspace))
    for name in names:
        if name not in waiting:
            refresh_job(workspace, JobFolder(root_of(workspace) / name))


def _events_size(folder: JobFolder) -> int:
    try:
        return folder.events.stat().st_size
    except FileNotFoundError:
        return 0


def _row(folder: JobFolder, spec: JobSpec, history: JobHistory) -> dict[str, Any]:
    state = history.state or JobState.QUEUED
    return {
        "name": folder.name,
        "state": state.value,
        "entry_kind": spec.entry.kind,
        "entry": spec.entry.target,
        "experiment": spec.experiment,
        "run_id": spec.run_id,
        "user": spec.created_by,
        "priority": spec.priority,
        "is_spot": spec.spot is not None,
        "created_at": spec.created_at,
        "running_at": history.running_at,
        "ended_at": history.ended_at,
        "running_time": sum(
            attempt.ended_at - attempt.running_at
            for attempt in history.attempts
            if attempt.ended_at is not None and attempt.running_at is not None
        ),
        "attempts": len(history.attempts),
        "reason": history.reason,
        "schedule": spec.schedule,
    }


def _record(workspace: Workspace, row: Any) -> JobRecord:
    values = {name: row[name] for name in JobRecord.__slots__ if name not in ("state", "progress")}
    progress = None
    if row["attempts"]:
        progress = read_progress(JobFolder(root_of(workspace) / row["name"]), row["attempts"])
    return JobRecord(**values, state=JobState(row["state"]), progress=progress)


def read_progress(folder: JobFolder, attempt: int) -> JobProgress | None:
    """Return how far an attempt has said to be."""
    content = read_json(folder.attempt(attempt) / "progress.json")
    if content is None:
        return None
    return JobProgress(
        done=float(content.get("done", 0)),
        total=None if content.get("total") is None else float(content["total"]),
        description=str(content.get("description", "")),
        source=str(content.get("source", "job")),
        at=int(content.get("at", now())),
    )

"""Retention: deleting jobs that ended long enough ago, with their logs, checkpoints and output. Their runs stay."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import now
from kernel_tools.jobs.handle import Job
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.schedules.folder import schedules_root
from kernel_tools.jobs.spec import to_seconds
from kernel_tools.jobs.states import ENDS


@dataclass(frozen=True, slots=True)
class Removed:
    """What was deleted: the names of jobs, and the bytes of their folders."""

    jobs: tuple[str, ...]
    bytes: int


def delete_ended(
    older_than: float | str,
    *,
    keep_last: int = 0,
    is_trial: bool = False,
    workspace: Workspace | None = None,
) -> Removed:
    """Delete jobs that ended longer ago than `older_than`.

    Parameters
    ----------
    older_than
        Seconds since the end of a job, or a text such as ``"30d"``.
    keep_last
        How many of the newest ended jobs stay, however old they are; of each schedule and of the jobs without one.
    is_trial
        Whether to say only what would be deleted.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If a value is not understood.
    """
    workspace = workspace or current_workspace()
    if not isinstance(keep_last, int) or isinstance(keep_last, bool) or keep_last < 0:
        raise InvalidArgumentError(f"keep_last is {keep_last!r}: use a whole number, zero or more.")
    limit = now() - int(to_seconds(older_than, "older_than") * 1000)
    removed, freed = [], 0
    for record in _outdated(workspace, limit, keep_last):
        folder = catalog.root_of(workspace) / record.name
        size = _size(folder)
        if not is_trial:
            try:
                Job(workspace, record.name).delete()
            except AtelierError:
                continue  # deleted meanwhile
        removed.append(record.name)
        freed += size
    if not is_trial:
        for rest in _leftovers(workspace):
            freed += _size(rest)
            shutil.rmtree(rest, ignore_errors=True)
    return Removed(tuple(removed), freed)


def _outdated(workspace: Workspace, limit: int, keep_last: int) -> list[JobRecord]:
    """Return the ended jobs that are old enough and not among the last, read before the first one is deleted."""
    counts: dict[str | None, int] = {}
    found = []
    token: str | None = None
    while True:
        page, token = catalog.search(workspace, sorted(ENDS), limit=1000, page_token=token)
        for record in page:
            counts[record.schedule] = counts.get(record.schedule, 0) + 1
            if counts[record.schedule] > keep_last and record.ended_at is not None and record.ended_at <= limit:
                found.append(record)
        if token is None:
            return found


def _leftovers(workspace: Workspace) -> list[Path]:
    """Return what is left of deletions, and of schedules in the making, by processes that were killed."""
    schedules = schedules_root(workspace)
    before = time.time() - 3600
    half_made = [path for path in schedules.glob(".*.new") if path.stat().st_mtime < before]
    return [*catalog.root_of(workspace).glob(".*.deleted"), *schedules.glob(".*.deleted"), *half_made]


def _size(folder: Path) -> int:
    """Return the bytes of the files below a folder, without what is only linked."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total

"""What changed among the jobs since the last look, from the catalog and the small files of those that run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.tables import jobs

REFRESH_SECONDS = 1.0
"""How often jobs whose supervisor is gone are looked for; what is written about a job is seen at every look."""
_OPEN = sa.select(jobs.c.name, jobs.c.attempts).where(jobs.c.state.in_(catalog.OPEN_STATES))
_CENSUS = sa.select(jobs.c.state, sa.func.count(), sa.func.max(jobs.c.number)).group_by(jobs.c.state)


@dataclass(frozen=True, slots=True)
class JobChanges:
    """Jobs that went on, and whether jobs came, changed their state or were deleted."""

    names: list[str]
    is_set_changed: bool


class JobWatch:
    """Looks at the jobs of a workspace again and again.

    Parameters
    ----------
    workspace
        The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: dict[str, tuple[int, ...]] | None = None
        self._census: list[tuple[Any, ...]] = []
        self._refreshed = float("-inf")

    def look(self) -> JobChanges:
        """Return what changed since the last look; the first one finds nothing."""
        before = self._seen
        if time.monotonic() - self._refreshed > REFRESH_SECONDS or self._has_news():
            catalog.refresh_open(self._workspace)
            self._refreshed = time.monotonic()
        with self._workspace.database.read() as connection:
            rows = connection.execute(_OPEN).all()
            census = sorted(tuple(row) for row in connection.execute(_CENSUS))
        root = catalog.root_of(self._workspace)
        self._seen = {name: _state(JobFolder(root / name), attempts) for name, attempts in rows}
        is_set_changed = census != self._census
        self._census = census
        if before is None:
            return JobChanges([], False)
        changed = [name for name, state in self._seen.items() if before.get(name) != state]
        ended = [name for name in before if name not in self._seen]
        return JobChanges(ended + changed, is_set_changed or bool(ended))

    def _has_news(self) -> bool:
        """Whether something was written about a job that has not ended."""
        root = catalog.root_of(self._workspace)
        return any(_size(JobFolder(root / name)) != state[0] for name, state in (self._seen or {}).items())


def _state(folder: JobFolder, attempts: int) -> tuple[int, ...]:
    try:
        progress = (folder.attempt(attempts) / "progress.json").stat().st_mtime_ns if attempts else 0
    except OSError:
        progress = 0
    return _size(folder), attempts, progress


def _size(folder: JobFolder) -> int:
    try:
        return folder.events.stat().st_size
    except OSError:
        return 0

"""What changed among the runs since the last look, from the files on disk and a glance at the catalog.

A look at running runs costs a listing of their folders; nothing is written, but that now and then the catalog is
brought up to date, so that runs whose process is gone are ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.records import RunStatus
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.tables import runs

REFRESH_SECONDS = 2.0
"""How often the catalog is brought up to date while runs change."""
_OPEN = sa.select(runs.c.id).where(runs.c.status.in_([status.value for status in RunStatus if status.is_open]))
_CENSUS = sa.select(runs.c.lifecycle, runs.c.status, sa.func.count(), sa.func.max(runs.c.number)).group_by(
    runs.c.lifecycle, runs.c.status
)


@dataclass(frozen=True, slots=True)
class RunChanges:
    """Runs that logged or were changed; whether runs came, ended, were deleted or came back."""

    run_ids: list[str]
    is_set_changed: bool


class RunWatch:
    """Looks at the runs of a workspace again and again.

    Parameters
    ----------
    workspace
        The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: dict[str, tuple[int, int]] | None = None
        self._stamp: object = None
        self._census: list[tuple[Any, ...]] = []
        self._refreshed = time.monotonic()

    def look(self) -> RunChanges:
        """Return what changed since the last look; the first one finds nothing."""
        before = self._seen
        if before and time.monotonic() - self._refreshed > REFRESH_SECONDS:
            catalog.refresh_running(self._workspace)
            self._refreshed = time.monotonic()
        with self._workspace.database.read() as connection:
            open_ids = connection.execute(_OPEN).scalars().all()
            census = self._take_census(connection)
        self._seen = {run_id: _state(RunFolder(self._workspace, run_id)) for run_id in open_ids}
        if before is None:
            self._census = census
            return RunChanges([], False)
        changed = [run_id for run_id, state in self._seen.items() if before.get(run_id) != state]
        ended = [run_id for run_id in before if run_id not in self._seen]
        is_set_changed = census != self._census
        self._census = census
        return RunChanges(ended + changed, is_set_changed or bool(ended))

    def _take_census(self, connection: sa.Connection) -> list[tuple[Any, ...]]:
        """Count the runs, if anybody has written to the catalog since they were counted."""
        stamp = self._read_stamp(connection)
        if stamp == self._stamp and self._census:
            return self._census
        self._stamp = stamp
        return sorted(tuple(row) for row in connection.execute(_CENSUS))

    def _read_stamp(self, connection: sa.Connection) -> object:
        """Return what differs after every write: of SQLite's files their times, of PostgreSQL its snapshot."""
        if not self._workspace.database.is_sqlite:
            return connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one()
        stamps = []
        for suffix in ("", "-wal"):
            try:
                found = (self._workspace.root / f"catalog.db{suffix}").stat()
            except OSError:
                continue
            stamps.append((found.st_mtime_ns, found.st_size))
        return stamps or time.monotonic()


def _state(folder: RunFolder) -> tuple[int, int]:
    try:
        return folder.metrics_size(), (folder.path / "run.json").stat().st_mtime_ns
    except (OSError, AtelierError):
        return -1, -1

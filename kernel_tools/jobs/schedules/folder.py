"""The folder of a schedule, `schedules/<schedule>/`: what it runs, which never changes, and how far it has come.

``template/`` is like the folder of a job that is never started: its spec, its source, its function. ``schedule.json``
is replaced whole, by whoever holds ``schedule.lock``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.core.workspace import Workspace, sync_folder
from kernel_tools.jobs.folder import JobFolder, flock, try_flock, write_json
from kernel_tools.jobs.schedules.records import Missed, Overlap
from kernel_tools.jobs.schedules.timing import Timing
from kernel_tools.jobs.spec import JobSpec

SCHEDULE_VERSION = 1


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """What is kept about a schedule, as it stands in ``schedule.json``. Times are milliseconds since 1970 UTC.

    Attributes
    ----------
    cursor
        Every due time up to this one was decided about.
    next_at
        The first due time after it.
    pending
        Due times that were decided to get a job and may not have it yet: who finds some submits them first.
    """

    timing: Timing
    missed: Missed
    overlap: Overlap
    created_at: int
    created_by: str
    cursor: int
    next_at: int | None
    is_paused: bool = False
    pending: tuple[int, ...] = ()
    last_at: int | None = None
    last_job: str | None = None
    fired: int = 0
    dropped: int = 0
    last_error: str = ""
    error_at: int | None = None

    def is_due(self, moment: int) -> bool:
        """Whether there is something to do."""
        return bool(self.pending) or (not self.is_paused and self.next_at is not None and self.next_at <= moment)


class ScheduleFolder:
    """The paths of one schedule, and its state."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.file = path / "schedule.json"
        self.lock = path / "schedule.lock"
        self.template = JobFolder(path / "template")

    def require(self) -> None:
        """Raise NotFoundError if there is no such schedule."""
        if not self.file.exists():
            raise NotFoundError(
                f"There is no schedule {self.name!r}. kernel_tools.jobs.list_schedules() shows those that exist."
            )

    def spec(self) -> JobSpec:
        """Return the template of the schedule's jobs."""
        self.require()
        return JobSpec.from_json(self.template.spec.read_bytes(), self.name)

    def read(self) -> ScheduleState:
        """Return how the schedule stands.

        Raises
        ------
        NotFoundError
            If there is no such schedule.
        IntegrityError
            If the file is not what Atelier wrote, or a newer Atelier wrote it.
        """
        try:
            plain = json.loads(self.file.read_bytes())
            version = plain.pop("version")
            if version <= SCHEDULE_VERSION:
                return _state(plain)
        except (FileNotFoundError, NotADirectoryError):
            self.require()
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(
                f"The file {self.file} is not what Atelier wrote ({type(error).__name__}: {error}). Restore it from a "
                "backup, or delete the schedule."
            ) from error
        raise IntegrityError(
            f"The schedule {self.name!r} has format version {version!r}; this Atelier reads {SCHEDULE_VERSION}. "
            "Update Atelier."
        )

    def write(self, state: ScheduleState) -> None:
        """Replace how the schedule stands; safe on the disk when this returns. The caller holds the lock."""
        write_json(self.file, {"version": SCHEDULE_VERSION, **asdict(state)})
        sync_folder(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the schedule's lock for the block; it is waited for. NotFoundError if the schedule was deleted."""
        self.require()
        with flock(self.lock):
            self.require()
            yield

    @contextmanager
    def try_locked(self) -> Iterator[bool]:
        """Hold the schedule's lock for the block, and say whether it could be had and is still the schedule's."""
        try:
            descriptor = try_flock(self.lock)
        except (FileNotFoundError, NotADirectoryError):
            descriptor = None  # deleted meanwhile
        try:
            yield descriptor is not None and _is_same(descriptor, self.lock)
        finally:
            if descriptor is not None:
                os.close(descriptor)


def schedules_root(workspace: Workspace) -> Path:
    """Return the folder of all schedules."""
    return workspace.root / "schedules"


def schedule_folders(root: Path) -> list[ScheduleFolder]:
    """Return the schedules below a folder, by name."""
    try:
        names = sorted(name for name in os.listdir(root) if not name.startswith("."))
    except FileNotFoundError:
        return []
    return [ScheduleFolder(root / name) for name in names]


def _state(plain: dict[str, Any]) -> ScheduleState:
    return ScheduleState(
        **{
            **plain,
            "timing": Timing(**plain["timing"]),
            "missed": Missed(plain["missed"]),
            "overlap": Overlap(plain["overlap"]),
            "pending": tuple(plain["pending"]),
        }
    )


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False

"""The folder of a job, `jobs/<job>/`, and the append-only list of its events.

Whoever holds `job.lock` may append events, nobody else: its supervisor while there is one, else who starts, stops or
recovers the job. The lock is the kernel's (`flock`), handed down to the supervisor as an open file, so that it is free
exactly when the supervisor is gone. Standard library only: the supervisor reads this.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.jobs.states import JobHistory, JobState, fold

EVENTS_VERSION = 1


def now() -> int:
    """Return the present time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class JobFolder:
    """The paths of one job, and its events."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.spec = path / "spec.json"
        self.events = path / "events.jsonl"
        self.lock = path / "job.lock"
        self.heartbeat = path / "heartbeat"
        self.stop_request = path / "stop.json"
        self.interrupt_request = path / "interrupt.json"
        self.source = path / "source"
        self.input = path / "input"
        self.checkpoints = path / "checkpoints"
        self.output = path / "output"

    @property
    def root(self) -> Path:
        """The folder of all jobs."""
        return self.path.parent

    def attempt(self, number: int) -> Path:
        """Return the folder of an attempt; they count from 1."""
        return self.path / "attempts" / str(number)

    def exists(self) -> bool:
        """Whether the job was submitted; a folder without a spec is the rest of a submission that was cut off."""
        return self.spec.exists()

    def require(self) -> None:
        """Raise NotFoundError if there is no such job."""
        if not self.exists():
            raise NotFoundError(f"There is no job {self.name!r}. kernel_tools.jobs.list_jobs() shows those that exist.")

    def read_events(self) -> list[dict[str, Any]]:
        """Return the events; a last line that was cut off by a crash is left out."""
        try:
            content = self.events.read_bytes()
        except FileNotFoundError:
            return []
        whole, _, _ = content.rpartition(b"\n")
        events = []
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                events.append(json.loads(line))
            except ValueError as error:
                raise IntegrityError(
                    f"Line {number} of {self.events} is not an event ({error}). Restore the file from a backup, or "
                    "delete the job."
                ) from error
        if events and events[0].get("version", 0) > EVENTS_VERSION:
            raise IntegrityError(f"{self.events} was written by a newer Atelier. Update Atelier.")
        return events

    def history(self) -> JobHistory:
        """Return what the events add up to."""
        return fold(self.read_events())

    def append(self, state: JobState, *, is_durable: bool = True, **details: Any) -> JobHistory:
        """Add an event, safe on the disk, and return the new history. The caller holds the lock.

        Parameters
        ----------
        state
            The state that the job has from now on.
        is_durable
            Whether to wait for the disk; without, the caller does so before it acknowledges anything.
        details
            What else is to be known; what is None or empty is left out.

        Raises
        ------
        ConflictError
            If the step is not allowed.
        """
        event = {
            "at": now(),
            "state": state.value,
            **{key: value for key, value in details.items() if value not in (None, "", {})},
        }
        before = self.history()
        if before.state is None:
            event["version"] = EVENTS_VERSION
        event["at"] = max(event["at"], before.changed_at)  # a clock that is set back makes no negative times
        after = fold([event], before)
        self._write(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace") + b"\n", is_durable)
        return after

    def _write(self, line: bytes, is_durable: bool) -> None:
        descriptor = os.open(self.events, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            while end and os.pread(descriptor, 1, end - 1) != b"\n":
                end = _line_start(descriptor, end)  # cut off by a crash, never acknowledged
                os.ftruncate(descriptor, end)
            os.pwrite(descriptor, line, end)
            if is_durable:
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def try_lock(self) -> int | None:
        """Take the job's lock and return the open file that holds it, None if somebody else has it."""
        return try_flock(self.lock)

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the job's lock for the block, and say whether it could be had; nobody waits for it."""
        descriptor = self.try_lock()
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)


def try_flock(path: Path) -> int | None:
    """Take a lock file without waiting; returns the open file, or None if it is held."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def flock(path: Path) -> Iterator[None]:
    """Hold a lock file for the block; it is waited for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Mapping[str, Any], *, durable: bool = True) -> None:
    """Replace a small JSON file whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    with open(temporary, "wb") as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())
        file.flush()
        if durable:
            os.fsync(file.fileno())
    os.replace(temporary, path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a small JSON file; None if it is missing or was cut off."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _line_start(descriptor: int, end: int) -> int:
    """Return where the line that ends at `end` begins."""
    while end:
        start = max(0, end - 4096)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

"""The processes of a job: which they are, how to end them all, and that none is left. Linux and standard library
only."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "ATELIER_ATTEMPT_FOLDER"
"""Environment variable that every process of an attempt inherits, whatever session or parent it has."""
_PR_SET_CHILD_SUBREAPER = 36


def boot_id() -> str:
    """Return what tells one start of the machine from another."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def stamp_of(pid: int) -> dict[str, Any] | None:
    """Return what tells a process from all others: pid, start in clock ticks, boot; None if it is gone or a zombie."""
    fields = _stat(pid)
    if fields is None or fields[0] == b"Z":
        return None
    return {"pid": pid, "start": int(fields[19]), "boot": boot_id()}


def is_alive(stamp: Any) -> bool:
    """Whether the process that was stamped still runs."""
    return bool(stamp) and stamp_of(int(stamp["pid"])) == dict(stamp)


def adopt_orphans() -> None:
    """Make this process the parent of all processes that its descendants leave behind."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    except OSError:
        pass  # it ended meanwhile
    return found


class Family:
    """The descendants of the supervisor that belong to its attempt; jobs that they have submitted are not theirs."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._own: dict[int, bool] = {}

    def members(self, folder: str) -> list[int]:
        """Return the pids of all living processes of the attempt in `folder`."""
        found: list[int] = []
        waiting = children(self._root)
        known: dict[int, bool] = {}
        while waiting:
            pid = waiting.pop()
            is_own = known[pid] = self._own[pid] if pid in self._own else carries_mark(pid, folder)
            if is_own:
                found.append(pid)
                waiting += children(pid)
        self._own = known
        return found


def carries_mark(pid: int, folder: str) -> bool:
    """Whether a process belongs to the attempt in `folder`; one that hides its environment counts as one that does."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return True
    mark = f"{MARK}=".encode()
    values = [item for item in environment.split(b"\0") if item.startswith(mark)]
    return not values or values[0] == mark + folder.encode()


def marked_processes(folder: str) -> Iterator[int]:
    """Yield the living processes of this user that carry the mark of an attempt, wherever they are."""
    mark = f"{MARK}={folder}".encode()
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                environment = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if mark in environment.split(b"\0"):
                yield int(entry)


def living_marked(folder: str) -> list[int]:
    """Return the processes that carry the mark of an attempt and are no zombies."""
    return [pid for pid in marked_processes(folder) if stamp_of(pid) is not None]


def kill_marked(folder: str) -> int:
    """Kill all processes of an attempt whose supervisor is gone; returns how many there were."""
    killed = 0
    for _ in range(50):  # a process may start another one while it is being killed
        found = living_marked(folder)
        if not found:
            break
        for pid in found:
            send(pid, signal.SIGKILL)
        killed += len(found)
    return killed


def send(pid: int, number: int, *, to_group: bool = False) -> None:
    """Send a signal to a process or to its group; nothing happens if it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if to_group else os.kill)(pid, number)


def reap() -> dict[int, int]:
    """Collect all children that have ended: the exit code of each, minus the signal for those that one has ended."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def _stat(pid: int) -> list[bytes] | None:
    """Return the fields of ``/proc/PID/stat`` from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None

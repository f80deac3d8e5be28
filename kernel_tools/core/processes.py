"""Which process did it, and is it still there: an identity that survives the reuse of process ids and a reboot."""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process on a host: pid, start time in seconds since 1970, and the boot that it belongs to."""

    pid: int
    started: float
    boot: str
    host: str

    def is_alive(self) -> bool:
        """Whether the process runs; a process on another host counts as alive, because nobody here can know."""
        if self.host != platform.node():
            return True
        return self.boot == _boot_id() and identify_process(self.pid) == self


def identify_process(pid: int) -> ProcessIdentity | None:
    """Return the identity of a running process, None if there is none (or only its zombie)."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return ProcessIdentity(pid, round(process.create_time(), 2), _boot_id(), platform.node())
    except psutil.Error:
        return None


def current_process() -> ProcessIdentity:
    """Return the identity of this process."""
    identity = identify_process(os.getpid())
    if identity is None:
        raise RuntimeError("The operating system does not list the running process.")
    return identity


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(round(psutil.boot_time()))

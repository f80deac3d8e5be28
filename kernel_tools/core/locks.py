"""Locks between processes: one writer at a time for a file that many processes change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel_tools.core.errors import UnavailableError


@contextmanager
def hold_lock(path: Path, timeout: float = 60.0) -> Iterator[None]:
    """Hold the lock file `path` for the block; the system releases it when the process dies.

    The lock file stays where it is: removing a lock file that another process waits for would split the lock in two.

    Parameters
    ----------
    path
        The lock file; its folder must exist.
    timeout
        How long to wait for the lock, in seconds.

    Raises
    ------
    UnavailableError
        If another process holds the lock for longer than `timeout`.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, poll_interval=0.002)
    try:
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise UnavailableError(
            f"{path.name!r} in {str(path.parent)!r} is held by another process for more than {timeout:g} s. "
            "Find the process that hangs and end it; its lock goes with it."
        ) from error
    try:
        yield
    finally:
        lock.release()

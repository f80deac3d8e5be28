"""Stopping a job and interrupting one: requests in its folder, which its supervisor is woken to read."""

from __future__ import annotations

import os
import signal

from kernel_tools.core.errors import ConflictError
from kernel_tools.jobs.folder import JobFolder, now, write_json
from kernel_tools.jobs.recovery import recover
from kernel_tools.jobs.states import JobHistory, JobState
from kernel_tools.jobs.supervision.processes import is_alive, send


def stop_local(folder: JobFolder, user: str) -> None:
    """Ask a local job to end; one that only waits ends at once, one that has ended is left alone."""
    if _has_ended(folder.history()):
        return
    write_json(folder.stop_request, {"user": user, "at": now()})
    with folder.locked() as is_held:
        if is_held and folder.history().state in (JobState.QUEUED, JobState.RESTARTING):
            folder.append(JobState.STOPPED, reason=f"Stopped by {user} before it started.")
    if is_held:
        recover(folder)
    else:
        wake_supervisor(folder)


def interrupt_local(folder: JobFolder, notice: float, reason: str) -> None:
    """Take the capacity of a running spot job back after a notice of so many seconds.

    Raises
    ------
    ConflictError
        If it does not run.
    """
    history = folder.history()
    if history.state is not JobState.RUNNING:
        raise ConflictError(
            f"Job {folder.name!r} is {history.state} and cannot be interrupted: only a running one can."
        )
    write_json(folder.interrupt_request, {"notice": notice, "reason": reason, "at": now()})
    wake_supervisor(folder)


def wake_supervisor(folder: JobFolder) -> None:
    """Let the supervisor look for requests at once, instead of at its next tick."""
    attempts = folder.history().attempts
    supervisor = attempts[-1].supervisor if attempts else None
    if supervisor is not None and int(supervisor["pid"]) != os.getpid() and is_alive(supervisor):
        send(int(supervisor["pid"]), signal.SIGUSR1)


def _has_ended(history: JobHistory) -> bool:
    return history.state is None or history.state.is_end

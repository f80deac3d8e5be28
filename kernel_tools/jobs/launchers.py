"""The seam of launchers: where a job runs. A launcher has five calls; the local one is here, others are provided under
the seam ``launchers`` by the rooms that know them.

Jobs keep their folder whatever runs them: a launcher writes the same events, logs and outputs into it.
"""

from __future__ import annotations

from typing import Protocol

from kernel_tools.core import seams
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs import queue
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.logs import read_log
from kernel_tools.jobs.recovery import recover
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import JobHistory
from kernel_tools.jobs.stopping import stop_local

SEAM = "launchers"


class Launcher(Protocol):
    """What a launcher must be able to do."""

    def submit(self, folder: JobFolder, spec: JobSpec) -> None:
        """Take a job over that is Queued; it returns before the job runs."""

    def poll(self, folder: JobFolder) -> JobHistory:
        """Return what is true of the job now."""

    def stop(self, folder: JobFolder, user: str) -> None:
        """Ask the job to end; it returns before it has ended."""

    def logs(self, folder: JobFolder, attempt: int, offset: int, limit: int) -> tuple[bytes, int]:
        """Return output from an offset on and the offset after it; the first may be later than asked for."""

    def reattach(self, folder: JobFolder) -> JobHistory:
        """Find a job again that this process did not start, and bring it up to date."""


class LocalLauncher:
    """Runs jobs on this machine, each below a supervisor of its own."""

    def submit(self, folder: JobFolder, spec: JobSpec) -> None:
        """Let the job wait for its turn, and start it if that has come."""
        queue.enqueue(folder, spec.priority)
        queue.dispatch(folder.root)

    def poll(self, folder: JobFolder) -> JobHistory:
        """Read the job's events, and recover the job if its supervisor is gone."""
        return recover(folder)

    def stop(self, folder: JobFolder, user: str) -> None:
        """Leave a request in the job's folder and wake its supervisor."""
        stop_local(folder, user)

    def logs(self, folder: JobFolder, attempt: int, offset: int, limit: int) -> tuple[bytes, int]:
        """Read the parts of the log."""
        return read_log(folder.attempt(attempt), offset, limit)

    def reattach(self, folder: JobFolder) -> JobHistory:
        """The folder says everything."""
        return recover(folder)


def launcher_of(name: str) -> Launcher:
    """Return a launcher by its name; InvalidArgumentError if there is none."""
    known: dict[str, Launcher] = {"local": LocalLauncher(), **seams.providers(SEAM)}
    if name not in known:
        raise InvalidArgumentError(f"There is no launcher {name!r}. There are: {', '.join(sorted(known))}.")
    return known[name]

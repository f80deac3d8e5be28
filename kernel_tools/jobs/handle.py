"""The job: what is held after submitting, and what `get` finds again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import ConflictError, NotFoundError, UnavailableError
from kernel_tools.core.links import studio_url
from kernel_tools.core.workspace import Workspace, validate_name
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import JobFolder, now
from kernel_tools.jobs.functions import RESULT_JSON, RESULT_PICKLE, read_result
from kernel_tools.jobs.launchers import launcher_of
from kernel_tools.jobs.logs import follow_log, read_tail
from kernel_tools.jobs.records import JobProgress, JobRecord, OutputFile
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import Attempt, JobHistory, JobState

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.experiments.run import Run
    from kernel_tools.jobs.savings import Savings

_SHORTEST_WAIT, _LONGEST_WAIT = 0.01, 0.25
LOG_LINES = 1000


class Job:
    """One job of a workspace."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = validate_name(name, "job name")
        self._workspace = workspace
        self._folder = JobFolder(catalog.root_of(workspace) / name)
        self._folder.require()
        self.spec = JobSpec.from_json(self._folder.spec.read_bytes(), name)

    @property
    def id(self) -> str:
        """The job's name, which is unique in its workspace."""
        return self.name

    def __repr__(self) -> str:
        return f"<Job {self.name!r}, {self.status}>"

    @property
    def history(self) -> JobHistory:
        """The job's states and attempts, brought up to date."""
        return catalog.refresh_job(self._workspace, self._folder)

    @property
    def status(self) -> JobState:
        """Where the job is in its life; `JobState` compares equal to its name, such as ``"Completed"``."""
        state = self.history.state
        return JobState.QUEUED if state is None else state

    @property
    def reason(self) -> str:
        """Why the job is what it is, such as the error and the line of user code that failed."""
        return self.history.reason

    @property
    def failure(self) -> dict[str, Any]:
        """What is known of the failure: error, message, file, line, code, exit_code and last_output; empty without."""
        return dict(self.history.failure)

    @property
    def attempts(self) -> list[Attempt]:
        """The tries at running the job, the oldest first."""
        return list(self.history.attempts)

    @property
    def record(self) -> JobRecord:
        """The job as one row."""
        catalog.refresh_job(self._workspace, self._folder)
        return catalog.read_record(self._workspace, self.name)

    @property
    def progress(self) -> JobProgress | None:
        """How far the newest attempt has said to be."""
        return self.record.progress

    @property
    def run(self) -> Run | None:
        """The run that the job logs to; None without an experiment."""
        if self.spec.run_id is None:
            return None
        from kernel_tools.jobs.runs import ensure_run

        return ensure_run(self._workspace, self.spec)

    @property
    def savings(self) -> Savings:
        """What running on spot capacity has saved, waiting and redone work shown."""
        from kernel_tools.jobs.savings import savings_of

        return savings_of(self._folder.root, self.spec, self.history)

    @property
    def url(self) -> str:
        """The address of the job's page in the studio."""
        return studio_url(f"job/{self.name}")

    def wait(self, timeout: float | None = None) -> JobState:
        """Wait until the job has ended, and return how.

        Parameters
        ----------
        timeout
            Seconds; None to wait as long as it takes.

        Raises
        ------
        UnavailableError
            If the job has not ended after `timeout`; it goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        wait = _SHORTEST_WAIT
        seen = -1
        looked = 0.0
        while True:
            size = self._folder.events.stat().st_size
            if size != seen or time.monotonic() - looked > 1.0:
                seen, looked = size, time.monotonic()
                state = launcher_of(self.spec.launcher).poll(self._folder).state
                if state is not None and state.is_end:
                    return self.status
                wait = _SHORTEST_WAIT
            if end is not None and time.monotonic() > end:
                raise UnavailableError(
                    f"Job {self.name!r} is {self.status} after {timeout:g} s. It goes on: wait again, or stop() it."
                )
            time.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.3)

    def logs(self, follow: bool = False, tail: int = LOG_LINES, attempt: int | None = None) -> Any:
        """Return what the job has printed.

        Parameters
        ----------
        follow
            Return an iterator over all lines instead, which goes on until the attempt has ended.
        tail
            How many of the last lines to return as one text, without `follow`.
        attempt
            Which attempt, from 1. Default: the newest.
        """
        number = attempt or max(1, len(self.history.attempts))
        folder = self._folder.attempt(number)
        if follow:
            return self._follow(number)
        return read_tail(folder, tail)

    def stop(self) -> None:
        """Ask the job to end: SIGTERM, a time of grace, SIGKILL. Returns at once; `wait` tells when it has ended."""
        launcher_of(self.spec.launcher).stop(self._folder, current_user())
        self._workspace.audit.record("job.stop", f"job/{self.name}")
        catalog.refresh_job(self._workspace, self._folder)

    def rerun(self, name: str | None = None, **changes: Any) -> Job:
        """Submit a job with the same source, parameters and inputs; `changes` go before what the spec says.

        Raises
        ------
        ConflictError
            If an input is no longer what it was; pass it anew: ``inputs={...}``.
        """
        from kernel_tools.jobs.rerunning import rerun

        return rerun(self._workspace, self, name, changes)

    def metrics(self) -> pd.DataFrame:
        """Return all points that the job has logged.

        Returns
        -------
        DataFrame
            Columns key, step, timestamp (UTC) and value, by key and step; empty without an experiment.
        """
        import pandas as pd

        frames = []
        run = self.run
        for key in run.metrics if run is not None else ():
            assert run is not None
            frames.append(run.history(key).assign(key=key)[["key", "step", "timestamp", "value"]])
        return (
            pd.concat(frames, ignore_index=True)
            if frames
            else pd.DataFrame(columns=["key", "step", "timestamp", "value"])
        )

    def usage(self, attempt: int | None = None) -> pd.DataFrame:
        """Return what the job has used, sampled twice a second; see `kernel_tools.jobs.usage`."""
        from kernel_tools.jobs.usage import read_usage

        number = attempt or max(1, len(self.history.attempts))
        return read_usage(self._folder.attempt(number) / "usage.bin")

    def output(self) -> JobOutput:
        """Return what the job has left: its model, its data, its notebook, and what its function returned."""
        return JobOutput(self._folder.output, self.name)

    def interrupt(self, notice: float | None = None) -> None:
        """Take the capacity of a spot job back, as a cloud does, after a notice of so many seconds.

        Raises
        ------
        ConflictError
            If the job does not run, or was not submitted with ``spot=``.
        """
        from kernel_tools.jobs.stopping import interrupt_local

        if self.spec.spot is None:
            raise ConflictError(f"Job {self.name!r} is no spot job: submit it with spot=kernel_tools.jobs.Spot().")
        seconds = float(self.spec.spot.notice if notice is None else notice)
        interrupt_local(self._folder, seconds, "simulated")

    def delete(self) -> None:
        """Remove a job that has ended, with its logs, checkpoints and output. Its run stays.

        Raises
        ------
        ConflictError
            If it has not ended.
        """
        if not self.status.is_end:
            raise ConflictError(f"Job {self.name!r} is {self.status}. Stop it first: job.stop().")
        gone = self._folder.root / f".{self.name}.{now()}.deleted"
        self._folder.path.rename(gone)
        catalog.forget_job(self._workspace, self.name)
        self._workspace.audit.record("job.delete", f"job/{self.name}")
        shutil.rmtree(gone, ignore_errors=True)

    def _follow(self, number: int) -> Iterator[str]:
        def has_ended() -> bool:
            history = self._folder.history()
            attempts = history.attempts
            ended = history.state is not None and history.state.is_end
            return ended or (len(attempts) >= number and attempts[number - 1].ended_at is not None) or self._is_over()

        return follow_log(self._folder.attempt(number), has_ended)

    def _is_over(self) -> bool:
        state = launcher_of(self.spec.launcher).poll(self._folder).state
        return state is not None and state.is_end


class JobOutput:
    """The files below a job's output folder: ``model/``, ``data/`` and what else the job has put there."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._name = name

    def __repr__(self) -> str:
        return f"<JobOutput {str(self.path)!r}, {len(self.files)} files>"

    @property
    def model_path(self) -> Path:
        """The folder that the job has put its model into (``SM_MODEL_DIR``)."""
        return self.path / "model"

    @property
    def files(self) -> list[OutputFile]:
        """The files, by path."""
        found = []
        for path in sorted(self.path.rglob("*")):
            if path.is_file() and path.name not in (RESULT_JSON, RESULT_PICKLE):
                status = path.stat()
                relative = path.relative_to(self.path).as_posix()
                found.append(OutputFile(relative, status.st_size, status.st_mtime_ns // 1_000_000))
        return found

    def value(self, trust: bool = False) -> Any:
        """Return what the job's function returned.

        Raises
        ------
        NotFoundError
            If there is nothing.
        ForbiddenError
            If it is no plain value, so that reading it would execute code, and `trust` is not given.
        """
        return read_result(self.path, self._name, trust)

    def file(self, path: str) -> Path:
        """Return the place of one file; NotFoundError if there is none."""
        from kernel_tools.core.workspace import join_inside

        place = join_inside(self.path, path)
        if not place.is_file():
            raise NotFoundError(
                f"Job {self._name!r} has left no {path!r}. There are: {[f.path for f in self.files][:10]}."
            )
        return place

"""What live views of jobs are told; how they are told is in `studio_ext.live_hub`."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from kernel_tools.core.errors import AtelierError
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.job_watch import JobWatch
from kernel_tools.jobs.logs import log_bounds
from kernel_tools.jobs.rows import JobRow, read_rows
from studio_ext.live_hub import Listener, LiveHub, TopicRequest
from studio_ext.schema import Reply

MAX_ROWS = 100
"""Rows in one message; a view that misses more is asked to read its rows again."""


class LiveJobsRequest(TopicRequest):
    """What a view watches: all jobs, or one, and of that the log of one attempt if `attempt` is not 0."""

    job: str | None = Field(None, min_length=1, max_length=128)
    attempt: int = Field(0, ge=0, le=2**31 - 1)


class LiveJobsBatch(Reply):
    """What changed.

    Attributes
    ----------
    epoch, sequence
        Where the view stands after this message.
    jobs
        Jobs as they are now.
    is_set_changed
        Jobs came, changed their state or were deleted: another search may find others.
    must_reload
        More changed than is told here.
    log_size
        Of a log that is watched: the offset of its end; None if it has not grown.
    """

    epoch: str
    sequence: int
    jobs: list[JobRow]
    is_set_changed: bool
    must_reload: bool
    log_size: int | None


class JobListener(Listener):
    """One live view of jobs."""

    log_size = -1


class LiveJobs(LiveHub[JobListener]):
    """Tells listeners about jobs."""

    def make_look(self) -> Callable[[], tuple[list[str], bool]]:
        """Look at the catalog and the files of jobs that have not ended."""
        watch = JobWatch(self._studio.open_workspace())

        def look() -> tuple[list[str], bool]:
            changes = watch.look()
            return changes.names, changes.is_set_changed

        return look

    def make_batches(self, listeners: list[JobListener]) -> list[Reply | None]:
        """Return the message for each view; each job is read once."""
        rows: dict[str, JobRow | None] = {}
        return [self._make_batch(listener, rows) for listener in listeners]

    def _make_batch(self, listener: JobListener, rows: dict[str, JobRow | None]) -> LiveJobsBatch | None:
        wanted = listener.request.job
        news = self.news_for(listener, wanted)
        log_size = self._read_log_size(listener)
        changed = news.changed if news else []
        shown = [row for name in changed[:MAX_ROWS] if (row := self._read(name, rows))]
        must_reload = len(changed) > MAX_ROWS or bool(news and news.must_reload)
        is_set_changed = bool(news and news.is_set_changed)
        is_first = bool(news and news.is_first)
        if not (is_first or shown or is_set_changed or must_reload or log_size is not None):
            return None
        return LiveJobsBatch(
            epoch=self._epoch,
            sequence=self._sequence,
            jobs=shown,
            is_set_changed=is_set_changed,
            must_reload=must_reload,
            log_size=log_size,
        )

    def _read_log_size(self, listener: JobListener) -> int | None:
        wanted = listener.request
        if not wanted.job or not wanted.attempt:
            return None
        folder = JobFolder(catalog.root_of(self._studio.open_workspace()) / wanted.job)
        _, size = log_bounds(folder.attempt(wanted.attempt))
        if size == listener.log_size:
            return None
        listener.log_size = size
        return size

    def _read(self, name: str, rows: dict[str, JobRow | None]) -> JobRow | None:
        if name not in rows:
            workspace = self._studio.open_workspace()
            try:
                (rows[name],) = read_rows(workspace, [catalog.read_record(workspace, name)])
            except (AtelierError, OSError, LookupError):
                rows[name] = None  # deleted meanwhile
        return rows[name]

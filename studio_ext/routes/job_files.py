"""The logs and outputs of one job over HTTP."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import IO, cast

from pydantic import Field

from kernel_tools import jobs
from kernel_tools.core.errors import InvalidDataError, NotFoundError, TooLargeError
from kernel_tools.experiments.records import ArtifactEntry, ArtifactRecord
from kernel_tools.experiments.table_windows import TableWindow, read_table_window
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.log_pages import LogMatches, LogPage, WholeLog
from kernel_tools.jobs.outputs import OutputFiles, OutputTables
from studio_ext.handlers import StudioHandler
from studio_ext.log_reading import LogQuery, LogSearchQuery
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Name, PageQuery, Query, Reply

MAX_ROWS = 1000


class AttemptQuery(Query):
    """Of which attempt."""

    attempt: int = Field(1, ge=1, le=2**31 - 1)


class AttemptLogQuery(AttemptQuery, LogQuery):
    """Which part of the log of which attempt."""


class AttemptLogSearchQuery(AttemptQuery, LogSearchQuery):
    """What to look for in the log of which attempt, and from where."""


class OutputsQuery(PageQuery):
    """Which files to list."""

    folder: str = Field("", max_length=1000, description="Such as `model`; by default the top.")
    search: str = Field("", max_length=250, description="What paths contain, in any case, at any depth.")


class OutputPage(Reply):
    """Some of what is directly inside a folder, folders first, or of the files that were searched for."""

    folders: list[ArtifactEntry]
    files: list[ArtifactRecord]
    next_page_token: str | None


class OutputQuery(Query):
    """Which file."""

    path: str = Field(min_length=1, max_length=2000)


class OutputTableQuery(OutputQuery):
    """Which rows of which table."""

    start: int = Field(0, ge=0, le=2**40)
    limit: int = Field(200, ge=1, le=MAX_ROWS)


class _JobFilesHandler(StudioHandler):
    auth_resource = "jobs"

    def attempt(self, name: str, number: int) -> Path:
        """Return the folder of an attempt; one that has not begun has an empty log."""
        jobs.get(name, workspace=self.workspace)
        return JobFolder(self.workspace.root / "jobs" / name).attempt(number)

    def outputs(self, name: str) -> OutputFiles:
        """Return the files that a job has left."""
        return OutputFiles(jobs.get(name, workspace=self.workspace).output().path, name)


class JobLogHandler(_JobFilesHandler):
    """The log of one job."""

    path = "/jobs/{name}/log"

    @operation("read_job_log", "Show lines of a job's log", raises=(NotFoundError,))
    def get(self, name: Name, query: AttemptLogQuery) -> LogPage:
        """Answer a page of whole lines."""
        return query.read(self.attempt(name, query.attempt))


class JobLogSearchHandler(_JobFilesHandler):
    """A search in the log of one job."""

    path = "/jobs/{name}/log/search"

    @operation("search_job_log", "Find the lines of a job's log that hold a text", raises=(NotFoundError,))
    def get(self, name: Name, query: AttemptLogSearchQuery) -> LogMatches:
        """Answer where they begin."""
        return query.search(self.attempt(name, query.attempt))


class JobLogFileHandler(_JobFilesHandler):
    """The log of one job as a file."""

    path = "/jobs/{name}/log/download"

    @operation("download_job_log", "Download what is kept of a job's log", raises=(NotFoundError,))
    def get(self, name: Name, query: AttemptQuery) -> FileReply:
        """Stream the log as a download."""
        log = WholeLog(self.attempt(name, query.attempt))
        return FileReply(cast("IO[bytes]", log), f"{name}-{query.attempt}.log", log.size, "text/plain")


class JobOutputsHandler(_JobFilesHandler):
    """The files that one job has left."""

    path = "/jobs/{name}/outputs"

    @operation("list_job_outputs", "List the files that a job has left, a folder at a time", raises=(NotFoundError,))
    def get(self, name: Name, query: OutputsQuery) -> OutputPage:
        """Answer one page."""
        files = self.outputs(name)
        found = files.search(query.search) if query.search else files.entries(query.folder.strip("/"))
        page, token = self.page(list(found), query)
        return OutputPage(
            folders=[item for item in page if isinstance(item, ArtifactEntry)],
            files=[item for item in page if isinstance(item, ArtifactRecord)],
            next_page_token=token,
        )


class JobOutputHandler(_JobFilesHandler):
    """One file that one job has left."""

    path = "/jobs/{name}/outputs/content"

    @operation("download_job_output", "Download a file that a job has left", raises=(NotFoundError,))
    def get(self, name: Name, query: OutputQuery) -> FileReply:
        """Stream the file as a download."""
        files = self.outputs(name)
        record = files.artifact(query.path)
        return FileReply(
            files.open_artifact(query.path), PurePosixPath(record.path).name, record.size, record.media_type
        )


class JobOutputTableHandler(_JobFilesHandler):
    """The rows of one table that one job has left."""

    path = "/jobs/{name}/outputs/table"

    @operation(
        "read_job_output_table",
        "Show some rows of a Parquet, CSV, TSV or JSON file that a job has left",
        raises=(NotFoundError, InvalidDataError, TooLargeError),
    )
    def get(self, name: Name, query: OutputTableQuery) -> TableWindow:
        """Answer the rows."""
        files = OutputTables(jobs.get(name, workspace=self.workspace).output().path, name)
        return read_table_window(files, query.path, query.start, query.limit)


HANDLERS: list[type[StudioHandler]] = [
    JobLogHandler,
    JobLogSearchHandler,
    JobLogFileHandler,
    JobOutputsHandler,
    JobOutputHandler,
    JobOutputTableHandler,
]

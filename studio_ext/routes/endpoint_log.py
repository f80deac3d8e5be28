"""The log of one endpoint over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

from kernel_tools import hosting
from kernel_tools.core.errors import NotFoundError
from kernel_tools.jobs.log_pages import LogMatches, LogPage, WholeLog
from studio_ext.handlers import StudioHandler
from studio_ext.log_reading import LogQuery, LogSearchQuery
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Name


class _EndpointLogHandler(StudioHandler):
    auth_resource = "hosting"

    def printed(self, name: str) -> Path:
        """Return the file that an endpoint prints to."""
        return hosting.get(name, workspace=self.workspace).log_path


class EndpointLogHandler(_EndpointLogHandler):
    """The log of one endpoint."""

    path = "/endpoints/{name}/log"

    @operation("read_endpoint_log", "Show lines of an endpoint's log", raises=(NotFoundError,))
    def get(self, name: Name, query: LogQuery) -> LogPage:
        """Answer a page of whole lines."""
        return query.read(self.printed(name))


class EndpointLogSearchHandler(_EndpointLogHandler):
    """A search in the log of one endpoint."""

    path = "/endpoints/{name}/log/search"

    @operation("search_endpoint_log", "Find the lines of an endpoint's log that hold a text", raises=(NotFoundError,))
    def get(self, name: Name, query: LogSearchQuery) -> LogMatches:
        """Answer where they begin."""
        return query.search(self.printed(name))


class EndpointLogFileHandler(_EndpointLogHandler):
    """The log of one endpoint as a file."""

    path = "/endpoints/{name}/log/download"

    @operation("download_endpoint_log", "Download an endpoint's log", raises=(NotFoundError,))
    def get(self, name: Name) -> FileReply:
        """Stream the log as a download."""
        log = WholeLog(self.printed(name))
        return FileReply(cast("IO[bytes]", log), f"{name}.log", log.size, "text/plain")


HANDLERS: list[type[StudioHandler]] = [EndpointLogHandler, EndpointLogSearchHandler, EndpointLogFileHandler]

"""Captured requests of endpoints over HTTP; written and read in `kernel_tools.hosting.wire`."""

from __future__ import annotations

from pydantic import Field

from kernel_tools import hosting
from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.hosting.wire.capture_reader import CapturedExchange
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Name, Query, Reply


class CapturesQuery(Query):
    """Which captures."""

    limit: int = Field(50, ge=1, le=500)
    page_token: str | None = Field(None, max_length=600, description="`next_page_token` of the page before.")


class CaptureReply(Reply):
    """Some captures, the newest first, and what part of the requests is captured; null is none."""

    captures: list[CapturedExchange]
    next_page_token: str | None
    sampling_percentage: float | None


class CapturesHandler(StudioHandler):
    """The captures of one endpoint."""

    path = "/endpoints/{name}/captures"
    auth_resource = "hosting"

    @operation("list_captures", "List captured requests and replies", raises=(NotFoundError, IntegrityError))
    def get(self, name: Name, query: CapturesQuery) -> CaptureReply:
        """Answer one page."""
        endpoint = hosting.get(name, workspace=self.workspace)
        page, config = endpoint.captures(query.limit, query.page_token), endpoint.capture
        return CaptureReply(
            captures=page.captures,
            next_page_token=page.cursor,
            sampling_percentage=config.sampling_percentage if config is not None else None,
        )


HANDLERS: list[type[StudioHandler]] = [CapturesHandler]

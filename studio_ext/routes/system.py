"""The server itself: its version, its workspace, its API."""

from __future__ import annotations

from studio_ext import __version__
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Reply

API_VERSION = 1
"""Raised when a panel of an earlier version could not work with this server any more."""


class VersionReply(Reply):
    """What answers, and for whom."""

    version: str
    api_version: int
    workspace: str
    user: str


class VersionHandler(StudioHandler):
    """The handshake of panel and server."""

    path = "/version"
    auth_resource = "studio"

    @operation("get_version", "Say which version answers, on which workspace, for which user")
    def get(self) -> VersionReply:
        """Answer from memory."""
        return VersionReply(
            version=__version__,
            api_version=API_VERSION,
            workspace=str(self.workspace.root),
            user=self.user_name,
        )


class OpenApiHandler(StudioHandler):
    """The description of the API."""

    path = "/openapi.json"
    auth_resource = "studio"

    @operation("get_openapi", "Describe this API as an OpenAPI 3.1 document")
    def get(self) -> dict[str, object]:
        """Build the document from the handlers."""
        from studio_ext.openapi import build_document

        return build_document()


HANDLERS: list[type[StudioHandler]] = [VersionHandler, OpenApiHandler]

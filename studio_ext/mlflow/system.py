"""Paths of MLflow's server beside the protocol: health, version, abilities, and what is not there."""

from __future__ import annotations

from tornado import web

from studio_ext.mlflow.errors import ENDPOINT_NOT_FOUND, MlflowError
from studio_ext.mlflow.handlers import MlflowHandler

PROTOCOL_VERSION = "3.17.2"
"""The release of MLflow that this server was tested against."""

SERVER_INFO = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "presigned_upload_run_id_supported": False,
    "presigned_upload_model_id_supported": False,
    "features_enabled": {"gateway": False},
}


class HealthHandler(MlflowHandler):
    """Tells that the server lives, as MLflow's does."""

    path = "/health"
    auth_resource = "studio"

    @web.authenticated
    async def get(self) -> None:
        """Answer OK."""
        await self._authorize("read")
        await self.finish("OK", set_content_type="text/plain; charset=utf-8")


class VersionHandler(MlflowHandler):
    """The version of MLflow whose protocol this is; clients compare it with their own."""

    path = "/version"
    auth_resource = "studio"

    @web.authenticated
    async def get(self) -> None:
        """Answer the version."""
        await self._authorize("read")
        await self.finish(PROTOCOL_VERSION, set_content_type="text/plain; charset=utf-8")


class ServerInfoHandler(MlflowHandler):
    """What this server can do beyond the protocol's core."""

    path = r"/(?:ajax-)?api/3\.0/mlflow/server-info"
    auth_resource = "studio"

    @web.authenticated
    async def get(self) -> None:
        """Answer that there are no workspaces, traces or uploads in parts."""
        await self._authorize("read")
        self.send_json(SERVER_INFO)


class UnknownPathHandler(MlflowHandler):
    """Answers every path below ``/studio/mlflow`` that no other handler has."""

    path = "(?:/.*)?"
    auth_resource = "studio"

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself
        """Answer ENDPOINT_NOT_FOUND, after the caller was authenticated."""
        await super().prepare()
        raise MlflowError(ENDPOINT_NOT_FOUND, f"No API found for '{self.request.method} {self.request.path}'.")

"""Bytes by the paths that MLflow's pages and some clients use: ``get-artifact`` and its kin, ``upload-artifact``."""

from __future__ import annotations

import io

from tornado import web

from kernel_tools.core.audit import acting_user
from studio_ext.mlflow.api import Context
from studio_ext.mlflow.artifact_proxy import no_artifact, open_artifact
from studio_ext.mlflow.errors import invalid
from studio_ext.mlflow.handlers import MlflowHandler
from studio_ext.mlflow.limits import check_path
from studio_ext.mlflow.run_state import find_active_run
from studio_ext.mlflow.uris import ArtifactPlace
from studio_ext.mlflow.versions import find_version
from studio_ext.operations import FileReply

MAX_UPLOAD_BYTES = 10 * 1024 * 1024


class RunDownloadHandler(MlflowHandler):
    """A file of a run."""

    path = "//?(?:ajax-api/2.0/mlflow/)?get-artifact"
    auth_resource = "experiments"

    @web.authenticated
    async def get(self) -> None:
        """Send the file as a download."""
        await self._authorize("read")
        path = check_path(self.get_query_argument("path"))
        run_id = self.get_query_argument("run_id", "") or self.get_query_argument("run_uuid", "")
        context, place = self.context, ArtifactPlace("", run_id, False, path)
        await self._send_file(await self._run_in_thread(lambda: open_artifact(context, place, path)))


class VersionDownloadHandler(MlflowHandler):
    """A file of a version of a registered model."""

    path = "//?(?:ajax-api/2.0/mlflow/)?model-versions/get-artifact"
    auth_resource = "experiments"

    @web.authenticated
    async def get(self) -> None:
        """Send the file as a download."""
        await self._authorize("read")
        name, version = self.get_query_argument("name"), self.get_query_argument("version")
        context, path = self.context, check_path(self.get_query_argument("path"))
        await self._send_file(await self._run_in_thread(lambda: _open_version_file(context, name, version, path)))


class LoggedModelDownloadHandler(MlflowHandler):
    """A file of a logged model."""

    path = "//?ajax-api/2.0/mlflow/logged-models/(?P<model_id>[^/]+)/artifacts/files"
    auth_resource = "experiments"

    @web.authenticated
    async def get(self, model_id: str) -> None:
        """Send the file as a download."""
        await self._authorize("read")
        path = check_path(self.get_query_argument("artifact_file_path"))
        context, place = self.context, ArtifactPlace("", model_id, True, path)
        await self._send_file(await self._run_in_thread(lambda: open_artifact(context, place, path)))


class UploadHandler(MlflowHandler):
    """A small file for a run, as the body of a POST."""

    path = "//?ajax-api/2.0/mlflow/upload-artifact"
    auth_resource = "experiments"
    max_body_bytes = MAX_UPLOAD_BYTES

    @web.authenticated
    async def post(self) -> None:
        """Keep the file."""
        await self._authorize("write")
        run_id, path = self.get_query_argument("run_uuid", ""), self.get_query_argument("path", "")
        if not run_id:
            raise invalid("Request must specify run_uuid.")
        if not path:
            raise invalid("Request must specify path.")
        target, context, user_name, body = check_path(path), self.context, self.user_name, self.request.body
        if not target:
            raise invalid("Invalid path")

        def work() -> None:
            with acting_user(user_name):
                find_active_run(context, run_id).put_artifact(target, io.BytesIO(body))

        await self._run_in_thread(work)
        self.send_json({})


def _open_version_file(context: Context, name: str, version: str, path: str) -> FileReply:
    record = find_version(context, name, version)
    for file in record.files:
        if file.path == path:
            return FileReply(
                context.workspace.artifacts.open(file.sha256),
                path.rpartition("/")[2],
                file.size,
                "application/octet-stream",
            )
    raise no_artifact(path)

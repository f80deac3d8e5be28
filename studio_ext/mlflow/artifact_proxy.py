"""The bytes of artifacts: ``/api/2.0/mlflow-artifacts`` up and down, in pieces, never a whole file in memory."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import unquote

from tornado import web

from kernel_tools.core.audit import acting_user
from kernel_tools.core.errors import AtelierError, InvalidArgumentError, NotFoundError
from kernel_tools.experiments import loose_files
from kernel_tools.registry import logged_models
from studio_ext.mlflow.api import Context
from studio_ext.mlflow.artifacts import write_entries
from studio_ext.mlflow.errors import (
    NOT_IMPLEMENTED,
    RESOURCE_DOES_NOT_EXIST,
    MlflowError,
    invalid,
)
from studio_ext.mlflow.handlers import MlflowHandler
from studio_ext.mlflow.limits import check_path
from studio_ext.mlflow.logged_models import find_model
from studio_ext.mlflow.run_state import find_active_run, find_run
from studio_ext.mlflow.uris import ArtifactPlace, find_place
from studio_ext.operations import FileReply

PREFIX = r"/(?:ajax-)?api/2\.0/mlflow-artifacts"
MAX_UPLOAD_BYTES = 2**40
WRITE_BYTES = 1024 * 1024


@web.stream_request_body
class ArtifactHandler(MlflowHandler):
    """One file or folder: its bytes, uploaded in pieces to a file without a name, then kept."""

    path = PREFIX + r"/artifacts/(?P<artifact_path>.*)"
    auth_resource = "experiments"

    _refusal: Exception | None = None
    _upload: IO[bytes] | None = None
    _waiting: list[bytes]
    _size = 0

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself
        """Refuse an upload that the caller may not do: a big one at once, a small one when its bytes have come.

        A client that is still sending when the connection is closed does not always see why it was.
        """
        self._waiting = []
        try:
            await super().prepare()
            if self.request.method == "PUT":
                await self._authorize("write")
        except (AtelierError, web.HTTPError) as error:
            size = self.request.headers.get("Content-Length", "")
            if self.request.method != "PUT" or not size.isdecimal() or int(size) > WRITE_BYTES:
                raise
            self._refusal = error
            return
        if self.request.method == "PUT":
            self.request.connection.set_max_body_size(MAX_UPLOAD_BYTES)  # type: ignore[union-attr]  # HTTP/1 has it
            self._upload = await self._run_in_thread(self._open_upload)

    async def data_received(self, chunk: bytes) -> None:
        """Keep a piece of an upload; of other requests the body is ignored."""
        if self._upload is None:
            return
        self._waiting.append(chunk)
        self._size += len(chunk)
        if self._size >= WRITE_BYTES:
            await self._write_waiting()

    def on_finish(self) -> None:
        """Let go of the upload, also when the client went away."""
        if self._upload is not None:
            self._upload.close()
        super().on_finish()

    def on_connection_close(self) -> None:
        """Let go of the upload when the client goes away half-way."""
        if self._upload is not None:
            self._upload.close()
        super().on_connection_close()

    @web.authenticated
    async def get(self, artifact_path: str) -> None:
        """Send a file as a download."""
        await self._send(artifact_path)

    @web.authenticated
    async def head(self, artifact_path: str) -> None:
        """Answer what a download would say of itself, without the bytes."""
        await self._send(artifact_path)

    @web.authenticated
    async def put(self, artifact_path: str) -> None:
        """Keep an uploaded file."""
        if self._refusal is not None:
            raise self._refusal
        await self._write_waiting()
        upload, context, user_name = self._upload, self.context, self.user_name
        assert upload is not None

        def work() -> None:
            upload.seek(0)
            with acting_user(user_name):
                _keep_file(context, check_path(unquote(artifact_path)), upload)

        await self._run_in_thread(work)
        self.send_json({})

    @web.authenticated
    async def delete(self, artifact_path: str) -> None:
        """Delete a file, or a folder with everything in it."""
        await self._authorize("write")
        context, user_name = self.context, self.user_name

        def work() -> None:
            with acting_user(user_name):
                _delete(context, check_path(unquote(artifact_path)))

        await self._run_in_thread(work)
        self.send_json({})

    async def _send(self, artifact_path: str) -> None:
        await self._authorize("read")
        context = self.context
        await self._send_file(
            await self._run_in_thread(lambda: _open_file(context, check_path(unquote(artifact_path))))
        )

    def _open_upload(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self.workspace.root, prefix=".upload-")

    async def _write_waiting(self) -> None:
        pieces, self._waiting, self._size = self._waiting, [], 0
        upload = self._upload
        if pieces and upload is not None:
            await self._run_in_thread(lambda: upload.writelines(pieces))


class ArtifactListHandler(MlflowHandler):
    """What is in a folder below the artifact root."""

    path = PREFIX + "/artifacts"
    auth_resource = "experiments"

    @web.authenticated
    async def get(self) -> None:
        """List the files and folders directly inside it, by their names."""
        await self._authorize("read")
        context, path = self.context, self.get_query_argument("path", "")
        self.send_json(await self._run_in_thread(lambda: _list(context, check_path(path))))


class MultipartHandler(MlflowHandler):
    """Uploads in parts and presigned addresses: for stores that clients reach by themselves, which this is not."""

    path = PREFIX + r"/(?:mpu/(?:create|complete|abort)|presigned)/.*"
    auth_resource = "experiments"

    @web.authenticated
    async def get(self) -> None:
        """Refuse a presigned address."""
        await self._authorize("read")
        raise MlflowError(NOT_IMPLEMENTED, "Presigned download is not supported for the current artifact repository")

    @web.authenticated
    async def post(self) -> None:
        """Refuse an upload in parts."""
        await self._authorize("write")
        raise MlflowError(NOT_IMPLEMENTED, "Multipart upload is not supported for the current artifact repository")


def _open_file(context: Context, path: str) -> FileReply:
    place = find_place(path)
    if place is not None:
        return open_artifact(context, place, path)
    name = PurePosixPath(path).name
    try:
        file, size = loose_files.open_file(context.workspace, path)
    except (NotFoundError, InvalidArgumentError) as error:
        raise no_artifact(path) from error
    return FileReply(file, name, size, mimetypes.guess_type(name)[0] or "application/octet-stream")


def open_artifact(context: Context, place: ArtifactPlace, shown: str) -> FileReply:
    """Open a file of a run or a logged model for download; `shown` is what the client calls it."""
    if place.is_logged_model:
        find_model(context, place.owner_id, include_deleted=True)
        kept = logged_models.files(place.owner_id, workspace=context.workspace)
        found = {file.path: (file.sha256, file.size) for file in kept}.get(place.path)
    else:
        artifacts = find_run(context, place.owner_id).artifacts
        found = {record.path: (record.sha256, record.size) for record in artifacts}.get(place.path)
    if found is None:
        raise no_artifact(shown)
    name = PurePosixPath(place.path).name
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileReply(context.workspace.artifacts.open(found[0]), name, found[1], media_type)


def _keep_file(context: Context, path: str, upload: Any) -> None:
    place = find_place(path)
    if place is None:
        loose_files.put_file(context.workspace, path, upload)
        return
    if not place.path:
        raise invalid("Invalid path")
    if place.is_logged_model:
        find_model(context, place.owner_id)
        logged_models.put_artifact(place.owner_id, place.path, upload, workspace=context.workspace)
    else:
        find_active_run(context, place.owner_id).put_artifact(place.path, upload)


def _delete(context: Context, path: str) -> None:
    place = find_place(path)
    try:
        if place is None:
            loose_files.delete_file(context.workspace, path)
        elif place.is_logged_model:
            find_model(context, place.owner_id, include_deleted=True)
            for name in [place.path] if place.path else _names(context, place):
                logged_models.delete_artifact(place.owner_id, name, workspace=context.workspace)
        else:
            run = find_run(context, place.owner_id)
            for name in [place.path] if place.path else _names(context, place):
                run.delete_artifact(name)
    except (NotFoundError, InvalidArgumentError) as error:
        raise no_artifact(path) from error


def _list(context: Context, path: str) -> dict[str, Any]:
    place = find_place(path)
    if place is not None:
        entries = write_entries(_files(context, place), place.path)
    else:
        entries = [
            {"path": name, "is_dir": True} if size is None else {"path": name, "is_dir": False, "file_size": size}
            for name, size in loose_files.list_files(context.workspace, path)
        ]
    named = [{**entry, "path": PurePosixPath(entry["path"]).name} for entry in entries]
    return {"files": named} if named else {}


def _files(context: Context, place: ArtifactPlace) -> list[tuple[str, int]]:
    if place.is_logged_model:
        find_model(context, place.owner_id, include_deleted=True)
        files = logged_models.files(place.owner_id, workspace=context.workspace)
        return [(file.path, file.size) for file in files]
    return [(record.path, record.size) for record in find_run(context, place.owner_id).artifacts]


def _names(context: Context, place: ArtifactPlace) -> list[str]:
    return [entry["path"] for entry in write_entries(_files(context, place), "")]


def no_artifact(path: str) -> MlflowError:
    """Return the error for a file that is not there."""
    return MlflowError(RESOURCE_DOES_NOT_EXIST, f"No such artifact: '{path}'")

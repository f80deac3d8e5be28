"""The paths below ``artifacts/``: what a run kept. The bytes go through `artifact_proxy`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import between, required, string, whole
from studio_ext.mlflow.errors import invalid
from studio_ext.mlflow.limits import check_path
from studio_ext.mlflow.messages import Message
from studio_ext.mlflow.run_state import find_run, write_info

MAX_EXPIRATION = 604_800


def list_artifacts(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List the files and folders directly inside a folder of a run."""
    folder = check_path(request.get("path", ""))
    run = find_run(context, request["run_id"])
    entries = write_entries([(record.path, record.size) for record in run.artifacts], folder)
    root_uri = write_info(context, run)["artifact_uri"]
    return {"root_uri": root_uri, "files": entries} if entries else {"root_uri": root_uri}


def presign_upload(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Refuse: files go through this server."""
    if bool(request.get("run_id")) == bool(request.get("model_id")):
        raise invalid("Exactly one of run_id and model_id must be provided.")
    check_path(request["path"])
    raise _not_presigned("upload")


def presign_download(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Refuse: files go through this server."""
    check_path(request["path"])
    find_run(context, request["run_id"])
    raise _not_presigned("download")


def write_entries(files: Iterable[tuple[str, int]], folder: str) -> list[dict[str, Any]]:
    """Return what is directly inside a folder, out of the paths and sizes of all files.

    Parameters
    ----------
    files
        Paths, relative to the same root as `folder`, and sizes.
    folder
        The folder; empty for the root. A file has nothing inside.

    Returns
    -------
    list of dict
        Path, relative to the root, and size of files; folders have no size.
    """
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, size in files:
        if path.startswith(prefix):
            name, _, rest = path[len(prefix) :].partition("/")
            entry = {"path": prefix + name, "is_dir": bool(rest)}
            entries[name] = entry if rest else {**entry, "file_size": size}
    return [entries[name] for name in sorted(entries)]


def _not_presigned(direction: str) -> Exception:
    return invalid(
        f"Presigned {direction} is not supported for proxied artifact storage (artifact URI scheme: mlflow-artifacts). "
        "Files go through this server."
    )


EXPIRATION = between(1, MAX_EXPIRATION, f"expiration must be between 1 and {MAX_EXPIRATION} seconds.")

ENDPOINTS = [
    Endpoint(
        "GET",
        "artifacts/list",
        list_artifacts,
        Message(run_id="string", run_uuid="string", path="string", page_token="string"),
        {"run_id": [string, required], "path": [string], "page_token": [string]},
    ),
    Endpoint(
        "POST",
        "artifacts/presigned-upload-url",
        presign_upload,
        Message(run_id="string", model_id="string", path="string", expiration="int64"),
        {"run_id": [string], "model_id": [string], "path": [required, string], "expiration": [whole]},
    ),
    Endpoint(
        "POST",
        "artifacts/presigned-download-url",
        presign_download,
        Message(run_id="string", path="string", expiration="int64"),
        {"run_id": [required, string], "path": [required, string], "expiration": [whole, EXPIRATION]},
        action="read",
    ),
]

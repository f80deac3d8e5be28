"""Where the files of a new model version come from, and whether the client may say so.

A source is ``runs:/<run>/<path>``, ``mlflow-artifacts:/...``, ``models:/<logged model>``, ``models:/<name>/<version>``,
or the URI of a store that this server does not look into. A path of this machine is never read: a client must not make
the server show its own files.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote, urlparse

from kernel_tools import registry
from kernel_tools.core.errors import NotFoundError
from kernel_tools.registry import logged_models
from kernel_tools.registry.records import LoggedModelRecord, ModelFile, VersionRecord
from studio_ext.mlflow.api import Context
from studio_ext.mlflow.errors import MlflowError, invalid, missing
from studio_ext.mlflow.logged_models import find_model, write_model
from studio_ext.mlflow.run_state import find_run, write_info
from studio_ext.mlflow.uris import ArtifactPlace, find_place

ARTIFACTS_ROUTE = "/api/2.0/mlflow-artifacts/artifacts/"
MODEL_ID = re.compile(r"m-[0-9a-zA-Z_-]+")


@dataclass(frozen=True)
class Source:
    """What a client says about a version's origin, checked.

    Parameters
    ----------
    uri
        What the version says as its source.
    run_id, model_id
        The run and the logged model that it comes from, empty if there is none.
    place
        Where its files are in this workspace, None if they are somewhere else.
    version
        The version that it is a copy of.
    storage_uri
        Where clients find the files, empty if that is `uri` itself.
    """

    uri: str
    run_id: str
    model_id: str
    place: ArtifactPlace | None = None
    version: VersionRecord | None = None
    storage_uri: str = ""


def resolve_source(context: Context, request: dict[str, Any]) -> Source:
    """Check the source of a new version against the run and the logged model that the client names.

    Raises
    ------
    MlflowError
        INVALID_PARAMETER_VALUE if the source is not within that run or model, or is a path of this machine.
    """
    uri, run_id, model_id = request["source"], request.get("run_id", ""), request.get("model_id", "")
    parsed = urlparse(uri)
    if parsed.scheme in ("", "file") or len(parsed.scheme) == 1:
        return _from_local(context, uri, run_id)
    _refuse_relative(uri)
    if parsed.scheme == "models":
        return _from_models(context, request, parsed.netloc)
    if parsed.scheme == "runs":
        source_run, _, path = parsed.path.strip("/").partition("/")
        if parsed.netloc or model_id or source_run != run_id:
            _refuse(uri, "model_id" if model_id else "run_id")
        return Source(uri, run_id, "", ArtifactPlace("", run_id, False, unquote(path)))
    place = _place_of(uri)
    if place is not None:
        owner, named = (model_id, "model_id") if model_id else (run_id, "run_id")
        if place.owner_id != owner or place.is_logged_model != bool(model_id):
            _refuse(uri, named)
    return Source(uri, run_id or _run_of(context, model_id), model_id, place)


def collect_files(context: Context, source: Source) -> list[ModelFile]:
    """Return the files of a source, with paths relative to it; none if they are somewhere else."""
    if source.version is not None:
        return source.version.files
    place = source.place
    if place is None:
        return []
    if place.is_logged_model:
        found = logged_models.files(place.owner_id, workspace=context.workspace)
    else:
        artifacts = find_run(context, place.owner_id).artifacts
        found = [ModelFile(record.path, record.size, record.sha256) for record in artifacts]
    prefix = f"{place.path.strip('/')}/" if place.path.strip("/") else ""
    return [
        ModelFile(file.path[len(prefix) :], file.size, file.sha256) for file in found if file.path.startswith(prefix)
    ]


def _from_local(context: Context, uri: str, run_id: str) -> Source:
    """Accept a path of a machine only below the artifact root that the client chose for the run's experiment; the
    files stay with the client: this server never reads it."""
    root = urlparse(write_info(context, find_run(context, run_id))["artifact_uri"]) if run_id else None
    path = posixpath.normpath(unquote(urlparse(uri).path))
    if root is None or root.scheme not in ("", "file") or not f"{path}/".startswith(f"{unquote(root.path)}/"):
        raise invalid(
            f"Invalid model version source: '{uri}'. To use a local path as a model version source, the run_id request "
            "parameter has to be specified and the local path has to be contained within the artifact directory of "
            "the run specified by the run_id."
        )
    return Source(uri, run_id, "")


def _from_models(context: Context, request: dict[str, Any], authority: str) -> Source:
    uri, run_id, model_id = request["source"], request.get("run_id", ""), request.get("model_id", "")
    if authority:
        _refuse(uri, "model_id")
    name, _, number = unquote(urlparse(uri).path).strip("/").partition("/")
    if not number and MODEL_ID.fullmatch(name):
        if name != model_id:
            _refuse(uri, "model_id")
        model = _named_model(context, uri, model_id)
        return Source(
            uri,
            run_id or model.source_run_id or "",
            model_id,
            place=ArtifactPlace("", model_id, True, ""),
            storage_uri=write_model(context, model)["info"]["artifact_uri"],
        )
    version = _named_version(context, uri, name, number)
    is_other_run = "run_id" in request and run_id != (version.run_id or "")
    if is_other_run or ("model_id" in request and model_id != (version.model_id or "")):
        raise invalid(
            f"Invalid model version source: '{uri}'. The run_id and model_id request parameters must match the "
            "referenced model version."
        )
    plain = f"models:/{version.model}/{version.version}"
    storage_uri = version.storage_uri or version.source
    return Source(plain, version.run_id or "", version.model_id or "", version=version, storage_uri=storage_uri)


def _named_version(context: Context, uri: str, name: str, number: str) -> VersionRecord:
    """Return the version that ``name/3``, ``name/latest``, ``name/Production`` or ``name@alias`` means."""
    if not number and "@" in name:
        name, _, alias = name.rpartition("@")
        return registry.get(name, alias=alias, workspace=context.workspace).record
    if number.isdecimal():
        try:
            return registry.get(name, int(number), workspace=context.workspace).record
        except NotFoundError as error:
            raise missing(f"Model Version (name={name}, version={number}) not found") from error
    if number.lower() == "latest":
        return registry.get(name, workspace=context.workspace).record
    if number:
        found = registry.latest_versions(name, [number], workspace=context.workspace)
        if found:
            return found[0]
    _refuse(uri, "model_id")


def _named_model(context: Context, uri: str, model_id: str) -> LoggedModelRecord:
    try:
        return find_model(context, model_id)
    except MlflowError:
        _refuse(uri, "model_id")


def _run_of(context: Context, model_id: str) -> str:
    return (find_model(context, model_id).source_run_id or "") if model_id else ""


def _place_of(uri: str) -> ArtifactPlace | None:
    parsed = urlparse(uri)
    if parsed.scheme == "mlflow-artifacts":
        path = parsed.path
    elif parsed.scheme in ("http", "https") and ARTIFACTS_ROUTE in parsed.path:
        path = parsed.path.partition(ARTIFACTS_ROUTE)[2]
    else:
        return None
    place = find_place(unquote(path).strip("/"))
    if place is None:
        _refuse(uri, "run_id")
    return place


def _refuse_relative(uri: str) -> None:
    plain = uri
    for _ in range(10):
        plain, before = unquote(plain), plain
        if plain == before:
            break
    path = urlparse(plain).path
    if "\0" in plain or ".." in plain.split("/") or "/./" in f"{path}/" or "\\" in plain:
        raise invalid(
            f"Invalid model version source: '{uri}'. If supplying a source as an http, https, local file path, ftp, "
            "objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references "
            "present. Please provide an absolute path."
        )


def _refuse(uri: str, parameter: str) -> NoReturn:
    raise invalid(
        f"Invalid model version source: '{uri}'. The {parameter} request parameter must identify the resource that "
        "contains the source."
    )

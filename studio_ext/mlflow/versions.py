"""The paths below ``model-versions/``."""

from __future__ import annotations

from typing import Any

from kernel_tools import registry
from kernel_tools.core.errors import NotFoundError
from kernel_tools.registry.records import VersionRecord
from studio_ext.mlflow import paging
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import array, at_most, boolean, required, string, strings, whole
from studio_ext.mlflow.errors import missing
from studio_ext.mlflow.experiments import TAG
from studio_ext.mlflow.limits import check_key, check_model_name, check_model_tag, check_version
from studio_ext.mlflow.messages import Message, write_pairs
from studio_ext.mlflow.sources import collect_files, resolve_source

MAX_PAGE = 200_000
NO_VERSION = 2**31
"""Above every number that a catalog can hold."""
DEFAULT_ORDER = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]


def create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the next version of a model from files that a client logged, or from somewhere else."""
    name = check_model_name(request["name"])
    tags = dict(check_model_tag(tag) for tag in request.get("tags", []))
    source = resolve_source(context, request)
    try:
        registry.get_model(name, workspace=context.workspace)
    except NotFoundError as error:
        raise missing(f"Registered Model with name={name} not found") from error
    version = registry.create_version_from_source(
        name,
        source.uri,
        run_id=source.run_id or None,
        files=collect_files(context, source),
        storage_uri=source.storage_uri,
        model_id=source.model_id or None,
        description=request.get("description", ""),
        tags=tags,
        run_link=request.get("run_link", ""),
        workspace=context.workspace,
    )
    return {"model_version": write_version(version)}


def get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show a version."""
    return {"model_version": write_version(find_version(context, request["name"], request["version"]))}


def update(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Give a version another description."""
    version = find_version(context, request["name"], request["version"])
    description = request.get("description", "")
    changed = registry.describe_version(version.model, version.version, description, workspace=context.workspace)
    return {"model_version": write_version(changed)}


def transition_stage(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Move a version to a stage."""
    version = find_version(context, request["name"], request["version"])
    changed = registry.set_stage(
        version.model,
        version.version,
        request["stage"],
        request.get("archive_existing_versions", False),
        workspace=context.workspace,
    )
    return {"model_version": write_version(changed)}


def delete(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a version; its number is not given again."""
    version = find_version(context, request["name"], request["version"])
    registry.delete_version(version.model, version.version, workspace=context.workspace)
    return {}


def search(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one page of versions."""
    limit = paging.check_limit(request.get("max_results", MAX_PAGE), MAX_PAGE)
    page, token = paging.read_page(
        lambda size, start: registry.search_version_records(
            request.get("filter", ""),
            request.get("order_by") or DEFAULT_ORDER,
            size,
            start,
            workspace=context.workspace,
        ),
        limit,
        request.get("page_token"),
    )
    return paging.write_page("model_versions", [write_version(version) for version in page], token)


def get_download_uri(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer where the files of a version are."""
    version = find_version(context, request.get("name", ""), request.get("version", ""))
    return {"artifact_uri": version.storage_uri or version.source}


def set_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set a tag."""
    check_model_name(request["name"])
    key, value = check_model_tag(request)
    version = find_version(context, request["name"], request["version"])
    registry.set_version_tags(version.model, version.version, {key: value}, workspace=context.workspace)
    return {}


def delete_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a tag; nothing happens if there is none."""
    check_key(request["key"], "key")
    version = find_version(context, request["name"], request["version"])
    registry.delete_version_tag(version.model, version.version, request["key"], workspace=context.workspace)
    return {}


def find_version(context: Context, name: str, version: str) -> VersionRecord:
    """Return a version by its model's name and its number."""
    check_model_name(name)
    number = check_version(version)
    try:
        if not 0 < number < NO_VERSION:
            raise NotFoundError(f"No version has the number {number}.")
        return registry.get(name, number, workspace=context.workspace).record
    except NotFoundError as error:
        raise missing(f"Model Version (name={name}, version={number}) not found") from error


def write_version(version: VersionRecord) -> dict[str, Any]:
    """Return a version as the protocol has it."""
    content: dict[str, Any] = {
        "name": version.model,
        "version": str(version.version),
        "creation_timestamp": version.created_at,
        "last_updated_timestamp": version.updated_at or version.created_at,
        "user_id": version.created_by,
        "current_stage": version.stage.value,
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id or "",
        "run_link": version.run_link,
        "status": "READY",
        "tags": write_pairs(version.tags),
        "aliases": version.aliases,
    }
    return {name: value for name, value in content.items() if value != []}


NAMED = Message(name="string", version="string")
HAS_VERSION = {"name": [string, required], "version": [string, required]}


def _endpoint(method: str, path: str, answer: Any, message: Message, **checks: Any) -> Endpoint:
    return Endpoint(method, f"model-versions/{path}", answer, message, {**HAS_VERSION, **checks})


ENDPOINTS = [
    Endpoint(
        "POST",
        "model-versions/create",
        create,
        Message(
            name="string",
            source="string",
            run_id="string",
            tags=[TAG],
            run_link="string",
            description="string",
            model_id="string",
        ),
        {
            "name": [string, required],
            "source": [string, required],
            "run_id": [string],
            "tags": [array],
            "run_link": [string],
            "description": [string],
            "model_id": [string],
        },
    ),
    _endpoint("GET", "get", get, NAMED),
    _endpoint(
        "PATCH", "update", update, Message(name="string", version="string", description="string"), description=[string]
    ),
    _endpoint(
        "POST",
        "transition-stage",
        transition_stage,
        Message(name="string", version="string", stage="string", archive_existing_versions="bool"),
        stage=[string, required],
        archive_existing_versions=[boolean],
    ),
    _endpoint("DELETE", "delete", delete, NAMED),
    Endpoint(
        "GET",
        "model-versions/search",
        search,
        Message(filter="string", max_results="int64", order_by=["string"], page_token="string"),
        {
            "filter": [string],
            "max_results": [whole, at_most(MAX_PAGE)],
            "order_by": [array, strings],
            "page_token": [string],
        },
    ),
    Endpoint("GET", "model-versions/get-download-uri", get_download_uri, NAMED),
    _endpoint(
        "POST",
        "set-tag",
        set_tag,
        Message(name="string", version="string", key="string", value="string"),
        key=[string, required],
        value=[string],
    ),
    _endpoint(
        "DELETE",
        "delete-tag",
        delete_tag,
        Message(name="string", version="string", key="string"),
        key=[string, required],
    ),
]

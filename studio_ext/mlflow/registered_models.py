"""The paths below ``registered-models/``."""

from __future__ import annotations

from typing import Any

from kernel_tools import registry
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.registry.records import ModelGroup
from studio_ext.mlflow import paging
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import array, at_most, required, string, strings, whole
from studio_ext.mlflow.errors import RESOURCE_ALREADY_EXISTS, MlflowError, invalid, missing
from studio_ext.mlflow.experiments import TAG
from studio_ext.mlflow.limits import (
    check_alias,
    check_key,
    check_model_name,
    check_model_tag,
    check_new_alias,
)
from studio_ext.mlflow.messages import Message, write_pairs
from studio_ext.mlflow.versions import find_version, write_version

NAME = Message(name="string")
HAS_NAME = {"name": [string, required]}
MAX_PAGE = 1000


def create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make a model without versions."""
    name = check_model_name(request["name"])
    tags = dict(check_model_tag(tag) for tag in request.get("tags", []))
    try:
        group = registry.create_model(name, request.get("description", ""), tags, workspace=context.workspace)
    except ConflictError as error:
        raise MlflowError(RESOURCE_ALREADY_EXISTS, f"Registered Model (name={name}) already exists. {error}") from error
    return {"registered_model": _write_group(context, group)}


def get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show a model."""
    return {"registered_model": _write_group(context, find_group(context, request["name"]))}


def update(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Give a model another description."""
    name = find_group(context, request["name"]).name
    group = registry.describe_model(name, request.get("description", ""), workspace=context.workspace)
    return {"registered_model": _write_group(context, group)}


def rename(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Rename a model."""
    new_name = check_model_name(request["new_name"], "new_name")
    name = find_group(context, request["name"]).name
    try:
        group = registry.rename_model(name, new_name, workspace=context.workspace)
    except ConflictError as error:
        message = f"Registered Model (name={new_name}) already exists. {error}"
        raise MlflowError(RESOURCE_ALREADY_EXISTS, message) from error
    return {"registered_model": _write_group(context, group)}


def delete(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a model with its versions."""
    registry.delete_model(find_group(context, request["name"]).name, workspace=context.workspace)
    return {}


def search(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one page of models."""
    limit = paging.check_limit(request.get("max_results", 100), MAX_PAGE)
    order_by = request.get("order_by") or ["name ASC"]
    page, token = paging.read_page(
        lambda size, start: registry.search_model_records(
            request.get("filter", ""), order_by, size, start, workspace=context.workspace
        ),
        limit,
        request.get("page_token"),
    )
    return paging.write_page("registered_models", [_write_group(context, group) for group in page], token)


def get_latest_versions(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer the newest version in every stage."""
    name = find_group(context, request["name"]).name
    versions = registry.latest_versions(name, request.get("stages", []), workspace=context.workspace)
    return {"model_versions": [write_version(version) for version in versions]} if versions else {}


def set_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set a tag."""
    key, value = check_model_tag(request)
    name = find_group(context, request["name"]).name
    registry.set_model_tags(name, {key: value}, workspace=context.workspace)
    return {}


def delete_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a tag; nothing happens if there is none."""
    key = check_key(request["key"], "key")
    registry.delete_model_tag(find_group(context, request["name"]).name, key, workspace=context.workspace)
    return {}


def set_alias(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Give a version an alias."""
    name, alias = check_model_name(request["name"]), check_new_alias(request["alias"])
    version = find_version(context, name, request["version"])
    registry.set_alias(name, alias, version.version, workspace=context.workspace)
    return {}


def delete_alias(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Take an alias away; nothing happens if there is none."""
    alias = check_alias(request["alias"])
    registry.delete_alias(find_group(context, request["name"]).name, alias, workspace=context.workspace)
    return {}


def get_by_alias(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show the version that has an alias; ``latest`` is the newest one."""
    alias = check_alias(request["alias"])
    group = find_group(context, request["name"])
    if alias.lower() == "latest":
        if group.latest_version is None:
            raise missing(f"Latest version not found for model {group.name}.")
        number = group.latest_version
    elif alias in group.aliases:
        number = group.aliases[alias]
    else:
        raise invalid(f"Registered model alias {alias} not found.")
    return {"model_version": write_version(find_version(context, group.name, str(number)))}


def find_group(context: Context, name: str) -> ModelGroup:
    """Return a model by its name."""
    check_model_name(name)
    try:
        return registry.get_model(name, workspace=context.workspace)
    except NotFoundError as error:
        raise missing(f"Registered Model with name={name} not found") from error


def _write_group(context: Context, group: ModelGroup) -> dict[str, Any]:
    versions = registry.latest_versions(group.name, workspace=context.workspace) if group.version_count else []
    content = {
        "name": group.name,
        "creation_timestamp": group.created_at,
        "last_updated_timestamp": group.updated_at,
        "description": group.description,
        "latest_versions": [write_version(version) for version in versions],
        "tags": write_pairs(group.tags),
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in sorted(group.aliases.items())],
    }
    return {name: value for name, value in content.items() if value not in ("", [])}


def _endpoint(method: str, path: str, answer: Any, message: Message, **checks: Any) -> Endpoint:
    return Endpoint(method, f"registered-models/{path}", answer, message, {**HAS_NAME, **checks})


ALIAS = Message(name="string", alias="string")
STAGES = Message(name="string", stages=["string"])

ENDPOINTS = [
    _endpoint(
        "POST",
        "create",
        create,
        Message(name="string", tags=[TAG], description="string", deployment_job_id="string"),
        tags=[array],
        description=[string],
    ),
    _endpoint("GET", "get", get, NAME),
    _endpoint("PATCH", "update", update, Message(name="string", description="string"), description=[string]),
    _endpoint("POST", "rename", rename, Message(name="string", new_name="string"), new_name=[string, required]),
    _endpoint("DELETE", "delete", delete, NAME),
    Endpoint(
        "GET",
        "registered-models/search",
        search,
        Message(filter="string", max_results="int64", order_by=["string"], page_token="string"),
        {
            "filter": [string],
            "max_results": [whole, at_most(MAX_PAGE)],
            "order_by": [array, strings],
            "page_token": [string],
        },
    ),
    _endpoint("GET", "get-latest-versions", get_latest_versions, STAGES, stages=[array, strings]),
    Endpoint(
        "POST",
        "registered-models/get-latest-versions",
        get_latest_versions,
        STAGES,
        {**HAS_NAME, "stages": [array, strings]},
        action="read",
    ),
    _endpoint(
        "POST",
        "set-tag",
        set_tag,
        Message(name="string", key="string", value="string"),
        key=[string, required],
        value=[string],
    ),
    _endpoint("DELETE", "delete-tag", delete_tag, Message(name="string", key="string"), key=[string, required]),
    _endpoint(
        "POST",
        "alias",
        set_alias,
        Message(name="string", alias="string", version="string"),
        alias=[string, required],
        version=[string, required],
    ),
    _endpoint("DELETE", "alias", delete_alias, ALIAS, alias=[string, required]),
    _endpoint("GET", "alias", get_by_alias, ALIAS, alias=[string, required]),
]

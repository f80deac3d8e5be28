"""The paths below ``experiments/``."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlparse

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.experiments.dataset_search import list_datasets
from kernel_tools.experiments.records import ARTIFACT_LOCATION_TAG, Experiment, Lifecycle
from studio_ext.mlflow import paging
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import array, required, string, whole
from studio_ext.mlflow.errors import (
    INVALID_STATE,
    RESOURCE_ALREADY_EXISTS,
    MlflowError,
    invalid,
    missing,
)
from studio_ext.mlflow.limits import check_experiment_id, check_experiment_name, check_experiment_tag
from studio_ext.mlflow.messages import VIEW_TYPE, Message, write_pairs
from studio_ext.mlflow.uris import experiment_uri

TAG = Message(key="string", value="string")
ID = Message(experiment_id="string")
HAS_ID = {"experiment_id": [required, string]}
MAX_LOCATION = 2048
MAX_DATASET_EXPERIMENTS = 20
MAX_DATASETS = 1000
DEFAULT_ORDER = ["creation_time DESC", "experiment_id ASC"]


def create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make an experiment."""
    name = check_experiment_name(request["name"])
    tags = dict(check_experiment_tag(tag) for tag in request.get("tags", []))
    location = request.get("artifact_location", "")
    if location:
        tags[ARTIFACT_LOCATION_TAG] = _check_location(location)
    try:
        experiment = experiments.create_experiment(name, tags, workspace=context.workspace)
    except ConflictError as error:
        raise MlflowError(RESOURCE_ALREADY_EXISTS, f"Experiment(name={name}) already exists. {error}") from error
    return {"experiment_id": experiment.id}


def get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show an experiment, also a deleted one."""
    return {"experiment": write_experiment(find(context, request["experiment_id"]))}


def get_by_name(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show an experiment by its name, also a deleted one."""
    name = request["experiment_name"]
    try:
        experiment = experiments.get_experiment(name, workspace=context.workspace)
    except NotFoundError as error:
        raise missing(f"Could not find experiment with name '{name}'") from error
    return {"experiment": write_experiment(experiment)}


def delete(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an experiment and its runs, restorably."""
    experiment = find(context, request["experiment_id"], Lifecycle.ACTIVE)
    experiments.delete_experiment(experiment.id, workspace=context.workspace)
    return {}


def restore(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Restore a deleted experiment and its runs."""
    experiment = find(context, request["experiment_id"], Lifecycle.DELETED)
    experiments.restore_experiment(experiment.id, workspace=context.workspace)
    return {}


def update(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Rename an experiment."""
    new_name = check_experiment_name(request["new_name"])
    experiment = find(context, request["experiment_id"])
    if experiment.lifecycle is not Lifecycle.ACTIVE:
        raise MlflowError(INVALID_STATE, "Cannot rename a non-active experiment.")
    try:
        experiments.rename_experiment(experiment.id, new_name, workspace=context.workspace)
    except ConflictError as error:
        raise MlflowError(RESOURCE_ALREADY_EXISTS, f"Experiment(name={new_name}) already exists. {error}") from error
    return {}


def search(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one page of experiments."""
    limit = paging.check_limit(request.get("max_results", 0))
    page, token = paging.read_page(
        lambda size, start: experiments.search_experiment_records(
            request.get("filter", ""),
            request.get("order_by") or DEFAULT_ORDER,
            request.get("view_type", "ACTIVE_ONLY"),
            size,
            start,
            workspace=context.workspace,
        ),
        limit,
        request.get("page_token"),
    )
    return paging.write_page("experiments", [write_experiment(experiment) for experiment in page], token)


def search_datasets(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer which datasets the active runs of some experiments read, each once."""
    ids = request.get("experiment_ids", [])
    if not ids:
        raise invalid("SearchDatasets request must specify at least one experiment_id.")
    if len(ids) > MAX_DATASET_EXPERIMENTS:
        raise invalid(
            f"SearchDatasets request cannot specify more than {MAX_DATASET_EXPERIMENTS} experiment_ids. Received "
            f"{len(ids)} experiment_ids."
        )
    found = list_datasets(context.workspace.database, [check_experiment_id(item) for item in ids], MAX_DATASETS)
    summaries = [
        {"experiment_id": item.experiment_id, "name": item.name, "digest": item.digest}
        | ({"context": item.context} if item.context is not None else {})
        for item in found
    ]
    return {"dataset_summaries": summaries} if summaries else {}


def set_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set a tag."""
    key, value = check_experiment_tag(request)
    experiment = find_active(context, request["experiment_id"])
    experiments.set_experiment_tags(experiment.id, {key: value}, workspace=context.workspace)
    return {}


def delete_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a tag."""
    key = request["key"]
    experiment = find_active(context, request["experiment_id"])
    if key not in experiment.tags or key == ARTIFACT_LOCATION_TAG:
        raise missing(f"No tag with name: {key} in experiment with id {experiment.id}")
    experiments.delete_experiment_tag(experiment.id, key, workspace=context.workspace)
    return {}


def find(context: Context, experiment_id: str, lifecycle: Lifecycle | None = None) -> Experiment:
    """Return an experiment by its id; one of the other lifecycle does not exist."""
    plain_id = check_experiment_id(experiment_id)
    try:
        experiment = experiments.get_experiment(id=plain_id, workspace=context.workspace)
    except NotFoundError as error:
        raise missing(f"No Experiment with id={plain_id} exists") from error
    if lifecycle is not None and experiment.lifecycle is not lifecycle:
        raise missing(f"No Experiment with id={plain_id} exists")
    return experiment


def find_active(context: Context, experiment_id: str) -> Experiment:
    """Return an experiment that may be changed."""
    experiment = find(context, experiment_id)
    if experiment.lifecycle is not Lifecycle.ACTIVE:
        raise invalid(
            f"The experiment {experiment.id} must be in the 'active' state. Current state is {experiment.lifecycle}."
        )
    return experiment


def write_experiment(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as the protocol has it."""
    tags = {key: value for key, value in sorted(experiment.tags.items()) if key != ARTIFACT_LOCATION_TAG}
    content: dict[str, Any] = {
        "experiment_id": experiment.id,
        "name": experiment.name,
        "artifact_location": experiment_uri(experiment),
        "lifecycle_stage": experiment.lifecycle.value,
        "last_update_time": experiment.updated_at,
        "creation_time": experiment.created_at,
    }
    return content | ({"tags": write_pairs(tags)} if tags else {})


def _check_location(location: str) -> str:
    """Return an artifact location that clients can reach by themselves, or through this server.

    A path of this machine becomes an absolute one, as with MLflow: clients write there, this server never reads it.
    """
    parsed = urlparse(location)
    if parsed.fragment or parsed.params:
        raise invalid("'artifact_location' URL can't include fragments or params.")
    if parsed.scheme in ("runs", "models") or len(location) > MAX_LOCATION or not location.isprintable():
        raise invalid(
            f"Invalid artifact_location: '{location[:200]}'. Give none, so that this server keeps the artifacts, or "
            "the URI of a store that clients reach by themselves, such as s3://bucket/folder."
        )
    if ".." in unquote(parsed.path).split("/"):
        raise invalid(f"Invalid artifact_location: '{location[:200]}'. It must not hold '..'.")
    return location if parsed.scheme else os.path.abspath(location)


SEARCH = Message(max_results="int64", page_token="string", filter="string", order_by=["string"], view_type=VIEW_TYPE)
SEARCH_CHECKS = {
    "view_type": [whole],
    "max_results": [whole],
    "order_by": [array],
    "filter": [string],
    "page_token": [string],
}

ENDPOINTS = [
    Endpoint(
        "POST",
        "experiments/create",
        create,
        Message(name="string", artifact_location="string", tags=[TAG]),
        {"name": [required, string], "artifact_location": [string], "tags": [array]},
    ),
    Endpoint("GET", "experiments/get", get, ID, HAS_ID),
    Endpoint(
        "GET",
        "experiments/get-by-name",
        get_by_name,
        Message(experiment_name="string"),
        {"experiment_name": [required, string]},
    ),
    Endpoint("POST", "experiments/delete", delete, ID, HAS_ID),
    Endpoint("POST", "experiments/restore", restore, ID, HAS_ID),
    Endpoint(
        "POST",
        "experiments/update",
        update,
        Message(experiment_id="string", new_name="string"),
        {**HAS_ID, "new_name": [string, required]},
    ),
    Endpoint("GET", "experiments/search", search, SEARCH, SEARCH_CHECKS),
    Endpoint("POST", "experiments/search", search, SEARCH, SEARCH_CHECKS, action="read"),
    Endpoint(
        "POST",
        "experiments/search-datasets",
        search_datasets,
        Message(experiment_ids=["string"]),
        action="read",
    ),
    Endpoint(
        "POST",
        "experiments/set-experiment-tag",
        set_tag,
        Message(experiment_id="string", key="string", value="string"),
        {**HAS_ID, "key": [required, string], "value": [string]},
    ),
    Endpoint(
        "POST",
        "experiments/delete-experiment-tag",
        delete_tag,
        Message(experiment_id="string", key="string"),
        {**HAS_ID, "key": [required, string]},
    ),
]

"""The paths below ``logged-models/``: models as clients of MLflow 3 log them."""

from __future__ import annotations

from typing import Any

from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.registry import logged_models
from kernel_tools.registry.logged_model_search import Dataset, Order
from kernel_tools.registry.logged_model_search import search as search_records
from kernel_tools.registry.records import LoggedModelRecord, LoggedModelStatus
from studio_ext.mlflow import paging
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.artifacts import write_entries
from studio_ext.mlflow.checks import array, required, string, strings, whole
from studio_ext.mlflow.errors import RESOURCE_DOES_NOT_EXIST, MlflowError, invalid, missing
from studio_ext.mlflow.experiments import TAG, find, find_active
from studio_ext.mlflow.limits import check_experiment_id, check_logged_model_name, check_path
from studio_ext.mlflow.messages import LOGGED_MODEL_STATUS, Message, write_number, write_pairs
from studio_ext.mlflow.uris import experiment_uri, logged_model_uri

STATUSES = {
    "LOGGED_MODEL_STATUS_UNSPECIFIED": LoggedModelStatus.UNSPECIFIED,
    "LOGGED_MODEL_PENDING": LoggedModelStatus.PENDING,
    "LOGGED_MODEL_READY": LoggedModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": LoggedModelStatus.FAILED,
}
STATUS_NAMES = {status: name for name, status in STATUSES.items()}


def create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Begin a logged model; its files follow."""
    name = request.get("name") or None
    if name is not None:
        check_logged_model_name(name)
    experiment = find_active(context, request["experiment_id"])
    model = logged_models.create(
        experiment.id,
        name,
        request.get("model_type", ""),
        request.get("source_run_id") or None,
        _texts(request.get("params", [])),
        _texts(request.get("tags", [])),
        workspace=context.workspace,
    )
    return {"model": write_model(context, model)}


def get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show a logged model; a deleted one only if it is asked for."""
    model = find_model(context, request["model_id"], include_deleted=request.get("allow_deleted", False))
    return {"model": write_model(context, model)}


def finalize(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Say whether all files have arrived."""
    find_model(context, request["model_id"], include_deleted=True)
    status = STATUSES[request["status"]]
    model = logged_models.finalize(request["model_id"], status, workspace=context.workspace)
    return {"model": write_model(context, model)}


def delete(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a logged model."""
    find_model(context, request["model_id"], include_deleted=True)
    logged_models.delete(request["model_id"], workspace=context.workspace)
    return {}


def search(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one page of logged models."""
    datasets = request.get("datasets", [])
    if not all(dataset.get("dataset_name") for dataset in datasets):
        raise invalid("`dataset_name` in the `datasets` clause must be specified.")
    ids = [check_experiment_id(experiment_id) for experiment_id in request["experiment_ids"]]
    wanted = [Dataset(dataset["dataset_name"], dataset.get("dataset_digest") or None) for dataset in datasets]
    order_by = [
        Order(
            order.get("field_name", ""),
            order.get("ascending", True),
            order.get("dataset_name") or None,
            order.get("dataset_digest") or None,
        )
        for order in request.get("order_by", [])
    ]
    page, token = paging.read_page(
        lambda size, start: search_records(
            ids,
            request.get("filter", ""),
            wanted,
            order_by,
            size,
            start,
            workspace=context.workspace,
        ),
        paging.check_limit(request.get("max_results") or 50),
        request.get("page_token"),
    )
    return paging.write_page("models", [write_model(context, model) for model in page], token)


def set_tags(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set tags."""
    find_model(context, request["model_id"], include_deleted=True)
    logged_models.set_tags(request["model_id"], _texts(request.get("tags", [])), workspace=context.workspace)
    return {}


def delete_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a tag."""
    model_id, key = request["model_id"], request["tag_key"]
    if key not in find_model(context, model_id, include_deleted=True).tags:
        raise missing(f"No tag with key {key!r} found for model with ID {model_id!r}.")
    logged_models.delete_tag(model_id, key, workspace=context.workspace)
    return {}


def log_params(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Log parameters."""
    find_model(context, request["model_id"], include_deleted=True)
    try:
        logged_models.log_params(request["model_id"], _texts(request.get("params", [])), workspace=context.workspace)
    except ConflictError as error:
        raise invalid(f"Changing param values is not allowed. {error}") from error
    return {}


def list_files(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List the files and folders directly inside a folder of a logged model."""
    folder = check_path(request.get("artifact_directory_path", ""))
    model = find_model(context, request["model_id"])
    files = logged_models.files(model.id, workspace=context.workspace)
    entries = write_entries([(file.path, file.size) for file in files], folder)
    root_uri = _uri(context, model)
    return {"root_uri": root_uri, "files": entries} if entries else {"root_uri": root_uri}


def find_model(context: Context, model_id: str, *, include_deleted: bool = False) -> LoggedModelRecord:
    """Return a logged model by its id."""
    try:
        return logged_models.get(model_id, include_deleted, workspace=context.workspace)
    except NotFoundError as error:
        raise MlflowError(RESOURCE_DOES_NOT_EXIST, f"Logged model with ID '{model_id}' not found.") from error


def write_model(context: Context, model: LoggedModelRecord) -> dict[str, Any]:
    """Return a logged model as the protocol has it."""
    info: dict[str, Any] = {
        "experiment_id": model.experiment_id,
        "model_id": model.id,
        "name": model.name,
        "artifact_uri": _uri(context, model),
        "creation_timestamp_ms": model.created_at,
        "last_updated_timestamp_ms": model.updated_at,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id or "",
        "status": STATUS_NAMES[model.status],
        "tags": write_pairs(model.tags),
    }
    metrics = [
        {
            "key": metric.key,
            "value": write_number(metric.value),
            "timestamp": metric.timestamp,
            "step": metric.step,
            "model_id": model.id,
            "run_id": metric.run_id,
            "dataset_name": metric.dataset_name,
            "dataset_digest": metric.dataset_digest,
        }
        for metric in model.metrics
    ]
    data = {
        "params": write_pairs(model.params),
        "metrics": [{name: value for name, value in metric.items() if value is not None} for metric in metrics],
    }
    return {
        "info": {name: value for name, value in info.items() if value != []},
        "data": {name: value for name, value in data.items() if value},
    }


def _uri(context: Context, model: LoggedModelRecord) -> str:
    return logged_model_uri(experiment_uri(find(context, model.experiment_id)), model.id)


def _texts(pairs: list[dict[str, Any]]) -> dict[str, str]:
    return {pair.get("key", ""): pair.get("value", "") for pair in pairs}


MODEL = Message(model_id="string")
HAS_ID = {"model_id": [string, required]}

ENDPOINTS = [
    Endpoint(
        "POST",
        "logged-models",
        create,
        Message(
            experiment_id="string",
            name="string",
            model_type="string",
            source_run_id="string",
            params=[TAG],
            tags=[TAG],
        ),
        {
            "experiment_id": [string, required],
            "name": [string],
            "model_type": [string],
            "source_run_id": [string],
            "params": [array],
            "tags": [array],
        },
    ),
    Endpoint(
        "POST",
        "logged-models/search",
        search,
        Message(
            experiment_ids=["string"],
            filter="string",
            datasets=[Message(dataset_name="string", dataset_digest="string")],
            max_results="int32",
            order_by=[Message(field_name="string", ascending="bool", dataset_name="string", dataset_digest="string")],
            page_token="string",
        ),
        {
            "experiment_ids": [array, strings, required],
            "filter": [string],
            "datasets": [array],
            "max_results": [whole],
            "order_by": [array],
            "page_token": [string],
        },
        action="read",
    ),
    Endpoint("GET", "logged-models/{model_id}", get, Message(model_id="string", allow_deleted="bool")),
    Endpoint(
        "PATCH",
        "logged-models/{model_id}",
        finalize,
        Message(model_id="string", status=LOGGED_MODEL_STATUS),
        {**HAS_ID, "status": [whole, required]},
    ),
    Endpoint("DELETE", "logged-models/{model_id}", delete, MODEL),
    Endpoint(
        "PATCH",
        "logged-models/{model_id}/tags",
        set_tags,
        Message(model_id="string", tags=[TAG]),
        {"tags": [array]},
    ),
    Endpoint(
        "DELETE", "logged-models/{model_id}/tags/{tag_key}", delete_tag, Message(model_id="string", tag_key="string")
    ),
    Endpoint(
        "POST",
        "logged-models/{model_id}/params",
        log_params,
        Message(model_id="string", params=[TAG]),
        {**HAS_ID, "params": [array]},
    ),
    Endpoint(
        "GET",
        "logged-models/{model_id}/artifacts/directories",
        list_files,
        Message(model_id="string", artifact_directory_path="string", page_token="string"),
        {"artifact_directory_path": [string]},
    ),
]

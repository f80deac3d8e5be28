"""The paths below ``runs/``."""

from __future__ import annotations

import json
import uuid
from typing import Any

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError
from kernel_tools.experiments.records import RunStatus
from kernel_tools.experiments.run import Run, start_run
from studio_ext.mlflow import paging
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import array, at_most, each_has, number, required, string, strings, whole
from studio_ext.mlflow.errors import invalid, missing
from studio_ext.mlflow.experiments import TAG, find_active
from studio_ext.mlflow.limits import (
    check_batch,
    check_experiment_id,
    check_metric,
    check_param,
    check_run_id,
    check_tag,
)
from studio_ext.mlflow.messages import RUN_STATUS, VIEW_TYPE, Message
from studio_ext.mlflow.metrics import write_points
from studio_ext.mlflow.run_inputs import log_model_metrics
from studio_ext.mlflow.run_state import NAME_TAG, find_active_run, find_run, write_info, write_run, write_runs

ID = Message(run_id="string", run_uuid="string")
HAS_ID = {"run_id": [required, string]}
LOGGED_MODELS_TAG = "mlflow.log-model.history"
USER_TAG = "mlflow.user"
MODEL_FIELDS = {"artifact_path", "flavors", "utc_time_created", "run_id"}
KEPT_MODEL_FIELDS = ("run_id", "utc_time_created", "artifact_path", "model_uuid")


def create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start a run of a client."""
    experiment = find_active(context, request.get("experiment_id", ""))
    tags = {tag.get("key", ""): tag.get("value", "") for tag in request.get("tags", [])}
    name, name_tag = request.get("run_name", ""), tags.get(NAME_TAG, "")
    if name and name_tag and name != name_tag:
        raise invalid(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{name}', mlflow.runName='{name_tag}')."
        )
    run_id = uuid.uuid4().hex
    shown_name = name or name_tag or f"run-{run_id[:8]}"
    run = start_run(
        None,
        shown_name,
        tags={**tags, NAME_TAG: shown_name},
        experiment_id=experiment.id,
        run_id=run_id,
        started_at=request.get("start_time"),
        user=request.get("user_id") or tags.get(USER_TAG),
        owned=False,
        workspace=context.workspace,
    )
    return {"run": write_run(context, run)}


def get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show a run, also a deleted one."""
    return {"run": write_run(context, find_run(context, request["run_id"]))}


def update(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change a run's status, end and name."""
    run = find_active_run(context, request["run_id"])
    if "status" in request or "end_time" in request:
        _set_status(run, request.get("status", run.status.value), request.get("end_time"))
    if request.get("run_name"):
        _set_tags(run, {NAME_TAG: request["run_name"]})
    return {"run_info": write_info(context, run)}


def delete(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a run, restorably."""
    find_run(context, request["run_id"]).delete()
    return {}


def restore(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Restore a deleted run."""
    find_run(context, request["run_id"]).restore()
    return {}


def search(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one page of runs."""
    ids = [check_experiment_id(experiment_id) for experiment_id in request.get("experiment_ids", [])]
    limit = paging.check_limit(request.get("max_results", 1000))
    if not ids:
        paging.read_offset(request.get("page_token"))
        return {}
    page, token = paging.read_page(
        lambda size, start: experiments.search_run_records(
            filter=request.get("filter", ""),
            order_by=request.get("order_by", []),
            limit=size,
            page_token=start,
            view=request.get("run_view_type", "ACTIVE_ONLY"),
            experiment_ids=ids,
            workspace=context.workspace,
        ),
        limit,
        request.get("page_token"),
    )
    return paging.write_page("runs", write_runs(context, page), token)


def log_metric(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Log one point."""
    check_metric(request)
    run = find_active_run(context, request["run_id"])
    log_model_metrics(context, run, [request])
    write_points(context, run.id, [request])
    return {}


def log_parameter(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Log one parameter; it cannot be changed."""
    key, value = check_param(request)
    run = find_active_run(context, request["run_id"])
    _log_params(run, {key: value})
    return {}


def log_batch(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Log metrics, parameters and tags."""
    run_id = check_run_id(request["run_id"])
    metrics, params, tags = (request.get(name, []) for name in ("metrics", "params", "tags"))
    for position, metric in enumerate(metrics):
        check_metric(metric, f"metrics[{position}]")
    param_texts = dict(check_param(param, f"params[{position}]") for position, param in enumerate(params))
    tag_texts = dict(check_tag(tag, f"tags[{position}]") for position, tag in enumerate(tags))
    check_batch(metrics, params, tags)
    run = find_active_run(context, run_id)
    if param_texts:
        _log_params(run, param_texts)
    if metrics:
        write_points(context, run.id, metrics)
        log_model_metrics(context, run, metrics)
    if tag_texts:
        _set_tags(run, tag_texts)
    return {}


def set_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set one tag."""
    key, value = check_tag(request)
    _set_tags(find_active_run(context, request["run_id"]), {key: value})
    return {}


def delete_tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete one tag."""
    run, key = find_active_run(context, request["run_id"]), request["key"]
    if key not in run.tags:
        raise missing(f"No tag with name: {key} in run with id {run.id}")
    run.delete_tag(key)
    return {}


def log_model(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Note a model of an old client (before MLflow 3) in the run's tags."""
    try:
        model = json.loads(request["model_json"])
    except ValueError:
        raise invalid(f"Malformed model info. \n {request['model_json']} \n is not a valid JSON.") from None
    absent = MODEL_FIELDS - set(model) if isinstance(model, dict) else MODEL_FIELDS
    if absent or not isinstance(model["flavors"], dict):
        raise invalid(f"Model json is missing mandatory fields: {sorted(absent)}")
    run = find_active_run(context, request["run_id"])
    kept = {key: model[key] for key in KEPT_MODEL_FIELDS if key in model}
    kept["flavors"] = {flavor: _without_config(settings) for flavor, settings in model["flavors"].items()}
    history = [*json.loads(run.tags.get(LOGGED_MODELS_TAG, "[]")), kept]
    run.set_tag(LOGGED_MODELS_TAG, json.dumps(history))
    return {}


def _without_config(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {key: value for key, value in settings.items() if key != "config"}


def _set_status(run: Run, status: str, ended_at: int | None) -> None:
    """Bring a run into a status; unlike in the library it may have ended before, in another one."""
    wanted, before = RunStatus(status), run.record
    if wanted.is_open:
        if not before.status.is_open:
            run.resume(owned=False)
    elif before.status is not wanted or ended_at is not None:
        if not before.status.is_open:
            run.resume(owned=False)
        run.finish(wanted, before.ended_at if ended_at is None else ended_at)


def _log_params(run: Run, texts: dict[str, str]) -> None:
    try:
        run.log_params(texts)
    except ConflictError as error:
        raise invalid(f"Changing param values is not allowed. {error}") from error


def _set_tags(run: Run, texts: dict[str, str]) -> None:
    if texts.get(NAME_TAG):
        run.rename(texts[NAME_TAG])
    run.set_tags(texts)


METRIC = Message(
    key="string",
    value="double",
    timestamp="int64",
    step="int64",
    model_id="string",
    dataset_name="string",
    dataset_digest="string",
    run_id="string",
)

ENDPOINTS = [
    Endpoint(
        "POST",
        "runs/create",
        create,
        Message(experiment_id="string", user_id="string", run_name="string", start_time="int64", tags=[TAG]),
        {"experiment_id": [string], "start_time": [whole], "run_name": [string]},
    ),
    Endpoint("GET", "runs/get", get, ID, HAS_ID),
    Endpoint(
        "POST",
        "runs/update",
        update,
        Message(run_id="string", run_uuid="string", status=RUN_STATUS, end_time="int64", run_name="string"),
        {**HAS_ID, "end_time": [whole], "status": [string], "run_name": [string]},
    ),
    Endpoint("POST", "runs/delete", delete, ID, HAS_ID),
    Endpoint("POST", "runs/restore", restore, ID, HAS_ID),
    Endpoint(
        "POST",
        "runs/search",
        search,
        Message(
            experiment_ids=["string"],
            filter="string",
            run_view_type=VIEW_TYPE,
            max_results="int32",
            order_by=["string"],
            page_token="string",
        ),
        {
            "experiment_ids": [array],
            "filter": [string],
            "max_results": [whole, at_most(paging.MAX_RESULTS)],
            "order_by": [array, strings],
        },
        action="read",
    ),
    Endpoint(
        "POST",
        "runs/log-metric",
        log_metric,
        Message(**METRIC.fields, run_uuid="string"),
        {
            **HAS_ID,
            "key": [required, string],
            "value": [required, number],
            "timestamp": [whole, required],
            "step": [whole],
            "model_id": [string],
            "dataset_name": [string],
            "dataset_digest": [string],
        },
    ),
    Endpoint(
        "POST",
        "runs/log-parameter",
        log_parameter,
        Message(run_id="string", run_uuid="string", key="string", value="string"),
        {**HAS_ID, "key": [required, string], "value": [string]},
    ),
    Endpoint(
        "POST",
        "runs/log-batch",
        log_batch,
        Message(run_id="string", metrics=[METRIC], params=[TAG], tags=[TAG]),
        {
            "run_id": [string, required],
            "metrics": [array, each_has("key", "value", "timestamp")],
            "params": [array, each_has("key")],
            "tags": [array, each_has("key")],
        },
    ),
    Endpoint(
        "POST",
        "runs/set-tag",
        set_tag,
        Message(run_id="string", run_uuid="string", key="string", value="string"),
        {**HAS_ID, "key": [required, string], "value": [string]},
    ),
    Endpoint(
        "POST",
        "runs/delete-tag",
        delete_tag,
        Message(run_id="string", key="string"),
        {**HAS_ID, "key": [required, string]},
    ),
    Endpoint(
        "POST",
        "runs/log-model",
        log_model,
        Message(run_id="string", model_json="string"),
        {"run_id": [string, required], "model_json": [string, required]},
    ),
]

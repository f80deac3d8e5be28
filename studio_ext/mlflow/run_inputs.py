"""What a run read and made: datasets and logged models, and the metrics of logged models."""

from __future__ import annotations

import json
from typing import Any

from kernel_tools.experiments.records import MODEL_INPUTS_TAG, MODEL_OUTPUTS_TAG, DatasetInput
from kernel_tools.experiments.run import Run
from kernel_tools.registry import logged_models
from kernel_tools.registry.records import LoggedMetric
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import array, required, string
from studio_ext.mlflow.experiments import TAG
from studio_ext.mlflow.limits import check_dataset, check_run_id
from studio_ext.mlflow.messages import Message
from studio_ext.mlflow.run_state import (
    CONTEXT_TAG,
    find_active_run,
    read_models,
)


def log_inputs(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Note datasets and logged models that a run read."""
    check_run_id(request["run_id"])
    inputs = []
    for item in request.get("datasets", []):
        tags = item.get("tags", [])
        check_dataset(item.get("dataset"), tags)
        inputs.append(_read_dataset(item["dataset"], {tag.get("key", ""): tag.get("value", "") for tag in tags}))
    run = find_active_run(context, request["run_id"])
    if inputs:
        run.log_inputs(inputs)
    models = [{"model_id": model.get("model_id", "")} for model in request.get("models", [])]
    _add_models(run, MODEL_INPUTS_TAG, models)
    return {}


def log_outputs(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Note logged models that a run made."""
    run = find_active_run(context, request["run_id"])
    models = [
        {"model_id": model.get("model_id", ""), "step": model.get("step", 0)} for model in request.get("models", [])
    ]
    _add_models(run, MODEL_OUTPUTS_TAG, models)
    return {}


def log_model_metrics(context: Context, run: Run, metrics: list[dict[str, Any]]) -> None:
    """Note the metrics that name a logged model with that model."""
    by_model: dict[str, list[LoggedMetric]] = {}
    for metric in metrics:
        if metric.get("model_id"):
            by_model.setdefault(metric["model_id"], []).append(
                LoggedMetric(
                    key=metric["key"],
                    value=metric.get("value", 0.0),
                    timestamp=metric.get("timestamp", 0),
                    step=metric.get("step", 0),
                    run_id=run.id,
                    dataset_name=metric.get("dataset_name") or None,
                    dataset_digest=metric.get("dataset_digest") or None,
                )
            )
    for model_id, found in by_model.items():
        logged_models.log_metrics(model_id, found, workspace=context.workspace)


def _read_dataset(dataset: dict[str, Any], tags: dict[str, str]) -> DatasetInput:
    role = tags.pop(CONTEXT_TAG, None)
    return DatasetInput(
        name=dataset.get("name", ""),
        digest=dataset.get("digest", ""),
        source_type=dataset.get("source_type", ""),
        source=dataset.get("source", ""),
        schema=dataset.get("schema", ""),
        profile=dataset.get("profile", ""),
        context=role,
        tags=tags,
    )


def _add_models(run: Run, tag: str, models: list[dict[str, Any]]) -> None:
    if models:
        known = read_models(run.tags, tag)
        run.set_tag(tag, json.dumps([*known, *(model for model in models if model not in known)]))


DATASET = Message(
    name="string", digest="string", source_type="string", source="string", schema="string", profile="string"
)

ENDPOINTS = [
    Endpoint(
        "POST",
        "runs/log-inputs",
        log_inputs,
        Message(
            run_id="string",
            datasets=[Message(tags=[TAG], dataset=DATASET)],
            models=[Message(model_id="string")],
        ),
        {"run_id": [required, string], "datasets": [array], "models": [array]},
    ),
    Endpoint(
        "POST",
        "runs/outputs",
        log_outputs,
        Message(run_id="string", models=[Message(model_id="string", step="int64")]),
        {"run_id": [required, string], "models": [required, array]},
    ),
]

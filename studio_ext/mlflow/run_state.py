"""A run as the protocol has it: found, checked to be active, and written with its data, inputs and outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kernel_tools import experiments
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.experiments.catalog import effective_lifecycle
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import (
    MODEL_INPUTS_TAG,
    MODEL_OUTPUTS_TAG,
    DatasetInput,
    Lifecycle,
    RunRecord,
)
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_details import read_inputs, read_latest_points
from kernel_tools.experiments.run_files import RunDocument, RunFolder
from kernel_tools.experiments.segment import Point
from studio_ext.mlflow.api import Context
from studio_ext.mlflow.errors import invalid, missing
from studio_ext.mlflow.messages import write_number, write_pairs
from studio_ext.mlflow.uris import experiment_uri, run_uri

NAME_TAG = "mlflow.runName"
CONTEXT_TAG = "mlflow.data.context"
HIDDEN_TAGS = frozenset({MODEL_INPUTS_TAG, MODEL_OUTPUTS_TAG})


def find_run(context: Context, run_id: str) -> Run:
    """Return a run, also a deleted one."""
    _load(context, run_id)
    return Run(context.workspace, run_id)


def find_active_run(context: Context, run_id: str) -> Run:
    """Return a run that may be changed."""
    lifecycle = effective_lifecycle(context.workspace, _load(context, run_id))
    if lifecycle is not Lifecycle.ACTIVE:
        raise invalid(f"The run {run_id} must be in the 'active' state. Current state is {lifecycle.value}.")
    return Run(context.workspace, run_id)


def write_info(context: Context, run: Run) -> dict[str, Any]:
    """Return what a run is, without its data."""
    record = run.record
    return _write_info(record, _roots(context, [record])[record.experiment_id])


def write_run(context: Context, run: Run) -> dict[str, Any]:
    """Return a run with its data, inputs and outputs."""
    record = run.record
    points = read_latest(RunFolder(context.workspace, run.id))
    return _write_run(record, points, run.inputs, _roots(context, [record])[record.experiment_id])


def write_runs(context: Context, records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return runs with their data, inputs and outputs."""
    roots = _roots(context, records)
    ids = [record.id for record in records]
    points = read_latest_points(context.workspace, ids)
    inputs = read_inputs(context.workspace, ids)
    return [
        _write_run(record, points[record.id], inputs.get(record.id, []), roots[record.experiment_id])
        for record in records
    ]


def read_models(tags: Mapping[str, str], tag: str) -> list[dict[str, Any]]:
    """Return the logged models that a run read or made."""
    try:
        models: list[dict[str, Any]] = json.loads(tags.get(tag, "[]"))
    except ValueError:
        return []
    return models


def _load(context: Context, run_id: str) -> RunDocument:
    try:
        return RunFolder(context.workspace, run_id).load()
    except (InvalidArgumentError, NotFoundError) as error:
        raise missing(f"Run with id={run_id} not found") from error


def _roots(context: Context, records: Sequence[RunRecord]) -> dict[str, str]:
    ids = {record.experiment_id for record in records}
    return {
        experiment_id: experiment_uri(experiments.get_experiment(id=experiment_id, workspace=context.workspace))
        for experiment_id in ids
    }


def _write_info(record: RunRecord, root: str) -> dict[str, Any]:
    info = {
        "run_id": record.id,
        "run_uuid": record.id,
        "run_name": record.name,
        "experiment_id": record.experiment_id,
        "user_id": record.user,
        "status": record.status.value,
        "start_time": record.started_at,
        "artifact_uri": run_uri(root, record.id),
        "lifecycle_stage": record.lifecycle.value,
    }
    if record.ended_at:
        info["end_time"] = record.ended_at
    return info


def _write_run(
    record: RunRecord, points: Mapping[str, Point], inputs: Sequence[DatasetInput], root: str
) -> dict[str, Any]:
    tags = {NAME_TAG: record.name, **{key: value for key, value in record.tags.items() if key not in HIDDEN_TAGS}}
    data = {
        "metrics": [_write_point(points[key]) for key in sorted(points)],
        "params": write_pairs(record.params),
        "tags": write_pairs(tags),
    }
    read = {
        "dataset_inputs": [_write_dataset(item) for item in inputs],
        "model_inputs": read_models(record.tags, MODEL_INPUTS_TAG),
    }
    made = {"model_outputs": read_models(record.tags, MODEL_OUTPUTS_TAG)}
    return {
        "info": _write_info(record, root),
        **{name: _drop_empty(part) for name, part in (("data", data), ("inputs", read), ("outputs", made))},
    }


def _write_point(point: Point) -> dict[str, Any]:
    value = write_number(point.value)
    return {"key": point.key, "value": value, "timestamp": point.timestamp, "step": point.step}


def _write_dataset(item: DatasetInput) -> dict[str, Any]:
    tags = dict(item.tags) if item.context is None else {CONTEXT_TAG: item.context, **item.tags}
    dataset = {
        "name": item.name,
        "digest": item.digest,
        "source_type": item.source_type,
        "source": item.source,
        "schema": item.schema,
        "profile": item.profile,
    }
    kept = {name: text for name, text in dataset.items() if text or name not in ("schema", "profile")}
    return _drop_empty({"tags": write_pairs(tags), "dataset": kept})


def _drop_empty(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part without its empty lists, which JSON of protocol buffers leaves out."""
    return {name: content for name, content in part.items() if content != []}

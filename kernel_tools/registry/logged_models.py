"""Logged models (MLflow 3): files that a run logs as a model, before anybody makes a version of them."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping
from typing import IO, Any, BinaryIO

import sqlalchemy as sa

from kernel_tools.core.audit import current_user
from kernel_tools.core.database import insert_or_update
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.records import ArtifactEntry
from kernel_tools.registry.groups import brief, now
from kernel_tools.registry.logged_model_rows import check_path, list_folder, read_files, read_record, read_records
from kernel_tools.registry.logged_model_search import Dataset, Order, search
from kernel_tools.registry.names import validate_tags
from kernel_tools.registry.records import LoggedMetric, LoggedModelRecord, LoggedModelStatus, ModelFile
from kernel_tools.registry.tables import (
    logged_model_files,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
)

__all__ = [
    "Dataset",
    "Order",
    "create",
    "delete",
    "delete_artifact",
    "delete_tag",
    "files",
    "finalize",
    "get",
    "list_artifacts",
    "log_metrics",
    "log_params",
    "of_run",
    "open_artifact",
    "put_artifact",
    "search",
    "set_tags",
]

BAD_NAME_CHARACTERS = "/:.%\"'"
MAX_NAME = 500


def create(
    experiment_id: str,
    name: str | None = None,
    model_type: str = "",
    source_run_id: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace | None = None,
) -> LoggedModelRecord:
    """Begin a logged model; it is PENDING until `finalize`.

    Parameters
    ----------
    experiment_id
        The id of its experiment.
    name
        1 to 500 characters without ``/ : . % " '``. Default: ``model-`` and part of its id.
    model_type
        What the client calls it; any text.
    source_run_id
        The run that logs it.
    params, tags
        Kept as texts.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such experiment.
    InvalidArgumentError
        If the name, a parameter or a tag cannot be used.
    """
    from kernel_tools import experiments

    workspace = workspace or current_workspace()
    if name is not None and (not 0 < len(name) <= MAX_NAME or set(name) & set(BAD_NAME_CHARACTERS)):
        raise InvalidArgumentError(
            f"Invalid model name {name[:80]!r}: use 1 to {MAX_NAME} characters without {' '.join(BAD_NAME_CHARACTERS)}"
        )
    texts, labels = validate_tags(params or {}), validate_tags(tags or {})
    experiment = experiments.get_experiment(id=experiment_id, workspace=workspace)
    if experiment.lifecycle != "active":
        raise InvalidArgumentError(
            f"The experiment {experiment.name!r} is deleted and takes no models. Restore it first, or use another one."
        )
    model_id, time_now = f"m-{uuid.uuid4().hex}", now()
    row = {
        "id": model_id,
        "experiment_id": experiment.id,
        "name": name if name is not None else f"model-{model_id[2:10]}",
        "model_type": model_type or "",
        "source_run_id": source_run_id,
        "status": LoggedModelStatus.PENDING.value,
        "lifecycle": "active",
        "created_at": time_now,
        "updated_at": time_now,
        "created_by": current_user(),
    }
    with workspace.database.write() as connection:
        connection.execute(logged_models.insert().values(row))
        _put(connection, logged_model_params, model_id, texts)
        _put(connection, logged_model_tags, model_id, labels)
        details = {"name": row["name"], "run_id": source_run_id, "experiment_id": experiment.id}
        workspace.audit.record("logged_model.create", model_id, details)
        return read_record(connection, model_id)


def get(model_id: str, include_deleted: bool = False, *, workspace: Workspace | None = None) -> LoggedModelRecord:
    """Return a logged model; NotFoundError if there is none, or it is deleted and `include_deleted` is False."""
    with (workspace or current_workspace()).database.read() as connection:
        return read_record(connection, model_id, include_deleted)


def of_run(run_id: str, *, workspace: Workspace | None = None) -> list[LoggedModelRecord]:
    """Return the models that a run logged, the oldest first (at most 1000)."""
    table = logged_models.c
    query = sa.select(logged_models).where(table.source_run_id == run_id, table.lifecycle == "active")
    with (workspace or current_workspace()).database.read() as connection:
        rows = connection.execute(query.order_by(table.created_at, table.id).limit(1000)).all()
        return read_records(connection, rows)


def finalize(
    model_id: str, status: LoggedModelStatus | str, *, workspace: Workspace | None = None
) -> LoggedModelRecord:
    """Say that the files have arrived (READY) or will not (FAILED).

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidArgumentError
        If there is no such status.
    """
    workspace = workspace or current_workspace()
    try:
        wanted = LoggedModelStatus(status)
    except ValueError:
        known = ", ".join(item.value for item in LoggedModelStatus)
        raise InvalidArgumentError(f"{status!r} is not a status of a logged model: use {known}.") from None
    with workspace.database.write() as connection:
        read_record(connection, model_id, include_deleted=True)
        values = {"status": wanted.value, "updated_at": now()}
        connection.execute(logged_models.update().where(logged_models.c.id == model_id).values(values))
        workspace.audit.record("logged_model.finalize", model_id, {"status": wanted.value})
        return read_record(connection, model_id, include_deleted=True)


def delete(model_id: str, *, workspace: Workspace | None = None) -> None:
    """Delete a logged model; versions that were made of it keep their files. NotFoundError if there is none."""
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        read_record(connection, model_id, include_deleted=True)
        values = {"lifecycle": "deleted", "updated_at": now()}
        connection.execute(logged_models.update().where(logged_models.c.id == model_id).values(values))
        workspace.audit.record("logged_model.delete", model_id)


def set_tags(model_id: str, tags: Mapping[str, Any], *, workspace: Workspace | None = None) -> LoggedModelRecord:
    """Set tags; a tag that exists gets the new value. NotFoundError if there is no such model."""
    workspace = workspace or current_workspace()
    texts = validate_tags(tags)
    with workspace.database.write() as connection:
        read_record(connection, model_id, include_deleted=True)
        _put(connection, logged_model_tags, model_id, texts)
        workspace.audit.record("logged_model.tag", model_id, {"tags": brief(texts)})
        return read_record(connection, model_id, include_deleted=True)


def delete_tag(model_id: str, key: str, *, workspace: Workspace | None = None) -> None:
    """Delete a tag; NotFoundError if there is no such model, or it has no such tag."""
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        read_record(connection, model_id, include_deleted=True)
        is_tag = (logged_model_tags.c.model_id == model_id) & (logged_model_tags.c.key == key)
        if connection.execute(logged_model_tags.delete().where(is_tag)).rowcount == 0:
            raise NotFoundError(f"The logged model {model_id!r} has no tag {key!r}.")
        workspace.audit.record("logged_model.untag", model_id, {"key": key})


def log_params(model_id: str, params: Mapping[str, Any], *, workspace: Workspace | None = None) -> LoggedModelRecord:
    """Log parameters.

    Raises
    ------
    NotFoundError
        If there is no such model.
    ConflictError
        If a parameter has another value already.
    """
    workspace = workspace or current_workspace()
    texts = validate_tags(params)
    with workspace.database.write() as connection:
        have = read_record(connection, model_id, include_deleted=True).params
        for key, value in texts.items():
            if have.get(key, value) != value:
                raise ConflictError(
                    f"Parameter {key!r} of the logged model {model_id!r} is {have[key][:80]!r} and cannot become "
                    f"{value[:80]!r}. Log a metric or a tag for what changes."
                )
        _put(connection, logged_model_params, model_id, texts)
        workspace.audit.record("logged_model.params", model_id, {"params": brief(texts)})
        return read_record(connection, model_id, include_deleted=True)


def log_metrics(model_id: str, metrics: Iterable[LoggedMetric], *, workspace: Workspace | None = None) -> None:
    """Log values of metrics, such as those that a run logs with a model's id; the same point again changes nothing.

    Raises
    ------
    NotFoundError
        If there is no such model.
    """
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        read_record(connection, model_id, include_deleted=True)
        put_metrics(connection, model_id, metrics)


def put_metrics(connection: sa.Connection, model_id: str, metrics: Iterable[LoggedMetric]) -> None:
    """Write values of metrics of a logged model in the transaction of the caller."""
    rows = {}
    for metric in metrics:
        value = None if math.isnan(metric.value) else metric.value
        row = {
            name: getattr(metric, name)
            for name in ("key", "timestamp", "step", "run_id", "dataset_name", "dataset_digest")
        }
        rows[metric.key, metric.timestamp, metric.step, metric.run_id] = {**row, "model_id": model_id, "value": value}
    insert_or_update(connection, logged_model_metrics, list(rows.values()))


def put_artifact(model_id: str, path: str, content: BinaryIO, *, workspace: Workspace | None = None) -> ModelFile:
    """Keep a file of the model, in place of one of the same path.

    Parameters
    ----------
    model_id
        The logged model.
    path
        Relative, with ``/``, without ``..``.
    content
        A binary stream; read to its end.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidArgumentError
        If this cannot be a path.
    """
    workspace = workspace or current_workspace()
    check_path(path)
    get(model_id, workspace=workspace)
    blob = workspace.artifacts.put_stream(content)
    row = {"model_id": model_id, "path": path, "size": blob.size, "sha256": blob.sha256}
    with workspace.database.write() as connection:
        insert_or_update(connection, logged_model_files, [row])
        workspace.audit.record("logged_model.file", model_id, {"path": path, "sha256": blob.sha256})
    return ModelFile(path, blob.size, blob.sha256)


def files(model_id: str, *, workspace: Workspace | None = None) -> list[ModelFile]:
    """Return all files of a logged model, by path; NotFoundError if there is no such model."""
    with (workspace or current_workspace()).database.read() as connection:
        read_record(connection, model_id, include_deleted=True)
        return read_files(connection, model_id)


def list_artifacts(model_id: str, folder: str = "", *, workspace: Workspace | None = None) -> list[ArtifactEntry]:
    """Return the files and folders directly in a folder of the model, by path; NotFoundError if there is no model."""
    return list_folder(files(model_id, workspace=workspace), folder)


def open_artifact(model_id: str, path: str, *, workspace: Workspace | None = None) -> IO[bytes]:
    """Open a file for reading; NotFoundError if there is no such model or file."""
    workspace = workspace or current_workspace()
    for file in files(model_id, workspace=workspace):
        if file.path == path:
            return workspace.artifacts.open(file.sha256)
    raise NotFoundError(f"The logged model {model_id!r} has no file {path!r}.")


def delete_artifact(model_id: str, path: str, *, workspace: Workspace | None = None) -> int:
    """Delete a file, or everything below a folder, and return how many files that were."""
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        read_record(connection, model_id, include_deleted=True)
        paths = [file.path for file in read_files(connection, model_id)]
        gone = [item for item in paths if item == path or item.startswith(f"{path.rstrip('/')}/")]
        for item in gone:
            is_file = (logged_model_files.c.model_id == model_id) & (logged_model_files.c.path == item)
            connection.execute(logged_model_files.delete().where(is_file))
        if gone:
            workspace.audit.record("logged_model.unfile", model_id, {"path": path, "files": len(gone)})
    return len(gone)


def _put(connection: sa.Connection, table: sa.Table, model_id: str, texts: Mapping[str, str]) -> None:
    rows = [{"model_id": model_id, "key": key, "value": value} for key, value in texts.items()]
    insert_or_update(connection, table, rows)

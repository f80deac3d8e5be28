"""The catalog's side of logged models: rows in, records out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.experiments.records import ArtifactEntry
from kernel_tools.registry.records import LoggedMetric, LoggedModelRecord, LoggedModelStatus, ModelFile
from kernel_tools.registry.tables import (
    logged_model_files,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
)

MAX_PATH = 500


def read_record(connection: sa.Connection, model_id: str, include_deleted: bool = False) -> LoggedModelRecord:
    """Return one logged model; NotFoundError if there is none, or only a deleted one."""
    query = sa.select(logged_models).where(logged_models.c.id == model_id)
    if not include_deleted:
        query = query.where(logged_models.c.lifecycle == "active")
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError(f"Logged model with ID {model_id!r} not found. A run makes one when it logs a model.")
    return read_records(connection, [row])[0]


def read_records(connection: sa.Connection, rows: Sequence[Any]) -> list[LoggedModelRecord]:
    """Make the records of rows of `logged_models`, with their parameters, tags and metrics."""
    ids = [row.id for row in rows]
    texts: dict[str, dict[str, dict[str, str]]] = {"params": {}, "tags": {}}
    for name, table in (("params", logged_model_params), ("tags", logged_model_tags)):
        query = sa.select(table).where(table.c.model_id.in_(ids)).order_by(table.c.key)
        for text in connection.execute(query):
            texts[name].setdefault(text.model_id, {})[text.key] = text.value
    metrics: dict[str, list[LoggedMetric]] = {}
    table = logged_model_metrics
    query = sa.select(table).where(table.c.model_id.in_(ids)).order_by(table.c.key, table.c.step, table.c.timestamp)
    for row in connection.execute(query):
        fields = {key: value for key, value in row._mapping.items() if key != "model_id"}
        fields["value"] = math.nan if row.value is None else row.value
        metrics.setdefault(row.model_id, []).append(LoggedMetric(**fields))
    return [
        LoggedModelRecord(
            id=row.id,
            experiment_id=row.experiment_id,
            name=row.name,
            created_at=row.created_at,
            updated_at=row.updated_at,
            created_by=row.created_by,
            status=LoggedModelStatus(row.status),
            is_deleted=row.lifecycle != "active",
            model_type=row.model_type,
            source_run_id=row.source_run_id,
            tags=texts["tags"].get(row.id, {}),
            params=texts["params"].get(row.id, {}),
            metrics=metrics.get(row.id, []),
        )
        for row in rows
    ]


def read_files(connection: sa.Connection, model_id: str) -> list[ModelFile]:
    """Return the files of a logged model, by path."""
    table = logged_model_files.c
    query = sa.select(table.path, table.size, table.sha256).where(table.model_id == model_id).order_by(table.path)
    return [ModelFile(*row) for row in connection.execute(query)]


def check_path(path: str) -> str:
    """Return the path if a file of a model may have it, else raise InvalidArgumentError."""
    parts = PurePosixPath(path).parts if isinstance(path, str) else ()
    is_plain = (
        parts and not path.startswith("/") and not set(parts) & {"..", "."} and PurePosixPath(path).as_posix() == path
    )
    if not is_plain or "\\" in path or not path.isprintable() or len(path) > MAX_PATH:
        raise InvalidArgumentError(
            f"{str(path)[:80]!r} is not a valid path of a file: use a relative path of at most {MAX_PATH} printable "
            "characters, without '..'."
        )
    return path


def list_folder(files: Sequence[ModelFile], folder: str) -> list[ArtifactEntry]:
    """Return the files and folders directly in a folder ("" is the top), by path."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    sizes: dict[tuple[str, bool], int] = {}
    for file in files:
        if file.path.startswith(prefix):
            name, _, rest = file.path.removeprefix(prefix).partition("/")
            key = (prefix + name, bool(rest))
            sizes[key] = sizes.get(key, 0) + file.size
    return [ArtifactEntry(path, is_folder, size) for (path, is_folder), size in sorted(sizes.items())]

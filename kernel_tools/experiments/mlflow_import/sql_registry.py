"""The registered and the logged models of MLflow's database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel_tools.experiments.mlflow_import.sql_tables import Tables, titled
from kernel_tools.experiments.mlflow_import.store import (
    StoredLoggedModel,
    StoredModel,
    StoredModelMetric,
    StoredVersion,
)
from kernel_tools.experiments.records import Lifecycle

DELETED_STAGE = "Deleted_Internal"
"""The stage of a version that was deleted; MLflow keeps its row so that the number is not given again."""


def read_models(connection: sa.Connection, tables: Tables) -> list[StoredModel]:
    """Return all registered models with their versions."""
    if "registered_models" not in tables:
        return []
    tags = _texts(connection, tables, "registered_model_tags")
    version_tags = _texts(connection, tables, "model_version_tags")
    aliases: dict[str, dict[str, int]] = {}
    for row in _rows(connection, tables, "registered_model_aliases"):
        aliases.setdefault(titled(row, "."), {})[row["alias"]] = row["version"]
    versions: dict[str, list[Any]] = {}
    for row in _rows(connection, tables, "model_versions"):
        versions.setdefault(titled(row, "."), []).append(row)
    models = []
    for row in _rows(connection, tables, "registered_models"):
        name = titled(row, ".")
        mine = sorted(versions.get(name, []), key=lambda version: version["version"])
        models.append(
            StoredModel(
                name=name,
                created_at=row["creation_time"] or 0,
                updated_at=row["last_updated_time"] or row["creation_time"] or 0,
                description=row.get("description") or "",
                last_version=max((version["version"] for version in mine), default=0),
                tags=tags.get((name, None), {}),
                aliases=aliases.get(name, {}),
                versions=[
                    _version(version, version_tags.get((name, version["version"]), {}))
                    for version in mine
                    if version["current_stage"] != DELETED_STAGE
                ],
            )
        )
    return sorted(models, key=lambda model: model.name)


def read_logged_models(
    connection: sa.Connection, tables: Tables, experiment_ids: Sequence[str]
) -> list[StoredLoggedModel]:
    """Return the logged models of some experiments."""
    if "logged_models" not in tables:
        return []
    table = tables["logged_models"]
    query = sa.select(table).where(table.c.experiment_id.in_(map(int, experiment_ids))).order_by(table.c.model_id)
    rows = connection.execute(query).mappings().all()
    ids = [row["model_id"] for row in rows]
    params = tables.texts(connection, "logged_model_params", "model_id", ids, "param_key")
    tags = tables.texts(connection, "logged_model_tags", "model_id", ids, "tag_key")
    metrics: dict[str, list[StoredModelMetric]] = {}
    wanted = set(ids)
    for row in _rows(connection, tables, "logged_model_metrics"):
        if row["model_id"] in wanted:
            value = row["metric_value"]
            metric = StoredModelMetric(
                key=row["metric_name"],
                value=math.nan if value is None else value,
                timestamp=row["metric_timestamp_ms"],
                step=row["metric_step"],
                run_id=row["run_id"],
                dataset_name=row["dataset_name"],
                dataset_digest=row["dataset_digest"],
            )
            metrics.setdefault(row["model_id"], []).append(metric)
    return [
        StoredLoggedModel(
            id=row["model_id"],
            experiment_id=str(row["experiment_id"]),
            name=row["name"],
            model_type=row["model_type"] or "",
            source_run_id=row["source_run_id"],
            status=row["status"],
            lifecycle=Lifecycle(row["lifecycle_stage"] or "active"),
            created_at=row["creation_timestamp_ms"],
            updated_at=row["last_updated_timestamp_ms"],
            artifact_uri=row["artifact_location"],
            params=params.get(row["model_id"], {}),
            tags=tags.get(row["model_id"], {}),
            metrics=metrics.get(row["model_id"], []),
        )
        for row in rows
    ]


def _version(row: Any, tags: dict[str, str]) -> StoredVersion:
    return StoredVersion(
        version=row["version"],
        created_at=row["creation_time"] or 0,
        updated_at=row["last_updated_time"] or row["creation_time"] or 0,
        created_by=row.get("user_id") or "",
        stage=row["current_stage"] or "None",
        source=row["source"] or "",
        storage_location=row.get("storage_location") or "",
        run_id=row["run_id"] or None,
        run_link=row.get("run_link") or "",
        description=row["description"] or "",
        tags=tags,
    )


def _texts(connection: sa.Connection, tables: Tables, name: str) -> dict[tuple[str, int | None], dict[str, str]]:
    found: dict[tuple[str, int | None], dict[str, str]] = {}
    for row in _rows(connection, tables, name):
        found.setdefault((titled(row, "."), row.get("version")), {})[row["key"]] = row["value"] or ""
    return found


def _rows(connection: sa.Connection, tables: Tables, name: str) -> list[Any]:
    return list(connection.execute(sa.select(tables[name])).mappings()) if name in tables else []

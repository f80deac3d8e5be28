"""Are the models here that are in MLflow's store? Compared field by field, and their files by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kernel_tools.core.errors import AtelierError, NotFoundError
from kernel_tools.core.progress import track
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.mlflow_import import MlflowSource, Verification
from kernel_tools.experiments.mlflow_import.digests import digest_file
from kernel_tools.experiments.mlflow_import.store import StoredLoggedModel, StoredModel, StoredVersion
from kernel_tools.experiments.records import Lifecycle
from kernel_tools.registry import catalog, groups, logged_models
from kernel_tools.registry.mlflow_import import STATUSES, find_models, version_id
from kernel_tools.registry.names import parse_stage
from kernel_tools.registry.records import LoggedModelRecord, LoggedModelStatus, VersionRecord


def verify_models(workspace: Workspace, source: MlflowSource, found: Verification) -> None:
    """Compare logged and registered models, and add what differs to `found`."""
    for what in ("logged models", "model files", "registered models", "model versions"):
        found.count(what, 0, 0)
    for model in track(source.store.logged_models(source.experiment_ids), "Comparing logged models", unit="models"):
        _compare_logged(workspace, source, model, found)
    for group in track(find_models(workspace, source), "Comparing registered models", unit="models"):
        _compare_group(workspace, group, found)


def _compare_logged(workspace: Workspace, source: MlflowSource, model: StoredLoggedModel, found: Verification) -> None:
    files = source.folders.list_files(model.artifact_uri, model.id, model.artifact_folder).files
    there = {}
    for path, file in files.items():
        with file.open("rb") as content:
            there[path] = digest_file(content)
    try:
        record = logged_models.get(model.id, include_deleted=True, workspace=workspace)
        here = {}
        for kept in logged_models.files(model.id, workspace=workspace):
            with workspace.artifacts.open(kept.sha256) as content:
                here[kept.path] = digest_file(content)
    except (AtelierError, OSError) as error:
        found.count("logged models", 1, 0)
        found.count("model files", len(there), 0)
        found.differences.append(f"Logged model {model.id} ({model.name!r}) cannot be read here: {error}")
        return
    found.count("logged models", 1, 1)
    found.count("model files", len(there), len(here))
    if _digest({**_stored_logged(model), "files": there}) != _digest({**_kept_logged(record), "files": here}):
        found.differences.append(f"Logged model {model.id} ({model.name!r}) is not the same.")


def _compare_group(workspace: Workspace, model: StoredModel, found: Verification) -> None:
    try:
        group = groups.get_model(model.name, workspace=workspace)
    except (NotFoundError, AtelierError):
        found.count("registered models", 1, 0)
        found.count("model versions", len(model.versions), 0)
        found.differences.append(f"Registered model {model.name!r} is not here.")
        return
    found.count("registered models", 1, 1)
    records: dict[int, VersionRecord] = {}
    with workspace.database.read() as connection:
        for version in model.versions:
            record = catalog.find_by_id(connection, version_id(model, version))
            found.count("model versions", 1, record is not None)
            if record is None:
                found.differences.append(f"Version {version.version} of {model.name!r} is not here.")
                continue
            records[version.version] = record
            if _digest(_stored_version(version)) != _digest(_kept_version(record)):
                found.differences.append(f"Version {version.version} of {model.name!r} is not the same.")
    wrong = sorted(key for key, value in model.tags.items() if group.tags.get(key) != value)
    if wrong:
        found.differences.append(f"Registered model {model.name!r} has other values of the tags: {', '.join(wrong)}.")
    for alias, number in model.aliases.items():
        if number in records and group.aliases.get(alias) != records[number].version:
            found.differences.append(f"The alias {alias!r} of {model.name!r} is not that of version {number}.")


def _stored_version(version: StoredVersion) -> dict[str, Any]:
    return {
        "created_at": version.created_at,
        "created_by": version.created_by,
        "stage": parse_stage(version.stage).value,
        "source": version.source,
        "run_id": version.run_id,
        "run_link": version.run_link,
        "description": version.description,
        "tags": version.tags,
    }


def _kept_version(record: VersionRecord) -> dict[str, Any]:
    return {
        "created_at": record.created_at,
        "created_by": record.created_by,
        "stage": record.stage.value,
        "source": record.source,
        "run_id": record.run_id,
        "run_link": record.run_link,
        "description": record.description,
        "tags": record.tags,
    }


def _stored_logged(model: StoredLoggedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "type": model.model_type,
        "run_id": model.source_run_id,
        "status": STATUSES.get(model.status, LoggedModelStatus.UNSPECIFIED).value,
        "is_deleted": model.lifecycle is Lifecycle.DELETED,
        "created_at": model.created_at,
        "params": model.params,
        "tags": model.tags,
        "metrics": sorted(_metric(item) for item in model.metrics),
    }


def _kept_logged(record: LoggedModelRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.model_type,
        "run_id": record.source_run_id,
        "status": record.status.value,
        "is_deleted": record.is_deleted,
        "created_at": record.created_at,
        "params": record.params,
        "tags": record.tags,
        "metrics": sorted(_metric(item) for item in record.metrics),
    }


def _metric(item: Any) -> list[str]:
    return [
        item.key,
        repr(item.value),
        str(item.timestamp),
        str(item.step),
        item.run_id,
        item.dataset_name or "",
        item.dataset_digest or "",
    ]


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

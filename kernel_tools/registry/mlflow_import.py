"""Registered and logged models of MLflow's own stores, brought over; their runs are there already.

Versions keep their numbers. A version whose files are a run's or a logged model's refers to the bytes that came over
with them; one whose files are elsewhere points there, as it did.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import insert_missing, insert_or_update
from kernel_tools.core.errors import AtelierError, NotFoundError
from kernel_tools.core.progress import track
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.mlflow_import import MlflowSource
from kernel_tools.experiments.mlflow_import.artifact_folders import ArtifactFolders
from kernel_tools.experiments.mlflow_import.experiment_places import ExperimentPlaces
from kernel_tools.experiments.mlflow_import.store import StoredLoggedModel, StoredModel, StoredVersion
from kernel_tools.experiments.records import Experiment
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.registry import catalog, logged_models
from kernel_tools.registry.logged_model_rows import check_path
from kernel_tools.registry.names import parse_stage, validate_alias, validate_model_name, validate_tags
from kernel_tools.registry.records import LoggedMetric, LoggedModelStatus, ModelFile, VersionRecord, VersionStatus
from kernel_tools.registry.sources import describe_files, files_below
from kernel_tools.registry.tables import (
    logged_model_files,
    logged_model_params,
    logged_model_tags,
    model_aliases,
    model_groups,
    model_tags,
    model_versions,
)
from kernel_tools.registry.tables import logged_models as logged_model_table

STATUSES = {
    1: LoggedModelStatus.PENDING,
    2: LoggedModelStatus.READY,
    3: LoggedModelStatus.FAILED,
}
ROOT = "mlflow-artifacts:/"
_OF_RUN = re.compile(r"(?:^runs:/|/)([0-9a-f]{32})(?:/artifacts)?(?:/(.*))?$")
_OF_LOGGED = re.compile(r"(?:^models:/|/models/)(m-[0-9a-f]{32})(?:/artifacts)?(?:/(.*))?$")


@dataclass(slots=True)
class ImportedModels:
    """What an import did: models, versions and logged models that came over now; notes and refusals in sentences."""

    models: int = 0
    versions: int = 0
    logged_models: int = 0
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def import_models(workspace: Workspace, source: MlflowSource, places: ExperimentPlaces) -> ImportedModels:
    """Bring the models over that belong to the experiments of `source`; what is here already is left as it is."""
    done = ImportedModels()
    logged = source.store.logged_models(source.experiment_ids)
    for model in track(logged, "Importing logged models", unit="models"):
        try:
            done.logged_models += _import_logged(workspace, model, places.here[model.experiment_id], source.folders)
        except (AtelierError, OSError) as error:
            done.refused.append(f"Logged model {model.id} ({model.name!r}): {error}")
    registered = find_models(workspace, source)
    for group in track(registered, "Importing registered models", unit="models"):
        try:
            _import_group(workspace, group, done)
        except AtelierError as error:
            done.refused.append(f"Registered model {group.name!r}: {error}")
    details = {"models": done.models, "versions": done.versions, "logged_models": done.logged_models}
    workspace.audit.record("models.import", source.store.location[:1000], details)
    return done


def find_models(workspace: Workspace, source: MlflowSource) -> list[StoredModel]:
    """Return the registered models: all of them, or those with a version of a run that is here if experiments were
    chosen."""
    models = source.store.models()
    if len(source.experiments) == len(source.store.experiments()):
        return models
    from kernel_tools.experiments.catalog import known_ids

    def is_here(model: StoredModel) -> bool:
        ids = [version.run_id for version in model.versions if version.run_id]
        return any(known_ids(workspace.database, ids[start : start + 500]) for start in range(0, len(ids), 500))

    return [model for model in models if is_here(model)]


def version_id(model: StoredModel, version: StoredVersion) -> str:
    """Return the id of an imported version: the same one whenever it is imported."""
    text = f"mlflow:{model.name}:{version.version}:{version.created_at}:{version.source}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _import_logged(
    workspace: Workspace, model: StoredLoggedModel, experiment: Experiment, folders: ArtifactFolders
) -> bool:
    try:
        logged_models.get(model.id, include_deleted=True, workspace=workspace)
        return False
    except NotFoundError:
        pass
    params, tags = validate_tags(model.params), validate_tags(model.tags)
    files = []
    for path, file in folders.list_files(model.artifact_uri, model.id, model.artifact_folder).files.items():
        blob = workspace.artifacts.put_file(file)
        files.append({"model_id": model.id, "path": check_path(path), "size": blob.size, "sha256": blob.sha256})
    row = {
        "id": model.id,
        "experiment_id": experiment.id,
        "name": model.name,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "status": STATUSES.get(model.status, LoggedModelStatus.UNSPECIFIED).value,
        "lifecycle": model.lifecycle.value,
        "created_at": model.created_at,
        "updated_at": model.updated_at,
        "created_by": tags.get("mlflow.user", ""),
    }
    with workspace.database.write() as connection:
        connection.execute(logged_model_table.insert().values(row))
        for table, texts in ((logged_model_params, params), (logged_model_tags, tags)):
            insert_or_update(
                connection, table, [{"model_id": model.id, "key": key, "value": texts[key]} for key in texts]
            )
        insert_or_update(connection, logged_model_files, files)
        logged_models.put_metrics(connection, model.id, [_metric(item) for item in model.metrics])
    return True


def _metric(item: Any) -> LoggedMetric:
    return LoggedMetric(
        item.key, item.value, item.timestamp, item.step, item.run_id, item.dataset_name, item.dataset_digest
    )


def _import_group(workspace: Workspace, model: StoredModel, done: ImportedModels) -> None:
    name = validate_model_name(model.name)
    tags = validate_tags(model.tags)
    drafts = [_draft(workspace, model, version) for version in model.versions]
    group = {"name": name, "created_at": model.created_at, "updated_at": model.updated_at}
    with workspace.database.write() as connection:
        is_group = model_groups.c.name == name
        is_new = connection.execute(sa.select(model_groups.c.name).where(is_group)).first() is None
        insert_missing(connection, model_groups, {**group, "description": model.description, "last_version": 0})
        for key, value in tags.items():
            insert_missing(connection, model_tags, {"model": name, "key": key, "value": value})
        last = connection.execute(sa.select(model_groups.c.last_version).where(is_group).with_for_update()).scalar_one()
        numbers = _place_versions(connection, drafts, max(last, model.last_version), done)
        last = max([last, model.last_version, *numbers.values()])
        connection.execute(model_groups.update().where(is_group).values(last_version=last))
        for alias, version in model.aliases.items():
            _place_alias(connection, name, alias, numbers.get(version), done)
    done.models += is_new


def _place_versions(
    connection: sa.Connection, drafts: Sequence[VersionRecord], last: int, done: ImportedModels
) -> dict[int, int]:
    """Add the versions that are not here yet; return under which number each one is here, by MLflow's."""
    numbers = {}
    for draft in drafts:
        found = catalog.find_by_id(connection, draft.id)
        if found is not None:
            numbers[draft.version] = found.version
            continue
        table = model_versions.c
        taken = sa.select(table.id).where(table.model == draft.model, table.version == draft.version)
        number = draft.version
        if connection.execute(taken).first() is not None:
            last += 1
            number = last
            done.notes.append(f"Version {draft.version} of {draft.model!r} is {number} here: its number was taken.")
        catalog.place_version(connection, draft, number)
        numbers[draft.version] = number
        done.versions += 1
    return numbers


def _place_alias(connection: sa.Connection, name: str, alias: str, version: int | None, done: ImportedModels) -> None:
    if version is None:
        return
    validate_alias(alias)
    is_alias = (model_aliases.c.model == name) & (model_aliases.c.alias == alias)
    before = connection.execute(sa.select(model_aliases.c.version).where(is_alias)).scalar()
    if before is None:
        connection.execute(model_aliases.insert().values(model=name, alias=alias, version=version))
    elif before != version:
        done.notes.append(f"The alias {alias!r} of {name!r} stays with version {before}, not {version}.")


def _draft(workspace: Workspace, model: StoredModel, version: StoredVersion) -> VersionRecord:
    files, storage_uri, model_id = _find_files(workspace, version)
    saved = describe_files(workspace, files, version.source)
    return VersionRecord(
        model=model.name,
        version=version.version,
        id=version_id(model, version),
        status=VersionStatus.PENDING,
        created_at=version.created_at,
        updated_at=version.updated_at,
        created_by=version.created_by,
        format=saved.format,
        model_class=saved.model_class,
        files=files,
        signature=saved.signature,
        sample=saved.sample,
        libraries=saved.versions,
        untrusted_types=saved.untrusted_types,
        has_code=saved.has_code,
        run_id=version.run_id,
        model_id=model_id,
        stage=parse_stage(version.stage),
        description=version.description,
        tags=validate_tags(version.tags),
        source=version.source,
        storage_uri=storage_uri,
        run_link=version.run_link,
    )


def _find_files(workspace: Workspace, version: StoredVersion) -> tuple[list[ModelFile], str, str | None]:
    """Return the files of a version, where clients find them, and the logged model that it was made from."""
    places = [place for place in (version.source, version.storage_location) if place]
    logged = next((match for place in places if (match := _OF_LOGGED.search(place))), None)
    model_id = logged[1] if logged else None
    try:
        if logged is not None:
            record = logged_models.get(logged[1], include_deleted=True, workspace=workspace)
            files = files_below(logged_models.files(record.id, workspace=workspace), logged[2] or "")
            root = f"{ROOT}{record.experiment_id}/models/{record.id}/artifacts"
            return files, "/".join([root, *([logged[2]] if logged[2] else [])]), model_id
        for place in places:
            if of_run := _OF_RUN.search(place):
                folder = RunFolder(workspace, of_run[1])
                document = folder.load()
                kept = [ModelFile(item.path, item.size, item.sha256) for item in folder.load_artifacts()]
                found = files_below(kept, of_run[2] or "")
                if found:
                    root = f"{ROOT}{document.experiment_id}/{document.id}/artifacts"
                    return found, "/".join([root, *([of_run[2]] if of_run[2] else [])]), None
    except NotFoundError:
        pass  # the run or the logged model did not come over: the version points to where its files are
    return [], version.storage_location if version.storage_location != version.source else "", model_id

"""A store of MLflow in a folder of YAML files and text files: ``mlruns``, as it is copied from cluster to cluster.

The folders say where the artifacts are, not the addresses in the files, which are those of the machine that wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.experiments.mlflow_import.store import (
    BATCH,
    POINT_BATCH,
    StoredExperiment,
    StoredLoggedModel,
    StoredModel,
    StoredModelMetric,
    StoredRun,
    StoredVersion,
)
from kernel_tools.experiments.records import (
    MODEL_INPUTS_TAG,
    MODEL_OUTPUTS_TAG,
    DatasetInput,
    Lifecycle,
    RunStatus,
)
from kernel_tools.experiments.segment import Point

TRASH = ".trash"
META = "meta.yaml"
MODELS = "models"
CONTEXT_TAG = "mlflow.data.context"
DELETED_STAGE = "Deleted_Internal"
STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}


class FileStore:
    """Reads a folder of MLflow's; see `MlflowStore`.

    Parameters
    ----------
    folder
        The folder, usually named ``mlruns``.

    Raises
    ------
    NotFoundError
        If there is no such folder.
    InvalidArgumentError
        If no experiment of MLflow's is in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self.location = str(self.folder)
        if not self.folder.is_dir():
            raise NotFoundError(f"There is no folder {self.location!r} to import.")
        if not self._experiment_folders():
            raise InvalidArgumentError(
                f"{self.location!r} is not a tracking store of MLflow: no folder in it has a {META}. Name the folder "
                "mlruns itself, or the URL of a database such as sqlite:///mlflow.db."
            )

    def experiments(self) -> list[StoredExperiment]:
        """Return all experiments."""
        found = []
        for folder in self._experiment_folders().values():
            meta = _read_meta(folder)
            found.append(
                StoredExperiment(
                    id=str(meta["experiment_id"]),
                    name=str(meta["name"]),
                    lifecycle=Lifecycle(meta.get("lifecycle_stage") or "active"),
                    created_at=meta.get("creation_time") or 0,
                    updated_at=meta.get("last_update_time") or meta.get("creation_time") or 0,
                    artifact_location=meta.get("artifact_location") or "",
                    tags=_read_texts(folder / "tags"),
                )
            )
        return found

    def count_runs(self, experiment_ids: Sequence[str]) -> int:
        """Return the number of runs."""
        return sum(1 for _ in self._run_folders(experiment_ids))

    def runs(self, experiment_ids: Sequence[str]) -> Iterator[list[StoredRun]]:
        """Give the runs experiment by experiment."""
        batch: list[StoredRun] = []
        for folder in self._run_folders(experiment_ids):
            batch.append(self._read_run(folder))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def points(self, run_id: str) -> Iterator[list[Point]]:
        """Give the points of a run, metric by metric."""
        folders = (folder / run_id for folder in self._experiment_folders().values())
        root = next((folder for folder in folders if folder.is_dir()), None)
        if root is None:
            return
        batch: list[Point] = []
        for key, path in _files(root / "metrics"):
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    parts = line.split()
                    if parts:
                        step = int(parts[2]) if len(parts) > 2 else 0
                        batch.append(Point(key, float(parts[1]), step, int(parts[0])))
                    if len(batch) == POINT_BATCH:
                        yield batch
                        batch = []
        if batch:
            yield batch

    def logged_models(self, experiment_ids: Sequence[str]) -> list[StoredLoggedModel]:
        """Return the logged models."""
        wanted = set(experiment_ids)
        found = []
        for experiment_id, folder in self._experiment_folders().items():
            if experiment_id in wanted:
                metas = sorted((folder / MODELS).glob(f"*/{META}"))
                found += [self._read_logged_model(path.parent, experiment_id) for path in metas]
        return sorted(found, key=lambda model: model.id)

    def models(self) -> list[StoredModel]:
        """Return all registered models."""
        return [self._read_model(path.parent) for path in sorted((self.folder / MODELS).glob(f"*/{META}"))]

    def _experiment_folders(self) -> dict[str, Path]:
        """Return the folders of the experiments by their ids; deleted ones are in the trash."""
        found = {}
        for root in (self.folder / TRASH, self.folder):
            for path in sorted(root.glob(f"*/{META}")) if root.is_dir() else []:
                if path.parent.name.isdecimal():
                    found[path.parent.name] = path.parent
        return found

    def _run_folders(self, experiment_ids: Sequence[str]) -> Iterator[Path]:
        folders = self._experiment_folders()
        for experiment_id in experiment_ids:
            for path in sorted(folders[experiment_id].glob(f"*/{META}")):
                if path.parent.name not in (MODELS, "datasets", "tags"):
                    yield path.parent

    def _read_run(self, folder: Path) -> StoredRun:
        meta = _read_meta(folder)
        tags = _read_texts(folder / "tags")
        links = [_read_meta(path.parent) for path in sorted(folder.glob(f"inputs/*/{META}"))]
        read = [{"model_id": link["source_id"]} for link in links if link["source_type"] == "MODEL"]
        made = [
            {"model_id": link["destination_id"], "step": link.get("step") or 0}
            for link in (_read_meta(path.parent) for path in sorted(folder.glob(f"outputs/*/{META}")))
        ]
        tags |= {
            name: json.dumps(found) for name, found in ((MODEL_INPUTS_TAG, read), (MODEL_OUTPUTS_TAG, made)) if found
        }
        status = meta.get("status") or 1  # a number, in old stores a word
        run_id = str(meta.get("run_id") or meta.get("run_uuid"))
        return StoredRun(
            id=run_id,
            name=meta.get("run_name") or tags.get("mlflow.runName") or run_id[:8],
            experiment_id=folder.parent.name,
            user=meta.get("user_id") or tags.get("mlflow.user") or "unknown",
            status=RunStatus(STATUSES[status] if isinstance(status, int) else str(status)),
            lifecycle=Lifecycle(meta.get("lifecycle_stage") or "active"),
            started_at=meta.get("start_time") or 0,
            ended_at=meta.get("end_time"),
            deleted_at=meta.get("deleted_time"),
            artifact_uri=meta.get("artifact_uri") or "",
            params=_read_texts(folder / "params"),
            tags=tags,
            inputs=[_read_dataset(folder.parent, link) for link in links if link["source_type"] == "DATASET"],
            artifact_folder=folder / "artifacts",
        )

    def _read_logged_model(self, folder: Path, experiment_id: str) -> StoredLoggedModel:
        meta = _read_meta(folder)
        metrics = []
        for key, path in _files(folder / "metrics"):
            for line in path.read_text(encoding="utf-8").splitlines():
                timestamp, value, step, run_id, *dataset = line.split(" ")
                name, digest = (" ".join(dataset[:-1]), dataset[-1]) if dataset else (None, None)
                metrics.append(StoredModelMetric(key, float(value), int(timestamp), int(step), run_id, name, digest))
        return StoredLoggedModel(
            id=meta["model_id"],
            experiment_id=experiment_id,
            name=meta["name"],
            model_type=meta.get("model_type") or "",
            source_run_id=meta.get("source_run_id"),
            status=meta.get("status") or 0,
            lifecycle=Lifecycle(meta.get("lifecycle_stage") or "active"),
            created_at=meta["creation_timestamp"],
            updated_at=meta["last_updated_timestamp"],
            artifact_uri=meta.get("artifact_location") or "",
            params=_read_texts(folder / "params"),
            tags=_read_texts(folder / "tags"),
            metrics=metrics,
            artifact_folder=folder / "artifacts",
        )

    def _read_model(self, folder: Path) -> StoredModel:
        meta = _read_meta(folder)
        versions = {}
        for path in folder.glob(f"version-*/{META}"):
            version = _read_meta(path.parent)
            versions[int(version["version"])] = (version, path.parent)
        aliases = {key: int(number) for key, number in _read_texts(folder / "aliases").items()}
        return StoredModel(
            name=str(meta["name"]),
            created_at=meta.get("creation_timestamp") or 0,
            updated_at=meta.get("last_updated_timestamp") or 0,
            description=meta.get("description") or "",
            last_version=max(versions, default=0),
            tags=_read_texts(folder / "tags"),
            aliases=aliases,
            versions=[
                StoredVersion(
                    version=number,
                    created_at=version.get("creation_timestamp") or 0,
                    updated_at=version.get("last_updated_timestamp") or 0,
                    created_by=version.get("user_id") or "",
                    stage=version.get("current_stage") or "None",
                    source=version.get("source") or "",
                    storage_location=version.get("storage_location") or "",
                    run_id=version.get("run_id") or None,
                    run_link=version.get("run_link") or "",
                    description=version.get("description") or "",
                    tags=_read_texts(place / "tags"),
                )
                for number, (version, place) in sorted(versions.items())
                if version.get("current_stage") != DELETED_STAGE
            ],
        )


def _read_dataset(experiment: Path, link: dict[str, Any]) -> DatasetInput:
    meta = _read_meta(experiment / "datasets" / link["source_id"])
    tags = {str(key): str(value) for key, value in (link.get("tags") or {}).items()}
    return DatasetInput(
        name=meta["name"],
        digest=str(meta["digest"]),
        source_type=meta.get("source_type") or "",
        source=meta.get("source") or "",
        schema=meta.get("schema") or "",
        profile=meta.get("profile") or "",
        context=tags.get(CONTEXT_TAG),
        tags={key: value for key, value in sorted(tags.items()) if key != CONTEXT_TAG},
    )


def _read_texts(folder: Path) -> dict[str, str]:
    texts = {}
    for key, path in _files(folder):
        with path.open(encoding="utf-8", newline="") as file:
            texts[key] = file.read()
    return texts


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return the files below a folder by the keys that they are named by."""
    found = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return sorted((path.relative_to(folder).as_posix(), path) for path in found)


def _read_meta(folder: Path) -> dict[str, Any]:
    import yaml

    path = folder / META
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error}. Copy the folder again.") from error
    if not isinstance(content, dict):
        raise InvalidArgumentError(f"{path} is not what MLflow writes. Copy the folder again.")
    return content

"""Runs of MLflow's own stores, brought over and compared: `open_store`, then `import_experiments`.

Registered and logged models are brought over by `kernel_tools.registry.mlflow_import`, which needs the runs first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel_tools.core.progress import progress
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.mlflow_import.artifact_folders import ArtifactFolders
from kernel_tools.experiments.mlflow_import.experiment_places import (
    ExperimentPlaces,
    choose,
    find_places,
    make_places,
)
from kernel_tools.experiments.mlflow_import.importer import ImportedRuns, import_lock, import_runs
from kernel_tools.experiments.mlflow_import.store import MlflowStore, StoredExperiment
from kernel_tools.experiments.mlflow_import.verification import Verification, verify_runs

__all__ = ["MlflowSource", "Verification", "import_lock", "open_source"]


@dataclass(frozen=True, slots=True)
class MlflowSource:
    """A store of MLflow's, the experiments of it that are wanted, and where its artifacts are."""

    store: MlflowStore
    experiments: list[StoredExperiment]
    folders: ArtifactFolders

    @property
    def experiment_ids(self) -> list[str]:
        """The ids that the store has for its experiments."""
        return [experiment.id for experiment in self.experiments]

    def find_places(self, workspace: Workspace) -> ExperimentPlaces:
        """Return which experiments of the workspace have the runs; see `experiment_places`."""
        return find_places(workspace, self.experiments)

    def import_runs(self, workspace: Workspace) -> tuple[ExperimentPlaces, ImportedRuns]:
        """Bring experiments and runs over; the caller holds `import_lock`.

        Raises
        ------
        StoppedError
            If the work was asked to stop; what came over by then stays.
        """
        places = make_places(workspace, self.experiments)
        ids = self.experiment_ids
        with progress("Importing", total=self.store.count_runs(ids), unit="runs") as work:
            done = import_runs(workspace, self.store, ids, places, self.folders, work)
        details = {"runs": done.added, "experiments": places.added, "refused": len(done.refused)}
        workspace.audit.record("experiments.import", self.store.location[:1000], details)
        return places, done

    def verify_runs(self, workspace: Workspace) -> Verification:
        """Compare experiments and runs with those of the workspace."""
        places = self.find_places(workspace)
        with progress("Comparing", total=self.store.count_runs(self.experiment_ids), unit="runs") as work:
            return verify_runs(workspace, self.store, self.experiments, places, self.folders, work)


def open_source(location: str, artifacts: Path | None = None, experiments: Sequence[str] | None = None) -> MlflowSource:
    """Open a store of MLflow's.

    Parameters
    ----------
    location
        The URL of a database (``sqlite:///mlflow.db``, ``postgresql://user@host/name``), or a folder ``mlruns``.
    artifacts
        The folder of an MLflow server's artifacts, or the copy of a folder that was elsewhere.
    experiments
        Names or ids. Default: all.

    Raises
    ------
    InvalidArgumentError
        If this is no store of MLflow's, or of a release that is not known.
    NotFoundError
        If there is no such file, folder or experiment.
    UnavailableError
        If the database cannot be reached.
    """
    store = _open_store(location)
    chosen = choose(store.experiments(), experiments)
    return MlflowSource(store, chosen, ArtifactFolders(store.folder, artifacts))


def _open_store(location: str) -> MlflowStore:
    if "://" in location and not location.startswith("file:"):
        from kernel_tools.experiments.mlflow_import.sql_store import SqlStore

        return SqlStore(location)
    from kernel_tools.experiments.mlflow_import.file_store import FileStore

    return FileStore(Path(location.removeprefix("file://")))

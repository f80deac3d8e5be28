"""Is everything here that is in MLflow's store? Both are read anew, counted, and compared by digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.progress import Progress
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.metrics import read_every_history
from kernel_tools.experiments.mlflow_import.artifact_folders import ArtifactFolders
from kernel_tools.experiments.mlflow_import.digests import PointColumns, RunDigest, digest_file, digest_run
from kernel_tools.experiments.mlflow_import.experiment_places import ExperimentPlaces
from kernel_tools.experiments.mlflow_import.store import MlflowStore, StoredExperiment, StoredRun
from kernel_tools.experiments.records import Lifecycle, RunRecord
from kernel_tools.experiments.run_files import RunFolder

COUNTED = ("params", "tags", "points", "datasets", "artifacts")


@dataclass(slots=True)
class Verification:
    """What a comparison found.

    Attributes
    ----------
    counts
        For everything that is counted, how many there are in MLflow's store and here.
    differences
        Sentences, one for each experiment, run or model that is not the same.
    """

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and all(there == here for there, here in self.counts.values())

    def count(self, what: str, there: int, here: int) -> None:
        """Add to the counts."""
        before = self.counts.get(what, (0, 0))
        self.counts[what] = (before[0] + there, before[1] + here)


def verify_runs(
    workspace: Workspace,
    store: MlflowStore,
    stored: Sequence[StoredExperiment],
    places: ExperimentPlaces,
    folders: ArtifactFolders,
    work: Progress,
) -> Verification:
    """Compare experiments and runs."""
    found = Verification()
    for what in ("experiments", "runs", *COUNTED):
        found.count(what, 0, 0)
    lifecycles = {}
    for experiment in stored:
        lifecycles[experiment.id] = experiment.lifecycle
        _compare_experiment(experiment, places, found)
    for batch in store.runs([experiment.id for experiment in stored]):
        records = {record.id: record for record in catalog.read_records(workspace.database, [run.id for run in batch])}
        for run in batch:
            record = records.get(run.id)
            there = _digest_stored(store, run, lifecycles[run.experiment_id], places, folders)
            try:
                here = _digest_kept(workspace, record) if record is not None else None
            except (AtelierError, OSError) as error:
                found.differences.append(f"Run {run.id} ({run.name!r}) cannot be read here: {error}")
                here = None
            _compare_run(run, there, here, record, found)
            work.advance()
    return found


def _compare_experiment(experiment: StoredExperiment, places: ExperimentPlaces, found: Verification) -> None:
    here = places.here.get(experiment.id)
    found.count("experiments", 1, here is not None)
    if here is None:
        found.differences.append(f"Experiment {experiment.name!r} ({experiment.id}) is not here.")
        return
    wrong = [key for key, value in experiment.tags.items() if here.tags.get(key) != value]
    if wrong:
        shown = ", ".join(sorted(wrong)[:10])
        found.differences.append(f"Experiment {experiment.name!r} ({here.id}) has other values of the tags: {shown}.")


def _compare_run(
    run: StoredRun, there: RunDigest, here: RunDigest | None, record: RunRecord | None, found: Verification
) -> None:
    found.count("runs", 1, record is not None)
    for what in COUNTED:
        found.count(what, getattr(there, what), getattr(here, what) if here is not None else 0)
    if record is None:
        found.differences.append(f"Run {run.id} ({run.name!r}) is not here.")
    elif here is not None and here.sha256 != there.sha256:
        counted = [
            f"{what}: {getattr(there, what):,} there, {getattr(here, what):,} here"
            for what in COUNTED
            if getattr(there, what) != getattr(here, what)
        ]
        reason = "; ".join(counted) if counted else "the same counts, other values"
        found.differences.append(f"Run {run.id} ({run.name!r}) is not the same ({reason}).")


def _digest_stored(
    store: MlflowStore,
    run: StoredRun,
    experiment_lifecycle: Lifecycle,
    places: ExperimentPlaces,
    folders: ArtifactFolders,
) -> RunDigest:
    columns: dict[str, PointColumns] = {}
    for points in store.points(run.id):
        for point in points:
            if point.key not in columns:
                columns[point.key] = PointColumns()
            columns[point.key].add(point.step, point.timestamp, point.value)
    files = {}
    for path, file in folders.list_files(run.artifact_uri, run.id, run.artifact_folder).files.items():
        with file.open("rb") as content:
            files[path] = digest_file(content)
    is_deleted = Lifecycle.DELETED in (run.lifecycle, experiment_lifecycle)
    place = places.here.get(run.experiment_id)
    facts = {
        "id": run.id,
        "name": run.name,
        "experiment": place.id if place is not None else None,
        "user": run.user,
        "status": run.status.value,
        "is_deleted": is_deleted,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "parent": run.tags.get("mlflow.parentRunId"),
    }
    metrics = {key: column.to_arrays() for key, column in columns.items()}
    return digest_run(facts, run.params, run.tags, run.inputs, metrics, files)


def _digest_kept(workspace: Workspace, record: RunRecord) -> RunDigest:
    """Digest a run of the workspace: its facts and texts as the catalog has them, the rest as its folder has it."""
    folder = RunFolder(workspace, record.id)
    files = {}
    for artifact in folder.load_artifacts():
        with workspace.artifacts.open(artifact.sha256) as content:
            files[artifact.path] = digest_file(content)
    facts = {
        "id": record.id,
        "name": record.name,
        "experiment": record.experiment_id,
        "user": record.user,
        "status": record.status.value,
        "is_deleted": record.lifecycle is Lifecycle.DELETED,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "parent": record.parent_run_id,
    }
    metrics = {
        history.key: (history.steps, history.timestamps, history.values) for history in read_every_history(folder)
    }
    return digest_run(facts, record.params, record.tags, folder.load_inputs(), metrics, files)

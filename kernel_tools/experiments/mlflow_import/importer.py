"""Runs of MLflow's store become runs of the workspace, one whole folder after the other.

A run is there or it is not: its folder is written out of sight and then renamed. What was imported before is left as it
is, so that an import that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.progress import Progress
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.compaction import COMPACT_AT_FINISH, compact
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.mlflow_import.artifact_folders import ArtifactFolders
from kernel_tools.experiments.mlflow_import.experiment_places import ExperimentPlaces
from kernel_tools.experiments.mlflow_import.store import MlflowStore, StoredRun
from kernel_tools.experiments.records import ArtifactRecord, Experiment, Lifecycle
from kernel_tools.experiments.run_files import DRAFT_SUFFIX, RunDocument, RunFolder, now
from kernel_tools.experiments.segment import SegmentWriter
from kernel_tools.experiments.texts import check_count, to_texts

RUN_ID = re.compile(r"[0-9a-f]{32}")
INDEX_BATCH = 50
"""Runs that are indexed in one transaction."""


@dataclass(slots=True)
class ImportedRuns:
    """What an import did.

    Attributes
    ----------
    added, known
        Runs that came over now, and those that had been there.
    completed
        Runs that had been there without files, and have them now.
    refused
        Why a run did not come over, by its id.
    left_out
        Why artifacts of a run did not come over, by its id.
    """

    added: int = 0
    known: int = 0
    completed: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)


def import_lock(workspace: Workspace) -> AbstractContextManager[None]:
    """Hold the lock of imports: one at a time."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    return hold_lock(workspace.root / "import.lock", timeout=5)


def import_runs(
    workspace: Workspace,
    store: MlflowStore,
    experiment_ids: Sequence[str],
    places: ExperimentPlaces,
    folders: ArtifactFolders,
    work: Progress,
) -> ImportedRuns:
    """Bring the runs of some experiments over; the caller holds the lock of imports."""
    done = ImportedRuns()
    for draft in (workspace.root / "runs").glob(f".*{DRAFT_SUFFIX}"):
        _forget_draft(workspace, draft.name)
    for batch in store.runs(experiment_ids):
        written: list[RunFolder] = []
        for run in batch:
            try:
                folder = _folder_of(workspace, run)
                if folder.path.exists():
                    done.known += 1
                    _add_lost_artifacts(workspace, run, folders, folder, done)
                else:
                    _write(workspace, store, run, places.here[run.experiment_id], folders, folder, done)
                    done.added += 1
                written.append(folder)
            except AtelierError as error:
                done.refused[run.id] = str(error)
            if len(written) >= INDEX_BATCH:
                _index(workspace, written)
                written = []
            work.advance()
        _index(workspace, written)
    with workspace.database.write() as connection:
        catalog.analyze(connection)
    return done


def _write(
    workspace: Workspace,
    store: MlflowStore,
    run: StoredRun,
    experiment: Experiment,
    folders: ArtifactFolders,
    folder: RunFolder,
    done: ImportedRuns,
) -> None:
    artifacts = _keep_artifacts(workspace, run, folders, done)
    document = RunDocument(
        id=run.id,
        name=run.name,
        experiment=experiment.name,
        status=run.status,
        user=run.user,
        started_at=run.started_at,
        ended_at=run.ended_at,
        params=to_texts(run.params),
        tags=to_texts(run.tags),
        artifacts=artifacts,
        experiment_id=experiment.id,
        lifecycle=run.lifecycle,
        deleted_at=(run.deleted_at or now()) if run.lifecycle is Lifecycle.DELETED else None,
    )
    check_count(len(document.params), "parameters")
    check_count(len(document.tags), "tags")
    with folder.drafted() as draft:
        draft.create(document)
        _write_points(store, draft, run)
        if run.inputs:
            draft.add_inputs(run.inputs, lambda inputs: None)


def _keep_artifacts(
    workspace: Workspace, run: StoredRun, folders: ArtifactFolders, done: ImportedRuns
) -> list[ArtifactRecord]:
    """Put the files of a run into the artifact store, and note those that cannot be had."""
    found = folders.list_files(run.artifact_uri, run.id, run.artifact_folder)
    artifacts = []
    for path, file in found.files.items():
        blob = workspace.artifacts.put_file(file)
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        artifacts.append(ArtifactRecord(path, blob.size, blob.sha256, media_type, int(file.stat().st_mtime * 1000)))
    if found.refusals:
        done.left_out[run.id] = found.refusals
    return artifacts


def _add_lost_artifacts(
    workspace: Workspace, run: StoredRun, folders: ArtifactFolders, folder: RunFolder, done: ImportedRuns
) -> None:
    """Give a run that came over without any file those that are found this time."""
    if folder.load_artifacts():
        return
    artifacts = _keep_artifacts(workspace, run, folders, done)
    if artifacts:
        folder.change(lambda document: setattr(document, "artifacts", artifacts))
        done.completed += 1


def _write_points(store: MlflowStore, draft: RunFolder, run: StoredRun) -> None:
    writer: SegmentWriter | None = None
    try:
        for points in store.points(run.id):
            writer = writer or SegmentWriter(draft.next_segment())
            writer.write_points(points)
    finally:
        if writer is not None:
            writer.close(is_durable=True)
    if not run.status.is_open and draft.metrics_size() >= COMPACT_AT_FINISH:
        compact(draft)


def _index(workspace: Workspace, written: Sequence[RunFolder]) -> None:
    """Write runs into the catalog that are not in it, also those of an import that died before this."""
    ids = [folder.id for folder in written]
    known = catalog.known_ids(workspace.database, ids)
    missing = [folder for folder in written if folder.id not in known]
    if not missing:
        return
    with workspace.database.write() as connection:
        for folder in missing:
            number = catalog.write_run(connection, folder.load())
            catalog.write_inputs(connection, number, folder.load_inputs())
            catalog.write_metrics(connection, number, read_latest(folder).values(), folder.metrics_size())


def _folder_of(workspace: Workspace, run: StoredRun) -> RunFolder:
    if RUN_ID.fullmatch(run.id) is None:
        raise InvalidArgumentError(f"{run.id[:80]!r} is not the id of a run: 32 hexadecimal digits.")
    return RunFolder(workspace, run.id)


def _forget_draft(workspace: Workspace, name: str) -> None:
    import shutil

    shutil.rmtree(workspace.root / "runs" / name, ignore_errors=True)

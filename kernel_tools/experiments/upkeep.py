"""Upkeep of the store: compact ended runs, rebuild the catalog from the folders, remove what was deleted long ago."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from kernel_tools.core.errors import AtelierError, IntegrityError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.experiment_catalog import index_experiment
from kernel_tools.experiments.experiment_files import ExperimentDocument, ExperimentFiles
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import Lifecycle
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_files import RunDocument, RunFolder, list_folders, now
from kernel_tools.experiments.tables import (
    experiment_tags,
    experiments,
    latest_metrics,
    params,
    run_inputs,
    runs,
    tags,
)

logger = logging.getLogger(__name__)

BATCH = 200
"""Runs indexed in one transaction, so that others write in between."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: experiments, runs, and the folders that could not be read, each with the reason."""

    experiments: int
    runs: int
    damaged: list[str]


@dataclass(frozen=True, slots=True)
class Collected:
    """What a garbage collection removed."""

    runs: int
    experiments: int


def compact(run: Run | str | None = None, *, workspace: Workspace | None = None) -> int:
    """Compact one ended run, or all of them; returns the number of runs whose points moved into a compacted file."""
    workspace = workspace or current_workspace()
    if run is not None:
        chosen = run if isinstance(run, Run) else Run(workspace, run)
        return int(chosen.compact() > 0)
    compacted = 0
    for folder in list_folders(workspace):
        try:
            if folder.segments() and not folder.load().status.is_open:
                compacted += Run(workspace, folder.id).compact() > 0
        except AtelierError as error:
            logger.warning("Run %s was not compacted: %s", folder.id, error)
    return compacted


def rebuild(*, workspace: Workspace | None = None) -> Rebuilt:
    """Drop what the catalog knows of experiments and runs, and read all of it again from their files and folders.

    Runs that were copied in from another workspace appear, and with them the experiments that they belong to.
    """
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        for table in (latest_metrics, params, tags, run_inputs, runs, experiment_tags, experiments):
            connection.execute(table.delete())
    files = ExperimentFiles(workspace)
    for experiment_id in files.ids():
        index_experiment(workspace.database, files.load(experiment_id))
    damaged: list[str] = []
    found = 0
    known = set(files.ids())
    folders = list_folders(workspace)
    for start in range(0, len(folders), BATCH):
        batch = list(_read(folders[start : start + BATCH], damaged))
        for document, _ in batch:
            if document.experiment_id not in known:
                known.add(document.experiment_id)
                _add_experiment(workspace, files, document)
        with workspace.database.write() as connection:
            for document, folder in batch:
                number = catalog.write_run(connection, document)
                try:
                    catalog.write_inputs(connection, number, folder.load_inputs())
                    size = folder.metrics_size()
                    catalog.write_metrics(connection, number, read_latest(folder).values(), size)
                except IntegrityError as error:
                    damaged.append(f"{folder.id}: {error}")
        found += len(batch)
    with workspace.database.write() as connection:
        catalog.analyze(connection)
    workspace.audit.record("experiments.rebuild", str(workspace.root), {"runs": found, "damaged": len(damaged)})
    return Rebuilt(len(known), found, damaged)


def collect_garbage(older_than: float = 30 * 86400, *, workspace: Workspace | None = None) -> Collected:
    """Remove for good the runs and experiments that were deleted long enough ago.

    Parameters
    ----------
    older_than
        Seconds since the deletion.
    workspace
        Default: the current workspace.

    Notes
    -----
    The blobs of their artifacts go with the next garbage collection of the artifact store, unless another run or a
    model version refers to them.
    """
    workspace = workspace or current_workspace()
    for trash in (workspace.root / "runs").glob(".*.gone"):
        _empty(workspace, trash)  # a removal that a crash interrupted
    files = ExperimentFiles(workspace)
    limit = now() - int(older_than * 1000)
    gone = {document.id for document in _deleted_experiments(files) if (document.deleted_at or 0) <= limit}
    removed = 0
    damaged: list[str] = []
    for document, folder in _read(list_folders(workspace), damaged):
        is_deleted = document.lifecycle is Lifecycle.DELETED and (document.deleted_at or 0) <= limit
        if is_deleted or document.experiment_id in gone:
            _remove(workspace, folder)
            removed += 1
    for experiment_id in gone:
        with workspace.database.write() as connection:
            is_used = connection.execute(sa.select(runs.c.number).where(runs.c.experiment_id == experiment_id)).first()
            if is_used is None:
                connection.execute(experiments.delete().where(experiments.c.id == experiment_id))
        if is_used is None:
            files.delete(experiment_id)
            workspace.audit.record("experiment.remove", experiment_id)
    return Collected(removed, len(gone))


def _read(folders: list[RunFolder], damaged: list[str]) -> Iterator[tuple[RunDocument, RunFolder]]:
    for folder in folders:
        try:
            yield folder.load(), folder
        except AtelierError as error:
            damaged.append(f"{folder.id}: {error}")


def _deleted_experiments(files: ExperimentFiles) -> list[ExperimentDocument]:
    documents = [files.load(experiment_id) for experiment_id in files.ids()]
    return [document for document in documents if document.lifecycle is Lifecycle.DELETED]


def _add_experiment(workspace: Workspace, files: ExperimentFiles, run: RunDocument) -> None:
    """Write the file of an experiment that came with a run, under another name if its own is taken here."""
    name = run.experiment
    with workspace.database.read() as connection:
        taken = connection.execute(sa.select(experiments.c.id).where(experiments.c.name == name)).first()
    document = ExperimentDocument(
        run.experiment_id, f"{name} ({run.experiment_id})" if taken else name, run.started_at, run.started_at
    )
    with files.locked():
        files.add(document, lambda document: index_experiment(workspace.database, document))


def _remove(workspace: Workspace, folder: RunFolder) -> None:
    """Take the run out of sight first, then delete its folder, then its row; a crash in between is made good later."""
    trash = workspace.root / "runs" / f".{folder.id}.gone"
    folder.path.replace(trash)
    _empty(workspace, trash)


def _empty(workspace: Workspace, trash: Path) -> None:
    run_id = trash.name.strip(".").removesuffix(".gone")
    with workspace.database.write() as connection:
        connection.execute(runs.delete().where(runs.c.id == run_id))
    shutil.rmtree(trash)
    workspace.audit.record("run.remove", run_id)

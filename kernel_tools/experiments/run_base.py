"""What every part of a run stands on: its folder, its document, and what they say."""

from __future__ import annotations

from collections.abc import Callable

from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.links import studio_url
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.experiment_files import ExperimentFiles
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import (
    ARCHIVED_TAG,
    FAVOURITE_TAG,
    NOTE_TAG,
    ArtifactRecord,
    DatasetInput,
    Lifecycle,
    RunRecord,
    RunStatus,
)
from kernel_tools.experiments.run_files import RunDocument, RunFolder


class RunBase:
    """A run's folder and what it says."""

    def __init__(self, workspace: Workspace, run_id: str) -> None:
        self._workspace = workspace
        self._folder = RunFolder(workspace, run_id)
        self.id = run_id

    @property
    def name(self) -> str:
        """The run's name."""
        return self._folder.load().name

    @property
    def experiment(self) -> str:
        """The name of the run's experiment."""
        return self._experiment_name(self._folder.load())

    @property
    def experiment_id(self) -> str:
        """The id of the run's experiment."""
        return self._folder.load().experiment_id

    @property
    def status(self) -> RunStatus:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return self._folder.load().status

    @property
    def lifecycle(self) -> Lifecycle:
        """Whether the run is active or deleted."""
        return self._folder.load().lifecycle

    @property
    def parent_run_id(self) -> str | None:
        """The id of the run that this one is nested in."""
        return self._folder.load().parent_run_id

    @property
    def params(self) -> dict[str, str]:
        """The parameters, as strings."""
        return self._folder.load().params

    @property
    def tags(self) -> dict[str, str]:
        """The tags."""
        return self._folder.load().tags

    @property
    def note(self) -> str:
        """The note, in Markdown."""
        return self.tags.get(NOTE_TAG, "")

    @property
    def is_favourite(self) -> bool:
        """Whether somebody has marked the run as a favourite."""
        return self.tags.get(FAVOURITE_TAG) == "true"

    @property
    def is_archived(self) -> bool:
        """Whether the run was put out of sight without being deleted."""
        return self.tags.get(ARCHIVED_TAG) == "true"

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of every metric."""
        return {key: point.value for key, point in sorted(read_latest(self._folder).items())}

    @property
    def artifacts(self) -> list[ArtifactRecord]:
        """The files that the run kept, by path."""
        return sorted(self._folder.load_artifacts(), key=lambda artifact: artifact.path)

    @property
    def inputs(self) -> list[DatasetInput]:
        """The datasets that the run read."""
        return self._folder.load_inputs()

    @property
    def record(self) -> RunRecord:
        """The run as one row."""
        document = self._folder.load()
        return RunRecord(
            id=self.id,
            name=document.name,
            experiment=self._experiment_name(document),
            status=document.status,
            user=document.user,
            started_at=document.started_at,
            ended_at=document.ended_at,
            params=dict(sorted(document.params.items())),
            metrics=self.metrics,
            tags=dict(sorted(document.tags.items())),
            experiment_id=document.experiment_id,
            lifecycle=catalog.effective_lifecycle(self._workspace, document),
            parent_run_id=document.parent_run_id,
        )

    @property
    def url(self) -> str:
        """The address of the run's page in the studio."""
        return studio_url(f"run/{self.id}")

    def _experiment_name(self, document: RunDocument) -> str:
        try:
            return ExperimentFiles(self._workspace).load(document.experiment_id).name
        except NotFoundError:
            return document.experiment

    def _change(self, change: Callable[[RunDocument], None]) -> None:
        """Change the run, which must not be deleted, on disk and in the catalog."""

        def apply(document: RunDocument) -> None:
            require_active(document)
            change(document)

        self._folder.change(apply, self._index)

    def _index(self, document: RunDocument) -> None:
        catalog.index_run(self._workspace, document)


def require_active(document: RunDocument) -> None:
    """Raise ConflictError if a run is deleted."""
    if document.lifecycle is not Lifecycle.ACTIVE:
        raise ConflictError(f"Run {document.id!r} is deleted and cannot be changed. Restore it first: run.restore().")

"""The folder of a run: `run.json`, `inputs.json`, `artifacts.jsonl`, its lock, and the metrics. This is the truth; the
catalog only indexes it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.processes import ProcessIdentity
from kernel_tools.core.workspace import Workspace, atomic_write, sync_folder
from kernel_tools.experiments.artifact_log import ArtifactLog, Line
from kernel_tools.experiments.disk import explain_disk_errors
from kernel_tools.experiments.experiment_files import propose_id
from kernel_tools.experiments.records import PARENT_TAG, ArtifactRecord, DatasetInput, Lifecycle, RunStatus

RUN_VERSION = 2
READABLE_VERSIONS = (1, 2)
"""In version 1 every artifact stood in `run.json`."""
INPUTS_VERSION = 1
COMPACTED = "metrics.parquet"
DRAFT_SUFFIX = ".draft"


@dataclass(slots=True)
class RunDocument:
    """What `run.json` holds; metrics are in the segments, artifact bytes in the artifact store.

    `artifacts` are those that the run was started with; `RunFolder.load_artifacts` returns all.
    """

    id: str
    name: str
    experiment: str
    status: RunStatus
    user: str
    started_at: int
    ended_at: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: list[ArtifactRecord] = field(default_factory=list)
    process: ProcessIdentity | None = None
    experiment_id: str = ""
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    deleted_at: int | None = None

    @property
    def parent_run_id(self) -> str | None:
        """The run that this one is nested in."""
        return self.tags.get(PARENT_TAG)


class RunFolder:
    """One run's folder in the workspace.

    Parameters
    ----------
    workspace
        The workspace that holds the run.
    run_id
        The run's id: 32 hexadecimal digits.
    """

    def __init__(self, workspace: Workspace, run_id: str) -> None:
        self.id = run_id
        self.path = workspace.folder("runs", run_id)
        self._document_path = self.path / "run.json"
        self._artifact_log = ArtifactLog(self.path / "artifacts.jsonl")

    def create(self, document: RunDocument) -> None:
        """Write the folder of a new run."""
        with explain_disk_errors("The run was not started", self.path):
            self.path.mkdir(parents=True)
            self._save(document)

    @contextmanager
    def drafted(self) -> Iterator[RunFolder]:
        """Give a folder out of sight to write a whole run into; it becomes this run's folder when the block ends.

        What a crash leaves behind is no run, and the next draft takes its place.
        """
        draft = RunFolder.__new__(RunFolder)
        draft.id = self.id
        draft.path = self.path.with_name(f".{self.id}{DRAFT_SUFFIX}")
        draft._document_path = draft.path / "run.json"
        shutil.rmtree(draft.path, ignore_errors=True)
        try:
            with explain_disk_errors("The run was not written", self.path):
                yield draft
                os.rename(draft.path, self.path)
                sync_folder(self.path.parent)
        except BaseException:
            shutil.rmtree(draft.path, ignore_errors=True)
            raise

    def load(self) -> RunDocument:
        """Read `run.json`.

        Raises
        ------
        NotFoundError
            If there is no such run.
        IntegrityError
            If the file is not what Atelier wrote, or was written by a newer version.
        """
        try:
            content = json.loads(self._document_path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(
                f"There is no run {self.id!r} in the workspace {str(self.path.parent.parent)!r}. "
                "`kernel_tools.experiments.search_runs()` lists the runs that exist."
            ) from None
        except ValueError as error:
            raise IntegrityError(
                f"{self._document_path} is not valid JSON ({error}). Restore it from a backup."
            ) from error
        version = content.get("version") if isinstance(content, dict) else None
        if version not in READABLE_VERSIONS:
            raise IntegrityError(
                f"{self._document_path} has format version {version!r}; this Atelier reads up to {RUN_VERSION}. "
                "Install the Atelier that wrote it, or a newer one."
            )
        try:
            return _parse(content)
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                f"{self._document_path} is not what Atelier wrote ({type(error).__name__}: {error}). Restore it from "
                "a backup."
            ) from error

    def change(
        self, change: Callable[[RunDocument], None], index: Callable[[RunDocument], None] | None = None
    ) -> RunDocument:
        """Apply a change to the document and write it whole, then index it, all under the run's lock.

        The lock goes around both, so that of two processes the later change is also the later one in the catalog.
        """
        if not self._document_path.exists():
            self.load()  # says that there is no such run; the lock must not make its folder
        with explain_disk_errors("The run was not changed", self.path), self.locked():
            document = self.load()
            change(document)
            self._save(document)
            if index is not None:
                index(document)
            return document

    def is_deleted(self) -> bool:
        """Say whether the run itself is deleted; a run whose folder is damaged or gone is not."""
        try:
            return self.load().lifecycle is Lifecycle.DELETED
        except (IntegrityError, NotFoundError):
            return False

    def load_artifacts(self) -> list[ArtifactRecord]:
        """Read which files the run kept, in the order in which they were."""
        return self._artifact_log.replay(self.load().artifacts)

    def change_artifacts(self, decide: Callable[[RunDocument], Sequence[Line]]) -> None:
        """Add lines to the list of artifacts, under the run's lock; what they are is decided from the document."""
        if not self._document_path.exists():
            self.load()  # as in `change`
        with explain_disk_errors("The run was not changed", self.path), self.locked():
            document = self.load()
            self._artifact_log.append(decide(document))
            if self._artifact_log.is_overgrown():
                self._artifact_log.compact(document.artifacts)

    def load_inputs(self) -> list[DatasetInput]:
        """Read the datasets that the run logged."""
        try:
            content = json.loads((self.path / "inputs.json").read_bytes())
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise IntegrityError(f"{self.path / 'inputs.json'} is not valid JSON ({error}).") from error
        if content.get("version") != INPUTS_VERSION:
            raise IntegrityError(f"{self.path / 'inputs.json'} has a format that this Atelier does not read.")
        return [DatasetInput(**item) for item in content["inputs"]]

    def add_inputs(self, inputs: list[DatasetInput], index: Callable[[list[DatasetInput]], None]) -> None:
        """Add datasets that are not among the inputs yet, by name, digest and context; then index all of them."""
        with explain_disk_errors("The dataset was not logged", self.path), self.locked():
            kept = {(item.name, item.digest, item.context): item for item in self.load_inputs()}
            for item in inputs:
                kept.setdefault((item.name, item.digest, item.context), item)
            content = {"version": INPUTS_VERSION, "inputs": [asdict(item) for item in kept.values()]}
            with atomic_write(self.path / "inputs.json") as file:
                file.write(json.dumps(content, ensure_ascii=False).encode())
            index(list(kept.values()))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run's lock against other processes and threads."""
        with hold_lock(self.path / "run.lock"):
            yield

    def segments(self) -> list[Path]:
        """Return the metrics segments, the oldest first; each has one writer."""
        return sorted(self.path.glob("metrics-*.bin"))

    @property
    def compacted(self) -> Path:
        """Where the points of a finished run stand after `compaction`, if there are any."""
        return self.path / COMPACTED

    def metrics_size(self) -> int:
        """Return the size of everything that holds metrics, in bytes; it changes with every point."""
        total = 0
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name == COMPACTED or (entry.name.startswith("metrics-") and entry.name.endswith(".bin")):
                    total += entry.stat().st_size
        return total

    def last_change(self) -> int:
        """Return when the run last wrote anything, in milliseconds since 1970 UTC."""
        written = [self._document_path, *self.segments()]
        if self._artifact_log.path.exists():
            written.append(self._artifact_log.path)
        return max(int(path.stat().st_mtime * 1000) for path in written)

    def next_segment(self) -> Path:
        """Return a path for a new segment: it sorts after the others and is never used again."""
        return self.path / f"metrics-{time.time_ns():020d}-{os.urandom(4).hex()}.bin"

    def _save(self, document: RunDocument) -> None:
        content = {"version": RUN_VERSION, **asdict(document)}
        with atomic_write(self._document_path) as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def list_folders(workspace: Workspace) -> list[RunFolder]:
    """Return the folders of all runs of a workspace; one without `run.json` was never acknowledged and is left out."""
    found = sorted((workspace.root / "runs").glob("*/run.json"))
    return [RunFolder(workspace, path.parent.name) for path in found if not path.parent.name.startswith(".")]


def now() -> int:
    """Return the present time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _parse(content: dict[str, Any]) -> RunDocument:
    known = {item.name: content[item.name] for item in fields(RunDocument) if item.name in content}
    known["status"] = RunStatus(known["status"])
    known["artifacts"] = [ArtifactRecord(**artifact) for artifact in known.get("artifacts", [])]
    known["process"] = ProcessIdentity(**known["process"]) if known.get("process") else None
    known["lifecycle"] = Lifecycle(known.get("lifecycle", Lifecycle.ACTIVE))
    known["experiment_id"] = known.get("experiment_id") or propose_id(known["experiment"])
    return RunDocument(**known)

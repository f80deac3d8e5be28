"""The folder of a run: `run.json`, its lock, and the metrics segments. This is the truth; the catalog only "
"indexes it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.core.processes import ProcessIdentity
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.experiments.records import ArtifactRecord, RunStatus
from kernel_tools.experiments.segment import SegmentWriter

RUN_VERSION = 1


@dataclass(slots=True)
class RunDocument:
    """What `run.json` holds; metrics are in the segments, artifact bytes in the artifact store."""

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

    def create(self, document: RunDocument) -> None:
        """Write the folder of a new run."""
        self.path.mkdir(parents=True)
        self._save(document)

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
        except FileNotFoundError:
            raise NotFoundError(
                f"There is no run {self.id!r} in the workspace {str(self.path.parent.parent)!r}. "
                "`kernel_tools.experiments.search_runs()` lists the runs that exist."
            ) from None
        except ValueError as error:
            raise IntegrityError(
                f"{self._document_path} is not valid JSON ({error}). Restore it from a backup."
            ) from error
        if content.get("version") != RUN_VERSION:
            raise IntegrityError(
                f"{self._document_path} has format version {content.get('version')!r}; this Atelier reads "
                f"{RUN_VERSION}. "
                "Install the Atelier that wrote it, or a newer one."
            )
        return _parse(content)

    def change(
        self, change: Callable[[RunDocument], None], index: Callable[[RunDocument], None] | None = None
    ) -> RunDocument:
        """Apply a change to the document and write it whole, then index it, all under the run's lock.

        The lock goes around both, so that of two processes the later change is also the later one in the catalog.
        """
        with self.locked():
            document = self.load()
            change(document)
            self._save(document)
            if index is not None:
                index(document)
            return document

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run's lock against other processes and threads."""
        from filelock import FileLock

        with FileLock(self.path / "run.lock"):
            yield

    def segments(self) -> list[Path]:
        """Return the metrics segments, the oldest first; each has one writer."""
        return sorted(self.path.glob("metrics-*.bin"))

    def segment_size(self) -> int:
        """Return the size of all metrics segments in bytes."""
        return sum(path.stat().st_size for path in self.segments())

    def last_change(self) -> int:
        """Return when the run last wrote anything, in milliseconds since 1970 UTC."""
        return max(int(path.stat().st_mtime * 1000) for path in (self._document_path, *self.segments()))

    def open_segment(self) -> SegmentWriter:
        """Create the next metrics segment for this process."""
        number = len(self.segments())
        while True:
            try:
                return SegmentWriter(self.path / f"metrics-{number:04d}.bin")
            except FileExistsError:
                number += 1

    def _save(self, document: RunDocument) -> None:
        content = {"version": RUN_VERSION, **asdict(document)}
        with atomic_write(self._document_path) as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def list_folders(workspace: Workspace) -> list[RunFolder]:
    """Return the folders of all runs of a workspace; a folder without `run.json` was never acknowledged and is "
    "left out."""
    return [RunFolder(workspace, path.parent.name) for path in sorted((workspace.root / "runs").glob("*/run.json"))]


def now() -> int:
    """Return the present time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _parse(content: dict[str, Any]) -> RunDocument:
    known = {item.name: content[item.name] for item in fields(RunDocument) if item.name in content}
    known["status"] = RunStatus(known["status"])
    known["artifacts"] = [ArtifactRecord(**artifact) for artifact in known.get("artifacts", [])]
    known["process"] = ProcessIdentity(**known["process"]) if known.get("process") else None
    return RunDocument(**known)

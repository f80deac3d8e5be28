"""The run: what user code holds while it trains, and what it gets back later."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import threading
import uuid
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.links import studio_url
from kernel_tools.core.workspace import Workspace, validate_title
from kernel_tools.experiments import catalog
from kernel_tools.experiments.metrics import read_history, read_latest
from kernel_tools.experiments.records import ArtifactRecord, RunRecord, RunStatus
from kernel_tools.experiments.run_files import RunDocument, RunFolder, now
from kernel_tools.experiments.segment import SegmentWriter, to_float, validate_key

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

MAX_TEXT = 100_000
"""Longest value of a parameter or tag, in characters."""

_OPEN_WRITERS: weakref.WeakSet[Run] = weakref.WeakSet()


class Run:
    """A run of an experiment; `start_run` makes one, `get_run` finds one. A context manager that ends the run.

    Metrics are acknowledged when the call returns: they are in the operating system's hands and survive the death of
    the process. Parameters, tags and artifacts are on disk when the call returns.
    """

    def __init__(self, workspace: Workspace, run_id: str) -> None:
        self._workspace = workspace
        self._folder = RunFolder(workspace, run_id)
        self._writer: SegmentWriter | None = None
        self._opening = threading.Lock()
        self.id = run_id

    def __repr__(self) -> str:
        document = self._folder.load()
        return f"<Run {document.name!r} of {document.experiment!r}, {document.status.value}, id {self.id}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is RunStatus.RUNNING:
            stopped = kind is not None and issubclass(kind, (KeyboardInterrupt, SystemExit))
            ended = RunStatus.KILLED if stopped else RunStatus.FAILED
            self.finish(RunStatus.FINISHED if kind is None else ended)

    @property
    def name(self) -> str:
        """The run's name."""
        return self._folder.load().name

    @property
    def experiment(self) -> str:
        """The name of the run's experiment."""
        return self._folder.load().experiment

    @property
    def status(self) -> RunStatus:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return self._folder.load().status

    @property
    def params(self) -> dict[str, str]:
        """The parameters, as strings."""
        return self._folder.load().params

    @property
    def tags(self) -> dict[str, str]:
        """The tags."""
        return self._folder.load().tags

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of every metric."""
        return {key: point.value for key, point in sorted(read_latest(self._folder).items())}

    @property
    def artifacts(self) -> list[ArtifactRecord]:
        """The files that the run kept, by path."""
        return sorted(self._folder.load().artifacts, key=lambda artifact: artifact.path)

    @property
    def record(self) -> RunRecord:
        """The run as one row."""
        document = self._folder.load()
        return RunRecord(
            id=self.id,
            name=document.name,
            experiment=document.experiment,
            status=document.status,
            user=document.user,
            started_at=document.started_at,
            ended_at=document.ended_at,
            params=dict(sorted(document.params.items())),
            metrics=self.metrics,
            tags=dict(sorted(document.tags.items())),
        )

    @property
    def url(self) -> str:
        """The address of the run's page in the studio."""
        return studio_url(f"run/{self.id}")

    def log_metric(self, key: str, value: float, step: int | None = None, timestamp: int | None = None) -> None:
        """Log one value of a metric.

        Parameters
        ----------
        key
            Name of the metric: 1 to 250 printable characters; ``validation/auc`` groups with other ``validation/``
            metrics.
        value
            Any scalar (Python, NumPy, torch). NaN and infinities are kept.
        step
            Training step, epoch or round. Default: one more than the step before, from 0.
        timestamp
            Milliseconds since 1970 UTC. Default: now.

        Raises
        ------
        InvalidArgumentError
            If key, value or step cannot be used.
        ConflictError
            If the run has ended.
        UnavailableError
            If the disk is full.
        """
        writer = self._writer or self._open_writer()
        if type(value) is not float:
            value = to_float(key, value)
        try:
            writer.write(key, value, step, timestamp)
        except OSError as error:
            raise self._disk_error(error) from error

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None, timestamp: int | None = None) -> None:
        """Log several metrics of one step, by one write: all of them are kept, or none."""
        writer = self._writer or self._open_writer()
        points = [(key, to_float(key, value)) for key, value in metrics.items()]
        try:
            writer.write_many(points, step, timestamp)
        except OSError as error:
            raise self._disk_error(error) from error

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; values are kept as strings.

        Raises
        ------
        ConflictError
            If a parameter has another value already: parameters say how the run was made and do not change.
        """
        texts = {validate_key(key): _to_text(key, value) for key, value in params.items()}

        def change(document: RunDocument) -> None:
            for key, value in texts.items():
                if document.params.get(key, value) != value:
                    raise ConflictError(
                        f"Parameter {key!r} of run {self.id!r} is {document.params[key]!r} and cannot become "
                        f"{value!r}. "
                        "Log a metric or a tag for what changes, or start another run."
                    )
            document.params |= texts

        self._change(change)

    def log_param(self, key: str, value: Any) -> None:
        """Log one parameter; see `log_params`."""
        self.log_params({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags; a tag that exists gets the new value."""
        texts = {validate_key(key): _to_text(key, value) for key, value in tags.items()}
        self._change(lambda document: document.tags.update(texts))

    def set_tag(self, key: str, value: Any) -> None:
        """Set one tag; see `set_tags`."""
        self.set_tags({key: value})

    def log_artifact(self, path: str | os.PathLike[str], artifact_path: str | None = None) -> list[ArtifactRecord]:
        """Keep a file, or all files of a folder.

        Parameters
        ----------
        path
            A local file or folder.
        artifact_path
            The folder inside the run's artifacts to put it in. Default: the top.

        Returns
        -------
        list of ArtifactRecord
            One per file. A file logged again under the same path takes the place of the earlier one.

        Raises
        ------
        NotFoundError
            If the path does not exist.
        """
        source = Path(path)
        if not source.exists():
            raise NotFoundError(f"There is no file {str(source)!r} to log. Write it first, or correct the path.")
        files = sorted(item for item in source.rglob("*") if item.is_file()) if source.is_dir() else [source]
        prefix = [artifact_path] if artifact_path else []
        records = []
        for file in files:
            blob = self._workspace.artifacts.put_file(file)
            target = "/".join([*prefix, file.relative_to(source.parent).as_posix()])
            records.append(_artifact(target, blob.size, blob.sha256))
        self._keep(records)
        return records

    def log_figure(self, figure: go.Figure, artifact_path: str) -> ArtifactRecord:
        """Keep a Plotly figure as JSON, so that the studio and notebooks can draw it again.

        Parameters
        ----------
        figure
            The figure.
        artifact_path
            Where to keep it; ``.plotly.json`` is appended if it is missing.
        """
        import json

        from kernel_tools.core.figures import figure_json

        target = artifact_path if artifact_path.endswith(".plotly.json") else f"{artifact_path}.plotly.json"
        blob = self._workspace.artifacts.put_bytes(json.dumps(figure_json(figure)).encode())
        record = _artifact(target, blob.size, blob.sha256)
        self._keep([record])
        return record

    def artifact(self, path: str) -> ArtifactRecord:
        """Return one artifact's record.

        Raises
        ------
        NotFoundError
            If the run kept nothing under this path.
        """
        for record in self.artifacts:
            if record.path == path:
                return record
        raise NotFoundError(
            f"Run {self.id!r} has no artifact {path!r}. It has {len(self.artifacts)}; see run.artifacts."
        )

    def open_artifact(self, path: str) -> IO[bytes]:
        """Open an artifact for reading; its bytes are checked against their sha256."""
        return self._workspace.artifacts.open(self.artifact(path).sha256)

    def history(self, key: str, max_points: int | None = None) -> pd.DataFrame:
        """Return the history of a metric.

        Parameters
        ----------
        key
            Name of the metric.
        max_points
            None for every point; else first, lowest, highest and last of equal buckets, at most this many points.

        Returns
        -------
        DataFrame
            Columns step, timestamp (UTC) and value, ordered by step, then time.
        """
        return read_history(self._folder, key, max_points).to_frame()

    def finish(self, status: RunStatus | str = RunStatus.FINISHED) -> None:
        """End the run and bring the catalog up to date; later points are refused."""
        try:
            ended = RunStatus(status)
        except ValueError:
            raise InvalidArgumentError(f"{status!r} is no way to end a run: use FINISHED, FAILED or KILLED.") from None
        if ended is RunStatus.RUNNING:
            raise InvalidArgumentError("A run cannot end as RUNNING: use FINISHED, FAILED or KILLED.")
        self._close_writer()

        def change(document: RunDocument) -> None:
            if document.status is not RunStatus.RUNNING:
                raise ConflictError(f"Run {self.id!r} has ended already, as {document.status.value}.")
            document.status = ended
            document.ended_at = now()

        self._folder.change(change, self._index)
        catalog.index_metrics(self._workspace.database, self._folder)
        self._workspace.audit.record("run.end", self.id, {"status": ended.value})

    def _change(self, change: Callable[[RunDocument], None]) -> None:
        self._folder.change(change, self._index)

    def _index(self, document: RunDocument) -> None:
        catalog.index_run(self._workspace.database, document)

    def _keep(self, records: list[ArtifactRecord]) -> None:
        def change(document: RunDocument) -> None:
            paths = {record.path for record in records}
            document.artifacts = [item for item in document.artifacts if item.path not in paths] + records

        self._folder.change(change)

    def _open_writer(self) -> SegmentWriter:
        with self._opening:
            if self._writer is None:
                status = self.status
                if status is not RunStatus.RUNNING:
                    raise ConflictError(
                        f"Run {self.id!r} has ended as {status.value} and takes no more points. Start another."
                    )
                self._writer = self._folder.open_segment()
                _OPEN_WRITERS.add(self)
            return self._writer

    def _close_writer(self) -> None:
        with self._opening:
            if self._writer is not None:
                self._writer.sync()
                self._writer.close()
                self._writer = None

    def _disk_error(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"The metric was not logged: {error.strerror} ({self._folder.path}). Free some space; the points "
            "before it are safe."
        )


def start_run(
    experiment: str,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace,
) -> Run:
    """Create a run; see `kernel_tools.experiments.start_run`."""
    from kernel_tools.core.audit import current_user
    from kernel_tools.core.processes import current_process

    validate_title(experiment, "experiment name")
    started_at = now()
    run_id = uuid.uuid4().hex
    document = RunDocument(
        id=run_id,
        name=validate_title(name, "run name") if name is not None else f"run-{run_id[:8]}",
        experiment=experiment,
        status=RunStatus.RUNNING,
        user=current_user(),
        started_at=started_at,
        params={validate_key(key): _to_text(key, value) for key, value in (params or {}).items()},
        tags={validate_key(key): _to_text(key, value) for key, value in (tags or {}).items()},
        process=current_process(),
    )
    catalog.create_experiment(workspace.database, experiment, started_at)
    RunFolder(workspace, run_id).create(document)
    catalog.index_run(workspace.database, document)
    workspace.audit.record("run.start", run_id, {"experiment": experiment, "name": document.name})
    return Run(workspace, run_id)


def _to_text(key: str, value: Any) -> str:
    text = str(value)
    if len(text) > MAX_TEXT:
        raise InvalidArgumentError(
            f"The value of {key!r} has {len(text):,} characters; at most {MAX_TEXT:,} are kept. Log it as an "
            "artifact instead."
        )
    return text


def _artifact(path: str, size: int, sha256: str) -> ArtifactRecord:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise InvalidArgumentError(f"{path!r} is not a valid artifact path: use a relative path without '..'.")
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return ArtifactRecord(PurePosixPath(path).as_posix(), size, sha256, media_type, now())


def _forget_writers() -> None:
    for run in list(_OPEN_WRITERS):
        run._writer = None


with contextlib.suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget_writers)

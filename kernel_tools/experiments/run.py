"""The run: what user code holds while it trains, and what it gets back later."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kernel_tools.core.errors import ConflictError, InvalidArgumentError
from kernel_tools.core.workspace import Workspace, validate_title
from kernel_tools.experiments import catalog, hooks
from kernel_tools.experiments.active import activate, deactivate
from kernel_tools.experiments.capture.origin import Origin, describe_origin
from kernel_tools.experiments.disk import disk_error
from kernel_tools.experiments.experiment_catalog import ensure_experiment, get_experiment, require_active_experiment
from kernel_tools.experiments.metrics import read_history
from kernel_tools.experiments.records import PARENT_TAG, RunStatus
from kernel_tools.experiments.run_artifacts import RunArtifacts
from kernel_tools.experiments.run_base import require_active
from kernel_tools.experiments.run_files import RunDocument, RunFolder, now
from kernel_tools.experiments.run_inputs import RunInputs
from kernel_tools.experiments.run_lifecycle import RunLifecycle
from kernel_tools.experiments.segment import Point, SegmentClosedError, SegmentWriter, to_float
from kernel_tools.experiments.texts import check_count, to_texts
from kernel_tools.experiments.writers import close_writer, writer_of

if TYPE_CHECKING:
    import pandas as pd

_RUN_ID = re.compile(r"[0-9a-f]{32}")


class Run(RunArtifacts, RunInputs, RunLifecycle):
    """A run of an experiment; `start_run` makes one, `get_run` finds one. A context manager that ends the run.

    Metrics are acknowledged when the call returns: they are in the operating system's hands and survive the death of
    the process. Parameters, tags and artifacts are on disk when the call returns.
    """

    def __init__(self, workspace: Workspace, run_id: str) -> None:
        super().__init__(workspace, run_id)
        self._writer: SegmentWriter | None = None
        self._activations: list[Token[Run | None]] = []

    def __repr__(self) -> str:
        document = self._folder.load()
        return f"<Run {document.name!r} of {self.experiment!r}, {document.status.value}, id {self.id}>"

    def __enter__(self) -> Self:
        self._activations.append(activate(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._activations:
            deactivate(self._activations.pop())
        if self.status.is_open:
            stopped = kind is not None and issubclass(kind, (KeyboardInterrupt, SystemExit))
            ended = RunStatus.KILLED if stopped else RunStatus.FAILED
            self.finish(RunStatus.FINISHED if kind is None else ended)

    def start_child(
        self, name: str | None = None, params: Mapping[str, Any] | None = None, tags: Mapping[str, Any] | None = None
    ) -> Run:
        """Start a run inside this one, in the same experiment; at any depth."""
        return start_run(
            None,
            name,
            params,
            tags,
            experiment_id=self.experiment_id,
            parent_run_id=self.id,
            workspace=self._workspace,
        )

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
        if type(value) is not float:
            value = to_float(key, value)
        try:
            (self._writer or self._open_writer()).write(key, value, step, timestamp)
        except (OSError, SegmentClosedError) as error:
            self._write_again(error, lambda writer: writer.write(key, value, step, timestamp))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None, timestamp: int | None = None) -> None:
        """Log several metrics of one step, by one write: all of them are kept, or none."""
        points = [(key, to_float(key, value)) for key, value in metrics.items()]
        try:
            (self._writer or self._open_writer()).write_many(points, step, timestamp)
        except (OSError, SegmentClosedError) as error:
            self._write_again(error, lambda writer: writer.write_many(points, step, timestamp))

    def log_points(self, points: Iterable[Point]) -> None:
        """Log points of any keys, steps and times, by one write: all of them are kept, or none."""
        content = [Point(item.key, to_float(item.key, item.value), item.step, item.timestamp) for item in points]
        try:
            (self._writer or self._open_writer()).write_points(content)
        except (OSError, SegmentClosedError) as error:
            self._write_again(error, lambda writer: writer.write_points(content))

    def log_late_points(self, points: Iterable[Point]) -> None:
        """Log points also to a run that has ended, as remote clients do; see `log_points`.

        Those of an ended run go into a segment of their own, which is sealed, and into the catalog at once.
        """
        document = self._folder.load()
        if document.status.is_open:
            self.log_points(points)
            return
        require_active(document)
        try:
            writer_of(self._folder).write_points(list(points))
        except OSError as error:
            raise disk_error("The metric was not logged", self._folder.path, error) from error
        close_writer(self._folder)
        catalog.index_metrics(self._workspace.database, self._folder)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; values are kept as strings.

        Raises
        ------
        ConflictError
            If a parameter has another value already: parameters say how the run was made and do not change.
        """
        texts = to_texts(params)

        def change(document: RunDocument) -> None:
            for key, value in texts.items():
                if document.params.get(key, value) != value:
                    raise ConflictError(
                        f"Parameter {key!r} of run {self.id!r} is {document.params[key]!r} and cannot become "
                        f"{value!r}. Log a metric or a tag for what changes, or start another run."
                    )
            document.params |= texts
            check_count(len(document.params), "parameters")

        self._change(change)

    def log_param(self, key: str, value: Any) -> None:
        """Log one parameter; see `log_params`."""
        self.log_params({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags; a tag that exists gets the new value."""
        texts = to_texts(tags)

        def change(document: RunDocument) -> None:
            document.tags |= texts
            check_count(len(document.tags), "tags")

        self._change(change)

    def set_tag(self, key: str, value: Any) -> None:
        """Set one tag; see `set_tags`."""
        self.set_tags({key: value})

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

    def finish(self, status: RunStatus | str = RunStatus.FINISHED, ended_at: int | None = None) -> None:
        """End the run; see `RunLifecycle.finish`."""
        hooks.call_hooks(hooks.ENDING, self)
        self._writer = None
        super().finish(status, ended_at)

    def _open_writer(self) -> SegmentWriter:
        document = self._folder.load()
        require_active(document)
        if not document.status.is_open:
            raise ConflictError(
                f"Run {self.id!r} has ended as {document.status.value} and takes no more points. Start another, or let "
                "this one go on: run.resume()."
            )
        self._writer = writer_of(self._folder)
        return self._writer

    def _write_again(self, error: Exception, write: Callable[[SegmentWriter], None]) -> None:
        """Write to the run's next segment if this one was closed by somebody else, else say what is wrong."""
        self._writer = None
        if isinstance(error, OSError):
            raise disk_error("The metric was not logged", self._folder.path, error) from error
        try:
            write(self._open_writer())
        except OSError as second:
            raise disk_error("The metric was not logged", self._folder.path, second) from second


def start_run(
    experiment: str | None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace,
    experiment_id: str | None = None,
    parent_run_id: str | None = None,
    run_id: str | None = None,
    user: str | None = None,
    started_at: int | None = None,
    owned: bool = True,
) -> Run:
    """Create a run; see `kernel_tools.experiments.start_run`."""
    from kernel_tools.core.audit import current_user
    from kernel_tools.core.processes import current_process

    run_id = uuid.uuid4().hex if run_id is None else run_id
    if _RUN_ID.fullmatch(run_id) is None:
        raise InvalidArgumentError(f"{run_id[:80]!r} is not the id of a run: use 32 hexadecimal digits, or none.")
    if parent_run_id is not None:
        require_active(RunFolder(workspace, parent_run_id).load())
    origin = describe_origin(workspace) if owned else Origin()
    document = RunDocument(
        id=run_id,
        name=validate_title(name, "run name") if name is not None else f"run-{run_id[:8]}",
        experiment="",
        status=RunStatus.RUNNING,
        user=user or current_user(),
        started_at=now() if started_at is None else started_at,
        params=to_texts(params or {}),
        tags=to_texts(
            {**origin.tags, **(tags or {}), **({PARENT_TAG: parent_run_id} if parent_run_id is not None else {})}
        ),
        artifacts=origin.artifacts,
        process=current_process() if owned else None,
    )
    check_count(len(document.params), "parameters")
    check_count(len(document.tags), "tags")
    if experiment_id is None:
        document.experiment = validate_title(experiment, "experiment name")  # type: ignore[arg-type]  # refuses None
        document.experiment_id = ensure_experiment(workspace, document.experiment)
    else:
        found = get_experiment(workspace, id=experiment_id)
        require_active_experiment(found)
        document.experiment_id, document.experiment = found.id, found.name
    folder = RunFolder(workspace, run_id)
    if folder.path.exists():
        raise ConflictError(f"Run {run_id!r} exists already. Leave the id out, or choose another one.")
    folder.create(document)
    catalog.index_run(workspace, document)
    workspace.audit.record("run.start", run_id, {"experiment": document.experiment, "name": document.name})
    run = Run(workspace, run_id)
    if owned:
        hooks.call_hooks(hooks.STARTED, run)
    return run

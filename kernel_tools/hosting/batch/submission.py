"""Asking for a batch transform, and what one holds in hand afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from kernel_tools import jobs
from kernel_tools.core.errors import AtelierError, ConflictError, InvalidArgumentError, UnavailableError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.hosting.batch.job import ENTRY
from kernel_tools.hosting.batch.plan import BatchPlan, OnError, Strategy, find_inputs, read_plan, write_plan
from kernel_tools.hosting.batch.recording import FailedRow, read_failed
from kernel_tools.hosting.choosing import AUTO, choose_variant


@dataclass(frozen=True)
class BatchTransform:
    """A batch transform: the job that does it, and the folder of its outputs."""

    job: jobs.Job
    output: Path

    def wait(self, timeout: float | None = None) -> BatchTransform:
        """Wait until it is over; UnavailableError with the job's last words if it failed."""
        self.job.wait(timeout=timeout)
        if self.job.status != jobs.JobState.COMPLETED:
            raise UnavailableError(
                f"The batch transform {self.job.name!r} is {self.job.status}. The end of its log:\n"
                f"{self.job.logs()[-2000:]}"
            )
        return self

    @property
    def outputs(self) -> list[Path]:
        """The files that are finished, by name."""
        return sorted(self.output.glob("*.out"))

    @property
    def failed_rows(self) -> list[FailedRow]:
        """Rows of finished files that could not be predicted, with the reasons; see `on_error`."""
        return [row for path in sorted(self.output.glob("*.errors.jsonl")) for row in read_failed(path)]

    @property
    def progress(self) -> float:
        """How much of all input is done, 0 to 1."""
        if self.job.status == jobs.JobState.COMPLETED:
            return 1.0
        state = self.job.progress
        return min(state.done / state.total, 1.0) if state is not None and state.total else 0.0


def list_batch_transforms(
    limit: int = 100, page_token: str | None = None, *, workspace: Workspace | None = None
) -> tuple[list[tuple[jobs.JobRecord, BatchPlan | None]], str | None]:
    """Return a page of the jobs of batch transforms with their plans, the newest first, and the next page's token.

    A plan that was deleted or damaged is None.
    """
    place = workspace or current_workspace()
    records, token = jobs.list_jobs(text=ENTRY.removeprefix("-m "), limit=limit, page_token=page_token, workspace=place)
    return [(record, _plan_of(record, place)) for record in records], token


def _plan_of(record: jobs.JobRecord, workspace: Workspace) -> BatchPlan | None:
    try:
        params = jobs.get(record.name, workspace=workspace).spec.params
        return read_plan(Path(str(params["plan"])))
    except (AtelierError, KeyError):
        return None


def batch_transform(
    model: str | Sequence[str],
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    version: int | Sequence[int | None] | None = None,
    join_input: bool = True,
    input_filter: str = "$",
    output_filter: str = "$",
    batch_rows: int = 50_000,
    max_concurrent: int = 1,
    strategy: Strategy = "multi-record",
    on_error: OnError = "stop",
    max_failed_share: float = 0.1,
    engine: str = AUTO,
    trust: bool = False,
    wait: bool = True,
    workspace: Workspace | None = None,
    **options: Any,
) -> BatchTransform:
    """Predict all rows of files, as a job that goes on where it was killed, without repeating or losing a row.

    Parameters
    ----------
    model, version, engine, trust
        As for `deploy`.
    input
        A file, a folder, or a pattern: CSV with a header, JSON Lines or Parquet, by the names; CSV and JSON Lines may
        be packed (.gz, .bz2, .zst).
    output
        The folder of the outputs: ``<name>.out`` for each file, its rows in their order, in its format.
    join_input
        Write the columns of the input before `prediction` (several outputs: `prediction_0`, ...) and, of a classifier,
        `probability_<class>`.
    input_filter, output_filter
        JSONPath on a row: which columns the model is given, and which are written: ``$['age', 'hours']``, ``$[1:]``.
    batch_rows
        Rows that are read, predicted and written at a time.
    max_concurrent
        How many such parts are predicted at a time.
    strategy
        "multi-record" gives the model all rows of a part in one call, "single-record" one row after the other, for
        models that take no more.
    on_error
        What a row does that cannot be read or predicted: "stop" ends the transform with the row and the reason;
        "record" leaves its predictions empty, says why in the column `error`, and in ``<name>.errors.jsonl``. A line
        of CSV with too few or too many fields is no row: it stands only there.
    max_failed_share
        With "record": if more than this part of a file's rows fail, the transform ends all the same.
    wait
        Wait for the end.
    options
        Of `kernel_tools.jobs.submit`: name, resources, retries, ...

    Raises
    ------
    NotFoundError
        If there is no such file or version.
    InvalidArgumentError
        If a file's name does not say what it is, or an argument cannot be used.
    ConflictError
        If the output is a file, or holds outputs of another transform.
    UnavailableError
        If it failed (only with `wait`), with the last lines of its log.
    """
    workspace = workspace or current_workspace()
    if not 1 <= batch_rows <= 10_000_000 or not 1 <= max_concurrent <= 64:
        raise InvalidArgumentError("batch_rows is 1 to 10,000,000, and max_concurrent is 1 to 64.")
    if strategy not in get_args(Strategy) or on_error not in get_args(OnError) or not 0 <= max_failed_share <= 1:
        raise InvalidArgumentError(
            f"strategy= is one of {', '.join(get_args(Strategy))}, on_error= one of {', '.join(get_args(OnError))}, "
            "and max_failed_share= 0 to 1."
        )
    variant = choose_variant(workspace, model, version, engine=engine, trust=trust)
    folder = Path(output).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise ConflictError(f"The output {str(folder)!r} is a file: give a folder.")
    inputs = find_inputs(input)
    names = [Path(file.path).name for file in inputs]
    if known := [name for name in names if (folder / f"{name}.out").exists() or (folder / f".{name}.parts").exists()]:
        raise ConflictError(
            f"The folder {str(folder)!r} holds an output of {known[0]!r} already. Give another folder, or delete it. "
            "A transform that was interrupted goes on with .job.rerun()."
        )
    plan = BatchPlan(
        variant=variant,
        inputs=inputs,
        output=str(folder),
        joins_input=join_input,
        input_filter=input_filter,
        output_filter=output_filter,
        batch_rows=batch_rows,
        max_concurrent=max_concurrent,
        on_error=on_error,
        max_failed_share=max_failed_share,
        strategy=strategy,
    )
    path = workspace.root / "transforms" / f"{uuid.uuid4().hex}.json"
    write_plan(plan, path)
    options.setdefault("retries", jobs.Retries(lost=10))
    parameters = {"plan": str(path), "workspace": str(workspace.root)}
    job = jobs.submit(ENTRY, params=parameters, workspace=workspace, **options)
    transform = BatchTransform(job, folder)
    return transform.wait() if wait else transform
